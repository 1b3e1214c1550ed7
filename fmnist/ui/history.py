"""Back and Forward lead to what their link says, from whichever page."""

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
    if run is None or not run.is_history_navigation:
        return
    with run.session_state.query_params() as link:
        link.populate_from_query_string(run.query_string)
        link.set_initial_query_params(run.query_string)
        link.update()  # with nothing, but the browser is told
