"""An ONNX graph as a classifier: whatever wrote it, ONNX Runtime answers, on the CPU."""

import math
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.data.splits import CLASSES
from fmnist.machine.errors import UserFacingError
from fmnist.models.layers import Classifier, Standardize
from fmnist.weights.strangers.formats import class_place

PATIENCE = 30.0
"""Seconds that a graph may take to answer a batch."""

_DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(uint16)": np.uint16,
}
# Protocol buffers hold a string behind its length, 8, which may be written with idle bytes. Of
# the words of the format, "location" stands in tensors that are read from another file only.
_EXTERNAL = re.compile(rb"(?:\x08|\x88\x80*\x00)location")
_UNKNOWN = re.compile(r"No Op registered for (\S+)|error: (\S+?)\(|implementation for (\w+)")
_NEWER = re.compile(
    r"model (IR) version: (\d+), max supported IR version: (\d+)"
    r"|(Opset) (\d+) is under development.*till opset (\d+)",
    re.DOTALL,
)
_IMAGES = ((784,), (28, 28), (1, 28, 28), (28, 28, 1), (3, 28, 28), (28, 28, 3))


_FLOAT = 1  # in the format's list of types
# Where the format says what an input takes: numbers of fields, from the outermost message in.
_INPUTS, _NAME, _TYPE = (7, 11), (1,), (2, 1, 1)


class _Layout(NamedTuple):
    """How a graph takes images: how many at once, -1 any number, 0 one without an axis for it."""

    batch: int
    image: tuple[int, ...]

    @property
    def channels(self) -> int:
        return math.prod(self.image) // 784


class OnnxError(UserFacingError):
    """A graph can't be used; the message says why and wants the file's name before it."""


class OnnxModel(Classifier):
    """A graph from 784 values an image to 10; what it answers, as logits, are its features too.

    It shows no parameters and has no gradients. Raises OnnxError for any other graph.
    """

    opaque = "onnx"
    suffix = ".onnx"

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content
        self.standardize, self.head = Standardize(), nn.Identity()
        self._session = _session(content)
        self._input, self._dtype, layouts = _input(self._session)
        noise = np.random.default_rng(0).integers(0, 256, (16, 1, 28, 28)).astype(np.float32)
        self._layout, self._output, self._each = self._find_output(noise, layouts)
        answers = self._run(noise)
        sums = answers.sum(1)
        self._probabilities = bool((answers >= 0).all() and np.allclose(sums, 1, atol=0.01))

    @property
    def whole_numbers(self) -> bool:
        """Whether it takes pixels as they are in a file, 0 to 255."""
        return issubclass(self._dtype, np.integer)

    @property
    def answers_channels(self) -> bool:
        """Whether it takes three channels for three images, and so answers each by itself."""
        return self._each > 1

    def with_floats(self) -> "OnnxModel":
        """The same graph, fed floats though it declares whole numbers; raises OnnxError.

        Whoever trained it on pixels of 0 to 1 and declared another type has a graph that turns
        them into floats first, and which whole numbers alone can't reach.
        """
        return OnnxModel(_declared(self.content, self._input, _FLOAT))

    def features(self, images: Tensor) -> Tensor:
        answers = self._run(self.standardize(images).cpu().numpy())
        if self._probabilities:
            answers = np.log(np.maximum(answers, np.finfo(np.float32).tiny))
        return torch.from_numpy(answers).to(images.device)

    def packed(self, architecture: str | None) -> bytes:
        return self.content

    def _run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the graph answers (N, 10) to values (N, 1, 28, 28) as it wants them."""
        parts = _parts(values, self._layout)
        answers = [_rows(output) for (output,) in self._ask([self._output], parts, self._layout)]
        size = self._each * len(CLASSES)
        if sum(answer.size for answer in answers) != size * sum(map(len, parts)):
            raise OnnxError("doesn't answer every image with 10 values.")
        rows = np.concatenate(answers, None).reshape(-1, self._each, len(CLASSES))
        means: NDArray[np.float32] = rows[: len(values)].mean(1, dtype=np.float32)
        return means

    def _find_output(
        self, values: NDArray[np.float32], layouts: Sequence[_Layout]
    ) -> tuple[_Layout, str, int]:
        """The first of the layouts that the graph takes, and its first output of 10 values.

        With how often it has them an image: once, or once a channel.
        """
        names: list[str] = [output.name for output in self._session.get_outputs()]
        for layout in layouts:
            parts = _parts(values, layout)
            try:
                answers = self._ask(names, parts, layout)[0]
            except OnnxError:
                if layout is layouts[-1]:
                    raise
                continue
            for each in sorted({1, layout.channels}):
                for name, answer in zip(names, answers, strict=True):
                    if _rows(answer).size == each * len(CLASSES) * len(parts[0]):
                        return layout, name, each
            if any(isinstance(a, np.ndarray) and a.size == len(parts[0]) for a in answers):
                raise OnnxError(
                    "answers every image with one value, perhaps its class. Export it so that it "
                    "answers with the probabilities of all 10."
                )
        raise OnnxError("has no output of 10 values an image.")

    def _ask(
        self, outputs: list[str], parts: Sequence[NDArray[np.float32]], layout: _Layout
    ) -> list[list[Any]]:
        """The outputs for every part of the images, as many of them as the graph takes at once."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        # A graph may loop for ever; this ends it between two operations.
        clock = threading.Timer(PATIENCE, setattr, (options, "terminate", True))
        clock.start()
        try:
            return [
                self._session.run(outputs, {self._input: self._given(part, layout)}, options)
                for part in parts
            ]
        except Exception:  # ONNX Runtime's have no other base
            problem = "takes too long over" if options.terminate else "fails on"
            raise OnnxError(f"{problem} a batch of images, so it can't be used.") from None
        finally:
            clock.cancel()

    def _given(self, values: NDArray[np.float32], layout: _Layout) -> NDArray[Any]:
        """Values (N, 1, 28, 28) in the type and the shape that the graph wants them in."""
        if self.whole_numbers:
            values = values.round().clip(0, 255)
        if layout.channels > 1:  # in colour: grey in all three
            values = np.repeat(values, 3, axis=1)
            values = np.moveaxis(values, 1, -1) if layout.image[-1] == 3 else values
        shape = layout.image if layout.batch == 0 else (-1, *layout.image)
        return np.ascontiguousarray(values.reshape(shape), self._dtype)


