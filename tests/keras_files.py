"""Files as Keras writes them, made by hand, and what the networks in them answer by plain numpy."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Layer(NamedTuple):
    """A layer as Keras describes it: its class, its settings, its arrays."""

    kind: str
    settings: Mapping[str, Any] = {}
    arrays: Sequence[Array] = ()
    names: Sequence[str] = ("kernel", "bias")

    def named(self) -> dict[str, Array]:
        """The arrays by their names, of which those between kernel and bias don't matter."""
        names = self.names if len(self.names) == len(self.arrays) else "abcd"
        return dict(zip(names, self.arrays, strict=False))


def drawn(*shape: int, seed: int = 0) -> Array:
    """Weights that keep values about as large as they are."""
    inputs = int(np.prod(shape[:-1])) or 1
    values = np.random.default_rng([seed, *shape]).normal(size=shape) / np.sqrt(inputs)
    return values.astype(np.float32)


def dense(inputs: int, units: int, activation: str = "linear") -> Layer:
    return Layer("Dense", {"units": units, "activation": activation},
                 (drawn(inputs, units), drawn(units)))  # fmt: skip


def conv(
    size: int, inputs: int, filters: int, activation: str = "relu", **settings: object
) -> Layer:
    shared = {"filters": filters, "kernel_size": [size, size], "activation": activation}
    return Layer("Conv2D", shared | settings, (drawn(size, size, inputs, filters), drawn(filters)))


def batch_norm(channels: int) -> Layer:
    arrays = (1 + drawn(channels), drawn(channels, seed=1), drawn(channels, seed=2),
              1 + 0.5 * abs(drawn(channels, seed=3)))  # fmt: skip
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return Layer("BatchNormalization", {"axis": [-1], "epsilon": 0.001}, arrays, names)


SNAKE = {
    "Conv2D": "conv2d", "BatchNormalization": "batch_normalization",
    "SeparableConv2D": "separable_conv2d", "DepthwiseConv2D": "depthwise_conv2d",
    "MaxPooling2D": "max_pooling2d", "AveragePooling2D": "average_pooling2d",
}  # fmt: skip


def named(layers: Sequence[Layer]) -> list[tuple[str, Layer]]:
    numbers: Counter[str] = Counter()
    rows = []
    for layer in layers:
        kind = SNAKE.get(layer.kind, layer.kind.lower())
        rows.append((f"{kind}_{numbers[kind]}" if numbers[kind] else kind, layer))
        numbers[kind] += 1
    return rows


def sequential(layers: Sequence[Layer], shape: Sequence[int] = (28, 28, 1)) -> dict[str, Any]:
    rows = [
        {"class_name": layer.kind, "config": {"name": name} | dict(layer.settings)}
        for name, layer in named(layers)
    ]
    rows[0]["config"]["batch_input_shape"] = [None, *shape]
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": rows}}


def functional(layers: Sequence[Layer], shape: Sequence[int] = (28, 28, 1)) -> dict[str, Any]:
    """The same as Keras 3 writes a model of inputs and outputs."""
    start = {"name": "input_layer", "batch_shape": [None, *shape]}
    rows: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "config": start, "name": "input_layer", "inbound_nodes": []}
    ]
    before = "input_layer"
    for name, layer in named(layers):
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
        rows.append(
            {
                "class_name": layer.kind,
                "config": {"name": name} | dict(layer.settings),
                "name": name,
                "inbound_nodes": [{"args": [tensor], "kwargs": {}}],
            }
        )
        before = name
    config = {"name": "functional", "layers": rows, "input_layers": ["input_layer", 0, 0]}
    return {"class_name": "Functional", "config": config}


def h5(layers: Sequence[Layer], model: Mapping[str, Any] | None, whole: bool = True) -> bytes:
    """As model.save("model.h5") writes it, or save_weights where not whole."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        if model is not None:
            file.attrs["model_config"] = json.dumps(model)
        place = file.create_group("model_weights") if whole else file
        rows = named(layers)
        place.attrs["layer_names"] = [name.encode() for name, _ in rows]
        for name, layer in rows:
            group = place.create_group(name)
            full = {f"{name}/{own}:0": array for own, array in layer.named().items()}
            group.attrs["weight_names"] = [one.encode() for one in full]
            for one, array in full.items():
                group[one] = array
    return content.getvalue()


def zipped(layers: Sequence[Layer], model: Mapping[str, Any]) -> bytes:
    """As Keras 3 writes a .keras file: the arrays by a layer's class and its number."""
    weights, content = io.BytesIO(), io.BytesIO()
    paths = {"LSTM": "cell/vars", "GRU": "cell/vars"}
    numbers: Counter[str] = Counter()
    with h5py.File(weights, "w") as file:
        for layer in layers:
            kind = SNAKE.get(layer.kind, layer.kind.lower())
            own = f"{kind}_{numbers[kind]}" if numbers[kind] else kind
            numbers[kind] += 1
            group = file.create_group(f"layers/{own}/{paths.get(layer.kind, 'vars')}")
            for place, array in enumerate(layer.arrays):
                group[str(place)] = array
        file.create_group("optimizer/vars")["0"] = np.int64(7)
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", weights.getvalue())
    return content.getvalue()


