"""Ranges and lists as people write them."""

import pytest

from fmnist.machine.errors import UserFacingError
from fmnist.models.recipe import Recipe
from fmnist.sweeps.space import FIELDS, Dimension


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("epochs", "3..20", Dimension("epochs", low=3, high=20)),
        ("lr", "1e-4..1e-2:log", Dimension("lr", low=1e-4, high=1e-2, log=True)),
        ("batch_size", "128, 256", Dimension("batch_size", (128, 256))),
        ("optimizer", "adamw,muon", Dimension("optimizer", ("adamw", "muon"))),
        ("augment", "flip+shift,flip", Dimension("augment", ("flip+shift", "flip"))),
        ("lr", "0.001", Dimension("lr", (0.001,))),
    ],
)
def test_ranges_and_lists_are_read_as_written(field: str, text: str, expected: Dimension) -> None:
    found = Dimension.parse(field, text)
    assert found == expected
    assert Dimension.from_json(found.to_json()) == expected


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("epochs", "20..3"),
        ("epochs", "1.5..3"),
        ("lr", "0..1e-2:log"),
        ("lr", "1e-4..1e-2:cubic"),
        ("lr", "fast"),
        ("lr", "-1..1"),
        ("optimizer", "sgd"),
        ("augment", "flip+rain"),
    ],
)
def test_what_no_recipe_can_have_is_refused_in_a_sentence(field: str, text: str) -> None:
    with pytest.raises(UserFacingError, match=field):
        Dimension.parse(field, text)


def test_a_value_is_put_where_it_belongs() -> None:
    assert Dimension("augment", ("flip+erase",)).put(Recipe(), "flip+erase").augment == (
        "flip",
        "erase",
    )
    assert Dimension("lr", low=1e-4, high=1e-2).put(Recipe(), 0.003).lr == 0.003
    assert "seed" not in FIELDS
