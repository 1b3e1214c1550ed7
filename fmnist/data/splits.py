"""Fashion-MNIST split in three, with labels; or a stand-in that is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fmnist.data import fashion, garments
from fmnist.words import Words

SplitName = Literal["train", "validation", "test"]
Source = Literal["real", "drawn"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
HELD_OUT: tuple[SplitName, ...] = ("test", "validation")
SOURCES: tuple[Source, ...] = get_args(Source)
IN_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "train": Words("train"),
        "validation": Words("validation"),
        "test": Words("test"),
        "real": Words("real"),
        "drawn": Words("drawn"),
    }
)
"""Splits and sources as sentences name them."""

CLASSES = (
    Words("T-shirt/top"),
    Words("Trouser"),
    Words("Pullover"),
    Words("Dress"),
    Words("Coat"),
    Words("Sandal"),
    Words("Shirt"),
    Words("Sneaker"),
    Words("Bag"),
    Words("Ankle boot"),
)

VALIDATION_PER_CLASS = 500
"""Training images of each class that are set aside to choose models on."""
CHOSEN_BY = 2017
"""The seed that says which."""

DRAWN = {"train": (4000, 1), "validation": (500, 2), "test": (1000, 3)}
"""Size and seed of each split of the drawn stand-in."""


@dataclass(frozen=True)
class Split:
    """Images uint8 (N, 28, 28) with labels uint8 (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def __add__(self, other: "Split") -> "Split":
        pairs = (self.images, other.images), (self.labels, other.labels)
        return Split(*map(np.concatenate, pairs))


def default_source() -> Source:
    """The real dataset where its files are here, else the drawn garments."""
    return "real" if fashion.available() else "drawn"


def load(split: SplitName, source: Source, limit: int | None = None) -> Split:
    """One split of the real dataset (55,000, 5,000 and 10,000 images) or of the drawn one.

    Validation is a fixed part of the published training set, `VALIDATION_PER_CLASS` images of
    each class. A limit takes that many images at most. Raises DataError naming the file that is
    missing, truncated or altered.
    """
    if source == "drawn":
        count, seed = DRAWN[split]
        return Split(*garments.draw(min(count, limit or count), seed))
    kind = "test" if split == "test" else "train"
    labels = _labels(kind)
    images = np.frombuffer(
        fashion.read_verified(fashion.FILES[f"{kind} images"]), np.uint8, offset=16
    )
    images = images.reshape(-1, 28, 28)
    rows = positions(split, labels)[:limit]
    return Split(images[rows], labels[rows])


def positions(split: SplitName, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Rows of the published file, whose labels uint8 (N,) these are, that make up the split."""
    if split == "test":
        return np.arange(len(labels))
    order = np.random.default_rng(CHOSEN_BY).permutation(len(labels))
    by_class = [order[labels[order] == label] for label in range(len(CLASSES))]
    part = (
        slice(None, VALIDATION_PER_CLASS)
        if split == "validation"
        else slice(VALIDATION_PER_CLASS, None)
    )
    return np.sort(np.concatenate([rows[part] for rows in by_class]))


def published_rows(split: SplitName) -> NDArray[np.int64]:
    """Rows of the published train or test file that make up the split of the real dataset."""
    kind = "test" if split == "test" else "train"
    return positions(split, _labels(kind))


def _labels(kind: str) -> NDArray[np.uint8]:
    return np.frombuffer(fashion.read_verified(fashion.FILES[f"{kind} labels"]), np.uint8, offset=8)
