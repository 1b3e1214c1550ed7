"""Every test has runs and weights folders of its own, and drawn garments unless it is marked."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist import data

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
IN_CI = bool(os.environ.get("FMNIST_CI"))
REAL_DATA = os.environ.get("FMNIST_DATA")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine can't run; in CI nothing is skipped."""
    missing = {
        "real_data": None if data.available() else "the four Fashion-MNIST files are not here",
        "browser": None if CHROMIUM else "Chromium is not installed",
    }
    for item in items:
        for marker, reason in missing.items():
            if reason and item.get_closest_marker(marker) and not IN_CI:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _own_folders(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FMNIST_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("FMNIST_DEVICE", raising=False)
    if not request.node.get_closest_marker("real_data"):
        monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "no-dataset"))
    return


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn splits that take a moment, in this process."""
    monkeypatch.setattr(
        data, "DRAWN", {"train": (300, 1), "validation": (100, 2), "test": (100, 3)}
    )
