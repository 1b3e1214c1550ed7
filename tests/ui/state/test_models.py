"""What is computed once: for whom it is the same, and for whom it isn't."""

import threading
from dataclasses import replace
from threading import Thread, Timer
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from fmnist.analysis import embedding, explain
from fmnist.machine import files
from fmnist.models import inference
from fmnist.ui.state import analysis, models
from fmnist.ui.state.jobs import Job
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import Weights

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def card() -> Card:
    st.cache_resource.clear()
    return shelf.load("fcnn").card


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images a model was asked about, each time."""
    return counted(inference, "infer", monkeypatch)


def counted(module: ModuleType, question: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """About how many images that function of a module is asked from now on, each time."""
    counts: list[int] = []
    ask = getattr(module, question)

    def noted(model: Any, images: Any, *rest: Any) -> Any:
        counts.append(len(images))
        return ask(model, images, *rest)

    monkeypatch.setattr(module, question, noted)
    return counts


def test_where_the_gpu_fails_the_cpu_is_asked_with_a_model_of_its_own(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def aside(*question: Any, device: torch.device, **how: Any) -> str:
        _question, model, *_rest = question
        asked.append((model, device.type))
        if device.type == "cuda":
            raise torch.OutOfMemoryError
        return "answers"

    monkeypatch.setattr(models, "_saved", lambda card, device: Weights(device.type, card))
    monkeypatch.setattr(models, "aside", aside)
    find = models._of_split(inference.infer, card, "test", "drawn", torch.device("cuda"))
    assert find(print) == "answers"
    assert asked == [("cuda", "cuda"), ("cpu", "cpu")]


def test_weights_under_two_names_are_asked_once_and_each_goes_by_its_own(
    card: Card, asked: list[int]
) -> None:
    names = ("fcnn", "homework")
    found = [models.evaluate(replace(card, name=n), "test", "drawn", CPU) for n in names]
    assert [e.model for e in found] == list(names)
    assert asked.count(100) == 1


def test_what_depends_on_the_temperature_is_not_shared_by_two(card: Card) -> None:
    others = [replace(card, temperature=temperature) for temperature in (1.0, 4.0)]
    answers = models.evaluate(card, "test", "drawn", CPU)
    first, second = (analysis.class_curves(other, "test", "drawn", answers) for other in others)
    assert analysis.class_curves(others[0], "test", "drawn", answers) is first
    # The order in which garments come to be called one class changes with the temperature.
    assert any(
        len(a.recall) != len(b.recall) or not np.array_equal(a.recall, b.recall)
        for a, b in zip(first, second, strict=True)
    )


def test_retrained_weights_are_asked_anew(card: Card, asked: list[int]) -> None:
    for sha256 in (card.sha256, "another"):
        models.logits(replace(card, sha256=sha256), "test", "drawn", CPU)
    assert asked.count(100) == 2


def test_the_next_start_finds_the_features_in_which_a_model_saw_a_split(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = counted(explain, "embed", monkeypatch)
    first = models.embeddings(card, "test", "drawn", CPU)
    st.cache_resource.clear()  # what a restart forgets
    again = models.embeddings(card, "test", "drawn", CPU)
    assert seen == [100]
    assert again.dtype == first.dtype
    assert np.array_equal(again, first)


def test_who_asks_for_what_is_being_found_waits_with_progress_and_it_is_found_once(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, told, times = threading.Event(), threading.Event(), []

    def slowly(model: Any, images: Any, device: Any, report: Any = None) -> Any:
        if len(images) == 100:  # loading asks about a few, too
            times.append(1)
            report(0.5)
            told.set()
            assert found.wait(60)
        return np.zeros((len(images), 10), np.float32)

    def page() -> None:
        import torch

        from fmnist.ui.state import models
        from fmnist.weights import shelf

        models.logits(shelf.load("fcnn").card, "test", "drawn", torch.device("cpu"))

    monkeypatch.setattr(inference, "infer", slowly)
    monkeypatch.setattr(files, "cached", lambda name, compute: compute())
    first = Thread(target=models.logits, args=(card, "test", "drawn", CPU))
    first.start()
    assert told.wait(60)
    Timer(1.0, found.set).start()
    seen: list[str] = []
    show = DeltaGenerator.progress
    monkeypatch.setattr(
        DeltaGenerator,
        "progress",
        lambda bar, done, text: seen.append(text) or show(bar, done, text),
    )
    AppTest.from_function(page).run(timeout=60)
    first.join()
    assert times == [1]
    assert seen
    assert all(text == "Asking fcnn about every image … 50%" for text in seen)


def test_a_map_by_pca_does_not_wait_for_what_takes_minutes(card: Card) -> None:
    end = threading.Event()
    long = Job(lambda report: end.wait(60))
    try:
        assert analysis.positions(card, "test", "drawn", "PCA", CPU).shape == (100, 2)
        assert not end.is_set()
    finally:
        end.set()
    assert long.result("Placing …")
    assert analysis._LANES.keys() == embedding.METHODS.keys()


def test_weights_that_are_put_back_in_place_of_damaged_ones_are_there_again() -> None:
    shelf.keep(shelf.load("fcnn"), "mine")
    path = shelf.own_folder() / "mine.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-8] + bytes(8))
    (card,) = (each for each in shelf.cards() if each.name == "mine")
    assert "SHA-256" in str(models.problem(card))
    path.write_bytes(content)
    assert models.problem(card) is None


def test_what_was_brought_steps_aside_where_somebody_keeps_weights_of_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, card = shelf.load("softmax")
    brought = {"theirs": Weights(model, replace(card, name="theirs"))}
    monkeypatch.setattr(models, "uploads", lambda: brought)
    assert models.choices()["theirs"].architecture == "softmax"
    shelf.keep(shelf.load("fcnn"), "theirs")
    choices = models.choices()
    assert choices["theirs"].architecture == "fcnn"
    assert choices["theirs-2"].architecture == "softmax"
    assert brought.keys() == {"theirs-2"}


def test_a_file_is_known_by_its_name_too(card: Card) -> None:
    assert models.problem(card) is None
    problem = models.problem(replace(card, name="gone"))
    assert problem is not None
    assert "There are no weights 'gone'" in problem
