"""Weights by name: saving, keeping, loading; a weights file is safetensors with a JSON card."""

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import combining, normalize

import numpy as np
import torch
from numpy.typing import NDArray

from fmnist import PROJECT
from fmnist.data.splits import CLASSES
from fmnist.machine.files import version, write_whole
from fmnist.machine.locks import held
from fmnist.machine.names import on_one_line
from fmnist.models import MODELS
from fmnist.models.chain import Chain
from fmnist.models.ensemble import Ensemble
from fmnist.models.inference import ProgressCallback, infer
from fmnist.models.layers import Classifier, parameter_count
from fmnist.weights.card import Card, WeightsError
from fmnist.weights.strangers import formats, opening
from fmnist.weights.strangers.formats import SUFFIXES

SHIPPED = PROJECT / "weights"
DEFAULT = "everyday"
"""The weights that classify a picture unless others are chosen."""
ADVERSARIAL, BEFORE = "lenet-5-adversarial", "lenet-5"
"""Weights that ship besides, trained against attacks, and those of the same recipe without."""
KEPT = (".safetensors", ".onnx", ".tflite", ".npy")
LOCK = ".lock"
"""Held by whoever gives weights a name."""
LONGEST_NAME = 64
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")


class Answer(NamedTuple):
    """What a model says of N images."""

    probabilities: NDArray[np.float32]  # (N, 10), see Card.probabilities
    doubts: tuple[str, ...]  # N sentences, see Card.doubts


class Weights(NamedTuple):
    """A model, ready to answer, and its card."""

    model: Classifier
    card: Card

    def answer(
        self,
        images: NDArray[np.uint8],
        device: torch.device,
        kinds: Sequence[str] | None = None,
    ) -> Answer:
        """What the model says of images uint8 (N, 28, 28), whose kinds of intake may be known.

        Raises GraphError where a graph fails.
        """
        return self.said(infer(self.model, images, device), kinds)

    def said(self, logits: NDArray[np.float32], kinds: Sequence[str] | None = None) -> Answer:
        """What logits (N, 10) of the model mean for images whose kinds of intake may be known."""
        return Answer(self.card.probabilities(logits, kinds), self.card.doubts(logits, kinds))


def own_folder() -> Path:
    """Where weights made here are kept: FMNIST_WEIGHTS, else beside the shipped ones."""
    return Path(os.environ.get("FMNIST_WEIGHTS") or SHIPPED).resolve()


def cards() -> list[Card]:
    """The cards of all weights that can be loaded by name, the most accurate first."""
    found = {}
    for folder in (SHIPPED, own_folder()):
        for path in sorted(folder.iterdir() if folder.is_dir() else []):
            if path.suffix in KEPT:
                with suppress(FileNotFoundError):  # it has none, or has just gone
                    found[path.stem] = _read_card(path)
    return sorted(found.values(), key=rank)


def file_version(name: str) -> tuple[int, int, int]:
    """What changes whenever the file of that name is replaced; raises WeightsError without one."""
    path = _find(name)
    try:
        return version(path)
    except OSError as error:  # it has just gone
        raise _unreadable(path, error) from None


def rank(card: Card) -> float:
    """What cards are sorted by: the most accurate on real images first, the unmeasured last."""
    return -card.on_real.accuracy if card.on_real else 0.0


def listing() -> list[dict[str, Any]]:
    """Every weights file and every architecture without one, as `models --json` prints them."""
    rows = [
        {
            "name": card.name,
            "title": card.title,
            "family": card.family,
            "parameters": card.parameters,
            "bytes": card.bytes,
            "validation_accuracy": card.validation.accuracy if card.validation else None,
            "test_accuracy": card.test.accuracy if card.test else None,
        }
        for card in cards()
    ]
    without = [spec for name, spec in MODELS.items() if name not in {row["name"] for row in rows}]
    return rows + [
        {
            "name": spec.name,
            "title": spec.title,
            "family": spec.family,
            "parameters": parameter_count(spec.build()),
            "bytes": None,
            "validation_accuracy": None,
            "test_accuracy": None,
        }
        for spec in without
    ]


def save(weights: Weights, directory: Path) -> Card:
    """Write a model and `card.name`.json whole or not at all; returns the card completed."""
    model, card = weights
    check_name(card.name)
    content = model.packed(card.architecture)
    card = _card_of(weights, content)
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / f"{card.name}{model.suffix}", content)
    write_whole(directory / f"{card.name}.json", card.to_json().encode())
    return card


