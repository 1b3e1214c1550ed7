"""Models that others made: opened without running anything of theirs, and read as they read pixels.

A stranger's weights become a model of the registry or a chain of layers: how it wants its pixels is
nothing but the mean and the standard deviation of `Standardize`, the first layer. What few bytes
can make large or endless, such as a pickle or a graph, is opened in quarantine first.
"""

import contextlib
import copy
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fmnist.analysis.evaluation import Evaluation
from fmnist.models import MODELS, inference
from fmnist.models.chain import ACTIVATIONS, Chain, Layer
from fmnist.models.ensemble import Ensemble
from fmnist.models.inference import BATCH, ProgressCallback
from fmnist.models.layers import SIDE, Classifier
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import (
    flax,
    formats,
    keras,
    npz,
    outside,
    pickles,
    stacks,
    tables,
    trials,
)
from fmnist.weights.strangers.formats import ASIDE, in_quarantine, quoted, shapes_of
from fmnist.weights.strangers.graphs import Graph, GraphError
from fmnist.weights.strangers.modules import Convolved, Whole
from fmnist.weights.strangers.onnx import OnnxModel, keeps_outside
from fmnist.weights.strangers.pairs import paired
from fmnist.weights.strangers.stacks import Geometry, Stack, StackError, Style
from fmnist.weights.strangers.tflite import TfliteModel
from fmnist.weights.strangers.trials import READINGS, Candidate
from fmnist.words import Words, listed

MOST_STYLED = 6
"""How many geometries of a stack are looked at in several styles from the first."""
_BYTEWISE = tuple(name for name in READINGS if name.startswith("0..255"))


def assumed(reads: str) -> Words:
    """A reading that nothing has shown."""
    return Words(
        "{reading}, which is assumed (it takes the real dataset to find out)", reading=reads
    )


ASSUMED = assumed("")


def in_border(reads: str) -> Words:
    """A reading of the pixels of pictures that were put in a border."""
    return Words("{reading}, in a black border", reading=reads)


BORDERED = in_border("")


class Opened(NamedTuple):
    """A model on the CPU, its architecture in the registry, and its way to read pixels.

    No architecture: an ONNX graph or a chain. No reading: a file of our own, which has it inside.
    `taken_for` is in words what the file doesn't say, `doubt` a sentence on what speaks against it,
    `order` the answer that each class has if they can be put in another order.
    """

    model: Classifier
    architecture: str | None
    reads: str | None
    taken_for: Words | None = None
    doubt: Words | None = None
    order: tuple[int, ...] | None = None


class _Fit(NamedTuple):
    """A model's tensors by name with the file's names for them; what lacks and what is left."""

    names: dict[str, str]
    missing: list[str]
    surplus: list[str]


def open_file(
    content: bytes,
    filename: str,
    reads: str | None = None,
    report: ProgressCallback = lambda done: None,
    beside: bytes | None = None,
) -> Opened:
    """The model in a file's content; nothing in the file is ever executed.

    What the file is, its first bytes tell. `reads` is how an ONNX model reads pixels where that is
    known; else it is found out, and `report` told how much of that is done. `beside` is the file
    that an ONNX model keeps weights in. Raises WeightsError for what is no model of Fashion-MNIST,
    which is an OutsideError where only that other file lacks.
    """
    formats.check_size(len(content), filename)
    kind = formats.kind_of(content, filename)
    if kind == "onnx" and keeps_outside(content):
        content = in_quarantine(outside.whole, content, filename, beside)
        formats.check_size(len(content), filename)
    weights = npz.weights(content, filename) if kind == "table" else None
    if kind == "table" and weights is None:
        return _from_table(content, filename)
    try:
        if weights is not None:
            tensors = _sound(formats.tidied(weights, filename), filename)
            found = _from_state_dict(Whole(tensors), True, filename)
        elif kind == "onnx":
            found = _from_onnx(content, filename, reads)
        elif kind == "tflite":
            found = _from_tflite(content, filename, reads)
        elif kind == "safetensors":
            found = _from_safetensors(content, filename)
        elif kind in ("keras", "hdf5"):
            found = _from_keras(content, filename)
        else:
            found = _from_pickle(pickles.read(content, filename, makes_network), filename)
        opened = found if isinstance(found, Opened) else _likeliest(found, filename, report)
        _probe(opened.model, filename)
    except GraphError as error:
        raise WeightsError("{file} {error}", file=filename, error=error) from None
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


