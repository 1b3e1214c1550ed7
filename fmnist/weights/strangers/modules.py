"""A whole pickled model as its pickle describes it: nothing it names is imported, nothing called.

Every class in the pickle becomes an empty one of the same name, so that what is left of a module is
its state: its tensors, its sizes and the modules in it. What happens between them stands in the
stranger's program alone.
"""

import inspect
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from fmnist.models.chain import ACTIVATIONS, LOGITS_OF, Layer, handed_on
from fmnist.models.layers import SIDE

Returned = TypeVar("Returned")
Convolved = tuple[int, int | Literal["same"], int]
"""Stride, padding on every side and dilation."""
_DTYPES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}  # fmt: skip
_MAGIC = 0x1950A86A20F9469CFC6C
"""What a file begins with that torch wrote before it wrote zips."""
_WRAPPERS = ("DataParallel", "DistributedDataParallel", "OptimizedModule")
_IDLE = ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "Identity",
         "LogSoftmax")  # fmt: skip
_HOLDERS = ("Sequential", "ModuleList", "ModuleDict")


class Whole(NamedTuple):
    """A pickled model: its tensors in the order of its modules, and what these say of themselves.

    `row` is its layers as if one followed the other in the order in which they were made, each with
    the name of the module that it is, if it is one; `certain` where no program can have another
    order. None where one is of an `unknown` kind. `convolved` is by the name of a convolution.
    """

    tensors: dict[str, Tensor]
    row: list[tuple[Layer, str | None]] | None = None
    certain: bool = False
    unknown: str = ""
    convolved: Mapping[str, Convolved] = MappingProxyType({})


class Inert:
    """An object of a class that the pickle names: its state and nothing else.

    To be made of it, an object must not be called for: that is how pickles run programs.
    """

    origin = ""

    def __init__(self, *_: object) -> None:
        raise pickle.UnpicklingError(f"{type(self).origin} would be called")

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
            state = state[1]  # of __slots__
        if isinstance(state, dict):
            self.__dict__.update({str(name): value for name, value in state.items()})

    def __setitem__(self, name: object, value: object) -> None:
        """Of a mapping of the stranger's own nothing is kept."""

    def extend(self, values: object) -> None:
        """Nor of a list."""

    @property
    def kind(self) -> str:
        """The name of a class of torch.nn; nothing for another."""
        module, _, name = type(self).origin.rpartition(".")
        return name if module.startswith("torch.nn.modules.") else ""


def _tensor(storage: Tensor, start: int, size: Sequence[int], stride: Sequence[int],
            *_: object) -> Tensor:  # fmt: skip
    return torch.as_strided(storage, tuple(size), tuple(stride), start)


def _first(value: Returned, *_: object) -> Returned:
    return value


def _path(*parts: str) -> str:
    return "/".join(parts)


