"""Every page through Streamlit's AppTest; charts, the wall and the canvas are in test_browser."""

import base64
import gc
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import safetensors.torch
import streamlit as st
import torch
from opening import open_page, texts
from PIL import Image
from strangers import perceptron_graph, pickled, stranger
from streamlit.testing.v1 import AppTest
from torch import nn

from fmnist import PROJECT
from fmnist.analysis.reported import REPORTED
from fmnist.data import garments, splits
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES
from fmnist.export import code
from fmnist.models import MODELS, inference
from fmnist.models.recipe import Recipe
from fmnist.pictures import reading
from fmnist.runs import pace, queue, worker
from fmnist.runs.run import Plan, Run, all_runs, read_run
from fmnist.ui import navigation
from fmnist.ui.parts.classify import KINDS
from fmnist.ui.state import models
from fmnist.ui.widgets import ANY_CLASS
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import DEFAULT, Weights
from fmnist.weights.strangers.graphs import GraphError
from fmnist.weights.strangers.onnx import OnnxModel

PAGES = sorted(path.stem for path in (PROJECT / "pages").glob("*.py"))


def upload(app: AppTest, filename: str, content: bytes) -> None:
    app.file_uploader[0].set_value((filename, content, "application/octet-stream")).run()


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def picture(label: int, form: str = "PNG") -> bytes:
    drawn = drawing.render(garments.garment(label, np.random.default_rng(0)), 280)
    content = io.BytesIO()
    Image.fromarray(drawn).save(content, form)
    return content.getvalue()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_drawn_garments_and_says_so(name: str) -> None:
    app = open_page(name)
    assert not app.exception
    assert len(app.title) == 1
    assert "drawn garments, not at Fashion-MNIST" in texts(app)
    assert "python -m fmnist data" in texts(app)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_any_weights(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", Path("nowhere"))
    app = open_page(name)
    assert not app.exception


def test_a_damaged_dataset_is_named_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"cut short")
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path))
    app = open_page("dataset")
    assert "train-images-idx3-ubyte.gz is truncated" in texts(app)


@pytest.mark.real_data
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_the_real_dataset_without_a_banner(name: str) -> None:
    # Asked where a page lets one choose; the default would take its time over 10,000 images.
    app = open_page(name, model="fcnn", models="fcnn", first="fcnn", second="cnn")
    assert not app.exception
    assert not app.info or "drawn garments" not in texts(app)


def test_home_shows_the_leaderboard_device_and_dataset() -> None:
    app = open_page("home")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Device"] == "CPU"
    assert shown["Dataset"] == "Drawn"
    board = next(text.value for text in app.markdown if text.value.startswith("| Model |"))
    rows = [line.split(" | ") for line in board.splitlines()[2:]]
    assert [row[0] for row in rows] == [f"| {card.name}" for card in shelf.cards()]
    assert [float(row[2].removesuffix(" %")) for row in rows] == pytest.approx(
        [100 * card.test.accuracy for card in shelf.cards()], abs=0.006
    )


def test_the_size_of_the_smallest_model_is_not_rounded_to_nothing() -> None:
    card = min(shelf.cards(), key=lambda card: card.bytes)
    line = next(line for line in texts(open_page("home")).splitlines() if f"| {card.name}" in line)
    assert f"| {card.bytes / 1000:.0f} kB |" in line


def test_the_device_can_be_chosen_and_a_wrong_variable_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = open_page("home")
    assert app.sidebar.selectbox[0].options == ["Automatic", "CPU"]
    monkeypatch.setenv("FMNIST_DEVICE", "tpu")
    app = open_page("home")
    assert not app.exception
    assert "'tpu' is not a device" in texts(app)


def test_the_dataset_page_filters_by_class_and_split() -> None:
    count = int((splits.load("train", "drawn").labels == 8).sum())
    app = open_page("dataset")
    assert "300 garments" in texts(app)
    app.selectbox(key="class").select("Bag").run()
    assert f"{count} garments" in texts(app)
    assert app.header[0].value == "Bag"
    app.button_group(key="split").set_value("test").run()
    assert "10 garments" in texts(app)
    assert "of the test split" in texts(app)


def test_the_chosen_garment_shows_what_each_model_says() -> None:
    app = open_page("dataset")
    answers = app.dataframe[0].value
    assert list(answers["Model"]) == [card.name for card in shelf.cards()]
    assert set(answers["Answer"]) <= set(CLASSES)


def answer(app: AppTest) -> str:
    (heading,) = [text.value for text in app.markdown if text.value.startswith("## ")]
    return heading.removeprefix("## ").split(" :small")[0]


@pytest.mark.parametrize("name", ["home", "classify"])
def test_an_empty_canvas_has_no_answer_and_a_drawing_has_one(name: str) -> None:
    app = open_page(name)
    assert not app.exception
    assert answer(app) == "What is it?"
    sent = base64.b64encode(picture(1)).decode()
    app = open_page("scores")
    app.session_state["kept drawings"] = {"canvas Your drawing": {"strokes": [], "picture": sent}}
    app.switch_page(f"pages/{name}.py").run()
    assert answer(app) in CLASSES


