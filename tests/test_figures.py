import numpy as np

from fmnist import figures
from fmnist.data import CLASSES
from fmnist.evaluation import CalibrationBin


def test_a_confusion_figure_has_a_marker_in_every_cell_that_knows_its_classes() -> None:
    matrix = np.arange(100).reshape(10, 10)
    figure = figures.confusion(matrix, row_shares=False, chosen=None)
    markers = next(trace for trace in figure.data if trace.customdata is not None)
    for x, y, (true, predicted, count) in zip(
        markers.x, markers.y, markers.customdata, strict=True
    ):
        assert (y, x) == (true, predicted)
        assert count == matrix[true, predicted]
    assert len(markers.customdata) == 100


def test_the_diagonal_is_muted_and_the_chosen_cell_framed() -> None:
    figure = figures.confusion(np.full((10, 10), 5), row_shares=False, chosen=(2, 4))
    heat = next(trace for trace in figure.data if trace.type == "heatmap")
    assert np.isnan(np.diag(heat.z)).all()
    assert np.isfinite(heat.z[~np.eye(10, dtype=bool)]).all()
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.y0) == (3.5, 1.5)


def test_row_shares_sum_to_one_in_every_row_that_has_images() -> None:
    matrix = np.zeros((10, 10), int)
    matrix[3, 4], matrix[3, 5] = 1, 3
    figure = figures.confusion(matrix, row_shares=True, chosen=None)
    heat = next(trace for trace in figure.data if trace.type == "heatmap")
    assert heat.z[3][4] == 0.25
    assert np.nansum(heat.z) == 1.0


def test_a_matrix_without_errors_can_be_drawn() -> None:
    figures.confusion(np.eye(10, dtype=int), row_shares=False, chosen=None)


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


def test_a_difference_writes_every_change_with_its_sign_and_knows_its_cell() -> None:
    matrix = np.zeros((10, 10), int)
    matrix[6, 0], matrix[6, 6], matrix[2, 4] = -12, 12, 3
    figure = figures.difference(matrix, chosen=(6, 0))
    written = {
        (y, x): text
        for trace in figure.data
        if trace.type == "scatter" and trace.mode == "text"
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)
    }
    assert written == {(6, 0): "-12", (6, 6): "+12", (2, 4): "+3"}
    markers = next(trace for trace in figure.data if trace.customdata is not None)
    assert len(markers.customdata) == 100
    assert list(map(tuple, markers.customdata)) == list(zip(markers.y, markers.x, strict=True))
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.y0) == (-0.5, 5.5)


def test_fewer_errors_and_more_right_answers_are_both_for_the_better() -> None:
    matrix = np.zeros((10, 10), int)
    matrix[6, 0], matrix[6, 6], matrix[3, 4], matrix[3, 3] = -12, 12, 5, -5
    shades = np.array(figures.difference(matrix, None).data[0].z)
    assert shades[6, 0] == shades[6, 6] == 12
    assert shades[3, 4] == shades[3, 3] == -5


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
        assert len(line.x) == figures.MOST_POINTS
    short = figures.class_lines([(x[:3], x[:3])] * 10, 6, "x", "y").data[0]
    assert list(short.x) == list(x[:3])


def test_a_reliability_diagram_has_a_line_for_each_name() -> None:
    bins = [CalibrationBin(0.3, 0.2, 10), CalibrationBin(0.9, 0.95, 90)]
    _diagonal, before, after = figures.reliability({"before": bins, "after": bins[:1]}).data
    assert (before.name, list(before.x), list(before.y)) == ("before", [0.3, 0.9], [0.2, 0.95])
    assert (after.name, list(after.x)) == ("after", [0.3])
    assert before.marker.size[0] < before.marker.size[1]


def test_the_chosen_point_stands_on_the_coverage_curve() -> None:
    shares, accuracies = np.array([0.5, 1.0]), np.array([1.0, 0.9])
    curve, point = figures.coverage(shares, accuracies, (1.0, 0.9)).data
    assert (list(curve.x), list(curve.y)) == ([0.5, 1.0], [1.0, 0.9])
    assert (point.x, point.y) == ((1.0,), (0.9,))


def test_the_largest_mean_is_in_colour() -> None:
    means = [0.1, 0.5, *[0.2] * 8]
    bars = figures.class_means(means, [f"{mean:.0%}" for mean in means]).data[0]
    assert [label for label, c in enumerate(bars.marker.color) if c == figures.ACCENT] == [1]
    assert bars.text[1] == "50%"
