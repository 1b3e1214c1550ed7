"""The only module that opens a weights file; a weights file is safetensors with a JSON card."""

import hashlib
import io
import json
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist import PROJECT, evaluation
from fmnist.evaluation import Evaluation
from fmnist.files import write_whole
from fmnist.models import MODELS, Family
from fmnist.models.layers import parameter_count

SHIPPED = PROJECT / "weights"
DEFAULT = "everyday"
"""The weights that classify a picture unless others are chosen."""
PICKLES = (".pt", ".pth", ".ckpt")
UNFAMILIAR = (
    "This is unlike any garment the model has seen, perhaps none of the ten kinds; "
    "take the answer as a guess."
)
SUFFIXES = (".safetensors", *PICKLES)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class WeightsError(Exception):
    """A weights file can't be used; the message says why in a sentence."""


@dataclass(frozen=True)
class Figures:
    """What was measured on one split; confusion is 10 rows of 10 counts, row = true class."""

    n: int
    accuracy: float
    loss: float
    confusion: list[list[int]]


@dataclass(frozen=True)
class Seed:
    """Accuracies, 0 to 1, of one of several trainings that differ in their seed only."""

    seed: int
    validation: float
    test: float
    mirrored: float | None  # as on the card


def measured(e: Evaluation) -> Figures:
    """The figures of a card for one split."""
    return Figures(
        n=len(e.labels),
        accuracy=evaluation.accuracy(e),
        loss=evaluation.loss(e),
        confusion=evaluation.confusion(e).tolist(),
    )


