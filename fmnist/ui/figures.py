"""Results as Plotly figures; colours that text needs come from the page's theme."""

import html
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from itertools import cycle
from typing import Any, ParamSpec

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from fmnist import words
from fmnist.analysis.evaluation import CalibrationBin
from fmnist.analysis.reported import Reported
from fmnist.data.splits import CLASSES
from fmnist.words import _, number, said

ACCENT, SECOND = "#e8590c", "#1c7ed6"
MUTED = "rgba(134, 142, 150, 0.45)"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
"""How lines are told apart by whoever doesn't see their colours."""
SYMBOLS = (
    "circle", "square", "diamond", "cross", "x", "triangle-up", "star", "circle-open",
    "square-open", "diamond-open",
)  # fmt: skip
"""How classes are told apart by whoever doesn't see their colours."""
MOST_POINTS = 300
NOTHING_ELSE = "<extra></extra>"
"""Ends what is shown of a point, which else has its line's name beside it."""
MARGIN = {"l": 0, "r": 0, "t": 8, "b": 0}
SHARES = {"autorangeoptions": {"clipmin": 0, "clipmax": 1}}
"""An axis of shares ends where they do, however few there are."""

Arguments = ParamSpec("Arguments")


def _drawn(draw: Callable[Arguments, go.Figure]) -> Callable[Arguments, go.Figure]:
    """Keep the figures that a function draws, in each language.

    Plotly takes longer to check a figure than everything else on its page takes together.
    """

    def in_language(language: str, *args: Arguments.args, **kwargs: Arguments.kwargs) -> go.Figure:
        return _with_separators(draw(*args, **kwargs))

    in_language.__qualname__ = draw.__qualname__  # by which Streamlit knows a cache
    kept = st.cache_resource(max_entries=100, show_spinner=False)(in_language)

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> go.Figure:
        return kept(words.language(), *args, **kwargs)

    return drawn


def _with_separators(figure: go.Figure) -> go.Figure:
    """The figure, its numbers written as the reader's language does."""
    return figure.update_layout(separators=words.decimal_and_group())


@_drawn
def class_counts(labels: NDArray[np.uint8]) -> go.Figure:
    """How many images each class has."""
    counts = np.bincount(labels, minlength=len(CLASSES))
    return _class_bars(counts, [number(count) for count in counts], [MUTED] * len(CLASSES))


@_drawn
def class_means(means: Sequence[float], texts: Sequence[str]) -> go.Figure:
    """A mean for each class with how it is written, the largest in colour."""
    colours = [ACCENT if mean == max(means) else MUTED for mean in means]
    return _class_bars(np.array(means), texts, colours)


def _classes() -> list[str]:
    return [said(name) for name in CLASSES]


def _class_bars(values: NDArray[Any], texts: Sequence[str], colours: Sequence[str]) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=values,
            y=_classes(),
            orientation="h",
            text=texts,
            textposition="outside",
            cliponaxis=False,
            marker_color=colours,
            hovertemplate="%{y}: %{text}" + NOTHING_ELSE,
        )
    )
    figure.update_layout(height=320, margin={**MARGIN, "r": 40}, bargap=0.25)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    return figure


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
            name=html.escape(name, quote=False),  # Plotly takes names for HTML
            mode="lines+markers" if len(points) < 60 else "lines",
            line={"color": ACCENT if len(runs) == 1 else None, "dash": dash},
            marker_size=5,
            cliponaxis=False,
            hovertemplate=_("epoch %{x:.1f}: %{y:.4f}") + "<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        height=260,
        margin={**MARGIN, "t": 32},
        title=title,
        title_font_size=14,
        showlegend=len(runs) > 1,
        legend={"orientation": "h", "y": -0.3},
    )
    figure.update_xaxes(title=_("epoch"), rangemode="tozero", fixedrange=True)
    accuracy = "accuracy" in quantity
    figure.update_yaxes(fixedrange=True, **({"tickformat": ".0%"} | SHARES if accuracy else {}))
    return _with_separators(figure)