def _from_table(content: bytes, filename: str) -> Opened:
    split = tables.test_split()
    table = tables.read(content, filename, len(split))
    said = inference.infer(table, split.images, torch.device("cpu"))
    doubt, order = trials.doubted(Evaluation("", said, split.labels))
    return Opened(table, None, None, doubt=doubt, order=order)


def _from_onnx(content: bytes, filename: str, reads: str | None) -> Opened | list[Candidate]:
    if opened := _opened_before(OnnxModel, content, reads):
        return opened
    in_quarantine(_try_graph, content, filename)
    model = OnnxModel(content)
    channels = Words("a network that answers each channel")
    ways = _in_sizes(model, *[channels] * model.answers_channels)
    if model.whole_numbers:
        with contextlib.suppress(GraphError, WeightsError):
            floats = model.with_floats()
            in_quarantine(_try_graph, floats.content, filename)
            taken_for = Words("a network of floats, though it declares whole numbers")
            ways += _in_sizes(floats, taken_for, cost=1.0)
    return ways


def _from_tflite(content: bytes, filename: str, reads: str | None) -> Opened | list[Candidate]:
    if opened := _opened_before(TfliteModel, content, reads):
        return opened
    in_quarantine(_try_tflite, content, filename)
    return _in_sizes(TfliteModel(content))


def _in_sizes(model: Graph, *taken_for: Words, cost: float = 0.0) -> list[Candidate]:
    """The ways to give a graph pictures as large as it takes them."""
    readings = _BYTEWISE if model.whole_numbers else tuple(READINGS)
    if model.side == SIDE:
        return [_candidate(model, *taken_for, cost=cost, readings=readings)]
    return [
        _candidate(sized, *taken_for, size, cost=cost, readings=readings)
        for sized, size in _sizes(model.side, model, model.with_border())
    ]


def _sizes(side: int, larger: Classifier, framed: Classifier) -> list[tuple[Classifier, Words]]:
    """The ways to make pictures as large as a model takes them, with what each is in words."""
    return [
        (larger, stacks.sized(side, bordered=False)),
        (framed, stacks.sized(side, bordered=True)),
    ]


def _candidate(
    model: Classifier,
    *taken_for: Words,
    cost: float = 0.0,
    readings: Sequence[str] = tuple(READINGS),
) -> Candidate:
    """A model that is built already, as a candidate."""
    words = listed(taken_for) if taken_for else None
    return Candidate(lambda: model, taken_for=words, cost=cost, readings=readings)


def _opened_before(
    kind: Callable[[bytes], Graph], content: bytes, reads: str | None
) -> Opened | None:
    """The model of a graph of which it is known how it reads pixels."""
    known = (reads or "").removesuffix(ASSUMED)
    reading = known.removesuffix(BORDERED)
    if reading not in READINGS:
        return None
    model = kind(content) if reading == known else kind(content).with_border()
    trials.read_as(model, reading)
    return Opened(model, None, reads)


def _try_graph(content: bytes, filename: str) -> None:
    _probe(OnnxModel(content), filename)


def _try_tflite(content: bytes, filename: str) -> None:
    _probe(TfliteModel(content), filename)


def _from_safetensors(content: bytes, filename: str) -> Opened | list[Candidate]:
    """A model of our own as its remarks describe it, or a state dict of a stranger's."""
    loaded, remarks = formats.from_safetensors(content, filename)
    for remark, build in (("layers", Chain), ("members", Ensemble)):
        if described := _descriptions(remarks.get(remark, "")):
            return Opened(_rebuilt(build, loaded, described, filename), None, None)
    tensors = _sound(formats.tidied(loaded, filename), filename)
    return _from_state_dict(Whole(tensors), False, filename, remarks.get("architecture"))


def _descriptions(remark: str) -> list[dict[str, Any]]:
    """What a remark of our own describes, layers or members; nothing for anybody else's."""
    try:
        found = json.loads(remark)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return []
    return found


