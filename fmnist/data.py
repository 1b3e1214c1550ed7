"""Fashion-MNIST: find it, verify it, download it, split it; or draw a stand-in for it."""

import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from fmnist import PROJECT, garments

SplitName = Literal["train", "validation", "test"]
Source = Literal["real", "drawn"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
HELD_OUT: tuple[SplitName, ...] = ("test", "validation")
SOURCES: tuple[Source, ...] = get_args(Source)

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

VALIDATION_PER_CLASS = 500
"""Training images of each class that are set aside to choose models on."""

DRAWN = {"train": (4000, 1), "validation": (500, 2), "test": (1000, 3)}
"""Size and seed of each split of the drawn stand-in."""

DOWNLOAD_FOLDER = PROJECT / "data"


class DataError(Exception):
    """The dataset can't be used; the message says which file and what to do."""


class PublishedFile(NamedTuple):
    """One of the four files as Zalando published it."""

    name: str
    size: int
    md5: str


FILES = {
    "train images": PublishedFile(
        "train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"
    ),
    "train labels": PublishedFile(
        "train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe"
    ),
    "test images": PublishedFile(
        "t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79"
    ),
    "test labels": PublishedFile(
        "t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310"
    ),
}


@dataclass(frozen=True)
class Split:
    """Images uint8 (N, 28, 28) with labels uint8 (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)


def folder() -> Path:
    """Where the four files are, or would be downloaded to.

    FMNIST_DATA wins over the project's data/; the files may lie directly in it or under
    FashionMNIST/raw.
    """
    root = Path(os.environ.get("FMNIST_DATA") or DOWNLOAD_FOLDER)
    nested = root / "FashionMNIST" / "raw"
    return root if (root / FILES["train images"].name).exists() else nested


def check() -> Iterator[tuple[PublishedFile, str | None]]:
    """Each published file with what is wrong with it here; None where its MD5 is right."""
    for file in FILES.values():
        try:
            _read_verified(file)
            yield file, None
        except DataError as error:
            yield file, str(error)


def available() -> bool:
    """True where all four files are present at their published size; `load` checks the MD5."""
    paths = ((folder() / file.name, file.size) for file in FILES.values())
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def chosen_by_user() -> bool:
    """True where FMNIST_DATA names a folder, which is then the user's to fill."""
    return bool(os.environ.get("FMNIST_DATA"))


def default_source() -> Source:
    """The real dataset where its files are here, else the drawn garments."""
    return "real" if available() else "drawn"


def download() -> None:
    """Fetch the files that are missing into `folder()`, with a progress bar.

    Raises DataError when a file can't be had or the folder can't be written.
    """
    missing = [file for file in FILES.values() if not (folder() / file.name).exists()]
    if not missing:
        return
    # Importing torchvision takes seconds, and only a download needs it.
    from torchvision.datasets import FashionMNIST
    from torchvision.datasets.utils import download_url

    for file in missing:
        failures = []
        for mirror in FashionMNIST.mirrors:
            try:
                download_url(mirror + file.name, str(folder()), file.name, file.md5)
                break
            except (OSError, RuntimeError) as error:
                failures.append(str(error))
        else:
            raise DataError(
                f"{file.name} could not be downloaded ({failures[-1]}). "
                "Check the network, or copy the four files there."
            )


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
    images = np.frombuffer(_read_verified(FILES[f"{kind} images"]), np.uint8, offset=16)
    images = images.reshape(-1, 28, 28)
    rows = positions(split, labels)[:limit]
    return Split(images[rows], labels[rows])


def positions(split: SplitName, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Rows of the published file, whose labels uint8 (N,) these are, that make up the split."""
    if split == "test":
        return np.arange(len(labels))
    order = np.random.default_rng(seed=2017).permutation(len(labels))
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


def atlas(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Images uint8 (N, 28, 28) side by side, row after row: uint8 (rows*28, columns*28)."""
    rows = -(-len(images) // columns)
    sheet = np.zeros((rows * columns, 28, 28), np.uint8)
    sheet[: len(images)] = images
    return sheet.reshape(rows, columns, 28, 28).swapaxes(1, 2).reshape(rows * 28, columns * 28)


def _labels(kind: str) -> NDArray[np.uint8]:
    return np.frombuffer(_read_verified(FILES[f"{kind} labels"]), np.uint8, offset=8)


def _read_verified(file: PublishedFile) -> bytes:
    path = folder() / file.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{file.name} is missing. Run `python -m fmnist data` to "
            "download it, or point FMNIST_DATA at a folder that holds the four files."
        ) from None
    except OSError as error:
        raise DataError(f"{file.name} can't be read ({error.strerror}).") from None
    if len(content) < file.size:
        problem = f"is truncated: {len(content):,} of {file.size:,} bytes"
    elif hashlib.md5(content, usedforsecurity=False).hexdigest() != file.md5:
        problem = "is not the published file: its MD5 differs"
    else:
        return gzip.decompress(content)
    raise DataError(
        f"{file.name} {problem}. Delete it and run `python -m fmnist data` to download it again."
    )
