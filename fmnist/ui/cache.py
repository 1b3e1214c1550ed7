"""What every browser shares: the dataset, the models and their answers, each computed once."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, count
from threading import Thread
from typing import NamedTuple, TypeVar, cast

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import add_script_run_ctx
from torch import nn

from fmnist import data, devices, evaluation, explain, weights
from fmnist.data import Source, Split, SplitName
from fmnist.evaluation import Evaluation, Report
from fmnist.models.layers import Classifier
from fmnist.onnx import OnnxError

Result = TypeVar("Result")
TIMED = 7
"""Answers of which the median is the time of one."""


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


def problem(card: weights.Card) -> str | None:
    """Why saved weights can't be used, in a sentence; None for those that can."""
    if card.sha256 in _failures():
        return f"{card.name} {_failures()[card.sha256]}"
    return _damage(card.sha256, card.name)


@st.cache_resource(show_spinner=False, max_entries=64)
def _damage(sha256: str, name: str) -> str | None:
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


def opened(file_id: str, content: bytes, filename: str) -> tuple[nn.Module, weights.Card]:
    """The model in an uploaded file, and its card; raises WeightsError."""
    found = _opened(file_id, content, filename)
    if isinstance(found, weights.WeightsError):
        raise found
    return found


@st.cache_resource(show_spinner="Finding out how it reads pixels …", max_entries=8)
def _opened(
    file_id: str, _content: bytes, _filename: str
) -> tuple[nn.Module, weights.Card] | weights.WeightsError:
    try:
        return weights.open(_content, _filename)
    except weights.WeightsError as error:  # to be said again, not found out again
        return error


@st.cache_resource(show_spinner=False, max_entries=64)
def uploaded_model(sha256: str, device: str, _upload: "Upload") -> nn.Module:
    """The model of uploaded weights, on a device."""
    loaded, _ = weights.open(_upload.content, _upload.filename, _upload.card.reads)
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


class Answer(NamedTuple):
    """What a model says of N images, and the device that computed it."""

    shares: NDArray[np.float32]  # probabilities (N, 10) at the card's temperature
    unfamiliar: NDArray[np.bool_]  # (N,), see Card.unfamiliar
    device: torch.device


def answer(card: weights.Card, images: NDArray[np.uint8], device: torch.device) -> Answer:
    """What the model says of images uint8 (N, 28, 28)."""

    def question(model: nn.Module, device: torch.device) -> NDArray[np.float32]:
        return evaluation.infer(model, images, device)

    with asking(card):
        logits, used = ask(card, device, question)
    shares = evaluation.probabilities(logits, card.temperature)
    return Answer(shares, card.unfamiliar(logits), used)


@contextmanager
def asking(card: weights.Card) -> Iterator[None]:
    """Begin the page anew, and without the model, where its ONNX graph fails.

    It could answer when it was opened, and may fail on some other picture all the same.
    """
    try:
        yield
    except OnnxError as error:
        _failures()[card.sha256] = str(error)
        st.session_state["left out"] = f"{card.name} {error} From now on it is left out."
        st.rerun()


@st.cache_resource(show_spinner=False)
def _failures() -> dict[str, str]:
    """What is wrong with the models that failed at an answer, by their SHA-256."""
    return {}


def milliseconds(card: weights.Card, device: torch.device) -> float:
    """How long the model takes to answer one image, the median of a few."""
    with asking(card):
        return _milliseconds(card.sha256, str(device), card, device)


@st.cache_resource(show_spinner=False, max_entries=256)
def _milliseconds(
    sha256: str, device_name: str, _card: weights.Card, _device: torch.device
) -> float:
    image = np.zeros((1, 28, 28), np.uint8)
    times = []
    for _ in range(TIMED):
        start = time.perf_counter()
        ask(_card, _device, lambda model, device: evaluation.infer(model, image, device))
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def ask(
    card: weights.Card,
    device: torch.device,
    question: Callable[[Classifier, torch.device], Result],
) -> tuple[Result, torch.device]:
    """What a question finds in the model behind a card, and the device that computed it.

    That is the CPU where CUDA fails. Raises OnnxError where a graph fails; see `asking`.
    """
    return devices.or_cpu(
        # Every model that opens is what the registered ones are: features and a head.
        lambda device: question(cast(Classifier, _open(card, device)), device),
        device,
        notify=st.toast,
    )


def _open(card: weights.Card, device: torch.device) -> nn.Module:
    upload = uploads().get(card.name)
    if upload and upload.card.sha256 == card.sha256:
        return uploaded_model(card.sha256, str(device), upload)
    return model(card.sha256, card.name, str(device))