def keep(weights: Weights, label: str) -> Card:
    """Save a model for everybody under a name that no other has; returns its card.

    The label may be any words: a file name is made from them, and a number tells it from that of
    others. Raises WeightsError for a label that is taken, or is none.
    """
    label, folder, model = free_label(label), own_folder(), weights.model
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / LOCK, needed=False):  # of two who ask at once, one gets the name
        name = _free_name(label)
        card = replace(weights.card, name=name, display_name=None if label == name else label)
        content = model.packed(card.architecture)
        card = _card_of(Weights(model, card), content)
        try:
            # The card first: whenever this is killed, a card alone is nobody's weights.
            write_whole(folder / f"{name}.json", card.to_json().encode())
            write_whole(folder / f"{name}{model.suffix}", content)
        except BaseException:
            _unlink(name)
            raise
    return card


def kept(name: str) -> bool:
    """Whether somebody kept weights under that name here, and they didn't come with the project."""
    if own_folder() == SHIPPED.resolve() and name in {*MODELS, ADVERSARIAL}:
        return False
    return any((own_folder() / f"{name}{end}").exists() for end in KEPT)


def rename(name: str, label: str) -> Card:
    """Call kept weights otherwise; their files, links and command lines stay as they are.

    Raises WeightsError for weights that nobody kept, and for a label that is taken, or is none.
    """
    path = _kept_file(name)
    with held(own_folder() / LOCK, needed=False):
        label = free_label(label, but=name)
        card = replace(_read_card(path), display_name=None if label == name else label)
        write_whole(path.with_suffix(".json"), card.to_json().encode())
    return card


def remove(name: str) -> None:
    """Delete kept weights for good; raises WeightsError for weights that nobody kept."""
    _kept_file(name)
    _unlink(name)


def _kept_file(name: str) -> Path:
    if not NAME.fullmatch(name) or not kept(name):
        raise WeightsError(
            "{name} is not among the weights that were kept here, so it stays as it is.", name=name
        )
    return _find(name)


def _free_name(label: str) -> str:
    """The file name for a label that is free; raises WeightsError for another."""
    name = as_name(free_label(label))
    numbered = (f"{name[: LONGEST_NAME - 4]}-{n}" for n in range(2, 1000))
    for free in [name] if label == name else chain([name], numbered):
        with suppress(WeightsError):
            check_free(free)
            return free
    raise _taken(label)


def _unlink(name: str) -> None:
    for end in (*KEPT, ".json"):
        (own_folder() / f"{name}{end}").unlink(missing_ok=True)


def load(name_or_path: str | Path) -> Weights:
    """The model, ready to evaluate, and its card; by a name of `cards()` or by a file's path.

    Raises WeightsError when there is no such file, or it isn't a model of Fashion-MNIST.
    """
    path = _find(name_or_path)
    try:
        formats.check_size(path.stat().st_size, path.name)
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    beside = path.with_suffix(".json")
    card = _read_card(path) if path.suffix in KEPT and beside.exists() else None
    # Others put a JSON of their own beside a file.
    if not card or (not card.sha256 and path.parent not in (own_folder(), SHIPPED)):
        return open(content, path.name, beside=_beside(path))
    if card.sha256 != hashlib.sha256(content).hexdigest():
        raise WeightsError(
            "{file} is not the file its card {card} describes: the SHA-256 differs. Restore one "
            "of the two.",
            file=path.name,
            card=beside.name,
        )
    return Weights(open(content, path.name, card.reads).model, card)


def _beside(path: Path) -> bytes | None:
    """The file that exporters put beside a graph for its weights, if it is there."""
    other = path.with_name(f"{path.name}.data")
    if not other.is_file():
        return None
    formats.check_size(other.stat().st_size, other.name)
    return other.read_bytes()


def begin(model: Classifier, name: str) -> None:
    """Give a model the tensors of the weights of that name.

    Raises WeightsError where there are none, or they are another architecture's.
    """
    learned = load(name).model.state_dict()
    shapes = {key: tensor.shape for key, tensor in model.state_dict().items()}
    if shapes != {key: tensor.shape for key, tensor in learned.items()}:
        raise WeightsError(
            "The model can't begin with {name}, which is built otherwise.", name=name
        )
    model.load_state_dict(learned)


