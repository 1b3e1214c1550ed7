"""Files made to do harm: whatever is in them, a sentence comes back, and nothing runs or hangs."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hostile import FILES, UNFOLDING, mutated, with_canary

from fmnist.weights import shelf
from fmnist.weights.card import WeightsError

pytestmark = pytest.mark.usefixtures("small")

EACH = 25


def outcome(content: bytes, filename: str) -> str | None:
    """The sentence that a file is refused with; None where it opens."""
    try:
        shelf.open(content, filename)
    except WeightsError as error:
        return str(error)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("filename", FILES)
def test_a_mutated_file_opens_or_is_refused_in_a_sentence(filename: str) -> None:
    content = FILES[filename]()
    assert outcome(content, filename) is None
    rng = np.random.default_rng(16)
    for _ in range(EACH):
        start = time.monotonic()
        sentence = outcome(mutated(content, rng), filename)
        assert time.monotonic() - start < 60  # on a busy machine
        assert sentence is None or sentence.startswith(filename)


@pytest.mark.parametrize("write", with_canary, ids=lambda write: write.__name__)
def test_no_canary_runs(write: Callable[[Path], bytes], tmp_path: Path) -> None:
    mark = tmp_path / "canary"
    content = write(mark)
    for suffix in (".pt", ".keras", ".h5", ".onnx", ".safetensors"):
        assert outcome(content, f"evil{suffix}") is not None
    assert not mark.exists()


@pytest.mark.parametrize("filename", UNFOLDING)
def test_what_unfolds_or_leads_elsewhere_is_refused(filename: str) -> None:
    assert str(outcome(UNFOLDING[filename](), filename)).startswith(filename)
