"""What two tabs of one browser changed since they saw the same."""

import pytest

from fmnist.ui.components.memory import merge

BEFORE = {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        (BEFORE, {"b": 2}, {"b": 2}),  # taken back there
        ({"b": 2}, BEFORE, {"b": 2}),  # taken back here
        (BEFORE, {"a": 3, "b": 2}, {"a": 3, "b": 2}),
        ({"a": 4, "b": 2}, {"a": 3, "b": 2}, {"a": 4, "b": 2}),
        (BEFORE | {"c": 5}, BEFORE | {"d": 6}, BEFORE | {"c": 5, "d": 6}),
        ({"a": 4, "b": 2}, {"b": 2}, {"a": 4, "b": 2}),
        ({}, {}, {}),
    ],
)
def test_what_either_changed_counts_and_ones_own_where_both_did(
    mine: dict[str, int], theirs: dict[str, int], both: dict[str, int]
) -> None:
    kept = dict(mine)
    merge(kept, BEFORE, theirs)
    assert kept == both


def test_a_tab_that_has_seen_nothing_so_far_takes_everything_and_keeps_its_own() -> None:
    kept = {"b": 3, "c": 4}
    merge(kept, {}, BEFORE)
    assert kept == {"b": 3, "c": 4, "a": 1}
