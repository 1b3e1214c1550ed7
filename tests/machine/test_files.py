from pathlib import Path

import numpy as np
import pytest

from fmnist.machine import files


def test_what_is_kept_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CACHE", tmp_path / "not" / "there yet")
    asked = []

    def compute() -> np.ndarray:
        asked.append(1)
        return np.arange(5)

    for _ in range(2):
        assert files.cached("numbers", compute).tolist() == [0, 1, 2, 3, 4]
    assert len(asked) == 1


@pytest.mark.parametrize("damage", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_computed_again_and_mended(damage: bytes) -> None:
    files.CACHE.mkdir()
    (files.CACHE / "numbers.npy").write_bytes(damage)
    assert files.cached("numbers", lambda: np.ones(2)).tolist() == [1, 1]
    assert np.load(files.CACHE / "numbers.npy").tolist() == [1, 1]


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(files, "CACHE", tmp_path / "file")
    assert files.cached("numbers", lambda: np.ones(2)).tolist() == [1, 1]


def test_a_digest_tells_arrays_apart() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    changed = images.copy()
    changed[1, 3, 3] = 1
    assert files.digest(images) == files.digest(images.copy())
    assert files.digest(images) != files.digest(changed)
