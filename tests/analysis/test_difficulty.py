import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from fmnist.analysis import difficulty

SURE, EVEN = np.eye(10, dtype=np.float32), np.full(10, 0.1, np.float32)


def test_two_models_disagree_by_their_jensen_shannon_divergence() -> None:
    answers = np.random.default_rng(0).dirichlet(np.ones(10), (2, 50)).astype(np.float32)
    expected = [jensenshannon(*pair, base=2) ** 2 for pair in answers.swapaxes(0, 1)]
    assert difficulty.disagreement(answers) == pytest.approx(expected, abs=1e-6)


def test_models_that_say_the_same_do_not_disagree_however_unsure_they_are() -> None:
    same = np.stack([EVEN, EVEN, EVEN])[:, None]
    assert difficulty.disagreement(same) == pytest.approx([0], abs=1e-6)


def test_models_each_sure_of_another_class_disagree_most() -> None:
    apart = SURE[:4][:, None]
    assert difficulty.disagreement(apart) == pytest.approx([2])  # log2 of four models


def test_doubt_is_what_the_true_class_does_not_get_on_average() -> None:
    answers = np.random.default_rng(1).dirichlet(np.ones(10), (3, 30)).astype(np.float32)
    labels = np.arange(30, dtype=np.uint8) % 10
    expected = [1 - np.mean([a[row, label] for a in answers]) for row, label in enumerate(labels)]
    assert difficulty.doubt(answers, labels) == pytest.approx(expected)


def test_the_hardest_comes_first_and_equals_go_by_doubt() -> None:
    scores, doubt = np.array([1, 3, 1, 0]), np.array([0.2, 0.1, 0.9, 0.99])
    assert difficulty.hardest_first(scores, doubt).tolist() == [1, 2, 0, 3]


def test_wrong_models_are_counted_image_by_image() -> None:
    answers = np.stack([SURE[[0, 1, 2]], SURE[[0, 5, 5]], SURE[[0, 1, 6]]])
    labels = np.array([0, 1, 9], np.uint8)
    assert difficulty.wrong_models(answers, labels).tolist() == [0, 1, 3]
