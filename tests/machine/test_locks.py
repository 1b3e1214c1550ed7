"""Locks, and folders that have none."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from fmnist.machine.locks import LockError, held, held_if_free, is_held


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def reason(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Why no file can be locked, as NFS without its lock service, FUSE and Lustre say it."""

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)
    return os.strerror(request.param)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    with held(path):
        assert is_held(path)
        with held_if_free(path) as free:
            assert not free
    with held_if_free(path) as free:
        assert free
        assert is_held(path)
    assert not is_held(path)


def test_a_folder_that_locks_no_files_is_named_with_the_reason(tmp_path: Path, reason: str) -> None:
    path, before = tmp_path / "lock", open_files()
    for lock in (held, held_if_free):
        with pytest.raises(LockError, match=f"{tmp_path}: {reason}"), lock(path):
            pytest.fail("It isn't held.")
    assert not is_held(path)
    assert open_files() == before


def test_a_lock_that_is_not_needed_is_done_without(tmp_path: Path, reason: str) -> None:
    with held(tmp_path / "lock", needed=False):
        pass
    with pytest.raises(OSError, match="mine"), held(tmp_path / "lock", needed=False):
        raise OSError("mine")
