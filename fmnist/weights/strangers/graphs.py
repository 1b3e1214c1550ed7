"""A graph as a classifier: whatever runs it, what it takes and what it answers is found out."""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.analysis import evaluation
from fmnist.data.splits import CLASSES
from fmnist.machine.errors import UserFacingError
from fmnist.models.layers import SIDE, Classifier, Standardize
from fmnist.weights.strangers.formats import class_place
from fmnist.words import Words

_IMAGES = ((784,), (28, 28), (1, 28, 28), (28, 28, 1), (3, 28, 28), (28, 28, 3))
ROUNDING = 1e-4
"""By how much a probability may be above one."""
MOST_SIDE = 64
"""The longest edge that pictures are made to have before a graph sees them."""


class GraphError(UserFacingError):
    """A graph can't be used; the message says why and wants the file's name before it."""


class Runtime(Protocol):
    """What runs a graph of one input, whose sizes are -1 where they are free."""

    sizes: Sequence[int]
    integers: bool  # whether it takes whole numbers
    whole_numbers: bool  # whether these are pixels as they are in a file, 0 to 255
    outputs: Sequence[str]

    def step(self, output: str) -> float:
        """What its answers are multiples of where they are quantised, else 0."""

    def ask(self, outputs: Sequence[str], parts: Sequence[NDArray[np.float32]]) -> list[list[Any]]:
        """The outputs for each part, which has the shape of the input; raises GraphError."""


class _Layout(NamedTuple):
    """How a graph takes images: how many at once, -1 any number, 0 one without an axis for it.

    They are along the first axis of what it takes, or along another.
    """

    batch: int
    image: tuple[int, ...]
    axis: int = 0

    @property
    def side(self) -> int:
        """The edge of the pictures, which are made larger where it is more than theirs."""
        if math.prod(self.image) in (SIDE**2, 3 * SIDE**2):
            return SIDE
        return max([SIDE, *self.image[-2:-1]])

    @property
    def channels(self) -> int:
        return math.prod(self.image) // self.side**2


class Form(NamedTuple):
    """How a graph is asked about one image by whoever hasn't this project, and where it answers."""

    shape: tuple[int, ...]  # of what it takes, filled with the image as often as that is in it
    side: int  # of the image
    border: tuple[int, int] | None  # of black before and behind it, where it isn't made larger
    colours_last: bool
    output: str
    columns: bool  # whether it has a column for an image, and not a row
    each: int  # how often it has ten values an image, one for each channel
    labels: list[Any] | None  # in the order of the classes, where it answers with a mapping of them