def _bytes(text: str, encoding: str) -> bytes:
    """What older pickles have in place of bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


def _nothing(*_: object) -> dict[Any, Any]:
    return {}


# A numpy array is rebuilt from its type and its bytes, by functions that do nothing else. They have
# moved since, and a file names them where its numpy had them.
_REBUILT: Any = np.empty(0).__reduce__()[0]
_SCALAR: Any = np.float64(0).__reduce__()[0]
_FROM_BUFFER: Any = np.empty(1).__reduce_ex__(5)[0]
ARRAYS: Mapping[tuple[str, str], Any] = {
    **{(place, function.__name__): function for function in (_REBUILT, _SCALAR)
       for place in ("numpy.core.multiarray", "numpy._core.multiarray")},
    **{(place, _FROM_BUFFER.__name__): _FROM_BUFFER
       for place in ("numpy.core.numeric", "numpy._core.numeric")},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}  # fmt: skip
"""What rebuilds an array or a number of numpy, by the module and the name that files have."""
_FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    **ARRAYS,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("torch", "Size"): tuple,
    ("torch", "device"): str,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _nothing,
    ("_codecs", "encode"): _bytes,
    **{("pathlib", name): _path
       for name in ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")},
    **{(place, name): value for place in ("builtins", "__builtin__")
       for name, value in (("set", set), ("frozenset", frozenset), ("slice", slice))},
}  # fmt: skip


class _Unpickler(pickle.Unpickler):
    """Makes plain data, tensors and `Inert` objects; `storages` are by what the pickle calls them.

    Raises pickle.UnpicklingError where anything else would have to be called.
    """

    def __init__(self, file: io.BytesIO, storage: Callable[..., Tensor]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _FUNCTIONS:
            return _FUNCTIONS[module, name]
        return type("Inert", (Inert,), {"origin": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> Any:
        if pid[0] == "module":  # with its source, in the legacy format
            return pid[1]
        return self._storage(*pid[1:])


def unpickled(content: bytes) -> object:
    """What a pickle holds, of torch or of Python, plain data as it is and all else inert.

    Raises pickle.UnpicklingError for what would have to be called, and errors of many kinds for
    damaged bytes.
    """
    return _of_zip(content) if content.startswith(b"PK") else _legacy(content)


def whole(loaded: object) -> Whole | None:
    """The model in what was unpickled, by itself or among what a training saves; None without."""
    model = _model(loaded)
    if model is None:
        return None
    leaves = list(_leaves(model, ""))
    tensors = {
        f"{path}.{name}" if path else name: tensor
        for path, module in leaves
        for name, tensor in _own(module)
    }
    convolved = {
        path: known
        for path, module in leaves
        if module.kind == "Conv2d" and (known := _convolved(module))
    }
    certain = all(module.kind == "Sequential" for module in _holders(model))
    row = _row(leaves)
    unknown = "" if row else ", ".join(dict.fromkeys(_unknown(leaves)))
    return Whole(tensors, row, certain, unknown, convolved)


def _of_zip(content: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (pickled,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = pickled.removesuffix("data.pkl")

        def storage(kind: Any, key: str, *_: object) -> Tensor:
            return _numbers(bytearray(archive.read(f"{folder}data/{key}")), kind)

        return _Unpickler(io.BytesIO(archive.read(pickled)), storage).load()


def _legacy(content: bytes) -> object:
    """What a file holds that torch wrote before it wrote zips: five pickles, then the numbers.

    Of a file that begins otherwise, what its one pickle holds.
    """
    file = io.BytesIO(content)
    storages: dict[str, Tensor] = {}

    def storage(kind: Any, key: str, _: object, size: int, view: Any = None) -> Tensor:
        width = _dtype(kind).itemsize
        if not 0 <= size * width <= len(content):
            raise ValueError("more numbers than bytes")
        whole = storages.setdefault(key, _numbers(bytearray(size * width), kind))
        return whole if view is None else whole[view[1] : view[1] + view[2]]

    begun = _Unpickler(file, storage).load()
    if begun != _MAGIC:
        return begun
    for _ in range(2):  # the version of the format, and of the machine
        _Unpickler(file, storage).load()
    loaded = _Unpickler(file, storage).load()
    for key in _Unpickler(file, storage).load():
        (size,) = struct.unpack("<q", file.read(8))
        whole = storages[key]
        whole.copy_(
            torch.frombuffer(bytearray(file.read(size * whole.itemsize)), dtype=whole.dtype)
        )
    return loaded


def _dtype(kind: Any) -> torch.dtype:
    return _DTYPES[kind.origin.rpartition(".")[2]]


def _numbers(content: bytearray, kind: Any) -> Tensor:
    dtype = _dtype(kind)
    return torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)


def _model(loaded: object, depth: int = 3) -> Inert | None:
    """The outermost module with tensors, which a loss has not, out of what wraps it."""
    if isinstance(loaded, Inert):
        children = _children(loaded)
        if type(loaded).origin.endswith(_WRAPPERS) and depth:
            return _model(next(iter(children.values()), None), depth - 1)
        has_tensors = any(next(_own(leaf), None) for _, leaf in _leaves(loaded, ""))
        return loaded if "_modules" in vars(loaded) and has_tensors else None
    if isinstance(loaded, dict) and depth:
        found = (_model(value, depth - 1) for value in loaded.values())
        return next((model for model in found if model is not None), None)
    return None


def _children(module: Inert) -> dict[str, Inert]:
    children = vars(module).get("_modules")
    if not isinstance(children, dict):
        return {}
    return {str(name): child for name, child in children.items() if isinstance(child, Inert)}


def _leaves(module: Inert, path: str, depth: int = 16) -> Iterator[tuple[str, Inert]]:
    """The modules without modules in them, and those with tensors of their own, in their order."""
    children = _children(module)
    if depth and (not children or next(_own(module), None)):
        yield path, module
    for name, child in children.items() if depth else ():
        yield from _leaves(child, f"{path}.{name}" if path else name, depth - 1)


def _holders(module: Inert, depth: int = 16) -> Iterator[Inert]:
    if children := _children(module):
        yield module
    for child in children.values() if depth else ():
        yield from _holders(child, depth - 1)


def _own(module: Inert) -> Iterator[tuple[str, Tensor]]:
    for tensors in ("_parameters", "_buffers"):
        values = vars(module).get(tensors)
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, Tensor):
                yield str(name), value.detach()


def _convolved(module: Inert) -> Convolved | None:
    """What is known of a convolution; None where it differs from side to side."""
    names = ("stride", "padding", "dilation")
    stride, padding, dilation = (_even(vars(module).get(name)) for name in names)
    padding = {"valid": 0}.get(padding, padding) if isinstance(padding, str) else padding
    if not all(isinstance(one, int) and 0 < one <= SIDE for one in (stride, dilation)):
        return None
    if padding == "same" or (isinstance(padding, int) and 0 <= padding <= SIDE):
        return stride, padding, dilation
    return None


def _even(sides: Any) -> Any:
    """What is the same on all sides, as one; None where it isn't."""
    if isinstance(sides, list | tuple):
        return sides[0] if sides and all(side == sides[0] for side in sides) else None
    return sides


