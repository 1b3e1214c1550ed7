"""Keeps Streamlit from taking pages/ for its older kind of app, which lists files.

It does so until app.py has run once in the server's life; so does whoever comes first by a link to
a page. The old kind's list is hidden in .streamlit/config.toml, and a page that finds itself there
sends its visitor to app.py, which resolves the link.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def claim() -> None:
    """Called by app.py: this session has come the right way, and the sidebar may be seen."""
    st.session_state["studio"] = True
    st.set_option("client.showSidebarNavigation", True)


def require() -> None:
    """Called by every page: begin again with app.py where it was passed over."""
    if "studio" not in st.session_state:
        PagesManager.uses_pages_directory = False
        st.rerun()
