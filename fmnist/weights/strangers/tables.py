"""Predictions alone: what some model answered to the test images, in place of a model."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.analysis import evaluation
from fmnist.data import splits
from fmnist.data.splits import CLASSES, Split
from fmnist.machine.errors import UserFacingError
from fmnist.models.layers import Classifier
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import npz
from fmnist.weights.strangers.formats import class_place, in_quarantine, quoted
from fmnist.words import Words

Column = NDArray[Any]
ROUNDED = 0.05
"""By how much ten probabilities of two decimals each may miss one together."""
COARSEST = 0.01
"""To what probabilities are rounded at the most: two decimals."""
WIDEST = 100
"""The most columns of a table; ours has 14."""
LONGEST_LINE = 10_000
_TRUTH = re.compile(r"(y_?)?(true|truth|test|actual|target|expected|ground_?truth)(_?\w.*)?", re.I)
_SAID = re.compile(r".*(pred|answer|said|guess|output)", re.I)
_MEANT = re.compile(r"(p|y|prob\w*|logits?|scores?|class|label|pred\w*)[ _.-]+", re.I)


class Table(Classifier):
    """What some model answered to each test image; asked about any other, it raises an error.

    `answers` are probabilities or logits float32 (N, 10), or the classes alone, uint8 (N,). An
    image is known by its pixels: no two of the test images are the same.
    """

    suffix = ".npy"

    def __init__(self, answers: NDArray[Any]) -> None:
        super().__init__()
        self.answers = answers
        self.opaque = "classes" if answers.ndim == 1 else "probabilities"
        self.standardize, self.head = nn.Identity(), nn.Identity()
        if answers.ndim == 1:
            sure = np.eye(len(CLASSES), dtype=np.float32)[answers]
            self._logits = evaluation.logits_of(sure, 0.0)
            return
        likely = (answers >= 0).all() and np.allclose(answers.sum(1), 1, atol=1e-3)
        self._logits = evaluation.logits_of(answers, _step(answers)) if likely else answers

    def features(self, images: Tensor) -> Tensor:
        pixels = (images[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
        try:
            rows = [self._places[_known_by(image)] for image in pixels]
        except KeyError:
            raise UserFacingError(
                "A table of predictions knows the test images alone, so it can't be asked about "
                "another picture."
            ) from None
        return torch.from_numpy(self._logits[rows]).to(images.device)

    @cached_property
    def _places(self) -> dict[bytes, int]:
        """Where each test image is, by its pixels."""
        return {_known_by(image): place for place, image in enumerate(test_split().images)}

    def packed(self, architecture: str | None) -> bytes:
        content = io.BytesIO()
        np.save(content, self.answers, allow_pickle=False)
        return content.getvalue()

    def reordered(self, order: Sequence[int]) -> "Table":
        """The table with what it says at each place of the order for the class of that place."""
        places = np.array(order)
        return Table(
            np.argsort(places).astype(np.uint8)[self.answers]
            if self.answers.ndim == 1
            else np.ascontiguousarray(self.answers[:, places])
        )


def _step(probabilities: NDArray[np.floating]) -> float:
    """To what probabilities were rounded, as far as they tell; 0 where none is zero."""
    if probabilities.all():
        return 0.0
    return float(min(probabilities[probabilities > 0].min(), COARSEST))


def test_split() -> Split:
    """The images that a table is about; raises DataError where they are damaged."""
    return splits.load("test", splits.default_source())


def _known_by(image: NDArray[np.uint8]) -> bytes:
    return blake2b(image.tobytes(), digest_size=16).digest()


def read(content: bytes, filename: str, images: int) -> Table:
    """The table in a .csv, .npy or .npz file, of so many; raises WeightsError for what is none."""
    try:
        if content.startswith(b"\x93NUMPY"):
            return Table(_answers({"": _array(io.BytesIO(content), images)}, images))
        return Table(in_quarantine(_answers_in, content, filename, images))
    except _TableError as error:
        raise WeightsError(
            "{file} is no table of predictions: {error}", file=filename, error=error
        ) from None


class _TableError(UserFacingError):
    """What is wrong with a table, in words that follow its name."""


class _OtherError(_TableError):
    """An array holds something else than what a model said of each image."""


class _Meant(NamedTuple):
    """The class that a column's name means, and what else is in the name."""

    place: int
    around: str


