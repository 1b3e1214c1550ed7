"""A plain stack of layers, rebuilt from a state dict: its names, their order and their shapes.

What these leave open, such as strides, padding, pooling and activations, is listed as ways to wire
the stack, the most usual first. Which of them is right, only pictures can tell.
"""

import heapq
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from fmnist.machine.errors import UserFacingError
from fmnist.models.chain import MOST_LAYERS, Chain, Layer
from fmnist.models.layers import SIDE
from fmnist.weights.strangers.formats import ASIDE, quoted
from fmnist.weights.strangers.modules import Convolved
from fmnist.weights.strangers.pairs import numbers
from fmnist.words import Words, listed

MOST_WAYS = 128
"""How many geometries are listed at most."""
MOST_NEIGHBOURS = 16
"""How many geometries that differ in one step are looked at."""
MOST_PADDED = 48
"""How many geometries that differ in several paddings are looked at."""
SIDES: Mapping[int, float] = {SIDE: 0.0, 32: 0.8, 64: 1.2}
"""The edges that images are made to have before a network sees them, and how unusual that is."""
MOST_TRIES = 10_000
"""How many orders of the layers are looked at."""
_RECURRENT = re.compile(r"(?:weight|bias)_(?:ih|hh)_l(\d+)(_reverse)?")
_GATES = {4: "LSTM", 3: "GRU", 1: "RNN"}
_NORM = {"weight", "bias", "running_mean", "running_var"}

_MEANS = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
_STDS = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
IMAGENET: Mapping[str, Tensor] = {"scale": 1 / _STDS, "shift": -_MEANS / _STDS}
"""What makes of grey in three channels what those take who standardise as for ImageNet."""

Place = Literal["before activation", "after activation", "after pooling"]


class StackError(UserFacingError, ValueError):
    """A state dict is no plain stack."""


@dataclass(frozen=True, eq=False)
class Part:
    """A module of a state dict: what it takes, what it gives, and its tensors by their last name.

    A convolution's `inputs` are those of one of its groups.
    """

    name: str
    kind: Literal["convolution", "linear", "norm", "recurrent", "slope"]
    inputs: int
    outputs: int
    tensors: Mapping[str, Tensor]


class Step(NamedTuple):
    """What happens around a convolution: its stride, the padding before, the pooling behind.

    `padding` are zeros on every side, or "same"; `pool` is (size, stride), (1, 1) for none, and
    `over` what its windows hang over: nothing, half of them on every side, or the rest that
    is too small for one. `dilation` is how far apart a filter looks at pixels.
    """

    stride: int
    padding: int | Literal["same"]
    pool: tuple[int, int]
    over: Literal["", "padded", "rounded up"] = ""
    dilation: int = 1


class Geometry(NamedTuple):
    """A step a convolution, and how their maps become a vector: an edge of 0 is global pooling.

    `edge` is that of the maps which adaptive pooling leaves, None where there is none; `side` that
    of the images, made larger before.
    """

    steps: tuple[Step, ...]
    edge: int | None
    cost: float
    side: int = SIDE


LINEAR = Words("no activation")


class Style(NamedTuple):
    """What no shape tells: activations after convolutions and linears, pooling, order of norms.

    `end` is the activation behind the last layer; a recurrent layer takes rows, or `columns`, and
    has the activation that is called that of convolutions if it is an RNN; `colours` is whether
    each of three channels is standardised as ImageNet's is. `odd` is the place of one linear,
    counted from the first convolution on, and the activation that it alone has; `late` is whether
    activations stand behind pooling, `bare` whether none stands between a depthwise convolution and
    the next, `tops` whether global pooling takes the greatest; `bordered` is whether images become
    larger by a black border.
    """

    convolution: str = "ReLU"
    linear: str = "ReLU"
    mean: bool = False
    norms: Place = "before activation"
    states: str = "last"
    end: str = LINEAR
    columns: bool = False
    colours: bool = False
    odd: tuple[int, str] | None = None
    late: bool = False
    bare: bool = False
    tops: bool = False
    bordered: bool = False

    @property
    def cost(self) -> float:
        odd = [self.convolution != self.linear, self.mean, self.norms != "before activation",
               self.columns, self.late, self.bare, self.tops]  # fmt: skip
        rare = max(_RARE.get(name, 1.0) for name in (self.convolution, self.linear))
        # What can be taken for ReLU is called so.
        rare += 0.5 * ("LeakyReLU" in (self.convolution, self.linear))
        return 0.5 * sum(odd) + rare + (self.end != LINEAR) + (self.odd is not None)


