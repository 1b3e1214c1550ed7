"""Which images count, and rows in a link."""

import base64
import zlib

import numpy as np
import pytest

from fmnist.analysis import evaluation, selection
from fmnist.analysis.evaluation import Evaluation
from fmnist.analysis.selection import EVERY, Filter
from fmnist.machine.errors import UserFacingError

rng = np.random.default_rng(0)
E = Evaluation("m", (4 * rng.normal(size=(300, 10))).astype(np.float32), rng.integers(0, 10, 300))
SURE = 100 * evaluation.probabilities(E.logits, 2.0).max(1)


def test_without_a_filter_every_image_counts() -> None:
    assert Filter().passes(E, 2.0).all()


def test_confidence_counts_from_the_least_to_below_the_most_and_the_surest_always() -> None:
    assert np.array_equal(Filter((40, 70)).passes(E, 2.0), (SURE >= 40) & (SURE < 70))
    certain = Evaluation("m", np.eye(10, dtype=np.float32) * 1000, np.arange(10))
    assert Filter((90, 100)).passes(certain, 1.0).all()
    assert not Filter((40, 90)).passes(certain, 1.0).any()


def test_filters_count_what_each_of_them_lets_through() -> None:
    otherwise, rows = rng.integers(0, 10, 300), np.arange(0, 300, 3)
    expected = {
        row for row in range(0, 300, 3) if SURE[row] >= 50 and otherwise[row] != E.predictions[row]
    }
    passes = Filter((50, 100), otherwise.astype(np.uint8), rows).passes(E, 2.0)
    assert set(np.flatnonzero(passes)) == expected


def test_the_intervals_hold_every_image_once_and_as_many_as_their_filters_let_through() -> None:
    rows = np.arange(0, 300, 2)
    intervals = selection.by_confidence(E, rows, 2.0)
    assert (intervals[0].low, intervals[-1].high) == EVERY
    assert sum(interval.right + interval.wrong for interval in intervals) == len(rows)
    right = E.predictions == E.labels
    for low, high, rights, wrongs in intervals:
        passes = Filter((low, high), rows=rows).passes(E, 2.0)
        assert (rights, wrongs) == ((passes & right).sum(), (passes & ~right).sum())


@pytest.mark.parametrize("count", [1, 8, 100, 10_000])
def test_rows_go_through_a_link_and_come_back(count: int) -> None:
    for share in (0, 0.01, 0.5, 1):
        rows = np.flatnonzero(rng.random(count) < share)
        text = selection.to_text(rows, count)
        assert np.array_equal(selection.from_text(text, count), rows)
        assert len(text) < 2000


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no rows",
        "\N{GREEK SMALL LETTER ALPHA}",
        "AAAA",
        packed(b"\0" * 12),
        packed(b"\0" * 14),
        packed(b"\0" * 12 + b"\1"),  # a row beyond the last
        packed(b"\0" * 100_000_000),
    ],
)
def test_what_names_no_rows_of_the_split_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UserFacingError, match="not of this split"):
        selection.from_text(text, 100)
