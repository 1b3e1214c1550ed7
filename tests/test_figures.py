from typing import Any

import numpy as np
import pytest

from fmnist import figures
from fmnist.data import CLASSES


def clickable(figure: Any) -> dict[tuple[float, float], list[Any]]:
    """The customdata of a confusion figure's markers, by their place (x, y)."""
    markers = next(trace for trace in figure.data if trace.customdata is not None)
    return dict(zip(zip(markers.x, markers.y, strict=True), markers.customdata, strict=True))


def test_a_confusion_figure_has_a_marker_in_every_cell_and_head_that_knows_its_classes() -> None:
    matrix = np.arange(100).reshape(10, 10)
    cells = clickable(figures.confusion(matrix))
    assert len(cells) == 11 * 11
    wrong = matrix - np.diag(matrix.diagonal())
    for true, predicted in np.ndindex(10, 10):
        count = matrix[true, predicted]
        assert cells[predicted, true] == [true, predicted, count]
    for label in range(10):
        assert cells[figures.HEADS, label] == [label, None, wrong[label].sum()]
        assert cells[label, figures.HEADS] == [None, label, wrong[:, label].sum()]
    assert cells[figures.HEADS, figures.HEADS] == [None, None, wrong.sum()]


def test_the_classes_stand_in_the_order_asked_for() -> None:
    matrix = np.arange(100).reshape(10, 10)
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    figure = figures.confusion(matrix, order=order, chosen=(4, None))
    assert clickable(figure)[0, 2] == [4, 3, matrix[4, 3]]
    assert figure.layout.xaxis.ticktext[1:] == tuple(CLASSES[label] for label in order)
    (frame,) = figure.layout.shapes  # of a row, for that of a head was chosen
    assert (frame.y0, frame.y1) == (1.5, 2.5)
    assert (frame.x0, frame.x1) == (figures.HEADS - 0.5, 9.5)


def test_the_diagonal_is_muted_and_the_chosen_cell_framed() -> None:
    figure = figures.confusion(np.full((10, 10), 5), chosen=(2, 4))
    heat = next(trace for trace in figure.data if trace.type == "heatmap")
    assert np.isnan(np.diag(heat.z)).all()
    assert np.isfinite(heat.z[~np.eye(10, dtype=bool)]).all()
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.y0) == (3.5, 1.5)


@pytest.mark.parametrize(("unit", "axis"), [("Row %", 1), ("Column %", 0)])
def test_shares_are_of_the_row_or_of_the_column(unit: figures.Unit, axis: int) -> None:
    matrix = np.random.default_rng(0).integers(0, 9, (10, 10))
    matrix[3], matrix[:, 5] = 0, 0  # a class without images, a class that is never named
    figure = figures.confusion(matrix, unit)
    heat = next(trace for trace in figure.data if trace.type == "heatmap").z
    for true, predicted in np.ndindex(10, 10):
        whole = matrix[true].sum() if axis else matrix[:, predicted].sum()
        expected = matrix[true, predicted] / whole if whole else 0
        if true != predicted:
            assert heat[true][predicted] == pytest.approx(expected)
    texts = {
        (x, y): text
        for trace in figure.data
        if trace.type == "scatter" and trace.mode == "text"
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)
    }
    wrong_in_row = 1 - matrix[2, 2] / matrix[2].sum()
    wrong_in_column = 1 - matrix[2, 2] / matrix[:, 2].sum()
    assert texts[figures.HEADS, 2] == f"{100 * wrong_in_row:.1f}"
    assert texts[2, figures.HEADS] == f"{100 * wrong_in_column:.1f}"


def test_a_matrix_without_errors_can_be_drawn() -> None:
    figures.confusion(np.eye(10, dtype=int))


def test_a_cell_and_a_head_are_named() -> None:
    assert figures.cell_name(6, 0) == "Shirt named T-shirt/top"
    assert figures.cell_name(6, None) == "Shirt named wrong"
    assert figures.cell_name(None, 0) == "Wrongly named T-shirt/top"
    assert figures.cell_name(None, None) == "All errors"


def test_probability_bars_name_every_class_and_colour_the_largest() -> None:
    shares = np.full(10, 0.05, np.float32)
    shares[7] = 0.55
    bars = figures.probability_bars(shares).data[0]
    assert bars.y == CLASSES
    coloured = [label for label, c in enumerate(bars.marker.color) if c == figures.ACCENT]
    assert coloured == [7]


def test_class_counts_count() -> None:
    bars = figures.class_counts(np.array([0, 0, 9], np.uint8)).data[0]
    assert list(bars.x) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_a_curve_runs_over_epochs_and_takes_what_was_reported() -> None:
    reports = [
        {"step": 5, "steps": 20, "epochs": 2, "loss": 1.0},
        {"step": 10, "steps": 20, "epochs": 2, "loss": 0.5, "validation_accuracy": 0.8},
    ]
    runs = {"one": reports}
    loss = figures.training_curves(runs, "loss", "Loss").data[0]
    accuracy = figures.training_curves(runs, "validation_accuracy", "Accuracy").data[0]
    assert (list(loss.x), list(loss.y)) == ([0.5, 1.0], [1.0, 0.5])
    assert (list(accuracy.x), list(accuracy.y)) == ([1.0], [0.8])
