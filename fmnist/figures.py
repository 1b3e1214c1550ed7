"""Results as Plotly figures; colours that text needs come from the page's theme."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fmnist.data import CLASSES

ACCENT = "#e8590c"
MUTED = "rgba(134, 142, 150, 0.45)"
ERRORS = [[0.0, "rgba(232, 89, 12, 0.04)"], [0.4, "rgba(232, 89, 12, 0.55)"], [1.0, "#c2410c"]]
MARGIN = {"l": 0, "r": 0, "t": 8, "b": 0}


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
    matrix: NDArray[np.int64], row_shares: bool, chosen: tuple[int, int] | None
) -> go.Figure:
    """The confusion matrix (10, 10), its diagonal muted so that the errors show.

    Plotly's heatmaps can't be selected in Streamlit, so an invisible marker in each cell takes
    the click; its customdata is (true, predicted).
    """
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    values = shares if row_shares else matrix
    shown = np.where(np.eye(len(CLASSES), dtype=bool), np.nan, values)
    true, predicted = (axis.ravel() for axis in np.indices(matrix.shape))
    texts = np.array([f"{value:.1%}" if row_shares else f"{value:,}" for value in values.ravel()])
    strong = shown.ravel() > 0.4 * np.nanmax(shown)
    figure = go.Figure()
    figure.add_heatmap(
        z=shown,
        colorscale=ERRORS,
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    for here, colour in ((strong, "white"), (~strong & (matrix.ravel() > 0), None)):
        figure.add_scatter(
            x=predicted[here],
            y=true[here],
            mode="text",
            text=texts[here],
            textfont={"size": 12, "color": colour},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=predicted,
        y=true,
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=np.stack([true, predicted, matrix.ravel()], axis=1).tolist(),
        text=[f"{CLASSES[row]} named {CLASSES[column]}" for row, column in np.ndindex(10, 10)],
        hovertemplate="%{text}: %{customdata[2]:,}<extra></extra>",
        showlegend=False,
    )
    if chosen:
        row, column = chosen
        figure.add_shape(
            type="rect",
            x0=column - 0.5,
            x1=column + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": ACCENT, "width": 3},
        )
    # A click anywhere in the matrix means the nearest cell.
    figure.update_layout(
        height=560,
        margin={**MARGIN, "r": 48},
        hovermode="closest",
        hoverdistance=60,
        dragmode=False,
        clickmode="event+select",
    )
    labels = {"tickvals": list(range(len(CLASSES))), "ticktext": CLASSES}
    plain = {"fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_xaxes(
        side="top", title="predicted", tickangle=-45, range=[-0.5, 9.5], **labels, **plain
    )
    figure.update_yaxes(title="true", range=[9.5, -0.5], **labels, **plain)
    return figure


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
