"""The arrays of an .npz, and the weights that a network written in NumPy keeps in one."""

import io
import zipfile
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmnist.models.layers import SIDE
from fmnist.weights.strangers import flax
from fmnist.weights.strangers.formats import check_size, in_quarantine

MOST = 100
"""How many arrays are looked at."""
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Header(NamedTuple):
    """What an array says of itself before its values."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def entries(content: bytes, filename: str) -> dict[str, io.BytesIO]:
    """The .npy files of an .npz, by the names of the arrays.

    Raises ValueError where it is damaged, and WeightsError where it unpacks to too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except Exception as error:  # damaged bytes make it raise errors of many kinds
        raise ValueError("no zip") from error
    files = archive.infolist()[:MOST]
    check_size(sum(file.file_size for file in files), filename)
    try:
        return {f.filename.removesuffix(".npy"): io.BytesIO(archive.read(f)) for f in files}
    except Exception as error:  # as above
        raise ValueError("a damaged zip") from error


def header(array: io.BytesIO) -> Header:
    """The header of an .npy file; raises ValueError where it is damaged."""
    try:
        shape, _, dtype = _READ_HEADER[np.lib.format.read_magic(array)](array)
    except Exception as error:  # damaged bytes make it raise errors of many kinds
        raise ValueError("no header") from error
    return Header(shape, dtype)


def values(array: io.BytesIO) -> NDArray[Any]:
    """The values of an .npy file, of which nothing is run; raises ValueError where it can't be."""
    array.seek(0)
    try:
        found: NDArray[Any] = np.load(array, allow_pickle=False)
    except Exception as error:  # as above
        raise ValueError("no values") from error
    return found


def weights(content: bytes, filename: str) -> dict[str, Tensor] | None:
    """The weights in an .npz, by their names, in its order.

    None where no array sees an image or holds filters, and none has the name of a kernel. Opened in
    quarantine; raises WeightsError where it unpacks to too much.
    """
    if not content.startswith(b"PK"):
        return None
    found = in_quarantine(_weights, content, filename)
    if found is None:
        return None
    names, plain = found
    tensors = safetensors.torch.load(plain)
    return {name: tensors[str(place)] for place, name in enumerate(names)}


def _weights(content: bytes, filename: str) -> tuple[list[str], bytes] | None:
    """The names of the arrays of floats, and as safetensors 0, 1, …, what is in them."""
    try:
        files = entries(content, filename)
        headers = {name: header(file) for name, file in files.items()}
        names = [name for name, of in headers.items() if of.dtype.kind == "f"]
        shapes = [headers[name].shape for name in names]
        seen = any(len(shape) == 2 and SIDE**2 in shape for shape in shapes)
        filters = any(len(shape) == 4 and SIDE not in shape for shape in shapes)
        if not seen and not filters and not any(map(flax.is_kernel, names)):
            return None
        found = [values(files[name]).astype(np.float32, order="C") for name in names]
    except ValueError:
        return None
    return names, safetensors.torch.save(
        {str(i): torch.from_numpy(array) for i, array in enumerate(found)}
    )
