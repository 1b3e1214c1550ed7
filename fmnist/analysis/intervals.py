"""How far a model's figures could be from what they are: 95 % intervals.

That of the accuracy is in closed form, those of the classes are by the bootstrap (Efron 1979).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fmnist.analysis import evaluation

RESAMPLES, SEED = 1000, 0
LEVEL = 0.95


class Interval(NamedTuple):
    """Bounds that, of such intervals, `LEVEL` hold the figure of all images of this kind."""

    low: float
    high: float


class ClassIntervals(NamedTuple):
    """The intervals of one class's figures."""

    precision: Interval
    recall: Interval
    f1: Interval


def accuracy(matrix: NDArray[np.int64]) -> Interval:
    """The interval of the accuracy that a confusion matrix (10, 10) gives."""
    return share(int(matrix.trace()), int(matrix.sum()))


def share(count: int, total: int) -> Interval:
    """The interval of the share that a count has of a total (Wilson 1927)."""
    found = stats.binomtest(count, total).proportion_ci(LEVEL, "wilson")
    return Interval(float(found.low), float(found.high))


def per_class(matrix: NDArray[np.int64]) -> list[ClassIntervals]:
    """The intervals of each class's figures from a confusion matrix (10, 10)."""
    bounds = [_bounds(ratio).T for ratio in evaluation.ratios(resampled(matrix))]
    return [
        ClassIntervals(*(Interval(*figure[label].tolist()) for figure in bounds))
        for label in range(len(matrix))
    ]


def resampled(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """The confusion matrices int64 (RESAMPLES, 10, 10) of as many images, drawn anew.

    An image counts only through its cell, so drawing N images with replacement is drawing the
    counts of the cells from a multinomial: the same bootstrap without touching an image.
    """
    images = int(matrix.sum())
    frequencies = matrix.ravel() / images
    counts = np.random.default_rng(SEED).multinomial(images, frequencies, RESAMPLES)
    return counts.reshape(RESAMPLES, *matrix.shape)


def _bounds(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower and upper bound over the resamples (first axis): the percentile interval."""
    beyond = (1 - LEVEL) / 2
    bounds: NDArray[np.float64] = np.quantile(figures, [beyond, 1 - beyond], axis=0)
    return bounds
