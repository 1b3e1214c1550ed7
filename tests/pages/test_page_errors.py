"""The errors page through AppTest; clicks in the matrix and on the wall are in a browser test."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import streamlit as st
import torch
from opening import open_page, texts
from shipped import FOUR, every_shipped, put_beside
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from fmnist.analysis import evaluation, selection
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import CLASSES, SplitName
from fmnist.machine import files
from fmnist.models import MODELS, inference
from fmnist.ui import matrices
from fmnist.ui.parts import errors
from fmnist.ui.parts.errors import ORDERS, Selection
from fmnist.ui.state import models
from fmnist.ui.widgets import ANY_CLASS
from fmnist.weights import shelf
from fmnist.weights.shelf import DEFAULT


@pytest.fixture
def only_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    only = models.choices()[DEFAULT]
    monkeypatch.setattr(
        models, "choices", lambda able=lambda card: True: {DEFAULT: only} if able(only) else {}
    )


def choose(app: AppTest, true: str, predicted: str) -> AppTest:
    app.selectbox(key="true").select(true)
    return app.selectbox(key="predicted").select(predicted).run()


def count_in_heading(app: AppTest) -> int:
    return int(app.header[0].value.rsplit(": ", 1)[1].replace(",", ""))


def given(app: AppTest, key: str) -> Any:
    """What a component was given; None where there is none of that key."""
    for element in app.get("bidi_component"):
        if element.key == key:
            return json.loads(element.proto.json)
    return None


def wall(app: AppTest) -> Any:
    return given(app, "gallery")


def cells(app: AppTest) -> Iterator[Any]:
    for row in given(app, "matrix")["cells"]:
        yield from row


def count(cell: Any) -> int:
    return int(cell["title"].rsplit(": ", 1)[1].replace(",", ""))


def shown(app: AppTest) -> list[int]:
    """The rows of the garments on the wall."""
    return [int(title.split()[1].rstrip(":")) for title in wall(app)["titles"]]


# The matrix


@pytest.mark.slow
def test_all_100_cells_and_the_heads_open_as_many_images_as_they_count(
    only_one_model: None,
) -> None:
    app = open_page("errors")
    found = list(cells(app))
    assert len(found) == 121
    for cell in found:
        choose(app, *(ANY_CLASS if label is None else CLASSES[label] for label in cell["place"]))
        assert count_in_heading(app) == count(cell)
        assert len((wall(app) or {"titles": []})["titles"]) == count(cell)
        assert given(app, "matrix")["chosen"] == cell["place"]
    assert not app.exception


@pytest.mark.slow
def test_units_and_order_change_the_matrix_and_nothing_else() -> None:
    app = open_page("errors", model="cnn")
    heading = app.header[0].value
    seen = []
    for unit in ("Counts", "Row %", "Column %"):
        app.button_group(key="cells").set_value(unit).run()
        seen.append(json.dumps([(cell["text"], cell["heat"]) for cell in cells(app)]))
    assert len(set(seen)) == 3
    names = given(app, "matrix")["columns"]
    assert names[1:] == list(CLASSES)
    app.button_group(key="order").set_value(ORDERS[1]).run()
    reordered = given(app, "matrix")["columns"]
    assert sorted(reordered) == sorted(names)
    assert reordered != names
    assert app.header[0].value == heading
    assert not app.exception


def test_model_and_split_change_what_is_measured() -> None:
    app = open_page("errors")
    for split, images in (("validation", 100), ("train", 300)):
        app.button_group(key="on").set_value(split).run()
        assert f"of {images} {split} images right" in texts(app)
    app.selectbox(key="model").select("fcnn").run()
    assert "**fcnn** names" in texts(app)
    assert not app.exception


@pytest.fixture
def asked(nothing_known: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images models were asked about, question by question."""
    asked = []
    infer = inference.infer

    def counted(model: Any, images: Any, *rest: Any) -> Any:
        asked.append(len(images))
        return infer(model, images, *rest)

    monkeypatch.setattr(inference, "infer", counted)
    return asked


def test_a_model_is_measured_once_however_often_it_is_shown(asked: list[int]) -> None:
    app = open_page("errors")
    choose(app, "Bag", "Bag")
    app.button_group(key="cells").set_value("Row %").run()
    app.button_group(key="order").set_value(ORDERS[1]).run()
    assert asked.count(100) == 1


