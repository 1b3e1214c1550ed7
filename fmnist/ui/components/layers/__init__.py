"""The layers of a network at work: their maps, one of them large, and how each unit comes about."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fmnist.analysis.inside import Floats, Origin, Place
from fmnist.pictures.encode import data_url, overlay
from fmnist.ui import components
from fmnist.words import Words

WIDEST = 1024
"""Pixels of a picture with many maps."""

_component = components.component("layers")
WORDS = {
    "unit": Words("Row {row}, column {column} of map {map}: {value}"),
    "single": Words("Unit {map}: {value}"),
    "named": Words("Unit {map}, {name}: {value}"),
    "input": Words("Map {map}"),
    "single input": Words("Unit {map}"),
    "others": Words("All others together"),
    "bias": Words("Bias"),
    "sum": Words("Sum"),
    "max": Words("The greatest of these is {value}."),
    "mean": Words("The mean of these is {value}."),
    "each": Words("It is made of the value {value} at the same place."),
    "added": Words("It is {before}, which came in, plus {found}, which the block found."),
    "value": Words("This layer has no patch and no kernel to show."),
    "patch": Words("Patch"),
    "kernel": Words("Kernel"),
    "kernels": Words("Its kernel, a part for each map that it reads"),
    "more": Words("{shown} of {count} shown"),
    "path": Words("on the path to the answer"),
    "way": Words(
        "Framed in white is one path from a pixel to the answer: in each layer what speaks most "
        "for the frame in the next."
    ),
    "towards pixel": Words("To the pixel"),
    "towards answer": Words("To the answer"),
    "hint": Words("Point at a unit, or use the arrow keys."),
}
"""What it says; the browser puts numbers in."""


class Row(NamedTuple):
    """One layer as it is listed: its words, which of its maps are shown, and those as heat."""

    name: str
    title: str
    shape: str
    total: int
    shown: Sequence[int]
    maps: Floats
    """(len(shown), H, W)"""
    filters: Floats | None
    """(len(shown), h, w), where each map has one that reads one map."""


def layers(
    rows: Sequence[Row],
    *,
    key: str,
    label: str,
    chosen: tuple[str, int],
    chosen_map: Floats,
    origin: Origin,
    path: Mapping[str, Place],
    meaning: str,
    on_choose: Callable[[], None],
) -> None:
    """Show rows of maps, and of the chosen one how its units came about.

    `chosen` is a layer by its name and the number of its map, `chosen_map` what that gave, float32
    (H, W), `meaning` what its one unit stands for, if it has a name. `on_choose` learns by `taken`
    which one was chosen.
    """
    _component(
        key=key,
        data={
            "label": label,
            **components.spoken(WORDS),
            "rows": [_row(row) for row in rows],
            "chosen": list(chosen),
            "given": _floats(chosen_map),
            "origin": {
                **origin._asdict(),
                "taken": _floats(origin.taken),
                "kernel": _floats(origin.kernel),
            },
            "meaning": meaning,
            "path": {name: list(place) for name, place in path.items()},
        },
        on_chosen_change=on_choose,
    )


def taken(choice: object) -> tuple[str, int] | None:
    """The browser's word for a layer and one of its maps, if it is one."""
    if isinstance(choice, list) and len(choice) == 2:
        name, number = choice
        if isinstance(name, str) and isinstance(number, int):
            return name, number
    return None


def _row(row: Row) -> dict[str, Any]:
    return {
        **row._asdict(),
        "shown": list(row.shown),
        "maps": _sheet(row.maps),
        "filters": None if row.filters is None else _sheet(row.filters),
    }


def _sheet(maps: Floats) -> dict[str, Any]:
    """Maps (N, H, W) as one picture, and where they are in it; zero is black in all of them."""
    count, height, width = maps.shape
    columns = min(count, max(1, WIDEST // width))
    lines = -(-count // columns)
    whole = np.zeros((lines * columns, height, width), np.float32)
    whole[:count] = maps
    heat = whole.reshape(lines, columns, height, width).swapaxes(1, 2)
    picture = coloured(heat.reshape(lines * height, columns * width))
    return {"picture": data_url(picture), "columns": columns, "height": height, "width": width}


def coloured(heat: Floats) -> NDArray[np.uint8]:
    """Values (H, W) as colours uint8 (H, W, 3): black is zero, orange above it, blue below."""
    return overlay(np.zeros(heat.shape, np.uint8), heat)


def _floats(values: Floats) -> dict[str, Any]:
    """An array as bytes that a browser reads as they are."""
    content = np.ascontiguousarray(values, "<f4").tobytes()
    return {"shape": list(values.shape), "values": base64.b64encode(content).decode()}