def _parts(values: NDArray[np.float32], layout: _Layout) -> list[NDArray[np.float32]]:
    """Values (N, 1, 28, 28) in parts of as many as a graph takes, the last filled with its last."""
    if layout.batch < 0:
        return [values]
    size = max(layout.batch, 1)
    missing = -len(values) % size
    filled = np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])
    return list(filled.reshape(-1, size, *values.shape[1:]))


def _session(content: bytes) -> Any:
    if _EXTERNAL.search(content):
        raise OnnxError(
            "keeps weights in another file, so it was not opened. Save it with all of them inside, "
            "by external_data=False."
        )
    try:  # here, since few who use this package have a graph to open
        import onnxruntime
    except ImportError:
        raise OnnxError(
            "needs ONNX Runtime, which is not installed here: pip install onnxruntime."
        ) from None

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    # As torch's threads do, see fmnist/__init__.py: those that wait give their core away.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its own format, which it would recognise by itself, may hold what the check above can't see.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(
            content,
            options,
            providers=["CPUExecutionProvider"],
            # It would compute, with no limit of time, whatever no pixel has a part in.
            disabled_optimizers=["ConstantFolding"],
        )
    except Exception as error:  # ONNX Runtime's have no other base
        if newer := _NEWER.search(str(error)):
            what, theirs, ours = filter(None, newer.groups())
            problem = (
                f"was written by a newer ONNX: its {what} version is {theirs}, and the newest "
                f"that is read here is {ours}. Export it for an older one, as by opset_version=17."
            )
        elif unknown := _UNKNOWN.search(str(error)):
            operation = next(filter(None, unknown.groups()))
            problem = f"needs an operation that ONNX Runtime doesn't know, {operation}."
        else:
            problem = "is not an ONNX model, or it is damaged."
        raise OnnxError(problem) from None


