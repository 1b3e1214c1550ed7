"""Scores, Compare and Hardest through AppTest: every control changes what is shown."""

import re

import numpy as np
import pytest
from opening import open_page, texts
from streamlit.testing.v1 import AppTest

from fmnist.analysis import comparison, curves, difficulty, evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import CLASSES
from fmnist.machine import devices
from fmnist.models import inference
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, worker
from fmnist.runs.run import Plan, Run
from fmnist.weights import shelf


def answers(name: str, split_name: str = "test") -> Evaluation:
    """A shipped model's answers, without the app."""
    model, _ = shelf.load(name)
    split = splits.load(split_name, "drawn")
    logits = inference.infer(model, split.images, devices.choose("cpu"))
    return Evaluation(name, logits, split.labels)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def heads(app: AppTest) -> list[str]:
    """The galleries' headings as they are read, their Markdown taken off."""
    return [re.sub(r"\\(.)", r"\1", header.value) for header in app.header if ": " in header.value]


# Scores


def test_scores_follow_the_model_and_the_split() -> None:
    app = open_page("scores", model="cnn")
    for name, split_name in (("cnn", "test"), ("fcnn", "test"), ("fcnn", "validation")):
        app.selectbox(key="model").set_value(name).run()
        app.button_group(key="on").set_value(split_name).run()
        assert not app.exception
        expected = answers(name, split_name)
        accuracy = f"{evaluation.accuracy(expected):.2%}"
        assert f"**{name}** names {accuracy} of 100 {split_name} images" in texts(app)
        table = app.dataframe[0].value
        matrix = evaluation.confusion(expected)
        assert np.allclose(table["F1"], [row.f1 for row in evaluation.per_class(matrix)])


def test_every_figure_lies_in_its_interval() -> None:
    table = open_page("scores", model="cnn").dataframe[0].value
    assert list(table["Class"]) == list(CLASSES)
    for figure in ("Precision", "Recall", "F1"):
        assert (table[f"{figure} from"] <= table[figure]).all()
        assert (table[figure] <= table[f"{figure} to"]).all()


def test_the_class_of_the_curves_and_the_figure_of_the_intervals_can_be_chosen() -> None:
    app = open_page("scores", model="cnn")
    _, card = shelf.load("cnn")
    of_class = curves.one_against_rest(answers("cnn"), card.temperature)
    app.selectbox(key="against").set_value("Bag").run()
    app.button_group(key="figure").set_value("Recall").run()
    assert not app.exception
    said = texts(app)
    assert f"Bag: average precision {of_class[8].average_precision:.3f}" in said
    assert f"Bag: area {of_class[8].area:.4f}" in said


def test_the_calibration_error_is_told_before_and_after_the_temperature() -> None:
    shown = metrics(open_page("scores", model="cnn"))
    expected, (_, card) = answers("cnn"), shelf.load("cnn")
    for label, temperature in (("as trained", 1.0), ("at its temperature", card.temperature)):
        error = evaluation.expected_calibration_error(expected, 15, temperature)
        assert shown[f"Expected calibration error {label}"] == f"{error:.2%}"


def test_the_slider_trades_answers_for_accuracy() -> None:
    app = open_page("scores", model="cnn")
    expected, (_, card) = answers("cnn"), shelf.load("cnn")
    for percent in (0, 60, 100):
        app.slider(key="threshold").set_value(percent).run()
        given = curves.abstention(expected, percent / 100, card.temperature)
        shown = metrics(app)
        assert shown["Answered"] == f"{given.coverage:.1%}"
        assert shown["Of these, right"] == f"{given.accuracy:.2%}"
        assert shown["Errors left"].startswith(f"{given.errors} of ")


def test_a_link_to_scores_opens_what_it_names() -> None:
    app = open_page("scores", on="validation", against="Sandal", threshold="30", figure="Recall")
    assert "of 100 validation images" in texts(app)
    assert app.selectbox(key="against").value == "Sandal"
    assert app.slider(key="threshold").value == 30
    assert app.button_group(key="figure").value == "Recall"


# Compare


def test_compare_says_mcnemars_test_of_the_two_models_it_names() -> None:
    app = open_page("compare")
    for first, second in (("fcnn", "cnn"), ("gru", "cnn"), ("gru", "everyday")):
        app.selectbox(key="first").set_value(first).run()
        app.selectbox(key="second").set_value(second).run()
        assert not app.exception
        a, b = answers(first), answers(second)
        test = comparison.mcnemar(a.predictions, b.predictions, a.labels)
        assert comparison.in_words(test, first, second, 100) in texts(app)
        shown = metrics(app)
        assert shown[f"Only {first} right"] == str(test.only_first)
        assert shown[f"{second} right"] == f"{evaluation.accuracy(b):.2%}"


def test_a_cell_of_the_difference_opens_what_came_and_what_left() -> None:
    app = open_page("compare", first="fcnn", second="cnn")
    a, b = answers("fcnn"), answers("cnn")
    difference = comparison.difference(a.predictions, b.predictions, a.labels)
    for true, said in np.argwhere(difference)[:4]:
        app.selectbox(key="true").set_value(CLASSES[true]).run()
        app.selectbox(key="predicted").set_value(CLASSES[said]).run()
        came, left = (int(re.search(r"\d+$", head)[0]) for head in heads(app))
        assert heads(app)[0] == f"Only cnn says {CLASSES[said]}: {came}"
        assert came - left == difference[true, said]


