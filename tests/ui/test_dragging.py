from typing import Any

import pytest

from fmnist.ui.components import order, patch


@pytest.mark.parametrize("word", [None, 3, [3], [3, 28], [-1, 3], ["3", 4], [3, True], [3.0, 4]])
def test_a_corner_out_of_the_frame_or_of_no_numbers_is_none(word: Any) -> None:
    assert patch.taken(word) is None
    assert patch.taken([0, 27]) == (0, 27)


@pytest.mark.parametrize("word", [None, "12", [1], [1, 1], [1, 2, 3], ["1", "2"], [True, 2]])
def test_an_order_of_other_things_is_none(word: Any) -> None:
    assert order.taken(word, {1, 2}) is None
    assert order.taken([2, 1], {1, 2}) == [2, 1]
