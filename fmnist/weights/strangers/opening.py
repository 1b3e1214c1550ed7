"""Models that others made: opened without running anything of theirs, and read as they read pixels.

A stranger's weights become a plain model of the registry: how it wants its pixels is nothing but
the mean and the standard deviation of `Standardize`, the first layer. What few bytes can make large
or endless, a pickle or a graph, is opened in quarantine first.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import fashion, splits
from fmnist.data.fashion import DataError
from fmnist.data.splits import Split
from fmnist.models import MODELS, inference
from fmnist.models.inference import BATCH
from fmnist.models.layers import TRAIN_MEAN, TRAIN_STD, Classifier
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers.formats import (
    ASIDE,
    PICKLES,
    SUFFIXES,
    check_size,
    in_quarantine,
    quoted,
    shapes_of,
    tensors_of,
)
from fmnist.weights.strangers.onnx import OnnxError, OnnxModel

_UPRIGHT = {
    "0..1": (0.0, 1.0),
    "0..255": (0.0, 1 / 255),
    "standardised": (TRAIN_MEAN, TRAIN_STD),
    "-1..1": (0.5, 0.5),
}
READINGS = _UPRIGHT | {
    f"{name}, dark on white": (1 - mean, -std) for name, (mean, std) in _UPRIGHT.items()
}
"""Every way to read pixels that is tried, with the mean and the standard deviation that do it."""
ASSUMED = ", which is assumed (it takes the real dataset to find out)"
TRIED_ON = 1000
AS_GOOD = 0.01
"""A difference in accuracy that says little on so few images."""


class Opened(NamedTuple):
    """A model on the CPU, its architecture in the registry, and its way to read pixels.

    No architecture: an ONNX graph. No reading: a file of our own, which has it inside.
    """

    model: Classifier
    architecture: str | None
    reads: str | None


class _Fit(NamedTuple):
    """A model's tensors by name with the file's names for them; what lacks and what is left."""

    names: dict[str, str]
    missing: list[str]
    surplus: list[str]


class _Trial(NamedTuple):
    """How a model with a reading did on `TRIED_ON` images."""

    accuracy: float
    loss: float
    opened: Opened


def open_file(content: bytes, filename: str, reads: str | None = None) -> Opened:
    """The model in a file's content; nothing in the file is ever executed.

    `reads` is how an ONNX model reads pixels where that is known; else it is found out. Raises
    WeightsError for what is no model of Fashion-MNIST.
    """
    check_size(len(content), filename)
    suffix = Path(filename).suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightsError(f"{filename} is no weights file: those end in {', '.join(SUFFIXES)}.")
    try:
        if suffix == ".onnx":
            opened = _from_onnx(content, filename, reads)
        else:
            tensors, architecture = tensors_of(content, filename)
            opened = _from_state_dict(tensors, architecture, filename)
        _probe(opened.model, filename)
    except OnnxError as error:
        raise WeightsError(f"{filename} {error}") from None
    return opened


def _probe(model: Classifier, filename: str) -> None:
    """Raise WeightsError where a blank picture, or one among many, has no finite answer."""
    noise = np.random.default_rng(0).integers(0, 256, (BATCH, 28, 28), np.uint8)
    noise[0] = 0
    # To a model of the registry a batch is as good as another; every start loads many of them.
    for count in (1, 16, len(noise)) if model.opaque else (16,):
        answers = inference.infer(model, noise[:count], torch.device("cpu"))
        if not np.isfinite(answers).all():
            raise _not_finite(filename)


def _from_onnx(content: bytes, filename: str, reads: str | None) -> Opened:
    known = reads.removesuffix(ASSUMED) if reads else None
    if known in READINGS:  # so it has been opened before
        model = OnnxModel(content)
        _read_as(model, known)
        return Opened(model, None, reads)
    in_quarantine(_try_graph, content, filename)
    model = OnnxModel(content)
    ways = [name for name in READINGS if name.startswith("0..255") or not model.whole_numbers]
    return _find_reading([(None, model)], ways, filename)


def _try_graph(content: bytes, filename: str) -> None:
    _probe(OnnxModel(content), filename)


def _from_state_dict(
    tensors: Mapping[str, Tensor], architecture: str | None, filename: str
) -> Opened:
    """The model of a state dict; one of our own is of the architecture that its file names."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for known in sorted(MODELS, key=lambda name: name != architecture):
        if shapes_of(known) == shapes:
            own = _filled(known, {name: name for name in shapes}, tensors, filename)
            return Opened(own, known, None)
    models = [
        (fitting, _filled(fitting, names, tensors, filename))
        for fitting, names in _assignments(shapes, filename)
    ]
    return _find_reading(models, list(READINGS), filename)


