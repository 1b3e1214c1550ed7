"""Results as Plotly figures; colours that text needs come from the page's theme."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fmnist.data import CLASSES
from fmnist.evaluation import CalibrationBin

ACCENT, SECOND = "#e8590c", "#1c7ed6"
MUTED = "rgba(134, 142, 150, 0.45)"
ERRORS = [[0.0, "rgba(232, 89, 12, 0.04)"], [0.4, "rgba(232, 89, 12, 0.55)"], [1.0, "#c2410c"]]
WORSE_TO_BETTER = [
    [0.0, "#c2410c"],
    [0.3, "rgba(232, 89, 12, 0.55)"],
    [0.499, "rgba(232, 89, 12, 0.04)"],
    [0.501, "rgba(34, 139, 230, 0.04)"],
    [0.7, "rgba(34, 139, 230, 0.55)"],
    [1.0, "#1864ab"],
]
MOST_POINTS = 300
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


def class_means(means: Sequence[float], texts: Sequence[str]) -> go.Figure:
    """A mean for each class with how it is written, the largest in colour."""
    colours = [ACCENT if mean == max(means) else MUTED for mean in means]
    return _class_bars(np.array(means), texts, colours)


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


def class_intervals(values: Sequence[float], intervals: Sequence[tuple[float, float]]) -> go.Figure:
    """A figure of each class as a dot, with the interval it could as well be in."""
    lows, highs = zip(*intervals, strict=True)
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=CLASSES,
            mode="markers",
            marker={"color": ACCENT, "size": 9},
            error_x={
                "array": np.subtract(highs, values),
                "arrayminus": np.subtract(values, lows),
                "color": ACCENT,
                "thickness": 2,
                "width": 5,
            },
            customdata=intervals,
            hovertemplate="%{y}: %{x:.3f}, from %{customdata[0]:.3f} to %{customdata[1]:.3f}"
            "<extra></extra>",
        )
    )
    figure.update_layout(height=320, margin=MARGIN)
    figure.update_xaxes(fixedrange=True, zeroline=False)
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    return figure


def class_lines(
    lines: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    chosen: int,
    x_title: str,
    y_title: str,
) -> go.Figure:
    """A line (x, y) of shares for each class, the chosen one in colour and over the others."""
    figure = go.Figure()
    for label in [*(label for label in range(len(CLASSES)) if label != chosen), chosen]:
        # No screen shows more points, and a page with all of them opens slowly.
        x, y = (_thinned(values) for values in lines[label])
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name=CLASSES[label],
            line={"color": ACCENT, "width": 3} if label == chosen else {"color": MUTED, "width": 1},
            hovertemplate="%{x:.1%}, %{y:.1%}",
        )
    return _of_shares(figure, x_title, y_title)


def reliability(curves: Mapping[str, Sequence[CalibrationBin]]) -> go.Figure:
    """Accuracy against confidence by name; the diagonal is a model that is as sure as right."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": MUTED, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
    )
    for (name, bins), colour in zip(curves.items(), (SECOND, ACCENT), strict=False):
        images = sum(part.images for part in bins)
        figure.add_scatter(
            x=[part.confidence for part in bins],
            y=[part.accuracy for part in bins],
            customdata=[part.images for part in bins],
            name=name,
            mode="lines+markers",
            line_color=colour,
            # A dot's area is its share of the images.
            marker_size=[4 + 20 * (part.images / images) ** 0.5 for part in bins],
            hovertemplate="%{x:.1%} sure, %{y:.1%} right, %{customdata:,} images",
        )
    _of_shares(figure, "how sure the model is", "how often it is right")
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12})
    return figure


def coverage(
    shares: NDArray[np.float64], accuracies: NDArray[np.float64], point: tuple[float, float]
) -> go.Figure:
    """Accuracy of the answers against the share of images answered, with the chosen point."""
    figure = go.Figure()
    figure.add_scatter(
        x=_thinned(shares),
        y=_thinned(accuracies),
        mode="lines",
        line_color=MUTED,
        hovertemplate="%{x:.1%} answered, %{y:.2%} of them right<extra></extra>",
    )
    x, y = point
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker={"color": ACCENT, "size": 13},
        hovertemplate="%{x:.1%} answered, %{y:.2%} of them right<extra></extra>",
    )
    _of_shares(figure, "images answered", "of these, right")
    figure.update_yaxes(range=[min(0.98, accuracies.min()) - 0.01, 1.003])
    return figure


def _thinned(values: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).astype(int))
    return np.take(values, kept)


def _of_shares(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
    """Both axes from 0 to 100 %."""
    figure.update_layout(
        height=320, margin={**MARGIN, "r": 24}, showlegend=False, hovermode="closest"
    )
    plain = {"range": [-0.01, 1.02], "tickformat": ".0%", "fixedrange": True, "zeroline": False}
    figure.update_xaxes(title=x_title, **plain)
    figure.update_yaxes(title=y_title, **plain)
    return figure


def difference(matrix: NDArray[np.int64], chosen: tuple[int, int] | None) -> go.Figure:
    """By how many images each cell of the confusion matrix changed, (10, 10).

    Orange is for the worse, more errors or fewer right answers, and blue for the better. A click
    chooses a cell as in `confusion`.
    """
    gain = np.where(np.eye(len(CLASSES), dtype=bool), matrix, -matrix)
    most = max(int(np.abs(gain).max()), 1)
    figure = go.Figure()
    figure.add_heatmap(
        z=gain,
        zmin=-most,
        zmax=most,
        colorscale=WORSE_TO_BETTER,
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    true, predicted = (axis.ravel() for axis in np.indices(matrix.shape))
    texts = np.array([f"{change:+,}" for change in matrix.ravel()])
    strong = np.abs(gain).ravel() > 0.4 * most
    for here, colour in ((strong, "white"), (~strong & (gain.ravel() != 0), None)):
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
        customdata=np.stack([true, predicted], axis=1).tolist(),
        text=[
            f"{CLASSES[row]} named {CLASSES[column]}: {change}"
            for row, column, change in zip(true, predicted, texts, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
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
    figure.update_layout(
        height=560,
        margin={**MARGIN, "r": 4},
        hovermode="closest",
        hoverdistance=60,
        dragmode=False,
        clickmode="event+select",
    )
    labels = {"tickvals": list(range(len(CLASSES))), "ticktext": CLASSES}
    plain = {"fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_xaxes(
        side="top", title="predicted", tickangle=-90, range=[-0.5, 9.5], **labels, **plain
    )
    figure.update_yaxes(title="true", range=[9.5, -0.5], **labels, **plain)
    return figure