def evaluate(
    card: weights.Card, split_name: SplitName, source: Source, device: torch.device
) -> Evaluation:
    """The model's answers on a whole split, computed once for everybody."""
    with asking(card):
        found = _evaluate(card.sha256, split_name, source, card, device, _progress())
    return replace(found, model=card.name)  # the name it goes by in this session


@st.cache_resource(show_spinner="Asking the model about every image …", max_entries=64)
def _evaluate(
    sha256: str,
    split_name: SplitName,
    source: Source,
    _card: weights.Card,
    _device: torch.device,
    _report: Report,
) -> Evaluation:
    images = split(split_name, source)
    logits, _ = ask(
        _card,
        _device,
        lambda model, device: evaluation.infer(model, images.images, device, _report),
    )
    return Evaluation(_card.name, logits, images.labels)


def embeddings(
    card: weights.Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.float16]:
    """The features (N, D) in which the model sees a whole split, computed once for everybody."""
    with asking(card):
        return _embeddings(card.sha256, split_name, source, card, device, _progress())


@st.cache_resource(show_spinner="Seeing every image as the model does …", max_entries=8)
def _embeddings(
    sha256: str,
    split_name: SplitName,
    source: Source,
    _card: weights.Card,
    _device: torch.device,
    _report: Report,
) -> NDArray[np.float16]:
    images = split(split_name, source).images
    features, _ = ask(
        _card, _device, lambda model, device: explain.embed(model, images, device, _report)
    )
    return features


def _progress() -> Report:
    """Moves a progress bar, which is there for as long as something is being computed.

    It does so from a thread of its own: in the script's, Streamlit would keep the bar with the
    cached result to show it again each time, and would drop what is half computed as soon as a
    widget is moved.
    """
    bar = st.empty()

    def report(share: float) -> None:
        move = Thread(target=lambda: bar.progress(share) if share < 1 else bar.empty())
        add_script_run_ctx(move)
        move.start()
        move.join()

    return report


def shares(
    card: weights.Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.float32]:
    """Probabilities (N, 10) of a whole split at the card's temperature."""
    answers = evaluate(card, split_name, source, device)
    return evaluation.probabilities(answers.logits, card.temperature)


@dataclass(frozen=True)
class Upload:
    """A model that one browser brought, for as long as its session lasts.

    `content` is that of the file it would be saved as.
    """

    filename: str
    content: bytes
    card: weights.Card


def uploads() -> dict[str, Upload]:
    """This session's uploads by name."""
    kept: dict[str, Upload] = st.session_state.setdefault("uploads", {})
    return kept


def remember(
    model: nn.Module, card: weights.Card, name: str, source: Source, device: torch.device
) -> weights.Card:
    """Take a model among this session's under a name, or give it another; returns its card.

    A name that is taken gets a number. Measured where the real dataset is here; raises OnnxError
    where it fails at that, or has failed before.
    """
    if card.sha256 in _failures():
        raise OnnxError(_failures()[card.sha256])
    here = next((u for u in uploads().values() if u.card.sha256 == card.sha256), None)
    if here:
        del uploads()[here.card.name]
    else:
        file = f"{card.name}{weights.suffix(model)}"
        here = Upload(file, weights.packed(model, card.architecture), card)
    taken = choices()
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    card = replace(here.card, name=next(free for free in numbered if free not in taken))
    uploads()[card.name] = replace(here, card=card)
    if source == "real" and not card.test:  # figures on drawn garments would stand beside real ones
        try:
            answers = _evaluate(card.sha256, "test", source, card, device, _progress())
        except OnnxError:
            del uploads()[card.name]
            raise
        card = replace(card, test=weights.measured(answers))
        uploads()[card.name] = replace(here, card=card)
    return card


def keep(model: nn.Module, card: weights.Card) -> None:
    """Save an upload of this session for everybody, under its name; raises WeightsError."""
    weights.keep(model, card, card.name)
    del uploads()[card.name]


def choices() -> dict[str, weights.Card]:
    """Every model that can be asked here, by name: saved weights and this session's uploads."""
    saved = {card.name: card for card in weights.cards() if not problem(card)}
    brought = {name: upload.card for name, upload in uploads().items()}
    everything = saved | {
        name: card for name, card in brought.items() if card.sha256 not in _failures()
    }
    return dict(sorted(everything.items(), key=lambda item: weights.rank(item[1])))
