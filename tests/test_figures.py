import numpy as np

from fmnist import figures


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
