"""For a projector: larger type and no sidebar, on every page until that ends; it is in the link."""

from pathlib import Path

import streamlit as st

from fmnist.words import _

KEY = "projector"
STYLE = Path(__file__).with_name("projector.css")


def shown() -> bool:
    """Whether the pages are for a projector now; a link may begin it."""
    on: bool = st.session_state.setdefault("on a projector", st.query_params.get(KEY) == "true")
    return on


def choose() -> None:
    """A switch in the sidebar."""
    if st.session_state.get("has arrived") and shown():
        st.session_state[KEY] = True
        if KEY not in st.query_params:
            st.query_params[KEY] = "true"
    st.sidebar.toggle(
        _("Projector"),
        key=KEY,
        bind="query-params",
        on_change=_take,
        help=_("Larger type, and the width of the screen."),
    )
    if shown():
        st.html(STYLE)


def _take() -> None:
    st.session_state["on a projector"] = st.session_state[KEY]


def leave() -> None:
    """A button to end it, for the sidebar is gone."""
    st.button(_("Leave projector"), icon=":material/close:", type="tertiary", on_click=_leave)


def _leave() -> None:
    st.session_state[KEY] = st.session_state["on a projector"] = False
