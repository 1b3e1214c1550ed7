"""Results as Plotly figures; colours that text needs come from the page's theme."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fmnist.analysis.evaluation import CalibrationBin
from fmnist.analysis.reported import Reported
from fmnist.data.splits import CLASSES

ACCENT, SECOND = "#e8590c", "#1c7ed6"
MUTED = "rgba(134, 142, 150, 0.45)"
ERRORS = [[0.0, "rgba(232, 89, 12, 0.04)"], [0.4, "rgba(232, 89, 12, 0.55)"], [1.0, "#c2410c"]]
Unit = Literal["Counts", "Row %", "Column %"]
HEADS = -1.2
"""Where the heads of rows and columns stand, before the first at 0."""
WORSE_TO_BETTER = [
    [0.0, "#c2410c"],
    [0.3, "rgba(232, 89, 12, 0.55)"],
    [0.499, "rgba(232, 89, 12, 0.04)"],
    [0.501, "rgba(34, 139, 230, 0.04)"],
    [0.7, "rgba(34, 139, 230, 0.55)"],
    [1.0, "#1864ab"],
]
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
"""How lines are told apart by whoever doesn't see their colours."""
MOST_POINTS = 300
MARGIN = {"l": 0, "r": 0, "t": 8, "b": 0}


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
    figure = _heatmap(shown, colorscale=ERRORS)
    for written, font in (
        (head, {"size": 11, "weight": "bold"}),
        (strong, {"size": 11, "color": "white"}),
        (~head & ~strong, {"size": 11}),
    ):
        here = (written & (counts > 0)).ravel()
        _write(figure, x[here], y[here], texts[here], font)
    _take_clicks(
        figure,
        x,
        y,
        customdata=[
            [classes[row], classes[column], int(counts[row, column])] for row, column in cells
        ],
        text=[cell_name(classes[row], classes[column]) for row, column in cells],
        hovertemplate="%{text}: %{customdata[2]:,}<extra></extra>",
    )
    if chosen:
        edges = []
        for wanted in chosen:
            place = HEADS if wanted is None else order.index(wanted)
            whole = wanted is None and chosen != (None, None)
            edges.append((place - 0.5, len(order) - 0.5 if whole else place + 0.5))
        _frame(figure, *edges)
    _lay_out(figure, places, ["wrong", *(CLASSES[label] for label in order)])
    return figure


def _heatmap(values: NDArray[Any], **colours: Any) -> go.Figure:
    return go.Figure(
        go.Heatmap(z=values, showscale=False, hoverinfo="skip", xgap=2, ygap=2, **colours)
    )


def _write(
    figure: go.Figure, x: NDArray[Any], y: NDArray[Any], texts: NDArray[Any], font: dict[str, Any]
) -> None:
    figure.add_scatter(
        x=x, y=y, mode="text", text=texts, textfont=font, hoverinfo="skip", showlegend=False
    )


def _take_clicks(figure: go.Figure, x: NDArray[Any], y: NDArray[Any], **cells: Any) -> None:
    """Put an invisible marker in each cell; a click anywhere then means the nearest."""
    hidden = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"symbol": "square", "size": 26, "opacity": 0},
        selected=hidden,
        unselected=hidden,
        showlegend=False,
        **cells,
    )
    figure.update_layout(
        hovermode="closest", hoverdistance=60, dragmode=False, clickmode="event+select"
    )


def _frame(figure: go.Figure, rows: tuple[float, float], columns: tuple[float, float]) -> None:
    (y0, y1), (x0, x1) = rows, columns
    figure.add_shape(type="rect", x0=x0, x1=x1, y0=y0, y1=y1, line={"color": ACCENT, "width": 3})


