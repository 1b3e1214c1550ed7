"""The parts of the errors page: the matrix, the garments chosen in it, one of them large."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import CLASSES, Source, Split, SplitName
from fmnist.pictures.encode import data_url, overlay
from fmnist.ui import answers, figures, garments, widgets
from fmnist.ui.figures import Unit
from fmnist.ui.state import dataset, models
from fmnist.ui.why import why
from fmnist.ui.widgets import ANY_CLASS, CHART, choice
from fmnist.weights.card import Card

MOST_CONFUSED = ("Shirt", "T-shirt/top")
"""The cell to begin with, which is among the fullest of most models."""
ORDERS = ("Dataset", "Similarity")


def choose_cell() -> tuple[int | None, int | None]:
    """Select boxes for the true and the predicted class; None for any, as in `errors`."""
    options = [ANY_CLASS, *CLASSES]
    names = [
        column.selectbox(label, options, options.index(first), key=key, bind="query-params")
        for column, label, key, first in zip(
            st.columns(2),
            ("True class", "Predicted class"),
            ("true", "predicted"),
            MOST_CONFUSED,
            strict=True,
        )
    ]
    true, predicted = (None if name == ANY_CLASS else CLASSES.index(name) for name in names)
    return true, predicted


def matrix(counts: NDArray[np.int64], cell: tuple[int | None, int | None]) -> None:
    """The matrix (10, 10) with what it shows and in which order; a click in it chooses a cell."""
    with st.container(horizontal=True):
        unit = choice("Cells show", get_args(Unit), key="cells")
        order = choice("Order", ORDERS, key="order")
    classes = range(len(CLASSES)) if order == ORDERS[0] else evaluation.by_similarity(counts)
    st.plotly_chart(
        figures.confusion(counts, unit, classes, cell),
        config=CHART,
        key="matrix",
        on_select=_take_click,
        selection_mode="points",
    )
    st.caption(
        "Click a cell for its images; the number before a row or above a column for all that were "
        "wrong in it."
    )


def _take_click() -> None:
    """Let a click in the matrix choose the cell, as the two select boxes do."""
    points = st.session_state["matrix"].selection.points
    if points:
        for key, label in zip(("true", "predicted"), points[0]["customdata"], strict=False):
            st.session_state[key] = ANY_CLASS if label is None else CLASSES[label]


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
    def probabilities(self) -> NDArray[np.float32]:
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


def gallery(selection: Selection, row: int) -> None:
    """The garments, each over how sure the model was; a choice among them is where `walk` goes."""
    rows, confidence = selection.rows.tolist(), selection.probabilities.max(1)
    garments.gallery(
        selection.split.images[selection.rows],
        [f"Image {row}: {sure:.1%}" for row, sure in zip(rows, confidence, strict=True)],
        table(selection),
        key="gallery",
        name=selection.name,
        what="images, most confident first",
        filename=re.sub(r"[^a-z0-9]+", "-", selection.name.lower()).strip("-"),
        caption="Most confident first. Below each is how sure the model was.",
        captions=[f"{sure:.0%}" for sure in confidence],
        height=430,
        tile=56,
        picked=rows.index(row),
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


def table(selection: Selection) -> Sequence[dict[str, Any]]:
    """A line for each garment: its row in the split, its class, the answer, all probabilities."""
    return [
        {
            "row": row,
            "true": CLASSES[selection.split.labels[row]],
            "predicted": CLASSES[probabilities.argmax()],
            "confidence": probabilities.max(),
            **dict(zip(CLASSES, probabilities, strict=True)),
        }
        for row, probabilities in zip(selection.rows.tolist(), selection.probabilities, strict=True)
    ]


def garment(
    card: Card, split_name: SplitName, row: int, source: Source, device: torch.device
) -> None:
    """A row of a split, with the answer of one model at length and those of all in short."""
    split = dataset.split(split_name, source)
    image, label = split.images[row], CLASSES[split.labels[row]]
    picture, said, others = st.columns([5, 6, 8], gap="medium")
    with picture:
        st.image(data_url(image, 280), width=280, alt=f"Garment {row}, {label}")
        st.caption(f"Garment {row:,} of the {split_name} split, labelled {label}.")
        widgets.draw_on(split_name, row)
    with said:
        answer, _ = models.answer(card, image[None], device)
        st.caption(f"{card.name} says")
        answers.best(answer.probabilities[0])
        answers.show(list(answer.probabilities), [card.name])
    with others:
        st.caption("Every model")
        widgets.model_answers(image, device)
    training_row = row if split_name == "train" else None
    why(card, image, device, source, training_row=training_row)
