"""An ONNX graph as a classifier: whatever wrote it, ONNX Runtime answers, on the CPU."""

import math
import re
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.data.splits import CLASSES
from fmnist.machine.errors import UserFacingError
from fmnist.models.layers import Classifier, Standardize

PATIENCE = 30.0
"""Seconds that a graph may take to answer a batch."""

_DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
# Protocol buffers hold a string behind its length, 8, which may be written with idle bytes. Of
# the words of the format, "location" stands in tensors that are read from another file only.
_EXTERNAL = re.compile(rb"(?:\x08|\x88\x80*\x00)location")
_UNKNOWN = re.compile(r"No Op registered for (\S+)|error: (\S+?)\(|implementation for (\w+)")


class OnnxError(UserFacingError):
    """A graph can't be used; the message says why and wants the file's name before it."""


class OnnxModel(Classifier):
    """A graph from 784 values an image to 10; what it answers, as logits, are its features too.

    It shows no parameters and has no gradients. Raises OnnxError for any other graph.
    """

    opaque = True
    suffix = ".onnx"

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content
        self.standardize, self.head = Standardize(), nn.Identity()
        self._session = _session(content)
        self._input, self._dtype, self._shape = _input(self._session)
        noise = np.random.default_rng(0).integers(0, 256, (16, 1, 28, 28)).astype(np.float32)
        self._output = self._find_output(noise)
        answers = self._run(noise)
        sums = answers.sum(1)
        self._probabilities = bool((answers >= 0).all() and np.allclose(sums, 1, atol=0.01))

    @property
    def whole_numbers(self) -> bool:
        """Whether it takes pixels as they are in a file, 0 to 255."""
        return self._dtype is np.uint8

    def features(self, images: Tensor) -> Tensor:
        answers = self._run(self.standardize(images).cpu().numpy())
        if self._probabilities:
            answers = np.log(np.maximum(answers, np.finfo(np.float32).tiny))
        return torch.from_numpy(answers).to(images.device)

    def packed(self, architecture: str | None) -> bytes:
        return self.content

    def _run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the graph answers (N, 10) to values (N, 1, 28, 28) as it wants them."""
        answers = [_rows(output) for (output,) in self._ask([self._output], values)]
        if sum(answer.size for answer in answers) != len(CLASSES) * len(values):
            raise OnnxError("doesn't answer every image with 10 values.")
        return np.concatenate(answers, None).reshape(-1, len(CLASSES)).astype(np.float32)

    def _find_output(self, values: NDArray[np.float32]) -> str:
        names: list[str] = [output.name for output in self._session.get_outputs()]
        parts = self._ask(names, values)
        answers = zip(names, parts[0], strict=True)
        wanted = len(CLASSES) * len(values) / len(parts)
        fitting = [name for name, answer in answers if _rows(answer).size == wanted]
        if not fitting:
            raise OnnxError("has no output of 10 values an image.")
        if len(fitting) > 1:
            raise OnnxError(f"has {len(fitting)} outputs of 10 values an image instead of one.")
        return fitting[0]

    def _ask(self, outputs: list[str], values: NDArray[np.float32]) -> list[list[Any]]:
        """The outputs for every image by itself, or for all where it takes any number."""
        if self.whole_numbers:
            values = values.round().clip(0, 255)
        given = values.astype(self._dtype)
        size = len(values) if -1 in self._shape else 1
        import onnxruntime

        options = onnxruntime.RunOptions()
        # A graph may loop for ever; this ends it between two operations.
        clock = threading.Timer(PATIENCE, setattr, (options, "terminate", True))
        clock.start()
        try:
            return [
                self._session.run(outputs, {self._input: part.reshape(self._shape)}, options)
                for part in np.split(given, len(given) // size)
            ]
        except Exception:  # ONNX Runtime's have no other base
            problem = "takes too long over" if options.terminate else "fails on"
            raise OnnxError(f"{problem} a batch of images, so it can't be used.") from None
        finally:
            clock.cancel()


def _session(content: bytes) -> Any:
    if _EXTERNAL.search(content):
        raise OnnxError(
            "keeps weights in another file, so it was not opened. Save it with all of them inside."
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
        if unknown := _UNKNOWN.search(str(error)):
            operation = next(filter(None, unknown.groups()))
            problem = f"needs an operation that ONNX Runtime doesn't know, {operation}."
        else:
            problem = "is not an ONNX model, or it is damaged."
        raise OnnxError(problem) from None


def _input(session: Any) -> tuple[str, type[np.generic], list[int]]:
    """Name, dtype and shape; the shape begins with -1 where it takes any number of images."""
    entries = session.get_inputs()
    if len(entries) != 1:
        raise OnnxError(f"has {len(entries)} inputs, and a model of images has one.")
    (entry,) = entries
    if entry.type not in _DTYPES:
        raise OnnxError(f"wants {entry.type}; pixels can be float, double, float16 or uint8.")
    # What has no fixed size has a name for it, or nothing.
    first, *others = ((size if isinstance(size, int) else -1) for size in entry.shape or [None])
    if abs(math.prod([first, *others])) != 784 or -1 in others:
        stated = " x ".join(map(str, entry.shape)) or "no stated shape"
        raise OnnxError(
            f"has an input of {stated}. It takes one image or any number, of 784 values each, "
            "such as N x 1 x 28 x 28."
        )
    return entry.name, _DTYPES[entry.type], [first, *others]


def _rows(answer: Any) -> NDArray[np.floating]:
    """An output as numbers; of scikit-learn's, a mapping from class to probability an image.

    What isn't floating-point numbers becomes an empty array.
    """
    try:
        if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
            answer = [[row[label] for label in sorted(row)] for row in answer]
        array = np.asarray(answer)
    except (ValueError, TypeError):  # rows of different lengths, keys of different kinds
        return np.empty(0)
    return array if np.issubdtype(array.dtype, np.floating) else np.empty(0)