@pytest.mark.slow
def test_a_new_server_finds_what_shipped_weights_answered_and_nothing_of_uploads(
    asked: list[int],
) -> None:
    app = open_page("models", first="fcnn", second="cnn")
    content = safetensors.torch.save(MODELS["fcnn"].seeded(5).state_dict())
    app.file_uploader[0].set_value(("theirs.safetensors", content, "")).run()
    app.switch_page("pages/errors.py").run()
    app.selectbox(key="model").select("theirs").run()
    assert "**theirs** names" in texts(app)
    del asked[:]
    st.cache_resource.clear()  # what a restart forgets
    for name in ("fcnn", "cnn"):
        assert f"**{name}** names" in texts(open_page("errors", model=name))
    assert 100 not in asked
    kept = {path.name.split()[1] for path in files.CACHE.glob("answers *.npy")}
    assert kept == {shelf.load(name).card.sha256 for name in (DEFAULT, "fcnn", "cnn")}


def test_an_empty_cell_says_so_and_shows_no_garment() -> None:
    app = open_page("errors")
    choose(app, "Trouser", "Ankle boot")
    assert "No image is in this cell" in texts(app)
    assert wall(app) is None
    assert not any(button.label == "Next" for button in app.button)
    assert not app.exception


# Going through the selection


@pytest.mark.slow
def test_previous_and_next_go_through_the_selection_and_stop_at_its_ends() -> None:
    app = open_page("errors")
    choose(app, "Bag", "Bag")
    rows = shown(app)
    assert len(rows) == count_in_heading(app)
    assert (splits.load("test", "drawn").labels[rows] == CLASSES.index("Bag")).all()

    def button(label: str) -> Any:
        return next(button for button in app.button if button.label == label)

    assert button("Previous").disabled
    for row in rows[1:]:
        assert f"Garment {row} of" not in texts(app)
        button("Next").click().run()
        assert f"Garment {row} of the test split, labelled Bag." in texts(app)
        assert wall(app)["picked"] == rows.index(row)
    assert button("Next").disabled
    button("Previous").click().run()
    assert app.query_params["garment"] == str(rows[-2])


def test_another_cell_begins_with_its_most_confident_garment() -> None:
    app = open_page("errors")
    choose(app, "Bag", "Bag")
    app.query_params["garment"] = str(shown(app)[3])
    app.run()
    assert wall(app)["picked"] == 3
    choose(app, "Trouser", "Trouser")
    assert wall(app)["picked"] == 0
    assert f"1 of {count_in_heading(app)}" in texts(app)
    assert not app.toast


def test_the_link_leads_to_model_split_cell_and_garment() -> None:
    app = open_page("errors", model="cnn")
    choose(app, "Any class", "Any class")
    rows = shown(app)
    app = open_page(
        "errors",
        model="cnn",
        true="Any class",
        predicted="Any class",
        garment=str(rows[4]),
        order=ORDERS[1],
    )
    assert app.header[0].value.startswith("All errors: ")
    assert f"Garment {rows[4]} of the test split" in texts(app)
    assert app.button_group(key="order").value == ORDERS[1]


def test_one_notice_names_all_that_a_link_asks_for_and_is_not_there() -> None:
    app = open_page("errors", model="nobody", on="holdout", true="Hat")
    (told,) = app.toast
    assert (
        "model \u201cnobody\u201d, split \u201choldout\u201d, true class \u201cHat\u201d"
        in told.value
    )


@pytest.mark.parametrize("garment", ["99999", "-1", "shirt", "\u00b2"])
def test_a_link_to_a_garment_that_is_not_there_says_so_and_leads_to_the_first(garment: str) -> None:
    app = open_page("errors", true="Bag", predicted="Bag", garment=garment)
    assert not app.exception
    assert "garment \u201c" in app.toast[0].value
    assert wall(app)["picked"] == 0


@pytest.mark.parametrize(
    ("key", "asked"),
    [("model", "nobody"), ("on", "holdout"), ("true", "Hat"), ("cells", "%"), ("unlike", "x")],
)
def test_what_a_link_asks_for_and_is_not_there_gets_a_sentence(key: str, asked: str) -> None:
    app = open_page("errors", **{key: asked})
    assert not app.exception
    (told,) = app.toast
    assert "The link asks for" in told.value
    assert asked in told.value


