from math import comb

import numpy as np
import pytest
from scipy import stats

from fmnist.analysis import comparison
from fmnist.analysis.comparison import McNemar
from fmnist.analysis.evaluation import count_cells

RNG = np.random.default_rng(1)
LABELS = RNG.integers(0, 10, 600).astype(np.uint8)
FIRST = np.where(RNG.random(600) < 0.8, LABELS, RNG.integers(0, 10, 600)).astype(np.uint8)
SECOND = np.where(RNG.random(600) < 0.7, FIRST, RNG.integers(0, 10, 600)).astype(np.uint8)


def test_the_difference_of_a_cell_is_what_came_minus_what_left() -> None:
    difference = comparison.difference(FIRST, SECOND, LABELS)
    expected = count_cells(LABELS, SECOND) - count_cells(LABELS, FIRST)
    assert (difference == expected).all()
    for true, said in np.ndindex(10, 10):
        came, left = comparison.moved(FIRST, SECOND, LABELS, true, said)
        assert difference[true, said] == len(came) - len(left)
        for row in came:
            assert (LABELS[row], SECOND[row]) == (true, said) != (LABELS[row], FIRST[row])
        for row in left:
            assert (LABELS[row], FIRST[row]) == (true, said) != (LABELS[row], SECOND[row])


def test_no_image_appears_or_vanishes() -> None:
    assert (comparison.difference(FIRST, SECOND, LABELS).sum(1) == 0).all()


def test_moves_count_as_a_loop_does_and_the_most_frequent_comes_first() -> None:
    counts: dict[tuple[int, int, int], int] = {}
    for way in zip(LABELS.tolist(), FIRST.tolist(), SECOND.tolist(), strict=True):
        if way[1] != way[2]:
            counts[way] = counts.get(way, 0) + 1
    moves = comparison.moves(FIRST, SECOND, LABELS)
    assert {move[:3]: move.images for move in moves} == counts
    assert [move.images for move in moves] == sorted(counts.values(), reverse=True)
    assert comparison.moves(FIRST, FIRST, LABELS) == []


def answers(only_first: int, only_second: int, both: int = 50) -> McNemar:
    """McNemar's test on answers that differ in these numbers of images."""
    n = only_first + only_second + both
    labels = np.zeros(n, np.uint8)
    first = np.array([0] * only_first + [1] * only_second + [0] * both, np.uint8)
    second = np.array([1] * only_first + [0] * only_second + [0] * both, np.uint8)
    return comparison.mcnemar(first, second, labels)


@pytest.mark.parametrize("counts", [(1, 0), (6, 1), (3, 9), (7, 7), (20, 4)])
def test_few_discordant_images_have_the_p_value_of_coins_tossed_by_hand(
    counts: tuple[int, int],
) -> None:
    n, extreme = sum(counts), max(counts)
    tail = sum(comb(n, k) for k in range(extreme, n + 1)) / 2**n
    found = answers(*counts)
    assert found[:2] == counts
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))


@pytest.mark.parametrize("counts", [(312, 250), (500, 520), (700, 610)])
def test_many_discordant_images_have_the_p_value_of_the_chi_squared_test(
    counts: tuple[int, int],
) -> None:
    b, c = counts
    statistic = (abs(b - c) - 1) ** 2 / (b + c)  # with the continuity correction
    assert answers(b, c).p_value == pytest.approx(stats.chi2.sf(statistic, 1), rel=0.03)


def test_the_test_does_not_depend_on_the_order_nor_on_what_both_know() -> None:
    assert answers(30, 10).p_value == answers(10, 30).p_value
    assert answers(30, 10).p_value == answers(30, 10, both=5000).p_value


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (McNemar(312, 250, 0.0101), "Of 10,000 images, 312 only A gets right and 250 only B."),
        (McNemar(312, 250, 0.0101), "would come once in 100: A is better"),
        (McNemar(250, 312, 0.0021), "would come 21 times in 10,000: B is better"),
        (McNemar(5, 90, 1e-20), "less than once in 10,000 times: B is better"),
        (McNemar(9, 12, 0.66), "66 times in 100: this could well be chance"),
        (McNemar(7, 7, 1.0), "would come 100 times in 100: this could well be chance"),
        (McNemar(0, 0, 1.0), "A and B name the very same ones right"),
    ],
)
def test_the_test_is_said_in_words(test: McNemar, said: str) -> None:
    assert said in comparison.in_words(test, "A", "B", 10_000)
