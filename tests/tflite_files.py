"""Models of TensorFlow Lite, written by the schema of the format alone."""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from torch import nn

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.uint8): schema.TensorType.UINT8,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
}
Quantised = tuple[type[np.integer[Any]], float, int]
"""A type of whole numbers, the scale that makes real ones of them, and which of them is zero."""


class _Writer:
    def __init__(self) -> None:
        self.model = schema.ModelT(version=3, buffers=[schema.BufferT()], operatorCodes=[])
        self.graph = schema.SubGraphT(tensors=[], operators=[])
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: Sequence[int],
        dtype: type[Any] = np.float32,
        values: np.ndarray | None = None,
        quantised: Quantised | None = None,
    ) -> int:
        buffer = 0
        if values is not None:
            self.model.buffers.append(
                schema.BufferT(data=np.frombuffer(values.tobytes(), np.uint8))
            )
            buffer = len(self.model.buffers) - 1
        one = schema.TensorT(shape=list(shape), type=_TYPES[np.dtype(dtype)], buffer=buffer)
        one.name = f"t{len(self.graph.tensors)}"
        if quantised:
            scale, zero = np.array([quantised[1]], np.float32), np.array([quantised[2]], np.int64)
            one.quantization = schema.QuantizationParametersT(scale=scale, zeroPoint=zero)
        self.graph.tensors.append(one)
        return len(self.graph.tensors) - 1

    def operator(self, name: str, inputs: Sequence[int], output: int, options: Any = None) -> None:
        code = getattr(schema.BuiltinOperator, name)
        self.model.operatorCodes.append(
            schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=1)
        )
        one = schema.OperatorT(opcodeIndex=len(self.model.operatorCodes) - 1)
        one.inputs, one.outputs = list(inputs), [output]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            one.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            one.builtinOptions = options
        self.graph.operators.append(one)

    def written(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(2**20)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def perceptron(
    layers: Sequence[nn.Linear],
    shape: Sequence[int] = (1, 28, 28, 1),
    softmax: bool = False,
    takes: Quantised | None = None,
    gives: Quantised | None = None,
    end: str | None = None,
) -> bytes:
    """Linear layers with ReLU between, as one file; `end` is one more operator's name."""
    writer, batch = _Writer(), shape[0]
    start = before = writer.tensor(shape, takes[0] if takes else np.float32, quantised=takes)
    if takes:
        before = writer.tensor(shape)
        writer.operator("DEQUANTIZE", [start], before, schema.DequantizeOptionsT())
    for place, layer in enumerate(layers):
        parts = [
            writer.tensor(values.shape, values=values.detach().numpy())
            for values in (layer.weight, layer.bias)
        ]
        after = writer.tensor((batch, layer.out_features))
        last = place == len(layers) - 1
        kind = schema.ActivationFunctionType
        options = schema.FullyConnectedOptionsT(
            fusedActivationFunction=kind.NONE if last else kind.RELU
        )
        writer.operator("FULLY_CONNECTED", [before, *parts], after, options)
        before = after
    if softmax:
        after = writer.tensor((batch, 10))
        writer.operator("SOFTMAX", [before], after, schema.SoftmaxOptionsT(beta=1.0))
        before = after
    if gives:
        after = writer.tensor((batch, 10), gives[0], quantised=gives)
        writer.operator("QUANTIZE", [before], after, schema.QuantizeOptionsT())
        before = after
    if end == "ARG_MAX":
        after, axis = writer.tensor((batch,), np.int32), np.array([1], np.int32)
        axes = writer.tensor((1,), np.int32, values=axis)
        options = schema.ArgMaxOptionsT(outputType=schema.TensorType.INT32)
        writer.operator("ARG_MAX", [before, axes], after, options)
        before = after
    elif end == "CUSTOM":
        after = writer.tensor((batch, 10))
        writer.operator("CUSTOM", [before], after)
        writer.model.operatorCodes[-1].customCode = b"FlexErf"
        before = after
    return writer.written([start], [before])
