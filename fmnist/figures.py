"""Results as Plotly figures; colours that text needs come from the page's theme."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fmnist.data import CLASSES

ACCENT = "#e8590c"
MUTED = "rgba(134, 142, 150, 0.45)"
ERRORS = [[0.0, "rgba(232, 89, 12, 0.04)"], [0.4, "rgba(232, 89, 12, 0.55)"], [1.0, "#c2410c"]]
Unit = Literal["Counts", "Row %", "Column %"]
HEADS = -1.2
"""Where the heads of rows and columns stand, before the first at 0."""
MARGIN = {"l": 0, "r": 0, "t": 8, "b": 0}


def probability_bars(shares: NDArray[np.float32]) -> go.Figure:
    """The ten probabilities (10,) as bars, the largest in colour."""
    best = shares.argmax()
    colours = [ACCENT if label == best else MUTED for label in range(len(CLASSES))]
    figure = _class_bars(shares, [f"{share:.1%}" for share in shares], colours)
    # Room for the number beyond a bar of 100 %.
    figure.update_xaxes(range=[0, 1.3])
    return figure


def class_counts(labels: NDArray[np.uint8]) -> go.Figure:
    """How many images each class has."""
    counts = np.bincount(labels, minlength=len(CLASSES))
    return _class_bars(counts, [f"{count:,}" for count in counts], [MUTED] * len(CLASSES))


def _class_bars(values: NDArray[Any], texts: Sequence[str], colours: Sequence[str]) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=values,
            y=CLASSES,
            orientation="h",
            text=texts,
            textposition="outside",
            cliponaxis=False,
            marker_color=colours,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    figure.update_layout(height=320, margin={**MARGIN, "r": 40}, bargap=0.25)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    return figure


def confusion(
    matrix: NDArray[np.int64],
    unit: Unit = "Counts",
    order: Sequence[int] = range(len(CLASSES)),
    chosen: tuple[int | None, int | None] | None = None,
) -> go.Figure:
    """The confusion matrix (10, 10) with its classes in an order, its diagonal muted.

    Before each row and column stands its head: how many of its images were named wrong. Plotly's
    heatmaps can't be selected in Streamlit, so an invisible marker in each cell takes the click;
    its customdata is (true, predicted, count), with None for any class as in `chosen`.
    """
    counts, values = _with_heads(matrix[np.ix_(order, order)], unit)
    classes = [None, *order]
    places = [HEADS, *range(len(order))]
    shown = np.where(np.eye(len(order), dtype=bool), np.nan, values[1:, 1:])
    head, strong = np.ones(values.shape, bool), np.zeros(values.shape, bool)
    head[1:, 1:], strong[1:, 1:] = False, shown > 0.4 * np.nanmax(shown)
    cells = list(np.ndindex(values.shape))
    y, x = (np.array([places[cell[axis]] for cell in cells]) for axis in (0, 1))
    texts = np.array(
        [f"{v:,.0f}" if unit == "Counts" else f"{100 * v:.1f}" for v in values.ravel()]
    )
    figure = go.Figure()
    figure.add_heatmap(
        z=shown,
        colorscale=ERRORS,
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    for written, font in (
        (head, {"size": 11, "weight": "bold"}),
        (strong, {"size": 11, "color": "white"}),
        (~head & ~strong, {"size": 11}),
    ):
        here = (written & (counts > 0)).ravel()
        figure.add_scatter(
            x=x[here],
            y=y[here],
            mode="text",
            text=texts[here],
            textfont=font,
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[
            [classes[row], classes[column], int(counts[row, column])] for row, column in cells
        ],
        text=[cell_name(classes[row], classes[column]) for row, column in cells],
        hovertemplate="%{text}: %{customdata[2]:,}<extra></extra>",
        showlegend=False,
    )
    if chosen:
        edges = []
        for wanted in chosen:
            place = HEADS if wanted is None else order.index(wanted)
            whole = wanted is None and chosen != (None, None)
            edges.append((place - 0.5, len(order) - 0.5 if whole else place + 0.5))
        (y0, y1), (x0, x1) = edges
        figure.add_shape(
            type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line={"color": ACCENT, "width": 3}
        )
    # A click anywhere in the matrix means the nearest cell.
    figure.update_layout(
        height=540,
        margin={**MARGIN, "r": 4},
        hovermode="closest",
        hoverdistance=60,
        dragmode=False,
        clickmode="event+select",
    )
    labels = {"tickvals": places, "ticktext": ["wrong", *(CLASSES[label] for label in order)]}
    plain = {"fixedrange": True, "showgrid": False, "zeroline": False}
    end = len(order) - 0.5
    figure.update_xaxes(
        side="top", title="predicted", tickangle=-90, range=[HEADS - 0.5, end], **labels, **plain
    )
    figure.update_yaxes(title="true", range=[end, HEADS - 0.5], **labels, **plain)
    return figure


def cell_name(true: int | None, predicted: int | None) -> str:
    """What the images of a cell are, in words; None stands for any class."""
    if true is None and predicted is None:
        return "All errors"
    if true is None:
        return f"Wrongly named {CLASSES[predicted or 0]}"
    return f"{CLASSES[true]} named {'wrong' if predicted is None else CLASSES[predicted]}"


def _with_heads(
    matrix: NDArray[np.int64], unit: Unit
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts and shown values (11, 11): before each row and column what was named wrong in it.

    In per cent a cell is measured by its row or its column, and a head by what it stands before.
    """
    rows, columns, right = matrix.sum(1)[:, None], matrix.sum(0), matrix.diagonal()
    counts = np.block(
        [[matrix.sum() - right.sum(), columns - right], [rows - right[:, None], matrix]]
    )
    if unit == "Counts":
        return counts, counts.astype(np.float64)
    of_cells = np.broadcast_to(rows if unit == "Row %" else columns, matrix.shape)
    wholes = np.block([[matrix.sum(), columns], [rows, of_cells]])
    return counts, counts / np.maximum(wholes, 1)


def training_curves(
    runs: Mapping[str, Sequence[Mapping[str, Any]]], quantity: str, title: str
) -> go.Figure:
    """One reported quantity of one or several runs, by name, against their epochs."""
    figure = go.Figure()
    for name, reports in runs.items():
        points = [report for report in reports if quantity in report]
        figure.add_scatter(
            x=[report["step"] * report["epochs"] / report["steps"] for report in points],
            y=[report[quantity] for report in points],
            name=name,
            mode="lines+markers" if len(points) < 60 else "lines",
            line_color=ACCENT if len(runs) == 1 else None,
            marker_size=5,
            hovertemplate="epoch %{x:.1f}: %{y:.4f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        height=260,
        margin={**MARGIN, "t": 32},
        title=title,
        title_font_size=14,
        showlegend=len(runs) > 1,
        legend={"orientation": "h", "y": -0.3},
    )
    figure.update_xaxes(title="epoch", rangemode="tozero", fixedrange=True)
    accuracy = "accuracy" in quantity
    figure.update_yaxes(fixedrange=True, tickformat=".0%" if accuracy else None)
    return figure
