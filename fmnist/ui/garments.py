"""Garments as the pages show them: many on a wall, to choose from and to download; one large."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.data.splits import CLASSES, Split
from fmnist.pictures.encode import data_url
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.downloads import csv_button, png_button
from fmnist.words import _, said

MOST_SHOWN = 1000


def gallery(
    images: NDArray[np.uint8],
    titles: Sequence[str],
    table: Sequence[Mapping[Any, Any]],
    *,
    key: str,
    name: str,
    what: str,
    filename: str,
    caption: str = "",
    captions: Sequence[str] = (),
    height: int | Literal["content"],
    tile: int,
) -> int | None:
    """A `wall` of images with all of them to download; `table` has a line for each.

    Returns the place of the chosen one.
    """
    picked = wall(
        images,
        titles,
        key=key,
        name=name,
        what=what,
        caption=caption,
        captions=captions,
        height=height,
        tile=tile,
    )
    downloads(images, table, filename, key)
    return picked


def wall(
    images: NDArray[np.uint8],
    titles: Sequence[str],
    *,
    key: str,
    name: str,
    what: str,
    caption: str = "",
    captions: Sequence[str] = (),
    height: int | Literal["content"],
    tile: int,
    picked: int | None = None,
    on_pick: Callable[[], None] | None = None,
) -> int | None:
    """The first of images uint8 (N, 28, 28), in a box of that height.

    `what` says in words what they are and in which order, `name` in words that hold for no other
    wall. The rest is as in `garment_wall`, whose choice it returns.
    """
    shown = min(len(images), MOST_SHOWN)
    with st.container(height=height, border=False, key=f"wall-of-{key}"):
        picked = garment_wall(
            images[:shown],
            titles[:shown],
            captions=captions[:shown],
            key=key,
            label=_("{shown} {what}; arrow keys choose one", shown=shown, what=what),
            name=name,
            tile=tile,
            picked=picked,
            on_pick=on_pick,
        )
    if shown < len(images):
        first = _(
            "The first {shown:,}; the downloads hold all {all:,}.", shown=shown, all=len(images)
        )
        caption = f"{first} {caption}".rstrip()
    if caption:
        st.caption(caption)
    return picked


def downloads(
    images: NDArray[np.uint8], table: Sequence[Mapping[Any, Any]], filename: str, key: str
) -> None:
    """Buttons to save a table, with a line for each of images uint8 (N, 28, 28), and the images."""
    with st.container(horizontal=True):
        csv_button("CSV", table, f"{filename}.csv", f"{key} csv")
        png_button("PNG", images, f"{filename}.png", f"{key} png")


def large(split: Split, row: int, caption: str) -> None:
    """One garment of a split under its class; on a phone beside it, see studio.css."""
    label = CLASSES[split.labels[row]]
    with st.container(key="large"):
        st.header(said(label))
        st.caption(caption)
        st.image(
            data_url(split.images[row], 280),
            width="stretch",
            alt=_("Garment {row:,}, {label}", row=row, label=label),
        )
