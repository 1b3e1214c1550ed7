"""What the pages of analysis work out from a model's answers and features, once for everybody."""

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import curves, embedding, suspects
from fmnist.analysis.curves import ClassCurves
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import SPLITS, Source, SplitName
from fmnist.machine import files
from fmnist.ui.state import dataset, models
from fmnist.ui.state.jobs import Job
from fmnist.weights.card import Card


def class_curves(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> list[ClassCurves]:
    """Precision-recall and ROC curves on a whole split, computed once for everybody."""
    answers = models.evaluate(card, split_name, source, device)
    return _class_curves(card.sha256, card.temperature, split_name, source, answers)


@st.cache_resource(show_spinner=False, max_entries=64)
def _class_curves(
    sha256: str, temperature: float, split_name: SplitName, source: Source, _answers: Evaluation
) -> list[ClassCurves]:
    return curves.one_against_rest(_answers, temperature)


def positions(
    card: Card,
    split_name: SplitName,
    source: Source,
    method: str,
    device: torch.device,
) -> NDArray[np.float32]:
    """Where the model's features place a split's garments (N, 2), computed once for everybody."""
    vectors = models.embeddings(card, split_name, source, device)
    job = _positions(card.sha256, split_name, source, method, vectors)
    return job.result(f"Computing {method} of {card.name}'s features …")


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed)
def _positions(
    sha256: str, split_name: SplitName, source: Source, method: str, _vectors: NDArray[np.float16]
) -> Job[NDArray[np.float32]]:
    place = embedding.METHODS[method]
    name = f"{method} {files.digest(_vectors)}"
    return Job(
        lambda report: files.cached(name, lambda: place(_vectors.astype(np.float32), report))
    )


def label_issues(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.int64]:
    """Rows of a split whose label the model doubts, the least likely label first."""
    return _label_issues(card.sha256, split_name, source, card, device)


@st.cache_resource(show_spinner="Weighing every label …", max_entries=64)
def _label_issues(
    sha256: str,
    split_name: SplitName,
    source: Source,
    _card: Card,
    _device: torch.device,
) -> NDArray[np.int64]:
    answers = models.evaluate(_card, split_name, source, _device)
    return suspects.label_issues(answers, _card.temperature)


@st.cache_resource(show_spinner=False)
def published_rows(name: SplitName) -> NDArray[np.int64]:
    """Where the real split's garments are in the published files."""
    return splits.published_rows(name)


def near_duplicates(source: Source) -> NDArray[np.void]:
    """Pairs of alike garments over all splits, one after the other, as suspects.PAIR."""
    return _near_duplicates(source).result("Comparing every garment with every other …")


@st.cache_resource(show_spinner=False, validate=Job.may_succeed)
def _near_duplicates(source: Source) -> Job[NDArray[np.void]]:
    images = np.concatenate([dataset.split(name, source).images for name in SPLITS])
    name = f"duplicates {files.digest(images)}"
    return Job(lambda report: files.cached(name, lambda: suspects.near_duplicates(images, report)))