@pytest.mark.parametrize("way", ["Upload", "Camera"])
def test_a_way_in_that_brought_nothing_has_no_answer(way: str) -> None:
    app = open_page("classify", way=way)
    assert not app.exception
    assert answer(app) == "What is it?"


def test_the_examples_are_answered() -> None:
    app = open_page("classify", way="Examples")
    assert "A drawn T-shirt/top" in texts(app)
    assert answer(app) in CLASSES
    assert "ms." in texts(app)


def test_home_leads_to_every_page_in_the_order_of_the_sidebar() -> None:
    links = [link.proto.page for link in open_page("home").get("page_link")]
    order = [place.name for places in navigation.PLACES.values() for place in places]
    assert links == ["classify", "errors", "train", *order]
    assert {*order, "home"} == set(PAGES)


@pytest.mark.parametrize("row", [0, 7, 99])
def test_a_drawing_can_start_from_a_test_image_and_is_that_image(row: int) -> None:
    split = splits.load("test", "drawn")
    app = open_page("classify")
    app.selectbox(key="start").select("Test image").run()
    app.number_input(key="image").set_value(row).run()
    assert not app.exception
    assert f"Test image {row}, {CLASSES[split.labels[row]]}, taken in as dataset" in texts(app)
    model, _ = shelf.load(DEFAULT)
    said = inference.infer(model, split.images[row : row + 1], torch.device("cpu"))
    assert answer(app) == CLASSES[said[0].argmax()]


def test_a_drawing_can_start_from_the_outline_of_any_class() -> None:
    app = open_page("classify")
    for name in CLASSES:
        app.selectbox(key="start").select(f"Outline of {name}").run()
        assert f"Outline of {name}, taken in as sketch" in texts(app)
    assert not app.exception


def test_a_drawing_is_taken_in_and_one_that_did_not_arrive_whole_gets_a_sentence() -> None:
    content = base64.b64encode(picture(1)).decode()
    for sent, told in ((content, "Your drawing, taken in as sketch"), ("no", "draw one more")):
        app = open_page("home")
        app.session_state["kept drawings"] = {
            "canvas Your drawing": {"strokes": [], "picture": sent}
        }
        app.switch_page("pages/classify.py").run()
        assert not app.exception
        assert told in texts(app)
        assert len(app.error) == (sent == "no")


def test_a_link_holds_way_start_kind_and_models() -> None:
    query = {"start": "Test image", "image": "5", "kind": "Photo", "model": "gru", "others": "cnn"}
    app = open_page("classify", **query)
    assert "Test image 5, " in texts(app)
    assert "taken in as photo" in texts(app)
    assert "gru on the CPU" in texts(app)
    assert app.multiselect(key="others").value == ["cnn"]
    app = open_page("classify", way="Upload")
    assert len(app.file_uploader) == 1


def test_a_model_asked_beside_another_can_become_the_one_asked() -> None:
    app = open_page("classify", others="fcnn")
    fcnn = app.multiselect(key="others").value[0]
    app.selectbox(key="model").select(fcnn).run()
    assert not app.exception
    assert app.multiselect(key="others").value == []


@pytest.mark.parametrize(
    "query", [{"start": "Test image", "image": "123456"}, {"start": "Nowhere"}, {"kind": "Novel"}]
)
def test_a_link_to_what_is_not_there_leaves_classify_standing(query: dict[str, str]) -> None:
    app = open_page("classify", **query)
    assert not app.exception
    assert answer(app)


def test_an_uploaded_picture_is_classified() -> None:
    app = open_page("classify")
    app.button_group(key="way").set_value("Upload").run()
    app.file_uploader[0].set_value(("boot.png", picture(9), "image/png")).run()
    assert not app.exception
    assert "boot.png, taken in as" in texts(app)
    assert answer(app) in CLASSES


@pytest.mark.parametrize(("choice", "kind"), list(KINDS.items())[1:])
def test_an_upload_is_taken_for_what_its_owner_says_it_is(choice: str, kind: str) -> None:
    app = open_page("classify", way="Upload", kind=choice)
    app.file_uploader[0].set_value(("boot.png", picture(9), "image/png")).run()
    assert f"boot.png, taken in as {kind}" in texts(app)


def test_several_uploads_are_listed_and_the_first_good_one_shown_at_large() -> None:
    app = open_page("classify", way="Upload")
    files = [(f"{label}.png", picture(label), "image/png") for label in (1, 8)]
    bad = [("text.png", b"I am a text", "image/png"), ("empty.jpg", b"", "image/jpeg")]
    app.file_uploader[0].set_value([*bad, *files]).run()
    assert not app.exception
    assert "1.png, taken in as" in texts(app)
    assert answer(app) in CLASSES
    assert not app.error