@dataclass(frozen=True)
class Card:
    """What is known of a weights file; None for what a stranger's file doesn't say."""

    name: str
    architecture: str
    parameters: int
    bytes: int = 0
    sha256: str = ""
    data: str | None = None  # real or drawn
    recipe: dict[str, Any] | None = None
    best_epoch: int | None = None
    validation: Figures | None = None
    test: Figures | None = None
    temperature: float = 1.0
    energy_limit: float | None = None  # what has more is unlike anything the model knows
    seconds: float | None = None
    device: str | None = None
    versions: dict[str, str] | None = None
    mirrored: float | None = None  # test accuracy when each image's mirror image has a say too
    seeds: list[Seed] | None = None  # every training that these weights are the best of

    @property
    def family(self) -> Family:
        return MODELS[self.architecture].family

    def unfamiliar(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which images (N,) are, by the model's logits (N, 10), unlike those it knows."""
        limit = np.inf if self.energy_limit is None else self.energy_limit
        return np.asarray(evaluation.energy(logits) > limit)

    def to_json(self) -> str:
        """The card as it stands beside its weights; `from_json` is the inverse."""
        text = json.dumps(asdict(self), indent=1)
        # A confusion row reads as a row.
        return re.sub(r"\[[\s\d,]+\]", lambda row: " ".join(row[0].split()), text) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Card":
        values = json.loads(text)
        for split in ("validation", "test"):
            if values[split]:
                values[split] = Figures(**values[split])
        if values.get("seeds"):
            values["seeds"] = [Seed(**seed) for seed in values["seeds"]]
        return cls(**values)


def own_folder() -> Path:
    """Where weights made here are kept: FMNIST_WEIGHTS, else beside the shipped ones."""
    return Path(os.environ.get("FMNIST_WEIGHTS") or SHIPPED)


def cards() -> list[Card]:
    """The cards of all weights that can be loaded by name, the most accurate first."""
    found = {
        path.stem: _read_card(path)
        for folder in (SHIPPED, own_folder())
        for path in sorted(folder.glob("*.safetensors"))
        if path.with_suffix(".json").exists()
    }
    return sorted(found.values(), key=rank)


def rank(card: Card) -> float:
    """What cards are sorted by: the most accurate first, the unmeasured last."""
    return -card.test.accuracy if card.test else 0.0


def listing() -> list[dict[str, Any]]:
    """Every weights file and every architecture without one, as `models --json` prints them."""
    rows = [
        {
            "name": card.name,
            "title": MODELS[card.architecture].title,
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


def save(model: nn.Module, card: Card, directory: Path) -> Card:
    """Write `card.name`.safetensors and .json whole or not at all; returns the card completed."""
    if not NAME.fullmatch(card.name):
        raise WeightsError(
            f"{card.name!r} can't name a weights file: use letters, digits, dots and dashes."
        )
    tensors = {key: tensor.contiguous().cpu() for key, tensor in model.state_dict().items()}
    content = safetensors.torch.save(tensors, {"architecture": card.architecture})
    card = replace(
        card,
        parameters=parameter_count(model),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / f"{card.name}.safetensors", content)
    write_whole(directory / f"{card.name}.json", card.to_json().encode())
    return card


def load(name_or_path: str | Path) -> tuple[nn.Module, Card]:
    """The model, ready to evaluate, and its card; by a name of `cards()` or by a file's path.

    Raises WeightsError when there is no such file, or it isn't a model of the registry.
    """
    path = _find(name_or_path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path.name} can't be read ({error.strerror}).") from None
    model, card = open_bytes(content, path.name)
    beside = path.with_suffix(".json")
    if path.suffix == ".safetensors" and beside.exists():
        claimed = _read_card(path)
        if claimed.sha256 != card.sha256:
            raise WeightsError(
                f"{path.name} is not the file its card {beside.name} describes: the SHA-256 "
                "differs. Restore one of the two."
            )
        card = claimed
    return model, card


def open_bytes(content: bytes, filename: str) -> tuple[nn.Module, Card]:
    """A model from a file's content, as uploaded; nothing in the file is ever executed.

    The architecture is the one whose tensors have exactly these names and shapes. Raises
    WeightsError for anything else.
    """
    tensors = _tensors(content, filename)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{filename}: {name} holds values that are not finite numbers.")
    architecture = _architecture(tensors, filename)
    model = MODELS[architecture].build()
    model.load_state_dict(tensors)
    model.eval()
    card = Card(
        name=Path(filename).stem,
        architecture=architecture,
        parameters=parameter_count(model),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return model, card


def _read_card(path: Path) -> Card:
    """The card beside a weights file; a bare one, fit to be refused, where it is damaged."""
    try:
        return Card.from_json(path.with_suffix(".json").read_text())
    except (ValueError, TypeError, KeyError):
        return Card(name=path.stem, architecture=next(iter(MODELS)), parameters=0)


def _find(name_or_path: str | Path) -> Path:
    for folder in (own_folder(), SHIPPED):
        path = folder / f"{name_or_path}.safetensors"
        if NAME.fullmatch(str(name_or_path)) and path.exists():
            return path
    path = Path(name_or_path)
    if path.suffix in SUFFIXES and path.exists():
        return path
    names = ", ".join(card.name for card in cards()) or "none yet"
    raise WeightsError(
        f"There are no weights {str(name_or_path)!r}. Shipped and saved names: {names}; "
        f"a file ends in {', '.join(SUFFIXES)}."
    )


def _tensors(content: bytes, filename: str) -> dict[str, Tensor]:
    try:
        if filename.lower().endswith(PICKLES):
            with warnings.catch_warnings(action="ignore"):  # a stranger's odd pickle protocol
                loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        else:
            loaded = safetensors.torch.load(content)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{filename} holds more than tensors, so it was not opened: a pickle can run "
            "programs. Save a plain state_dict, or better a .safetensors file."
        ) from None
    except (safetensors.SafetensorError, RuntimeError, ValueError, EOFError, KeyError):
        raise WeightsError(
            f"{filename} is not a weights file, or it is cut short. Expected .safetensors, or "
            ".pt, .pth or .ckpt with a plain state_dict."
        ) from None
    if not isinstance(loaded, Mapping) or not loaded:
        raise WeightsError(f"{filename} holds no state_dict (names with tensors).")
    if not all(isinstance(value, Tensor) for value in loaded.values()):
        raise WeightsError(f"{filename} holds more than a plain state_dict of tensors.")
    return dict(loaded)


def _architecture(tensors: Mapping[str, Tensor], filename: str) -> str:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    closest, most_alike, expected = "", -1, {}
    for name, spec in MODELS.items():
        with torch.device("meta"):
            wanted = {key: tuple(t.shape) for key, t in spec.build().state_dict().items()}
        if wanted == shapes:
            return name
        alike = len(wanted.items() & shapes.items())
        if alike > most_alike:
            closest, most_alike, expected = name, alike, wanted
    differing = sorted(key for key, _ in expected.items() ^ shapes.items())[0]
    raise WeightsError(
        f"{filename} fits no architecture here. The closest is {closest}, whose {differing} "
        f"is {expected.get(differing, 'absent')}; in the file it is "
        f"{shapes.get(differing, 'absent')}."
    )