_RARE = {"ReLU": 0.0, "SELU": 2.0, "ReLU6": 2.0, "Softplus": 2.0, "Mish": 2.0}
ACTIVATIONS: Mapping[str, Layer | None] = {
    "ReLU": {"kind": "ReLU"},
    "LeakyReLU": {"kind": "LeakyReLU", "negative_slope": 0.01},
    Words("LeakyReLU of slope 0.1"): {"kind": "LeakyReLU", "negative_slope": 0.1},
    Words("LeakyReLU of slope 0.2"): {"kind": "LeakyReLU", "negative_slope": 0.2},
    "ELU": {"kind": "ELU"},
    "SELU": {"kind": "SELU"},
    "GELU": {"kind": "GELU"},
    "SiLU": {"kind": "SiLU"},
    "Tanh": {"kind": "Tanh"},
    "Sigmoid": {"kind": "Sigmoid"},
    "ReLU6": {"kind": "ReLU6"},
    "Softplus": {"kind": "Softplus"},
    "Mish": {"kind": "Mish"},
    LINEAR: None,
}

ODD = (LINEAR, "ReLU", "Tanh", "Sigmoid")
"""The activations that one linear may have in the midst of others."""
SMOOTH = ("GELU", "SiLU", "Mish")
"""Those that fall and rise, so that the greatest before them is not the greatest behind."""


STATES: Mapping[str, Words] = {
    "last": Words("the last state"),
    "mean": Words("the mean of all states"),
    "max": Words("the greatest of all states"),
    "ends": Words("the last state of each way"),
    "all": Words("all states"),
}


def sized(side: int, bordered: bool) -> Words:
    """In words, how pictures were made as large as a network takes them."""
    if bordered:
        return Words("pictures with a border, {side}x{side}", side=side)
    return Words("pictures made {side}x{side}", side=side)


def _sizes(values: Sequence[str]) -> str:
    """One size where all are the same."""
    return "-".join(values if len(set(values)) > 1 else values[:1])