def test_flips_are_the_images_that_only_one_side_names_right() -> None:
    app = open_page("compare", first="fcnn", second="cnn", show="Flips")
    a, b = answers("fcnn"), answers("cnn")
    test = comparison.mcnemar(a.predictions, b.predictions, a.labels)
    assert heads(app) == [
        f"Only fcnn is right: {test.only_first}",
        f"Only cnn is right: {test.only_second}",
    ]


def test_moves_are_listed_and_the_link_names_the_one_that_is_shown() -> None:
    a, b = answers("fcnn"), answers("cnn")
    moves = comparison.moves(a.predictions, b.predictions, a.labels)
    names = [f"{CLASSES[t]}: {CLASSES[x]} to {CLASSES[y]}" for t, x, y, _ in moves]
    app = open_page("compare", first="fcnn", second="cnn", show="A move")
    assert list(app.dataframe[0].value["Images"]) == [move.images for move in moves]
    assert heads(app) == [f"{names[0]}: {moves[0].images}"]
    assert app.query_params["move"] == names[0]
    app = open_page("compare", first="fcnn", second="cnn", show="A move", move=names[2])
    assert heads(app) == [f"{names[2]}: {moves[2].images}"]


def test_a_model_is_not_compared_with_itself() -> None:
    app = open_page("compare", first="cnn", second="cnn")
    assert not app.exception
    assert "Choose two different models." in texts(app)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of three epochs, trained in this process."""
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    made = queue.start(Plan("fcnn", Recipe(epochs=3, batch_size=50), "drawn", "cpu", limit=300))
    (made.folder / "queued").unlink()
    worker.execute(made)
    return made


def test_two_epochs_of_a_run_compare_as_models_do(run: Run) -> None:
    app = open_page("compare", what="Two epochs")
    said, labels = run.predictions(), splits.load("validation", "drawn").labels
    for first, second in ((1, 3), (2, 3)):
        app.slider(key="epochs").set_value((first, second)).run()
        assert not app.exception
        test = comparison.mcnemar(said[first - 1], said[second - 1], labels)
        words = comparison.in_words(test, f"epoch {first}", f"epoch {second}", 100)
        assert words in texts(app)
    assert app.query_params["run"] == run.id
    app.slider(key="epochs").set_value((2, 2)).run()
    assert "Choose two different epochs." in texts(app)


def test_runs_of_different_lengths_can_follow_one_another(run: Run) -> None:
    shorter = queue.start(Plan("fcnn", Recipe(epochs=2, batch_size=50), "drawn", "cpu", 300))
    (shorter.folder / "queued").unlink()
    app = open_page("compare", what="Two epochs", run=run.id)
    app.slider(key="epochs").set_value((2, 3)).run()
    app.selectbox(key="run").set_value(shorter.id).run()
    assert "This run has not finished two epochs yet." in texts(app)
    worker.execute(shorter)
    app.run()
    assert not app.exception
    assert "epoch 2" in texts(app)


def test_a_run_that_has_epochs_to_compare_is_chosen_before_a_newer_one_of_a_single_epoch(
    run: Run,
) -> None:
    single = queue.start(Plan("fcnn", Recipe(epochs=1, batch_size=50), "drawn", "cpu", limit=300))
    (single.folder / "queued").unlink()
    worker.execute(single)
    app = open_page("compare", what="Two epochs")
    assert app.selectbox(key="run").value == run.id
    app.selectbox(key="run").set_value(single.id).run()
    assert "This run has one epoch only, so there is nothing to compare." in texts(app)


def test_without_runs_two_epochs_are_a_hint() -> None:
    app = open_page("compare", what="Two epochs")
    assert not app.exception
    assert "There are no runs on these data yet." in texts(app)


# Hardest


def probabilities(*names: str) -> np.ndarray:
    found = []
    for name in names:
        _, card = shelf.load(name)
        found.append(evaluation.probabilities(answers(name).logits, card.temperature))
    return np.stack(found)


def shown_first(app: AppTest) -> str:
    return next(c.value for c in app.caption if c.value.startswith("Image "))


def test_the_hardest_by_each_measure_comes_first_and_last_from_the_other_end() -> None:
    found, labels = probabilities("cnn", "fcnn"), splits.load("test", "drawn").labels
    doubt = difficulty.doubt(found, labels)
    app = open_page("hardest")
    app.multiselect(key="models").set_value(["cnn", "fcnn"]).run()
    for measure, scores in {
        "Doubt": doubt,
        "Models wrong": difficulty.wrong_models(found, labels),
        "Disagreement": difficulty.disagreement(found),
    }.items():
        order = sorted(range(100), key=lambda row: (scores[row], doubt[row]))
        app.button_group(key="by").set_value(measure).run()
        for end, row in (("Hardest", order[-1]), ("Easiest", order[0])):
            app.button_group(key="end").set_value(end).run()
            assert not app.exception
            assert shown_first(app).startswith(f"Image {row} of the test split. {measure}: ")


def test_hardest_can_be_asked_of_one_class_of_one_split_and_of_one_model() -> None:
    app = open_page("hardest", models="fcnn", **{"class": "Bag"}, on="validation")
    assert not app.exception
    assert app.header[0].value == "Bag"
    assert "10 of 10 images" in texts(app)
    assert "of the validation split" in shown_first(app)
    assert list(app.dataframe[0].value["Model"]) == ["fcnn"]


def test_without_a_model_hardest_asks_for_one() -> None:
    app = open_page("hardest")
    app.multiselect(key="models").set_value([]).run()
    assert not app.exception
    assert "Choose a model" in texts(app)
