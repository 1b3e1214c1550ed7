"""Inside a network: what every layer makes of one image, unit by unit and step by step.

Nothing is left on a model that others are asking: what is watched is a twin, with the same tensors
in layers of its own.
"""

import copy
import math
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.analysis.explain import differentiable
from fmnist.data.splits import CLASSES
from fmnist.models import inference
from fmnist.models.chain import ACTIVATIONS, Affine, GlobalPool, Pool
from fmnist.models.layers import Classifier, Dropout, Standardize
from fmnist.models.residual import Residual
from fmnist.models.rnn import Reader
from fmnist.words import Words

Floats = NDArray[np.float32]
Place = tuple[int, int, int]
"""A unit by its map, row and column."""
How = Literal["sum", "max", "mean", "each", "added", "value"]

WITHOUT_A_LOOK = (
    nn.Sequential, nn.ModuleList, nn.Flatten, nn.Identity, nn.Dropout, nn.Dropout2d, Dropout
)  # fmt: skip
"""Layers that change no value of one image, and those that are only a row of others."""
EACH = (nn.BatchNorm1d, nn.BatchNorm2d, Standardize, Affine, *ACTIVATIONS.values())
"""Layers that make each value of the one at its place."""
MAXIMA = (nn.MaxPool2d, nn.AdaptiveMaxPool2d)
MEANS = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)


class Stage(NamedTuple):
    """A layer at work on one image: its name in the model, what it took and gave, each (1, …)."""

    name: str
    layer: nn.Module
    taken: Tensor
    given: Tensor

    @property
    def maps(self) -> Floats:
        """What it gave as maps (C, H, W); a vector is C of one unit, a sequence one of (T, D)."""
        return _maps(self.given)


class Origin(NamedTuple):
    """How the units of one map of a stage come about.

    how: the sum of the patch times the kernel, plus the bias; the greatest or the mean of the
    patch; of `each` place its own, or `added` to what a residual block found; or only the value
    taken: float32 (C, H, W), the maps that it looks at
    kernel: float32 (C, h, w), where it is a sum; else its last two sizes are those of the patch
    stride, before, dilation: down and across; `before` is how far the first patch begins outside
    """

    how: How
    taken: Floats
    kernel: Floats
    bias: float = 0.0
    stride: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)


class Reading(NamedTuple):
    """What a recurrent layer holds while it reads, float32 (T, H), one way: along rows or columns.

    layer: its number among the recurrent ones over rows, or over columns, from 1
    """

    layer: int
    backwards: bool
    columns: bool
    states: Floats


def twin(model: Classifier) -> Classifier:
    """The model with the same tensors in layers of its own: hooks on them are nobody else's."""
    shared: dict[int, Any] = {
        id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())
    }
    return copy.deepcopy(model, shared)


def stages(model: Classifier, image: NDArray[np.uint8]) -> list[Stage]:
    """Every layer at work on an image uint8 (28, 28), in the order in which they are done.

    Of a model that looks at the mirror image too, it is what it makes of the image itself.
    """
    found: dict[str, Stage] = {}

    def note(name: str, layer: nn.Module, taken: tuple[Tensor, ...], given: Any) -> None:
        found.setdefault(name, Stage(name, layer, taken[0], _tensor(given)))

    watched = twin(model)
    for name, layer in watched.named_modules():
        if name and not isinstance(layer, WITHOUT_A_LOOK):
            layer.register_forward_hook(partial(note, name))
    with torch.no_grad():
        watched(_pixels(model, image))
    return list(found.values())


def origin(stage: Stage, number: int, before: Stage | None = None) -> Origin:
    """How the units of the map of that number come about; `before` is the stage that fed this one.

    A linear layer reads the maps of that one as a kernel as large as they are would.
    """
    layer, taken = stage.layer, _maps(stage.taken)
    nothing = np.zeros((0, 1, 1), np.float32)
    if isinstance(layer, nn.Conv2d):
        return _of_convolution(layer, taken, number)
    if isinstance(layer, nn.Linear) and stage.taken.ndim == 2:
        shape = taken.shape
        if before is not None and before.maps.size == taken.size:
            shape = before.maps.shape
        bias = 0.0 if layer.bias is None else layer.bias[number].item()
        kernel = _numpy(layer.weight[number]).reshape(shape)
        return Origin("sum", taken.reshape(shape), kernel, bias)
    if isinstance(layer, Residual):
        return Origin("added", taken[number : number + 1], nothing)
    if isinstance(layer, EACH) and taken.shape == stage.maps.shape:
        return Origin("each", taken[number : number + 1], nothing)
    pooled = _of_pool(layer, taken[number : number + 1], stage.maps[number])
    return pooled or Origin("value", nothing, nothing)