def _answers_in(content: bytes, filename: str, images: int) -> NDArray[Any]:
    if not content.startswith(b"PK"):
        return _answers(_columns(content, images), images)
    try:
        files = npz.entries(content, filename)
    except ValueError:
        raise _TableError("it is a damaged .npz file.") from None
    arrays, others = {}, []
    for name, file in files.items():
        try:
            arrays[name] = _array(file, images)
        except _OtherError as error:
            others.append(error)
    if others and not arrays:
        raise others[0]
    return _answers(arrays, images)


def _array(file: io.BytesIO, images: int) -> Column:
    """The array of an .npy file; a small one, or one for all images.

    Raises _OtherError for another, and _TableError for one that can't be read.
    """
    damaged = Words("it holds an array that is damaged, or one of Python objects.")
    try:
        shape, dtype = npz.header(file)
    except ValueError:
        raise _TableError(damaged) from None
    if dtype.kind not in "iufbU" or dtype.itemsize > 400:
        raise _TableError("its values are of the type {dtype}, and not numbers.", dtype=dtype)
    if any(size > max(images, WIDEST) for size in shape[:1]):
        raise _wrong_count(shape[0], images)
    if np.prod(shape[1:]) > WIDEST:
        raise _no_ten(shape)
    try:
        return npz.values(file)
    except ValueError:
        raise _TableError(damaged) from None


def _columns(content: bytes, images: int) -> dict[str, Column]:
    """The columns of a .csv file by their names, or numbered where it has no names."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _TableError("it is not text in UTF-8.") from None
    if text.count("\n") > 2 * images:  # a line of one cell takes a hundred times its room, read
        raise _wrong_count(text.count("\n"), images)
    start = text[:LONGEST_LINE].partition("\n")[0]
    mark = next((mark for mark in ",;\t" if mark in start), " " if _numeric(start.split()) else ",")
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=mark) if any(line)]
    except csv.Error:
        raise _TableError("its lines can't be told apart.") from None
    count, width = len(lines), len(lines[0]) if lines else 0
    named = count == images + 1
    if not named and count != images:
        headed = count > 0 and not _numeric(lines[0])
        raise _wrong_count(count - headed, images)
    if width > WIDEST or any(len(line) != width for line in lines):
        raise _TableError("its lines have different numbers of columns, or far too many.")
    names = [name.strip() for name in lines.pop(0)] if named else [str(n) for n in range(width)]
    if len(set(names)) < len(names):
        raise _TableError("two of its columns have the same name.")
    columns = {name: np.array([line[n] for line in lines]) for n, name in enumerate(names)}
    if not named and width in (len(CLASSES), len(CLASSES) + 1):
        kept = _in_place(columns, images)
        if len(kept) == len(CLASSES):
            return dict(zip("0123456789", kept.values(), strict=True))
    return columns


def _numeric(cells: Sequence[str]) -> bool:
    try:
        return bool([float(cell) for cell in cells])
    except ValueError:
        return False


def _wrong_count(count: int, images: int) -> _OtherError:
    return _OtherError(
        "it has {count:,} rows, and there are {images:,} test images.", count=count, images=images
    )


def _no_ten(shape: Sequence[int]) -> _OtherError:
    return _OtherError(
        "it has an array of {shape}, and of ten columns none.", shape=" x ".join(map(str, shape))
    )


def _answers(columns: Mapping[str, Column], images: int) -> NDArray[Any]:
    """What the columns, or the arrays of a file, say of each image, in the order of the images."""
    names = next((a for a in columns.values() if a.shape == (len(CLASSES),)), None)
    arrays = {name: a for name, a in columns.items() if a.shape[:1] == (images,)}
    if not arrays:
        count = max((len(a) for a in columns.values() if a.ndim), default=0)
        raise _wrong_count(count, images)
    arrays = {
        n: a[:, 0] if a.shape[1:] == (1,) else a for n, a in _in_place(arrays, images).items()
    }
    wide = {name: a for name, a in arrays.items() if a.shape[1:] == (len(CLASSES),)}
    if wide:
        numbers = _floats(wide[_only(wide)])
        return _sure(numbers if names is None else numbers[:, _order(names.astype(str).tolist())])
    if any(array.ndim > 1 for array in arrays.values()):
        raise _no_ten(next(array.shape for array in arrays.values() if array.ndim > 1))
    if tens := _tens(arrays):
        return _sure(np.stack([_floats(arrays[name]) for name in tens[_only(tens)]], 1))
    if len(arrays) == len(CLASSES):
        raise _TableError(
            "its ten columns are {columns}; name them by the ten classes, such as {first} or "
            "{last}, or 0 to 9.",
            columns=", ".join(map(quoted, arrays)),
            first=CLASSES[0],
            last=CLASSES[-1],
        )
    return _classes(arrays[_only(arrays)])


def _in_place(columns: Mapping[str, Column], images: int) -> dict[str, Column]:
    """The columns without one that numbers the images, in the order in which it does."""
    for name, column in columns.items():
        if len(columns) == 1 or column.ndim > 1 or not _numeric(column[:1].astype(str).tolist()):
            continue
        try:
            numbers = column.astype(np.float64)
        except ValueError:
            continue
        order = np.argsort(numbers, kind="stable")
        if any(np.array_equal(numbers[order], np.arange(images) + first) for first in (0, 1)):
            return {other: values[order] for other, values in columns.items() if other != name}
    return dict(columns)


def _tens(names: Iterable[str]) -> dict[str, list[str]]:
    """By the first of each, the ten names that mean the classes in their order, alike otherwise."""
    alike: dict[str, dict[int, str]] = {}
    for name in names:
        if meant := _meant(name):
            alike.setdefault(meant.around, {}).setdefault(meant.place, name)
    tens = [ten for ten in alike.values() if len(ten) == len(CLASSES)]
    return {ten[0]: [ten[place] for place in range(len(CLASSES))] for ten in tens}


def _only(names: Collection[str]) -> str:
    """The one name of what a model said, not of what is true."""
    for left in (
        list(names),
        [name for name in names if not _TRUTH.fullmatch(name)],
        [name for name in names if _SAID.match(name)],
    ):
        if len(left) == 1:
            return left[0]
    raise _TableError(
        "it has {columns}; leave one column of classes, or ten of probabilities that are named "
        "by the classes.",
        columns=", ".join(map(quoted, list(names)[:12])),
    )


def _meant(name: str) -> _Meant | None:
    """The class that a column's name means, by its number or its name."""
    before = _MEANT.match(name)
    around = before[0] if before else ""
    if (place := class_place(name.removeprefix(around))) is not None:
        return _Meant(place, around)
    numbers = re.findall(r"\d+", name)
    if len(numbers) == 1 and len(numbers[0]) == 1:
        return _Meant(int(numbers[0]), name.replace(numbers[0], ""))
    return None