# Filters


def expected_rows(model: str, split_name: SplitName) -> tuple[Evaluation, np.ndarray]:
    """The model's answers, and how sure it is in per cent, computed here a second time."""
    network, card = shelf.load(model)
    split = splits.load(split_name, "drawn")
    logits = inference.infer(network, split.images, torch.device("cpu"))
    sure = 100 * evaluation.probabilities(logits, card.temperature).max(1)
    return Evaluation(model, logits, split.labels), sure


def test_filters_leave_the_matrix_the_wall_and_the_map_with_what_passes() -> None:
    app = open_page("errors", model="fcnn", true="Any class", predicted="Any class")
    app.slider(key="sure").set_value((50, 90)).run()
    app.selectbox(key="unlike").select("cnn").run()
    assert not app.exception
    (said, sure), (other, _) = expected_rows("fcnn", "test"), expected_rows("cnn", "test")
    passes = (sure >= 50) & (sure < 90) & (said.predictions != other.predictions)
    wrong = np.flatnonzero(passes & (said.predictions != said.labels))
    assert 0 < len(wrong) < (said.predictions != said.labels).sum()
    assert set(shown(app)) == set(wrong)
    assert f"of {passes.sum()} test images right" in texts(app)
    assert sum(count(cell) for cell in cells(app) if None not in cell["place"]) == passes.sum()
    on_map = np.frombuffer(base64.b64decode(given(app, "map")["chosen"]), np.uint32)
    assert set(on_map) == set(wrong)
    bars = given(app, "confidence")["intervals"]
    assert bars[6]["wrong"] == ((sure >= 60) & (sure < 70))[wrong].sum()


def test_a_link_to_rows_leaves_only_those() -> None:
    rows = selection.to_text(np.arange(30), 100)
    every = {"true": ANY_CLASS, "predicted": ANY_CLASS}
    app = open_page("errors", model="cnn", rows=f"test.{rows}", **every)
    assert "Only **30 chosen images** of 100 count" in texts(app)
    assert set(shown(app)) <= set(range(30))
    app.button(key="show all").click().run()
    assert "rows" not in app.query_params
    assert "of 100 test images right" in texts(app)


def test_one_of_something_is_said_in_the_singular() -> None:
    rows = selection.to_text(np.array([7]), 100)
    app = open_page("errors", model="cnn", rows=f"test.{rows}")
    assert "Only **1 chosen image** of 100 counts" in texts(app)
    app = open_page("scores", model="cnn", rows=f"test.{rows}")
    assert "of the 1 chosen image right" in texts(app)


@pytest.mark.parametrize(
    ("rows", "said"),
    [("test.nothing", "not of this split"), ("validation.eJwDAAAAAAE=", "of the validation split")],
)
def test_rows_that_are_not_of_the_split_get_a_sentence(rows: str, said: str) -> None:
    app = open_page("errors", rows=rows)
    assert not app.exception
    assert said in app.warning[0].value
    assert "of 100 test images right" in texts(app)


def name_to_keep(app: AppTest) -> TextInput:
    return next(box for box in app.text_input if box.label == "Keep it as")


def keep_as(app: AppTest, name: str) -> None:
    name_to_keep(app).set_value(name)
    next(button for button in app.button if button.label == "Keep").click().run()
    assert not app.exception


def test_a_selection_is_kept_by_a_name_and_forgotten() -> None:
    app = open_page("errors", true="Bag", predicted="Bag")
    keep_as(app, "My bags")
    (kept,) = app.session_state["kept selections"].items()
    assert kept[0] == "My bags"
    assert kept[1]["true"] == kept[1]["predicted"] == "Bag"
    of_split, _, packed = kept[1]["rows"].partition(".")
    assert of_split == "test"
    assert set(selection.from_text(packed, 100)) == set(shown(app))
    next(button for button in app.button if button.label == "Forget").click().run()
    assert app.session_state["kept selections"] == {}