@_drawn
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
            "<br>".join(said(part) for part in (other.name, other.source, other.remark) if part)
            for other in published
        ],
        name=_("Published"),
        mode="markers",
        marker={"color": SECOND, "size": 11, "symbol": "circle-open", "line": {"width": 2}},
        hovertemplate=_("%{text}<br>%{y:.2%}, %{x:,} parameters") + NOTHING_ELSE,
    )
    figure.add_scatter(
        x=parameters,
        y=accuracies,
        text=[html.escape(name, quote=False) for name in names],
        name=_("Here"),
        mode="markers+text",
        textposition=_label_places(
            here, [(other.parameters, other.accuracy) for other in published if other.parameters]
        ),
        marker={"color": ACCENT, "size": 11},
        hovertemplate=_("%{text}<br>%{y:.2%}, %{x:,} parameters") + NOTHING_ELSE,
    )
    figure.update_layout(
        height=440, margin={**MARGIN, "t": 24}, legend={"orientation": "h", "y": 1.08}
    )
    figure.update_xaxes(type="log", dtick=1, title=_("parameters"), fixedrange=True)
    figure.update_yaxes(title=_("test accuracy"), tickformat=".1%", fixedrange=True, **SHARES)
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
    for (name, _parameters, _accuracy), (left, low) in zip(here, points, strict=False):
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


@_drawn
def class_intervals(values: Sequence[float], intervals: Sequence[tuple[float, float]]) -> go.Figure:
    """A figure of each class as a dot, with the interval it could as well be in."""
    lows, highs = zip(*intervals, strict=True)
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=_classes(),
            mode="markers",
            cliponaxis=False,
            marker={"color": ACCENT, "size": 9},
            error_x={
                "array": np.subtract(highs, values),
                "arrayminus": np.subtract(values, lows),
                "color": ACCENT,
                "thickness": 2,
                "width": 5,
            },
            customdata=intervals,
            hovertemplate=_("%{y}: %{x:.3f}, from %{customdata[0]:.3f} to %{customdata[1]:.3f}")
            + NOTHING_ELSE,
        )
    )
    figure.update_layout(height=320, margin=MARGIN)
    figure.update_xaxes(fixedrange=True, zeroline=False, **SHARES)
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    return figure


@_drawn
def class_lines(
    lines: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    chosen: int,
    x_title: str,
    y_title: str,
) -> go.Figure:
    """A line (x, y), 0 to 1 both ways, for each class; the chosen one in colour over the others."""
    figure = go.Figure()
    for label in [*(label for label in range(len(CLASSES)) if label != chosen), chosen]:
        x, y = (_thinned(values) for values in lines[label])
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name=said(CLASSES[label]),
            line={"color": ACCENT, "width": 3} if label == chosen else {"color": MUTED, "width": 1},
            hovertemplate="%{x:.1%}, %{y:.1%}",
        )
    return _in_per_cent(figure, x_title, y_title)


@_drawn
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
            cliponaxis=False,
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            # A dot's area is its share of the images.
            marker_size=[4 + 20 * (part.images / images) ** 0.5 for part in bins],
            hovertemplate=_("%{x:.1%} sure, %{y:.1%} right, %{customdata:,} images"),
        )
    _in_per_cent(figure, _("how sure the model is"), _("how often it is right"))
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12})
    return figure


@_drawn
def coverage(
    coverages: NDArray[np.float64], accuracies: NDArray[np.float64], point: tuple[float, float]
) -> go.Figure:
    """Accuracy of the answers against the share of images answered, with the chosen point."""
    figure = go.Figure()
    figure.add_scatter(
        x=_thinned(coverages),
        y=_thinned(accuracies),
        mode="lines",
        name=_("with every threshold"),
        line_color=MUTED,
        hovertemplate=_("%{x:.1%} answered, %{y:.2%} of them right") + NOTHING_ELSE,
    )
    x, y = point
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        name=_("with the chosen one"),
        marker={"color": ACCENT, "size": 13},
        hovertemplate=_("%{x:.1%} answered, %{y:.2%} of them right") + NOTHING_ELSE,
    )
    _in_per_cent(figure, _("images answered"), _("of these, right"))
    figure.update_layout(showlegend=False)
    figure.update_yaxes(range=[min(0.98, accuracies.min()) - 0.01, 1.003])
    return figure