def _rebuilt(
    build: Callable[[Any], Classifier],
    tensors: Mapping[str, Tensor],
    described: list[dict[str, Any]],
    filename: str,
) -> Classifier:
    """What is described, with the tensors in it."""
    tensors = _sound(tensors, filename)
    try:
        model = build(described)
        model.load_state_dict(tensors)
    except Exception:  # remarks can be any text
        raise WeightsError(
            "{file} describes layers that its tensors don't fill, so it is damaged. Bring a copy "
            "of it that isn't.",
            file=filename,
        ) from None
    return model.eval()


def _from_keras(content: bytes, filename: str) -> Opened | list[Candidate]:
    found = keras.read(content, filename)
    try:
        if isinstance(found, keras.Row):
            tensors = [_sound(each, filename, f"{i}.") for i, each in enumerate(found.tensors)]
            return _of_row(found._replace(tensors=tensors))
        stack = stacks.read(_sound(found, filename), channels_last=True, eps=keras.EPSILON)
        return _ways(stack)
    except StackError as error:
        raise keras.no_stack(filename, error) from None
    except ValueError:
        raise WeightsError(
            "{file} has layers that make no classifier of 28x28 pictures here. Export it to ONNX.",
            file=filename,
        ) from None


def _of_row(row: keras.Row) -> list[Candidate]:
    """The ways to give a row of layers pictures as large as it takes them."""
    model = Chain(*row).eval()
    (first, *layers), (_, *tensors) = row
    if first["kind"] != "Border":
        return [_candidate(model)]
    larger = Chain([{**first, "kind": "Resize"}, *layers], [{}, *tensors]).eval()
    return [_candidate(*sized) for sized in _sizes(first["side"], larger, model)]


def _from_pickle(whole: Whole, filename: str) -> Opened | list[Candidate]:
    """The model of a pickle, which may say how its layers follow each other."""
    whole = whole._replace(tensors=_sound(whole.tensors, filename))
    if whole.row is None:
        return _from_state_dict(whole, True, filename)
    try:
        layers, tensors = [layer for layer, _ in whole.row], _by_layer(whole)
        model = Chain(layers, tensors).eval()
    except ValueError:
        return _from_state_dict(whole, True, filename)
    if whole.certain:
        return [Candidate(lambda: model)]
    taken_for = Words("its layers in the order in which they were made")
    return _from_state_dict(
        whole, True, filename, others=[Candidate(lambda: model, taken_for=taken_for)]
    )