def _order(names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each class among ten names; raises _TableError for other names."""
    places = [class_place(name) for name in names]
    if set(places) != set(range(len(CLASSES))):
        raise _TableError("its classes are {names}.", names=", ".join(map(quoted, names)))
    return np.array([places.index(place) for place in range(len(CLASSES))])


def _floats(column: Column) -> NDArray[np.float64]:
    try:
        numbers = column.astype(np.float64)
    except ValueError:
        wrong = next((c for c in column.astype(str).flat if not _numeric([c])), "")
        raise _TableError("{wrong!r} in it is no number.", wrong=quoted(wrong)) from None
    finite = np.abs(numbers) <= np.finfo(np.float32).max  # which NaN isn't, either
    if not finite.all():
        row = int(np.argwhere(~finite)[0][0])
        raise _TableError("row {row:,} of it holds a value that is not a finite number.", row=row)
    return numbers


def _sure(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    """Probabilities or logits (N, 10) as they are kept."""
    sums = numbers.sum(1)
    shares = numbers.min() >= 0 and np.abs(sums - 100).max() <= 100 * ROUNDED
    if numbers.min() >= 0 and numbers.max() <= 1:
        furthest = int(np.abs(sums - 1).argmax())
        if abs(sums[furthest] - 1) > ROUNDED:
            raise _TableError(
                "its values are of 0 to 1, but those of row {furthest:,} sum to {sum:.3g}. Bring "
                "probabilities that sum to 1, or logits.",
                furthest=furthest,
                sum=sums[furthest],
            )
        shares = True
    return (numbers / sums[:, None] if shares else numbers).astype(np.float32)


def _classes(column: Column) -> NDArray[np.uint8]:
    """The classes uint8 (N,) that a column has, as numbers or as names."""
    texts = column.astype(str)
    if not _numeric(texts[:1].tolist()):
        known = {name: class_place(name) for name in np.unique(texts).tolist()}
        if wrong := [name for name, place in known.items() if place is None]:
            raise _TableError("{name!r} in it is none of the ten classes.", name=quoted(wrong[0]))
        return np.array([known[name] for name in texts.tolist()], np.uint8)
    numbers = _floats(column)
    if (numbers % 1).any() or numbers.min() < 0 or numbers.max() >= len(CLASSES):
        odd = next(n for n in numbers.tolist() if n % 1 or not 0 <= n < len(CLASSES))
        raise _TableError("it has {odd:g} for a class, and the classes are 0 to 9.", odd=odd)
    return numbers.astype(np.uint8)
