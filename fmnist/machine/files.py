"""Writing files so that a reader, a crash or a power cut never sees half of one; arrays kept."""

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmnist import PROJECT


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file in one step: a temporary one is written, flushed to disk and renamed.

    Raises OSError, and leaves the old file and no temporary one, when the disk is full.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that nobody else has written, though nothing be locked.

    Raises FileExistsError where somebody has, or is about to, and another OSError, with no file
    left, when the disk is full.
    """
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise


def version(path: Path) -> tuple[int, int, int]:
    """What changes whenever the file is replaced, as the key of what was read of it.

    Raises OSError where there is no such file.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


CACHE = Path(os.environ.get("FMNIST_CACHE") or PROJECT / "cache")
"""Where arrays are kept: FMNIST_CACHE, else cache/ in the project."""


def digest(array: NDArray[Any]) -> str:
    """What tells this array from others, as part of a name."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()[:16]


def kept(name: str) -> NDArray[Any] | None:
    """The array under that name; None where it isn't there or can't be read."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        array: NDArray[Any] = np.load(_path(name), allow_pickle=False)
        return array
    return None


def cached(name: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """The array under that name, computed only where it isn't kept.

    Where the folder can't be written the array is returned all the same.
    """
    array = kept(name)
    if array is None:
        array = compute()
        content = io.BytesIO()
        np.save(content, array, allow_pickle=False)
        with contextlib.suppress(OSError):
            CACHE.mkdir(parents=True, exist_ok=True)
            write_whole(_path(name), content.getvalue())
    return array


def _path(name: str) -> Path:
    return CACHE / f"{name}.npy"