# As layers of a chain


def _row(leaves: Sequence[tuple[str, Inert]]) -> list[tuple[Layer, str | None]] | None:
    row: list[tuple[Layer, str | None]] = []
    shape: tuple[int, ...] = (1, 1, SIDE, SIDE)
    try:
        for path, module in leaves:
            layers = list(_layers(module, shape))
            for layer in layers:
                shape = handed_on(layer, shape)
            row += [(layer, path if layer is layers[-1] else None) for layer in layers]
    except (LookupError, AttributeError, TypeError, ValueError):  # states can hold anything
        return None
    if row and (end := row[-1][0]["kind"]) in LOGITS_OF:
        logits, (_, ended) = LOGITS_OF[end], row.pop()
        row += [({"kind": logits}, ended)] if logits else []
    return row if shape == (1, 10) else None


def _unknown(leaves: Sequence[tuple[str, Inert]]) -> Iterator[str]:
    """The kinds of modules that have tensors and are no layers here."""
    for _, module in leaves:
        if module.kind not in _TRANSLATED and next(_own(module), None):
            yield type(module).origin.rpartition(".")[2]


def _layers(module: Any, shape: Sequence[int]) -> Iterator[Layer]:
    """A module as a layer, behind those that a program does the work of between two modules.

    These make of values of a shape what the module takes. LookupError for an unknown kind.
    """
    kind = module.kind
    loss = type(module).origin.startswith("torch.nn.modules.loss.")
    if loss or kind in _IDLE or (kind in _HOLDERS and not _children(module)):
        return
    images = len(shape) == 4
    if images and kind in ("Linear", "BatchNorm1d"):
        yield {"kind": "Flatten"}
    if kind == "Conv2d" and module.in_channels == 3 and shape[1] == 1:
        yield {"kind": "Repeat", "channels": 3}
    yield {"kind": kind} | _TRANSLATED[kind](module)


