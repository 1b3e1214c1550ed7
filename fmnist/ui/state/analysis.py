"""What the pages of analysis work out from a model's answers and features, once for everybody."""

from functools import partial

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import curves, embedding, robustness, suspects
from fmnist.analysis.curves import ClassCurves
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import SPLITS, Source, SplitName
from fmnist.machine import apart, files
from fmnist.models.inference import ProgressCallback
from fmnist.ui.language import Spinner
from fmnist.ui.markdown import plain
from fmnist.ui.state import dataset, models
from fmnist.ui.state.jobs import AT_ONCE, ONE_BY_ONE, Job, apart_if_many
from fmnist.ui.state.models import ANSWERS
from fmnist.weights.card import Card
from fmnist.words import _

_model_slowly = partial(models.aside, lane=apart.MINUTES)
_LANES = {"PCA": apart.SECONDS, "t-SNE": apart.MINUTES}
"""Where each way of placing a split waits its turn: any split takes the first a few seconds."""


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=ANSWERS)
def class_curves(
    card: Card, split_name: SplitName, source: Source, _answers: Evaluation
) -> list[ClassCurves]:
    """Precision-recall and ROC curves of the model's answers on a whole split."""
    return curves.one_against_rest(_answers, card.temperature)


def positions(
    card: Card, split_name: SplitName, source: Source, method: str, device: torch.device
) -> NDArray[np.float32]:
    """Where the model's features place a split's garments (N, 2), behind a progress bar."""
    name = f"{method} {card.sha256} {dataset.known_as(split_name, source)}"
    found = files.kept(name)
    if found is not None:
        return found
    vectors = models.embeddings(card, split_name, source, device)
    return _positions(name, method, vectors).result(
        _("Computing {method} of {model}'s features …", method=method, model=plain(card.label))
    )


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed)
def _positions(name: str, method: str, _vectors: NDArray[np.float16]) -> Job[NDArray[np.float32]]:
    place, lane, many = embedding.METHODS[method], _LANES[method], len(_vectors)

    def compute(report: ProgressCallback) -> NDArray[np.float32]:
        vectors = _vectors.astype(np.float32)
        return apart_if_many(place, vectors, images=many, lane=lane, report=report)

    turn = AT_ONCE if lane is apart.SECONDS else ONE_BY_ONE
    return Job(lambda report: files.cached(name, lambda: compute(report)), turn)


@st.cache_resource(
    show_spinner=Spinner("Weighing every label …"), max_entries=64, hash_funcs=ANSWERS
)
def label_issues(
    card: Card, split_name: SplitName, source: Source, _answers: Evaluation
) -> NDArray[np.int64]:
    """Rows of a split whose label the model's answers doubt, the least likely label first."""
    return suspects.label_issues(_answers, card.temperature)


@st.cache_resource(show_spinner=False)
def published_rows(name: SplitName) -> NDArray[np.int64]:
    """Where the real split's garments are in the published files."""
    return splits.published_rows(name)


@st.cache_resource(show_spinner=False, validate=Job.may_succeed)
def near_duplicates(source: Source) -> Job[NDArray[np.void]]:
    """Pairs of alike garments over all splits, one after the other, as suspects.PAIR."""
    images = np.concatenate([dataset.split(name, source).images for name in SPLITS])
    name = f"duplicates {files.digest(images)}"

    def compute(report: ProgressCallback) -> NDArray[np.void]:
        find, many, lane = suspects.near_duplicates, len(images), apart.MINUTES
        return apart_if_many(find, images, images=many, lane=lane, report=report)

    return Job(lambda report: files.cached(name, lambda: compute(report)))


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed, hash_funcs=ANSWERS)
def robustness_curve(
    card: Card, kind: str, source: Source, device: torch.device
) -> Job[NDArray[np.int64]]:
    """How many of a sample of test garments are named right at each strength, of all so many."""
    test = dataset.split("test", source)
    rows = robustness.sample(len(test))
    images, labels = test.images[rows], test.labels[rows]
    model = models.opened(card, device).model
    steps = np.array(robustness.strengths(kind))
    name = f"robust {card.sha256} {kind} {files.digest(steps)} {files.digest(images)}"

    def compute(report: ProgressCallback) -> NDArray[np.int64]:
        asked, many = (model, images, labels, kind), len(images) * len(steps)
        return _model_slowly(robustness.curve, *asked, device=device, images=many, report=report)

    return Job(lambda report: files.cached(name, lambda: compute(report)))


def attack_success(
    attacked: Card, by: Card, strength: int, source: Source, device: torch.device
) -> Job[NDArray[np.int64]]:
    """How often an attack by the gradient of one model fools another: see `robustness.success`."""
    answers = models.logits(attacked, "test", source, device)
    return _attack_success(attacked, by, strength, source, device, answers)


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed, hash_funcs=ANSWERS)
def _attack_success(
    attacked: Card,
    by: Card,
    strength: int,
    source: Source,
    device: torch.device,
    _answers: NDArray[np.float32],
) -> Job[NDArray[np.int64]]:
    test = dataset.split("test", source)
    rows = robustness.sample_of_right(_answers.argmax(1), test.labels)
    images, labels = test.images[rows], test.labels[rows]
    pair = models.opened(attacked, device).model, models.opened(by, device).model
    name = f"fooled {attacked.sha256} {by.sha256} {strength} {files.digest(images)}"

    def compute(report: ProgressCallback) -> NDArray[np.int64]:
        asked, many = (*pair, images, labels, strength), len(images) * robustness.STEPS
        return _model_slowly(robustness.success, *asked, device=device, images=many, report=report)

    return Job(lambda report: files.cached(name, lambda: compute(report)))