class Graph(Classifier):
    """A graph from 784 values an image to 10; what it answers, as logits, are its features too.

    It shows no parameters and has no gradients. Where it takes larger pictures they are made so, or
    put in a black border if it is `bordered`. Raises GraphError for any other graph.
    """

    bordered = False

    def __init__(self, content: bytes, runtime: Runtime) -> None:
        super().__init__()
        self.content, self._runtime = content, runtime
        self.standardize, self.head = Standardize(), nn.Identity()
        noise = np.random.default_rng(0).integers(0, 256, (16, 1, 28, 28)).astype(np.float32)
        self._layout, self._output, self._columns, self._each, self._labels = self._find(noise)
        answers = self._run(noise)
        # Of ten sigmoids each, too, which don't sum to one.
        self.probabilities = bool((answers >= 0).all() and (answers <= 1 + ROUNDING).all())

    @property
    def whole_numbers(self) -> bool:
        """Whether it takes pixels as they are in a file, 0 to 255."""
        return self._runtime.whole_numbers

    @property
    def integers(self) -> bool:
        """Whether it takes whole numbers, which may stand for others by a scale."""
        return self._runtime.integers

    @property
    def form(self) -> Form:
        """How it takes an image and where it answers."""
        batch, image, axis = self._layout
        shape = image if batch == 0 else (*image[:axis], abs(batch), *image[axis:])
        colours_last = self._layout.channels > 1 and image[-1] == 3
        border = self._border if self.bordered else None
        answer = (self._output, self._columns, self._each, self._labels)
        return Form(shape, self.side, border, colours_last, *answer)

    @property
    def side(self) -> int:
        """The edge of the pictures that it takes."""
        return self._layout.side

    @property
    def _border(self) -> tuple[int, int]:
        """The pixels before and behind a picture, on each axis, in one that is as large as that."""
        missing = self.side - SIDE
        return missing // 2, missing - missing // 2

    @property
    def answers_channels(self) -> bool:
        """Whether it takes three channels for three images, and so answers each by itself."""
        return self._each > 1

    def with_border(self) -> Self:
        """The same graph, given pictures in a black border."""
        other = copy.deepcopy(self, {id(self._runtime): self._runtime})
        other.bordered = True
        return other

    def features(self, images: Tensor) -> Tensor:
        if self.bordered:  # before black becomes another value
            images = nn.functional.pad(images, self._border * 2)
        answers = self._run(self.standardize(images).cpu().numpy())
        if self.probabilities:
            answers = evaluation.logits_of(answers, self._runtime.step(self._output))
        return torch.from_numpy(answers).to(images.device)

    def packed(self, architecture: str | None) -> bytes:
        return self.content

    def _run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the graph answers (N, 10) to values (N, 1, 28, 28) as it wants them."""
        parts = _parts(values, self._layout)
        answers = [_rows(output) for (output,) in self._runtime.ask([self._output], parts)]
        answers = [answer.T for answer in answers] if self._columns else answers
        size = self._each * len(CLASSES)
        if sum(answer.size for answer in answers) != size * len(values) + size * _idle(
            values, self._layout
        ):
            raise GraphError("doesn't answer every image with 10 values.")
        rows = np.concatenate(answers, None).reshape(-1, self._each, len(CLASSES))
        means: NDArray[np.float32] = rows[: len(values)].mean(1, dtype=np.float32)
        return means

    def _find(
        self, values: NDArray[np.float32]
    ) -> tuple[_Layout, str, bool, int, list[Any] | None]:
        """The first layout that the graph takes, and its first output of 10 values.

        With whether these are in a column, how often it has them an image, once, or once a channel,
        and the labels of a mapping.
        """
        layouts = list(dict.fromkeys(_layouts(self._runtime.sizes)))
        # Any number, it says; but what was traced with one image may hold that number inside.
        layouts += [layout._replace(batch=1) for layout in layouts if layout.batch < 0]
        if not layouts:
            stated = " x ".join(str(n) if n >= 0 else "N" for n in self._runtime.sizes)
            raise GraphError(
                "has an input of {stated}. It takes one image or any number, of 784 values each, "
                "such as N x 1 x 28 x 28.",
                stated=stated or Words("no stated shape"),
            )
        names = self._runtime.outputs
        for layout in layouts:
            parts = _parts(values, layout)
            images = (len(values) + _idle(values, layout)) // len(parts)
            try:
                answers = self._runtime.ask(names, parts)[0]
            except GraphError:
                if layout is layouts[-1]:
                    raise
                continue
            for each in sorted({1, layout.channels}):
                for name, answer in zip(names, answers, strict=True):
                    found, count = _rows(answer), each * images
                    if found.size == count * len(CLASSES):
                        # Of as many images as classes it would not be known, and rows are usual.
                        columns = found.shape == (len(CLASSES), count) and count != len(CLASSES)
                        return layout, name, columns, each, _labels(answer)
            if any(isinstance(a, np.ndarray) and a.size == images for a in answers):
                raise GraphError(
                    "answers every image with one value, perhaps its class. Export it so that it "
                    "answers with the probabilities of all 10."
                )
        raise GraphError("has no output of 10 values an image.")


def _idle(values: NDArray[np.float32], layout: _Layout) -> int:
    """How many images are missing to fill the last of the parts that a graph takes at once."""
    return 0 if layout.batch < 0 else -len(values) % max(layout.batch, 1)


def _parts(values: NDArray[np.float32], layout: _Layout) -> list[NDArray[np.float32]]:
    """Values (N, 1, 28, 28) in the shape a graph takes, as many at once as it does.

    The last part is filled with the last image.
    """
    values = np.concatenate([values, np.repeat(values[-1:], _idle(values, layout), axis=0)])
    if values.shape[-1] != layout.side:
        larger = (layout.side, layout.side)
        values = nn.functional.interpolate(
            torch.from_numpy(values), larger, mode="bilinear"
        ).numpy()
    if layout.channels > 1:  # in colour: grey in all three
        values = np.repeat(values, 3, axis=1)
        values = np.moveaxis(values, 1, -1) if layout.image[-1] == 3 else values
    images = values.reshape(-1, *layout.image)
    if layout.batch == 0:
        return list(np.ascontiguousarray(images))
    parts = np.split(images, len(images) // layout.batch) if layout.batch > 0 else [images]
    return [np.ascontiguousarray(np.moveaxis(part, 0, layout.axis)) for part in parts]


def _layouts(sizes: Sequence[int]) -> Iterator[_Layout]:
    """The layouts of sizes of which some are -1, which can be any; the likeliest first."""
    first, others = sizes[:1], tuple(sizes[1:])
    behind = [
        _Layout(-1, image, axis=1)
        for image in ((784,), (28, 28))
        if -1 in others[:1] and len(image) == len(others) and _may_be((*first, *others[1:]), image)
    ]
    if -1 not in first:  # as many rows or pixels as a picture has, which is no number of images
        yield from behind
    if sizes and -1 not in sizes and math.prod(sizes) == 784:
        yield _Layout(1, others) if math.prod(others) == 784 else _Layout(0, tuple(sizes))
    elif sizes and -1 not in others and math.prod(others) == 784:
        yield _Layout(first[0], others)
    for image in _IMAGES:
        if len(image) == len(others) and _may_be(others, image):
            yield _Layout(first[0], image)
        elif -1 not in sizes and len(image) == 3 and tuple(sizes) == image:
            yield _Layout(0, image)
    for side in range(SIDE + 1, MOST_SIDE + 1):
        larger = [
            (side, side),
            *((c, side, side) for c in (1, 3)),
            *((side, side, c) for c in (1, 3)),
        ]
        yield from (_Layout(first[0], image) for image in larger if others == image)
    yield from behind


def _may_be(sizes: Sequence[int], image: Sequence[int]) -> bool:
    return all(size in (-1, wanted) for size, wanted in zip(sizes, image, strict=True))


def _rows(answer: Any) -> NDArray[np.floating]:
    """An output as numbers; of scikit-learn's, a mapping from class to probability an image.

    What isn't floating-point numbers becomes an empty array.
    """
    try:
        if labels := _labels(answer):
            answer = [[row[label] for label in labels] for row in answer]
        array = np.asarray(answer)
    except (LookupError, ValueError, TypeError):  # rows of different lengths, other labels
        return np.empty(0)
    return array if np.issubdtype(array.dtype, np.floating) else np.empty(0)


def _labels(answer: Any) -> list[Any] | None:
    """The labels of mappings, in the order of the classes; None for what is no list of such."""
    if not (isinstance(answer, list) and answer and all(isinstance(row, dict) for row in answer)):
        return None
    return sorted(answer[0], key=_place)


def _place(label: Any) -> Any:
    """What sorts labels as the classes stand, whether they are numbers, their names or others."""
    if not isinstance(label, str):
        return label
    place = class_place(label)
    return (len(CLASSES) if place is None else place, label)