def test_only_bad_uploads_leave_the_page_standing() -> None:
    app = open_page("classify", way="Upload")
    app.file_uploader[0].set_value(("*text*.png", b"I am a text", "image/png")).run()
    assert not app.exception
    assert [error.value.split(":")[0] for error in app.error] == [r"\*text\*.png"]


def test_a_picture_is_taken_in_once_however_often_its_page_is_shown(
    nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    open_file = reading.read
    monkeypatch.setattr(reading, "read", lambda content: read.append(1) or open_file(content))
    app = open_page("classify", way="Upload")
    files = [(f"{label}.png", picture(label), "image/png") for label in (1, 8)]
    app.file_uploader[0].set_value(files).run()
    app.multiselect(key="others").select("fcnn").run()
    app.selectbox(key="model").select("gru").run()
    assert len(read) == 2


def test_a_picture_from_the_camera_is_classified() -> None:
    app = open_page("classify")
    app.button_group(key="way").set_value("Camera").run()
    app.camera_input[0].set_value(("camera.jpg", picture(1, "JPEG"), "image/jpeg")).run()
    assert not app.exception
    assert "Camera, taken in as" in texts(app)


def test_the_leaderboard_has_every_figure_it_can_be_sorted_by() -> None:
    board = open_page("models").dataframe[0].value.set_index("Model")
    for card in shelf.cards():
        row = board.loc[card.name]
        assert row["Test accuracy"] == pytest.approx(100 * card.test.accuracy)
        assert row["Parameters"] == card.parameters
        assert row["Size"] == pytest.approx(card.bytes / 1e3)
        assert 0 < row["An image"] < 10_000
        tests = [100 * seed.test for seed in card.seeds or ()]
        if len(tests) > 1:
            assert row["Mean of seeds"] == pytest.approx(np.mean(tests))
            assert row["Spread"] == pytest.approx(np.std(tests, ddof=1))
        else:
            assert pd.isna(row["Spread"])


def test_what_is_not_known_is_blank_and_what_a_recipe_does_without_is_said() -> None:
    app = open_page("models")
    assert {table.proto.placeholder for table in app.dataframe} == {""}
    (recipe,) = app.table
    values = recipe.value.iloc[:, -1].astype(str)
    assert "none" in set(values)
    assert not values.str.contains("None").any()


def test_the_code_of_an_architecture_is_there_for_whoever_opens_it() -> None:
    app = open_page("models")
    assert not app.code
    app.session_state["code of architecture"] = True
    (shown,) = app.run().code
    texts_of_all = [code.script(name, spec.recipe).strip() for name, spec in MODELS.items()]
    assert shown.value in texts_of_all


def test_every_published_figure_names_its_source() -> None:
    app = open_page("models")
    app.session_state["published"] = True
    tables = [frame.value for frame in app.run().dataframe]
    published = next(table for table in tables if "Source" in table)
    assert len(published) == len(REPORTED)
    assert published["Source"].str.len().min() > 5


def test_two_models_side_by_side_are_weighed_by_mcnemar() -> None:
    app = open_page("models", first="fcnn", second="cnn")
    images, labels = splits.load("test", "drawn").images, splits.load("test", "drawn").labels
    said = [
        inference.infer(shelf.load(name)[0], images, torch.device("cpu")).argmax(1)
        for name in ("fcnn", "cnn")
    ]
    only = [int(((a == labels) & (b != labels)).sum()) for a, b in (said, said[::-1])]
    assert f"{only[0]} only fcnn gets right and {only[1]} only cnn." in texts(app)
    by_class = next(f.value for f in app.dataframe if "Only cnn right" in f.value)
    assert by_class["Only cnn right"].sum() == only[1]


def test_uploaded_weights_join_every_list_for_the_session() -> None:
    app = open_page("models")
    content = safetensors.torch.save(MODELS["gru"].seeded(5).state_dict())
    upload(app, "theirs.safetensors", content)
    assert not app.exception
    assert "theirs" in list(app.dataframe[0].value["Model"])
    app.switch_page("pages/errors.py").run()
    assert "theirs" in app.selectbox(key="model").options
    assert "theirs" not in list(open_page("models").dataframe[0].value["Model"])


@pytest.mark.slow
@pytest.mark.real_data
def test_classes_in_another_order_are_put_right_where_their_owner_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, open_one = [], shelf.open

    def counted(content: bytes, filename: str, *rest: object, **named: object) -> shelf.Weights:
        opened.append(filename)
        return open_one(content, filename, *rest, **named)

    monkeypatch.setattr(shelf, "open", counted)
    model, _ = shelf.load("fcnn")
    tensors = {name: t for name, t in model.state_dict().items() if "standardize" not in name}
    tensors |= {f"head.{leaf}": tensors[f"head.{leaf}"].flip(0) for leaf in ("weight", "bias")}
    app = open_page("models")
    upload(app, "theirs.pt", pickled(tensors))
    assert "another order" in texts(app)
    next(box for box in app.checkbox if box.label == "Put its classes in that order").check().run()
    assert not app.exception
    assert "among everybody's models as fcnn" in texts(app)  # it is the same file
    assert opened.count("theirs.pt") == 1  # and what was found out is known


@pytest.mark.slow
def test_a_graph_whose_weights_lie_in_another_file_is_opened_once_that_is_brought_too(
    tmp_path: Path,
) -> None:
    inside = onnx.load_from_string(perceptron_graph(stranger("fcnn").state_dict()))
    file, beside = tmp_path / "theirs.onnx", tmp_path / "theirs.onnx.data"
    onnx.save_model(inside, file, save_as_external_data=True, location=beside.name)
    app = open_page("models")
    upload(app, file.name, file.read_bytes())
    assert "keeps weights in another file" in app.error[0].value
    second = app.file_uploader[1]
    second.set_value((beside.name, beside.read_bytes(), "application/octet-stream")).run()
    assert not app.error
    assert "theirs.onnx is an ONNX model" in app.success[0].value


def test_an_upload_has_the_name_that_its_owner_gives_it_and_never_anothers() -> None:
    app = open_page("models")
    upload(app, "cnn.pt", pickled(stranger("gru").state_dict()))
    assert "as cnn-2." in app.success[0].value
    app.text_input[0].set_value("homework").run()
    names = list(app.dataframe[0].value["Model"])
    assert {"cnn", "homework"} <= set(names)
    assert "cnn-2" not in names
    assert "reads pixels as 0..1, which is assumed" in app.success[0].value


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("theirs.pt", pickled(stranger("gru").state_dict())),
        ("theirs.onnx", perceptron_graph(stranger("fcnn").state_dict())),
    ],
)
def test_an_upload_that_is_kept_is_there_for_everybody_and_after_a_restart(
    filename: str, content: bytes
) -> None:
    app = open_page("models")
    upload(app, filename, content)
    press(app, "Keep")
    assert not app.exception
    assert "among everybody's models as theirs." in app.success[0].value
    st.cache_resource.clear()
    for visitor in (app.run(), open_page("models")):
        assert list(visitor.dataframe[0].value["Model"]).count("theirs") == 1
    assert shelf.load("theirs")[1].name == "theirs"


