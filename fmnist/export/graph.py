"""A network as one ONNX file, checked by running it."""

import copy
import tempfile
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.machine.errors import UserFacingError
from fmnist.models.inference import infer
from fmnist.models.layers import Classifier
from fmnist.weights import shelf

OPSET = 18
INPUT, OUTPUT = "images", "logits"
CPU = torch.device("cpu")
TOLERANCE = 1e-4
"""The share of its largest logit by which a graph may answer otherwise than the network."""

_exporting = threading.Lock()  # torch keeps the state of an export for all threads


def to_onnx(model: Classifier) -> bytes:
    """A model as one ONNX file for any number of images; a graph, as it was brought.

    It is checked: raises UserFacingError where ONNX Runtime doesn't answer as the network does.
    """
    if model.opaque:
        return model.packed(None)
    try:
        content = _exported(model)
        graph = shelf.open(content, "model.onnx", "0..1").model
    except (RuntimeError, UserFacingError) as error:
        raise UserFacingError(
            "The model can't be written as ONNX: {reason}", reason=str(error).splitlines()[0]
        ) from error
    noise = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
    wanted = infer(model, noise, CPU)
    furthest = np.abs(infer(graph, noise, CPU) - wanted).max()
    if not furthest <= TOLERANCE * max(1.0, np.abs(wanted).max()):
        raise UserFacingError("The model can't be written as ONNX: it would answer otherwise.")
    return content


def _exported(model: Classifier) -> bytes:
    # The older of torch's exporters: the newer takes ten times as long, and writes what recurs as
    # loops that few tools read.
    own = copy.deepcopy(model).to(CPU).eval()  # others may be asking the model
    for name, layer in list(own.named_modules()):
        if isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size not in (1, (1, 1)):
            own.set_submodule(name, _Means(layer.output_size))
    image = torch.zeros(1, 1, 28, 28)
    with (
        _exporting,
        warnings.catch_warnings(),
        torch.inference_mode(False),
        tempfile.TemporaryDirectory() as folder,
    ):
        warnings.simplefilter("ignore")
        file = Path(folder) / "model.onnx"
        torch.onnx.export(
            own,
            (image,),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "N"}, OUTPUT: {0: "N"}},
        )
        return file.read_bytes()


class _Means(nn.Module):
    """Adaptive pooling as two products with matrices: ONNX has none for parts that overlap."""

    def __init__(self, parts: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.parts = parts if isinstance(parts, Sequence) else (parts, parts)

    def forward(self, images: Tensor) -> Tensor:
        down, across = (
            torch.from_numpy(_shares(int(size), size if parts is None else parts))
            for size, parts in zip(images.shape[2:], self.parts, strict=True)
        )
        return down @ images @ across.transpose(0, 1)


def _shares(size: int, parts: int) -> NDArray[np.float32]:
    """Each part's share in each place, (parts, size), as torch divides them."""
    starts = np.arange(parts)[:, None] * size // parts
    ends = -(-np.arange(1, parts + 1)[:, None] * size // parts)
    inside = (np.arange(size) >= starts) & (np.arange(size) < ends)
    shares: NDArray[np.float32] = (inside / inside.sum(1, keepdims=True)).astype(np.float32)
    return shares
