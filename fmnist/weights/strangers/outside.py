"""Weights of an ONNX graph that lie in a second file, put back into the first."""

from collections.abc import Iterator
from typing import Any

from fmnist.weights.card import WeightsError


class OutsideError(WeightsError):
    """A graph keeps weights in another file, which has to be brought, too."""


def whole(content: bytes, filename: str, beside: bytes | None) -> bytes:
    """The graph in one file, `beside` being the content of the other.

    What the graph says of the other's name is not followed: nothing is looked for on the disk.
    Raises OutsideError where there is no other, and WeightsError where they don't belong together.
    """
    if beside is None:
        raise OutsideError(
            "{file} keeps weights in another file, so it was not opened. Bring that file, too; "
            "or save the model with all of them inside, by external_data=False.",
            file=filename,
        )
    try:  # here, since few who use this package have a graph to open
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise WeightsError(
            "{file} keeps weights in another file, and the package onnx, which puts the two "
            "together, is not installed here: pip install onnx.",
            file=filename,
        ) from None
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise WeightsError(
            "{file} is not an ONNX model, or it is damaged.", file=filename
        ) from None
    places = set()
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        said = {entry.key: entry.value for entry in tensor.external_data}
        start = _number(said.get("offset", "0"))
        length = _number(said.get("length", str(len(beside))))
        if not 0 <= start <= start + length <= len(beside):
            raise WeightsError(
                "{file} keeps weights where the other file has ended: it is another model's, or "
                "it is cut short.",
                file=filename,
            )
        places.add(said.get("location"))
        tensor.raw_data = beside[start : start + length]
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
    if len(places) > 1:
        raise WeightsError(
            "{file} keeps weights in {count} other files. Save it with all of them inside, by "
            "external_data=False.",
            file=filename,
            count=len(places),
        )
    merged: bytes = model.SerializeToString()
    return merged


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor in a message, however deep: in graphs, nodes, attributes and functions."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in value if field.is_repeated else [value]:
            if field.message_type.name == "TensorProto":
                yield part
            else:
                yield from _tensors(part)