def path(found: Sequence[Stage], label: int) -> dict[str, Place]:
    """From the answer back: in each stage the unit that speaks most for the one chosen after it.

    Which that is says the gradient of the one by what it took, times what it took. The way ends
    where a model picks a part of what a layer gave, as a recurrent one does with its last state.
    """
    way: dict[str, Place] = {}
    at, position = len(found) - 1, label
    while True:
        stage = found[at]
        way[stage.name] = _place(stage.given, position)
        strongest = _strongest(stage, position)
        if strongest is None:
            return way
        fed = _fed_by(found, at)
        if fed is None:
            if stage.taken.numel() == 28 * 28:
                way[""] = _place(stage.taken, strongest)  # the image itself
            return way
        at, position = fed, strongest


def fed_by(found: Sequence[Stage], name: str) -> Stage | None:
    """The stage whose values the one of that name took, if there is one."""
    at = next(number for number, stage in enumerate(found) if stage.name == name)
    before = _fed_by(found, at)
    return None if before is None else found[before]


def readings(found: Sequence[Stage]) -> list[Reading]:
    """The hidden state after each step, of each recurrent layer and way; none in other networks."""
    ways: list[Reading] = []
    numbers = {False: 0, True: 0}
    for at, stage in enumerate(found):
        if isinstance(stage.layer, nn.RNNBase):
            states, size = _maps(stage.given)[0], stage.layer.hidden_size
            columns = _reads_columns(found, at)
            numbers[columns] += 1
            for way in range(2 if stage.layer.bidirectional else 1):
                part = states[:, way * size : (way + 1) * size]
                ways.append(Reading(numbers[columns], bool(way), columns, part))
    return ways


def attention(found: Sequence[Stage]) -> dict[bool, Floats]:
    """How much each step counts, float32 (T,) of sum 1, for each reader that weighs its steps.

    By whether it reads columns.
    """
    by_name = {stage.name: stage for stage in found}
    return {
        _reads_columns(found, at): _numpy(
            by_name[f"{stage.name}.attention"].given.softmax(1)[0, :, 0]
        )
        for at, stage in enumerate(found)
        if isinstance(stage.layer, Reader)
    }


def after_each_step(
    model: Classifier, image: NDArray[np.uint8], from_end: bool = False
) -> Floats | None:
    """The logits (T, 10) of a recurrent model that has read only so many steps of an image.

    They are the first 1 to T steps, or the last 1 to T. None where there are no steps, or where
    the model can't answer before it has read all.
    """
    watched, reach = twin(model), 1
    cells = [layer for layer in watched.modules() if isinstance(layer, nn.RNNBase)]
    if not cells:
        return None
    steps = 0

    def shorten(layer: nn.Module, taken: tuple[Tensor, ...]) -> Tensor:
        nonlocal steps
        sequence = taken[0]
        steps = max(steps, sequence.shape[1])
        return sequence[:, -reach:] if from_end else sequence[:, :reach]

    for cell in cells:
        cell.register_forward_pre_hook(shorten)
    pixels, answers = _pixels(model, image), []
    with torch.no_grad():
        try:
            while True:
                answers.append(watched(pixels))
                if reach >= steps:
                    return _numpy(torch.cat(answers))
                reach += 1
        except RuntimeError:  # it has a weight for every step
            return None


def in_words(probabilities: Floats, from_end: bool) -> Words:
    """Since which step a reader has given its last answer, by probabilities (T, 10) after each."""
    said = probabilities.argmax(1)
    last, steps = CLASSES[said[-1]], len(said)
    others = np.flatnonzero(said != said[-1])
    way = Words("from the bottom") if from_end else Words("from the top")
    if not len(others):
        return Words(
            "Read {way}, it says {last} from the first of {steps} steps on.",
            way=way,
            last=last,
            steps=steps,
        )
    step = int(others[-1]) + 1
    return Words(
        "Read {way}, it still says {earlier} after step {step} of {steps}, and {last} from the "
        "next one on.",
        way=way,
        earlier=CLASSES[said[step - 1]],
        step=step,
        steps=steps,
        last=last,
    )