def _input(session: Any) -> tuple[str, type[np.generic], list[_Layout]]:
    """Name, dtype, and the layouts that fit what is stated of the shape, the likeliest first."""
    entries = session.get_inputs()
    if len(entries) != 1:
        raise OnnxError(f"has {len(entries)} inputs, and a model of images has one.")
    (entry,) = entries
    if entry.type not in _DTYPES:
        raise OnnxError(f"wants {entry.type}; pixels can be float, double, float16 or integers.")
    # What has no fixed size has a name for it, or nothing.
    sizes = [(size if isinstance(size, int) else -1) for size in entry.shape or []]
    layouts = list(dict.fromkeys(_layouts(sizes)))
    if not layouts:
        stated = " x ".join(map(str, entry.shape or [])) or "no stated shape"
        raise OnnxError(
            f"has an input of {stated}. It takes one image or any number, of 784 values each, "
            "such as N x 1 x 28 x 28."
        )
    return entry.name, _DTYPES[entry.type], layouts


def _declared(content: bytes, name: str, kind: int) -> bytes:
    """A graph whose input of that name takes another type, by its number in the format."""
    changed = bytearray(content)
    for entry in _values(content, 0, len(content), _INPUTS):
        if [content[slice(*span)] for span in _values(content, *entry, _NAME)] == [name.encode()]:
            for place, _ in _values(content, *entry, _TYPE):
                changed[place] = kind
    return bytes(changed)


def _values(content: bytes, place: int, end: int, path: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the values of a field stand in a message of Protocol Buffers, from start to end.

    The field is numbers, from the outermost message in.
    """
    while place < end:
        key, place = _number(content, place)
        if key & 7 == 2:
            size, place = _number(content, place)
        elif key & 7 == 0:
            size = _number(content, place)[1] - place
        elif key & 7 in (1, 5):
            size = 8 if key & 7 == 1 else 4
        else:
            raise OnnxError("is written in a way that isn't read here.")
        if key >> 3 == path[0] and path[1:]:
            yield from _values(content, place, place + size, path[1:])
        elif key >> 3 == path[0]:
            yield place, place + size
        place += size


def _number(content: bytes, place: int) -> tuple[int, int]:
    """The number that begins at a place, seven bits a byte, and the place behind it."""
    behind = next(i for i in range(place, len(content)) if content[i] < 128) + 1
    value = sum((byte & 127) << 7 * i for i, byte in enumerate(content[place:behind]))
    return value, behind


def _layouts(sizes: Sequence[int]) -> Iterator[_Layout]:
    """The layouts of sizes of which some are -1, which can be any."""
    first, others = sizes[:1], tuple(sizes[1:])
    if sizes and -1 not in sizes and math.prod(sizes) == 784:
        yield _Layout(1, others) if math.prod(others) == 784 else _Layout(0, tuple(sizes))
    elif sizes and -1 not in others and math.prod(others) == 784:
        yield _Layout(first[0], others)
    for image in _IMAGES:
        if len(image) == len(others) and _may_be(others, image):
            yield _Layout(first[0], image)
        elif -1 not in sizes and len(image) == 3 and tuple(sizes) == image:
            yield _Layout(0, image)


def _may_be(sizes: Sequence[int], image: Sequence[int]) -> bool:
    return all(size in (-1, wanted) for size, wanted in zip(sizes, image, strict=True))


def _rows(answer: Any) -> NDArray[np.floating]:
    """An output as numbers; of scikit-learn's, a mapping from class to probability an image.

    What isn't floating-point numbers becomes an empty array.
    """
    try:
        if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
            answer = [[row[label] for label in sorted(row, key=_place)] for row in answer]
        array = np.asarray(answer)
    except (ValueError, TypeError):  # rows of different lengths, keys of different kinds
        return np.empty(0)
    return array if np.issubdtype(array.dtype, np.floating) else np.empty(0)


def _place(label: Any) -> Any:
    """What sorts labels as the classes stand, whether they are numbers, their names or others."""
    if not isinstance(label, str):
        return label
    place = class_place(label)
    return (len(CLASSES) if place is None else place, label)
