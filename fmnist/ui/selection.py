"""Garments chosen by what a model says of them: their wall, their means, and a way through them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist import evaluation
from fmnist.data import CLASSES, Split
from fmnist.evaluation import Evaluation
from fmnist.ui import widgets
from fmnist.ui.images import overlay
from fmnist.ui.takeaway import csv_button, png_button

MEAN_EDGE = 70
GREY = np.full((28, 28), 128, np.uint8)


@dataclass(frozen=True)
class Selection:
    """Rows int64 (N,) of a split, in the order in which they are shown, with a model's answers.

    `name` says what they are, in words that hold for no other selection.
    """

    name: str
    split: Split
    rows: NDArray[np.int64]
    answers: Evaluation
    temperature: float

    @property
    def shares(self) -> NDArray[np.float32]:
        """The model's probabilities float32 (N, 10)."""
        return evaluation.probabilities(self.answers.logits[self.rows], self.temperature)


def walk(selection: Selection) -> int:
    """The garment to show large, with steps to the one before and after; its row is in the link."""
    rows = selection.rows.tolist()
    if st.session_state.get("garment", rows[0]) not in rows:  # it was one of another selection
        _go_to(rows[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row: int = st.selectbox("Garment", rows, key="garment", bind="query-params", width=110)
        position = rows.index(row)
        for label, step in (("Previous", -1), ("Next", 1)):
            there = position + step
            st.button(
                label,
                disabled=not 0 <= there < len(rows),
                on_click=_go_to,
                args=(rows[there % len(rows)],),
            )
    st.caption(f"{position + 1:,} of {len(rows):,}. {selection.name}, most confident first.")
    return row


def wall(selection: Selection, row: int) -> None:
    """The garments, each over how sure the model was; a choice among them is where `walk` goes."""
    widgets.gallery(
        selection.split.images,
        selection.rows,
        selection.shares.max(1),
        wall=selection.name,
        picked=selection.rows.tolist().index(row),
        on_pick=partial(_take_pick, selection.rows),
    )


def _take_pick(rows: NDArray[np.int64]) -> None:
    choice = st.session_state["gallery"].get("picked")
    index = choice.get("index") if isinstance(choice, dict) else None
    if isinstance(index, int) and 0 <= index < len(rows):
        _go_to(int(rows[index]))


def _go_to(row: int) -> None:
    st.session_state["garment"] = row


def means(selection: Selection, true: int | None, predicted: int | None) -> None:
    """The mean garment of a cell, and how it differs from the mean of its class."""
    images, labels = selection.split.images, selection.split.labels
    here = images[selection.rows].mean(0)
    pictures = [(f"Mean of these {len(selection.rows):,}", here.astype(np.uint8))]
    classes = [label for label in (true, predicted) if label is not None]
    of_classes = [images[labels == label].mean(0) for label in dict.fromkeys(classes)]
    if classes:
        difference = overlay(GREY, (here - of_classes[0]).astype(np.float32))
        pictures.append((f"less the mean {CLASSES[classes[0]]}", difference))
    pictures += [
        (f"Mean {CLASSES[label]}", mean.astype(np.uint8))
        for label, mean in zip(dict.fromkeys(classes), of_classes, strict=True)
    ]
    widgets.side_by_side(pictures, MEAN_EDGE)


def take_along(selection: Selection) -> None:
    """Buttons that save the garments as a table and as a picture."""
    filename = re.sub(r"[^a-z0-9]+", "-", selection.name.lower()).strip("-")
    with st.container(horizontal=True):
        csv_button("CSV", table(selection), f"{filename}.csv", key="save table")
        images = selection.split.images[selection.rows]
        png_button("PNG", images, f"{filename}.png", key="save picture")


def table(selection: Selection) -> Sequence[dict[str, Any]]:
    """A line for each garment: its row in the split, its class, the answer, all probabilities."""
    return [
        {
            "row": row,
            "true": CLASSES[selection.split.labels[row]],
            "predicted": CLASSES[shares.argmax()],
            "confidence": shares.max(),
            **dict(zip(CLASSES, shares, strict=True)),
        }
        for row, shares in zip(selection.rows.tolist(), selection.shares, strict=True)
    ]