def _by_layer(whole: Whole) -> list[dict[str, Tensor]]:
    """The tensors of each layer of a whole model's row."""
    modules: dict[str | None, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in whole.tensors.items():
        path, _, leaf = name.rpartition(".")
        modules[path][leaf] = tensor
    return [modules[path] for _, path in whole.row or ()]


def _from_state_dict(
    whole: Whole,
    in_order: bool,
    filename: str,
    architecture: str | None = None,
    others: Sequence[Candidate] = (),
) -> Opened | list[Candidate]:
    """The model of a state dict; one of our own is of the architecture that its file names.

    `in_order` is whether the file keeps the order of the layers, as a pickle does.
    """
    for tensors in formats.without_copies(whole.tensors):
        found = _networks(tensors, whole.convolved, in_order, architecture)
        if isinstance(found, Opened):
            return found
        if candidates := [*others, *found]:
            return candidates
    if whole.unknown:
        raise WeightsError(
            "{file} is a whole model with parts that aren't known here, {parts}. {instead}",
            file=filename,
            parts=quoted(whole.unknown),
            instead=formats.SAVE_INSTEAD,
        )
    raise _fits_nothing(whole.tensors, filename)


def makes_network(tensors: Mapping[str, Tensor]) -> bool:
    """Whether some network has tensors of these shapes."""
    return any(_networks(each, {}, True) for each in formats.without_copies(tensors))


def _networks(
    tensors: Mapping[str, Tensor],
    convolved: Mapping[str, Convolved],
    in_order: bool,
    architecture: str | None = None,
) -> Opened | list[Candidate]:
    """One of our own, or all that a stranger's tensors may be."""
    tensors = _named(tensors)
    shapes = _shapes(tensors)
    for known in sorted(MODELS, key=lambda name: name != architecture):
        if shapes_of(known) == shapes:
            return Opened(_filled(known, {name: name for name in shapes}, tensors), known, None)
    registered = [
        Candidate(partial(_filled, fitting, names, tensors), fitting, _activations(fitting))
        for fitting, names in _assignments(shapes, in_order)
    ]
    try:
        flaxs = flax.state_dict(tensors)
        stacked = _ways(
            stacks.read(flaxs, channels_last=True)
            if flaxs
            else stacks.read(tensors, convolved=convolved)
        )
    except StackError:
        stacked = []
    return [*registered, *stacked]


def _named(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors by the names of torch's layers where they have names of their maker's own."""
    own = not any(map(flax.is_kernel, tensors))
    return (own and paired(tensors)) or tensors


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _activations(architecture: str) -> Words | None:
    """In words, what no shape tells of an architecture: its activations."""
    kinds = (type(layer).__name__ for layer in MODELS[architecture].build().modules())
    found = dict.fromkeys(kind for kind in kinds if kind in ACTIVATIONS)
    return listed(found) if found else None


def _ways(stack: Stack) -> list[Candidate]:
    """The ways to wire a stack, the most usual first."""

    @cache  # what was tried is known again
    def way(geometry: Geometry, style: Style) -> Candidate:
        return Candidate(
            partial(stack.built, geometry, style),
            taken_for=stack.taken_for(geometry, style),
            cost=geometry.cost + style.cost,
            readings=("0..1",) if style.colours else tuple(READINGS),
            variants=lambda: [way(*near) for near in stack.near(geometry, style)],
            twins=lambda: [way(other, style) for other in stack.padded(geometry)],
        )

    geometries, (plain, *others) = stack.geometries(), stack.usual()
    first = geometries[:MOST_STYLED]
    return [
        *(way(geometry, plain) for geometry in first),
        *(way(geometry, style) for geometry in first for style in others),
        *(way(geometry, plain) for geometry in geometries[MOST_STYLED:]),
    ]


def _likeliest(candidates: Sequence[Candidate], filename: str, report: ProgressCallback) -> Opened:
    """What does best on validation; without the dataset, the first that can be built."""
    split = trials.validation()
    if split is None:
        for candidate in candidates:
            with contextlib.suppress(ValueError):
                model, reads = candidate.build(), candidate.readings[0]
                trials.read_as(model, reads)
                return Opened(model, candidate.architecture, assumed(reads), candidate.taken_for)
        raise WeightsError("{file} holds layers that can't be put together.", file=filename)
    found = trials.best(candidates, split, report)
    if found is None:
        raise _not_finite(filename)
    candidate = found.candidate
    within = isinstance(found.model, Graph) and found.model.bordered
    return Opened(
        found.model,
        candidate.architecture,
        in_border(found.reads) if within else found.reads,
        candidate.taken_for,
        found.doubt,
        None if found.model.opaque else found.order,
    )


def reordered(model: Classifier, order: Sequence[int]) -> Classifier:
    """A copy of a model that answers for each class what the model does at its place in the order.

    Such a model is a table, or has weights that make its ten answers: those of its last linear
    layer or convolution, and of what each answer goes through after it. Where that mixes answers,
    another layer puts them in order.
    """
    if isinstance(model, tables.Table):
        return model.reordered(order)
    places = torch.tensor(order)
    model = copy.deepcopy(model)
    layers = [layer for layer in model.modules() if not isinstance(layer, nn.Sequential)]
    making = [i for i, layer in enumerate(layers) if _makes(layer, len(places))]
    after = layers[making[-1] :] if making else layers
    mixing = nn.RNNBase | nn.Linear | nn.Conv2d
    mixed = any(isinstance(layer, mixing) for layer in after[bool(making) :])
    if isinstance(model, Chain) and mixed:
        put: Layer = {"kind": "Linear", "in_features": 10, "out_features": 10, "bias": False}
        tensors = [layer.state_dict() for layer in (*model.body.children(), *model.head.children())]
        return Chain([*model.layers, put], [*tensors, {"weight": torch.eye(10)[places]}])
    for layer in after:
        for tensor in (*layer.parameters(recurse=False), *layer.buffers(recurse=False)):
            if tensor.ndim and len(tensor) == len(places):
                tensor.data = tensor.data[places]
    return model


def _makes(layer: nn.Module, count: int) -> bool:
    """Whether each of `count` answers comes from all that is before the layer, by a row of it."""
    if isinstance(layer, nn.Conv2d) and layer.groups > 1:
        return False
    return isinstance(layer, nn.Linear | nn.Conv2d) and len(layer.weight) == count


@torch.no_grad()
def _sound(tensors: Mapping[str, Tensor], filename: str, place: str = "") -> dict[str, Tensor]:
    """The tensors, with zeros for what is below the least normal float; `place` names their layer.

    Weights that decayed so far take no part in any answer, and many times as long to multiply.
    Raises WeightsError for values that aren't finite.
    """
    sound = {}
    for name, tensor in tensors.items():
        values = tensor.float()
        if not values.isfinite().all():
            raise WeightsError(
                "{file}: {name} holds values that are not finite numbers.",
                file=filename,
                name=quoted(place + name),
            )
        tiny = values.abs() < torch.finfo(torch.float32).tiny
        sound[name] = tensor.masked_fill(tiny, 0) if values[tiny].any() else tensor
    return sound


def _not_finite(filename: str) -> WeightsError:
    return WeightsError(
        "{file} answers pictures with values that are not finite numbers.", file=filename
    )


def _assignments(
    shapes: Mapping[str, tuple[int, ...]], in_order: bool
) -> list[tuple[str, dict[str, str]]]:
    """The architectures that a file's tensors fill, with the model's names and the file's for them.

    One may be there twice, filled in two ways; the likeliest comes first.
    """
    # A pickle keeps the order of the layers; a safetensors file keeps none, and names tell more.
    filled = [
        (architecture, fit.names)
        for by_name in (not in_order, in_order)
        for architecture in MODELS
        if (fit := _fit(shapes_of(architecture), shapes, by_name)) and not fit.missing + fit.surplus
    ]
    return [way for place, way in enumerate(filled) if way not in filled[:place]]


def _fits_nothing(tensors: Mapping[str, Tensor], filename: str) -> WeightsError:
    if answers := _answers(tensors):
        return WeightsError(
            "{file} has another number of answers, {answers}: there are ten classes of garments. "
            "Bring a model with an answer for each of them.",
            file=filename,
            answers=answers,
        )
    shapes = _shapes(_named(tensors))
    fits = {name: _fit(shapes_of(name), shapes, by_name=True) for name in MODELS}
    closest = min(fits, key=lambda name: len(fits[name].missing + fits[name].surplus))
    _, missing, surplus = fits[closest]
    theirs = f"{quoted(surplus[0])} {shapes[surplus[0]]}" if surplus else ""
    if not missing:
        wanted = Words("which has no place for {theirs}", theirs=theirs)
    elif surplus:
        wanted = Words(
            "whose {tensor} is {shape}; the file has {theirs} instead",
            tensor=missing[0],
            shape=str(shapes_of(closest)[missing[0]]),
            theirs=theirs,
        )
    else:
        wanted = Words(
            "whose {tensor} is {shape}; the file has none like it",
            tensor=missing[0],
            shape=str(shapes_of(closest)[missing[0]]),
        )
    return WeightsError(
        "{file} fits no architecture here and is no plain stack of layers. The closest is "
        "{closest}, {wanted}. Export it to ONNX, which says how its layers are wired.",
        file=filename,
        closest=closest,
        wanted=wanted,
    )


def _answers(tensors: Mapping[str, Tensor]) -> int | None:
    """How many answers a network has that would be one here if it had ten; None for all else."""
    tensors = _named(tensors)
    last = next((name for name in reversed(list(tensors)) if tensors[name].ndim > 1), None)
    if last is None or not (answers := len(tensors[last])):
        return None
    module = last.rpartition(".")[0]
    layer = {name: t for name, t in tensors.items() if name.rpartition(".")[0] == module}
    if any(len(tensor) != answers for tensor in layer.values()):
        return None
    ten = {name: tensor[torch.arange(10) % answers] for name, tensor in layer.items()}
    return answers if makes_network({**tensors, **ten}) else None


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
    architecture: str, names: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> Classifier:
    """The architecture with the file's tensors, by the model's names with the file's for them."""
    model = MODELS[architecture].build()
    # What a stranger's file lacks then is what `ASIDE` leaves out.
    model.load_state_dict({ours: tensors[theirs] for ours, theirs in names.items()}, strict=False)
    return model.eval()
