"""A network as one ONNX file, checked by running it."""

import copy
import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
import torch

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
    """A model as one ONNX file, for any number of images at once; a graph as it was brought.

    It is checked: raises UserFacingError where ONNX Runtime doesn't answer as the network does.
    """
    if model.opaque:
        return model.packed(None)
    try:
        content = _exported(model)
        graph = shelf.open(content, "model.onnx", "0..1").model
    except (RuntimeError, UserFacingError) as error:
        raise UserFacingError(
            f"The model can't be written as ONNX: {str(error).splitlines()[0]}"
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
