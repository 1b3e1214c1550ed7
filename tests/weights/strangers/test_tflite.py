"""Models of TensorFlow Lite against the torch layers that they were written from."""

import sys

import numpy as np
import pytest
import torch
from strangers import normalised
from tflite_files import perceptron
from torch import nn

from fmnist import PROJECT
from fmnist.data import garments, splits
from fmnist.models import inference
from fmnist.models.layers import TRAIN_MEAN, TRAIN_STD
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import formats, tflite

CPU = torch.device("cpu")
IMAGES, LABELS = garments.draw(30, seed=8)


def layers(*units: int) -> list[nn.Linear]:
    torch.manual_seed(0)
    return [nn.Linear(a, b) for a, b in zip((784, *units), (*units, 10), strict=True)]


def said(row: list[nn.Linear], images: np.ndarray = IMAGES) -> np.ndarray:
    """Log-probabilities of layers with ReLU between for pixels of 0 to 1."""
    values = torch.tensor(images).flatten(1) / 255
    with torch.inference_mode():
        for place, layer in enumerate(row):
            values = layer(values.relu() if place else values)
    return values.log_softmax(1).numpy()


def infer(content: bytes) -> np.ndarray:
    model, _ = shelf.open(content, "theirs.tflite")
    return inference.infer(model, IMAGES, CPU)


def refused(content: bytes) -> str:
    with pytest.raises(WeightsError) as caught:
        shelf.open(content, "theirs.tflite")
    assert str(caught.value).startswith("theirs.tflite")
    return str(caught.value)


@pytest.mark.parametrize("shape", [(1, 28, 28, 1), (1, 784), (1, 28, 28), (4, 28, 28, 1)], ids=str)
@pytest.mark.parametrize("softmax", [False, True])
def test_a_model_answers_as_the_layers_it_was_written_from(shape: tuple, softmax: bool) -> None:
    row = layers(20)
    answers = infer(perceptron(row, shape, softmax=softmax))
    assert np.allclose(normalised(answers), said(row), atol=1e-4)


@pytest.mark.parametrize("takes", [(np.uint8, 1 / 255, 0), (np.int8, 1 / 255, -128)], ids=str)
@pytest.mark.parametrize("gives", [None, (np.uint8, 0.05, 128), (np.int8, 0.05, 3)], ids=str)
def test_whole_numbers_go_in_and_come_out_by_their_scale(takes: tuple, gives: tuple | None) -> None:
    row = layers(20)
    answers = infer(perceptron(row, takes=takes, gives=gives))
    assert np.allclose(normalised(answers), said(row), atol=1e-3 if gives is None else 0.06)


def test_a_probability_that_was_rounded_to_zero_costs_no_more_than_half_a_step() -> None:
    row = layers(20)
    with torch.no_grad():
        row[-1].weight *= 30
    answers = normalised(infer(perceptron(row, gives=(np.int8, 1 / 256, -128), softmax=True)))
    assert answers.min() == pytest.approx(np.log(1 / 256 / 2 / 9), abs=0.05)
    assert np.abs(np.exp(answers) - np.exp(said(row))).max() < 2 / 256


def test_a_model_is_kept_and_comes_back() -> None:
    content = perceptron(layers(20), softmax=True)
    weights = shelf.open(content, "theirs.tflite")
    assert weights.card.title == "TensorFlow Lite model"
    card = shelf.keep(weights, "theirs")
    again = shelf.load("theirs")
    assert again.card == card
    assert card.bytes == len(content)
    assert (inference.infer(again.model, IMAGES, CPU) == infer(content)).all()


@pytest.mark.parametrize("reads", ["0..1", "standardised, in a black border"])
def test_pictures_are_made_as_large_as_a_model_wants_them_as_its_reading_says(reads: str) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(1024, 10)
    content = perceptron([layer], (1, 32, 32, 1))
    opened = shelf.open(content, "theirs.tflite", reads)
    pixels = torch.tensor(IMAGES)[:, None] / 255
    if reads == "0..1":
        larger = nn.functional.interpolate(pixels, (32, 32), mode="bilinear")
    else:
        larger = (nn.functional.pad(pixels, (2, 2, 2, 2)) - TRAIN_MEAN) / TRAIN_STD
    with torch.inference_mode():
        expected = layer(larger.flatten(1)).numpy()
    shelf.keep(opened, "theirs")
    for model in (opened.model, shelf.load("theirs").model):
        assert np.allclose(inference.infer(model, IMAGES, CPU), expected, atol=1e-4)


@pytest.mark.real_data
def test_how_a_model_reads_pixels_is_found_out() -> None:
    model, card = shelf.load("softmax")
    (linear,) = (layer for layer in model.modules() if isinstance(layer, nn.Linear))
    with torch.inference_mode():  # it standardises first; this one wants pixels of -1 to 1
        mean, std = float(model.standardize.mean), float(model.standardize.std)
        theirs = nn.Linear(784, 10)
        theirs.weight.copy_(linear.weight * 0.5 / std)
        theirs.bias.copy_(linear.bias + linear.weight.sum(1) * (0.5 - mean) / std)
    opened, found = shelf.open(perceptron([theirs], softmax=True), "theirs.tflite")
    test = splits.load("test", "real")
    right = (inference.infer(opened, test.images, CPU).argmax(1) == test.labels).mean()
    assert found.reads == "-1..1"
    assert right == pytest.approx(card.test.accuracy, abs=5e-4)


def test_without_litert_the_sentence_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    content = perceptron(layers())
    monkeypatch.setattr(formats, "in_quarantine", lambda work, *given: work(*given))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setattr("fmnist.weights.strangers.opening.in_quarantine", formats.in_quarantine)
    assert tflite.INSTALL in refused(content)
    assert (PROJECT / tflite.INSTALL.split()[-1]).is_file()


def test_what_is_no_classifier_of_pictures_is_refused() -> None:
    torch.manual_seed(0)
    assert "10 values" in refused(perceptron([nn.Linear(784, 12)]))
    assert "has an input of 1 x 100" in refused(perceptron([nn.Linear(100, 10)], (1, 100)))
    assert "perhaps its class" in refused(perceptron(layers(), end="ARG_MAX"))
    assert "operations that LiteRT doesn't have" in refused(perceptron(layers(), end="CUSTOM"))
    assert "or it is damaged" in refused(perceptron(layers())[:3000])