def open(
    content: bytes,
    filename: str,
    reads: str | None = None,
    report: ProgressCallback = lambda done: None,
    beside: bytes | None = None,
) -> Weights:
    """A model from a file's content, as uploaded; nothing in the file is ever executed.

    `reads` is how an ONNX model reads pixels where that is known, `beside` the file that it keeps
    weights in. The card's size and hash are those of the file that the model would be saved as.
    Raises WeightsError.
    """
    opened = opening.open_file(content, filename, reads, report, beside)
    card = Card(
        Path(filename).stem,
        opened.architecture,
        parameters=None,
        reads=opened.reads,
        layers=opened.model.layers if isinstance(opened.model, Chain) else None,
        members=opened.model.members if isinstance(opened.model, Ensemble) else None,
        taken_for=opened.taken_for,
        doubt=opened.doubt,
        order=list(opened.order) if opened.order else None,
        opaque=opened.model.opaque,
    )
    return completed(Weights(opened.model, card))


def reordered(weights: Weights) -> Weights:
    """A model with its classes in the order that its card finds them to stand in."""
    model = opening.reordered(weights.model, weights.card.order or range(len(CLASSES)))
    return completed(Weights(model, replace(weights.card, doubt=None, order=None)))


def check_name(name: str) -> None:
    """Raise WeightsError for what can't name a weights file."""
    if not NAME.fullmatch(name):
        raise WeightsError(
            "{name!r} can't name a weights file: use up to {longest} letters, digits, dots, "
            "dashes and underscores, and begin with a letter or a digit.",
            name=name,
            longest=LONGEST_NAME,
        )


def check_free(name: str) -> None:
    """Raise WeightsError for what can't name new weights: others' name or label, or nobody's."""
    check_name(name)
    free_label(name)
    if any(
        (folder / f"{name}{end}").exists() for folder in (SHIPPED, own_folder()) for end in KEPT
    ):
        raise _taken(name)


def _taken(label: str) -> WeightsError:
    return WeightsError(
        "There are weights named {label} already. Choose another name.", label=label
    )


def free_label(words: str, but: str = "") -> str:
    """Words as people read them, on one line; `but` are weights that may have them already.

    Raises WeightsError where nothing is left, where there is too much, and where others have them.
    """
    label = on_one_line(words)
    if not 0 < len(label) <= LONGEST_NAME:
        raise WeightsError(
            "A name has 1 to {longest} characters; this one has {length}.",
            longest=LONGEST_NAME,
            length=len(label),
        )
    if any(label in (card.name, card.label) for card in cards() if card.name != but):
        raise _taken(label)
    return label


def as_name(words: str) -> str:
    """The name most like the words that a weights file can have."""
    letters = (c for c in normalize("NFKD", words.replace("ß", "ss")) if not combining(c))
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", "".join(letters)).strip("._-")
    return name[:LONGEST_NAME] or "model"


def completed(weights: Weights) -> Weights:
    """A model with what its card can say of it and of the file that it would be saved as."""
    model, card = weights
    return Weights(model, _card_of(weights, model.packed(card.architecture)))


def _card_of(weights: Weights, content: bytes) -> Card:
    """The card with what the model and its file say themselves."""
    return replace(
        weights.card,
        parameters=None if weights.model.opaque else parameter_count(weights.model),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _read_card(path: Path) -> Card:
    """The card beside a weights file; a bare one, fit to be refused, where it is damaged."""
    return _card_as_of(path, version(path.with_suffix(".json")))


@lru_cache(maxsize=256)
def _card_as_of(path: Path, version: tuple[int, int, int]) -> Card:
    """The card as it was when its file was so: every rerun of every browser asks for all."""
    try:
        return Card.from_json(path.with_suffix(".json").read_text())
    except (ValueError, TypeError, KeyError):
        architecture = next(iter(MODELS)) if path.suffix == ".safetensors" else None
        return Card(name=path.stem, architecture=architecture, parameters=0)


def _unreadable(path: Path, error: OSError) -> WeightsError:
    return WeightsError("{file} can't be read ({reason}).", file=path.name, reason=error.strerror)


def _find(name_or_path: str | Path) -> Path:
    if NAME.fullmatch(str(name_or_path)):
        for folder in (own_folder(), SHIPPED):
            for end in KEPT:
                if (path := folder / f"{name_or_path}{end}").exists():
                    return path
    if (path := Path(name_or_path)).is_file():
        return path
    names = ", ".join(card.name for card in cards()) or "none yet"
    raise WeightsError(
        "There are no weights {name!r}. Shipped and saved names: {names}; a file ends in "
        "{suffixes}.",
        name=str(name_or_path),
        names=names,
        suffixes=", ".join(SUFFIXES),
    )
