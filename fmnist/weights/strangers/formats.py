"""What a stranger's file is, told by its first bytes, and what every kind of them has to hold."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Concatenate, Literal, ParamSpec, TypeVar

import safetensors.torch
import torch
from torch import Tensor

from fmnist.data.splits import CLASSES
from fmnist.models import MODELS
from fmnist.weights.card import WeightsError
from fmnist.words import Words

Result = TypeVar("Result")
More = ParamSpec("More")
Kind = Literal["safetensors", "torch", "hdf5", "keras", "onnx", "tflite", "table"]
PICKLES = (".pt", ".pth", ".ckpt")
KERAS = (".keras", ".h5", ".hdf5")
TABLES = (".csv", ".npz", ".npy")
SUFFIXES = (
    *(".safetensors", *PICKLES, *KERAS, ".onnx", ".tflite", *TABLES),
    *(".tar", ".bin", ".pkl"),  # what some trainings and some libraries call a pickle
)
HEADER_LIMIT = 65_536
"""The most bytes of names and shapes in a safetensors file."""

SAVE_INSTEAD = Words(
    "Where it was saved, either of these saves what is read here: "
    'torch.save(model.state_dict(), "model.pt") or torch.onnx.export(model, '
    'torch.zeros(1, 1, 28, 28), "model.onnx", external_data=False).'
)

_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_COUNTS = (*_FLOATS, torch.int64)
# Not compared: a counter of BatchNorm that no answer hangs on, and our own way to read pixels.
# All of them are single numbers.
ASIDE = re.compile(r"(.*\.)?num_batches_tracked|standardize\.(mean|std)")
# What training keeps beside the layers: weights of the classes in a loss, counts of a metric.
_BESIDE = re.compile(
    r"(.*\.)?(criterion|loss(_\w+)?|\w+_loss|(\w+_)?(acc|accuracy|metrics?|confmat))(\..*)?"
)
# Single numbers on which no answer hangs: what thop counts, how sure a model is, and how it
# standardises pixels, which is found out. In Flax' batch_stats, means are a layer's.
_SINGLE = re.compile(r"(?!.*batch_stats)(.*\.)?(total_ops|total_params|temperature|mean|std)")
# What training keeps in the shapes of the layers: averages of them, or by how much they change.
_COPY = re.compile(
    r"(^|[._])(ema|swa|avg|averaged?|shadow|teacher|target|momentum|velocit(y|ies)|grad(ient)?s?)"
    r"(?=[._]|$)"
)
# What wraps a model, to compile it or to train it on several devices or on its own averages.
_WRAPPER = re.compile(r"(?<![^.])(?:_orig_mod|module)\.")
_LEAVES = ("weight", "bias", "running_mean", "running_var",
           "weight_ih", "weight_hh", "bias_ih", "bias_hh")  # fmt: skip


def largest() -> int:
    """The most bytes a file may have: the largest model in float64 with both averages of Adam."""
    numbers = max(sum(map(math.prod, shapes_of(name).values())) for name in MODELS)
    return 3 * 8 * numbers + 2**20


def check_size(size: int, filename: str) -> None:
    """Raise WeightsError for a file that is larger than any model of the registry needs."""
    if size > largest():
        raise WeightsError(
            "{file} has {size:,.1f} MB, so it was not opened: no model here needs more than "
            "{most:.1f} MB.",
            file=filename,
            size=size / 1e6,
            most=largest() / 1e6,
        )


def in_quarantine(
    work: Callable[Concatenate[bytes, str, More], Result],
    content: bytes,
    filename: str,
    *more: More.args,
    **named: More.kwargs,
) -> Result:
    # Here, since few who use this package have a stranger's file to open.
    from fmnist.weights.strangers import quarantine
    from fmnist.weights.strangers.quarantine import ExhaustedError

    try:
        return quarantine.run(work, content, filename, *more, **named)
    except ExhaustedError:
        raise WeightsError(
            "{file} takes more time or memory than any model here needs, so it was not opened.",
            file=filename,
        ) from None


@cache
def shapes_of(architecture: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        tensors = MODELS[architecture].build().state_dict()
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def kind_of(content: bytes, filename: str) -> Kind:
    """What a file is, whatever its name ends in; raises WeightsError for what is none of them.

    Only tables as text and what could be a damaged graph of ONNX, which begin like nothing else,
    are told by their names.
    """
    if content.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if content.startswith(b"PK"):
        if b".npy" in content and b"data.pkl" not in content:
            return "table"
        return "keras" if b"model.weights.h5" in content else "torch"
    if content[8:9] == b"{" and not any(content[4:8]):  # behind the length of a header
        return "safetensors"
    if content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05":  # a pickle's protocol
        return "torch"
    if content.startswith(b"\x1f\x8b"):
        raise WeightsError(
            "{file} is packed with gzip. Unpack it, and bring the file that was in it.",
            file=filename,
        )
    if content[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise WeightsError(
            "{file} is a web page, which was saved in place of the model. Bring the file that the "
            "page offers for download.",
            file=filename,
        )
    if content.startswith(b"version https://git-lfs"):
        raise WeightsError(
            "{file} is a pointer of Git LFS, which stands where the model should: 130 bytes that "
            "name it. Run git lfs pull where it comes from, and bring the file that is then "
            "there.",
            file=filename,
        )
    if content[4:8] == b"TFL3":
        return "tflite"
    if content.startswith(b"\x93NUMPY") or filename.lower().endswith(".csv"):
        return "table"
    if content[:1] == b"\x08" or filename.lower().endswith(".onnx"):
        return "onnx"
    raise unreadable(filename)


def tidied(loaded: Mapping[str, Tensor], filename: str) -> dict[str, Tensor]:
    """The tensors of the layers alone, all of them plain, their names without what wraps a model.

    Raises WeightsError where there are none, or others than floats.
    """
    names = {name: unwrapped(name) for name in loaded}
    if len(set(names.values())) < len(names):
        names = {name: name for name in loaded}
    tensors = _masked(
        {
            names[name]: tensor
            for name, tensor in loaded.items()
            if ASIDE.fullmatch(names[name]) or not _beside(name, tensor)
        }
    )
    if not tensors:
        raise WeightsError("{file} holds no state_dict (names with tensors).", file=filename)
    for name, tensor in tensors.items():
        plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.dtype not in (_COUNTS if ASIDE.fullmatch(name) else _FLOATS):
            raise WeightsError(
                "{file}: {name} is no plain tensor of floats.", file=filename, name=quoted(name)
            )
    return tensors


def _beside(name: str, tensor: Tensor) -> bool:
    """Whether a tensor belongs to no layer, such as a count or whole numbers in a row."""
    whole = not tensor.is_floating_point() and not tensor.is_complex()
    counted = whole and tensor.ndim == 1 and name.rpartition(".")[2] not in _LEAVES
    single = tensor.numel() == 1 and _SINGLE.fullmatch(name)
    return not tensor.ndim or counted or bool(single or _BESIDE.fullmatch(name))


def without_copies(tensors: Mapping[str, Tensor]) -> Iterator[Mapping[str, Tensor]]:
    """The tensors, to be tried as they are, and then without what is in them a second time.

    That is a module by another name, and what training keeps in the shapes of the layers.
    """
    yield tensors
    once = _once(tensors)
    if len(once) < len(tensors):
        yield once
    own = {name: tensor for name, tensor in once.items() if not _COPY.search(name)}
    shapes = {tensor.shape for tensor in own.values()}
    if len(own) < len(once) and all(tensor.shape in shapes for tensor in once.values()):
        yield own


def _once(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of each module by its first name alone."""
    modules: dict[str, list[str]] = {}
    for name in tensors:
        modules.setdefault(name.rpartition(".")[0], []).append(name)
    distinct: dict[frozenset[object], list[str]] = {}
    for names in modules.values():
        module = frozenset((n.rpartition(".")[2], _content(tensors[n])) for n in names)
        distinct.setdefault(module, names)
    return {name: tensors[name] for names in distinct.values() for name in names}


