"""Two lists of answers to the same images: what moved, and whether it could be chance.

All of it needs predictions only, so that epochs of a run, which keep no logits, compare as models
do. "First" and "second" are the two sides, in that order.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fmnist.analysis.evaluation import count_cells
from fmnist.data.splits import CLASSES
from fmnist.words import Words

Predictions = NDArray[np.uint8]
Rows = NDArray[np.int64]
SIGNIFICANT = 0.05


class Move(NamedTuple):
    """Images of one class to which the two sides gave different answers."""

    true: int
    first: int
    second: int
    images: int


class McNemar(NamedTuple):
    """Images that only one side names right, and how likely so uneven a split is by chance."""

    only_first: int
    only_second: int
    p_value: float


def difference(first: Predictions, second: Predictions, labels: Predictions) -> Rows:
    """How many more images the second has than the first in each confusion cell, (10, 10)."""
    return count_cells(labels, second) - count_cells(labels, first)


def moved(
    first: Predictions, second: Predictions, labels: Predictions, true: int, predicted: int
) -> tuple[Rows, Rows]:
    """Rows that came into a confusion cell from the first side to the second, and that left it.

    Their numbers differ by the cell's `difference`.
    """
    before = (labels == true) & (first == predicted)
    after = (labels == true) & (second == predicted)
    return np.flatnonzero(after & ~before), np.flatnonzero(before & ~after)


def moves(first: Predictions, second: Predictions, labels: Predictions) -> list[Move]:
    """Every pair of differing answers to a class, the most frequent first."""
    count = len(CLASSES)
    differ = first != second
    ways = (labels.astype(np.int64) * count + first) * count + second
    found, images = np.unique(ways[differ], return_counts=True)
    order = np.argsort(-images, kind="stable")
    return [
        Move(way // count**2, way // count % count, way % count, number)
        for way, number in zip(found[order].tolist(), images[order].tolist(), strict=True)
    ]


def mcnemar(first: Predictions, second: Predictions, labels: Predictions) -> McNemar:
    """McNemar's test (1947) that both sides are equally often right.

    Exact, a two-sided sign test on the images that only one side names right: at these sizes it
    costs nothing, and the chi-squared approximation is only needed where it does.
    """
    only_first = int(((first == labels) & (second != labels)).sum())
    only_second = int(((first != labels) & (second == labels)).sum())
    discordant = only_first + only_second
    p_value = stats.binomtest(only_first, discordant).pvalue if discordant else 1.0
    return McNemar(only_first, only_second, float(p_value))


def in_words(test: McNemar, first: str, second: str, images: int) -> Words:
    """What McNemar's test found, for people who have not met it."""
    if not test.only_first + test.only_second:
        return Words(
            "Of {images:,} images, {first} and {second} name the very same ones right.",
            images=images,
            first=first,
            second=second,
        )
    counts = Words(
        "Of {images:,} images, {only_first:,} only {first} gets right and {only_second:,} only "
        "{second}.",
        images=images,
        first=first,
        second=second,
        only_first=test.only_first,
        only_second=test.only_second,
    )
    if test.p_value >= SIGNIFICANT:
        return Words(
            "{counts} If both were equally good, a split at least this uneven would come "
            "{how_often}: this could well be chance.",
            counts=counts,
            how_often=_how_often(test.p_value),
        )
    return Words(
        "{counts} If both were equally good, a split at least this uneven would come {how_often}: "
        "{better} is better, and that is hardly chance.",
        counts=counts,
        how_often=_how_often(test.p_value),
        better=first if test.only_first > test.only_second else second,
    )


def _how_often(p_value: float) -> Words:
    if p_value < 0.0001:
        return Words("less than once in 10,000 times")
    of = 100 if p_value >= 0.01 else 10_000
    return Words("once in {of:,}", "{n} times in {of:,}", n=round(p_value * of), of=of)
