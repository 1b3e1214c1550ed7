"""The models and their answers, each computed once for all browsers."""

import atexit
import gc
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, wraps
from itertools import count
from threading import Thread
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import (
    StopException,
    add_script_run_ctx,
    get_script_run_ctx,
)

from fmnist.analysis import evaluation, explain
from fmnist.analysis.evaluation import Evaluation
from fmnist.classroom.runs import seal
from fmnist.data.splits import Source, SplitName
from fmnist.machine import devices, files
from fmnist.machine.apart import Lane
from fmnist.models import inference, together
from fmnist.models.inference import ProgressCallback
from fmnist.models.layers import Classifier
from fmnist.ui.markdown import plain
from fmnist.ui.state.dataset import known_as, split
from fmnist.ui.state.jobs import AT_ONCE, Job, Pace, apart_if_many
from fmnist.weights import shelf
from fmnist.weights.card import Card, WeightsError
from fmnist.weights.shelf import DEFAULT, Answer, Weights
from fmnist.weights.strangers.graphs import GraphError
from fmnist.words import Words, _, said

Result = TypeVar("Result")
Told = TypeVar("Told")
Parameters = ParamSpec("Parameters")
Real = TypeVar("Real", np.float16, np.float32)
Question = Callable[[Classifier, NDArray[np.uint8], torch.device, ProgressCallback], NDArray[Real]]
"""What a model is asked about images."""
HashFuncs = dict[str | type[Any], Callable[[Any], Any]]

TIMED = 7
"""Answers of which the median is the time of one."""
ANSWERS: HashFuncs = {
    Card: lambda card: (card.sha256, card.temperature),
    torch.device: lambda device: None,
}
"""What tells a model's answers from others: neither its name nor the device that computed them."""
NAMED_ANSWERS: HashFuncs = ANSWERS | {Card: lambda card: (card.both_names, *ANSWERS[Card](card))}
"""The same where the model's name is part of what is shown."""
FILE: HashFuncs = {Card: lambda card: (card.name, card.sha256), torch.device: str}
"""What tells a loaded file from others; the hash tells a retrained one from the old."""


def problem(card: Card) -> Words | None:
    """Why saved weights can't be used, in a sentence; None for those that can."""
    failure = failures().get(card.sha256)
    if failure:
        return Words("{file} {failure}", file=card.name, failure=failure)
    try:
        return damage(card.name, card.sha256, shelf.file_version(card.name))
    except WeightsError as error:
        return error.words


# Asked of every model at every rerun, for which Streamlit's caches take too long.
@lru_cache(maxsize=256)
def damage(name: str, sha256: str, version: tuple[int, int, int]) -> Words | None:
    """Why the weights of that name can't be loaded; what else is given tells them from others."""
    try:
        shelf.load(name)
    except WeightsError as error:
        return error.words
    return None


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=FILE)
def _saved(card: Card, device: torch.device) -> Weights:
    weights = shelf.load(card.name)
    weights.model.to(device).eval()
    _freeze()
    return weights


@st.cache_resource(show_spinner=False)
def _freeze() -> None:
    """Once torch and a model are here, take them out of the collector's reach.

    Going through torch's objects at each full collection would cost more than most reruns.
    """
    gc.collect()
    gc.freeze()
    # Else libraries in C++ report at the end of the process what is out of reach as leaked.
    atexit.register(gc.unfreeze)


