"""A graph and the file beside it that holds its weights are one model."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from strangers import perceptron_graph, stranger

from fmnist.data import garments
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers.outside import OutsideError

IMAGES, _ = garments.draw(12, seed=5)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A graph as onnx itself writes it with its weights beside it."""
    graph, beside = tmp_path / "theirs.onnx", tmp_path / "theirs.onnx.data"
    onnx.save_model(
        onnx.load_from_string(_inside()),
        graph,
        save_as_external_data=True,
        location=beside.name,
        size_threshold=0,
    )
    return graph, beside


def _inside() -> bytes:
    return perceptron_graph(stranger("fcnn").state_dict())


def _answers(content: bytes, beside: bytes | None = None) -> np.ndarray:
    model, _ = shelf.open(content, "theirs.onnx", beside=beside)
    return inference.infer(model, IMAGES, torch.device("cpu"))


def test_two_files_answer_as_the_one_that_they_were(pair: tuple[Path, Path]) -> None:
    graph, beside = (path.read_bytes() for path in pair)
    assert len(graph) < 10_000 < len(beside)
    assert np.array_equal(_answers(graph, beside), _answers(_inside()))


def test_by_its_path_a_graph_finds_the_file_beside_it_and_is_kept_as_one(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    model, card = shelf.load(pair[0])
    assert len(model.content) == card.bytes > 1e6
    pair[1].unlink()
    with pytest.raises(OutsideError, match=r"theirs\.onnx keeps .* Bring that file, too"):
        shelf.load(pair[0])


def test_of_two_files_that_do_not_belong_together_neither_is_opened(
    pair: tuple[Path, Path],
) -> None:
    graph, beside = (path.read_bytes() for path in pair)
    with pytest.raises(WeightsError, match="another model's, or it is cut short"):
        _answers(graph, beside[:-1])


@pytest.mark.parametrize("wrong", ["-1", "9" * 400, "1e3", "x", ""])
def test_what_is_no_place_in_the_other_file_is_none(pair: tuple[Path, Path], wrong: str) -> None:
    model = onnx.load(pair[0], load_external_data=False)
    tensor = next(
        part for part in model.graph.initializer if part.data_location == TensorProto.EXTERNAL
    )
    next(entry for entry in tensor.external_data if entry.key == "offset").value = wrong
    with pytest.raises(WeightsError, match="cut short"):
        _answers(model.SerializeToString(), pair[1].read_bytes())


def test_weights_in_two_other_files_are_asked_for_in_one(pair: tuple[Path, Path]) -> None:
    model = onnx.load(pair[0], load_external_data=False)
    entries = model.graph.initializer[0].external_data
    next(entry for entry in entries if entry.key == "location").value = "/etc/passwd"
    with pytest.raises(WeightsError, match="in 2 other files"):
        _answers(model.SerializeToString(), pair[1].read_bytes())