def _lay_out(figure: go.Figure, places: Sequence[float], names: Sequence[str]) -> None:
    """True classes down and predicted ones across, each with its name."""
    first, end = places[0] - 0.5, places[-1] + 0.5
    labels = {"tickvals": list(places), "ticktext": names}
    plain = {"fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_layout(height=540, margin={**MARGIN, "r": 4})
    figure.update_xaxes(
        side="top", title="predicted", tickangle=-90, range=[first, end], **labels, **plain
    )
    figure.update_yaxes(title="true", range=[end, first], **labels, **plain)


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
    """One quantity in the progress of one or several runs, by name, against their epochs."""
    figure = go.Figure()
    for (name, progress), dash in zip(runs.items(), cycle(DASHES)):
        points = [line for line in progress if quantity in line]
        figure.add_scatter(
            x=[line["step"] * line["epochs"] / line["steps"] for line in points],
            y=[line[quantity] for line in points],
            name=name,
            mode="lines+markers" if len(points) < 60 else "lines",
            line={"color": ACCENT if len(runs) == 1 else None, "dash": dash},
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


def by_parameters(
    here: Sequence[tuple[str, int, float]], published: Sequence[Reported]
) -> go.Figure:
    """Test accuracy against parameters: models here as (name, parameters, accuracy), and others."""
    names, parameters, accuracies = zip(*here, strict=True) if here else ((), (), ())
    figure = go.Figure()
    figure.add_scatter(
        x=[other.parameters for other in published],
        y=[other.accuracy for other in published],
        text=[
            f"{other.name}<br>{other.source}" + (f"<br>{other.remark}" if other.remark else "")
            for other in published
        ],
        name="Published",
        mode="markers",
        marker={"color": SECOND, "size": 11, "symbol": "circle-open", "line": {"width": 2}},
        hovertemplate="%{text}<br>%{y:.2%}, %{x:,} parameters<extra></extra>",
    )
    figure.add_scatter(
        x=parameters,
        y=accuracies,
        text=names,
        name="Here",
        mode="markers+text",
        textposition=_label_places(
            here, [(other.parameters, other.accuracy) for other in published if other.parameters]
        ),
        marker={"color": ACCENT, "size": 11},
        hovertemplate="%{text}<br>%{y:.2%}, %{x:,} parameters<extra></extra>",
    )
    figure.update_layout(
        height=440, margin={**MARGIN, "t": 24}, legend={"orientation": "h", "y": 1.08}
    )
    figure.update_xaxes(type="log", dtick=1, title="parameters", fixedrange=True)
    figure.update_yaxes(title="test accuracy", tickformat=".1%", fixedrange=True)
    return figure


def _label_places(
    here: Sequence[tuple[str, int, float]], others: Sequence[tuple[int, float]]
) -> list[str]:
    """Where each point's label stands: where it hides the least of all points and labels before."""
    # In pixels of a window 1280 wide, roughly; what is apart there is read on a phone by a tap.
    marks = [*((parameters, accuracy) for _, parameters, accuracy in here), *others]
    points = [(240 * np.log10(parameters), 3500 * accuracy) for parameters, accuracy in marks]
    boxes = [(left - 6, low - 6, left + 6, low + 6) for left, low in points]
    # On a phone the figure ends where our first point is.
    first = min((left for left, _ in points[: len(here)]), default=0) - 6
    boxes.append((first - 999, -np.inf, first, np.inf))
    places = []
    for (name, *_), (left, low) in zip(here, points, strict=False):
        half = 3.5 * len(name)
        choices = {
            "top center": (left - half, low + 7, left + half, low + 21),
            "bottom center": (left - half, low - 21, left + half, low - 7),
            "middle right": (left + 8, low - 7, left + 8 + 2 * half, low + 7),
            "middle left": (left - 8 - 2 * half, low - 7, left - 8, low + 7),
        }
        place = min(choices, key=lambda way: sum(_shared(choices[way], box) for box in boxes))
        places.append(place)
        boxes.append(choices[place])
    return places


def _shared(a: Sequence[float], b: Sequence[float]) -> float:
    """The area that two boxes (left, low, right, high) have in common."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


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
    """A line (x, y), 0 to 1 both ways, for each class; the chosen one in colour over the others."""
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
    return _in_per_cent(figure, x_title, y_title)


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
    for (name, bins), colour, dash in zip(curves.items(), (SECOND, ACCENT), DASHES, strict=False):
        images = sum(part.images for part in bins)
        figure.add_scatter(
            x=[part.confidence for part in bins],
            y=[part.accuracy for part in bins],
            customdata=[part.images for part in bins],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            # A dot's area is its share of the images.
            marker_size=[4 + 20 * (part.images / images) ** 0.5 for part in bins],
            hovertemplate="%{x:.1%} sure, %{y:.1%} right, %{customdata:,} images",
        )
    _in_per_cent(figure, "how sure the model is", "how often it is right")
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12})
    return figure


def coverage(
    coverages: NDArray[np.float64], accuracies: NDArray[np.float64], point: tuple[float, float]
) -> go.Figure:
    """Accuracy of the answers against the share of images answered, with the chosen point."""
    figure = go.Figure()
    figure.add_scatter(
        x=_thinned(coverages),
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
    _in_per_cent(figure, "images answered", "of these, right")
    figure.update_yaxes(range=[min(0.98, accuracies.min()) - 0.01, 1.003])
    return figure


def _thinned(values: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).astype(int))
    return np.take(values, kept)


def _in_per_cent(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
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
    figure = _heatmap(gain, zmin=-most, zmax=most, colorscale=WORSE_TO_BETTER)
    true, predicted = (axis.ravel() for axis in np.indices(matrix.shape))
    texts = np.array([f"{change:+,}" for change in matrix.ravel()])
    strong = np.abs(gain).ravel() > 0.4 * most
    for here, colour in ((strong, "white"), (~strong & (gain.ravel() != 0), None)):
        _write(figure, predicted[here], true[here], texts[here], {"size": 12, "color": colour})
    _take_clicks(
        figure,
        predicted,
        true,
        customdata=np.stack([true, predicted], axis=1).tolist(),
        text=[
            f"{CLASSES[row]} named {CLASSES[column]}: {change}"
            for row, column, change in zip(true, predicted, texts, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    if chosen:
        row, column = chosen
        _frame(figure, (row - 0.5, row + 0.5), (column - 0.5, column + 0.5))
    _lay_out(figure, range(len(CLASSES)), CLASSES)
    return figure


def table(figure: go.Figure) -> list[dict[str, Any]]:
    """Every bar or point of a figure, a row each, under what its axes are called."""
    axes, named = figure.layout, [trace for trace in figure.data if trace.hoverinfo != "skip"]
    rows = []
    for trace in named:
        of = {"Of": trace.name} if len(named) > 1 else {}
        for x, y in zip(trace.x, trace.y, strict=True):
            across = axes.xaxis.title.text or "Value"
            up = axes.yaxis.title.text or ("Class" if isinstance(y, str) else axes.title.text)
            rows.append(of | ({up: y, across: x} if isinstance(y, str) else {across: x, up: y}))
    return rows
