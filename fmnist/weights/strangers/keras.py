"""A file of Keras as a chain of layers: the JSON and the arrays in it are read, nothing runs.

Keras 1 and 2 keep both in one HDF5 file, Keras 3 in a zip of JSON and HDF5. Of what HDF5 can do,
such as to read from other files, nothing is used but groups, arrays and texts.
"""

import io
import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from fmnist.machine.errors import UserFacingError
from fmnist.models.chain import LOGITS_OF, MOST_SIDE, Layer, handed_on
from fmnist.models.layers import SIDE
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import stacks
from fmnist.weights.strangers.formats import check_size, in_quarantine, quoted
from fmnist.weights.strangers.stacks import StackError
from fmnist.words import Words

DEEPEST = 16
MOST_ENTRIES = 5_000
"""How deep an HDF5 file may be nested, and how many groups and arrays it may have."""

Config = dict[str, Any]
Arrays = Mapping[str, list[Tensor]]
"""The arrays of each layer by its path, names joined by "/", in Keras' order."""

_NOTHING = {  # at inference
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "ActivityRegularization", "InputLayer", "Identity",
    "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
    "RandomBrightness", "RandomShear", "RandomErasing",
}  # fmt: skip
_ACTIVATIONS: Mapping[str, Layer | None] = {
    "linear": None, "relu": {"kind": "ReLU"}, "relu6": {"kind": "ReLU6"}, "tanh": {"kind": "Tanh"},
    "sigmoid": {"kind": "Sigmoid"}, "softmax": {"kind": "Softmax", "dim": 1},
    "log_softmax": {"kind": "LogSoftmax", "dim": 1},
    "elu": {"kind": "ELU"}, "selu": {"kind": "SELU"}, "gelu": {"kind": "GELU"},
    "swish": {"kind": "SiLU"}, "silu": {"kind": "SiLU"}, "softplus": {"kind": "Softplus"},
    "softsign": {"kind": "Softsign"}, "mish": {"kind": "Mish"},
    "leaky_relu": {"kind": "LeakyReLU", "negative_slope": 0.2},
}  # fmt: skip
_OLD_NAMES = {  # of Keras 1
    "output_dim": "units", "nb_filter": "filters", "subsample": "strides", "border_mode": "padding",
    "inner_init": "recurrent_initializer", "inner_activation": "recurrent_activation",
}  # fmt: skip
_OLD_CLASSES = {
    "Convolution2D": "Conv2D", "SeparableConvolution2D": "SeparableConv2D",
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "MaxPool2D": "MaxPooling2D", "AvgPool2D": "AveragePooling2D",
}  # fmt: skip


EPSILON = 1e-3
"""What Keras adds to a variance unless another is asked for."""


_MODELS = ("Sequential", "Functional", "Model")
_FOLDERS = ("layers", "_layer_checkpoint_dependencies")
"""What Keras 3 calls the group of a model's layers, and what Keras 2 did in its .keras files."""


class Row(NamedTuple):
    """The layers of a chain, and the tensors of each by their names in it.

    Of a model that takes larger pictures the first is a `Border`.
    """

    layers: list[Layer]
    tensors: list[dict[str, Tensor]]


class KerasError(UserFacingError, ValueError):
    """A file can't be read; the message says why and wants the file's name before it."""


def read(content: bytes, filename: str) -> Row | dict[str, Tensor]:
    """The layers of a model; of weights alone, a state dict in torch's form.

    Opened in quarantine; raises WeightsError.
    """
    layers, names, plain = in_quarantine(_read, content, filename)
    loaded = safetensors.torch.load(plain)
    if layers is None:
        return {name: loaded[str(place)] for place, (_, name) in enumerate(names)}
    tensors: list[dict[str, Tensor]] = [{} for _ in layers]
    for place, (layer, name) in enumerate(names):
        tensors[layer][name] = loaded[str(place)]
    return Row(layers, tensors)