def _content(tensor: Tensor) -> tuple[object, ...]:
    numbers = tensor.contiguous().flatten().view(torch.uint8).numpy()
    return tensor.shape, tensor.dtype, numbers.tobytes()


def _masked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with those that torch.nn.utils.prune cut, which it keeps whole beside a mask."""
    cut = {}
    for name, tensor in tensors.items():
        own = name.removesuffix("_orig")
        mask = tensors.get(f"{own}_mask")
        if own != name and mask is not None and mask.shape == tensor.shape:
            cut[name] = (own, tensor * mask)
    masks = {f"{own}_mask" for own, _ in cut.values()}
    return dict(
        cut.get(name, (name, tensor)) for name, tensor in tensors.items() if name not in masks
    )


def unwrapped(name: str) -> str:
    """A name in a model without what wraps the model."""
    return _WRAPPER.sub("", name)


def from_safetensors(content: bytes, filename: str) -> tuple[dict[str, Tensor], Mapping[str, str]]:
    """The tensors in the order of the layers, as their names suggest it, and the file's remarks.

    Raises WeightsError.
    """
    header = int.from_bytes(content[:8], "little")
    if header > HEADER_LIMIT:
        raise WeightsError(
            "{file} is not a weights file, or it is damaged: its header would be {header:,} "
            "bytes long, and no model here needs more than {most:,}.",
            file=filename,
            header=header,
            most=HEADER_LIMIT,
        )
    try:
        tensors = safetensors.torch.load(content)
        remarks = json.loads(content[8 : 8 + header]).get("__metadata__") or {}
        in_order = {name: tensors[name] for name in sorted(tensors, key=_place)}
        if not isinstance(remarks, dict):
            raise ValueError("remarks are a mapping")
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise unreadable(filename) from None
    return in_order, remarks


def _place(name: str) -> tuple[list[str | int], int, str, int]:
    """What sorts names as a model lists them; the format itself keeps no order."""
    path, _, leaf = name.rpartition(".")
    parts = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]
    kind, _, which = leaf.partition("_l")  # weight_ih_l0_reverse, of a recurrent layer
    layer, _, way = which.partition("_")
    place = _LEAVES.index(kind) if kind in _LEAVES else len(_LEAVES)
    return parts, int(layer) if layer.isdecimal() else 0, way, place


def quoted(name: str) -> str:
    """A stranger's name of a tensor, fit to stand in a sentence."""
    return "".join(character for character in name if character.isprintable())[:80]


def class_place(name: str) -> int | None:
    """The class of that name, whatever people write differently; None where there is none."""
    plain = _plain(name)
    return next((place for place, known in enumerate(CLASSES) if _plain(known) == plain), None)


def _plain(name: str) -> str:
    """A class' name without what people write differently: T-shirt/top, Trousers, ankle_boot."""
    return re.sub(r"[^a-z]|top$|s$", "", name.lower().replace("/", " ").strip())


def unreadable(filename: str) -> WeightsError:
    return WeightsError(
        "{file} is not a weights file, or it is cut short. Expected are .safetensors, a "
        "state_dict in .pt, .pth or .ckpt, a model of Keras in .keras or .h5, .onnx, .tflite, the "
        "weights of a network in NumPy in .npz, and predictions in .csv, .npz or .npy.",
        file=filename,
    )
