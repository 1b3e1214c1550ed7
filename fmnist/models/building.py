"""Building a network brick by brick: what people choose, and the chain of layers that it makes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from fmnist.machine.errors import UserFacingError
from fmnist.models.chain import Layer, built, handed_on, work
from fmnist.models.layers import SIDE, parameter_count
from fmnist.words import Words

Brick = dict[str, Any]
"""What people choose, as JSON: its `kind`, a key of `KINDS`, and a number for each option."""
Shape = tuple[int, ...]
MOST = 40
"""Bricks that one network may have."""
WAITS = Words("It waits for the layer before it.")
"""What stands at each brick after one that does not fit."""


class Option(NamedTuple):
    """A number that a brick has: the least, the most, and what it begins with."""

    low: int
    high: int
    start: int


KINDS: Mapping[str, Mapping[str, Option]] = MappingProxyType(
    {
        Words("Convolution"): {
            "channels": Option(1, 256, 16), "size": Option(1, 7, 3), "stride": Option(1, 3, 1)
        },
        Words("Pool"): {"size": Option(2, 4, 2)},
        Words("Batch normalisation"): {},
        Words("ReLU"): {},
        Words("Residual"): {},
        Words("Dense"): {"units": Option(1, 1024, 64)},
        Words("Dropout"): {"percent": Option(0, 90, 20)},
        Words("LSTM"): {"units": Option(1, 256, 64), "ways": Option(1, 2, 1)},
        Words("GRU"): {"units": Option(1, 256, 64), "ways": Option(1, 2, 1)},
    }
)  # fmt: skip
READERS = ("LSTM", "GRU")


@dataclass(frozen=True)
class Laid:
    """A brick in its place: its layers, the shape that it hands on, or what does not fit.

    The shape is that of one image, (C, H, W), (T, D) or (D,); without one, what follows waits.
    """

    brick: Brick
    layers: tuple[Layer, ...]
    shape: Shape | None
    parameters: int
    problem: Words | None = None


def brick(kind: str) -> Brick:
    """A brick of that kind with the numbers that it begins with."""
    return {"kind": kind, **{name: option.start for name, option in KINDS[kind].items()}}


def lay(bricks: Sequence[Brick]) -> list[Laid]:
    """Each brick in its place, and at the end the layer that gives the ten answers."""
    shape: Shape | None = (1, SIDE, SIDE)
    laid = []
    for place, each in enumerate(bricks):
        read_on = place + 1 < len(bricks) and bricks[place + 1]["kind"] in READERS
        laid.append(_place(each, shape, read_on))
        shape = laid[-1].shape
    return [*laid, _place({"kind": "Dense", "units": 10}, shape, False)]


def chain(bricks: Sequence[Brick]) -> list[Layer]:
    """The layers of a chain; raises UserFacingError, by the first problem, for what makes none."""
    if len(bricks) > MOST:
        raise UserFacingError(
            "A network may have {most} layers, and this has {count}.", most=MOST, count=len(bricks)
        )
    laid = lay(bricks)
    for each in laid:
        if each.problem:
            kind = Words(each.brick["kind"])
            raise UserFacingError("{kind}: {problem}", kind=kind, problem=each.problem)
    layers = [layer for each in laid for layer in each.layers]
    try:
        work(layers)
    except ValueError:
        raise UserFacingError("It takes more than any network here; make it smaller.") from None
    return layers


def _place(brick: Brick, shape: Shape | None, read_on: bool) -> Laid:
    if shape is None:
        return Laid(brick, (), None, 0, WAITS)
    try:
        layers = _layers(brick, shape, read_on)
        after: Shape = (1, *shape)
        for layer in layers:
            after = handed_on(layer, after)
    except UserFacingError as error:
        return Laid(brick, (), None, 0, error.words)
    except ValueError:
        problem = Words("It can't take {given}.", given=words(shape))
        return Laid(brick, (), None, 0, problem)
    count = sum(parameter_count(built(layer)) for layer in layers)
    return Laid(brick, tuple(layers), after[1:], count)


def _layers(brick: Brick, shape: Shape, read_on: bool) -> list[Layer]:
    """The layers of a chain that a brick stands for; raises UserFacingError if it can't stand."""
    kind = brick["kind"]
    if kind in ("Convolution", "Pool", "Residual") and len(shape) != 3:
        raise UserFacingError(
            "It needs maps, and gets {given}. Put it before that.", given=words(shape)
        )
    if kind == "Convolution":
        size, stride = brick["size"], brick["stride"]
        before, after = (size - 1) // 2, size // 2
        return [
            {"kind": "Conv2d", "inputs": shape[0], "outputs": brick["channels"],
             "size": [size, size], "stride": [stride, stride],
             "padding": [before, after, before, after]}
        ]  # fmt: skip
    if kind == "Pool":
        edge = brick["size"]
        if min(shape[1:]) < edge:
            raise UserFacingError(
                "Its window of {edge} x {edge} is larger than a map of {height} x {width}.",
                edge=edge,
                height=shape[1],
                width=shape[2],
            )
        return [
            {"kind": "Pool", "size": [edge, edge], "stride": [edge, edge],
             "padding": [0, 0, 0, 0], "mean": False}
        ]  # fmt: skip
    if kind == "Residual":
        return [{"kind": "Residual", "width": shape[0]}]
    if kind == "Batch normalisation":
        if len(shape) == 2:
            raise UserFacingError("It can't stand after a layer that hands on all its steps.")
        return [{"kind": "BatchNorm", "channels": shape[0], "images": len(shape) == 3}]
    if kind == "Dropout":
        return [{"kind": "Dropout", "probability": brick["percent"] / 100}]
    if kind == "Dense":
        flat = [] if len(shape) == 1 else [{"kind": "Flatten"}]
        return [
            *flat,
            {"kind": "Linear", "in_features": math.prod(shape), "out_features": brick["units"]},
        ]
    if kind in READERS:
        return _reader(brick, shape, read_on)
    return [{"kind": kind}]


def _reader(brick: Brick, shape: Shape, read_on: bool) -> list[Layer]:
    """An LSTM or GRU over rows, each with all that the maps have there, or over steps."""
    if len(shape) == 1:
        raise UserFacingError("It needs rows to read, and gets {given}.", given=words(shape))
    steps, width = (shape[1], shape[0] * shape[2]) if len(shape) == 3 else shape
    both = brick["ways"] == 2
    gives = "all" if read_on else "ends" if both else "last"
    reader: Layer = {
        "kind": "Recurrent", "cell": brick["kind"], "inputs": width, "hidden": brick["units"],
        "depth": 1, "both_ways": both, "gives": gives,
    }  # fmt: skip
    return [*([{"kind": "Reshape", "shape": [steps, width]}] if len(shape) == 3 else []), reader]


def words(shape: Shape) -> Words:
    """What a layer hands on, in words."""
    if len(shape) == 3:
        count, height, width = shape
        if count == 1:
            return Words("1 map of {height} x {width}", height=height, width=width)
        return Words("{count} maps of {height} x {width}", count=count, height=height, width=width)
    if len(shape) == 2:
        steps, width = shape
        if width == 1:
            return Words("{steps} steps of 1 value", steps=steps)
        return Words("{steps} steps of {width} values", steps=steps, width=width)
    if shape[0] == 1:
        return Words("1 value")
    return Words("{count} values", count=shape[0])
