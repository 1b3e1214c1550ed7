"""A stranger's pickle as plain tensors; what isn't data in it is never called."""

import contextlib
import io
import pickle
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import modules
from fmnist.weights.strangers.formats import (
    SAVE_INSTEAD,
    check_size,
    in_quarantine,
    tidied,
    unreadable,
    unwrapped,
)
from fmnist.weights.strangers.modules import Whole
from fmnist.weights.strangers.pairs import paired
from fmnist.words import Words

STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model")
"""What a training calls the state dict among what it saves; elsewhere, the largest is taken."""
DEEPEST = 4
Fits = Callable[[Mapping[str, Tensor]], bool]
"""Whether tensors make a network."""
_NO_LAYERS = ("opt", "sched", "loops", "callbacks", "scaler")
_ARRAYS: list[Any] = [
    *((rebuilds, ".".join(place)) for place, rebuilds in modules.ARRAYS.items()),
    *(type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["AllFloat"] + "?"),
]  # fmt: skip


def read(content: bytes, filename: str, fits: Fits) -> Whole:
    """The state dict in a pickle, by itself or inside others, in the order of the layers.

    Of a whole model, with what it says of its layers; else of several the first that `fits`. Opened
    in quarantine; raises WeightsError.
    """
    (names, *said), plain = in_quarantine(_plain, content, filename, fits)
    loaded = safetensors.torch.load(plain)
    return Whole({name: loaded[str(place)] for place, name in enumerate(names)}, *said)


def _plain(content: bytes, filename: str, fits: Fits) -> tuple[tuple[Any, ...], bytes]:
    """As `read`, with names in place of the tensors, and these as safetensors named 0, 1, 2, …."""
    whole = _unpickled(content, filename, fits)
    tensors = _layers(whole.tensors, filename)
    apart = (t.clone(memory_format=torch.contiguous_format) for t in tensors.values())
    row = whole.row and [(layer, path and unwrapped(path)) for layer, path in whole.row]
    convolved = {unwrapped(path): known for path, known in whole.convolved.items()}
    return (
        (list(tensors), row, whole.certain, whole.unknown, convolved),
        safetensors.torch.save({str(i): t for i, t in enumerate(apart)}),
    )


def _layers(tensors: Mapping[str, Tensor], filename: str) -> dict[str, Tensor]:
    layers = tidied(tensors, filename)
    check_size(sum(tensor.nbytes for tensor in layers.values()), filename)
    return layers


def _unpickled(content: bytes, filename: str, fits: Fits) -> Whole:
    if content.startswith(b"PK"):
        _check_archive(content, filename)
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # a stranger's odd pickle protocol
            torch.serialization.safe_globals(_ARRAYS),
        ):
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        refusal = _more_than_tensors(content, filename)
    except Exception:  # damaged bytes make it raise errors of many kinds
        refusal = unreadable(filename)
    else:
        if isinstance(loaded, Mapping) and "param_groups" in loaded:
            raise WeightsError(
                "{file} holds the state of an optimizer and no weights. {instead}",
                file=filename,
                instead=SAVE_INSTEAD,
            )
        return Whole(_state_dict(loaded, filename, fits))
    if found := _inert(content, filename, fits):
        return found
    raise refusal


def _inert(content: bytes, filename: str, fits: Fits) -> Whole | None:
    """The whole model, or the state dict, in a pickle that holds more than tensors, if it does."""
    with contextlib.suppress(Exception):  # as above
        loaded = modules.unpickled(content)
        if whole := modules.whole(_by_name(loaded) or loaded):
            return whole
        if tensors := _state_dict(loaded, filename, fits):
            return Whole(tensors)
    return None


def _more_than_tensors(content: bytes, filename: str) -> WeightsError:
    if b"torch" in content:
        instead = SAVE_INSTEAD
    elif b"sklearn." in content:
        instead = Words(
            "Of a model of scikit-learn, bring what skl2onnx makes of it, or a .csv with what it "
            "says of the test images."
        )
    else:
        instead = Words(
            "Of a network in NumPy, bring its matrices and vectors alone, which this saves: "
            'np.savez("model.npz", W1=W1, b1=b1, W2=W2, b2=b2).'
        )
    return WeightsError(
        "{file} holds more than tensors, perhaps a whole model, so it was not opened: such a "
        "pickle can run programs. {instead}",
        file=filename,
        instead=instead,
    )


