"""What Streamlit has no widget for: each a folder of its Python, markup, style and behaviour."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from fmnist import words
from fmnist.words import Words, said

# Each stands in a shadow tree of its own, which no other style sheet reaches.
_STYLE, _SCRIPT = (
    Path(__file__).with_name(name).read_text() for name in ("common.css", "common.js")
)


def spoken(messages: Mapping[str, Words]) -> dict[str, Any]:
    """The messages of a component that puts numbers in, and the language for these."""
    said_here = {name: said(message) for name, message in messages.items()}
    return {"words": said_here, "language": words.language()}


def component(name: str) -> ComponentRenderer:
    """Register the component whose files, one a language, are in the folder of that name."""
    found = Path(__file__).with_name(name).glob(f"{name}.*")
    parts = {path.suffix.removeprefix("."): path.read_text() for path in found}
    return st.components.v2.component(
        f"fmnist_{name}",
        html=parts["html"],
        css=_STYLE + parts.get("css", ""),
        js=_SCRIPT + parts["js"],
    )
