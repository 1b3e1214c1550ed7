from typing import Any

import numpy as np

from fmnist.analysis.evaluation import CalibrationBin
from fmnist.analysis.reported import REPORTED, Reported
from fmnist.data.splits import CLASSES
from fmnist.ui import figures
from fmnist.ui.figures import ACCENT, MOST_POINTS


def test_class_counts_count() -> None:
    bars = figures.class_counts(np.array([0, 0, 9], np.uint8)).data[0]
    assert list(bars.x) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_a_curve_runs_over_epochs_and_takes_what_was_reported() -> None:
    progress = [
        {"step": 5, "steps": 20, "epochs": 2, "loss": 1.0},
        {"step": 10, "steps": 20, "epochs": 2, "loss": 0.5, "validation_accuracy": 0.8},
    ]
    runs = {"one": progress}
    loss = figures.training_curves(runs, "loss", "Loss").data[0]
    accuracy = figures.training_curves(runs, "validation_accuracy", "Accuracy").data[0]
    assert (list(loss.x), list(loss.y)) == ([0.5, 1.0], [1.0, 0.5])
    assert (list(accuracy.x), list(accuracy.y)) == ([1.0], [0.8])


def test_an_axis_of_accuracies_ends_at_0_and_100_per_cent_and_one_of_losses_does_not() -> None:
    line = {"step": 1, "steps": 1, "epochs": 1, "loss": 1.0, "validation_accuracy": 0.8}

    def ends(axis: Any) -> tuple[float | None, float | None]:
        return axis.autorangeoptions.clipmin, axis.autorangeoptions.clipmax

    accuracy = figures.training_curves({"one": [line]}, "validation_accuracy", "Accuracy")
    assert ends(accuracy.layout.yaxis) == (0, 1)
    assert ends(figures.by_parameters([("mine", 1000, 0.9)], []).layout.yaxis) == (0, 1)
    assert ends(figures.class_intervals([0.9], [(0.8, 1.0)]).layout.xaxis) == (0, 1)
    loss = figures.training_curves({"one": [line]}, "loss", "Loss")
    assert ends(loss.layout.yaxis) == (None, None)


def test_intervals_reach_from_the_lower_to_the_upper_bound() -> None:
    values = [label / 10 for label in range(10)]
    intervals = [(value - 0.02, value + 0.05) for value in values]
    dots = figures.class_intervals(values, intervals).data[0]
    assert np.allclose(dots.x - dots.error_x.arrayminus, [low for low, _ in intervals])
    assert np.allclose(dots.x + dots.error_x.array, [high for _, high in intervals])


def test_a_long_line_keeps_its_ends_and_the_chosen_class_is_on_top() -> None:
    x = np.linspace(0, 1, 5000)
    figure = figures.class_lines([(x, x**2)] * 10, 6, "x", "y")
    assert [line.name for line in figure.data][-1] == CLASSES[6]
    for line in figure.data:
        assert (line.x[0], line.x[-1], line.y[-1]) == (0, 1, 1)
        assert len(line.x) == MOST_POINTS
    short = figures.class_lines([(x[:3], x[:3])] * 10, 6, "x", "y").data[0]
    assert list(short.x) == list(x[:3].astype(np.float32))


def test_a_reliability_diagram_has_a_line_for_each_name() -> None:
    bins = [CalibrationBin(0.3, 0.2, 10), CalibrationBin(0.9, 0.95, 90)]
    _diagonal, before, after = figures.reliability({"before": bins, "after": bins[:1]}).data
    assert (before.name, list(before.x), list(before.y)) == ("before", [0.3, 0.9], [0.2, 0.95])
    assert (after.name, list(after.x)) == ("after", [0.3])
    assert before.marker.size[0] < before.marker.size[1]


