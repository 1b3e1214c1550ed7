"""What the pages share beside their own parts."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from fmnist.ui.widgets import labels
from fmnist.weights.card import Card


def test_models_that_are_called_alike_are_told_apart_by_their_names() -> None:
    called = {"one": "my net", "one-2": "my net", "other": "Other"}
    cards = {name: Card(name, "fcnn", 0, display_name=label) for name, label in called.items()}
    shown = labels(cards)
    assert list(map(shown, cards)) == ["my net (one)", "my net (one-2)", "Other"]


def _kept_beyond() -> None:
    import streamlit as st

    from fmnist.ui import selections

    for number in range(selections.MOST_KEPT + 2):
        selections._keep(f"{number}", {"model": f"{number}"})
    st.markdown(" ".join(selections._kept()))


def test_of_too_many_kept_selections_the_eldest_go() -> None:
    app = AppTest.from_function(_kept_beyond).run()
    assert app.markdown[0].value.split() == [str(number) for number in range(2, 52)]


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
