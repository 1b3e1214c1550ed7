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

CPU = torch.device("cpu")


def test_an_answer_is_right_when_it_is_among_the_labels_that_count() -> None:
    model = torch.nn.Flatten()  # answers with the brightest of its first ten pixels
    model.forward = lambda images: images.flatten(1)[:, :10]
    images = np.zeros((3, 28, 28), np.uint8)
    images[np.arange(3), 0, [2, 4, 6]] = 255
    assert domain.share_right(model, images, [[2], [0, 4], [1]]) == pytest.approx(2 / 3)


def test_digits_noise_and_blanks_are_pictures_of_28_by_28() -> None:
    for images in (domain.digits(20), domain.noise(20), domain.blanks()):
        assert images.shape[1:] == (28, 28)
        assert images.dtype == np.uint8
    assert (domain.digits(20).max((1, 2)) > 200).all()
    assert (np.ptp(domain.blanks(), axis=(1, 2)) == 0).all()


@cache
def pictures(name: str) -> domain.Domain:
    return domain.load(Path(os.environ["FMNIST_MEASURED"]) / name)


@pytest.fixture(scope="module")
def everyday() -> tuple[torch.nn.Module, Card]:
    return shelf.load("everyday")


@pytest.mark.pictures
@pytest.mark.parametrize(("name", "floor"), [("sketches", 0.70), ("photos", 0.79)])
def test_most_real_pictures_are_named_right(everyday, name: str, floor: float) -> None:
    found = pictures(name)
    assert domain.share_right(everyday[0], found.taken_in, found.right) >= floor


@pytest.mark.pictures
def test_most_of_what_is_no_garment_is_flagged(everyday) -> None:
    other = pictures("photos").none
    strange = np.concatenate([other, domain.digits(100), domain.noise(50), domain.blanks()])
    assert domain.share_flagged(*everyday, strange) >= 0.6


@pytest.mark.real_data
def test_its_confidence_is_calibrated_and_real_garments_are_known_to_it(everyday) -> None:
    model, card = everyday
    test = splits.load("test", "real")
    answers = Evaluation("everyday", inference.infer(model, test.images, CPU), test.labels)
    error = evaluation.expected_calibration_error(answers, temperature=card.temperature)
    assert error <= 0.015
    assert card.unfamiliar(answers.logits).mean() == pytest.approx(0.05, abs=0.015)
    assert evaluation.accuracy(answers) >= 0.93