def answering(
    function: Callable[Concatenate[Card, Parameters], Result],
) -> Callable[Concatenate[Card, Parameters], Result]:
    """Begin the page anew, and without the model, where its ONNX graph fails in a function.

    It could answer when it was opened, and may fail on some other picture all the same. This
    stands above a cache, so that whoever wants the error itself can ask below it.
    """

    @wraps(function)
    def answer(card: Card, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(card, *args, **kwargs)
        except GraphError as error:
            failures()[card.sha256] = error.words
            st.session_state["left out"] = Words(
                "{file} {failure} From now on it is left out.",
                file=card.name,
                failure=error.words,
            )
            st.rerun()
            # Beside the page, in a parallel fragment, it goes on where the page has begun already.
            raise StopException from None

    return answer


@st.cache_resource(show_spinner=False)
def failures() -> dict[str, Words]:
    """What is wrong with the models that failed at an answer, by their SHA-256."""
    return {}


@answering
def answer(
    card: Card,
    images: NDArray[np.uint8],
    device: torch.device,
    kinds: Sequence[str] | None = None,
) -> tuple[Answer, torch.device]:
    """What the model says of images uint8 (N, 28, 28), and the device that computed it.

    `kinds` are what intake took the images for, where they come from there.
    """

    def question(model: Classifier, device: torch.device) -> Answer:
        if model.opaque:  # a graph that fails at one picture fails nobody else's
            logits = inference.infer(model, images, device)
        else:
            logits = together.infer(
                (model, device), images, lambda every: inference.infer(model, every, device)
            )
        return Weights(model, card).said(logits, kinds)

    return ask(card, device, question)


@answering
@st.cache_resource(show_spinner=False, max_entries=256, hash_funcs=ANSWERS | {torch.device: str})
def milliseconds(card: Card, device: torch.device) -> float:
    """How long the model takes to answer one image, the median of a few."""
    image = np.zeros((1, 28, 28), np.uint8)
    times = []
    for _attempt in range(TIMED):
        start = time.perf_counter()
        ask(card, device, lambda model, device: inference.infer(model, image, device))
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def ask(
    card: Card,
    device: torch.device,
    question: Callable[[Classifier, torch.device], Result],
) -> tuple[Result, torch.device]:
    """What a question finds in the model behind a card, and the device that computed it.

    That is the CPU where CUDA fails. Raises GraphError where a graph fails; see `answering`.
    """
    return devices.or_cpu(
        lambda device: question(opened(card, device).model, device),
        device,
        notify=lambda notice: st.toast(said(notice)),
    )


def opened(card: Card, device: torch.device) -> Weights:
    """The model behind a card: one that this browser brought, or that is here to stay."""
    brought = uploads().get(card.name)
    if brought and brought.card.sha256 == card.sha256:
        return Weights(brought.model, card)
    return Weights(_saved(card, device).model, card)


@answering
def evaluate(card: Card, split_name: SplitName, source: Source, device: torch.device) -> Evaluation:
    """The model's answers on a whole split, under the name it goes by in this session."""
    answers = logits(card, split_name, source, device)
    return Evaluation(card.name, answers, split(split_name, source).labels)


def logits(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.float32]:
    """What the model answers (N, 10) to a whole split; raises GraphError where its graph fails.

    Until that is there, a progress bar is.
    """
    sentence = _("Asking {model} about every image …", model=plain(card.label))
    return _answers(card, split_name, source, device).result(sentence, (GraphError,))


@st.cache_resource(show_spinner=False, max_entries=64, validate=Job.may_succeed, hash_funcs=ANSWERS)
def _answers(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> Job[NDArray[np.float32]]:
    return _asked("answers", inference.infer, card, split_name, source, device)


@answering
def embeddings(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.float16]:
    """The features (N, D) in which the model sees a whole split, behind a progress bar."""
    sentence = _("Seeing every image as {model} does …", model=plain(card.label))
    return _features(card, split_name, source, device).result(sentence, (GraphError,))


@st.cache_resource(show_spinner=False, max_entries=8, validate=Job.may_succeed, hash_funcs=ANSWERS)
def _features(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> Job[NDArray[np.float16]]:
    return _asked("features", explain.embed, card, split_name, source, device)


def _asked(
    kind: str,
    question: Question[Real],
    card: Card,
    split_name: SplitName,
    source: Source,
    device: torch.device,
) -> Job[NDArray[Real]]:
    """What a question finds in a model about a whole split, kept for the next start.

    But for weights that aren't here to stay, and on a GPU, which needs a moment only and whose last
    digits are its own.
    """
    find = _of_split(question, card, split_name, source, device)
    if card.name in uploads() or device.type != "cpu":
        return Job(find, AT_ONCE)
    name = f"{kind} {card.sha256} {known_as(split_name, source)}"
    return Job(lambda report: files.cached(name, lambda: find(report)), AT_ONCE)


def _of_split(
    question: Question[Real],
    card: Card,
    split_name: SplitName,
    source: Source,
    device: torch.device,
) -> Callable[[ProgressCallback], NDArray[Real]]:
    """What finds a question in a model about a whole split, in whatever thread."""
    images, tell = split(split_name, source).images, _toast()
    weights, brought = opened(card, device), card.name in uploads()

    def find(report: ProgressCallback) -> NDArray[Real]:
        def on(used: torch.device) -> NDArray[Real]:
            # That of a GPU which failed can't be had from it, and others ask it there.
            model = weights.model if brought or used == device else _saved(card, used).model
            return aside(
                question, model, images, used, device=used, images=len(images), report=report
            )

        found, _used = devices.or_cpu(on, device, tell)
        return found

    return find


def whole(
    question: Question[Real],
    model: Classifier,
    images: NDArray[np.uint8],
    device: torch.device,
) -> NDArray[Real]:
    """What a question finds in a model about many images, behind a progress bar."""
    report = progress_bar()
    return aside(question, model, images, device, device=device, images=len(images), report=report)


def aside(
    compute: Callable[..., Result],
    model: Classifier,
    *args: Any,
    device: torch.device,
    images: int,
    report: ProgressCallback,
    lane: Lane | None = None,
) -> Result:
    """What a function of a module makes of a model and so many images, keeping nobody waiting."""
    # A GPU needs a moment only, and ONNX Runtime's sessions stay where they are.
    if device.type != "cpu" or model.opaque:
        return compute(model, *args, report)
    return apart_if_many(compute, model, *args, images=images, lane=lane, report=report)


def progress_bar() -> ProgressCallback:
    """Moves a progress bar, which is there for as long as something is being computed.

    It does so from a thread of its own: in the script's, Streamlit would keep the bar with the
    cached result to show it again each time, and would drop what is half computed as soon as a
    widget is moved.
    """
    bar, pace = st.empty(), Pace()

    def show(done: float) -> None:
        bar.progress(done, str(pace)) if done < 1 else bar.empty()

    shown = _from_any_thread(show)

    def report(done: float) -> None:
        pace.hear(done)
        shown(done)

    return report


def _toast() -> Callable[[Words], None]:
    """Tells the browser that asks now something, at any time."""
    return _from_any_thread(lambda notice: st.toast(said(notice)))


def _from_any_thread(show: Callable[[Told], object]) -> Callable[[Told], None]:
    """A function of the page that runs now, for a thread that isn't its own."""
    page = get_script_run_ctx()

    def quietly(what: Told) -> None:
        with suppress(StopException):  # the page that asked has ended
            show(what)

    def told(what: Told) -> None:
        thread = Thread(target=quietly, args=(what,))
        add_script_run_ctx(thread, page)
        thread.start()
        thread.join()

    return told


def probabilities(
    card: Card, split_name: SplitName, source: Source, device: torch.device
) -> NDArray[np.float32]:
    """Probabilities (N, 10) of a whole split at the card's temperature."""
    answers = evaluate(card, split_name, source, device)
    return evaluation.probabilities(answers.logits, card.temperature)


def uploads() -> dict[str, Weights]:
    """What this browser brought, by name, for as long as its session lasts."""
    brought: dict[str, Weights] = st.session_state.setdefault("models brought", {})
    return brought


def choices(able: Callable[[Card], bool] = lambda card: True) -> dict[str, Card]:
    """The able models that can be asked here, by name: saved weights, this session's uploads.

    What a classroom has sealed isn't on their cards.
    """
    saved = {card.name: card for card in shelf.cards()}
    _set_apart(uploads(), saved)
    everything = {name: card for name, card in saved.items() if not problem(card)} | {
        name: card for name, (_, card) in uploads().items() if card.sha256 not in failures()
    }
    shown = {name: seal(card) for name, card in everything.items()}
    found = {name: card for name, card in shown.items() if able(card)}
    return dict(sorted(found.items(), key=lambda item: shelf.rank(item[1])))


def _set_apart(brought: dict[str, Weights], saved: Collection[str]) -> None:
    """Give another name to what was brought where somebody has saved weights under it since."""
    for name in brought.keys() & saved:
        numbered = (f"{name}-{number}" for number in count(2))
        free = next(other for other in numbered if other not in {*brought, *saved})
        model, card = brought.pop(name)
        brought[free] = Weights(model, replace(card, name=free))


def default() -> Card | None:
    """The model that is asked where nobody has chosen one; None where there is none."""
    everything = choices()
    return everything.get(DEFAULT) or next(iter(everything.values()), None)
