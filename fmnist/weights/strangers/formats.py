"""Strangers' files as plain tensors, without running anything of theirs."""

import io
import json
import math
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor

from fmnist.models import MODELS
from fmnist.weights.card import WeightsError

Result = TypeVar("Result")
PICKLES = (".pt", ".pth", ".ckpt")
SUFFIXES = (".safetensors", *PICKLES, ".onnx")
STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model")
HEADER_LIMIT = 65_536
"""The most bytes of names and shapes in a safetensors file."""

_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_COUNTS = (*_FLOATS, torch.int64)
# Not compared: a counter of BatchNorm that no answer hangs on, and our own way to read pixels.
# All of them are single numbers.
ASIDE = re.compile(r"(.*\.)?num_batches_tracked|standardize\.(mean|std)")
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
            f"{filename} has {size / 1e6:,.1f} MB, so it was not opened: no model here needs more "
            f"than {largest() / 1e6:.1f} MB."
        )


def in_quarantine(work: Callable[[bytes, str], Result], content: bytes, filename: str) -> Result:
    # Here, since few who use this package have a stranger's file to open.
    from fmnist.weights.strangers import quarantine
    from fmnist.weights.strangers.quarantine import ExhaustedError

    try:
        return quarantine.run(work, content, filename)
    except ExhaustedError:
        raise WeightsError(
            f"{filename} takes more time or memory than any model here needs, so it was not opened."
        ) from None


@cache
def shapes_of(architecture: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        tensors = MODELS[architecture].build().state_dict()
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def tensors_of(content: bytes, filename: str) -> tuple[dict[str, Tensor], str | None]:
    """The tensors of a state dict in the order of the layers, and its architecture if it says."""
    if filename.lower().endswith(PICKLES):
        names, plain = in_quarantine(_plain, content, filename)
        loaded, architecture = safetensors.torch.load(plain), None
        tensors = {name: loaded[str(place)] for place, name in enumerate(names)}
    else:
        loaded, architecture = _from_safetensors(content, filename)
        tensors = _state_dict(loaded, filename)
    if all(name.startswith("module.") for name in tensors):  # as DataParallel names its own
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors, architecture


def _state_dict(loaded: Mapping[Any, Any], filename: str) -> dict[str, Tensor]:
    """The tensors among what was loaded, all of them plain."""
    tensors = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(f"{filename} holds no state_dict (names with tensors).")
    for name, tensor in tensors.items():
        plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.dtype not in (_COUNTS if ASIDE.fullmatch(name) else _FLOATS):
            raise WeightsError(f"{filename}: {quoted(name)} is no plain tensor of floats.")
    return tensors


def _from_safetensors(content: bytes, filename: str) -> tuple[dict[str, Tensor], str | None]:
    header = int.from_bytes(content[:8], "little")
    if header > HEADER_LIMIT:
        raise WeightsError(
            f"{filename} is not a weights file, or it is damaged: its header would be "
            f"{header:,} bytes long, and no model here needs more than {HEADER_LIMIT:,}."
        )
    try:
        tensors = safetensors.torch.load(content)
        remarks = json.loads(content[8 : 8 + header]).get("__metadata__") or {}
        in_order = {name: tensors[name] for name in sorted(tensors, key=_place)}
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise _unreadable(filename) from None
    return in_order, remarks.get("architecture")


def _place(name: str) -> tuple[list[str | int], int, str, int]:
    """What sorts names as a model lists them; the format itself keeps no order."""
    path, _, leaf = name.rpartition(".")
    parts = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]
    kind, _, which = leaf.partition("_l")  # weight_ih_l0_reverse, of a recurrent layer
    layer, _, way = which.partition("_")
    place = _LEAVES.index(kind) if kind in _LEAVES else len(_LEAVES)
    return parts, int(layer) if layer.isdecimal() else 0, way, place


def _plain(content: bytes, filename: str) -> tuple[list[str], bytes]:
    """A pickle's state dict as names in their order, and as safetensors named 0, 1, 2, …."""
    tensors = _state_dict(_unpickled(content, filename), filename)
    check_size(sum(tensor.nbytes for tensor in tensors.values()), filename)
    whole = (t.clone(memory_format=torch.contiguous_format) for t in tensors.values())
    return list(tensors), safetensors.torch.save({str(i): t for i, t in enumerate(whole)})


def _unpickled(content: bytes, filename: str) -> Mapping[Any, Any]:
    if content.startswith(b"PK"):
        _check_archive(content, filename)
    try:
        with warnings.catch_warnings(action="ignore"):  # a stranger's odd pickle protocol
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{filename} holds more than tensors, so it was not opened: a pickle can run "
            "programs. Save a plain state_dict, or better a .safetensors file."
        ) from None
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise _unreadable(filename) from None
    if not isinstance(loaded, Mapping):
        raise WeightsError(f"{filename} holds no state_dict (names with tensors).")
    inner = (loaded[key] for key in STATE_DICT_KEYS if isinstance(loaded.get(key), Mapping))
    return next(inner, loaded)


def _check_archive(content: bytes, filename: str) -> None:
    """Raise WeightsError for a program in place of a state dict, and for what unpacks to more."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise _unreadable(filename) from None
    check_size(sum(entry.file_size for entry in entries), filename)
    names = {entry.filename.partition("/")[2] for entry in entries}
    if "constants.pkl" in names or "archive_format" in names:
        raise WeightsError(
            f"{filename} is a program, of TorchScript or torch.export, so it was not opened. Save "
            "the model's state_dict, or export it to ONNX."
        )


def quoted(name: str) -> str:
    """A stranger's name of a tensor, fit to stand in a sentence."""
    return "".join(character for character in name if character.isprintable())[:80]


def _unreadable(filename: str) -> WeightsError:
    return WeightsError(
        f"{filename} is not a weights file, or it is cut short. Expected .safetensors, or "
        ".pt, .pth or .ckpt with a plain state_dict."
    )
