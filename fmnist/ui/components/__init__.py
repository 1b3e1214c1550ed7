"""What Streamlit has no widget for: each a folder of its Python, markup, style and behaviour."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

# Each stands in a shadow tree of its own, which no other style sheet reaches.
_STYLE, _SCRIPT = (
    Path(__file__).with_name(name).read_text() for name in ("common.css", "common.js")
)


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
