"""A network that reads step by step: a head to move, and what it would say and hold by then."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fmnist.analysis.inside import Floats
from fmnist.data.splits import CLASSES
from fmnist.pictures.encode import data_url
from fmnist.ui import components
from fmnist.ui.components.layers import coloured
from fmnist.words import Words, said

_component = components.component("reader")
WORDS = {
    "head": Words("Steps read"),
    "play": Words("Play"),
    "pause": Words("Pause"),
    "after": Words("After {step} of {steps} steps: {name}, {share} sure"),
    "over": Words("The probability of each class after each step"),
    "garment": Words("The garment; what has not been read is dark"),
}


class Line(NamedTuple):
    """Something that the network holds at each step, as heat (T, D) under a title."""

    title: str
    values: Floats


def reader(
    pixels: NDArray[np.uint8],
    probabilities: Floats,
    lines: Sequence[Line],
    from_end: bool,
    columns: Collection[bool],
    *,
    key: str,
) -> None:
    """Show a garment uint8 (28, 28) that is read, probabilities (T, 10) after each step, and lines.

    Where it is read `from_end`, the first step is the last row. `columns` says what a step is:
    False for a row, True for a column, both where both are read at once.
    """
    _component(
        key=key,
        data={
            **components.spoken(WORDS),
            "classes": [said(name) for name in CLASSES],
            "garment": data_url(pixels),
            "probabilities": probabilities.round(4).tolist(),
            "fromEnd": from_end,
            "rows": False in columns,
            "columns": True in columns,
            "lines": [
                {
                    "title": line.title,
                    "picture": data_url(coloured(line.values)),
                    "width": line.values.shape[1],
                }
                for line in lines
            ],
        },
    )
