"""A TensorFlow Lite model as a classifier: LiteRT answers, on the CPU, where it is installed."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fmnist.weights.strangers.graphs import Graph, GraphError

INSTALL = "pip install -r requirements-tflite.txt"


class TfliteModel(Graph):
    """A graph of TensorFlow Lite; raises GraphError for what is no classifier of 28x28 images."""

    opaque = "tflite"
    suffix = ".tflite"

    def __init__(self, content: bytes) -> None:
        super().__init__(content, _Runtime(content))


class _Runtime:
    """LiteRT, as `graphs.Runtime`; what is quantised goes in and comes out by its scale."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = _interpreter(content)
        self._turn = Lock()  # an interpreter has one place for what it is given
        entries = self._interpreter.get_input_details()
        if len(entries) != 1:
            raise GraphError(
                "has {count} inputs, and a model of images has one.", count=len(entries)
            )
        (self._input,) = entries
        if not issubclass(self._input["dtype"], np.floating | np.integer):
            raise GraphError("takes something that isn't numbers, and pixels are.")
        self.sizes: Sequence[int] = [int(size) for size in self._input["shape"]]
        self.integers = issubclass(self._input["dtype"], np.integer)
        self.whole_numbers = self.integers and _scale(self._input) is None
        self._outputs = {
            str(place): entry for place, entry in enumerate(self._interpreter.get_output_details())
        }
        self.outputs: Sequence[str] = list(self._outputs)

    def step(self, output: str) -> float:
        scale = _scale(self._outputs[output])
        return scale[0] if scale else 0.0

    def ask(self, outputs: Sequence[str], parts: Sequence[NDArray[np.float32]]) -> list[list[Any]]:
        wanted = [self._outputs[name] for name in outputs]
        try:
            with self._turn:
                return [self._answers(part, wanted) for part in parts]
        except (ValueError, RuntimeError):
            raise GraphError("fails on a batch of images, so it can't be used.") from None

    def _answers(
        self, part: NDArray[np.float32], wanted: Sequence[dict[str, Any]]
    ) -> list[NDArray[Any]]:
        values, dtype = part, self._input["dtype"]
        if scale := _scale(self._input):
            values = values / np.float32(scale[0]) + scale[1]
        if self.integers:
            limits = np.iinfo(dtype) if scale else np.iinfo(np.uint8)
            values = values.round().clip(limits.min, limits.max)
        self._interpreter.set_tensor(self._input["index"], values.astype(dtype))
        self._interpreter.invoke()
        return [_real(self._interpreter.get_tensor(one["index"]), one) for one in wanted]


def _scale(entry: dict[str, Any]) -> tuple[float, int] | None:
    """What makes real numbers of an entry's whole ones, and where zero is; None if not quantised.

    real = scale * (whole - zero)
    """
    scale, zero = entry["quantization"]
    return (float(scale), int(zero)) if scale else None


def _real(values: NDArray[Any], entry: dict[str, Any]) -> NDArray[Any]:
    scale = _scale(entry)
    return (
        values if scale is None else np.float32(scale[0]) * (values.astype(np.float32) - scale[1])
    )


def _interpreter(content: bytes) -> Any:
    try:  # here, since few who use this package have such a file to open, and it is optional
        from ai_edge_litert import schema_py_generated as schema
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise GraphError(
            "needs LiteRT, which is not installed here: {command}.", command=INSTALL
        ) from None

    try:
        # Python stops at an offset that leads out of the file, where LiteRT might follow it.
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise _damaged() from None
    outside = any(buffer.offset > 1 for buffer in model.buffers or [])
    if outside or model.externalBuffers or model.externalBufferGroups:
        raise GraphError("keeps weights in another place, so it was not opened.")
    if len(model.subgraphs or []) != 1:
        # Nothing could end a loop that doesn't end by itself.
        raise GraphError("has loops or branches, so it was not opened. Export the model to ONNX.")
    try:
        interpreter = Interpreter(model_content=content, num_threads=torch.get_num_threads())
        interpreter.allocate_tensors()
    except ValueError:
        raise _damaged() from None
    except RuntimeError as error:
        if "custom" in str(error).lower() or "select tensorflow op" in str(error).lower():
            raise GraphError(
                "needs operations that LiteRT doesn't have. Convert it with TensorFlow Lite's own "
                "alone (TFLITE_BUILTINS)."
            ) from None
        raise _damaged() from None
    return interpreter


def _damaged() -> GraphError:
    return GraphError("is not a model of TensorFlow Lite, or it is damaged.")
