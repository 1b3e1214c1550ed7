"""What the shipped weights make of real sketches and photos; FMNIST_MEASURED holds both folders."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import domain
from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import Weights

CPU = torch.device("cpu")


def test_an_answer_is_right_when_it_is_among_the_labels_that_count() -> None:
    logits = np.eye(10, dtype=np.float32)[[2, 4, 6]]
    assert domain.rights(logits, [[2], [0, 4], [1]]).tolist() == [True, True, False]


def test_digits_noise_and_blanks_are_pictures_of_28_by_28() -> None:
    for images in (domain.digits(20), domain.noise(20), domain.blanks()):
        assert images.shape[1:] == (28, 28)
        assert images.dtype == np.uint8
    assert (domain.digits(20).max((1, 2)) > 200).all()
    assert (np.ptp(domain.blanks(), axis=(1, 2)) == 0).all()


def test_a_share_comes_with_its_interval() -> None:
    assert domain.share(np.repeat([True, False], [81, 19])) == "81.0% (72.2 to 87.5)"
    assert domain.share(np.zeros(0, bool)) == "-"


def test_a_line_of_the_table_tells_counts_rights_calibration_and_warnings() -> None:
    model = torch.nn.Flatten()
    model.forward = lambda images: 20 * images.flatten(1)[:, :10]
    images = np.zeros((20, 28, 28), np.uint8)
    images[np.arange(20), 0, np.arange(20) % 10] = 255
    right = [[label % 10, 3] for label in range(20)]
    weights = Weights(model, Card("sure", "fcnn", 0, energy_limit=-10.0))
    cells = domain.row(weights, "photos", domain.Domain(images, right, images[:4] // 9))
    assert cells[0] == "photos (20)"
    assert cells[1].startswith("100.0% (")
    assert cells[2] == "-"
    assert cells[3] == "0.0% (0.0%)"
    assert cells[4].startswith("0.0% (")
    assert cells[5].startswith("100.0% (")
    assert cells[5].endswith("(4)")


@cache
def pictures(name: str, every: int) -> domain.Domain:
    return domain.load(Path(os.environ["FMNIST_MEASURED"]) / name, every)


@pytest.fixture(scope="module")
def everyday() -> tuple[torch.nn.Module, Card]:
    return shelf.load("everyday")


@pytest.mark.pictures
@pytest.mark.parametrize(
    ("name", "every", "floor"),
    [("sketches", 1, 0.9), pytest.param("photos", 3, 0.87, marks=pytest.mark.slow)],
)
def test_most_real_pictures_are_named_right(everyday, name: str, every: int, floor: float) -> None:
    found = pictures(name, every)
    logits = inference.infer(everyday[0], found.taken_in, CPU)
    assert domain.rights(logits, found.right).mean() >= floor


@pytest.mark.slow
@pytest.mark.pictures
def test_most_of_what_is_no_garment_is_flagged(everyday) -> None:
    other = pictures("photos", 3).none
    strange = np.concatenate([other, domain.digits(100), domain.noise(50), domain.blanks()])
    model, card = everyday
    assert domain.doubted(card, inference.infer(model, strange, CPU), None).mean() >= 0.6


@pytest.mark.slow
@pytest.mark.real_data
def test_its_confidence_is_calibrated_and_real_garments_are_known_to_it(everyday) -> None:
    model, card = everyday
    test = splits.load("test", "real")
    answers = Evaluation("everyday", inference.infer(model, test.images, CPU), test.labels)
    error = evaluation.expected_calibration_error(answers, temperature=card.temperature)
    assert error <= 0.015
    doubted, right = domain.doubted(card, answers.logits, None), answers.predictions == test.labels
    assert doubted.mean() < 0.05
    assert 0.3 < right[doubted].mean() < 0.7 < 0.93 < right[~doubted].mean()
    assert evaluation.accuracy(answers) >= 0.93