def _find_reading(
    models: Sequence[tuple[str | None, Classifier]], readings: Sequence[str], filename: str
) -> Opened:
    """The model and the reading that do best on validation; without the dataset, the first."""
    split = _validation()
    if split is None:
        (architecture, model), *_ = models
        _read_as(model, readings[0])
        return Opened(model, architecture, readings[0] + ASSUMED)
    trials = []
    for architecture, model in models:
        for reads in readings:
            _read_as(model, reads)
            logits = inference.infer(model, split.images, torch.device("cpu"))
            if np.isfinite(logits).all():
                e = Evaluation(filename, logits, split.labels)
                found = Opened(model, architecture, reads)
                trials.append(_Trial(evaluation.accuracy(e), evaluation.loss(e), found))
    if not trials:
        raise _not_finite(filename)
    best = max(trial.accuracy for trial in trials)
    # Shown pixels 255 times too bright, many a network names as many right, but is far too sure.
    found = min((t for t in trials if t.accuracy > best - AS_GOOD), key=lambda t: t.loss).opened
    _read_as(found.model, str(found.reads))
    return found


def _validation() -> Split | None:
    if not fashion.available():
        return None
    try:
        return splits.load("validation", "real", TRIED_ON)
    except DataError:
        return None


def _read_as(model: Classifier, reads: str) -> None:
    mean, std = READINGS[reads]
    model.standardize.load_state_dict({"mean": torch.tensor(mean), "std": torch.tensor(std)})


def _not_finite(filename: str) -> WeightsError:
    return WeightsError(f"{filename} answers pictures with values that are not finite numbers.")


def _assignments(
    shapes: Mapping[str, tuple[int, ...]], filename: str
) -> list[tuple[str, dict[str, str]]]:
    """The architectures that a file's tensors fill, with the model's names and the file's for them.

    One may be there twice, filled in two ways; the likeliest comes first.
    """
    by_order, fits = (
        {architecture: _fit(shapes_of(architecture), shapes, by_name) for architecture in MODELS}
        for by_name in (False, True)
    )
    # A pickle keeps the order of the layers; a safetensors file keeps none, and names tell more.
    likelier = (by_order, fits) if filename.lower().endswith(PICKLES) else (fits, by_order)
    filled = [
        (architecture, fit.names)
        for way in likelier
        for architecture, fit in way.items()
        if not fit.missing + fit.surplus
    ]
    if filled:
        return [way for place, way in enumerate(filled) if way not in filled[:place]]
    closest = min(fits, key=lambda name: len(fits[name].missing + fits[name].surplus))
    _, missing, surplus = fits[closest]
    theirs = f"{quoted(surplus[0])} {shapes[surplus[0]]}" if surplus else ""
    if missing:
        wanted = f"whose {missing[0]} is {shapes_of(closest)[missing[0]]}; "
        wanted += f"the file has {theirs} instead" if surplus else "the file has none like it"
    else:
        wanted = f"which has no place for {theirs}"
    raise WeightsError(f"{filename} fits no architecture here. The closest is {closest}, {wanted}.")


def _fit(
    wanted: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]], by_name: bool
) -> _Fit:
    """Tensors by their shapes; among those of one shape, the order in the file is the model's.

    But by name, a vector belongs with the matrix before it: of those that have its shape, it is the
    one whose name has most in common with that matrix's, and ends as the model's does. A
    safetensors file keeps no order, and in that of the names the parts of one kind may come apart.
    """
    waiting = defaultdict(list)
    for name, shape in given.items():
        if shape or not ASIDE.fullmatch(name):
            waiting[shape].append(name)
    names, missing, matrix = {}, [], ""
    for name, shape in wanted.items():
        if ASIDE.fullmatch(name):
            continue
        if not waiting[shape]:
            missing.append(name)
            continue
        names[name] = waiting[shape][0]
        if len(shape) > 1:
            matrix = names[name]
        elif by_name:
            leaf = name.rpartition(".")[2]
            names[name] = max(
                waiting[shape],
                key=lambda other: (_in_common(other, matrix), other.rpartition(".")[2] == leaf),
            )
        waiting[shape].remove(names[name])
    left = {name for names in waiting.values() for name in names}
    return _Fit(names, missing, [name for name in given if name in left])


def _in_common(name: str, other: str) -> int:
    """How many parts of a name, from the first on, are those of another."""
    same = (a == b for a, b in zip(name.split("."), other.split("."), strict=False))
    return sum(itertools.takewhile(bool, same))


def _filled(
    architecture: str, names: Mapping[str, str], tensors: Mapping[str, Tensor], filename: str
) -> Classifier:
    """The architecture with the file's tensors, by the model's names with the file's for them."""
    for name in names.values():
        if not tensors[name].float().isfinite().all():
            raise WeightsError(
                f"{filename}: {quoted(name)} holds values that are not finite numbers."
            )
    model = MODELS[architecture].build()
    # What a stranger's file lacks then is what `_ASIDE` leaves out.
    model.load_state_dict({ours: tensors[theirs] for ours, theirs in names.items()}, strict=False)
    return model.eval()
