"""The map and the suspects through AppTest; the map itself is drawn in test_browser_map."""

import threading
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from opening import open_page, texts
from streamlit.testing.v1 import AppTest

from fmnist.analysis import embedding, suspects
from fmnist.analysis.evaluation import Evaluation
from fmnist.analysis.suspects import Suspect
from fmnist.data import splits
from fmnist.data.splits import CLASSES, SPLITS
from fmnist.machine import files
from fmnist.machine.errors import UserFacingError
from fmnist.models import inference
from fmnist.models.inference import ProgressCallback
from fmnist.ui.state.jobs import Job
from fmnist.weights import shelf

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["map", "suspects"])
def test_a_page_opens_on_drawn_garments_and_says_so(name: str) -> None:
    app = open_page(name)
    assert not app.exception
    assert "drawn garments, not at Fashion-MNIST" in texts(app)


@pytest.mark.parametrize("name", ["map", "suspects"])
def test_a_page_opens_without_any_weights(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", Path("nowhere"))
    app = open_page(name)
    assert not app.exception
    assert "There are no trained models yet" in texts(app)


def test_a_link_brings_model_split_method_and_colour_to_the_map() -> None:
    _, card = shelf.load("fcnn")
    app = open_page("map", model=card.name, on="validation", method="t-SNE", colour="Error")
    assert not app.exception
    assert app.selectbox(key="model").value == "fcnn"
    chosen = [app.button_group(key=key).value for key in ("on", "method", "colour")]
    assert chosen == ["validation", "t-SNE", "Error"]


def test_a_garment_that_was_picked_is_no_garment_of_the_next_split() -> None:
    app = open_page("map", on="test", garment="99")
    assert "Garment 99 of the test split" in texts(app)
    app.button_group(key="on").set_value("validation").run()
    assert "Click a garment to see it large" in texts(app)
    assert "garment" not in app.query_params
    app.query_params["garment"] = "98"  # by a click, or by a link
    assert "Garment 98 of the validation split" in texts(app.run())


def test_a_link_to_a_garment_that_is_not_there_is_told_once() -> None:
    app = open_page("map", on="test", garment="100")
    assert "garment \u201c100\u201d" in app.toast[0].value
    assert not app.run().toast


@pytest.mark.parametrize(
    ("page", "name"), [("map", "garment"), ("errors", "garment"), ("inside", "map")]
)
def test_a_number_in_a_link_of_more_digits_than_python_reads_is_not_here(
    page: str, name: str
) -> None:
    app = open_page(page, model="fcnn", on="test", **{name: "9" * 5000})
    assert not app.exception
    assert app.title[0].value


def test_a_model_goes_by_the_name_that_its_session_knows_it_by() -> None:
    def page() -> None:
        import dataclasses

        import streamlit as st
        import torch

        from fmnist.ui.state import models
        from fmnist.weights import shelf

        _, card = shelf.load("fcnn")
        for name in ("fcnn", "homework"):
            same = dataclasses.replace(card, name=name)
            st.text(models.evaluate(same, "test", "drawn", torch.device("cpu")).model)

    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["fcnn", "homework"]


def test_positions_are_computed_once_and_found_again_by_a_new_server(
    nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def count(vectors: np.ndarray, report: ProgressCallback) -> np.ndarray:
        asked.append(len(vectors))
        return embedding.pca(vectors, report)

    monkeypatch.setattr(embedding, "METHODS", {"PCA": count})
    app = open_page("map")
    app.button_group(key="colour").set_value("Error").run()
    st.cache_resource.clear()  # what a restart forgets
    app = open_page("map")
    assert not app.exception
    assert asked == [100]
    assert len(list(files.CACHE.glob("PCA *.npy"))) == 1


def test_two_who_wait_for_the_same_computation_see_its_progress_and_one_result() -> None:
    app = AppTest.from_function(_waiting_room, default_timeout=30)
    app.run()
    assert not app.exception
    assert app.markdown[0].value == "42 computed 1 time"


def _waiting_room() -> None:
    """Two visitors of one job, which ends when both have seen it half done."""
    import threading

    import streamlit as st

    from fmnist.ui.state.jobs import Job

    times, seen = [], threading.Event()

    def compute(report):
        times.append(1)
        report(0.5)
        seen.wait(10)
        return 42

    job = Job(compute)
    threading.Timer(0.5, seen.set).start()
    results = {job.result("Computing …"), job.result("Computing …")}
    st.markdown(f"{results.pop()} computed {len(times)} time")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError("too many garments"), "MemoryError"),
        (UserFacingError("There are {count} too many.", count=2), "There are 2 too many."),
    ],
)
def test_what_failed_gets_a_sentence_and_is_begun_anew(
    error: Exception, reason: str, nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(vectors: np.ndarray, report: ProgressCallback) -> np.ndarray:
        raise error

    monkeypatch.setattr(embedding, "METHODS", {"PCA": fail})
    app = open_page("map")
    assert not app.exception
    assert app.error[0].value == f"This failed: {reason}"
    monkeypatch.setattr(embedding, "METHODS", {"PCA": embedding.pca})
    next(button for button in app.button if button.label == "Try again").click().run()
    assert not app.error
    assert not app.exception


def test_jobs_are_done_one_at_a_time() -> None:
    both, running = threading.Event(), []

    def compute(report: ProgressCallback) -> int:
        running.append(1)
        both.wait(0.1)
        assert len(running) == 1
        running.pop()
        return 1

    jobs = [Job(compute) for _ in range(3)]
    assert [job.result("Computing …") for job in jobs] == [1, 1, 1]


# Suspects


def test_wrong_labels_are_those_of_confident_learning_with_the_worst_large() -> None:
    model, card = shelf.load("cnn")
    split = splits.load("test", "drawn")
    e = Evaluation("cnn", inference.infer(model, split.images, CPU), split.labels)
    rows = suspects.label_issues(e, card.temperature)
    app = open_page("suspects", model="cnn")
    assert app.header[0].value == f"{len(rows)} suspects"
    assert f"Labelled **{CLASSES[split.labels[rows[0]]]}**" in texts(app)
    assert "The training set is not offered" in texts(app)


def test_decisions_lead_on_count_can_be_taken_back_and_survive_a_look_elsewhere() -> None:
    app = open_page("suspects", model="cnn")
    first = texts(app)
    app.button(key="decide a").click().run()
    assert texts(app) != first
    app.button(key="decide d").click().run()
    assert "2 decided: you agreed with 1 and disagreed with 1" in texts(app)
    app.switch_page("pages/home.py").run()
    app.switch_page("pages/suspects.py").run()
    assert "2 decided: you agreed with 1 and disagreed with 1" in texts(app)
    kept = list(app.session_state["decisions so far"])
    assert len(set(kept)) == 2
    app.session_state["decisions so far"] = {kept[0]: True}
    app.run()
    assert "1 decided" in texts(app)
    assert app.toggle(key="without").label.startswith("Score without the 1 test image you")


def test_planted_duplicates_are_offered_across_and_within_splits(
    nothing_known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = {name: splits.load(name, "drawn") for name in SPLITS}
    drawn["test"].images[3] = drawn["train"].images[8]
    drawn["test"].images[5] = drawn["test"].images[4]
    monkeypatch.setattr(splits, "load", lambda name, source, limit=None: drawn[name])
    app = open_page("suspects", doubted="Duplicates")
    assert not app.exception
    assert "2 of them are exact duplicates" in texts(app)
    assert "They differ by **0.0** grey levels" in texts(app)
    app.button(key="decide a").click().run()
    app.button_group(key="pairs").set_value("Within a split").run()
    app.button(key="decide a").click().run()
    assert app.session_state["decisions so far"] == {
        Suspect("duplicate", "train", 8, "test", 3): True,
        Suspect("duplicate", "test", 4, "test", 5): True,
    }


def test_the_switch_scores_every_model_without_the_confirmed() -> None:
    app = open_page("suspects")
    wrong = [Suspect("label", "test", row) for row in range(0, 40, 2)]
    app.session_state["decisions so far"] = dict.fromkeys(wrong, True)
    app.toggle(key="without").set_value(True).run()
    assert not app.exception
    board = app.dataframe[-1].value.set_index("Model")
    split = splits.load("test", "drawn")
    left = np.setdiff1d(np.arange(100), np.arange(0, 40, 2))
    assert set(board.index) == {card.name for card in shelf.cards()}
    for name in board.index:
        model, _ = shelf.load(name)
        right = inference.infer(model, split.images, CPU).argmax(1) == split.labels
        assert board["All"][name] == pytest.approx(100 * right.mean())
        assert board["Without 20"][name] == pytest.approx(100 * right[left].mean())


def test_saved_decisions_can_be_gone_on_from_and_a_strangers_file_is_refused() -> None:
    from fmnist.ui.downloads import csv_text

    before = {Suspect("label", "test", 4): True, Suspect("duplicate", "train", 7, "test", 8): False}
    published = {name: np.arange(300) for name in SPLITS}
    content = csv_text(suspects.to_rows(before, "drawn", published)).encode()
    app = open_page("suspects", model="cnn")
    app.file_uploader(key="saved").set_value(("other.csv", b"a,b\n1,2\n", "text/csv")).run()
    assert "Line 2 is no decision" in app.error[0].value
    app.file_uploader(key="saved").set_value(("decisions.csv", content, "text/csv")).run()
    assert not app.error
    assert app.session_state["decisions so far"] == before
    app.button(key="decide a").click().run()
    assert len(app.session_state["decisions so far"]) == 3
