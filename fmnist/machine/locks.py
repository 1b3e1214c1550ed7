"""Locks on files that the kernel releases when their holder ends, however it ends.

Some shared folders lock no files at all, others lock them on each machine for itself. The first is
said; the second can't be told from the locks.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from fmnist.machine.errors import UserFacingError


class LockError(UserFacingError):
    """A folder locks no files; the message says so in a sentence."""


def open_lock(path: Path) -> int:
    """A descriptor of the file, to be locked by `lock` and closed by whoever has it."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def lock(descriptor: int, path: Path, wait: bool = True) -> None:
    """Hold an opened lock until it is closed.

    Raises BlockingIOError where somebody else holds it and that isn't to be waited for, and
    LockError.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError as error:
        raise LockError(
            "No files can be locked in {folder}: {reason}. Mount it so that they can, as NFS with "
            "its lock service, or use another folder.",
            folder=path.parent,
            reason=error.strerror,
        ) from None


@contextmanager
def held(path: Path, needed: bool = True) -> Iterator[None]:
    """Within it nobody else holds the lock.

    Where no files can be locked, it raises LockError, or does without if it isn't `needed`.
    """
    descriptor = open_lock(path)
    try:
        with nullcontext() if needed else suppress(LockError):
            lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Whether nobody else holds the lock; within it, nobody else does. Raises LockError."""
    descriptor = open_lock(path)
    try:
        lock(descriptor, path, wait=False)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock; asking writes nothing. What can't be locked isn't held."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