def _thinned(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """As many of the values as a screen shows, as exact as it shows them: half as much to send."""
    kept = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).astype(int))
    return np.take(values, kept).astype(np.float32)


def _in_per_cent(figure: go.Figure, x_title: str, y_title: str) -> go.Figure:
    """Both axes from 0 to 100 %."""
    figure.update_layout(
        height=320, margin={**MARGIN, "r": 24}, showlegend=False, hovermode="closest"
    )
    plain = {"range": [-0.01, 1.02], "tickformat": ".0%", "fixedrange": True, "zeroline": False}
    figure.update_xaxes(title=x_title, **plain)
    figure.update_yaxes(title=y_title, **plain)
    return figure


def robustness(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[tuple[float, float]]]],
    unit: str,
) -> go.Figure:
    """Accuracy of models, by name, at strengths in a unit, with the interval of each point."""
    figure = go.Figure()
    for (name, (strengths, shares, bounds)), colour, dash in zip(
        curves.items(), (ACCENT, SECOND), DASHES, strict=False
    ):
        lows, highs = zip(*bounds, strict=True)
        figure.add_scatter(
            x=strengths,
            y=shares,
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            error_y={
                "array": np.subtract(highs, shares),
                "arrayminus": np.subtract(shares, lows),
                "color": colour,
                "thickness": 1,
                "width": 4,
            },
            hovertemplate=f"%{{x}} {unit}: %{{y:.1%}}",
        )
    figure.update_layout(
        height=340,
        margin={**MARGIN, "t": 24},
        showlegend=True,
        legend={"orientation": "h", "y": 1.12},
    )
    figure.update_xaxes(title=unit, fixedrange=True, zeroline=False)
    figure.update_yaxes(
        title=_("named right"),
        tickformat=".0%",
        range=[-0.02, 1.02],
        fixedrange=True,
        zeroline=False,
    )
    return _with_separators(figure)


def places(positions: NDArray[np.float32], labels: NDArray[np.uint8], reach: float) -> go.Figure:
    """Images at positions (N, 2), by class in colour and symbol; both axes go to `reach`."""
    figure = go.Figure()
    for label, name in enumerate(CLASSES):
        here = positions[labels == label]
        figure.add_scatter(
            x=here[:, 0],
            y=here[:, 1],
            name=said(name),
            mode="markers",
            marker={"symbol": SYMBOLS[label], "size": 7},
            hovertemplate=said(name) + NOTHING_ELSE,
        )
    figure.update_layout(height=400, margin=MARGIN, legend={"orientation": "h", "y": -0.15})
    plain = {"range": [-1.05 * reach, 1.05 * reach], "fixedrange": True, "showticklabels": False}
    figure.update_xaxes(title=_("first direction"), **plain)
    figure.update_yaxes(title=_("second direction"), **plain)
    return figure


def table(figure: go.Figure) -> list[dict[str, Any]]:
    """Every bar or point of a figure, a row each, under what its axes are called."""
    axes, named = figure.layout, [trace for trace in figure.data if trace.hoverinfo != "skip"]
    rows = []
    for trace in named:
        of = {_("Of"): html.unescape(trace.name)} if len(named) > 1 else {}
        for x, y in zip(trace.x, trace.y, strict=True):
            across = axes.xaxis.title.text or _("Value")
            up = axes.yaxis.title.text or (_("Class") if isinstance(y, str) else axes.title.text)
            rows.append(of | ({up: y, across: x} if isinstance(y, str) else {across: x, up: y}))
    return rows