def no_stack(filename: str, error: StackError) -> WeightsError:
    """What a person is told of weights alone."""
    return WeightsError(
        "{file} holds weights alone, and they are no plain stack: {error}. Save the whole model "
        'with model.save("model.keras"), or arrays of your own with np.savez("model.npz", '
        "**arrays).",
        file=filename,
        error=error,
    )


def _read(content: bytes, filename: str) -> tuple[list[Layer] | None, list[tuple[int, str]], bytes]:
    """Layers, or None for weights alone; tensors by layer and name, and as safetensors 0, 1, …."""
    try:
        layers, tensors = _of_zip(content) if content.startswith(b"PK") else _of_hdf5(content)
    except StackError as error:
        raise no_stack(filename, error) from None
    except KerasError as error:
        raise WeightsError("{file} {error}", file=filename, error=error) from None
    except WeightsError:
        raise
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise WeightsError(
            "{file} is not a model of Keras, or it is damaged. Save it again with "
            'model.save("model.keras") and bring that.',
            file=filename,
        ) from None
    names = [(place, name) for place, values in enumerate(tensors) for name in values]
    whole = [tensor.contiguous().clone() for values in tensors for tensor in values.values()]
    check_size(sum(tensor.nbytes for tensor in whole), filename)
    return layers, names, safetensors.torch.save({str(i): t for i, t in enumerate(whole)})


