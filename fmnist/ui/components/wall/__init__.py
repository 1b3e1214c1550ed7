"""A wall of garments: crisp at any width, told apart by hover, chosen by click or arrow keys."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.pictures.encode import atlas, data_url
from fmnist.ui import components

SHEET_COLUMNS = 30

_component = components.component("wall")


def garment_wall(
    images: NDArray[np.uint8],
    titles: Sequence[str],
    *,
    key: str,
    label: str,
    name: str,
    tile: int = 30,
    captions: Sequence[str] = (),
    right: Sequence[bool] = (),
    picked: int | None = None,
    on_pick: Callable[[], None] | None = None,
) -> int | None:
    """Show images uint8 (N, 28, 28) side by side; returns the row of the chosen one.

    `titles` are read out and shown on hover, `captions` stand below each garment, with a mark that
    says whether each is `right` where that is given. `tile` is the least width of a garment in
    pixels. `name` says what is shown: a choice made on another wall is forgotten.
    """
    heard, chosen = _choice(key, name, len(images))
    _component(
        key=key,
        data={
            "sheet": data_url(atlas(images, SHEET_COLUMNS)),
            "sheetColumns": SHEET_COLUMNS,
            "titles": list(titles),
            "captions": list(captions),
            "right": list(right),
            "tile": tile,
            "label": label,
            "name": name,
            "picked": chosen if picked is None else picked,
            # Of how many choices the page has heard that says so.
            "heard": heard,
        },
        default={"picked": None},
        on_picked_change=on_pick or (lambda: None),
    )
    return picked if chosen is None else chosen


def _choice(key: str, name: str, count: int) -> tuple[int, int | None]:
    """The number of the last choice that this run knows of, and its row, if it is of this wall."""
    choice = (st.session_state.get(key) or {}).get("picked")
    if not isinstance(choice, dict):
        return 0, None
    number, row = choice.get("number"), choice.get("index")
    here = choice.get("name") == name and isinstance(row, int) and 0 <= row < count
    return number if isinstance(number, int) else 0, row if here else None
