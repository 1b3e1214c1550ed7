"""What every browser shares: the dataset, the models and their answers, each computed once."""

import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import nn

from fmnist import data, devices, embedding, evaluation, store, suspects, weights
from fmnist.data import SPLITS, Source, Split, SplitName
from fmnist.evaluation import Evaluation
from fmnist.models.layers import Classifier
from fmnist.ui.jobs import Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """The source in use, and why it isn't the real one where its files are damaged."""

    source: Source
    problem: str | None


def dataset() -> Dataset:
    """The real dataset when its four files are here and right, else the drawn garments."""
    paths = [data.folder() / file.name for file in data.FILES.values()]
    stats = [path.stat() if path.is_file() else None for path in paths]
    return _dataset(tuple((stat.st_size, stat.st_mtime_ns) if stat else None for stat in stats))


@st.cache_resource(show_spinner="Checking the dataset …", max_entries=4)
def _dataset(files: Sequence[tuple[int, int] | None]) -> Dataset:
    if not any(files) and not data.chosen_by_user():
        return Dataset("drawn", None)
    problems = [problem for _, problem in data.check() if problem]
    return Dataset("drawn", problems[0]) if problems else Dataset("real", None)


@st.cache_resource(show_spinner="Loading the dataset …")
def split(name: SplitName, source: Source) -> Split:
    """One split of a source."""
    return data.load(name, source)


@st.cache_resource(show_spinner=False, max_entries=64)
def problem(sha256: str, name: str) -> str | None:
    """Why saved weights can't be used, in a sentence; None for those that can."""
    try:
        weights.load(name)
    except weights.WeightsError as error:
        return str(error)
    return None


@st.cache_resource(show_spinner=False, max_entries=64)
def model(sha256: str, name: str, device: str) -> nn.Module:
    """The model of saved weights, on a device; the hash tells a retrained file from the old."""
    loaded, _ = weights.load(name)
    return _settled(loaded.to(device))


@st.cache_resource(show_spinner=False, max_entries=64)
def uploaded_model(sha256: str, device: str, _content: bytes, _filename: str) -> nn.Module:
    """The model of uploaded weights, on a device."""
    loaded, _ = weights.open_bytes(_content, _filename)
    return _settled(loaded.to(device))


def _settled(loaded: nn.Module) -> nn.Module:
    loaded.eval()
    _freeze()
    return loaded


@st.cache_resource(show_spinner=False)
def _freeze() -> None:
    """Once torch and a model are here, take them out of the collector's reach.

    Streamlit collects garbage after every script run; going through torch's objects each time
    would cost more than most reruns.
    """
    gc.collect()
    gc.freeze()


def answer(
    card: weights.Card, images: NDArray[np.uint8], device: torch.device
) -> tuple[NDArray[np.float32], torch.device]:
    """Probabilities (N, 10) at the card's temperature, and the device that computed them."""

    def compute(device: torch.device) -> NDArray[np.float32]:
        return evaluation.infer(open_model(card, device), images, device)

    logits, used = devices.or_cpu(compute, device, notify=st.toast)
    return evaluation.probabilities(logits, card.temperature), used


def open_model(card: weights.Card, device: torch.device) -> nn.Module:
    """The model behind a card of `choices()`, on a device."""
    upload = uploads().get(card.name)
    if upload and upload.card.sha256 == card.sha256:
        return uploaded_model(card.sha256, str(device), upload.content, upload.filename)
    return model(card.sha256, card.name, str(device))


def evaluate(
    card: weights.Card, split_name: SplitName, source: Source, device: torch.device
) -> Evaluation:
    """The model's answers on a whole split, computed once for everybody."""
    return _evaluate(card.sha256, split_name, source, card, device)


