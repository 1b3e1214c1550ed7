"""What took long to compute, kept on disk for the next start of the server."""

import contextlib
import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmnist import PROJECT
from fmnist.files import write_whole

FOLDER = PROJECT / "cache"


def digest(array: NDArray[Any]) -> str:
    """What tells this array from others, as part of a name."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()[:16]


def keep(name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """The array under that name, computed only where it isn't there or can't be read.

    Where the folder can't be written the array is returned all the same.
    """
    path = FOLDER / f"{name}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        kept: NDArray[Any] = np.load(path, allow_pickle=False)
        return kept
    array = compute()
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    with contextlib.suppress(OSError):
        FOLDER.mkdir(exist_ok=True)
        write_whole(path, content.getvalue())
    return array
