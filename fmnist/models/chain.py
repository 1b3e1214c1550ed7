"""Layers in a row, as plain data: the network of whoever wrote it, with no class of its own."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import gt
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fmnist.models.layers import (
    SIDE,
    BatchNorm1d,
    BatchNorm2d,
    Classifier,
    Dropout,
    Standardize,
)
from fmnist.models.residual import Residual

Layer = dict[str, Any]
"""A layer as JSON: its `kind`, a key of `KINDS`, and what that needs to be built."""
MOST_LAYERS = 200
MOST_DEPTH = 8
"""How many recurrent layers may lie on each other."""
MOST_SIDE = 256
"""The longest edge that images are made to have."""
MOST_VALUES = 2**22
"""The most values that a layer may hand on, or read with its padding, for one image."""
MOST_NUMBERS = 2**24
"""The most numbers that all layers may have."""
MOST_WORK = 10**9
"""The most multiplications that one image may take."""


class Reshape(nn.Module):
    """Values (N, …) to (N, *shape), both counted with the channels last, as Keras keeps images.

    Images are (N, C, H, W) before and after all the same: three sizes are those of an image.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, values: Tensor) -> Tensor:
        if values.ndim == 4:
            values = values.permute(0, 2, 3, 1)
        values = values.reshape(values.shape[0], *self.shape)
        return values.permute(0, 3, 1, 2) if values.ndim == 4 else values


class Repeat(nn.Module):
    """Grey (N, 1, H, W) in every one of `channels`: (N, channels, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, images: Tensor) -> Tensor:
        return images.expand(-1, self.channels, -1, -1)


class Resize(nn.Module):
    """Images (N, C, H, W) made (N, C, side, side), larger by linear interpolation."""

    def __init__(self, side: int) -> None:
        super().__init__()
        if not SIDE <= side <= MOST_SIDE:
            raise ValueError(f"a side of {side}")
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.interpolate(images, (self.side, self.side), mode="bilinear")


class Border(nn.Module):
    """Images (N, C, H, W) in the middle of a square (N, C, side, side) of what black is to them."""

    black: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        if not SIDE <= side <= MOST_SIDE:
            raise ValueError(f"a side of {side}")
        self.side = side
        self.register_buffer("black", torch.tensor(0.0))

    def forward(self, images: Tensor) -> Tensor:
        height, width = (self.side - edge for edge in images.shape[2:])
        around = [width // 2, width - width // 2, height // 2, height - height // 2]
        return nn.functional.pad(images - self.black, around) + self.black


class Columns(nn.Module):
    """Images (N, C, H, W) with their columns as rows: (N, C, W, H)."""

    def forward(self, images: Tensor) -> Tensor:
        return images.transpose(2, 3)


class Affine(nn.Module):
    """Values times a scale plus a shift, buffers of one shape, such as (C, 1, 1)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(tuple(shape)))
        self.register_buffer("shift", torch.zeros(tuple(shape)))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.scale + self.shift


class Pool(nn.Module):
    """The greatest or the mean of each window of images; what pads them never counts.

    `padding` is left, right, top, bottom.
    """

    def __init__(
        self, size: Sequence[int], stride: Sequence[int], padding: Sequence[int], mean: bool
    ) -> None:
        super().__init__()
        self.size, self.stride, self.padding = tuple(size), tuple(stride), list(padding)
        self.mean = mean

    def extra_repr(self) -> str:
        return f"{'mean' if self.mean else 'max'} of {self.size}, stride={self.stride}"

    def forward(self, images: Tensor) -> Tensor:
        if not self.mean:
            if any(self.padding):
                images = nn.functional.pad(images, self.padding, value=-math.inf)
            return nn.functional.max_pool2d(images, self.size, self.stride)
        if not any(self.padding):
            return nn.functional.avg_pool2d(images, self.size, self.stride)
        inside = nn.functional.pad(torch.ones_like(images[:1, :1]), self.padding)
        images = nn.functional.pad(images, self.padding)
        share = nn.functional.avg_pool2d(inside, self.size, self.stride)
        return nn.functional.avg_pool2d(images, self.size, self.stride) / share


class Convolution(nn.Conv2d):
    """A convolution whose `padding` with zeros is left, right, top, bottom."""

    def __init__(
        self, inputs: int, outputs: int, size: Sequence[int], stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0), groups: int = 1, dilation: Sequence[int] = (1, 1),
        bias: bool = True,
    ) -> None:  # fmt: skip
        (height, width), (down, right), (lower, wider) = size, stride, dilation
        left, fore, top, bottom = padding
        even = left == fore and top == bottom
        super().__init__(
            inputs, outputs, (height, width), (down, right), (top, left) if even else 0,
            (lower, wider), groups, bias,
        )  # fmt: skip
        self.around = [] if even else list(padding)

    def extra_repr(self) -> str:
        text: str = super().extra_repr()  # type: ignore[no-untyped-call]
        return text + (f", around={self.around}" if self.around else "")

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(images, self.around) if self.around else images)


