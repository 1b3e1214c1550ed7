from typing import Any

import numpy as np
import onnx
import pytest
import torch

from fmnist.export import graph
from fmnist.export.graph import INPUT, OPSET, OUTPUT, to_onnx
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.chain import ACTIVATIONS, KINDS, Chain
from fmnist.models.inference import infer
from fmnist.models.layers import Classifier
from fmnist.weights import shelf

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(1).integers(0, 256, (7, 28, 28), np.uint8)
CONV = {"kind": "Conv2d", "inputs": 1, "outputs": 3, "size": [3, 3], "padding": [1, 1, 1, 1]}
FLAT = {"kind": "Flatten"}
ROWS = {"kind": "Reshape", "shape": [28, 28]}
LEGS = {"kind": "Recurrent", "inputs": 28, "hidden": 5, "depth": 2, "both_ways": False}


def head(inputs: int) -> dict[str, Any]:
    return {"kind": "Linear", "in_features": inputs, "out_features": 10}


CHAINS = {
    **{
        name: [CONV, {"kind": name} | ({"dim": 1} if "Softmax" in name else {}), FLAT, head(2352)]
        for name in ACTIVATIONS
    },
    **{
        f"adaptive pooling to {size}": [
            CONV, {"kind": "AdaptivePool", "output_size": size}, FLAT, head(parts),
        ]
        for size, parts in ((1, 3), (7, 147), (5, 75), ([3, 9], 81))
    },
    **{
        f"pooling, {mean=}": [
            CONV,
            {"kind": "Pool", "size": [3, 3], "stride": [2, 2], "padding": [0, 1] * 2, "mean": mean},
            {"kind": "GlobalPool", "mean": mean},
            head(3),
        ]
        for mean in (True, False)
    },
    **{
        f"{cell}, {gives}": [
            ROWS, LEGS | {"cell": cell, "gives": gives}, *([FLAT] if gives == "all" else []),
            head(140 if gives == "all" else 5),
        ]
        for cell in ("LSTM", "GRU", "RNN")
        for gives in ("last", "mean", "max", "all")
    },
    "built": [
        CONV, {"kind": "Residual", "width": 3}, FLAT, {"kind": "Dropout", "probability": 0.2},
        head(2352),
    ],
    "both ways": [ROWS, LEGS | {"cell": "LSTM", "gives": "ends", "both_ways": True}, head(10)],
    "larger": [{"kind": "Resize", "side": 32}, CONV, {"kind": "GlobalPool", "mean": True}, head(3)],
    "bordered": [
        {"kind": "Border", "side": 32}, CONV, {"kind": "GlobalPool", "mean": True}, head(3),
    ],
    "columns": [{"kind": "Columns"}, ROWS, LEGS | {"cell": "GRU", "gives": "last"}, head(5)],
    "normalised": [
        {"kind": "Affine", "shape": [1, 1, 1]}, {"kind": "Repeat", "channels": 3},
        {"kind": "BatchNorm", "channels": 3, "images": True}, {"kind": "ZeroPad2d", "padding": 1},
        CONV | {"inputs": 3, "size": [4, 4], "padding": [1, 2, 1, 2]}, FLAT,
        {"kind": "LayerNorm", "normalized_shape": 2700},
        {"kind": "BatchNorm", "channels": 2700, "images": False}, head(2700),
    ],
}  # fmt: skip


def test_every_kind_of_layer_is_among_the_chains() -> None:
    assert {layer["kind"] for layers in CHAINS.values() for layer in layers} == set(KINDS)


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_a_chain_as_onnx_answers_as_it_does_itself(layers: list[dict[str, Any]]) -> None:
    torch.manual_seed(0)
    assert_same_as_onnx(Chain(layers).eval())


@pytest.mark.parametrize("name", MODELS)
def test_every_architecture_as_onnx_answers_as_it_does_itself(name: str) -> None:
    assert_same_as_onnx(MODELS[name].seeded(0).eval())


def assert_same_as_onnx(model: Classifier) -> None:
    again = shelf.open(to_onnx(model), "again.onnx", "0..1").model
    np.testing.assert_allclose(
        infer(again, IMAGES, CPU), infer(model, IMAGES, CPU), rtol=1e-3, atol=1e-4
    )


def test_the_graph_is_one_file_of_one_opset_for_any_number_of_images() -> None:
    loaded = onnx.load_model_from_string(to_onnx(MODELS["gru"].seeded(0)))
    assert [one.version for one in loaded.opset_import if not one.domain] == [OPSET]
    assert not [one for one in loaded.graph.initializer if one.data_location]
    for entry, name, sizes in (
        (loaded.graph.input[0], INPUT, [1, 28, 28]),
        (loaded.graph.output[0], OUTPUT, [10]),
    ):
        first, *others = entry.type.tensor_type.shape.dim
        assert (entry.name, first.dim_param) == (name, "N")
        assert [one.dim_value for one in others] == sizes
    assert {"GRU"} <= {node.op_type for node in loaded.graph.node}


def test_a_graph_that_answers_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["softmax"].seeded(0)
    content = to_onnx(MODELS["softmax"].seeded(1))
    monkeypatch.setattr(graph, "_exported", lambda model: content)
    with pytest.raises(UserFacingError, match="it would answer otherwise"):
        to_onnx(model)
