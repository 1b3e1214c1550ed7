"""Files of every kind that opens, and what makes them hostile."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from keras_files import Layer, conv, dense, h5, sequential, zipped
from strangers import perceptron_graph, pickled, saved, stranger
from torch import nn

from fmnist.models.chain import Chain

FLATTEN = Layer("Flatten")
_KERAS = [conv(3, 1, 2, strides=[3, 3]), FLATTEN, dense(162, 10, "softmax")]


def _chain() -> bytes:
    flat, linear = {"kind": "Flatten"}, {"kind": "Linear", "in_features": 784, "out_features": 10}
    torch.manual_seed(0)
    return Chain([flat, linear]).packed(None)


def _whole() -> bytes:
    torch.manual_seed(0)
    return pickled(
        nn.Sequential(nn.Conv2d(1, 4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))
    )


FILES: dict[str, Callable[[], bytes]] = {
    "state.pt": lambda: pickled(stranger("gru").state_dict()),
    "state.safetensors": lambda: saved(stranger("gru").state_dict(), ".safetensors"),
    "whole.pt": _whole,
    "chain.safetensors": _chain,
    "model.h5": lambda: h5(_KERAS, sequential(_KERAS)),
    "model.keras": lambda: zipped(_KERAS, sequential(_KERAS)),
    "weights.h5": lambda: h5(_KERAS, None, whole=False),
    "graph.onnx": lambda: perceptron_graph(stranger("fcnn").state_dict()),
}


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with bytes changed near its ends, or a part repeated, left out or cut off."""
    damaged = bytearray(content)
    near = min(len(damaged), 4000)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(near))
        damaged[place if rng.random() < 0.7 else len(damaged) - 1 - place] = int(rng.integers(256))
    kind = rng.random()
    start, end = sorted(int(place) for place in rng.integers(len(damaged), size=2))
    if kind < 0.1:
        return bytes(damaged[:start])
    if kind < 0.2:
        return bytes(damaged[:start] + damaged[end:])
    if kind < 0.3:
        return bytes(damaged[:end] + damaged[start:end][:10_000] + damaged[end:])
    return bytes(damaged)


class _Canary:
    """A pickle that would create a file when it is opened carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def _plain(mark: Path) -> bytes:
    return pickle.dumps(_Canary(mark))


def _in_torch(mark: Path) -> bytes:
    return pickled({"state_dict": {"a.weight": torch.zeros(10, 784)}, "x": _Canary(mark)})


def _in_arrays(mark: Path) -> bytes:
    return pickled({"a.weight": np.array([_Canary(mark)], object)})


def _lambda(mark: Path) -> bytes:
    program = f"import pathlib; pathlib.Path({str(mark)!r}).touch()"
    layers = [FLATTEN, Layer("Lambda", {"function": program}), dense(784, 10)]
    return zipped(layers, sequential(layers))


with_canary = [_plain, _in_torch, _in_arrays, _lambda]