@st.cache_resource(show_spinner="Asking the model about every image …", max_entries=64)
def _evaluate(
    sha256: str,
    split_name: SplitName,
    source: Source,
    _card: weights.Card,
    _device: torch.device,
) -> Evaluation:
    images = split(split_name, source)
    logits, _ = devices.or_cpu(
        lambda device: evaluation.infer(open_model(_card, device), images.images, device),
        _device,
        notify=st.toast,
    )
    return Evaluation(_card.name, logits, images.labels)


def positions(
    card: weights.Card,
    split_name: SplitName,
    source: Source,
    method: str,
    device: torch.device,
) -> NDArray[np.float32]:
    """Where the model's features place a split's garments (N, 2), computed once for everybody."""
    job = _positions(card.sha256, split_name, source, method, card, device)
    return job.result(f"Computing {method} of {card.name}'s features …")


@st.cache_resource(show_spinner=False, max_entries=64)
def _positions(
    sha256: str,
    split_name: SplitName,
    source: Source,
    method: str,
    _card: weights.Card,
    _device: torch.device,
) -> Job[NDArray[np.float32]]:
    images = split(split_name, source).images
    model = cast(Classifier, open_model(_card, _device))

    def compute(report: embedding.Report) -> NDArray[np.float32]:
        vectors, _ = devices.or_cpu(
            lambda device: embedding.features(model, images, device), _device, notify=logger.warning
        )
        return embedding.METHODS[method](vectors, report)

    name = f"{method} {sha256[:16]} {store.digest(images)}"
    return Job(lambda report: store.keep(name, lambda: compute(report)))


def label_issues(
    card: weights.Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.int64]:
    """Rows of a split whose label the model doubts, the least likely label first."""
    return _label_issues(card.sha256, split_name, source, card, device)


@st.cache_resource(show_spinner="Weighing every label …", max_entries=64)
def _label_issues(
    sha256: str,
    split_name: SplitName,
    source: Source,
    _card: weights.Card,
    _device: torch.device,
) -> NDArray[np.int64]:
    answers = evaluate(_card, split_name, source, _device)
    return suspects.label_issues(answers, _card.temperature)


@st.cache_resource(show_spinner=False)
def published_rows(name: SplitName) -> NDArray[np.int64]:
    """Where the real split's garments are in the published files."""
    return data.published_rows(name)


def near_duplicates(source: Source) -> NDArray[np.void]:
    """Pairs of alike garments over all splits, one after the other, as suspects.PAIR."""
    return _near_duplicates(source).result("Comparing every garment with every other …")


@st.cache_resource(show_spinner=False)
def _near_duplicates(source: Source) -> Job[NDArray[np.void]]:
    images = np.concatenate([split(name, source).images for name in SPLITS])
    name = f"duplicates {store.digest(images)}"
    return Job(lambda report: store.keep(name, lambda: suspects.near_duplicates(images, report)))


@dataclass(frozen=True)
class Upload:
    """A weights file that one browser brought, for as long as its session lasts."""

    filename: str
    content: bytes
    card: weights.Card


def uploads() -> dict[str, Upload]:
    """This session's uploads by name."""
    kept: dict[str, Upload] = st.session_state.setdefault("uploads", {})
    return kept


def remember(upload: Upload, source: Source, device: torch.device) -> None:
    """Take an upload among this session's models; measured where the real dataset is here."""
    name = upload.card.name
    if upload.card.sha256 in {card.sha256 for card in choices().values()}:
        return
    while name in choices():
        name += "-uploaded"
    kept = replace(upload, card=replace(upload.card, name=name))
    uploads()[name] = kept
    if source == "real":  # figures on drawn garments would stand beside real ones
        figures = weights.measured(evaluate(kept.card, "test", source, device))
        uploads()[name] = replace(kept, card=replace(kept.card, test=figures))


def choices() -> dict[str, weights.Card]:
    """Every model that can be asked here, by name: saved weights and this session's uploads."""
    saved = {card.name: card for card in weights.cards() if not problem(card.sha256, card.name)}
    everything = saved | {name: upload.card for name, upload in uploads().items()}
    return dict(sorted(everything.items(), key=lambda item: weights.rank(item[1])))
