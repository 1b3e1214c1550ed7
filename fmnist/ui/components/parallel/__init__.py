"""Parallel coordinates: a line for each thing through its values, narrowed by brushing the axes."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fmnist.ui import components
from fmnist.words import Words, number

Value = float | str
Brushed = Mapping[int, tuple[float, float]]
"""The part that counts of some axes, by their place in the row, each end 0 to 1."""
TICKS = 5
ROUNDING = 1e-6
WORDS = {
    "lowest": Words("{axis}, from"),
    "highest": Words("{axis}, to"),
}

_component = components.component("parallel")


class Axis(NamedTuple):
    """What an axis is called, the value of each line there, and how far it goes.

    It lists its `kinds`, or goes from `low` to `high`, written in the form of Python's.
    """

    name: str
    values: Sequence[Value]
    kinds: Sequence[Value] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    form: str = ".3g"

    def places(self) -> list[float]:
        """How far along the axis each line passes, 0 to 1."""
        return [self._place(value) for value in self.values]

    def ticks(self) -> list[tuple[float, str]]:
        """Where something is written at the axis, and what."""
        return [(self._place(value), self.written(value)) for value in self._marked()]

    def _marked(self) -> Sequence[Value]:
        if self.kinds:
            return self.kinds
        if self.log:
            least, most = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return sorted({self.low, *(10.0**power for power in range(least, most + 1)), self.high})
        if self.form == "d":
            low, high = int(self.low), int(self.high)
            return [*range(low, high, math.ceil((high - low) / TICKS) or 1), high]
        step = (self.high - self.low) / (TICKS - 1)
        return [self.low + step * each for each in range(TICKS if step else 1)]

    def _place(self, value: Value) -> float:
        if self.kinds:
            return (self.kinds.index(value) + 0.5) / len(self.kinds)
        low, high, at = self.low, self.high, float(value)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.5

    def written(self, value: Value) -> str:
        """A value as it stands at the axis."""
        return value if isinstance(value, str) else number(value, "g" if self.kinds else self.form)


class Line(NamedTuple):
    """One thing: its number, what it is in words, and how strongly it is coloured, 0 to 1."""

    number: int
    title: str
    shade: float


def parallel(
    axes: Sequence[Axis],
    lines: Sequence[Line],
    *,
    key: str,
    label: str,
    chosen: int | None,
    on_choose: Callable[[], None],
) -> Brushed:
    """Show lines through all axes; returns which parts of these were brushed (Inselberg 1985).

    `on_choose` learns by `taken` which line was clicked; `passing` tells those that a brush leaves.
    """
    result = _component(
        key=key,
        data={
            "axes": [{"name": axis.name, "ticks": axis.ticks()} for axis in axes],
            "lines": [
                {**line._asdict(), "places": places}
                for line, places in zip(lines, _places(axes), strict=True)
            ],
            "label": label,
            "chosen": chosen,
            **components.spoken(WORDS),
        },
        default={"brushed": []},
        on_brushed_change=lambda: None,
        on_chosen_change=on_choose,
    )
    return _brushed(result.get("brushed"), len(axes))


def passing(axes: Sequence[Axis], brushed: Brushed) -> list[bool]:
    """Of each line, whether it passes through the brushed part of every axis."""
    return [
        all(
            low - ROUNDING <= places[axis] <= high + ROUNDING
            for axis, (low, high) in brushed.items()
        )
        for places in _places(axes)
    ]


def taken(choice: object, numbers: Sequence[int]) -> int | None:
    """The browser's word for a line of one of those numbers, if it is one."""
    return choice if type(choice) is int and choice in numbers else None


def _places(axes: Sequence[Axis]) -> list[tuple[float, ...]]:
    """Of each line, where it passes each axis."""
    return list(zip(*(axis.places() for axis in axes), strict=True))


def _brushed(word: Any, axes: int) -> Brushed:
    """The browser's word for parts of axes, as far as it is one."""
    parts = word if isinstance(word, list) else []
    return {
        part[0]: (float(part[1]), float(part[2]))
        for part in parts
        if isinstance(part, list)
        and len(part) == 3
        and all(type(value) in (int, float) for value in part)
        and part[0] in range(axes)
    }