# What they answer, images (N, H, W, C)


def forward(layers: Sequence[Layer], values: Array) -> Array:
    for layer in layers:
        values = _PASS[layer.kind](values, layer.settings, layer.arrays)
        if layer.kind not in ("LSTM", "GRU"):  # whose activation is inside
            values = _activated(values, layer.settings.get("activation", "linear"))
    return values


def _activated(values: Array, name: str) -> Array:
    if name == "softmax":
        powers = np.exp(values - values.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)
    known = {
        "linear": lambda x: x,
        "relu": lambda x: np.maximum(x, 0),
        "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
        "tanh": np.tanh,
        "sigmoid": _sigmoid,
    }
    return known[name](values)


def _sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def _padded(values: Array, size: int, stride: int, padding: str, fill: float) -> Array:
    if padding == "valid":
        return values
    around = []
    for side in values.shape[1:3]:
        missing = max((-(-side // stride) - 1) * stride + size - side, 0)
        around.append((missing // 2, missing - missing // 2))
    return np.pad(values, ((0, 0), *around, (0, 0)), constant_values=fill)


def _windows(values: Array, settings: Mapping[str, Any], size: int, fill: float = 0) -> Array:
    """Windows (N, h, w, C, size, size)."""
    stride = settings.get("strides") or (size if "pool_size" in settings else 1)
    stride = stride if isinstance(stride, int) else stride[0]
    padded = _padded(values, size, stride, settings.get("padding", "valid"), fill)
    return sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]


def _conv(values: Array, settings: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    kernel, bias = arrays
    windows = _windows(values, settings, kernel.shape[0])
    return np.einsum("nhwckl,klco->nhwo", windows, kernel) + bias


def _depthwise(values: Array, settings: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    kernel, *bias = arrays
    windows = _windows(values, settings, kernel.shape[0])
    found = np.einsum("nhwckl,klcm->nhwcm", windows, kernel)
    return found.reshape(*found.shape[:3], -1) + (bias[0] if bias else 0)


def _separable(values: Array, settings: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    deep, point, bias = arrays
    return _depthwise(values, settings, [deep]) @ point[0, 0] + bias


def _max_pool(values: Array, settings: Mapping[str, Any], _: Sequence[Array]) -> Array:
    return _windows(values, settings, settings["pool_size"][0], -np.inf).max((-1, -2))


def _mean_pool(values: Array, settings: Mapping[str, Any], _: Sequence[Array]) -> Array:
    return np.nanmean(_windows(values, settings, settings["pool_size"][0], np.nan), (-1, -2))


def _norm(values: Array, settings: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    gamma, beta, mean, variance = arrays
    return gamma * (values - mean) / np.sqrt(variance + settings["epsilon"]) + beta


def _lstm(values: Array, settings: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    kernel, recurrent, bias = arrays
    state = cell = np.zeros((len(values), len(recurrent)), np.float32)
    for row in values.swapaxes(0, 1):
        i, f, new, o = np.split(row @ kernel + state @ recurrent + bias, 4, -1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(new)
        state = _sigmoid(o) * np.tanh(cell)
    return state


def _gru(values: Array, settings: Mapping[str, Any], arrays: Sequence[Array]) -> Array:
    kernel, recurrent, bias = arrays
    state = np.zeros((len(values), len(recurrent)), np.float32)
    for row in values.swapaxes(0, 1):
        z, r, new = np.split(row @ kernel + bias[0], 3, -1)
        zh, rh, newh = np.split(state @ recurrent + bias[1], 3, -1)
        z = _sigmoid(z + zh)
        state = z * state + (1 - z) * np.tanh(new + _sigmoid(r + rh) * newh)
    return state


def _larger(values: Array, settings: Mapping[str, Any], _: Sequence[Array]) -> Array:
    for axis in (1, 2):
        given, wanted = values.shape[axis], settings["height"]
        places = np.clip((np.arange(wanted) + 0.5) * given / wanted - 0.5, 0, given - 1)
        one_by_one = np.apply_along_axis
        values = one_by_one(lambda row, p=places: np.interp(p, range(len(row)), row), axis, values)
    return values


_PASS = {
    "Resizing": _larger,
    "Dense": lambda x, s, a: x @ a[0] + a[1], "Conv2D": _conv, "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable, "MaxPooling2D": _max_pool, "AveragePooling2D": _mean_pool,
    "BatchNormalization": _norm, "LSTM": _lstm, "GRU": _gru,
    "Flatten": lambda x, s, a: x.reshape(len(x), -1),
    "Reshape": lambda x, s, a: x.reshape(len(x), *s["target_shape"]),
    "Dropout": lambda x, s, a: x, "RandomFlip": lambda x, s, a: x,
    "Rescaling": lambda x, s, a: x * s["scale"] + s["offset"],
    "GlobalAveragePooling2D": lambda x, s, a: x.mean((1, 2)),
    "ZeroPadding2D": lambda x, s, a: np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0))),
    "LeakyReLU": lambda x, s, a: np.where(x > 0, x, x * s["alpha"]),
    "Activation": lambda x, s, a: x,
}  # fmt: skip
