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
    result = _component(
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
            "picked": picked,
            # Where the page says what is chosen: of how many choices it has heard.
            "heard": 0 if picked is None else _heard(key),
        },
        default={"picked": None},
        on_picked_change=on_pick or (lambda: None),
    )
    choice = result.get("picked")
    if not isinstance(choice, dict) or choice.get("name") != name:
        return picked
    index = choice.get("index")
    return index if isinstance(index, int) and 0 <= index < len(images) else picked


def _heard(key: str) -> int:
    """The number of the last choice that this run knows of."""
    choice = (st.session_state.get(key) or {}).get("picked")
    number = choice.get("number") if isinstance(choice, dict) else None
    return number if isinstance(number, int) else 0
