import numpy as np
import pytest
import torch

from fmnist.analysis import attacks, robustness
from fmnist.analysis.robustness import ATTACKS, DISTORTIONS
from fmnist.data import garments
from fmnist.models.inference import infer
from fmnist.models.layers import Classifier
from fmnist.weights import shelf

CPU = torch.device("cpu")
IMAGES, LABELS = garments.draw(60, seed=5)
RNG = np.random.default_rng


@pytest.fixture(scope="module")
def cnn() -> Classifier:
    return shelf.load("cnn").model


@pytest.fixture(scope="module")
def fcnn() -> Classifier:
    return shelf.load("fcnn-small").model


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_no_strength_spoils_nothing_and_more_spoils_more(kind: str) -> None:
    way = DISTORTIONS[kind]
    spoiled = [way.spoil(IMAGES, strength, RNG(0)) for strength in way.strengths]
    assert (spoiled[0] == IMAGES).all()
    for images in spoiled:
        assert images.dtype == np.uint8
        assert images.shape == IMAGES.shape
    moved = [np.abs(attacks.changes(IMAGES, images)).mean() for images in spoiled]
    assert moved == sorted(moved)
    assert list(way.strengths) == sorted(set(way.strengths))


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    grey = np.full((50, 28, 28), 128, np.uint8)
    assert robustness.noise(grey, 20, RNG(0)).std() == pytest.approx(20, rel=0.02)


def test_a_shift_moves_the_centre_of_a_garment_by_so_many_pixels() -> None:
    dot = np.zeros((20, 28, 28), np.uint8)
    dot[:, 13:15, 13:15] = 200
    moved = robustness.shift(dot, 5, RNG(0)).astype(float)
    rows, columns = np.mgrid[:28, :28]
    for image in moved:
        down, across = (np.average(axis, weights=image) - 13.5 for axis in (rows, columns))
        assert np.hypot(down, across) == pytest.approx(5, abs=0.15)


def test_a_quarter_turn_is_numpys() -> None:
    turned = robustness.turn(IMAGES, 90, RNG(0))
    for before, after in zip(IMAGES, turned, strict=True):
        assert any((np.rot90(before, way) == after).all() for way in (1, -1))


def test_all_contrast_lost_is_an_even_grey_and_a_patch_is_grey() -> None:
    assert (robustness.contrast(IMAGES, 100, RNG(0)) == robustness.GREY).all()
    covered = robustness.patch(np.zeros_like(IMAGES), 8, RNG(0))
    assert ((covered == robustness.GREY).sum((1, 2)) == 64).all()


@pytest.mark.parametrize("kind", ["noise", "fgsm", "pgd"])
def test_a_curve_begins_at_the_accuracy_and_is_what_infer_says_at_each_strength(
    kind: str, fcnn: Classifier
) -> None:
    told: list[float] = []
    right = robustness.curve(fcnn, IMAGES, LABELS, kind, told.append)
    assert right[0] == (infer(fcnn, IMAGES, CPU).argmax(1) == LABELS).sum()
    assert told == sorted(told)
    assert told[-1] == 1
    strength = robustness.strengths(kind)[3]
    spoiled = {
        "noise": lambda: robustness.noise(IMAGES, strength, RNG(robustness.SEED)),
        "fgsm": lambda: attacks.fgsm(fcnn, IMAGES, LABELS, int(strength)),
        "pgd": lambda: attacks.pgd(fcnn, IMAGES, LABELS, int(strength), steps=robustness.STEPS),
    }[kind]()
    assert right[3] == (infer(fcnn, spoiled, CPU).argmax(1) == LABELS).sum()
    assert right[-1] < right[0]
    assert len(right) == len(robustness.strengths(kind))


def test_attacks_succeed_by_their_own_gradient_more_than_by_anothers(
    cnn: Classifier, fcnn: Classifier
) -> None:
    named = infer(cnn, IMAGES, CPU).argmax(1) == LABELS
    images, labels = IMAGES[named], LABELS[named]
    white = robustness.Success(*robustness.success(cnn, cnn, images, labels, 8, lambda _: 0))
    black = robustness.Success(*robustness.success(cnn, fcnn, images, labels, 8, lambda _: 0))
    assert white.n == black.n == named.sum()
    assert white.untargeted > black.untargeted
    assert white.untargeted >= white.targeted
    moved = attacks.pgd(cnn, images, labels, 8, steps=robustness.STEPS)
    assert white.untargeted == (infer(cnn, moved, CPU).argmax(1) != labels).sum()


def test_a_sample_is_spread_over_all_rows_and_is_all_of_few() -> None:
    rows = robustness.sample(10_000)
    assert len(rows) == robustness.IMAGES
    assert (rows[0], rows[-1]) == (0, 9999)
    assert list(robustness.sample(30)) == list(range(30))


def test_every_attack_has_strengths_that_begin_with_none() -> None:
    for _, strengths in ATTACKS.values():
        assert strengths[0] == 0
        assert all(strength == int(strength) for strength in strengths)
