"""The folder of small files that show one thing each that strangers' files do."""

import os
from pathlib import Path

import pytest

MEASURED = os.environ.get("FMNIST_MEASURED")


@pytest.fixture(scope="session")
def strangers_folder() -> Path:
    """The folder; the test is skipped where none is named, and fails where the named one lacks."""
    if MEASURED is None:
        pytest.skip("FMNIST_MEASURED names no folder of strangers' files")
    folder = Path(MEASURED) / "strangers"
    assert folder.is_dir(), f"{folder} is not here"
    return folder