def test_the_chosen_point_stands_on_the_coverage_curve() -> None:
    shares, accuracies = np.array([0.5, 1.0]), np.array([1.0, 0.9])
    curve, point = figures.coverage(shares, accuracies, (1.0, 0.9)).data
    assert (list(curve.x), list(curve.y)) == ([0.5, 1.0], [1.0, np.float32(0.9)])
    assert (point.x, point.y) == ((1.0,), (0.9,))


def test_the_largest_mean_is_in_colour() -> None:
    means = [0.1, 0.5, *[0.2] * 8]
    bars = figures.class_means(means, [f"{mean:.0%}" for mean in means]).data[0]
    assert [label for label, c in enumerate(bars.marker.color) if c == ACCENT] == [1]
    assert bars.text[1] == "50%"


def test_published_results_are_hollow_marks_with_their_source_and_ours_are_named() -> None:
    published = [other for other in REPORTED if other.parameters]
    figure = figures.by_parameters([("mine", 1000, 0.9)], published)
    others, ours = figure.data
    assert others.marker.symbol == "circle-open"
    assert len(others.x) == len(published) > 8
    assert all(p.source in text for p, text in zip(published, others.text, strict=True))
    assert (ours.text, ours.x, ours.y) == (("mine",), (1000,), (0.9,))
    assert len(figures.by_parameters([], published).data) == 2


def test_labels_of_models_that_are_nearly_alike_stand_apart() -> None:
    alike = [("one", 450_000, 0.925), ("two", 451_000, 0.925), ("three", 452_000, 0.925)]
    _, ours = figures.by_parameters([*alike, ("far", 2_000_000, 0.95)], []).data
    assert len(set(ours.textposition[:3])) == 3
    assert ours.textposition[3] == "top center"


def test_a_label_does_not_cover_a_published_result() -> None:
    above = Reported("theirs", 0.954, 500_000, "somewhere")
    here = [("small", 90_000, 0.93), ("mine", 500_000, 0.95)]
    _, ours = figures.by_parameters(here, [above]).data
    assert ours.textposition[1] == "bottom center"


def test_the_label_of_the_smallest_model_is_not_cut_at_the_edge() -> None:
    here = [("small", 90_000, 0.93), ("large", 2_000_000, 0.95)]
    _, ours = figures.by_parameters(here, []).data
    assert ours.textposition == ("middle right", "top center")


def test_a_figure_is_a_table_too_with_a_row_for_every_bar_and_point() -> None:
    labels = np.array([0, 0, 3], np.uint8)
    rows = figures.table(figures.class_counts(labels))
    assert [row["Class"] for row in rows] == list(CLASSES)
    assert [row["Value"] for row in rows] == [2, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    lines = [{"step": 1, "steps": 2, "epochs": 2, "loss": 0.5}]
    curves = figures.training_curves({"one": lines, "two": lines}, "loss", "Loss")
    assert figures.table(curves) == [
        {"Of": name, "epoch": 1.0, "Loss": 0.5} for name in ("one", "two")
    ]


def test_what_abstaining_brings_is_a_table_of_every_point_and_the_chosen_one() -> None:
    rows = figures.table(figures.coverage(np.array([0.5, 1.0]), np.array([1.0, 0.9]), (0.5, 1.0)))
    points = [(row["images answered"], row["of these, right"]) for row in rows]
    assert np.allclose(points, [(0.5, 1.0), (1.0, 0.9), (0.5, 1.0)])
    assert [row["Of"] for row in rows] == [
        "with every threshold",
        "with every threshold",
        "with the chosen one",
    ]


def test_markup_in_the_name_of_a_run_is_shown_as_it_is_written() -> None:
    line = {"step": 1, "steps": 1, "epochs": 1, "loss": 1.0}
    drawn = figures.training_curves({"<b>a</b>": [line], "b & c": [line]}, "loss", "Loss")
    assert [trace.name for trace in drawn.data] == ["&lt;b&gt;a&lt;/b&gt;", "b &amp; c"]
    assert [row["Of"] for row in figures.table(drawn)] == ["<b>a</b>", "b & c"]
