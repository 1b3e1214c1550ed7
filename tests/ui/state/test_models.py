"""What is computed once: for whom it is the same, and for whom it isn't."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch

from fmnist.models import inference
from fmnist.ui.state import analysis, models
from fmnist.weights import shelf
from fmnist.weights.card import Card

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture
def card() -> Card:
    st.cache_resource.clear()
    return shelf.load("fcnn").card


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images a model was asked about, each time."""
    counts: list[int] = []
    infer = inference.infer

    def counted(model: Any, images: Any, *rest: Any) -> Any:
        counts.append(len(images))
        return infer(model, images, *rest)

    monkeypatch.setattr(inference, "infer", counted)
    return counts


def test_weights_under_two_names_are_asked_once_and_each_goes_by_its_own(
    card: Card, asked: list[int]
) -> None:
    names = ("fcnn", "homework")
    found = [models.evaluate(replace(card, name=n), "test", "drawn", CPU) for n in names]
    assert [e.model for e in found] == list(names)
    assert asked.count(100) == 1


def test_what_depends_on_the_temperature_is_not_shared_by_two(card: Card) -> None:
    others = [replace(card, temperature=temperature) for temperature in (1.0, 4.0)]
    first, second = (analysis.class_curves(other, "test", "drawn", CPU) for other in others)
    assert analysis.class_curves(others[0], "test", "drawn", CPU) is first
    # The order in which garments come to be called one class changes with the temperature.
    assert any(
        len(a.recall) != len(b.recall) or not np.array_equal(a.recall, b.recall)
        for a, b in zip(first, second, strict=True)
    )


def test_retrained_weights_are_asked_anew(card: Card, asked: list[int]) -> None:
    for sha256 in (card.sha256, "another"):
        models.logits(replace(card, sha256=sha256), "test", "drawn", CPU)
    assert asked.count(100) == 2


def test_a_file_is_known_by_its_name_too(card: Card) -> None:
    assert models.problem(card) is None
    problem = models.problem(replace(card, name="gone"))
    assert problem is not None
    assert "There are no weights 'gone'" in problem
