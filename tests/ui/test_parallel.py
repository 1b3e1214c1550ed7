"""Where lines pass the axes of parallel coordinates, and which of them a brush leaves."""

import numpy as np
import pytest

from fmnist.ui.components import parallel
from fmnist.ui.components.parallel import Axis


def test_a_value_is_as_far_along_as_its_share_of_the_range_or_of_its_logarithm() -> None:
    values = [1e-4, 1e-3, 2e-3, 1e-2]
    assert Axis("lr", values, low=1e-4, high=1e-2, log=True).places() == pytest.approx(
        np.interp(np.log10(values), [-4, -2], [0, 1])
    )
    assert Axis("lr", values, low=0.0, high=0.02).places() == pytest.approx([0.005, 0.05, 0.1, 0.5])
    assert Axis("batch", [64, 16], kinds=(16, 64)).places() == [0.75, 0.25]
    assert Axis("accuracy", [0.9, 0.9], low=0.9, high=0.9).places() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("axis", "texts"),
    [
        (Axis("lr", (), low=1e-4, high=3e-2, log=True), ["0.0001", "0.001", "0.01", "0.03"]),
        (Axis("epochs", (), low=1, high=6, form="d"), ["1", "2", "3", "4", "5", "6"]),
        (Axis("epochs", (), low=3, high=20, form="d"), ["3", "7", "11", "15", "19", "20"]),
        (Axis("accuracy", (), low=0.5, high=0.9, form=".0%"), ["50%", "60%", "70%", "80%", "90%"]),
        (Axis("accuracy", (), low=0.5, high=0.5, form=".0%"), ["50%"]),
        (Axis("augment", (), kinds=("", "flip")), ["", "flip"]),
    ],
)
def test_an_axis_is_written_at_both_ends_and_in_between(axis: Axis, texts: list[str]) -> None:
    places, found = zip(*axis.ticks(), strict=True)
    assert list(found) == texts
    assert list(places) == sorted(places)
    if not axis.kinds and len(places) > 1:
        assert (places[0], places[-1]) == pytest.approx((0, 1))


def test_a_brush_leaves_the_lines_that_pass_through_every_part() -> None:
    axes = [Axis("a", [0.0, 0.5, 1.0]), Axis("b", [0.0, 1.0, 1.0])]
    assert parallel.passing(axes, {}) == [True, True, True]
    assert parallel.passing(axes, {0: (0.5, 1.0)}) == [False, True, True]
    assert parallel.passing(axes, {0: (0.0, 0.5), 1: (0.9, 1.0)}) == [False, True, False]


@pytest.mark.parametrize(
    ("word", "brushed"),
    [
        ([[1, 0.2, 0.4]], {1: (0.2, 0.4)}),
        ([[2, 0.2, 0.4], [0, 0, 1], "x", [0, 1], [1, "a", 2], [True, 0, 0.5]], {0: (0.0, 1.0)}),
        ("brush", {}),
        (None, {}),
    ],
)
def test_the_browsers_word_counts_as_far_as_it_is_one(word: object, brushed: dict) -> None:
    assert parallel._brushed(word, axes=2) == brushed
    assert parallel.taken(7, [3, 7]) == 7
    assert [parallel.taken(wrong, [3, 7]) for wrong in (4, "7", None, True)] == [None] * 4