def _state_dict(loaded: object, filename: str, fits: Fits) -> dict[str, Tensor]:
    """The tensors of the mapping that is most likely a model's, of all that are inside."""
    plain, refused, nest = [], [], _flat(_by_name(loaded) or {})
    for rank, names, tensors in _mappings(loaded):
        with contextlib.suppress(WeightsError):
            plain.append((rank, names, _layers(tensors, filename)))
    plain.sort(key=lambda one: (one[0], -len(one[2]), -one[1]))
    for rank, names, tensors in plain:
        if not fits(tensors):
            refused.append((rank, -names, tensors))
        elif not _without_biases(tensors, nest):
            return tensors
    # What has most names of its own is what people know.
    return min(refused, key=lambda one: one[:2], default=(0, 0, nest))[2]


def _without_biases(tensors: Mapping[str, Tensor], nest: Mapping[str, Tensor]) -> bool:
    """Whether they are matrices alone, and as many vectors that belong with them stand beside."""
    layers = paired(tensors)
    if layers is None or any(tensor.ndim == 1 for tensor in layers.values()):
        return False
    vectors = (tensor.squeeze() for tensor in nest.values())
    lengths = Counter(len(vector) for vector in vectors if vector.ndim == 1)
    return Counter(len(matrix) for matrix in layers.values()) <= lengths


def _mappings(
    loaded: object, depth: int = 0, rank: int = 1
) -> Iterator[tuple[int, int, dict[str, Tensor]]]:
    """Every mapping with tensors somewhere in it, as these, and how many names in it are tensors'.

    Before both a rank: 0 below a name that says model.
    """
    mapping = _by_name(loaded)
    if mapping is None or depth > DEEPEST:
        return
    tensors = _flat(mapping)
    if any(tensor.ndim for tensor in tensors.values()):
        yield rank, sum(_as_tensor(value) is not None for value in mapping.values()), tensors
    for name, value in mapping.items():
        if not _no_layers(name):
            below = 0 if name in STATE_DICT_KEYS else rank
            yield from _mappings(value, depth + 1, below)


def _flat(loaded: object, path: str = "", depth: int = 0) -> dict[str, Tensor]:
    """The tensors of mappings in mappings by their whole names."""
    if (tensor := _as_tensor(loaded)) is not None:
        return {path: tensor}
    mapping = _by_name(loaded)
    if mapping is None or depth > DEEPEST + 2:
        return {}
    below = (
        _flat(value, f"{path}.{name}" if path else str(name), depth + 1)
        for name, value in mapping.items()
        if _as_tensor(value) is not None or not _no_layers(name)
    )
    return {name: tensor for found in below for name, tensor in found.items()}


def _no_layers(name: object) -> bool:
    return str(name).lower().startswith(_NO_LAYERS)


def _by_name(loaded: object) -> Mapping[Any, Any] | None:
    """A mapping, or a list as one of its places, or of names if it pairs them with values.

    None for anything else, as for an optimizer.
    """
    if isinstance(loaded, list | tuple):
        pairs = [one for one in loaded if isinstance(one, list | tuple) and len(one) == 2]
        named = {name: value for name, value in pairs if isinstance(name, str)}
        loaded = named if len(named) == len(loaded) else dict(enumerate(loaded))
    return loaded if isinstance(loaded, Mapping) and "param_groups" not in loaded else None


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
    if not names & {"data.pkl", "archive_format"}:
        raise WeightsError(
            "{file} is a folder that was zipped, and no model. Unpack it, and bring the model that "
            "is in it.",
            file=filename,
        )
    if "constants.pkl" in names or "archive_format" in names:
        raise WeightsError(
            "{file} is a program, of TorchScript or torch.export, so it was not opened. Save the "
            "model's state_dict, or export it to ONNX.",
            file=filename,
        )
