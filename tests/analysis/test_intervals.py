import numpy as np
import pytest

from fmnist.analysis import evaluation, intervals
from fmnist.analysis.evaluation import Evaluation
from fmnist.analysis.intervals import RESAMPLES


@pytest.fixture
def answers() -> Evaluation:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, 1000).astype(np.uint8)
    logits = rng.normal(size=(1000, 10)).astype(np.float32)
    logits[np.arange(1000), labels] += 2
    return Evaluation("random", logits, labels)


def test_class_intervals_are_those_of_drawing_images_one_by_one(answers: Evaluation) -> None:
    rng = np.random.default_rng(7)
    drawn = []
    for _ in range(1000):
        rows = rng.integers(0, 1000, 1000)
        sample = Evaluation("sample", answers.logits[rows], answers.labels[rows])
        drawn.append([row[:3] for row in evaluation.per_class(evaluation.confusion(sample))])
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    ours = np.array(intervals.per_class(evaluation.confusion(answers)))  # class, figure, bound
    assert np.allclose(ours[..., 0], low, atol=0.015)
    assert np.allclose(ours[..., 1], high, atol=0.015)


def test_the_interval_of_the_accuracy_is_near_the_binomials(answers: Evaluation) -> None:
    accuracy = evaluation.accuracy(answers)
    spread = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 1000)
    interval = intervals.accuracy(evaluation.confusion(answers))
    assert interval == pytest.approx((accuracy - spread, accuracy + spread), abs=0.003)


def test_every_resample_has_as_many_images_and_a_cell_its_share() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[2, 2], matrix[2, 6] = 30, 10
    drawn = intervals.resampled(matrix)
    assert drawn.shape == (RESAMPLES, 10, 10)
    assert (drawn.sum((1, 2)) == 40).all()
    assert drawn.mean(0)[2, 6] == pytest.approx(10, abs=0.4)
    assert drawn.var(0)[2, 6] == pytest.approx(40 * 0.25 * 0.75, rel=0.2)


def test_the_same_matrix_has_the_same_intervals_every_time(answers: Evaluation) -> None:
    matrix = evaluation.confusion(answers)
    assert intervals.per_class(matrix) == intervals.per_class(matrix)


def test_a_model_without_an_error_has_no_width() -> None:
    interval = intervals.per_class(np.eye(10, dtype=np.int64) * 100)[0].recall
    assert interval == (1.0, 1.0)
