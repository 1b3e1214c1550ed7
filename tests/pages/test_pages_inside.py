"""The page that looks inside models, and the one that breaks them."""

import base64

import numpy as np
import pytest
import torch
from opening import open_page, texts
from shipped import put_beside
from strangers import perceptron_graph, stranger
from streamlit.testing.v1 import AppTest

from fmnist.analysis import attacks, robustness
from fmnist.data import splits
from fmnist.data.splits import CLASSES
from fmnist.models import inference
from fmnist.pictures.encode import png
from fmnist.weights import shelf

CPU = torch.device("cpu")


def with_graph(name: str) -> AppTest:
    """A page of a visitor who brought an ONNX graph, with it chosen."""
    app = open_page("home")
    weights = shelf.open(perceptron_graph(stranger("fcnn").state_dict()), "graph.onnx")
    app.session_state["models brought"] = {weights.card.name: weights}
    app.query_params["model"] = weights.card.name
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    return app


@pytest.mark.parametrize("model", ["cnn", "fcnn", "everyday"])
def test_a_network_without_recurrence_has_layers_and_no_rows(model: str) -> None:
    app = open_page("inside", model=model)
    assert not app.exception
    assert "Row by row" not in [header.value for header in app.header]


def test_a_recurrent_network_is_read_row_by_row() -> None:
    app = open_page("inside", model="gru")
    assert not app.exception
    assert "Row by row" in [header.value for header in app.header]
    image = splits.load("test", "drawn").images[:1]
    said = CLASSES[inference.infer(shelf.load("gru").model, image, CPU)[0].argmax()]
    assert (
        f"Read from the top, it {'says' if 'from the first' in texts(app) else 'still'}"
        in texts(app)
    )
    assert said in texts(app)


def test_of_a_model_that_shows_only_answers_the_inside_is_a_sentence() -> None:
    app = with_graph("inside")
    assert "only the answers can be seen" in app.info[-1].value


def test_the_inside_of_an_unknown_layer_is_the_usual_one_and_the_link_forgets_it() -> None:
    app = open_page("inside", model="cnn", layer="body.99", map="3")
    assert not app.exception
    assert "layer" not in app.query_params
    app = open_page("inside", model="cnn", layer="body.3", map="999")
    assert not app.exception
    assert app.query_params["layer"] == "body.3"


def test_an_empty_canvas_has_no_maps_and_a_drawing_has() -> None:
    app = open_page("inside", model="cnn", start="Empty canvas")
    assert "Draw a garment, and its maps stand here." in texts(app)
    drawn = np.zeros((280, 280), np.uint8)
    drawn[60:220, 90:190] = 220
    sent = {"strokes": [], "picture": base64.b64encode(png(drawn)).decode()}
    app = open_page("home")
    app.session_state["kept drawings"] = {"canvas Your drawing": sent}
    app.query_params["start"] = "Empty canvas"
    app.query_params["model"] = "cnn"
    app.switch_page("pages/inside.py").run()
    assert not app.exception
    assert "Draw a garment, and its maps stand here." not in texts(app)


# Break it


def test_a_slider_changes_the_garment_and_says_nothing_of_gradients() -> None:
    app = open_page("break_it", model="cnn", other="fcnn")
    assert not app.exception
    assert "Move a slider" in texts(app)
    before = texts(app)
    assert "says" not in before  # nothing has been done to it yet
    app.slider(key="contrast").set_value(100).run()
    assert not app.exception
    assert "**cnn s" in texts(app)
    assert "fcnn s" in texts(app)
    assert texts(app) != before


@pytest.mark.parametrize("way", ["FGSM", "PGD"])
def test_an_attack_says_how_far_pixels_move_and_whether_another_model_falls(way: str) -> None:
    app = open_page("break_it", model="cnn", other="fcnn", attack=way, strength="9")
    assert not app.exception
    assert "more than 9 of 255 grey levels, by the gradient of cnn" in texts(app)
    assert "fcnn still says" in texts(app) or "fcnn said" in texts(app)
    assert "**cnn still says" in texts(app) or "**cnn said" in texts(app)


def test_an_attack_towards_what_it_says_already_is_told() -> None:
    image = splits.load("test", "drawn").images[:1]
    said = CLASSES[inference.infer(shelf.load("fcnn").model, image, CPU)[0].argmax()]
    app = open_page("break_it", model="fcnn", other="cnn", attack="FGSM", towards=said)
    assert not app.exception
    assert f"It says {said} already" in texts(app)


def test_a_model_that_shows_only_answers_is_searched_by_pixels() -> None:
    app = with_graph("break_it")
    assert "there is no gradient" in texts(app)
    assert app.button_group(key="attack").options == ["Sliders", "A few pixels"]
    app.button_group(key="attack").set_value("A few pixels").run()
    assert not app.exception
    assert "pixels are changed, by asking" in texts(app)


def test_curves_of_two_models_begin_at_their_accuracy() -> None:
    app = open_page("break_it", model="cnn", other="fcnn", curves="true", curve="FGSM")
    assert not app.exception
    assert "Of 100 test garments" in texts(app)
    test = splits.load("test", "drawn")
    model = shelf.load("cnn").model
    right = (inference.infer(model, test.images, CPU).argmax(1) == test.labels).sum()
    counted = robustness.curve(model, test.images, test.labels, "fgsm", lambda done: None)
    assert counted[0] == right
    app.selectbox(key="curve").select("Blur").run()
    assert not app.exception


@pytest.mark.slow
def test_the_table_says_how_often_attacks_succeed_by_ones_own_gradient_and_by_anothers() -> None:
    app = open_page("break_it", model="fcnn", other="gru", success="true")
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["Attack"]) == ["white-box", "black-box", "black-box", "white-box"]
    test, model = splits.load("test", "drawn"), shelf.load("fcnn").model
    named = inference.infer(model, test.images, CPU).argmax(1) == test.labels
    images, labels = test.images[named], test.labels[named]
    moved = attacks.pgd(model, images, labels, 8, steps=robustness.STEPS)
    otherwise = (inference.infer(model, moved, CPU).argmax(1) != labels).mean()
    assert table["Named otherwise"][0].startswith(f"{otherwise:.1%} (")
    assert table["Garments"][0] == named.sum()


def test_the_table_is_first_of_a_network_before_and_after_adversarial_training() -> None:
    pair = [shelf.BEFORE, shelf.ADVERSARIAL]
    for name in pair:
        put_beside(name, shelf.own_folder())
    app = open_page("break_it", model="fcnn", other="No other", success="true")
    assert not app.exception
    assert list(app.dataframe[0].value["Attacked"]) == [name for name in pair for _by in pair]
    app.button_group(key="attacked").set_value("The models above").run()
    assert not app.exception
    assert list(app.dataframe[0].value["Attacked"]) == ["fcnn"]
