"""What the pages share beside their own parts."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block


def _page() -> None:
    import streamlit as st

    from fmnist.ui.widgets import fresh

    with fresh("views", st.session_state["model"]):
        st.caption("said")


def _place(app: AppTest, model: str) -> tuple[int, ...]:
    app.session_state["model"] = model
    app.run()
    return tuple(index for index, place in app.main.children.items() if isinstance(place, Block))


def test_what_is_about_another_model_is_told_elsewhere_so_that_the_old_place_is_emptied() -> None:
    app = AppTest.from_function(_page)
    fcnn = _place(app, "fcnn")
    assert len(fcnn) == 1
    assert _place(app, "fcnn") == fcnn
    cnn = _place(app, "cnn")
    assert len(cnn) == 1
    assert cnn != fcnn
    assert _place(app, "cnn") == cnn
    assert _place(app, "rnn") == fcnn
