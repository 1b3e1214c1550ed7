"""The challenges, and the room's list of the best."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from opening import open_page, texts
from shipped import SHIPPED
from streamlit.testing.v1 import AppTest

from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.data import garments, splits
from fmnist.data.garments import drawing
from fmnist.pictures.encode import png
from fmnist.ui.components.canvas import EDGE
from fmnist.ui.parts.challenges import changed
from fmnist.ui.state import best
from fmnist.ui.state.best import Result
from fmnist.weights import shelf
from fmnist.weights.shelf import Weights
from fmnist.words import Words


@pytest.fixture(autouse=True)
def _empty_lists() -> None:
    st.cache_resource.clear()


def sent(picture: np.ndarray) -> dict[str, object]:
    return {"strokes": [], "picture": base64.b64encode(png(picture)).decode()}


def opened(key: str, picture: np.ndarray, **query: str) -> AppTest:
    """The page of a visitor who has drawn that before."""
    app = open_page("home")
    app.session_state["kept drawings"] = {key: sent(picture)}
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/challenges.py").run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_of_a_garment_as_it_is_no_pixel_counts_as_changed() -> None:
    image = splits.load("test", "drawn").images[3]
    enlarged = image.repeat(EDGE // 28, 0).repeat(EDGE // 28, 1)
    app = opened("challenge 3", enlarged, garment="3", model="cnn")
    assert "with 0 pixels changed" in texts(app)
    assert "until the model gives it another name" in texts(app)
    assert "Nobody is on this list yet." in texts(app)
    other = image.copy()
    other[2:4, 5] = 255 - other[2:4, 5]
    other[9, 9] ^= 1  # too little to count
    assert changed(image, other) == 2


def test_a_model_that_is_fooled_puts_its_challenger_on_the_list() -> None:
    white = np.full((EDGE, EDGE), 255, np.uint8)
    app = opened("challenge 3", white, garment="3", model="cnn")
    if "and now says" not in texts(app):  # it takes a white square for what the garment is
        app = opened("challenge 4", white, garment="4", model="cnn")
    assert "and now says" in texts(app)
    app.text_input(key="challenger").set_value("  Ada <b>").run()
    press(app, "Put it on the list")
    assert "The best on this machine" in texts(app)
    assert "Ada \\<b\\>" in texts(app)
    app = open_page("challenges", garment=str(app.number_input(key="garment").value), model="cnn")
    assert "with 0 pixels changed" in texts(app)
    assert "Ada \\<b\\>" in texts(app)  # whoever comes next sees whom there is to beat


def test_in_a_fragment_the_usual_model_can_be_chosen_again() -> None:
    def fragment() -> None:
        import streamlit as st

        from fmnist.ui import widgets

        st.session_state["has arrived"] = True  # which only the page that draws it takes back
        st.session_state.setdefault("gone on with", set())
        widgets.choose_weights()

    app = AppTest.from_function(fragment)
    app.session_state["last model"] = "fcnn"
    model = app.run().selectbox(key="model")
    assert model.value == "fcnn"
    usual = shelf.DEFAULT if shelf.DEFAULT in model.options else model.options[0]
    app.query_params.pop("model")  # as Streamlit does in a browser where it is the usual one
    model.select(usual).run()
    assert app.selectbox(key="model").value == usual


def test_every_model_is_asked_about_a_drawing() -> None:
    trousers = drawing.render(garments.garment(1, np.random.default_rng(0)), EDGE)
    app = opened("canvas Your drawing", trousers, challenge="All agree")
    table = app.dataframe[0].value
    assert len(table) == 4
    most = table["Answer"].value_counts().iloc[0]
    assert f"{most} of 4 models say" in texts(app)
    assert ("All agree" in texts(app)) == (most == 4)


def test_where_no_model_is_here_a_drawing_is_not_asked_about(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", tmp_path / "none")
    trousers = drawing.render(garments.garment(1, np.random.default_rng(0)), EDGE)
    app = opened("canvas Your drawing", trousers, challenge="All agree")
    assert "no trained models yet" in texts(app)


def test_the_smallest_networks_are_those_over_ninety_per_cent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", SHIPPED)
    app = open_page("challenges", challenge="Smallest network")
    table = app.dataframe[0].value
    assert list(table["Parameters"]) == sorted(table["Parameters"])
    assert (table["Test accuracy"] >= 90).all()
    assert set(table["Model"]) == {
        card.label for card in shelf.cards() if card.test and card.test.accuracy >= 0.9
    }


def test_where_garments_are_drawn_a_network_that_learned_them_is_on_the_list() -> None:
    learned = shelf.load("fcnn")
    card = replace(learned.card, name="mine", data="drawn")
    shelf.save(Weights(learned.model, card), shelf.own_folder())
    app = open_page("challenges", challenge="Smallest network")
    table = app.dataframe[0].value
    assert dict(zip(table["Model"], table["On"], strict=True))["mine"] == "Drawn garments"
    assert set(table["On"]) == {"Drawn garments", "Fashion-MNIST"}


def test_the_list_keeps_the_best_of_each_name_and_not_more_than_its_length() -> None:
    for score in (5, 3, 4):
        best.enter("one", Result(score, Words(f"{score}"), "Ada"))
    best.enter("one", Result(1, Words("1"), "Grace"))
    best.enter("two", Result(9, Words("9"), "Ada"))
    for unseen in ("   ", "\u200b"):
        best.enter("one", Result(0, Words("0"), unseen))
    best.enter("one", Result(7, Words("7"), "Ada\u200b"))
    assert [(each.name, each.words) for each in best.of("one")] == [("Grace", "1"), ("Ada", "3")]
    for number in range(30):
        best.enter("one", Result(100 + number, Words(""), f"Visitor {number}"))
    assert len(best.of("one")) == best.LENGTH
    assert best.of("one")[0].name == "Grace"


def test_the_list_is_there_after_a_restart_and_a_damaged_one_is_begun_anew() -> None:
    words = Words("{count} pixels", count=3)
    best.enter("one", Result(3, words, "Ada"))
    st.cache_resource.clear()  # as a new server knows nothing
    assert best.of("one") == [Result(3, words, "Ada")]
    (rooms_folder() / "challenges.json").write_text("{")
    assert best.of("one") == []
    best.enter("one", Result(4, words, "Grace"))
    assert [each.name for each in best.of("one")] == ["Grace"]


def test_a_list_that_can_not_be_written_is_said() -> None:
    rooms_folder().write_text("a file in the folder's place")
    with pytest.raises(RoomError, match="can't be written"):
        best.enter("one", Result(3, Words("3"), "Ada"))
