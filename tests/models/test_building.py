import math

import pytest
import torch

from fmnist.machine.errors import UserFacingError
from fmnist.models import building
from fmnist.models.building import KINDS, Brick, brick
from fmnist.models.chain import Chain
from fmnist.models.layers import parameter_count
from fmnist.models.residual import Residual

IMAGES = torch.rand(2, 1, 28, 28)


def bricks(*kinds: str, **numbers: int) -> list[Brick]:
    """Bricks of these kinds; numbers replace those that they begin with."""
    made = [brick(kind) for kind in kinds]
    return [{n: numbers.get(n, value) for n, value in each.items()} for each in made]


FITTING = {
    "nothing": [],
    "lenet": bricks("Convolution", "ReLU", "Pool", "Convolution", "ReLU", "Pool", "Dense", "ReLU"),
    "even": bricks("Convolution", "Pool", size=4),
    "strided": bricks("Convolution", "Batch normalisation", "ReLU", "Dropout", stride=2),
    "residual": bricks("Convolution", "Residual", "Residual", "Pool", "Dense"),
    "normalised": bricks("Dense", "Batch normalisation", "ReLU", "Dropout", "Dense"),
    "lstm": bricks("LSTM"),
    "both ways": bricks("GRU", "LSTM", "Dense", ways=2),
    "rows of maps": bricks("Convolution", "ReLU", "Pool", "GRU", "Dense"),
}


@pytest.mark.parametrize("name", FITTING)
def test_what_fits_is_a_chain_whose_shapes_and_numbers_are_as_said(name: str) -> None:
    laid = building.lay(FITTING[name])
    assert not [each.problem for each in laid if each.problem]
    model = Chain(building.chain(FITTING[name])).eval()
    assert model(IMAGES).shape == (2, 10)
    assert parameter_count(model) == sum(each.parameters for each in laid)
    values, modules = model.standardize(IMAGES), iter([*model.body, *model.head])
    for each in laid:
        for _ in each.layers:
            values = next(modules)(values)
        assert values.shape[1:] == each.shape
    assert next(modules, None) is None


def test_a_convolution_keeps_the_edge_and_a_stride_shrinks_it() -> None:
    for size in range(1, 8):
        (first, _) = building.lay(bricks("Convolution", size=size))
        assert first.shape == (16, 28, 28)
    (first, _) = building.lay(bricks("Convolution", stride=2))
    assert first.shape == (16, 14, 14)


def test_a_residual_brick_adds_to_what_came_in() -> None:
    model = Chain(building.chain(bricks("Convolution", "Residual"))).eval()
    block = model.body[1]
    assert isinstance(block, Residual)
    came_in = torch.rand(1, 16, 28, 28)
    assert torch.allclose(block(came_in), came_in + block.found(came_in))


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (("Dense", "Convolution"), "needs maps, and gets 64 values"),
        (("Dense", "LSTM"), "needs rows to read, and gets 64 values"),
        (("Pool", "Pool", "Pool", "Pool", "Pool"), "larger than a map of 1 x 1"),
        (("Dense", "Pool"), "needs maps"),
        (("LSTM", "Residual"), "needs maps"),
    ],
)
def test_what_does_not_fit_is_said_at_its_layer_and_what_follows_waits(
    kinds: tuple[str, ...], words: str
) -> None:
    laid = building.lay(bricks(*kinds, "ReLU"))
    (first, *rest) = [each for each in laid if each.problem]
    assert words in first.problem
    assert first is laid[len(kinds) - 1]
    assert {each.problem for each in rest} == {building.WAITS}
    with pytest.raises(UserFacingError, match=kinds[-1]):
        building.chain(bricks(*kinds))


def test_every_kind_has_numbers_within_their_bounds_and_too_many_layers_are_refused() -> None:
    for kind, options in KINDS.items():
        for name, option in options.items():
            assert option.low <= brick(kind)[name] <= option.high
    with pytest.raises(UserFacingError, match="40 layers"):
        building.chain(bricks(*["ReLU"] * 41))


def test_a_network_that_is_too_large_is_refused() -> None:
    huge = bricks("Convolution", "Dense", channels=256, units=1024)
    assert math.prod((256, 28, 28)) * 1024 > 2**24
    with pytest.raises(UserFacingError, match="more than any network here"):
        building.chain(huge)
