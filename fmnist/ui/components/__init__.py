"""What Streamlit has no widget for: each a folder of its Python, markup, style and behaviour."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


def component(name: str) -> ComponentRenderer:
    """Register the component whose three files are in the folder of that name."""
    html, css, js = (
        Path(__file__).with_name(name).joinpath(f"{name}.{language}").read_text()
        for language in ("html", "css", "js")
    )
    return st.components.v2.component(f"fmnist_{name}", html=html, css=css, js=js)