def test_a_selection_of_the_same_name_as_another_is_kept_beside_it() -> None:
    app = open_page("errors", true="Bag", predicted="Bag")
    for _ in range(2):  # the same once more is the same
        keep_as(app, "mine")
    choose(app, "Coat", "Coat")
    keep_as(app, "mine")
    kept = app.session_state["kept selections"]
    assert {name: link["true"] for name, link in kept.items()} == {
        "mine": "Bag",
        "mine (2)": "Coat",
    }


def test_each_selection_is_proposed_to_be_kept_by_a_name_of_its_own() -> None:
    app = open_page("errors", true="Bag", predicted="Bag")
    proposed = name_to_keep(app).value
    choose(app, "Coat", "Coat")
    assert name_to_keep(app).value != proposed


# One garment


def test_one_garment_shows_every_models_answer() -> None:
    app = open_page("errors")
    choose(app, "Bag", "Bag")
    answers = app.dataframe[0].value
    assert list(answers["Model"]) == [card.name for card in shelf.cards()]
    assert set(answers["Answer"]) <= set(CLASSES)
    assert "## Bag :small" in texts(app)  # in this cell the chosen model says so


@every_shipped(quick=FOUR)
def test_why_is_answered_once_it_is_opened(name: str) -> None:
    put_beside(name, shelf.own_folder())
    app = open_page("errors")
    app.selectbox(key="model").select(name)
    choose(app, "Bag", "Bag")
    assert "most alike" not in texts(app)
    app.session_state["why"] = True
    app.run()
    assert not app.exception
    said = texts(app)
    assert "It says Bag mostly because of" in said or "No single part makes it say Bag" in said
    assert "Of the 5 training garments that it finds most alike" in said
    assert ("Grad-CAM" in said) == (shelf.load(name).card.family == "cnn")
    for way in ("Covering", "Saliency"):
        assert way in said


def test_a_training_garment_is_not_among_its_own_neighbours(
    monkeypatch: pytest.MonkeyPatch, only_one_model: None
) -> None:
    pictures_shown = []
    monkeypatch.setattr(
        "fmnist.ui.widgets.side_by_side", lambda pictures, edge: pictures_shown.extend(pictures)
    )
    app = open_page("errors", on="train", true="Bag", predicted="Bag", why="true")
    row = shown(app)[0]
    neighbours = [picture for caption, picture in pictures_shown if caption in CLASSES]
    assert len(neighbours) == 5
    images = splits.load("train", "drawn").images
    assert all((picture == images).all((1, 2)).any() for picture in neighbours)
    assert not any((picture == images[row]).all() for picture in neighbours)


# What can be taken along


def test_the_table_has_a_line_for_each_garment_with_all_probabilities() -> None:
    rng = np.random.default_rng(0)
    split = splits.load("test", "drawn")
    logits = rng.normal(size=(100, 10)).astype(np.float32)
    answers = Evaluation("random", logits, split.labels)
    rows = evaluation.errors(answers, 8, None, temperature=2.0)
    lines = errors.table(Selection("wrong bags", split, rows, answers, 2.0))
    assert [line["row"] for line in lines] == rows.tolist()
    expected = evaluation.probabilities(logits, 2.0)
    for line in lines:
        assert line["true"] == "Bag"
        assert line["predicted"] == CLASSES[logits[line["row"]].argmax()]
        assert line["confidence"] == expected[line["row"]].max()
        assert [line[name] for name in CLASSES] == expected[line["row"]].tolist()


def test_a_head_is_compared_with_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    captions: list[str] = []
    monkeypatch.setattr(
        "fmnist.ui.widgets.side_by_side",
        lambda pictures, edge: captions.extend(caption for caption, _ in pictures),
    )
    split = splits.load("test", "drawn")
    answers = Evaluation("m", np.zeros((100, 10), np.float32), split.labels)
    chosen = Selection("any", split, np.arange(7), answers, 1.0)
    for cell, expected in {
        (6, 0): ["less the mean Shirt", "Mean Shirt", "Mean T-shirt/top"],
        (6, None): ["less the mean Shirt", "Mean Shirt"],
        (None, 0): ["less the mean T-shirt/top", "Mean T-shirt/top"],
        (6, 6): ["less the mean Shirt", "Mean Shirt"],
        (None, None): [],
    }.items():
        captions.clear()
        errors.means(chosen, *cell)
        assert captions == ["Mean of these 7", *expected]
    assert matrices.cell_name(6, 6) == "Shirt named Shirt"