def _of_zip(content: bytes) -> tuple[list[Layer] | None, list[dict[str, Tensor]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {}
        for name in ("config.json", "model.weights.h5"):
            if archive.getinfo(name).file_size > 2**26:
                raise KerasError("unpacks to more than any model here needs, so it was not opened.")
            parts[name] = archive.read(name)
    model = json.loads(parts["config.json"])
    arrays = _arrays(parts["model.weights.h5"])
    return _translated(model, _of_variables(model, arrays))


def _of_hdf5(content: bytes) -> tuple[list[Layer] | None, list[dict[str, Tensor]]]:
    import h5py

    arrays = _arrays(content)
    with h5py.File(io.BytesIO(content), "r") as file:
        config = file.attrs.get("model_config")
        weights = "model_weights" in file
        place = file["model_weights"] if weights else file
        order = [_text(name) for name in place.attrs.get("layer_names", [])]
        names = {
            layer: [_text(name) for name in place[layer].attrs.get("weight_names", [])]
            for layer in order
            if layer in place
        }
    prefix = "model_weights/" if weights else ""
    saved = {
        layer: {name: arrays[f"{prefix}{layer}/{name}"] for name in own}
        for layer, own in names.items()
    }
    if config is not None:
        model = json.loads(_text(config))
        return _translated(model, _of_names(model, saved))
    places = _places(order)
    groups = [(places.get(name, name), list(own.values())) for name, own in saved.items() if own]
    if not groups:
        alone = Words("what is in no group")
        groups = [(path or alone, found) for path, found in _by_group(arrays).items()]
    if not groups:
        raise KerasError("holds no weights of layers.")
    return None, [stacks.from_keras(groups)]


def _places(order: Sequence[str]) -> dict[str, str]:
    """The layers' names as numbers in a row, each with room for its activation.

    Keras names the layers that hold no weights, too, so the numbers leave room for pooling where it
    is. Nothing where somebody chose a name, which may stand for any layer.
    """
    kinds = [_NAMED.fullmatch(name) for name in order]
    place, places = 0, {}
    for name, kind in zip(order, kinds, strict=True):
        if kind is None:
            return {}
        places[name] = str(place)
        place += _ROOM.get(kind[1], 0)
    return places


_ROOM = {
    "conv2d": 2, "dense": 2, "batch_normalization": 1, "flatten": 1, "max_pooling2d": 1,
    "average_pooling2d": 1, "global_average_pooling2d": 1, "global_max_pooling2d": 1,
}  # fmt: skip
"""What each layer takes among those of an nn.Sequential; others do nothing, or are activations."""
_ASIDE = ("dropout", "activation", "re_lu", "leaky_re_lu", "elu", "softmax", "input", "input_layer")
_NAMED = re.compile(rf"({'|'.join([*_ROOM, *_ASIDE])})(?:_\d+)?")
"""A name that Keras gave a layer itself."""


def _text(value: Any) -> str:
    text = value.decode() if isinstance(value, bytes) else str(value)
    if len(text) > 2**22:
        raise KerasError("holds longer texts than any model here needs, so it was not opened.")
    return text


# The arrays


def _arrays(content: bytes) -> dict[str, Tensor]:
    """Every array of floats in an HDF5 file by its path; raises KerasError for links and bombs."""
    try:  # here, since few who use this package have such a file to open
        import h5py
    except ImportError:
        raise KerasError("needs h5py, which is not installed here: pip install h5py.") from None

    found: dict[str, Tensor] = {}
    left = [MOST_ENTRIES, 2**26]

    def walk(group: Any, path: str, depth: int) -> None:
        if depth > DEEPEST:
            raise KerasError("is nested deeper than any model of Keras, so it was not opened.")
        for name in group:
            left[0] -= 1
            if left[0] < 0:
                raise KerasError("has more parts than any model of Keras, so it was not opened.")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise KerasError("links to other places or files, so it was not opened.")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                walk(entry, f"{path}{name}/", depth + 1)
            elif isinstance(entry, h5py.Dataset) and entry.dtype.kind in "fiu":
                if entry.external or entry.is_virtual:
                    raise KerasError("keeps arrays in other files, so it was not opened.")
                left[1] -= entry.nbytes
                if left[1] < 0:
                    raise KerasError(
                        "unpacks to more than any model here needs, so it was not opened."
                    )
                values = np.asarray(entry[()], np.float32)
                if not path.startswith(("optimizer", "_optimizer")):
                    found[f"{path}{name}"] = torch.from_numpy(np.ascontiguousarray(values))

    with h5py.File(io.BytesIO(content), "r") as file:
        walk(file, "", 0)
    return found


def _by_group(arrays: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
    """The arrays that share a group, counted in it, in the natural order of the groups' names."""
    groups: dict[str, dict[str, Tensor]] = {}
    for path, tensor in arrays.items():
        group, _, name = path.rpartition("/")
        if "seed_generator" in group:  # of a layer that draws random numbers in training
            continue
        groups.setdefault(group.removesuffix("/vars"), {})[name] = tensor

    def natural(text: str) -> list[str | int]:
        return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text)]

    def in_order(own: Mapping[str, Tensor]) -> list[Tensor]:
        return [own[name] for name in sorted(own, key=natural)]

    return {
        group: in_order(groups[group])
        for group in sorted(groups, key=natural)
        if any(tensor.ndim for tensor in groups[group].values())
    }


def _of_variables(model: Config, arrays: Mapping[str, Tensor]) -> dict[str, list[Tensor]]:
    """The arrays of each layer where Keras 3 keeps them: by a layer's class and its number."""
    by_group = _by_group(arrays)
    found: dict[str, list[Tensor]] = {}

    def visit(layers: Sequence[Config], group: str, path: str) -> None:
        numbers: Counter[str] = Counter()
        for layer in layers:
            name = layer["config"].get("name", "")
            kind = _snake(layer["class_name"])
            number = numbers[kind]
            numbers[kind] += 1
            own = f"{kind}_{number}" if number else kind
            roots = [f"{group}{folder}/{one}" for folder in _FOLDERS for one in (own, name)]
            root = next((r for r in roots if any(_below(g, r) for g in by_group)), roots[0])
            if layer["class_name"] in _MODELS:
                visit(layer["config"]["layers"], f"{root}/", f"{path}{name}/")
                continue
            # Those of a wrapper and of a recurrent cell lie deeper.
            inside = [g for g in by_group if _below(g, root)]
            inside.sort(key=lambda g: ("backward" in g, g))
            found[f"{path}{name}"] = [tensor for g in inside for tensor in by_group[g]]

    visit(model["config"]["layers"], "", "")
    return found


def _below(group: str, root: str) -> bool:
    return group == root or group.startswith(f"{root}/")


def _snake(name: str) -> str:
    """The name as Keras writes a class in a path: batch_normalization, conv2d."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _of_names(model: Config, saved: Mapping[str, Mapping[str, Tensor]]) -> dict[str, list[Tensor]]:
    """The arrays of each layer where Keras 1 and 2 keep them: by the layer's name."""
    found: dict[str, list[Tensor]] = {}

    def visit(layers: Sequence[Config], path: str, outer: Mapping[str, Tensor] | None) -> None:
        for layer in layers:
            name = layer["config"].get("name") or layer.get("name", "")
            own = saved.get(name, {}) if outer is None else {
                full: tensor for full, tensor in outer.items() if name in full.split("/")
            }  # fmt: skip
            if layer["class_name"] in _MODELS:
                visit(_listed(layer), f"{path}{name}/", own)
            else:
                found[f"{path}{name}"] = list(own.values())

    visit(_listed(model), "", None)
    return found


def _listed(model: Config) -> list[Config]:
    """The layers of a model in the order they are passed in; raises KerasError for branches."""
    if model["class_name"] not in _MODELS:
        raise KerasError(
            "is a {name}, a class of its author's, whose program is not in the file. Export it "
            "to ONNX.",
            name=quoted(model["class_name"]),
        )
    config = model["config"]
    layers: list[Config] = config if isinstance(config, list) else config["layers"]
    if model["class_name"] == "Sequential":
        return layers
    inputs = {layer["config"]["name"]: _sources(layer.get("inbound_nodes")) for layer in layers}
    named = {layer["config"]["name"]: layer for layer in layers}
    begin = [name for name, sources in inputs.items() if not sources]
    after: dict[str, list[str]] = {}
    for name, sources in inputs.items():
        for source in sources:
            after.setdefault(source, []).append(name)
    joins = [named[name]["class_name"] for name, sources in inputs.items() if len(sources) > 1]
    if joins or len(begin) != 1 or any(len(names) > 1 for names in after.values()):
        if joins:
            raise KerasError(
                "is no chain: it joins branches in {layer}. Export it to ONNX, which says how its "
                "layers are wired.",
                layer=quoted(joins[0]),
            )
        raise KerasError(
            "is no chain: it branches. Export it to ONNX, which says how its layers are wired."
        )
    row, name = [named[begin[0]]], begin[0]
    while name in after and len(row) <= len(layers):
        name = after[name][0]
        row.append(named[name])
    return row


def _sources(nodes: Any) -> list[str]:
    """The layers whose answers a layer takes, of what stands in its `inbound_nodes`."""
    found: list[str] = []

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            if "keras_history" in node:
                found.append(node["keras_history"][0])
            else:
                for value in node.values():
                    visit(value)
        elif isinstance(node, list):
            if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
                found.append(node[0])
            else:
                for value in node:
                    visit(value)

    visit(nodes)
    return found


# The layers


def _translated(model: Config, arrays: Arrays) -> tuple[list[Layer], list[dict[str, Tensor]]]:
    """A model's layers as those of a chain; raises KerasError for one that is none."""
    row = list(_flat(model, ""))
    strange = dict.fromkeys(kind for _, kind, _ in row if kind not in _NOTHING | _READERS.keys())
    if strange:
        raise KerasError(
            "has layers that are not read here: {layers}. Export it to ONNX.",
            layers=quoted(", ".join(strange)),
        )
    chain = _Chain(_input(model, row, arrays))
    for path, kind, config in row:
        if kind not in _NOTHING:
            _READERS[kind](chain, config, list(arrays.get(path, [])))
    # The logits are what is wanted, and what softmax makes of them is made later.
    if chain.layers and (end := chain.layers[-1]["kind"]) in LOGITS_OF:
        chain.drop()
        if logits := LOGITS_OF[end]:
            chain.add({"kind": logits})
    return chain.layers, chain.tensors


def _flat(model: Config, path: str) -> Iterator[tuple[str, str, Config]]:
    """Path, class and settings of every layer, those of nested models in their place."""
    for layer in _listed(model):
        kind = str(_OLD_CLASSES.get(layer["class_name"], layer["class_name"])).rpartition(">")[2]
        config = {_OLD_NAMES.get(name, name): value for name, value in layer["config"].items()}
        name = f"{path}{config.get('name') or layer.get('name', '')}"
        if kind in _MODELS:
            yield from _flat(layer, f"{name}/")
        else:
            yield name, kind, config


def _input(
    model: Config, row: Sequence[tuple[str, str, Config]], arrays: Arrays
) -> tuple[int, ...]:
    """The shape of one image as the model takes it, the channels last."""
    settings = model["config"] if isinstance(model["config"], dict) else {}
    stated = [
        config.get(key)
        for config in (*(config for _, _, config in row[:1]), settings)
        for key in ("batch_input_shape", "batch_shape", "build_input_shape")
    ]
    shape = next((tuple(s[1:]) for s in stated if isinstance(s, list) and s), None)
    if shape is None:
        first = next((own[0] for path, _, _ in row if (own := arrays.get(path))), None)
        flat = first is not None and first.shape[0] == SIDE**2
        shape = (SIDE**2,) if flat and row[0][1] == "Dense" else (SIDE, SIDE, 1)
    if not any(
        shape in ((side**2,), (side, side), (side, side, 1), (side, side, 3))
        for side in range(SIDE, MOST_SIDE + 1)
    ):
        raise KerasError(
            "takes pictures of {shape}, and those here are 28 x 28.",
            shape=quoted(" x ".join(map(str, shape))),
        )
    return shape


def _side(shape: Sequence[int]) -> int:
    """The edge of the pictures of a shape, which may be rows of pixels."""
    return math.isqrt(shape[0]) if len(shape) == 1 else shape[0]


class _Chain:
    """Layers as they are added, each with its tensors, and the shape that they hand on."""

    def __init__(self, taken: tuple[int, ...]) -> None:
        self.layers: list[Layer] = []
        self.tensors: list[dict[str, Tensor]] = []
        self.shape: tuple[int, ...] = (1, 1, SIDE, SIDE)
        if (side := _side(taken)) != SIDE:
            self.add({"kind": "Border", "side": side}, black=torch.tensor(0.0))
        if len(taken) == 3 and taken[2] == 3:
            self.add({"kind": "Repeat", "channels": 3})
        elif len(taken) < 3:
            self.add({"kind": "Reshape", "shape": list(taken)})

    def add(self, layer: Layer, **tensors: Tensor) -> None:
        try:
            self.shape = handed_on(layer, self.shape)
        except ValueError:
            raise KerasError(
                "has layers that do not fit each other: a {layer} can't take {shape}.",
                layer=layer["kind"],
                shape=" x ".join(map(str, self.shape[1:])),
            ) from None
        self.layers.append(layer)
        self.tensors.append(tensors)

    def drop(self) -> None:
        self.layers.pop()
        self.tensors.pop()

    def activate(self, wanted: Any) -> None:
        """Add an activation by Keras' name for it, or as Keras writes a function or a layer."""
        if isinstance(wanted, dict):
            inner = wanted.get("config")
            if isinstance(inner, dict) and wanted.get("class_name") in _READERS:
                _READERS[wanted["class_name"]](self, inner, [])
                return
            wanted = inner if isinstance(inner, str) else wanted.get("class_name")
        wanted = wanted or "linear"
        if wanted not in _ACTIVATIONS:
            raise KerasError(
                "has an activation that is not read here: {activation}. Export it to ONNX.",
                activation=quoted(str(wanted)),
            )
        layer = _ACTIVATIONS[wanted]
        if layer:
            self.add({**layer, "dim": -1} if "dim" in layer and len(self.shape) == 3 else layer)


def _dense(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    kernel, *bias = arrays
    named = {"weight": kernel.T, **_bias(config, bias)}
    if len(chain.shape) == 4:  # on images it works at every place
        inputs, outputs = kernel.shape
        layer = {"kind": "Conv2d", "inputs": inputs, "outputs": outputs, "size": [1, 1]}
        chain.add({**layer, "bias": bool(bias)}, **named | {"weight": kernel.T[..., None, None]})
    else:
        sizes = {"in_features": kernel.shape[0], "out_features": kernel.shape[1]}
        chain.add({"kind": "Linear", **sizes, "bias": bool(bias)}, **named)
    chain.activate(config.get("activation"))


def _bias(config: Config, arrays: Sequence[Tensor]) -> dict[str, Tensor]:
    """A layer's bias if it has one; raises KerasError where it isn't in the file."""
    if len(arrays) != bool(config.get("use_bias", config.get("bias", True))):
        raise KerasError("lacks weights of a layer, or has more than it. Save it again.")
    return {"bias": arrays[0]} if arrays else {}


def _convolution(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    kernel, *bias = arrays
    _convolve(chain, config, kernel.permute(3, 2, 0, 1), bias, config.get("groups") or 1)
    chain.activate(config.get("activation"))


def _depthwise(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    kernel, *bias = arrays
    _convolve(chain, config, _deep(kernel), bias, kernel.shape[2])
    chain.activate(config.get("activation"))


def _separable(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    deep, point, *bias = arrays
    _convolve(chain, config | {"use_bias": False}, _deep(deep), [], deep.shape[2])
    own = {"use_bias": config.get("use_bias", True)}
    _convolve(chain, own, point.permute(3, 2, 0, 1), bias, 1)
    chain.activate(config.get("activation"))


def _deep(kernel: Tensor) -> Tensor:
    """A kernel (H, W, C, M) that gives M maps of each of C channels as a weight (C M, 1, H, W)."""
    height, width, channels, maps = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(channels * maps, 1, height, width)


def _convolve(
    chain: _Chain, config: Config, weight: Tensor, bias: Sequence[Tensor], groups: int
) -> None:
    _refuse_channels_first(config)
    outputs, _, *size = weight.shape
    stride, dilation = _two(config.get("strides")), _two(config.get("dilation_rate"))
    reach = [(edge - 1) * wide + 1 for edge, wide in zip(size, dilation, strict=True)]
    layer = {
        "kind": "Conv2d",
        "inputs": chain.shape[1],
        "outputs": outputs,
        "size": size,
        "stride": stride,
        "padding": _around(chain, config, reach, stride),
        "groups": groups,
        "dilation": dilation,
        "bias": bool(bias),
    }
    chain.add(layer, weight=weight, **_bias(config, bias))


def _two(sizes: Any) -> list[int]:
    """Sizes down and across, which may be given as one."""
    if sizes is None:
        return [1, 1]
    return [sizes] * 2 if isinstance(sizes, int) else [int(size) for size in sizes]


def _around(chain: _Chain, config: Config, size: Sequence[int], stride: Sequence[int]) -> list[int]:
    """The padding left, right, top and bottom that keeps as many places as the stride leaves."""
    if config.get("padding", "valid") != "same":
        return [0, 0, 0, 0]
    around = []
    for side, edge, step in zip(chain.shape[:1:-1], size[::-1], stride[::-1], strict=True):
        missing = max((math.ceil(side / step) - 1) * step + edge - side, 0)
        around += [missing // 2, missing - missing // 2]
    return around


def _refuse_channels_first(config: Config) -> None:
    if config.get("data_format") == "channels_first" or config.get("dim_ordering") == "th":
        raise KerasError(
            "keeps the channels of images first, which is not read here. Export it to ONNX."
        )


def _pool(mean: bool) -> Callable[[_Chain, Config, list[Tensor]], None]:
    def read_pool(chain: _Chain, config: Config, _: list[Tensor]) -> None:
        _refuse_channels_first(config)
        size = _two(config.get("pool_size", 2))
        stride = _two(config.get("strides") or size)
        around = _around(chain, config, size, stride)
        layer = {"kind": "Pool", "size": size, "stride": stride, "padding": around, "mean": mean}
        chain.add(layer)

    return read_pool


def _global_pool(mean: bool) -> Callable[[_Chain, Config, list[Tensor]], None]:
    def read_pool(chain: _Chain, config: Config, _: list[Tensor]) -> None:
        chain.add({"kind": "GlobalPool", "mean": mean})
        if config.get("keepdims"):
            chain.add({"kind": "Reshape", "shape": [1, 1, chain.shape[1]]})

    return read_pool


def _normalisation(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) else axis
    if axis not in (-1, len(chain.shape) - 1) or len(chain.shape) == 3:
        raise KerasError("normalises batches over another axis than the channels'.")
    names = ["weight"] * bool(config.get("scale", True)) + ["bias"] * bool(
        config.get("center", True)
    )
    tensors = dict(zip([*names, "running_mean", "running_var"], arrays, strict=True))
    layer = {"kind": "BatchNorm", "channels": chain.shape[1], "images": len(chain.shape) == 4}
    chain.add({**layer, "eps": float(config.get("epsilon", EPSILON))}, **tensors)


def _affine(chain: _Chain, scale: Tensor, shift: Tensor) -> None:
    """Add numbers to multiply with and to add, of one shape."""
    chain.add({"kind": "Affine", "shape": list(scale.shape)}, scale=scale, shift=shift)


def _rescaling(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    scale, offset = float(config["scale"]), float(config.get("offset") or 0)
    _affine(chain, torch.tensor([scale]), torch.tensor([offset]))


def _standardising(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    if config.get("invert"):
        raise KerasError("undoes a normalisation, which is not read here. Export it to ONNX.")
    given = [config.get("mean"), config.get("variance")]
    tensors = arrays[:2] if None in given else [torch.tensor(values).float() for values in given]
    mean, variance = (_along(tensor, chain, config.get("axis", -1)) for tensor in tensors)
    deviation = variance.sqrt().clamp(min=1e-7)
    _affine(chain, 1 / deviation, -mean / deviation)


def _along(tensor: Tensor, chain: _Chain, axis: int | Sequence[int] | None) -> Tensor:
    """Numbers along axes as Keras counts them, in the shape that fits each of a batch here."""
    batch, first, *others = chain.shape
    images = len(others) == 2
    sizes = [batch, *others, first] if images else [batch, first, *others]
    kept = {place % len(sizes) for place in ([axis] if isinstance(axis, int) else axis or ())}
    shape = [size if place in kept else 1 for place, size in enumerate(sizes)]
    if tensor.numel() < math.prod(shape):
        tensor = tensor.expand([size for size in shape if size > 1])
    whole = tensor.reshape(shape)[0]
    return whole.permute(2, 0, 1) if images else whole


def _flatten(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    _refuse_channels_first(config)
    if len(chain.shape) > 2:
        chain.add({"kind": "Reshape", "shape": [-1]})


def _reshape(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    chain.add({"kind": "Reshape", "shape": [int(size) for size in config["target_shape"]]})


def _resizing(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    height, width = config.get("height"), config.get("width")
    if [height, width] == list(chain.shape[2:]):
        return
    linear = config.get("interpolation", "bilinear") == "bilinear"
    if not linear or height != width or not isinstance(height, int) or height < chain.shape[2]:
        raise KerasError(
            "makes pictures larger or smaller in a way that is not read here. Export it to ONNX."
        )
    chain.add({"kind": "Resize", "side": height})


def _padding(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    padding = config.get("padding", 1)
    padding = [padding] * 2 if isinstance(padding, int) else padding
    (top, bottom), (left, right) = ([p, p] if isinstance(p, int) else p for p in padding)
    chain.add({"kind": "ZeroPad2d", "padding": [left, right, top, bottom]})


def _relu(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    slope, most = config.get("negative_slope") or 0, config.get("max_value")
    if config.get("threshold") or most not in (None, 6) or (most and slope):
        raise KerasError("has a ReLU with a threshold, which is not read here. Export it to ONNX.")
    leaky = {"kind": "LeakyReLU", "negative_slope": float(slope)}
    chain.add({"kind": "ReLU6"} if most else leaky if slope else {"kind": "ReLU"})


def _leaky(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    slope: Any = config.get("negative_slope", config.get("alpha", 0.3))
    chain.add({"kind": "LeakyReLU", "negative_slope": float(slope)})


def _elu(chain: _Chain, config: Config, _: list[Tensor]) -> None:
    chain.add({"kind": "ELU", "alpha": float(config.get("alpha", 1.0))})


def _recurrent(cell: str) -> Callable[[_Chain, Config, list[Tensor]], None]:
    def read_recurrent(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
        _add_recurrent(chain, cell, config, [arrays])

    return read_recurrent


def _bidirectional(chain: _Chain, config: Config, arrays: list[Tensor]) -> None:
    inner = config["layer"]
    cell = _RECURRENT.get(inner["class_name"])
    if cell is None or config.get("merge_mode", "concat") != "concat":
        raise KerasError(
            "reads both ways with {cell}, joined by {joined}, which is not read here. Export it "
            "to ONNX.",
            cell=quoted(str(inner["class_name"])),
            joined=quoted(str(config.get("merge_mode"))),
        )
    half = len(arrays) // 2
    _add_recurrent(chain, cell, inner["config"], [arrays[:half], arrays[half:]])


_RECURRENT = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}


def _add_recurrent(chain: _Chain, cell: str, config: Config, ways: Sequence[list[Tensor]]) -> None:
    """Add a recurrent layer; only such as torch has, whose gates are sigmoids."""
    activation = config.get("activation", "tanh")
    usual = activation == "tanh" or (cell == "RNN" and activation == "relu")
    sigmoids = cell == "RNN" or config.get("recurrent_activation") == "sigmoid"
    reset_first = cell == "GRU" and not config.get("reset_after", False)
    if not usual or not sigmoids or reset_first or config.get("go_backwards"):
        raise KerasError(
            "has a {cell} of a kind that is not read here. Export it to ONNX.", cell=cell
        )
    tensors = {}
    for way, end in zip(ways, ("", "_reverse"), strict=False):
        kernel, recurrent, *bias = way
        _bias(config, bias)
        hidden = recurrent.shape[0]
        named = {"weight_ih": kernel.T, "weight_hh": recurrent.T}
        if bias:
            # A GRU of Keras has two rows of them, which torch has too; the others have one.
            both = (
                bias[0] if bias[0].ndim == 2 else torch.stack([bias[0], torch.zeros_like(bias[0])])
            )
            named |= {"bias_ih": both[0], "bias_hh": both[1]}
        for name, tensor in named.items():
            if cell == "GRU":  # update, reset, new; torch has reset, update, new
                update, reset, new = torch.split(tensor, hidden)
                tensor = torch.cat([reset, update, new])
            tensors[f"cell.{name}_l0{end}"] = tensor
    sequences = config.get("return_sequences", False)
    layer = {
        "kind": "Recurrent", "cell": cell, "inputs": ways[0][0].shape[0], "hidden": hidden,
        "depth": 1, "both_ways": len(ways) == 2, "bias": bool(bias),
        "gives": "all" if sequences else "ends" if len(ways) == 2 else "last",
    }  # fmt: skip
    if cell == "RNN":
        layer["activation"] = activation
    chain.add(layer, **tensors)


_READERS: Mapping[str, Callable[[_Chain, Config, list[Tensor]], None]] = {
    "Dense": _dense, "Conv2D": _convolution, "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable, "MaxPooling2D": _pool(False), "AveragePooling2D": _pool(True),
    "GlobalMaxPooling2D": _global_pool(False), "GlobalAveragePooling2D": _global_pool(True),
    "GlobalMaxPooling1D": _global_pool(False), "GlobalAveragePooling1D": _global_pool(True),
    "BatchNormalization": _normalisation, "Rescaling": _rescaling,
    "Normalization": _standardising, "Flatten": _flatten, "Reshape": _reshape,
    "Resizing": _resizing, "ZeroPadding2D": _padding, "ReLU": _relu, "LeakyReLU": _leaky,
    "ELU": _elu, "Bidirectional": _bidirectional,
    "Softmax": lambda chain, config, _: chain.activate("softmax"),
    "Activation": lambda chain, config, _: chain.activate(config.get("activation")),
} | {name: _recurrent(cell) for name, cell in _RECURRENT.items()}  # fmt: skip