class GlobalPool(nn.Module):
    """The greatest or the mean of each channel: (N, C, H, W) or (N, T, D) to (N, C) or (N, D)."""

    def __init__(self, mean: bool) -> None:
        super().__init__()
        self.mean = mean

    def forward(self, values: Tensor) -> Tensor:
        axes = (2, 3) if values.ndim == 4 else (1,)
        return values.mean(axes) if self.mean else values.amax(axes)


class Recurrent(nn.Module):
    """An LSTM, GRU or RNN over a sequence (N, T, D); `gives` says what it hands on of its states.

    All of them (N, T, H), the last (N, H), the mean or the greatest of each (N, H), or, where it
    reads both ways, the ends: the last state of each way.
    """

    def __init__(
        self, cell: str, inputs: int, hidden: int, depth: int, both_ways: bool, gives: str,
        bias: bool = True, activation: str = "tanh",
    ) -> None:  # fmt: skip
        super().__init__()
        if not 0 < depth <= MOST_DEPTH:
            raise ValueError(f"{depth} layers")
        options: dict[str, Any] = {"nonlinearity": activation} if cell == "RNN" else {}
        self.cell: nn.RNNBase = _CELLS[cell](
            inputs, hidden, depth, bias=bias, batch_first=True, bidirectional=both_ways, **options
        )
        self.hidden, self.gives = hidden, _one_of(gives, ("all", "last", "mean", "max", "ends"))

    def forward(self, sequence: Tensor) -> Tensor:
        states: Tensor = self.cell(sequence)[0]
        if self.gives == "last":
            return states[:, -1]
        if self.gives == "mean":
            return states.mean(1)
        if self.gives == "max":
            return states.amax(1)
        if self.gives == "ends":
            return torch.cat([states[:, -1, : self.hidden], states[:, 0, self.hidden :]], 1)
        return states


_CELLS: Mapping[str, Callable[..., nn.RNNBase]] = {
    "LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN,
}  # fmt: skip


def _one_of(word: str, words: Sequence[str]) -> str:
    if word not in words:
        raise ValueError(f"{word!r} is none of {words}")
    return word


def _norm(channels: int, images: bool, eps: float = 1e-5) -> nn.Module:
    return BatchNorm2d(channels, eps) if images else BatchNorm1d(channels, eps)


ACTIVATIONS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {
        "ReLU": nn.ReLU, "LeakyReLU": nn.LeakyReLU, "ELU": nn.ELU, "GELU": nn.GELU,
        "Tanh": nn.Tanh, "SiLU": nn.SiLU, "Sigmoid": nn.Sigmoid, "SELU": nn.SELU,
        "Softplus": nn.Softplus, "Softsign": nn.Softsign, "ReLU6": nn.ReLU6, "Mish": nn.Mish,
        "Hardsigmoid": nn.Hardsigmoid, "Hardswish": nn.Hardswish, "Hardtanh": nn.Hardtanh,
        "CELU": nn.CELU, "LogSigmoid": nn.LogSigmoid, "PReLU": nn.PReLU,
        "Softmax": nn.Softmax, "LogSoftmax": nn.LogSoftmax,
    }
)  # fmt: skip
LOGITS_OF: Mapping[str, str | None] = MappingProxyType(
    {"Softmax": None, "LogSoftmax": None, "Sigmoid": "LogSigmoid"}
)
"""By an activation that ends a network in probabilities, what ends it in their logits."""
KINDS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    dict(ACTIVATIONS)
    | {
        "Linear": nn.Linear, "Conv2d": Convolution, "BatchNorm": _norm, "Pool": Pool,
        "GlobalPool": GlobalPool, "AdaptivePool": nn.AdaptiveAvgPool2d, "Flatten": nn.Flatten,
        "Reshape": Reshape, "Repeat": Repeat, "Resize": Resize, "Border": Border,
        "Columns": Columns, "Affine": Affine, "Recurrent": Recurrent, "ZeroPad2d": nn.ZeroPad2d,
        "LayerNorm": nn.LayerNorm, "Dropout": Dropout, "Residual": Residual,
    }
)  # fmt: skip
"""Every kind of layer; the rest of a `Layer` are the arguments of what builds it."""


