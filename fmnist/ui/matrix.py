"""The confusion matrix to choose from: by a click in it, or by two select boxes."""

from typing import get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist import evaluation, figures
from fmnist.data import CLASSES
from fmnist.ui.widgets import CHART

ANY = "Any class"
MOST_CONFUSED = ("Shirt", "T-shirt/top")
"""The cell to begin with, which is among the fullest of most models."""
ORDERS = ("Dataset", "Similarity")


def choose_cell() -> tuple[int | None, int | None]:
    """Select boxes for the true and the predicted class; None for any, as in `errors`."""
    options = [ANY, *CLASSES]
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
    true, predicted = (None if name == ANY else CLASSES.index(name) for name in names)
    return true, predicted


def matrix(counts: NDArray[np.int64], cell: tuple[int | None, int | None]) -> None:
    """The matrix (10, 10) with what it shows and in which order; a click in it chooses a cell."""
    with st.container(horizontal=True):
        unit = st.segmented_control(
            "Cells show",
            get_args(figures.Unit),
            default="Counts",
            required=True,
            key="cells",
            bind="query-params",
        )
        order = st.segmented_control(
            "Order",
            ORDERS,
            default=ORDERS[0],
            required=True,
            key="order",
            bind="query-params",
        )
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
            st.session_state[key] = ANY if label is None else CLASSES[label]