@dataclass(frozen=True)
class Stack:
    """The parts of a plain stack in the order in which they are passed."""

    convolutions: list[Part]
    recurrent: list[Part]
    linears: list[Part]
    norms: Mapping[str, Part]  # by the name of the part before; "" at the input, "flat" at the end
    slopes: list[Part] = field(default_factory=list)
    channels_last: bool = False  # when the maps are made a vector, as Keras does
    eps: float = 1e-5
    convolved: Mapping[str, Convolved] = field(default_factory=dict)
    """Stride and padding of the convolutions, by name, of which more than shapes is known."""

    def geometries(self) -> list[Geometry]:
        """The ways to wire the convolutions that fit the first linear, the most usual first."""
        if self.recurrent:
            return [Geometry((), None, 0.0)]
        if not self.convolutions:
            side = math.isqrt(self.linears[0].inputs)
            return [Geometry((), None, SIDES[side], side)]
        ways = [itertools.islice(self._geometries(side), MOST_WAYS) for side in SIDES]
        alike = heapq.merge(*ways, key=lambda way: way.cost)
        return list(itertools.islice(alike, MOST_WAYS))

    def styles(self) -> list[Style]:
        """The ways to fill in what no shape tells, the most usual first."""
        if self.recurrent:
            plain = any(_cell(part) == "RNN" for part in self.recurrent)
            return [
                Style(cell, linear, states=states, columns=columns)
                for columns in (False, True)
                for states in self._states()
                for cell in (["Tanh", "ReLU"] if plain else ["ReLU"])
                for linear in (["ReLU", LINEAR, "Tanh"] if self.linears[1:] else ["ReLU"])
            ]
        alike = [Style(name, name) for name in ACTIVATIONS]
        if not self.convolutions:
            return alike
        mixed = [Style("ReLU", LINEAR), Style(LINEAR, "ReLU"),
                 Style("ReLU", "Tanh"), Style("Tanh", "ReLU")]  # fmt: skip
        return alike + (mixed if self.linears[1:] else [])

    def usual(self) -> list[Style]:
        """The styles that are unlike enough that one which is near another does as well as it."""
        if self.recurrent or not self.convolutions:
            return self.styles()
        return [Style(name, name, mean) for name, mean in
                (("ReLU", False), ("Sigmoid", True), ("Tanh", True), ("Tanh", False),
                 (LINEAR, False))]  # fmt: skip

    def near(self, geometry: Geometry, style: Style) -> list[tuple[Geometry, Style]]:
        """The ways to wire the stack that differ from one in a single respect; itself, too."""
        others = self.orders(geometry, style)
        if self.convolutions and self.convolutions[0].inputs == 3:
            others.append(style._replace(colours=not style.colours))
        if geometry.side != SIDE:
            others.append(style._replace(bordered=not style.bordered))
        others += [style._replace(convolution=one.convolution, linear=one.linear,
                                  states=one.states, columns=one.columns)
                   for one in self.styles()]  # fmt: skip
        if not self.recurrent:
            others.append(style._replace(end="ReLU"))
        return [
            *((geometry, other) for other in others),
            *((other, style) for other in self._neighbours(geometry)),
            *((geometry, other) for other in self._odd(style)),
        ]

    def _odd(self, style: Style) -> Iterator[Style]:
        """The styles in which one of several linears has an activation of its own, or none.

        Convolutions are left as they are: many that learned for a short time do better without one
        of their activations.
        """
        before, behind = len(self.convolutions), len(self.linears[:-1])
        if self.slopes or behind < 2:
            return
        for place, name in itertools.product(range(before, before + behind), ODD):
            if name != style.linear:
                yield style._replace(odd=(place, name))

    def _neighbours(self, geometry: Geometry) -> list[Geometry]:
        """The geometries that differ in the step of one convolution, the most usual first."""
        found: list[Geometry] = []
        for index, options in enumerate(self._options):
            for step in options:
                if step != geometry.steps[index]:
                    steps = (*geometry.steps[:index], step, *geometry.steps[index + 1 :])
                    found += self._with(steps, geometry.side)
        return sorted(found, key=lambda other: other.cost)[:MOST_NEIGHBOURS]

    def padded(self, geometry: Geometry) -> list[Geometry]:
        """The geometries of as many pixels at the end that differ in several paddings alone.

        One padding more and another less do nearly as well, and lie two steps apart.
        """
        if all(step.stride == 1 for step in geometry.steps):
            return []  # then any other padding changes the end
        alike = [
            [step for step in options if step._replace(padding=taken.padding) == taken]
            for options, taken in zip(self._options, geometry.steps, strict=True)
        ]
        ways = itertools.islice(itertools.product(*alike), MOST_TRIES)
        found = [
            other
            for steps in ways
            if sum(one != taken for one, taken in zip(steps, geometry.steps, strict=True)) > 1
            for other in self._with(steps, geometry.side)
            if other.edge == geometry.edge
        ]
        return sorted(found, key=lambda other: other.cost)[:MOST_PADDED]

    def _with(self, steps: tuple[Step, ...], start: int = SIDE) -> Iterator[Geometry]:
        """The geometries of these steps; none where nothing is left, or not what is wanted."""
        side = start
        for part, taken in zip(self.convolutions, steps, strict=True):
            side = _after(side, part, taken) if side else 0
        if side:
            cost = SIDES[start] + sum(self._options[i][one] for i, one in enumerate(steps))
            following = zip((None, *steps), steps, strict=False)
            cost += sum(_change(before, after) for before, after in following)
            for edge, more in _ends(side, self._edge()):
                yield Geometry(steps, edge, cost + more, start)

    def orders(self, geometry: Geometry, style: Style) -> list[Style]:
        """A style with other kinds of pooling, other places for norms and activations; itself."""
        pooled = any(step.pool != (1, 1) for step in geometry.steps)
        places: tuple[Place, ...] = ("before activation", "after activation", "after pooling")
        if not any(part.name in self.norms for part in self.convolutions):
            places = places[:2]  # no pooling follows a linear
        normed = any(part.name in self.norms for part in [*self.convolutions, *self.linears])
        found = [
            style._replace(mean=mean, norms=place, tops=tops)
            for place in (places if normed else places[:1])
            for mean in ((False, True) if pooled else (False,))
            for tops in ((False, True) if geometry.edge == 0 else (False,))
        ]
        if pooled and (style.mean or style.convolution in SMOOTH):
            found.append(style._replace(late=not style.late))
        if any(self._depthwise(place) for place in range(len(self.convolutions))):
            found.append(style._replace(bare=not style.bare))
        return found

    def _depthwise(self, place: int) -> bool:
        """Whether a convolution looks at each channel by itself and the next one mixes them."""
        here, *after = self.convolutions[place : place + 2]
        mixed = bool(after) and after[0].tensors["weight"].shape[2] == 1
        return mixed and place > 0 and here.inputs == 1 < self.convolutions[place - 1].outputs

    def built(self, geometry: Geometry, style: Style) -> Chain:
        """The network; raises ValueError where the parts don't fit together after all."""
        filled = list(self._layers(geometry, style))
        return Chain([layer for layer, _ in filled], [values for _, values in filled]).eval()

    def taken_for(self, geometry: Geometry, style: Style) -> Words | None:
        """In words, what was taken for granted, if anything."""
        words: list[str] = []
        if self.linears[1:] or self.convolutions:
            between = [style.convolution] if self.convolutions else []
            between += [style.linear] if self.linears[1:] and not self.slopes else []
            words += dict.fromkeys(between)
            if style.odd:
                place, name = style.odd
                words.append(
                    Words("{activation} behind layer {number}", activation=name, number=place + 1)
                )
        kind = Words("mean") if style.mean else Words("max")
        for (size, stride), over in dict.fromkeys(
            (step.pool, step.over) for step in geometry.steps
        ):
            if size > 1:
                strided = f"{size}/{stride}" if stride != size else f"{size}"
                words.append(Words("{kind} pooling {size}", kind=kind, size=strided))
                words += [OVER[over]] if over else []
        strides = [str(step.stride) for step in geometry.steps]
        if set(strides) - {"1"}:
            words.append(Words("stride {sizes}", sizes=_sizes(strides)))
        paddings = [str(step.padding) for step in geometry.steps]
        if set(paddings) - {"0"}:
            words.append(Words("padding {sizes}", sizes=_sizes(paddings)))
        if geometry.edge == 0:
            whole = Words("max") if style.tops else Words("mean")
            words.append(Words("global {kind} pooling", kind=whole))
        elif geometry.edge is not None:
            words.append(Words("adaptive pooling"))
        if style.norms == "after activation":
            words.append(Words("batch normalisation after activation"))
        elif style.norms == "after pooling":
            words.append(Words("batch normalisation after pooling"))
        if style.late:
            words.append(Words("activation after pooling"))
        if style.bare:
            words.append(Words("separable convolutions"))
        if self.recurrent:
            plain = any(_cell(part) == "RNN" for part in self.recurrent)
            words = [style.convolution] * plain + words
            words.append(STATES[style.states])
            words += [Words("columns for rows")] if style.columns else []
        if geometry.side != SIDE:
            words.append(sized(geometry.side, style.bordered))
        if style.colours:
            words.append(Words("colours standardised as ImageNet's are"))
        if style.end != LINEAR:
            words.append(Words("{activation} at the end", activation=style.end))
        return listed(words) if words else None

    def _states(self) -> list[str]:
        last = self.recurrent[-1]
        if self.linears[0].inputs != last.outputs:
            return ["all"]
        both = any(name.endswith("_reverse") for name in last.tensors)
        return ["ends", "last", "mean", "max"] if both else ["last", "mean", "max"]

    def _geometries(self, start: int) -> Iterator[Geometry]:
        """Best first, by what is unusual in each step and in what changes between two."""
        wanted = self._edge()

        @cache
        def options(index: int, side: int) -> list[tuple[Step, int, float]]:
            ways = (
                (step, _after(side, self.convolutions[index], step), cost)
                for step, cost in self._options[index].items()
            )
            return [way for way in ways if way[1] >= 1]

        @cache
        def remaining(index: int, side: int) -> float:
            """The least that is still to come."""
            if index == len(self.convolutions):
                return min((cost for _, cost in _ends(side, wanted)), default=math.inf)
            ways = options(index, side)
            return min((cost + remaining(index + 1, after) for _, after, cost in ways),
                       default=math.inf)  # fmt: skip

        count = itertools.count()  # of two ways as usual as each other, the first one listed
        heap: list[tuple[float, int, tuple[Step, ...], int, float]] = []
        usual = SIDES[start]
        heapq.heappush(heap, (usual + remaining(0, start), next(count), (), start, usual))
        while heap and next(count) < MOST_TRIES:
            _, _, steps, side, cost = heapq.heappop(heap)
            if len(steps) == len(self.convolutions):
                for edge, more in _ends(side, wanted):
                    yield Geometry(steps, edge, cost + more, start)
                continue
            for step, after, more in options(len(steps), side):
                total = cost + more + _change(steps[-1] if steps else None, step)
                bound = total + remaining(len(steps) + 1, after)
                if bound < math.inf:
                    heapq.heappush(heap, (bound, next(count), (*steps, step), after, total))

    @cached_property
    def _options(self) -> list[dict[Step, float]]:
        """For each convolution, what may happen around it, and how unusual that is."""
        found = []
        for index, part in enumerate(self.convolutions):
            pools = self._pools_after(index)
            # Where there is room for pooling there may be dropout instead.
            against = {None: (0.0, 0.0), False: (0.0, 3.0), True: (0.8, 0.0)}[pools]
            found.append(
                {
                    step: cost + against[step.pool != (1, 1)]
                    for step, cost in _steps(part, self.convolved.get(part.name))
                }
            )
        return found

    def _edge(self) -> int:
        """The edge of the last convolution's maps that the first linear reads."""
        if not self.linears:
            return 1
        area, rest = divmod(self.linears[0].inputs, self.convolutions[-1].outputs)
        edge = math.isqrt(area)
        if rest or not area or edge**2 != area or edge > max(SIDES):
            raise StackError("the first linear reads no square maps of the last convolution")
        return edge

    def _pools_after(self, index: int) -> bool | None:
        """Whether the names leave room for pooling behind a convolution; None if they don't say."""
        here = self.convolutions[index].name.rpartition(".")
        after = [*self.convolutions, *self.linears][index + 1 : index + 2]
        there = after[0].name.rpartition(".") if after else ("", "", "")
        if not (here[2].isdecimal() and there[2].isdecimal()):
            return None
        if here[0] != there[0]:
            return True
        norm = self.convolutions[index].name in self.norms
        # Behind the last there is also what makes its maps a vector, by global pooling perhaps.
        flat = index == len(self.convolutions) - 1
        if flat and self._edge() == 1:
            return None
        return int(there[2]) - int(here[2]) - norm - flat > 2

    def _layers(
        self, geometry: Geometry, style: Style
    ) -> Iterator[tuple[Layer, Mapping[str, Tensor]]]:
        slopes = iter(self.slopes)

        def activation(name: str, place: int) -> Iterator[tuple[Layer, Mapping[str, Tensor]]]:
            slope = next(slopes, None)
            layer = ACTIVATIONS[style.odd[1] if style.odd and style.odd[0] == place else name]
            if slope:
                yield {"kind": "PReLU", "num_parameters": slope.outputs}, slope.tensors
            elif layer:
                yield layer, {}

        def norm(name: str, images: bool) -> Iterator[tuple[Layer, Mapping[str, Tensor]]]:
            if part := self.norms.get(name):
                size = {"channels": part.outputs, "images": images, "eps": self.eps}
                yield {"kind": "BatchNorm", **size}, part.tensors

        channels, side = 1, geometry.side
        if side != SIDE and style.bordered:
            yield {"kind": "Border", "side": side}, {"black": torch.tensor(0.0)}
        elif side != SIDE:
            yield {"kind": "Resize", "side": side}, {}
        if self.convolutions:
            if self.convolutions[0].inputs == 3:
                channels = 3
                yield {"kind": "Repeat", "channels": 3}, {}
            if style.colours:
                yield {"kind": "Affine", "shape": [3, 1, 1]}, IMAGENET
            yield from norm("", True)
        for place, (part, step) in enumerate(zip(self.convolutions, geometry.steps, strict=True)):
            (height, width) = part.tensors["weight"].shape[2:]
            yield (
                {
                    "kind": "Conv2d",
                    "inputs": channels,
                    "outputs": part.outputs,
                    "size": [height, width],
                    "stride": [step.stride] * 2,
                    "padding": _around(side, _reach(part, step), step),
                    "groups": channels // part.inputs,
                    "dilation": [step.dilation] * 2,
                    "bias": "bias" in part.tensors,
                },
                part.tensors,
            )
            before, side, channels = side, _after(side, part, step), part.outputs
            if style.norms == "before activation":
                yield from norm(part.name, True)
            # A network that ends in maps of the classes has no activation behind the last.
            active = self.linears or part is not self.convolutions[-1]
            active = active and not (style.bare and self._depthwise(place))
            if active and not style.late:
                yield from activation(style.convolution, place)
            if style.norms == "after activation":
                yield from norm(part.name, True)
            size, stride = step.pool
            if size > 1:
                over = _over(_behind(before, part, step), step)
                windows = {"size": [size] * 2, "stride": [stride] * 2, "padding": over}
                yield {"kind": "Pool", **windows, "mean": style.mean}, {}
            if active and style.late:
                yield from activation(style.convolution, place)
            if style.norms == "after pooling":
                yield from norm(part.name, True)
        if geometry.edge == 0:
            yield {"kind": "GlobalPool", "mean": not style.tops}, {}
        elif geometry.edge is not None:
            yield {"kind": "AdaptivePool", "output_size": geometry.edge}, {}
        if self.recurrent:
            if style.columns:
                yield {"kind": "Columns"}, {}
            width = self.recurrent[0].inputs
            yield {"kind": "Reshape", "shape": [SIDE**2 // width, width]}, {}
        for part in self.recurrent:
            gives = style.states if part is self.recurrent[-1] else "all"
            layer = _recurrent(part, gives, style.convolution)
            yield layer, {f"cell.{leaf}": t for leaf, t in part.tensors.items()}
        if geometry.edge != 0 and (not self.recurrent or style.states == "all"):
            flat: Layer = {"kind": "Flatten"}
            yield ({"kind": "Reshape", "shape": [-1]} if self.channels_last else flat), {}
        yield from norm("flat", False)
        for place, part in enumerate(self.linears, len(self.convolutions)):
            size_in_out = {"in_features": part.inputs, "out_features": part.outputs}
            yield {"kind": "Linear", **size_in_out, "bias": "bias" in part.tensors}, part.tensors
            if part is self.linears[-1]:
                yield from norm(part.name, False)
                yield from activation(style.end, place)
                continue
            if style.norms == "before activation":
                yield from norm(part.name, False)
            yield from activation(style.linear, place)
            if style.norms != "before activation":
                yield from norm(part.name, False)


def _steps(part: Part, known: Convolved | None) -> Iterator[tuple[Step, float]]:
    """What may happen around a convolution, and how unusual it is."""
    edge = part.tensors["weight"].shape[2]
    half, dilation = (edge - 1) // 2, 1
    # Of an even edge there are two halves.
    paddings: dict[int | Literal["same"], float] = {0: 0.0, half: 0.0, edge // 2: 0.0}
    for pixels in (1, 2, 3):
        if pixels <= edge // 2 + 1:
            paddings.setdefault(pixels, 1.5)
    if edge > 1:
        paddings["same"] = 0.2
    strides = {1: 0.0, 2: 0.5, 3: 0.7}
    if known:
        stride, padding, dilation = known
        same = padding == "same" and edge % 2
        strides, paddings = {stride: 0.0}, {half * dilation if same else padding: 0.0}
    for (stride, odd), (padding, odder), (pool, over) in itertools.product(
        strides.items(), paddings.items(), _POOLS
    ):
        if padding == "same" and stride == 1 and edge % 2:
            continue  # which is half
        both = 0.7 if stride > 1 and pool != (1, 1) else 0.0  # a stride stands in for pooling
        yield Step(stride, padding, pool, over, dilation), odd + odder + both


_POOLS: Mapping[tuple[tuple[int, int], Literal["", "padded", "rounded up"]], float] = {
    ((1, 1), ""): 0.0, ((2, 2), ""): 0.0, ((3, 3), ""): 1.5, ((3, 2), ""): 1.0, ((2, 1), ""): 2.0,
    ((4, 4), ""): 2.0, ((3, 2), "padded"): 1.2, ((2, 2), "rounded up"): 1.5,
    ((3, 2), "rounded up"): 2.0,
}  # fmt: skip
"""Every pooling that is tried, (1, 1) for none, and how unusual it is."""
OVER: Mapping[str, Words] = {
    "padded": Words("padded pooling"),
    "rounded up": Words("pooling rounded up"),
}


def _change(before: Step | None, after: Step) -> float:
    """How unusual it is that a step follows another, or none; unusual pooling is so once."""
    new = before is None or (before.pool, before.over) != (after.pool, after.over)
    pooling = _POOLS[after.pool, after.over] if new else 0.0
    if before is None:
        return pooling
    pools = (before.pool != (1, 1), after.pool != (1, 1))
    sizes = before.pool != after.pool and all(pools)
    return (
        pooling
        + 0.1 * (before.stride != after.stride)
        + 0.5 * ((before.padding == 0) != (after.padding == 0))
        + 0.3 * (pools[0] != pools[1])
        + 1.0 * sizes
    )


def _reach(part: Part, step: Step) -> int:
    """The edge of what a filter sees."""
    return step.dilation * (part.tensors["weight"].shape[2] - 1) + 1


def _around(side: int, edge: int, step: Step) -> list[int]:
    """The zeros left, right, top and bottom, for filters that see an edge."""
    if step.padding != "same":
        return [step.padding] * 4
    missing = max((math.ceil(side / step.stride) - 1) * step.stride + edge - side, 0)
    return [missing // 2, missing - missing // 2] * 2


def _behind(side: int, part: Part, step: Step) -> int:
    """The edge of the maps behind a convolution and before its pooling."""
    edge = _reach(part, step)
    left, right, *_ = _around(side, edge, step)
    return (side + left + right - edge) // step.stride + 1


def _over(side: int, step: Step) -> list[int]:
    """By how much the windows of a pooling hang over maps of an edge: left, right, top, bottom."""
    size, stride = step.pool
    if step.over == "padded":
        return [size // 2] * 4
    return [0, -(side - size) % stride if step.over else 0] * 2


def _after(side: int, part: Part, step: Step) -> int:
    """The edge of the maps behind a convolution and its pooling; 0 where nothing is left."""
    side = _behind(side, part, step)
    size, stride = step.pool
    left, right, *_ = _over(side, step)
    if side < size or (step.over == "rounded up" and not right):  # which is as without
        return 0
    return (side + left + right - size) // stride + 1


def _ends(side: int, wanted: int) -> Iterator[tuple[int | None, float]]:
    """How maps of an edge become those of the wanted one, each way with how unusual it is."""
    if side == wanted:
        yield None, 0.0
    elif wanted == 1:
        yield 0, 0.5
    elif side > wanted:
        yield wanted, 1.5


def _cell(part: Part) -> str:
    gates, hidden = part.tensors["weight_hh_l0"].shape
    return _GATES[gates // hidden]


def _recurrent(part: Part, gives: str, activation: str) -> Layer:
    depth = sum(leaf.startswith("weight_ih") for leaf in part.tensors)
    depth //= 2 if "weight_ih_l0_reverse" in part.tensors else 1
    hidden = part.tensors["weight_hh_l0"].shape[1]
    own = {"activation": activation.lower()} if _cell(part) == "RNN" else {}
    return {
        "kind": "Recurrent",
        "cell": _cell(part),
        "inputs": part.inputs,
        "hidden": hidden,
        "depth": depth,
        "both_ways": "weight_ih_l0_reverse" in part.tensors,
        "gives": gives,
        "bias": "bias_ih_l0" in part.tensors,
        **own,
    }


# Reading the parts


def read(
    tensors: Mapping[str, Tensor],
    channels_last: bool = False,
    eps: float = 1e-5,
    convolved: Mapping[str, Convolved] = MappingProxyType({}),
) -> Stack:
    """The stack that a state dict is, its tensors in the order of the layers.

    Raises StackError where it is none: parts of other kinds, or parts that don't follow each other.
    """
    modules: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        path, _, leaf = name.rpartition(".")
        if tensor.ndim or not ASIDE.fullmatch(name):
            modules.setdefault(path, {})[leaf] = tensor
    parts = [_part(name, leaves) for name, leaves in modules.items()]
    of = {
        kind: [part for part in parts if part.kind == kind]
        for kind in ("convolution", "linear", "norm", "recurrent", "slope")
    }
    convolutions, linears = of["convolution"], of["linear"]
    if of["recurrent"] and (convolutions or not linears or of["norm"]):
        raise StackError("a recurrent layer among others")
    if convolutions:
        starts = [c for c in convolutions if c.inputs in (1, 3)]
        convolutions = _in_a_row(convolutions, starts[0].inputs if starts else 1)
    if linears:
        linears = _in_a_row(linears, None)
    recurrent = of["recurrent"]
    for before, after in itertools.pairwise(recurrent):
        if before.outputs != after.inputs:
            raise StackError("recurrent layers that do not follow each other")
    last = (linears or convolutions)[-1:]
    if not last or last[0].outputs != 10:
        raise StackError("no ten answers")
    if recurrent:
        steps, rest = divmod(SIDE**2, recurrent[0].inputs)
        fits = not rest and linears[0].inputs in (
            recurrent[-1].outputs, steps * recurrent[-1].outputs,
        )  # fmt: skip
    elif convolutions:
        fits = not linears or linears[0].inputs % convolutions[-1].outputs == 0
    else:
        fits = linears[0].inputs in [side**2 for side in SIDES]
    if not fits:
        raise StackError("layers that do not fit each other or 28x28 pixels")
    norms = _norms(parts, [*convolutions, *linears], linears)
    stack = Stack(
        convolutions, recurrent, linears, norms, of["slope"], channels_last, eps, convolved
    )
    if convolutions:
        stack._edge()
    return stack


def _part(name: str, leaves: Mapping[str, Tensor]) -> Part:
    shapes = {leaf: tuple(tensor.shape) for leaf, tensor in leaves.items()}
    weight = shapes.get("weight", ())
    if all(all(shape) for shape in shapes.values()):
        if "weight_ih_l0" in shapes and (part := _recurrent_part(name, leaves)):
            return part
        if len(shapes.get("running_mean", ())) == 1 and shapes.keys() <= _NORM:
            (size,) = shapes["running_mean"]
            return Part(name, "norm", size, size, leaves)
        if shapes.keys() <= {"weight", "bias"}:
            if len(weight) == 4 and weight[2] == weight[3]:
                return Part(name, "convolution", weight[1], weight[0], leaves)
            if len(weight) == 2:
                return Part(name, "linear", weight[1], weight[0], leaves)
            if len(weight) == 1 and len(leaves) == 1:
                return Part(name, "slope", weight[0], weight[0], leaves)
    raise StackError("{name} is no layer of a plain stack", name=quoted(name) or Words("a tensor"))


def _recurrent_part(name: str, leaves: Mapping[str, Tensor]) -> Part | None:
    named = {leaf: _RECURRENT.fullmatch(leaf) for leaf in leaves}
    depths = {int(match[1]) for match in named.values() if match and len(match[1]) < 3}
    shapes = [leaves[leaf].shape for leaf in ("weight_ih_l0", "weight_hh_l0") if leaf in leaves]
    if not all(named.values()) or depths != set(range(len(depths))):
        return None
    if [len(shape) for shape in shapes] != [2, 2]:
        return None
    (gates, inputs), (_, hidden) = shapes
    if gates / hidden not in _GATES:
        return None
    ways = 2 if "weight_ih_l0_reverse" in leaves else 1
    return Part(name, "recurrent", inputs, ways * hidden, leaves)


def _in_a_row(parts: Sequence[Part], inputs: int | None) -> list[Part]:
    """The parts in the first order, near that of the file, in which each takes what one gives."""

    tries = itertools.count()

    def longer(row: list[Part], left: list[Part]) -> list[Part] | None:
        if not left:
            return row
        if next(tries) > MOST_TRIES:
            raise StackError("layers whose order can't be told")
        given = row[-1].outputs if row else inputs
        for part in left:
            # Of a convolution in groups the inputs are a part of what is given.
            grouped = part.kind == "convolution" and given is not None and (
                part.inputs == 1 and part.outputs % given == 0
            )  # fmt: skip
            if given is None or part.inputs == given or grouped:
                rest = [other for other in left if other is not part]
                if found := longer([*row, part], rest):
                    return found
        return None

    if len(parts) > MOST_LAYERS:
        raise StackError("more layers than any plain stack has")
    found = longer([], list(parts))
    if found is None:
        raise StackError("{kind}s that do not follow each other", kind=parts[0].kind)
    return found


def _norms(
    parts: Sequence[Part], layers: Sequence[Part], linears: Sequence[Part]
) -> dict[str, Part]:
    """Every normalisation by the layer it follows.

    One by itself follows the layer before it in the file, if it fits; of several in a row each
    follows the layer of its number, bn2 conv2, else the last that is left.
    """
    norms: dict[str, Part] = {}
    before: Part | None = None
    for is_norm, run in itertools.groupby(parts, lambda part: part.kind == "norm"):
        row = list(run)
        if not is_norm:
            before = row[-1]
            continue
        for part in reversed(row):
            fits = [one for one in layers if one.outputs == part.outputs and one.name not in norms]
            if len(row) > 1:
                numbered = [one for one in fits if numbers(one.name) == numbers(part.name)]
                fits = (numbered or fits)[-1:]
            elif before in fits:
                fits = [before]
            if fits:
                norms[fits[0].name] = part
            elif linears and part.outputs == linears[0].inputs:
                norms["flat"] = part
            elif part.outputs == layers[0].inputs:
                norms[""] = part
            else:
                raise StackError("{name} follows no layer", name=part.name)
    return norms


def from_keras(groups: Sequence[tuple[str, Sequence[Tensor]]]) -> dict[str, Tensor]:
    """The state dict of layers that Keras saved without saying which kind they are.

    Each is a name with its tensors in Keras' order; kernels become weights of torch's form. Raises
    StackError for tensors that belong to no layer of a plain stack.
    """
    state: dict[str, Tensor] = {}
    for name, arrays in groups:
        first = arrays[0]
        if first.ndim == 4 and len(arrays) <= 2:
            named = dict(
                zip(("weight", "bias"), (first.permute(3, 2, 0, 1), *arrays[1:]), strict=False)
            )
        elif first.ndim == 2 and len(arrays) <= 2:
            named = dict(zip(("weight", "bias"), (first.T, *arrays[1:]), strict=False))
        elif first.ndim == 1 and len(arrays) == 4:
            named = dict(
                zip(("weight", "bias", "running_mean", "running_var"), arrays, strict=True)
            )
        else:
            raise StackError("{name} is no layer of a plain stack", name=name)
        state |= {f"{name}.{leaf}": tensor.contiguous() for leaf, tensor in named.items()}
    return state
