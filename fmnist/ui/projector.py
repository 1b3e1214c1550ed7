"""For a projector: larger type and no sidebar, on every page until that ends; it is in the link."""

from pathlib import Path

import streamlit as st

KEY = "projector"
STYLE = Path(__file__).with_name("projector.css")


def shown() -> bool:
    """Whether the pages are for a projector now."""
    if KEY in st.session_state:
        return bool(st.session_state[KEY])
    return st.query_params.get(KEY) == "true"


def choose() -> None:
    """A switch in the sidebar."""
    st.sidebar.toggle(
        "Projector",
        key=KEY,
        bind="query-params",
        persist_state="session",
        help="Larger type, and the width of the screen.",
    )
    if shown():
        st.html(STYLE)


def leave() -> None:
    """A button to end it, for the sidebar is gone."""
    st.button("Leave projector", icon=":material/close:", type="tertiary", on_click=_leave)


def _leave() -> None:
    st.session_state[KEY] = False
