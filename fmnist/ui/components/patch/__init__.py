"""A grey patch to drag over a garment by mouse or finger."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fmnist.models.layers import SIDE
from fmnist.pictures.encode import data_url
from fmnist.ui import components

_component = components.component("patch")


def patch(
    picture: NDArray[np.uint8],
    edge: int,
    corner: tuple[int, int],
    *,
    key: str,
    label: str,
    on_move: Callable[[], None],
) -> None:
    """Show a picture uint8 (28, 28) under a patch of that edge, its corner at (row, column).

    `on_move` learns by `taken` where the corner is now.
    """
    _component(
        key=key,
        data={
            "picture": data_url(picture),
            "side": SIDE,
            "edge": edge,
            "corner": list(corner),
            "label": label,
        },
        on_corner_change=on_move,
    )


def taken(word: object) -> tuple[int, int] | None:
    """The browser's word for a corner in the frame, if it is one."""
    if isinstance(word, list) and len(word) == 2:
        row, column = word
        if all(type(place) is int and 0 <= place < SIDE for place in word):
            return row, column
    return None