def test_an_upload_is_kept_under_its_own_name_whatever_that_is() -> None:
    app = open_page("models")
    upload(app, "größtes *Netz* (1) \U0001f457.pt", pickled(stranger("gru").state_dict()))
    press(app, "Keep")
    assert not app.exception
    card = shelf.load("grosstes-Netz-1")[1]
    assert card.label == "größtes *Netz* (1) \U0001f457"
    assert "größtes \\*Netz\\* (1) \U0001f457" in app.success[0].value
    names = list(open_page("models").dataframe[0].value["Model"])
    assert "größtes *Netz* (1) \U0001f457 (grosstes-Netz-1)" in names


def test_a_refused_upload_is_not_opened_again_at_every_click(
    nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, calls = shelf.open, []

    def noted(content: bytes, filename: str, **options: object) -> shelf.Weights:
        calls.append(filename)
        return opened(content, filename, **options)

    monkeypatch.setattr(shelf, "open", noted)
    app = open_page("models")
    upload(app, "theirs.pt", b"no model")
    app.run()
    assert "is not a weights file" in app.error[0].value
    assert calls.count("theirs.pt") == 1


@pytest.mark.parametrize("name", ["x" * 65, "cnn\u200b"])
def test_a_name_that_can_not_be_kept_gets_a_sentence(name: str) -> None:
    app = open_page("models")
    upload(app, "theirs.pt", pickled(stranger("gru").state_dict()))
    app.text_input[0].set_value(name).run()
    press(app, "Keep")
    assert not app.exception
    assert "has 1 to 64 characters" in app.error[0].value or "named cnn already" in texts(app)
    assert not shelf.own_folder().exists()


def test_models_answer_together_and_become_one_that_everybody_finds() -> None:
    app = open_page("models", members=["fcnn", "cnn"])
    alone = [validation_logits(name) for name in ("fcnn", "cnn")]
    labels = splits.load("validation", "drawn").labels
    right = {name: (logits.argmax(1) == labels).mean()
             for name, logits in zip(("fcnn", "cnn", "both"), [*alone, sum(alone)], strict=True)
    }  # fmt: skip
    best = max(("fcnn", "cnn"), key=right.__getitem__)
    said = f"**{right['both']:.2%}** of the validation images right. The best of them alone, {best}"
    assert said in texts(app)
    next(box for box in app.text_input if box.value == "together").set_value("Our two")
    press(app, "Make them one model")
    assert not app.exception
    assert "Our two is among everybody's models now" in texts(app)
    assert app.selectbox(key="model").value == "Our-two"
    card = shelf.load("Our-two").card
    assert (card.label, card.test) == ("Our two", None)  # drawn garments measure nothing
    inside = open_page("inside", model="Our-two")
    assert "is several networks" in inside.info[-1].value
    again = open_page("models", model="Our-two")
    assert "Its members are fcnn, cnn." in texts(again)
    assert "Our-two" not in again.multiselect(key="members").options


def validation_logits(name: str) -> np.ndarray:
    images = splits.load("validation", "drawn").images
    return inference.infer(shelf.load(name).model, images, torch.device("cpu"))


@pytest.mark.slow
@pytest.mark.real_data
def test_an_ensemble_made_on_the_page_is_as_good_as_if_it_had_been_asked() -> None:
    app = open_page("models", members=["fcnn", "cnn"])
    press(app, "Make them one model")
    model, card = shelf.load("together")
    for name, figures in (("validation", card.validation), ("test", card.test)):
        split = splits.load(name, "real")
        logits = inference.infer(model, split.images, torch.device("cpu"))
        assert figures.accuracy == (logits.argmax(1) == split.labels).mean()
    assert card.temperature != 1


@pytest.fixture
def kept() -> Card:
    """A model that somebody kept."""
    return shelf.keep(Weights(MODELS["fcnn-small"].seeded(0), Card("run", "fcnn-small", 0)), "mine")


def test_a_kept_model_is_renamed_and_its_links_stay(kept: Card) -> None:
    app = open_page("models", model="mine")
    assert app.selectbox(key="model").value == "mine"
    app.text_input[-1].set_value("Größer \U0001f457")
    press(app, "Rename")
    assert not app.exception
    assert "called Größer \U0001f457 now" in app.success[0].value
    again = open_page("models", model="mine")
    assert again.selectbox(key="model").value == "mine"
    assert "**Größer \U0001f457 (mine)**" in texts(again)
    again.text_input[-1].set_value("cnn")
    press(again, "Rename")
    assert "weights named cnn already" in again.error[0].value


@pytest.mark.parametrize("link", ["mine", "Größer"], ids=["by its name", "as it is called"])
def test_a_renamed_model_is_offered_as_its_owner_calls_it(kept: Card, link: str) -> None:
    shelf.rename("mine", "Größer")
    for page, key, asked in (
        ("scores", "model", link),
        ("classify", "others", [link]),
        ("compare", "first", link),
        ("hardest", "models", [link]),
        ("errors", "unlike", link),
    ):
        app = open_page(page, **{"model": "softmax", key: asked})
        assert not app.exception
        boxes = [box for box in [*app.selectbox, *app.multiselect] if box.key == key]
        assert [box.value for box in boxes] == [["mine"] if isinstance(asked, list) else "mine"]
        assert "Größer" in boxes[0].options
        assert "mine" not in boxes[0].options


def test_a_link_to_a_model_that_was_removed_leaves_the_page_standing(kept: Card) -> None:
    shelf.remove("mine")
    app = open_page("scores", model="mine")
    assert not app.exception
    assert app.selectbox(key="model").value == DEFAULT


def test_a_shipped_model_is_neither_renamed_nor_removed() -> None:
    app = open_page("models", model="cnn")
    assert not {"Rename", "Remove"} & {button.label for button in app.button}


def test_a_model_is_packed_to_take_home() -> None:
    app = open_page("models", model="fcnn")
    press(app, "Take it home")
    assert not app.exception
    labels = [button.label for button in app.get("download_button")]
    assert any(label.startswith("Save the zip") for label in labels)


def test_an_onnx_upload_is_on_every_page_and_why_says_what_it_can_not() -> None:
    app = open_page("models")
    upload(app, "theirs.onnx", perceptron_graph(stranger("fcnn").state_dict(), end="Softmax"))
    assert "theirs.onnx is an ONNX model. It reads pixels as" in app.success[0].value
    rows = app.dataframe[0].value.set_index("Model")
    assert rows.loc["theirs", "Family"] == "ONNX"
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        if any(box.key == "model" for box in app.selectbox):
            app.selectbox(key="model").select("theirs").run()
        assert not app.exception, page
    app.switch_page("pages/classify.py").run()
    app.button_group(key="way").set_value("Examples").run()
    app.session_state["why"] = True
    app.run()
    assert not app.exception
    said = texts(app)
    assert "Only its answers can be seen" in said
    assert "Covering" in said
    assert "most alike" in said


def table_of(name: str, classes_alone: bool) -> bytes:
    """What a shipped model says of the test images, as .npy."""
    images = splits.load("test", "drawn").images
    said = inference.infer(shelf.load(name)[0], images, torch.device("cpu"))
    content = io.BytesIO()
    np.save(content, said.argmax(1) if classes_alone else said)
    return content.getvalue()


@pytest.mark.parametrize("classes_alone", [False, True])
def test_predictions_alone_are_on_every_page_that_shows_answers_to_test_images(
    classes_alone: bool,
) -> None:
    app = open_page("models")
    upload(app, "theirs.npy", table_of("cnn", classes_alone))
    what = "classes" if classes_alone else "probabilities"
    assert f"theirs.npy is a table of {what}." in app.success[0].value
    row = app.dataframe[0].value.set_index("Model").loc["theirs"]
    assert row["Family"] == "Predictions"
    for page in ("errors", "scores"):
        right = texts(open_page(page, model="cnn")).split(" names ")[1][:6]
        app.switch_page(f"pages/{page}.py").run()
        app.selectbox(key="model").select("theirs").run()
        assert not app.exception
        assert app.button_group(key="on").options == ["test"]
        assert f"**theirs** names {right}" in texts(app)
    assert ("neither curves nor calibration" in texts(app)) is classes_alone
    app.switch_page("pages/compare.py").run()
    app.selectbox(key="first").select("theirs").run()
    app.selectbox(key="second").select("cnn").run()
    assert not app.exception
    assert "Only theirs right" in {metric.label for metric in app.metric}
    app.switch_page("pages/hardest.py").run()
    app.multiselect(key="models").set_value(["theirs", "fcnn"]).run()
    assert not app.exception
    assert app.button_group(key="on").options == ["test"]
    assert ("counts as 100 %" in texts(app)) is classes_alone
    app.switch_page("pages/suspects.py").run()
    assert not app.exception
    assert ("theirs" in app.selectbox(key="model").options) is not classes_alone


def test_predictions_alone_are_not_asked_about_other_pictures() -> None:
    app = open_page("models")
    upload(app, "theirs.npy", table_of("cnn", classes_alone=False))
    app.selectbox(key="model").select("theirs").run()
    assert "no model to take home" in texts(app)
    app.switch_page("pages/errors.py").run()
    for key, value in (("model", "theirs"), ("true", ANY_CLASS), ("predicted", ANY_CLASS)):
        app.selectbox(key=key).select(value).run()
    assert "Predictions don't say why" in texts(app)
    assert "theirs" in list(app.dataframe[-1].value["Model"])
    for page in ("classify", "map"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert "theirs" not in app.selectbox(key="model").options
    app.switch_page("pages/dataset.py").run()
    assert not app.exception
    assert "theirs" not in list(app.dataframe[0].value["Model"])
    app.button_group(key="split").set_value("test").run()
    assert "theirs" in list(app.dataframe[0].value["Model"])


def test_predictions_alone_are_kept_and_removed_as_models_are() -> None:
    app = open_page("models")
    upload(app, "theirs.npy", table_of("cnn", classes_alone=True))
    press(app, "Keep")
    assert not app.exception
    again = open_page("models", model="theirs")
    assert "**theirs**: table of classes" in texts(again)
    assert "Remove" in {button.label for button in again.button}
    shelf.remove("theirs")
    assert [path.name for path in shelf.own_folder().iterdir()] == [shelf.LOCK]


@pytest.mark.parametrize(
    "page",
    ["classify", *(pytest.param(page, marks=pytest.mark.slow) for page in ("errors", "map"))],
)
@pytest.mark.parametrize("most", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_an_onnx_model_that_fails_later_is_left_out_with_a_sentence(
    page: str, most: int, nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that answers no picture any more, and one that still answers them one by one."""
    app = open_page("models")
    graph = perceptron_graph(stranger("fcnn").state_dict(), end="Softmax")
    upload(app, "theirs.onnx", graph)
    answer = OnnxModel._run

    def fail(model: OnnxModel, values: np.ndarray) -> np.ndarray:
        if len(values) > most:
            raise GraphError("fails on a batch of images, so it can't be used.")
        return answer(model, values)

    failures: dict[str, str] = {}
    monkeypatch.setattr(models, "failures", lambda: failures)  # not those of other tests
    monkeypatch.setattr(OnnxModel, "_run", fail)
    app.switch_page(f"pages/{page}.py").run()
    if page == "classify":
        app.button_group(key="way").set_value("Examples").run()
    app.session_state["why"] = True
    if "theirs" in app.selectbox(key="model").options:  # where not every model is asked anyway
        app.selectbox(key="model").select("theirs").run()
    assert not app.exception
    assert app.warning[0].value.startswith("theirs fails on a batch of images")
    assert "theirs" not in app.selectbox(key="model").options
    app.run()
    assert not app.exception
    assert "theirs fails" not in texts(app)


@pytest.mark.slow
@pytest.mark.real_data
def test_an_upload_is_shown_with_its_reading_and_accuracy_on_test() -> None:
    shipped, card = shelf.load("gru")
    tensors = {f"net.{key}": tensor for key, tensor in list(shipped.state_dict().items())[2:]}
    tensors["net.head.bias"] += 0.5  # else it would be known to be the shipped one
    app = open_page("models", first="fcnn", second="cnn")
    upload(app, "theirs.pt", pickled(tensors))
    accuracy = f"{card.test.accuracy * 100:.1f}"
    assert f"It reads pixels as standardised; {accuracy} % on test." in app.success[0].value


@pytest.mark.slow
def test_an_upload_whose_layers_are_guessed_says_so_and_what_would_say_them() -> None:
    app = open_page("models", first="fcnn", second="cnn")
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(676, 10)]
    theirs = nn.Sequential(*layers)
    upload(app, "theirs.pt", pickled(theirs.state_dict()))
    assert "taken for ReLU, max pooling 2" in app.success[0].value
    assert "bring the whole model, or save it as ONNX" in texts(app)
    whole = io.BytesIO()
    torch.save(theirs, whole)
    app = open_page("models", first="fcnn", second="cnn")
    upload(app, "theirs.pt", whole.getvalue())
    assert "taken for" not in app.success[0].value
    assert "save it as ONNX" not in texts(app)


def test_a_weights_file_that_can_not_be_used_gets_a_sentence_and_changes_nothing() -> None:
    app = open_page("models")
    upload(app, "theirs.pt", pickled(stranger("gru").state_dict()))
    before = app.dataframe[0].value
    upload(app, "odd.pt", pickled({"weight": torch.ones(3)}))
    assert not app.exception
    assert app.error[0].value.startswith("odd.pt fits no architecture here")
    assert app.dataframe[0].value.equals(before)


@pytest.mark.parametrize("name", PAGES)
def test_damaged_weights_are_left_out_and_named_on_the_models_page(name: str) -> None:
    card = Card("mine", "fcnn", 0)
    shelf.save(Weights(MODELS["fcnn"].seeded(0), card), shelf.own_folder())
    path = shelf.own_folder() / "mine.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    app = open_page(name)
    assert not app.exception
    assert ("mine.safetensors" in texts(app)) == (name == "models")


def test_the_models_page_shows_an_architecture_layer_by_layer() -> None:
    app = open_page("models")
    app.selectbox(key="architecture").select("cnn").run()
    layers = next(frame.value for frame in app.dataframe if "Kind" in frame.value)
    assert list(layers["Kind"])[:3] == ["Standardize", "Conv2d", "ReLU"]
    assert layers["Parameters"].sum() == 942_026


def test_the_train_page_starts_a_run_with_the_recipe_as_edited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    app = open_page("train")
    app.number_input[0].set_value(7)
    app.run()
    next(button for button in app.button if button.label == "Start training").click().run()
    assert not app.exception
    (run,) = all_runs()
    assert run.plan.recipe.epochs == 7
    assert run.plan.data == "drawn"
    assert run.plan.origin == "the quick recipe"
    assert app.selectbox(key="run").value == run.id


@pytest.mark.parametrize("page", ["train", "build_it", "sweep"])
def test_a_plan_is_still_there_after_a_look_at_another_page(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "seen", lambda work, runs: 100.0)
    app = open_page(page)
    if page == "train":
        app.button_group[0].set_value("Shipped").run()
        next(box for box in app.selectbox if box.label == "Model").select("gru").run()
        next(box for box in app.selectbox if box.label == "Optimizer").select("adamw")
        next(box for box in app.multiselect if box.label == "Augmentation").set_value(["flip"])
    for box in app.number_input:
        if box.label in ("Epochs", "Training images", "Trials"):
            box.set_value(7)
    for box in app.text_input:
        box.set_value("1..3")
    app.run()

    def plan() -> dict[str, object]:
        boxes = [*app.number_input, *app.text_input, *app.selectbox, *app.multiselect]
        return {box.label: box.value for box in boxes}

    before = plan()
    assert 7 in before.values()
    app.switch_page("pages/home.py").run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert plan() == before


def test_the_train_page_offers_teachers_that_know_the_garments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    card = Card("elder", "fcnn", 0, data="drawn")
    shelf.save(Weights(MODELS["fcnn"].seeded(0), card), shelf.own_folder())
    app = open_page("train")
    (teacher,) = (box for box in app.selectbox if box.label == "Learn from")
    assert teacher.options == ["the labels", "elder"]
    teacher.select("elder").run()
    next(button for button in app.button if button.label == "Start training").click().run()
    assert not app.exception
    (run,) = all_runs()
    assert run.plan.recipe.teacher == "elder"


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of three epochs, trained in this process."""
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    recipe = Recipe(epochs=3, batch_size=50)
    run = queue.start(Plan("fcnn", recipe, "drawn", "cpu", limit=300))
    (run.folder / "queued").unlink()
    worker.execute(run)
    return read_run(run.id)


def test_runs_on_the_dataset_are_shown_where_it_is_not_here(finished: Run) -> None:
    waiting = queue.start(replace(finished.plan, limit=100))
    for run in (finished, waiting):
        for name in ("plan.json", "ended.json"):
            if (path := run.folder / name).exists():
                path.write_text(path.read_text().replace('"drawn"', '"real"'))
        assert read_run(run.id).plan.data == "real"
        st.cache_resource.clear()
        app = open_page("train", run=run.id)
        assert not app.exception
        assert app.selectbox(key="run").value == run.id
    assert "FMNIST_DATA" in texts(open_page("train", run=finished.id))


def test_a_finished_run_shows_its_figures_and_goes_back_through_its_epochs(
    finished: Run,
) -> None:
    app = open_page("train")
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Test accuracy"] == f"{finished.card.test.accuracy:.2%}"
    said = finished.predictions()
    labels = splits.load("validation", "drawn").labels
    for epoch in (3, 2):
        app.slider(key=f"epoch {finished.id}").set_value(epoch).run()
        learned = ((said[epoch - 2] != labels) & (said[epoch - 1] == labels)).sum()
        assert f"Learned in epoch {epoch}: {learned}" in texts(app)
    assert not app.exception


def test_before_it_starts_a_plan_says_how_long_it_takes_here(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "seen", lambda work, runs: 100.0)
    app = open_page("train")
    app.number_input[0].set_value(10).run()
    # 300 training images, and 100 to validate on, at 100 a second, ten times
    assert "Trains for about **33 s** on this machine, at 100 images a second;" in texts(app)


@pytest.mark.slow
def test_without_an_earlier_run_the_speed_is_measured_and_kept_for_when_others_train(
    nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("train")
    next(box for box in app.selectbox if box.label == "Model").select("fcnn-small").run()
    assert not app.exception
    assert "images a second;" in texts(app)
    st.cache_resource.clear()
    monkeypatch.setattr(queue, "dispatch", lambda: None)
    queue.start(Plan("gru", Recipe(epochs=1), "drawn", "cpu", limit=300))
    app = open_page("train")
    next(box for box in app.selectbox if box.label == "Model").select("fcnn-small").run()
    assert "images a second;" in texts(app)
    next(box for box in app.selectbox if box.label == "Model").select("lstm").run()
    assert "measured when no training is running" in texts(app)


@pytest.mark.parametrize(
    ("way", "page"), [("Try it on a drawing", "Classify"), ("See its errors", "Errors")]
)
def test_a_finished_run_leads_on_with_its_model_chosen(finished: Run, way: str, page: str) -> None:
    app = open_page("train")
    press(app, way)
    assert not app.exception
    assert app.title[0].value == page
    assert app.selectbox(key="model").value == "my-fcnn"
    assert "my-fcnn" not in {card.name for card in shelf.cards()}


def test_a_kept_run_is_on_every_page_and_a_deleted_one_is_gone(finished: Run) -> None:
    app = open_page("train")
    next(box for box in app.text_input if box.label == "Name").set_value("mine")
    next(button for button in app.button if button.label == "Keep among the models").click()
    app.run()
    assert "among everybody's models as mine" in app.success[0].value
    assert "mine" in {card.name for card in shelf.cards()}
    row = open_page("models").dataframe[0].value.set_index("Model").loc["mine"]
    assert row[["Test accuracy", "Validation"]].isna().all()  # both are on drawn garments
    next(button for button in app.button if button.label == "Keep among the models").click()
    app.run()
    assert "weights named mine already" in app.error[0].value
    next(button for button in app.button if button.label == "Delete for good").click().run()
    assert not app.exception
    assert all_runs() == []


def test_a_run_can_be_run_again_with_changes_and_compared(finished: Run) -> None:
    app = open_page("train")
    app.button_group[0].set_value("Again").run()
    assert app.number_input[0].value == 3
    app.number_input[0].set_value(4).run()
    next(button for button in app.button if button.label == "Start training").click().run()
    # Not by its place in the list: two runs of one second may stand there in either order.
    (newest,) = (run for run in all_runs() if run.id != finished.id)
    assert newest.plan.recipe == replace(finished.plan.recipe, epochs=4)
    assert newest.plan.origin == f"run {finished.id}"
    app.multiselect(key="compared").set_value([finished.id, newest.id]).run()
    assert not app.exception
    assert app.session_state["run"] == newest.id


def test_a_run_deleted_in_another_browser_leaves_again_and_compare_standing(
    finished: Run,
) -> None:
    gone = queue.start(finished.plan)
    (gone.folder / "queued").unlink()
    app = open_page("train")
    app.selectbox(key="run").select(gone.id).run()
    app.multiselect(key="compared").set_value([finished.id, gone.id]).run()
    queue.delete(gone.id)
    app.button_group[0].set_value("Again").run()
    assert not app.exception
    assert app.selectbox(key="run").value == finished.id


def test_a_link_to_a_run_that_is_gone_is_told_and_the_newest_shown(finished: Run) -> None:
    app = open_page("train", run="20200101-000000-cnn-abcdef")
    assert not app.exception
    assert "run \u201c20200101-000000-cnn-abcdef\u201d" in app.toast[0].value
    assert app.selectbox(key="run").value == finished.id
    assert not app.run().toast


def test_a_step_back_leads_to_the_run_that_was_shown_before(finished: Run) -> None:
    newer = queue.start(Plan("fcnn", Recipe(epochs=1), "drawn", "cpu", limit=300))
    app = open_page("train", run=finished.id)
    app.selectbox(key="run").select(newer.id).run()
    assert app.query_params["run"] == newer.id
    app.query_params["run"] = finished.id
    assert app.run().selectbox(key="run").value == finished.id


def test_torch_and_the_first_model_are_frozen_out_of_garbage_collection(
    nothing_known: None,
) -> None:
    gc.unfreeze()
    open_page("classify", way="Examples")
    assert gc.get_freeze_count() > 100_000
    gc.unfreeze()