class Chain(Classifier):
    """The layers of a list, one after the other, in the form that every model here has.

    The last linear layer and what follows it are the head; where there is none, all are the body.
    With `tensors`, those of each layer by their names in it, it has these, not copied where they
    are float32 and no filters; normalisation may lack a weight and a bias, which then change
    nothing. Raises ValueError for a list that makes no classifier of 28x28 images, or one that
    takes far more room or work than any network here, and for tensors that don't fill it.
    """

    def __init__(
        self, layers: Sequence[Layer], tensors: Sequence[Mapping[str, Tensor]] | None = None
    ) -> None:
        super().__init__()
        self.layers = [dict(layer) for layer in layers]
        self.work = work(self.layers)
        """The multiplications that one image takes, about."""
        with torch.device("cpu" if tensors is None else "meta"):
            modules = [built(layer) for layer in self.layers]
        if tensors is not None:
            for module, values in zip(modules, tensors, strict=True):
                _fill(module, values)
        kinds = [layer["kind"] for layer in self.layers]
        head = len(kinds)
        while head and kinds[head - 1] in ACTIVATIONS:
            head -= 1
        head = head - 1 if head and kinds[head - 1] == "Linear" else len(kinds)
        self.standardize = Standardize()
        self.body, self.head = nn.Sequential(*modules[:head]), nn.Sequential(*modules[head:])
        self.to(memory_format=torch.channels_last)  # as every network here, see ModelSpec.build

    def remarks(self, architecture: str | None) -> dict[str, str]:
        return {"layers": json.dumps(self.layers)}


def built(layer: Layer) -> nn.Module:
    """The module of a layer; raises ValueError where there is none such."""
    options = {name: value for name, value in layer.items() if name != "kind"}
    try:
        return KINDS[layer["kind"]](**options)
    except Exception as error:  # torch's own are of many kinds
        raise ValueError(f"{layer} is no layer") from error


def handed_on(layer: Layer, shape: Sequence[int]) -> tuple[int, ...]:
    """The shape that a layer makes of one, by no computing; raises ValueError if it can't."""
    return _measured(json.dumps(layer), tuple(shape))[0]


class _Measured(NamedTuple):
    """What a layer makes of a shape, how many numbers it has, and how many values it pads to."""

    shape: tuple[int, ...]
    numbers: int
    padded: int


@lru_cache(2**12)  # of the ways to wire a network, most have most layers in common
def _measured(text: str, shape: tuple[int, ...]) -> _Measured:
    """What a layer, as JSON, makes of a shape."""
    with torch.device("meta"):
        layer = built(json.loads(text)).eval()
    try:
        after = tuple(layer(torch.empty(shape, device="meta")).shape)
    except Exception as error:  # torch's own are of many kinds
        raise ValueError(f"{text} takes no {shape}") from error
    numbers = sum(tensor.numel() for tensor in layer.state_dict().values())
    return _Measured(after, numbers, _padded(layer, shape))


def _padded(layer: nn.Module, shape: Sequence[int]) -> int:
    """How many values a layer reads with what it pads them with, which it may make room for."""
    if isinstance(layer, Convolution):
        down, right = map(int, layer.padding)
        around = layer.around or [right, right, down, down]
    elif isinstance(layer, Pool):
        around = layer.padding
    else:
        return 0
    left, fore, top, bottom = around
    channels, height, width = shape[-3:]
    return channels * (height + top + bottom) * (width + left + fore)


def work(layers: Sequence[Layer]) -> int:
    """The multiplications that one image takes, about; nothing is computed or allocated for it.

    Raises ValueError for what is no classifier, or takes more than any network here.
    """
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"{len(layers)} layers are more than {MOST_LAYERS}")
    shape: tuple[int, ...] = (1, 1, SIDE, SIDE)
    multiplications = numbers = 0
    for layer in layers:
        before = shape
        shape, weights, padded = _measured(json.dumps(layer), before)
        # A filter is at work at every place, a recurrent cell at every step, and a linear layer
        # wherever there is a row of values.
        if layer["kind"] == "Linear":
            places = math.prod(before[1:-1])
        elif "hidden" in layer:
            places = before[1]
        else:
            places = math.prod(shape[2:]) if len(shape) == 4 else 1
        numbers += weights
        multiplications += weights * places + math.prod(shape)
        values = max(math.prod(shape), padded)
        greatest = (MOST_VALUES, MOST_NUMBERS, MOST_WORK)
        if any(map(gt, (values, numbers, multiplications), greatest)):
            raise ValueError(f"{layer} takes more than any network here")
    if shape != (1, 10):
        raise ValueError(f"{shape} is no answer to one image")
    return multiplications


def _fill(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Give a module on the device meta its tensors; raises ValueError where they aren't those."""
    given = {name: tensor.float() for name, tensor in values.items()}
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        ones = torch.ones(module.num_features)
        given = {"weight": ones, "bias": 0 * ones} | given
        given["num_batches_tracked"] = torch.tensor(0)
    try:
        module.load_state_dict(given, assign=True)
    except RuntimeError as error:
        raise ValueError(f"{sorted(values)} are not what {module} needs") from error