def _linear(module: Any) -> dict[str, Any]:
    return {
        "in_features": module.in_features,
        "out_features": module.out_features,
        "bias": "bias" in dict(_own(module)),
    }


def _convolution(module: Any) -> dict[str, Any]:
    if module.padding_mode != "zeros":
        raise LookupError
    size, (down, right) = _pair(module.kernel_size), _pair(module.padding)
    if module.padding == "same":
        missing = [
            dilation * (edge - 1)
            for dilation, edge in zip(_pair(module.dilation), size, strict=True)
        ]
        around = [*_halves(missing[1]), *_halves(missing[0])]
    else:
        around = [right, right, down, down]
    return {
        "inputs": module.in_channels,
        "outputs": module.out_channels,
        "size": size,
        "stride": _pair(module.stride),
        "padding": around,
        "groups": module.groups,
        "dilation": _pair(module.dilation),
        "bias": "bias" in dict(_own(module)),
    }


def _halves(pixels: int) -> list[int]:
    return [pixels // 2, pixels - pixels // 2]


def _pair(value: Any) -> list[int]:
    if isinstance(value, str):
        return [0, 0] if value in ("valid", "same") else [-1, -1]
    return list(value) if isinstance(value, list | tuple) else [value, value]


def _norm(images: bool, module: Any) -> dict[str, Any]:
    if not {"running_mean", "running_var"} <= dict(_own(module)).keys():
        raise LookupError
    return {"kind": "BatchNorm", "channels": module.num_features, "images": images,
            "eps": module.eps}  # fmt: skip


def _pool(mean: bool, module: Any) -> dict[str, Any]:
    size, (down, right) = _pair(module.kernel_size), _pair(module.padding)
    counted = mean and (down or right) and module.count_include_pad
    other = vars(module).get("divisor_override") if mean else _even(module.dilation) != 1
    if module.ceil_mode or counted or other:
        raise LookupError
    stride = size if module.stride is None else _pair(module.stride)
    return {"kind": "Pool", "size": size, "stride": stride, "padding": [right, right, down, down],
            "mean": mean}  # fmt: skip


def _adaptive(mean: bool, module: Any) -> dict[str, Any]:
    if _even(module.output_size) == 1:
        return {"kind": "GlobalPool", "mean": mean}
    if not mean:
        raise LookupError
    return {"kind": "AdaptivePool", "output_size": module.output_size}


def _flatten(module: Any) -> dict[str, Any]:
    if (module.start_dim, module.end_dim) != (1, -1):
        raise LookupError
    return {}


def _layer_norm(module: Any) -> dict[str, Any]:
    size = list(module.normalized_shape)
    return {"normalized_shape": size, "eps": module.eps,
            "elementwise_affine": module.elementwise_affine,
            "bias": "bias" in dict(_own(module))}  # fmt: skip


def _activation(kind: str, module: Any) -> dict[str, Any]:
    """Its options, which a module keeps by the names that its class takes them by."""
    taken = inspect.signature(ACTIVATIONS[kind]).parameters.keys() - {"inplace"}
    return {name: value for name, value in vars(module).items() if name in taken}


_TRANSLATED: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    **{kind: partial(_activation, kind) for kind in ACTIVATIONS},
    "Linear": _linear,
    "Conv2d": _convolution,
    "BatchNorm1d": partial(_norm, False),
    "BatchNorm2d": partial(_norm, True),
    "MaxPool2d": partial(_pool, False),
    "AvgPool2d": partial(_pool, True),
    "AdaptiveMaxPool2d": partial(_adaptive, False),
    "AdaptiveAvgPool2d": partial(_adaptive, True),
    "Flatten": _flatten,
    "ZeroPad2d": lambda module: {"padding": list(module.padding)},
    "LayerNorm": _layer_norm,
}
