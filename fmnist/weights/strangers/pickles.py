"""A stranger's pickle as plain tensors; what isn't data in it is never called."""

import contextlib
import io
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import flax, modules
from fmnist.weights.strangers.formats import (
    SAVE_INSTEAD,
    check_size,
    in_quarantine,
    tidied,
    unreadable,
    unwrapped,
)
from fmnist.weights.strangers.modules import Whole

STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model")
"""What a training calls the state dict among what it saves; elsewhere, the largest is taken."""
DEEPEST = 4
_NO_LAYERS = ("optim", "opt_state", "sched", "loops", "callbacks", "scaler")
_ARRAYS: list[Any] = [
    *((rebuilds, ".".join(place)) for place, rebuilds in modules.ARRAYS.items()),
    *(type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?"),
]  # fmt: skip


def read(content: bytes, filename: str) -> Whole:
    """The state dict in a pickle, by itself or inside others, in the order of the layers.

    Of a whole model, with what it says of its layers. Opened in quarantine; raises WeightsError.
    """
    (names, *said), plain = in_quarantine(_plain, content, filename)
    loaded = safetensors.torch.load(plain)
    return Whole({name: loaded[str(place)] for place, name in enumerate(names)}, *said)


def _plain(content: bytes, filename: str) -> tuple[tuple[Any, ...], bytes]:
    """As `read`, with names in place of the tensors, and these as safetensors named 0, 1, 2, …."""
    whole = _unpickled(content, filename)
    tensors = tidied(whole.tensors, filename)
    check_size(sum(tensor.nbytes for tensor in tensors.values()), filename)
    apart = (t.clone(memory_format=torch.contiguous_format) for t in tensors.values())
    row = whole.row and [(layer, path and unwrapped(path)) for layer, path in whole.row]
    convolved = {unwrapped(path): known for path, known in whole.convolved.items()}
    return (
        (list(tensors), row, whole.certain, whole.unknown, convolved),
        safetensors.torch.save({str(i): t for i, t in enumerate(apart)}),
    )


def _unpickled(content: bytes, filename: str) -> Whole:
    if content.startswith(b"PK"):
        _check_archive(content, filename)
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # a stranger's odd pickle protocol
            torch.serialization.safe_globals(_ARRAYS),
        ):
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        refusal = _more_than_tensors(filename)
    except Exception:  # damaged bytes make it raise errors of many kinds
        refusal = unreadable(filename)
    else:
        return Whole(_state_dict(loaded))
    if found := _inert(content):
        return found
    raise refusal


def _inert(content: bytes) -> Whole | None:
    """The whole model, or the state dict, in a pickle that holds more than tensors, if it does."""
    with contextlib.suppress(Exception):  # as above
        loaded = modules.unpickled(content)
        if whole := modules.whole(loaded):
            return whole
        if tensors := _state_dict(loaded):
            return Whole(tensors)
    return None


def _more_than_tensors(filename: str) -> WeightsError:
    return WeightsError(
        "{file} holds more than tensors, perhaps a whole model, so it was not opened: such a "
        "pickle can run programs. {instead}",
        file=filename,
        instead=SAVE_INSTEAD,
    )


def _state_dict(loaded: object) -> dict[str, Tensor]:
    """The tensors of the mapping that is most likely a model's, of all that are inside."""
    if any(map(flax.is_kernel, nested := _flat(loaded))):
        return nested
    found = list(_mappings(loaded))
    if not found:
        return {}
    _, tensors = min(found, key=lambda one: (one[0], -len(one[1])))
    return tensors


def _flat(loaded: object, path: str = "", depth: int = 0) -> dict[str, Tensor]:
    """The tensors of mappings in mappings, as JAX's libraries have them, by their whole names."""
    if (tensor := _as_tensor(loaded)) is not None:
        return {path: tensor}
    if not isinstance(loaded, Mapping) or depth > DEEPEST + 2:
        return {}
    below = (
        _flat(value, f"{path}.{name}" if path else str(name), depth + 1)
        for name, value in loaded.items()
        if not str(name).lower().startswith(_NO_LAYERS)
    )
    return {name: tensor for found in below for name, tensor in found.items() if tensor.ndim}


def _mappings(
    loaded: object, depth: int = 0, rank: int = 1
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Every mapping that holds tensors, as these, after a rank: 0 below a name that says model."""
    if isinstance(loaded, list | tuple):
        loaded = dict(enumerate(loaded))
    if not isinstance(loaded, Mapping) or depth > DEEPEST:
        return
    tensors = {
        str(name): tensor
        for name, value in loaded.items()
        if (tensor := _as_tensor(value)) is not None
    }
    if any(tensor.ndim for tensor in tensors.values()):
        yield rank, tensors
    for name, value in loaded.items():
        if not str(name).lower().startswith(_NO_LAYERS):
            below = 0 if name in STATE_DICT_KEYS else rank
            yield from _mappings(value, depth + 1, below)


def _as_tensor(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        native = value.astype(value.dtype.newbyteorder("="))
        return torch.from_numpy(native)
    return None


def _check_archive(content: bytes, filename: str) -> None:
    """Raise WeightsError for a program in place of a state dict, and for what unpacks to more."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except Exception:  # damaged bytes make it raise errors of many kinds
        raise unreadable(filename) from None
    check_size(sum(entry.file_size for entry in entries), filename)
    names = {entry.filename.partition("/")[2] for entry in entries}
    if "constants.pkl" in names or "archive_format" in names:
        raise WeightsError(
            "{file} is a program, of TorchScript or torch.export, so it was not opened. Save the "
            "model's state_dict, or export it to ONNX.",
            file=filename,
        )
