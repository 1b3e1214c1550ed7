"""An ONNX graph as a classifier: whatever wrote it, ONNX Runtime answers, on the CPU."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fmnist.weights.strangers.graphs import Graph, GraphError
from fmnist.words import Words

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
_FLOAT = 1  # in the format's list of types
# Where the format says what an input takes: numbers of fields, from the outermost message in.
_INPUTS, _NAME, _TYPE = (7, 11), (1,), (2, 1, 1)


class OnnxModel(Graph):
    """An ONNX graph; raises GraphError for what is no classifier of 28x28 images."""

    opaque = "onnx"
    suffix = ".onnx"

    def __init__(self, content: bytes) -> None:
        runtime = _Runtime(content)
        super().__init__(content, runtime)
        self._input = runtime.input

    def with_floats(self) -> "OnnxModel":
        """The same graph, fed floats though it declares whole numbers; raises GraphError.

        Whoever trained it on pixels of 0 to 1 and declared another type has a graph that turns
        them into floats first, and which whole numbers alone can't reach.
        """
        return OnnxModel(_declared(self.content, self._input, _FLOAT))


def keeps_outside(content: bytes) -> bool:
    """Whether a graph says that weights lie in another file, or seems to."""
    return _EXTERNAL.search(content) is not None


class _Runtime:
    """ONNX Runtime, as `graphs.Runtime`."""

    def __init__(self, content: bytes) -> None:
        self._session = _session(content)
        entries = self._session.get_inputs()
        if len(entries) != 1:
            raise GraphError(
                "has {count} inputs, and a model of images has one.", count=len(entries)
            )
        (entry,) = entries
        if entry.type not in _DTYPES:
            raise GraphError(
                "wants {type}; pixels can be float, double, float16 or integers.", type=entry.type
            )
        self.input, self._dtype = entry.name, _DTYPES[entry.type]
        # What has no fixed size has a name for it, or nothing.
        self.sizes: Sequence[int] = [
            (size if isinstance(size, int) else -1) for size in entry.shape or []
        ]
        self.integers = self.whole_numbers = issubclass(self._dtype, np.integer)
        self.outputs: Sequence[str] = [output.name for output in self._session.get_outputs()]

    def step(self, output: str) -> float:
        return 0.0

    def ask(self, outputs: Sequence[str], parts: Sequence[NDArray[np.float32]]) -> list[list[Any]]:
        import onnxruntime

        options = onnxruntime.RunOptions()
        # A graph may loop for ever; this ends it between two operations.
        clock = threading.Timer(PATIENCE, setattr, (options, "terminate", True))
        clock.start()
        try:
            return [
                self._session.run(list(outputs), {self.input: self._given(part)}, options)
                for part in parts
            ]
        except Exception:  # ONNX Runtime's have no other base
            if options.terminate:
                raise GraphError(
                    "takes too long over a batch of images, so it can't be used."
                ) from None
            raise GraphError("fails on a batch of images, so it can't be used.") from None
        finally:
            clock.cancel()

    def _given(self, part: NDArray[np.float32]) -> NDArray[Any]:
        values = part.round().clip(0, 255) if self.whole_numbers else part
        return values.astype(self._dtype)


def _session(content: bytes) -> Any:
    if keeps_outside(content):
        raise GraphError("keeps weights in another file, so it was not opened.")
    try:  # here, since few who use this package have a graph to open
        import onnxruntime
    except ImportError:
        raise GraphError(
            "needs ONNX Runtime, which is not installed here: pip install onnxruntime."
        ) from None

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    # As torch's threads do, see fmnist/__init__.py: those that wait give their core away.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Its own format, which it would recognise by itself, may hold what the check above can't see.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(
            content,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=False,  # to the CPU again, which prints what it failed at
            # It would compute, with no limit of time, whatever no pixel has a part in.
            disabled_optimizers=["ConstantFolding"],
        )
    except Exception as error:  # ONNX Runtime's have no other base
        if newer := _NEWER.search(str(error)):
            what, theirs, ours = filter(None, newer.groups())
            problem = Words(
                "was written by a newer ONNX: its {what} version is {theirs}, and the newest "
                "that is read here is {ours}. Export it for an older one, as by opset_version=17.",
                what=what,
                theirs=theirs,
                ours=ours,
            )
        elif unknown := _UNKNOWN.search(str(error)):
            operation = next(filter(None, unknown.groups()))
            problem = Words(
                "needs an operation that ONNX Runtime doesn't know, {operation}.",
                operation=operation,
            )
        else:
            problem = Words("is not an ONNX model, or it is damaged.")
        raise GraphError(problem) from None


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
            raise GraphError("is written in a way that isn't read here.")
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