def _of_convolution(layer: nn.Conv2d, taken: Floats, number: int) -> Origin:
    kernel = _numpy(layer.weight[number])
    group = number // (layer.out_channels // layer.groups)
    seen = taken[group * len(kernel) : (group + 1) * len(kernel)]
    around = getattr(layer, "around", [])  # left, right, top, bottom
    top, left = (around[2], around[0]) if around else _pair(layer.padding)
    bias = 0.0 if layer.bias is None else layer.bias[number].item()
    return Origin(
        "sum", seen, kernel, bias, _pair(layer.stride), (top, left), _pair(layer.dilation)
    )


def _of_pool(layer: nn.Module, taken: Floats, given: Floats) -> Origin | None:
    """How a map (H, W) is pooled of one (1, h, w); None where the layer is no such pool."""
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        size, stride = _pair(layer.kernel_size), _pair(layer.stride)
        before = _pair(layer.padding)
        greatest = isinstance(layer, nn.MaxPool2d)
    elif isinstance(layer, Pool):
        size, stride = _pair(layer.size), _pair(layer.stride)
        before, greatest = (layer.padding[2], layer.padding[0]), not layer.mean
    elif isinstance(layer, (*MAXIMA, *MEANS, GlobalPool)) and given.size == 1:
        size = stride = _pair(taken.shape[1:])
        before, greatest = (0, 0), isinstance(layer, MAXIMA)
        greatest = greatest or (isinstance(layer, GlobalPool) and not layer.mean)
    else:
        return None
    patch = np.zeros((0, *size), np.float32)
    return Origin("max" if greatest else "mean", taken, patch, 0.0, stride, before)


def _strongest(stage: Stage, position: int) -> int | None:
    """The place, counted through, of what speaks most for a unit among what the stage took."""
    with differentiable(), torch.enable_grad():
        taken = stage.taken.detach().clone().requires_grad_()
        unit = _tensor(stage.layer(taken)).flatten()[position]
        (gradient,) = torch.autograd.grad(unit, taken)
    if not gradient.any():
        return None
    share = (gradient * taken.detach()).flatten()
    if share.max() <= 0:  # nothing speaks for it; what could
        share = gradient.abs().flatten()
    return int(share.argmax())


def _fed_by(found: Sequence[Stage], at: int) -> int | None:
    """Which stage before that one gave what it took: the last with those values, or as many."""
    taken = found[at].taken.flatten()
    alike = [n for n in range(at) if found[n].given.numel() == taken.numel()]
    same = [n for n in alike if torch.equal(found[n].given.flatten(), taken)]
    return max(same or alike, default=None)


def _reads_columns(found: Sequence[Stage], at: int) -> bool:
    """Whether what the stage takes, by way of others that read, is the picture laid on its side."""
    fed = _fed_by(found, at)
    if fed is None:
        return False
    given, taken = found[fed].given, found[at].taken
    if isinstance(found[fed].layer, nn.RNNBase):
        return _reads_columns(found, fed)
    if given.numel() != taken.numel() or taken.ndim != 3 or given.ndim != 4:
        return False
    rows = given.reshape(-1, given.shape[-1])
    return not torch.equal(rows, taken[0]) and torch.equal(rows.T, taken[0])


def _place(values: Tensor, position: int) -> Place:
    shape = _shape(values)
    number, row, column = (int(index) for index in np.unravel_index(position, shape))
    return number, row, column


def _shape(values: Tensor) -> tuple[int, int, int]:
    sizes = tuple(values.shape[1:])
    if len(sizes) == 3:
        return sizes
    if len(sizes) == 2:
        return (1, *sizes)
    return (math.prod(sizes), 1, 1)


def _maps(values: Tensor) -> Floats:
    return _numpy(values).reshape(_shape(values))


def _pair(sizes: Any) -> tuple[int, int]:
    down, across = (sizes, sizes) if isinstance(sizes, int) else sizes
    return down, across


def _tensor(output: Any) -> Tensor:
    """What a layer gives; a recurrent one gives its last state besides."""
    given: Tensor = output[0] if isinstance(output, tuple) else output
    return given


def _pixels(model: Classifier, image: NDArray[np.uint8]) -> Tensor:
    return torch.tensor(image, device=inference.device_of(model))[None, None].float() / 255


def _numpy(values: Tensor) -> Floats:
    array: Floats = values.detach().float().cpu().numpy()
    return array
