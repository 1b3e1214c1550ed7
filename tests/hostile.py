"""Files of every kind that opens, and what makes them hostile."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import torch
from keras_files import Layer, conv, dense, h5, sequential, zipped
from strangers import perceptron_graph, pickled, saved, stranger
from tflite_files import perceptron
from torch import nn

from fmnist.models.chain import Chain
from fmnist.weights.strangers import tables

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


torch.manual_seed(0)
_LAYERS = [nn.Linear(784, 8), nn.Linear(8, 10)]


def _said() -> np.ndarray:
    """Probabilities (N, 10) for the test images."""
    return np.random.default_rng(0).dirichlet(np.ones(10), len(tables.test_split()))


def _csv() -> bytes:
    content = io.BytesIO()
    np.savetxt(content, _said(), delimiter=",", fmt="%.5f")
    return content.getvalue()


def _arrays(name: str = "") -> bytes:
    content = io.BytesIO()
    if name:
        np.savez_compressed(content, **{name: _said()})
    else:
        np.save(content, _said())
    return content.getvalue()


def _matrices() -> bytes:
    values = [tensor.numpy() for tensor in stranger("fcnn").state_dict().values()]
    content = io.BytesIO()
    np.savez(content, *(value.T for value in values))
    return content.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "state.pt": lambda: pickled(stranger("gru").state_dict()),
    "state.safetensors": lambda: saved(stranger("gru").state_dict(), ".safetensors"),
    "whole.pt": _whole,
    "chain.safetensors": _chain,
    "model.h5": lambda: h5(_KERAS, sequential(_KERAS)),
    "model.keras": lambda: zipped(_KERAS, sequential(_KERAS)),
    "weights.h5": lambda: h5(_KERAS, None, whole=False),
    "graph.onnx": lambda: perceptron_graph(stranger("fcnn").state_dict()),
    "graph.tflite": lambda: perceptron(_LAYERS, softmax=True),
    "table.csv": _csv,
    "table.npz": lambda: _arrays("probabilities"),
    "table.npy": _arrays,
    "weights.npz": _matrices,
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


# What HDF5 can do beside arrays


def altered(change: Callable[[h5py.File], object]) -> bytes:
    layers = [FLATTEN, dense(784, 10)]
    content = io.BytesIO(h5(layers, sequential(layers, (28, 28))))
    with h5py.File(content, "a") as file:
        change(file)
    return content.getvalue()


def external(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("/dev/zero", "/")


def soft(file: h5py.File) -> None:
    file["again"] = h5py.SoftLink("/again")


def circle(file: h5py.File) -> None:
    group = file["model_weights"]
    group["inside"] = group


def stored_elsewhere(file: h5py.File) -> None:
    file.create_dataset("a", (10,), "f4", external=[("/dev/zero", 0, 40)])


def bomb(file: h5py.File) -> None:
    file.create_dataset("a", (2**40,), "f4", chunks=(2**20,), compression="gzip")


def many(file: h5py.File) -> None:
    for number in range(6000):
        file.create_group(str(number))


HDF5 = (external, soft, circle, stored_elsewhere, bomb, many)


# What few bytes unfold to


def _zip_bomb(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, bytes(2**28))
    return content.getvalue()


def _laughs() -> bytes:
    """A pickle whose list holds ten lists that hold ten lists …: 10 to the power of 12 in all."""
    levels = b"".join(b"](" + b"h%c" % level * 10 + b"eq%c" % (level + 1) for level in range(12))
    return b"\x80\x02]q\x00" + levels + b"."


def _deep_config() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("config.json", "[" * 200_000)
        archive.writestr("model.weights.h5", altered(lambda file: None))
    return content.getvalue()


def _deep_graph() -> bytes:
    """A graph in an attribute of a node of a graph in an attribute of a node …."""
    inside = b""
    for _ in range(2000):
        for field in (b"\x32", b"\x2a", b"\x0a"):  # GraphProto.g, NodeProto.attribute, .node
            inside = field + _length(inside) + inside
    return b"\x08\x09" + b"\x3a" + _length(inside) + inside


def _length(content: bytes) -> bytes:
    """As protobuf writes it: seven bits a byte, the lowest first."""
    count, found = len(content), b""
    while count > 127:
        found += bytes([count & 127 | 128])
        count >>= 7
    return found + bytes([count])


def _elsewhere() -> bytes:
    """A graph whose weights lie in a file of the machine that opens it."""
    model = onnx.load_from_string(FILES["graph.onnx"]())
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../../../etc/passwd")
    return model.SerializeToString()


def _claimed_tensors() -> bytes:
    header = b'{"a.weight":{"dtype":"F32","shape":[1073741824,784],"data_offsets":[0,40]}}'
    return len(header).to_bytes(8, "little") + header + bytes(40)


def _claimed_storage() -> bytes:
    """A pickle of a tensor of 40 bytes whose steps lead to 10 to the power of 12 numbers."""
    return pickled({"a.weight": torch.zeros(10).as_strided((10**6, 10**6), (0, 0))})


UNFOLDING: dict[str, Callable[[], bytes]] = {
    **{f"{change.__name__}.h5": lambda change=change: altered(change) for change in HDF5},
    "bomb.keras": lambda: _zip_bomb("config.json", "model.weights.h5"),
    "bomb.npz": lambda: _zip_bomb("a.npy"),
    "bomb.pt": lambda: _zip_bomb("archive/data.pkl"),
    "laughs.pt": _laughs,
    "wide.csv": lambda: b"1," * 10**7,
    "long.csv": lambda: b"1\n" * 10**7,
    "quoted.csv": lambda: b'"' + b"1\n" * 10**7,
    "claims.npy": lambda: _arrays().replace(b"(%d" % len(_said()), b"(%d" % 10**9),
    "deep.keras": _deep_config,
    "deep.onnx": _deep_graph,
    "elsewhere.onnx": _elsewhere,
    "claims.safetensors": _claimed_tensors,
    "claims.pt": _claimed_storage,
    "deep.safetensors": lambda: (60_000).to_bytes(8, "little") + b"{" + b"[" * 59_999,
}
"""Files that would take a machine's memory or time, or lead to others."""
