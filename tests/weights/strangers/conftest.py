"""The folder of small files that show one thing each that strangers' files do."""

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("FMNIST_STRANGERS") or (
    os.path.join(os.environ["FMNIST_PICTURES"], "strangers")
    if os.environ.get("FMNIST_PICTURES")
    else None
)


@pytest.fixture(scope="session")
def strangers_folder() -> Path:
    """The folder; the test is skipped where none is named, and fails where the named one lacks."""
    if FOLDER is None:
        pytest.skip("FMNIST_STRANGERS names no folder of strangers' files")
    folder = Path(FOLDER)
    assert folder.is_dir(), f"{folder} is not here"
    return folder
