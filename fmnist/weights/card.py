"""What is known of a weights file: where it comes from and what was measured of it."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fmnist import models
from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Certainty, Evaluation
from fmnist.data.splits import SPLITS, Source, SplitName
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.chain import Layer
from fmnist.models.ensemble import Member
from fmnist.words import Words

NONE_OF_TEN = Words(
    "This looks like none of the ten kinds of garments; take the answer as a guess."
)
UNFAMILIAR = Words(
    "This is unlike any garment the model has seen, perhaps none of the ten kinds; "
    "take the answer as a guess."
)
HALF = 0.5
UNSURE = Words("The model isn't sure: of such answers, {right} in 10 are right. {help}")
DATASET = "dataset"
"""The kind of a picture of which nothing else is said."""
HELP: Mapping[str, Words] = MappingProxyType(
    {
        DATASET: Words("A larger picture of the whole garment would help."),
        "sketch": Words(
            "Draw all of the outline, and what tells the garment: sleeves, straps, heels."
        ),
        "shop": Words("The whole garment, alone and from the front, would help."),
        "photo": Words("The whole garment, laid out on a plain ground, would help."),
    }
)
"""What makes the answer to a kind of picture surer."""


class Form(NamedTuple):
    """What a model is of which only the answers can be seen."""

    family: str
    title: str
    knows: tuple[SplitName, ...] = SPLITS
    sure: bool = True  # whether it says how sure it is


OPAQUE: Mapping[str, Form] = MappingProxyType(
    {
        "onnx": Form("ONNX", Words("ONNX model")),
        "tflite": Form("TensorFlow Lite", Words("TensorFlow Lite model")),
        "probabilities": Form(Words("Predictions"), Words("table of probabilities"), ("test",)),
        "classes": Form(Words("Predictions"), Words("table of classes"), ("test",), sure=False),
    }
)
ENSEMBLE = "ensemble"
"""The family of models that answer together."""
FAMILIES: Mapping[str, str] = MappingProxyType(
    dict(models.FAMILIES)
    | {ENSEMBLE: Words("Ensemble")}
    | {name: form.family for name, form in OPAQUE.items()}
)
"""The families of the registry, ensembles, and models of which only the answers can be seen."""
_COUNTED = {
    "Conv2d": Words("convolutional"),
    "Residual": Words("residual"),
    "Recurrent": Words("recurrent"),
    "Linear": Words("linear"),
}


@dataclass(frozen=True)
class Figures:
    """What was measured on one split; confusion is 10 rows of 10 counts, row = true class."""

    n: int
    accuracy: float
    loss: float | None  # of classes alone there is none
    confusion: list[list[int]]


@dataclass(frozen=True)
class Seed:
    """Accuracies, 0 to 1, of one of several trainings that differ in their seed only."""

    seed: int
    validation: float | None  # None where its images were learned
    test: float
    mirrored: float | None  # as on the card


def measured(e: Evaluation, sure: bool = True) -> Figures:
    """The figures of a card for one split; `sure` is whether the logits say more than classes."""
    return Figures(
        n=len(e.labels),
        accuracy=evaluation.accuracy(e),
        loss=evaluation.loss(e) if sure else None,
        confusion=evaluation.confusion(e).tolist(),
    )


@dataclass(frozen=True)
class Card:
    """What is known of a weights file; None for what a stranger's file doesn't say."""

    name: str
    architecture: str | None  # None: a chain, an ensemble, or of which only answers can be seen
    parameters: int | None
    bytes: int = 0
    sha256: str = ""
    data: str | None = None  # real or drawn
    recipe: dict[str, Any] | None = None
    limit: int | None = None  # of how many training images it learned, where not of all
    repeats: str | None = None  # the weights that validation chose, if it learned its images too
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
    reads: str | None = None  # how a stranger's model reads pixels, see trials.READINGS
    layers: list[Layer] | None = None  # those of a chain
    members: list[Member] | None = None  # those of an ensemble
    taken_for: str | None = None  # what a stranger's file doesn't say, such as ReLU
    doubt: str | None = None  # what speaks against a stranger's model, in a sentence
    order: list[int] | None = None  # the answer that each class has, if they stand in another order
    sources: list[str] | None = None  # whose pictures it learned from beside the dataset
    certainty: dict[str, Certainty] | None = None  # by kind of intake, where it was measured
    display_name: str | None = None  # what people call it, where that can't name a file
    opaque: str | None = None  # a key of OPAQUE, where only its answers can be seen
    classroom: str | None = None  # the code of the one in which it was trained
    sealed: bool = False  # whether what it does on test is to be seen by nobody yet

    @property
    def label(self) -> str:
        """What its owner calls it; links and the command line have `name`, as its files do."""
        return self.display_name or self.name

    @property
    def both_names(self) -> str:
        """The label, with the name behind it where that is another."""
        return f"{self.display_name} ({self.name})" if self.display_name else self.name

    @property
    def _form(self) -> Form | None:
        """What it is if only its answers can be seen; a card of ONNX may not say so."""
        network = self.architecture or self.layers is not None or self.members is not None
        return None if network else OPAQUE[self.opaque or "onnx"]

    @property
    def knows(self) -> tuple[SplitName, ...]:
        """The splits that it can be asked about; held-out images that it learned say nothing."""
        known = self._form.knows if self._form else SPLITS
        kept_from = {"test": self.sealed, "validation": self.repeats is not None}
        return tuple(split for split in known if not kept_from.get(split))

    @property
    def any_picture(self) -> bool:
        """Whether it can be asked about any picture, as a table of predictions can't."""
        return self._form is None or self._form.knows == SPLITS

    @property
    def sure(self) -> bool:
        """Whether it says how sure it is, or only classes."""
        return self._form.sure if self._form else True

    @property
    def family(self) -> str:
        if self.architecture:
            return MODELS[self.architecture].family
        if self.members is not None:
            return ENSEMBLE
        if self.layers is None:
            return self.opaque or "onnx"
        kinds = {layer["kind"] for layer in self.layers}
        convolutional = kinds & {"Conv2d", "Residual"}
        return "rnn" if "Recurrent" in kinds else "cnn" if convolutional else "fcnn"

    @property
    def title(self) -> str:
        if self.architecture:
            return MODELS[self.architecture].title
        if self.members is not None:
            return Words("Ensemble of {count} models", count=len(self.members))
        if self._form:
            return self._form.title
        kinds = Counter(layer["kind"] for layer in self.layers or ())
        parts = [
            Words("{count} {kind}", count=kinds[kind], kind=word)
            for kind, word in _COUNTED.items()
            if kinds[kind]
        ]
        if not parts:
            return Words("No layer that learns")
        together = reduce(
            lambda one, other: Words("{one} and {other}", one=one, other=other), parts
        )
        count = sum(kinds[kind] for kind in _COUNTED)
        return Words("{parts} layer", "{parts} layers", n=count, parts=together)

    @property
    def on_real(self) -> Figures | None:
        """The test figures if they can stand beside others: those on drawn garments can't."""
        return None if self.data == "drawn" else self.test

    @property
    def reading(self) -> Words | None:
        """In words: how a stranger's model reads pixels, and how it does on test if measured."""
        if self.reads is None:
            return None
        words = Words("reads pixels as {reading}", reading=self.reads)
        if self.taken_for:
            words = Words("{reads}, taken for {what}", reads=words, what=self.taken_for)
        if self.test:
            percent = 100 * self.test.accuracy
            words = Words("{reads}; {percent:.1f} % on test", reads=words, percent=percent)
        return words

    @property
    def guess(self) -> Words | None:
        """In words: that a stranger's layers may go together otherwise, and what would say it."""
        if self.taken_for is None or not (self.architecture or self.layers):
            return None
        return Words(
            "The file doesn't say all of how its layers go together; so taken, it answers best. If "
            "you measured another accuracy with it, bring the whole model, or save it as ONNX: "
            "these say it."
        )

    def without_test(self) -> "Card":
        """The card with nothing in it, or to be found by it, that says how it does on test."""
        return replace(self, test=None, mirrored=None, seeds=None, sealed=True)

    def may_know(self, source: Source) -> bool:
        """Whether it learned from such garments, which a stranger's card doesn't say."""
        return self.data in (source, None)

    def certainty_of(self, kind: str) -> Certainty:
        """How sure to be of a kind of intake; of one that wasn't measured, as of the dataset."""
        return (self.certainty or {}).get(kind) or Certainty(self.temperature)

    def probabilities(
        self, logits: NDArray[np.float32], kinds: Sequence[str] | None = None
    ) -> NDArray[np.float32]:
        """The probabilities (N, 10) by logits of images, whose kinds of intake may be known."""
        if kinds is None:
            return evaluation.probabilities(logits, self.temperature)
        temperatures = [self.certainty_of(kind).temperature for kind in kinds]
        return evaluation.probabilities(logits / np.array(temperatures, np.float32)[:, None])

    def doubts(
        self, logits: NDArray[np.float32], kinds: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """What speaks against the answers to logits (N, 10): a sentence each, or nothing.

        Of a kind of intake that was measured, that none of the ten is likelier than any of them,
        or that the answer is rather wrong than right; of others, that the energy is unusual.
        """
        return tuple(
            self._doubt(row[None], kind)
            for row, kind in zip(logits, kinds or [DATASET] * len(logits), strict=True)
        )

    def _doubt(self, logits: NDArray[np.float32], kind: str) -> str:
        if kind not in (self.certainty or {}):
            limit = np.inf if self.energy_limit is None else self.energy_limit
            return UNFAMILIAR if evaluation.energy(logits).item() > limit else ""
        certainty = self.certainty_of(kind)
        none = evaluation.chance_of_none(logits, certainty).item()
        right = evaluation.chance_of_right(logits, certainty).item()
        if none > (1 - none) * right:
            return NONE_OF_TEN
        if right >= HALF:
            return ""
        return Words(UNSURE, right=round(10 * right), help=HELP[kind])

    def to_json(self) -> str:
        """The card as it stands beside its weights; `from_json` is the inverse."""
        text = json.dumps(asdict(self), indent=1)
        # A confusion row reads as a row.
        return re.sub(r"\[[\s\d,]+\]", lambda row: " ".join(row[0].split()), text) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Card":
        return cls.from_values(json.loads(text))

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> "Card":
        """A card from its fields; raises ValueError, TypeError or KeyError where they make none."""
        if values["architecture"] not in {None, *MODELS}:
            raise ValueError(f"There is no model {values['architecture']!r}.")
        for split in ("validation", "test"):
            if values[split]:
                values[split] = Figures(**values[split])
        if values.get("seeds"):
            values["seeds"] = [Seed(**seed) for seed in values["seeds"]]
        if values.get("certainty"):
            values["certainty"] = {
                kind: Certainty(**measured) for kind, measured in values["certainty"].items()
            }
        return cls(**values)


class WeightsError(UserFacingError):
    """A weights file can't be used; the message says why in a sentence."""
