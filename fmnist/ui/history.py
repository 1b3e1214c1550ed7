"""Back and Forward lead to what their link says, from whichever page."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fmnist.ui.components.steps import keep_steps


def keep() -> None:
    """Called by app.py before its page: each deed is one step, and a step brings its whole link.

    Streamlit leaves out of a page's link what the page before it has a widget for, too, so that
    going by the sidebar a split of one page isn't taken for that of the next. The browser's own
    steps have links of their own, in which nothing is another page's.
    """
    keep_steps()
    run = get_script_run_ctx()
    if run is not None and run.is_history_navigation:
        rewrite(run.query_string)


def arrive() -> None:
    """Have the link count that leads here: what a widget was set to before would outlast it.

    That is so where the link asks for a widget's usual value, too. What the studio itself remembers
    is no link's to forget: the names of that have a space, which those of such widgets have not.
    """
    run = get_script_run_ctx()
    if run is None or not run.is_history_navigation:
        for key in set(st.query_params) & set(st.session_state):
            if " " not in key:
                del st.session_state[key]


def show_link() -> None:
    """Have the browser show this run's link: from a page to itself, it shows the one before."""
    st.query_params.update()


def rewrite(query: str) -> None:
    """Have the widgets of this run begin with what that link says, and the browser show it."""
    run = get_script_run_ctx()
    if run is None:
        return
    with run.session_state.query_params() as link:
        link.populate_from_query_string(query)
        link.set_initial_query_params(query)
        link.update()  # with nothing, but the browser is told
