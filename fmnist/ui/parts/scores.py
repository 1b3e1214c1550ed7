"""The parts of the scores page."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.analysis import curves, evaluation, intervals
from fmnist.analysis.curves import ClassCurves
from fmnist.analysis.evaluation import Evaluation
from fmnist.analysis.intervals import RESAMPLES
from fmnist.analysis.selection import EVERY, Filter, by_confidence
from fmnist.data.splits import CLASSES, SplitName
from fmnist.ui import figures, selections, widgets
from fmnist.ui.components import confidence
from fmnist.ui.downloads import csv_button
from fmnist.ui.markdown import plain
from fmnist.ui.widgets import choice
from fmnist.weights.card import Card
from fmnist.words import Words, _, number

FIGURES = {Words("Precision"): "precision", Words("Recall"): "recall", "F1": "f1"}
BINS = 15


def by_class(
    matrix: NDArray[np.int64], ranking: Sequence[ClassCurves] | None, filename: str
) -> None:
    """Precision, recall and F1 of each class with their intervals, drawn and as a table.

    With the areas under the curves, where there are any.
    """
    rows, sure = evaluation.per_class(matrix), intervals.per_class(matrix)
    figure = choice(_("Figure"), list(FIGURES), default="F1", key="figure")
    values, bounds = (
        [getattr(row, FIGURES[figure]) for row in of_classes] for of_classes in (rows, sure)
    )
    widgets.chart(
        figures.class_intervals(values, bounds), "intervals", _("Each class with its interval")
    )
    st.caption(
        _(
            "Each line holds 95 of 100 values of the bootstrap: the images drawn anew {times:,} "
            "times, with repetition.",
            times=RESAMPLES,
        )
    )
    table: list[dict[str, Any]] = []
    for label, (row, interval) in enumerate(zip(rows, sure, strict=True)):
        line: dict[str, Any] = {Words("Class"): CLASSES[label], Words("Images"): row.support}
        for title, figure in FIGURES.items():
            low, high = getattr(interval, figure)
            line[title] = getattr(row, figure)
            line[Words("{figure} from", figure=title)] = low
            line[Words("{figure} to", figure=title)] = high
        if ranking:
            of_class = ranking[label]
            line[Words("Average precision")] = of_class.average_precision
            line["AUC"] = of_class.area
        table.append(line)
    widgets.table(
        table,
        {name: "{:.3f}" for name in table[0] if name not in ("Class", "Images")},
        columns={f"{title} from": st.column_config.Column(_("from")) for title in FIGURES}
        | {f"{title} to": st.column_config.Column(_("to")) for title in FIGURES},
    )
    csv_button(_("Table as CSV"), table, filename, "by class")


def of_chosen(
    answers: Evaluation, rows: NDArray[np.int64], card: Card, split_name: SplitName
) -> None:
    """How good and how sure the model is of chosen images; a bar leaves those of its interval."""
    right = (answers.predictions == answers.labels)[rows].mean() if len(rows) else 0
    st.header(_("The chosen images"))
    st.markdown(
        _(
            "{model} names **{right:.2%}** of the {n:,} chosen image right.",
            "{model} names **{right:.2%}** of the {n:,} chosen images right.",
            model=plain(card.label),
            right=right,
            n=len(rows),
        )
    )
    confidence.confidence(
        by_confidence(answers, rows, card.temperature),
        key="confidence",
        chosen=EVERY,
        on_choose=partial(_take_interval, answers, rows, card.temperature, split_name),
    )


def _take_interval(
    answers: Evaluation, rows: NDArray[np.int64], temperature: float, split_name: SplitName
) -> None:
    interval = confidence.taken(st.session_state["confidence"].get("chosen"))
    if interval:
        passes = Filter(interval, rows=rows).passes(answers, temperature)
        selections.choose(split_name, np.flatnonzero(passes), len(passes))


def against_rest(ranking: Sequence[ClassCurves]) -> None:
    """Precision-recall and ROC curve of a class to choose, over those of the others."""
    name = widgets.select(_("Class"), CLASSES, CLASSES[6], key="against")
    label = CLASSES.index(name)
    precision_recall, roc = st.columns(2, gap="large")
    with precision_recall:
        st.subheader(_("Precision and recall"))
        lines = [(of_class.recall, of_class.precision) for of_class in ranking]
        figure = figures.class_lines(lines, label, _("recall"), _("precision"))
        widgets.chart(figure, "precision and recall", _("Precision against recall, class by class"))
        st.caption(
            _(
                "{label}: average precision {precision:.3f}. The more of its images are found (to "
                "the right), the more others come along (down).",
                label=CLASSES[label],
                precision=ranking[label].average_precision,
            )
        )
    with roc:
        st.subheader(_("ROC"))
        lines = [
            (of_class.false_positive_rate, of_class.true_positive_rate) for of_class in ranking
        ]
        figure = figures.class_lines(
            lines, label, _("false positive rate"), _("true positive rate")
        )
        widgets.chart(figure, "roc", _("True against false positives, class by class"))
        st.caption(
            _(
                "{label}: area {area:.4f}. It flatters: nine images in ten are of other classes, "
                "so a small rate of false positives is many images.",
                label=CLASSES[label],
                area=ranking[label].area,
            )
        )


def calibration(answers: Evaluation, temperature: float) -> None:
    """The reliability diagram and the expected calibration error, before and after temperature."""
    temperatures = {_("as trained"): 1.0, _("at its temperature"): temperature}
    diagram, errors = st.columns([3, 2], gap="large", vertical_alignment="center")
    figure = figures.reliability(
        {name: evaluation.calibration(answers, BINS, t) for name, t in temperatures.items()}
    )
    with diagram:
        widgets.chart(figure, "reliability", _("How often it is right, by how sure it is"))
    with errors:
        for name, t in temperatures.items():
            error = evaluation.expected_calibration_error(answers, BINS, t)
            st.metric(_("Expected calibration error {when}", when=name), number(error, ".2%"))
        st.caption(
            _(
                "By how much confidence and accuracy differ, on average over the images. Dividing "
                "the logits by the temperature, {temperature:.2f}, changes how sure the model is "
                "but not what it says.",
                temperature=temperature,
            )
            if temperature != 1
            else _("This model has no temperature of its own, so nothing changes.")
        )


@st.fragment
def abstain(answers: Evaluation, temperature: float) -> None:
    """A slider of confidence and what it does to coverage and accuracy.

    Its own fragment, so that it moves without the rest of the page.
    """
    percent = st.slider(
        _("Abstain below this confidence"),
        0,
        100,
        80,
        format="%d %%",
        key="threshold",
        bind="query-params",
    )
    given = curves.abstention(answers, percent / 100, temperature)
    errors = (answers.predictions != answers.labels).sum()
    numbers = st.columns(3)
    numbers[0].metric(_("Answered"), number(given.coverage, ".1%"))
    numbers[1].metric(_("Of these, right"), number(given.accuracy, ".2%"))
    numbers[2].metric(_("Errors left"), _("{left:,} of {all:,}", left=given.errors, all=errors))
    coverages, accuracies = curves.accuracy_by_coverage(answers, temperature)
    figure = figures.coverage(coverages, accuracies, (given.coverage, given.accuracy))
    widgets.chart(figure, "coverage", _("How many answers are right, by how many are given"))
