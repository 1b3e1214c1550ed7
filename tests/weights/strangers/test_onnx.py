import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from strangers import (
    PREPROCESS,
    folded,
    graph,
    normalised,
    perceptron_graph,
    said,
    stranger,
)

from fmnist.analysis import explain
from fmnist.data import garments, splits
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers.graphs import GraphError
from fmnist.weights.strangers.onnx import OnnxModel
from fmnist.weights.strangers.opening import ASSUMED

CPU = torch.device("cpu")
IMAGES, LABELS = garments.draw(30, seed=8)
SHAPES = [
    ("N", 784),
    ("N", 28, 28),
    ("N", 1, 28, 28),
    (None, 28, 28, 1),
    (1, 1, 28, 28),
    (1, 784),
    (1, 784, 1),
]


def infer(content: bytes, filename: str = "theirs.onnx") -> np.ndarray:
    model, _ = shelf.open(content, filename)
    return inference.infer(model, IMAGES, CPU)


# What is opened


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("end", ["Identity", "LogSoftmax", "Softmax"])
def test_a_graph_answers_as_the_torch_model_it_was_made_of(shape: tuple, end: str) -> None:
    theirs = stranger("fcnn")
    answers = infer(perceptron_graph(theirs.state_dict(), shape, end=end))
    assert np.allclose(normalised(answers), said(theirs, IMAGES, "0..1"), atol=1e-5)


@pytest.mark.parametrize("steep", [0.5, 50])
def test_ten_sigmoids_are_as_sure_as_the_layers_before_them(steep: float) -> None:
    tensors = dict(stranger("fcnn").state_dict())
    tensors["out.weight"] = tensors["out.weight"] * steep
    logits = infer(perceptron_graph(tensors))
    answers = infer(perceptron_graph(tensors, end="Sigmoid"))
    assert np.allclose(answers, np.maximum(-np.logaddexp(0, -logits), -87), atol=1e-3)


@pytest.mark.parametrize("shape", [("N", 1, 32, 32), (1, 32, 32, 1), (4, 3, 32, 32)], ids=str)
def test_pictures_are_made_as_large_as_a_graph_wants_them(shape: tuple) -> None:
    values = 3072 if 3 in shape else 1024
    weight = np.random.default_rng(0).normal(size=(values, 10)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    answers = infer(graph(nodes, {"w": weight}, shape).SerializeToString())
    pixels = torch.tensor(IMAGES)[:, None] / 255
    larger = torch.nn.functional.interpolate(pixels, (32, 32), mode="bilinear").flatten(1).numpy()
    expected = np.tile(larger, values // 1024) @ weight
    assert np.allclose(answers, expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(784,), (28, 28), (1, 28, 28)], ids=str)
def test_a_graph_of_one_image_needs_no_dimension_for_the_batch(shape: tuple) -> None:
    weight = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
    nodes = [
        helper.make_node("Reshape", ["x", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    constants = {"row": np.array([1, 784]), "w": weight}
    answers = infer(graph(nodes, constants, shape).SerializeToString())
    expected = IMAGES.reshape(-1, 784) / np.float32(255) @ weight
    assert np.allclose(answers, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "reads"),
    [
        ("FLOAT", "0..1"),
        ("DOUBLE", "0..1"),
        ("FLOAT16", "0..1"),
        ("UINT8", "0..255"),
        ("INT64", "0..255"),
    ],
)
def test_pixels_are_given_in_the_type_that_a_graph_wants(dtype: str, reads: str) -> None:
    theirs = stranger("fcnn")
    content = perceptron_graph(theirs.state_dict(), dtype=TensorProto.DataType.Value(dtype))
    model, card = shelf.open(content, "theirs.onnx")
    assert card.reads == reads + ASSUMED
    answers = normalised(inference.infer(model, IMAGES, CPU))
    expected = said(theirs, IMAGES, reads)
    assert np.allclose(answers, expected, atol=5e-3 if dtype == "FLOAT16" else 1e-4)


@pytest.mark.parametrize("dtype", ["UINT8", "INT64"])
def test_a_graph_that_declares_whole_numbers_can_be_fed_floats(dtype: str) -> None:
    theirs = stranger("fcnn")
    content = perceptron_graph(theirs.state_dict(), dtype=TensorProto.DataType.Value(dtype))
    model = OnnxModel(content).with_floats()
    model.standardize = torch.nn.Identity()
    answers = normalised(inference.infer(model, IMAGES, CPU))
    assert np.allclose(answers, said(theirs, IMAGES, "0..1"), atol=1e-4)


def test_a_graph_that_needs_its_whole_numbers_can_not() -> None:
    nodes = [
        helper.make_node("BitwiseAnd", ["x", "mask"], ["masked"]),
        helper.make_node("Cast", ["masked"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["cast", "w"], ["y"]),
    ]
    constants = {"mask": np.array([255]), "w": np.ones((784, 10), np.float32)}
    model = graph(nodes, constants, dtype=TensorProto.INT64)
    model.opset_import[0].version = 18
    opened = OnnxModel(model.SerializeToString())
    with pytest.raises(GraphError):
        opened.with_floats()


def test_a_graph_that_takes_three_channels_for_three_images_answers_with_their_mean() -> None:
    weight = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
    nodes = [
        helper.make_node("Reshape", ["x", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    constants = {"row": np.array([-1, 784]), "w": weight}
    content = graph(nodes, constants, ("N", 3, 28, 28)).SerializeToString()
    model, card = shelf.open(content, "theirs.onnx")
    assert card.taken_for == "a network that answers each channel"
    expected = IMAGES.reshape(-1, 784) / np.float32(255) @ weight
    assert np.allclose(inference.infer(model, IMAGES, CPU), expected, atol=1e-4)


@pytest.mark.parametrize("zipmap", [False, True])
def test_scikit_learns_answer_is_the_output_with_the_probabilities(zipmap: bool) -> None:
    sklearns = LogisticRegression(tol=0.1).fit(IMAGES.reshape(-1, 784) / 255, LABELS)
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", "scores"],
            domain="ai.onnx.ml",
            classlabels_ints=list(range(10)),
            coefficients=sklearns.coef_.ravel().tolist(),
            intercepts=sklearns.intercept_.tolist(),
            post_transform="NONE",
        ),
        helper.make_node("Softmax", ["scores"], ["y"]),
    ]
    outputs = {"label": TensorProto.INT64, "y": TensorProto.FLOAT}
    if zipmap:
        nodes.append(
            helper.make_node(
                "ZipMap", ["y"], ["z"], domain="ai.onnx.ml", classlabels_int64s=list(range(10))
            )
        )
        outputs = {"label": TensorProto.INT64, "z": 0}
    answers = infer(graph(nodes, {}, outputs=outputs).SerializeToString())
    expected = sklearns.predict_log_proba(IMAGES.reshape(-1, 784) / 255)
    assert np.allclose(answers, expected, atol=1e-4)


@pytest.mark.parametrize(
    "shape",
    [
        (64, 784),
        (5, 1, 28, 28),
        (10, 784),
        ("N", "H", "W"),
        ("N", "C", "H", "W"),
        (None, "H", "W", 1),
    ],
    ids=str,
)
def test_a_batch_may_be_fixed_and_an_axis_free(shape: tuple) -> None:
    theirs = stranger("fcnn")
    answers = infer(perceptron_graph(theirs.state_dict(), shape))
    assert np.allclose(normalised(answers), said(theirs, IMAGES, "0..1"), atol=1e-5)


@pytest.mark.parametrize("shape", [(28, "N", 28), ("T", "N", 28)], ids=str)
def test_images_may_stand_behind_the_rows_that_a_recurrent_network_reads(shape: tuple) -> None:
    torch.manual_seed(0)
    cell = torch.nn.RNN(28, 10)
    nodes = [
        helper.make_node("RNN", ["x", "w", "r", "b"], ["", "last"], hidden_size=10),
        helper.make_node("Squeeze", ["last", "axis"], ["y"]),
    ]
    bias = torch.cat([cell.bias_ih_l0, cell.bias_hh_l0])
    tensors = {"w": cell.weight_ih_l0, "r": cell.weight_hh_l0, "b": bias}
    constants = {name: tensor.detach()[None].numpy() for name, tensor in tensors.items()}
    content = graph(nodes, constants | {"axis": np.array([0])}, shape).SerializeToString()
    with torch.inference_mode():
        expected = cell(torch.tensor(IMAGES).swapaxes(0, 1) / 255)[1][0].numpy()
    assert np.allclose(infer(content), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(784, "N"), ("N", 784), (4, 784)], ids=str)
def test_images_and_answers_may_be_columns(shape: tuple) -> None:
    weight = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
    made = ["x"] if shape[0] == 784 else ["turned"]
    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["w", *made], ["y"]),
    ]
    answers = infer(graph(nodes, {"w": weight.T}, shape).SerializeToString())
    expected = IMAGES.reshape(-1, 784) / np.float32(255) @ weight
    assert np.allclose(answers, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [("N", 3, 28, 28), ("N", 28, 28, 3), (3, 28, 28)], ids=str)
def test_three_channels_are_all_given_the_same_grey(shape: tuple) -> None:
    weight = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
    axis = 3 if shape[-1] == 3 else len(shape) - 3
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["grey"], axes=[axis], keepdims=0),
        helper.make_node("Reshape", ["grey", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    constants = {"row": np.array([-1, 784]), "w": weight}
    answers = infer(graph(nodes, constants, shape).SerializeToString())
    expected = IMAGES.reshape(-1, 784) / np.float32(255) @ weight
    assert np.allclose(answers, expected, atol=1e-4)


def test_of_several_outputs_of_ten_values_either_will_do() -> None:
    theirs = stranger("fcnn")
    model = onnx.load_from_string(perceptron_graph(theirs.state_dict(), end="Softmax"))
    model.graph.output.insert(0, helper.make_tensor_value_info("e", TensorProto.FLOAT, None))
    answers = infer(model.SerializeToString())
    assert np.allclose(normalised(answers), said(theirs, IMAGES, "0..1"), atol=1e-5)


def test_answers_by_the_names_of_the_classes_are_put_in_their_order() -> None:
    names = ["Bag", "Ankle boots", "T-shirt", "trousers", "Pullover", "dress", "Coat", "sandal",
             "Shirt", "Sneaker"]  # fmt: skip
    order = [8, 9, 0, 1, 2, 3, 4, 5, 6, 7]
    weight = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32) / 28
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["p"]),
        helper.make_node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml", classlabels_strings=names),
    ]
    model = graph(nodes, {"w": weight[:, order]}, outputs={"z": 0})
    answers = infer(model.SerializeToString())
    expected = normalised(IMAGES.reshape(-1, 784) / np.float32(255) @ weight)
    assert np.allclose(answers, expected, atol=1e-4)


@pytest.mark.real_data
@pytest.mark.parametrize("reads", PREPROCESS)
@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.UINT8], ids=["float", "uint8"])
def test_how_a_graph_reads_pixels_is_found_out(reads: str, dtype: int) -> None:
    if dtype == TensorProto.UINT8 and not reads.startswith("0..255"):
        return  # no other fits whole numbers
    shipped, _ = shelf.load("fcnn")
    first, bias, *others = [
        tensor for name, tensor in shipped.state_dict().items() if "standardize" not in name
    ]
    tensors = [*folded(first, bias, reads), *others]
    state = dict(zip(stranger("fcnn").state_dict(), tensors, strict=True))
    model, card = shelf.open(perceptron_graph(state, dtype=dtype, end="Softmax"), "theirs.onnx")
    assert card.reads == reads
    images = splits.load("test", "real", 300).images
    answers = inference.infer(model, images, CPU)
    ours = normalised(inference.infer(shipped, images, CPU))
    assert np.allclose(np.maximum(answers, -20), np.maximum(ours, -20), atol=5e-3)


LARGER = {
    "standardised": lambda pixels: torch.nn.functional.interpolate(
        pixels, (32, 32), mode="bilinear"
    ),
    "standardised, in a black border": lambda pixels: torch.nn.functional.pad(pixels, (2, 2, 2, 2)),
}


@pytest.mark.real_data
@pytest.mark.parametrize("reads", LARGER)
def test_how_pictures_were_made_larger_is_found_out_and_kept(reads: str) -> None:
    shipped, _ = shelf.load("softmax")
    weight, bias = (shipped.get_parameter(f"head.{name}").detach() for name in ("weight", "bias"))
    basis = LARGER[reads](torch.eye(784).view(-1, 1, 28, 28)).flatten(1)
    unseen = torch.randn(1024, 10, generator=torch.Generator().manual_seed(0))
    inverse = torch.linalg.pinv(basis)
    # Weights with the same answers to pictures made larger in this way, and to no others.
    theirs = inverse @ weight.T + unseen - inverse @ (basis @ unseen)
    black = shipped.standardize(torch.tensor(0.0))
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["y"]),
    ]
    constants = {"w": theirs.numpy(), "b": (bias + black * (weight.sum(1) - theirs.sum(0))).numpy()}
    opened = shelf.open(graph(nodes, constants, ("N", 1, 32, 32)).SerializeToString(), "a.onnx")
    assert opened.card.reads == reads
    assert "32x32" in str(opened.card.taken_for)
    images = splits.load("test", "real", 300).images
    ours = inference.infer(shipped, images, CPU)
    assert np.allclose(inference.infer(opened.model, images, CPU), ours, atol=1e-2)
    kept = shelf.keep(opened, "theirs")
    again, card = shelf.load("theirs")
    assert card == kept
    assert np.allclose(inference.infer(again, images, CPU), ours, atol=1e-2)


# Among the other models


@pytest.mark.parametrize("reads", ["0..255", "-1..1, dark on white", f"0..1{ASSUMED}"])
def test_a_kept_graph_is_there_by_name_and_reads_pixels_as_before(reads: str) -> None:
    content = perceptron_graph(stranger("fcnn").state_dict())
    model, card = shelf.open(content, "theirs.onnx", reads)
    kept = shelf.keep(Weights(model, card), "theirs")
    path = shelf.own_folder() / "theirs.onnx"
    assert path.read_bytes() == content
    files = {file.name for file in path.parent.iterdir()}
    assert files == {"theirs.onnx", "theirs.json", shelf.LOCK}
    again, read = shelf.load("theirs")
    assert read == kept
    assert (read.reads, read.family, read.architecture) == (reads, "onnx", None)
    assert (inference.infer(again, IMAGES, CPU) == inference.infer(model, IMAGES, CPU)).all()
    assert "theirs" in {card.name for card in shelf.cards()}
    rows = {row["name"]: row for row in shelf.listing()}
    assert rows["theirs"]["family"] == "onnx"
    path.write_bytes(content + b"\0")
    with pytest.raises(WeightsError, match="SHA-256"):
        shelf.load("theirs")


def test_a_graph_is_explained_by_what_covering_costs_and_not_by_gradients() -> None:
    weight = np.zeros((784, 10), np.float32)
    weight.reshape(28, 28, 10)[4:8, 16:20, 3] = 1  # class 3 is what is bright here
    content = graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight})
    model, _ = shelf.open(content.SerializeToString(), "theirs.onnx")
    assert isinstance(model, OnnxModel)
    image = np.full((28, 28), 200, np.uint8)
    assert explain.saliency(model, image, 3) is None
    assert explain.grad_cam(model, image, 3) is None
    found = explain.occlusion(model, image, 3)
    assert found.drop[4:8, 16:20].min() > 0.5
    assert not found.drop[16:].any()
    features = explain.embed(model, IMAGES, CPU)
    assert np.allclose(features, inference.infer(model, IMAGES, CPU), rtol=1e-2)


# What is refused


def refused(model: onnx.ModelProto | bytes, reads: str | None = None) -> str:
    """The sentence that a graph is refused with."""
    content = model if isinstance(model, bytes) else model.SerializeToString()
    with pytest.raises(WeightsError) as caught:
        shelf.open(content, "theirs.onnx", reads)
    sentence = str(caught.value)
    assert sentence.startswith("theirs.onnx ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def linear(classes: int = 10, **options: object) -> onnx.ModelProto:
    weight = np.ones((784, classes), np.float32)
    return graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight}, **options)


def deaf(**options: object) -> onnx.ModelProto:
    """A graph that says the same of whatever it is given."""
    constant = numpy_helper.from_array(np.ones((1, 10), np.float32))
    nodes = [
        helper.make_node("Constant", [], ["y"], value=constant),
        helper.make_node("Identity", ["x"], ["z"]),
    ]
    return graph(nodes, {}, **options)


def test_weights_in_another_file_are_refused_and_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pipe that nobody writes into would keep whoever opens it waiting.
    monkeypatch.chdir(tmp_path)
    os.mkfifo("canary")
    for place in ("initializer", "constant"):
        model = linear()
        tensor = model.graph.initializer[0]
        onnx.external_data_helper.set_external_data(tensor, "canary", length=31360)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        if place == "constant":
            model.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=tensor))
            del model.graph.initializer[:]
        assert "keeps weights in another file" in refused(model)
        # The same with the length of the word written in two bytes instead of one.
        (before, after) = model.SerializeToString().split(b"\x08location", 1)
        assert "in another file" in refused(before + b"\x88\x00location" + after)


@pytest.mark.parametrize(
    ("node", "operation"),
    [
        (helper.make_node("Foo", ["x"], ["y"]), "Foo"),
        (helper.make_node("LinearFoo", ["x"], ["y"], domain="ai.onnx.ml"), "LinearFoo"),
    ],
    ids=["of the standard", "of another domain"],
)
def test_an_operation_that_does_not_exist_is_named(node: onnx.NodeProto, operation: str) -> None:
    assert f"doesn't know, {operation}" in refused(graph([node], {}))


def test_an_operation_of_a_domain_that_is_not_here_is_refused() -> None:
    model = graph([helper.make_node("Run", ["x"], ["y"], domain="evil")], {})
    model.opset_import.append(helper.make_opsetid("evil", 1))
    assert "doesn't know, evil:Run" in refused(model)


@pytest.mark.parametrize("content", [b"", b"hello, I am a text", linear().SerializeToString()[:-9]])
def test_what_is_no_graph_is_refused(content: bytes) -> None:
    assert "is not an ONNX model, or it is damaged" in refused(content)


@pytest.mark.parametrize(
    "shape", [("N", 3, 320, 320), (), ("N", 14, "W"), ("N", 785), None], ids=str
)
def test_an_input_that_is_no_28_by_28_image_is_refused(shape: tuple | None) -> None:
    assert "has an input of" in refused(deaf(shape=shape))


@pytest.mark.parametrize("dtype", ["STRING", "BOOL"])
def test_an_input_that_is_no_pixels_is_refused(dtype: str) -> None:
    kind = TensorProto.DataType.Value(dtype)
    assert "pixels can be float" in refused(deaf(dtype=kind))


def test_two_inputs_are_refused() -> None:
    assert "has 2 inputs" in refused(linear(inputs=("x", "more")))


@pytest.mark.parametrize("outputs", [9, 11, 100])
def test_another_number_of_outputs_than_ten_an_image_is_refused(outputs: int) -> None:
    assert "has no output of 10 values" in refused(linear(outputs))


def test_an_output_of_rows_of_different_lengths_is_refused() -> None:
    model = linear(outputs={"z": 0})
    nodes = model.graph.node
    nodes.append(helper.make_node("ReduceSum", ["y"], ["s"], keepdims=0))
    nodes.append(helper.make_node("SequenceConstruct", ["y", "s"], ["z"]))
    assert "has no output of 10 values" in refused(model)


def test_the_class_alone_is_refused() -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["logits"]),
        helper.make_node("ArgMax", ["logits"], ["y"], axis=1, keepdims=0),
    ]
    weight = np.ones((784, 10), np.float32)
    model = graph(nodes, {"w": weight}, outputs={"y": TensorProto.INT64})
    assert "with the probabilities of all 10" in refused(model)


@pytest.mark.parametrize("what", ["IR", "Opset"])
def test_a_graph_of_a_newer_onnx_is_refused_as_such(what: str) -> None:
    model = linear()
    if what == "IR":
        model.ir_version = 99
    else:
        model.opset_import[0].version = 99
    assert f"its {what} version is 99, and the newest that is read here is" in refused(model)


def traced(images: int) -> tuple[onnx.ModelProto, np.ndarray]:
    """A graph that says it takes any number of images, but holds how many it was traced with."""
    weight = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    return graph(nodes, {"shape": np.array([images, 784]), "w": weight}), weight


def test_a_graph_that_was_traced_with_one_image_is_asked_about_one_at_a_time() -> None:
    model, weight = traced(1)
    answers = infer(model.SerializeToString())
    expected = IMAGES.reshape(-1, 784) / np.float32(255) @ weight
    assert np.allclose(answers, expected, atol=1e-4)


def test_a_graph_that_can_not_take_a_batch_as_it_says_is_refused() -> None:
    assert "fails on a batch of images" in refused(traced(3)[0])


def test_a_graph_that_takes_many_images_but_not_one_is_refused() -> None:
    nodes = [
        helper.make_node("Squeeze", ["x"], ["images"]),  # and with them the one image's batch
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    model = graph(nodes, {"w": np.ones((784, 10), np.float32)}, ("N", 1, 28, 28))
    assert "fails on a batch of images" in refused(model)


def test_a_graph_that_answers_fewer_images_than_it_was_given_is_refused() -> None:
    constants = {"w": np.ones((784, 10), np.float32), "to": np.array([16])}
    constants |= {"from": np.array([0]), "axis": np.array([0])}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["all"]),
        helper.make_node("Slice", ["all", "from", "to", "axis"], ["y"]),
    ]
    assert "doesn't answer every image" in refused(graph(nodes, constants))


def test_a_graph_with_no_answer_to_a_blank_picture_is_refused() -> None:
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["strongest"], axes=[1]),
        helper.make_node("Div", ["x", "strongest"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "w"], ["y"]),
    ]
    model = graph(nodes, {"w": np.ones((784, 10), np.float32)})
    assert "answers pictures with values that are not finite" in refused(model)


def test_what_no_pixel_has_a_part_in_is_not_computed_before_the_clock_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Seconds of work on constants, in a graph of a few hundred bytes.
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("Expand", ["one", "large"], ["m0"]),
        *(helper.make_node("MatMul", [f"m{i}", f"m{i}"], [f"m{i + 1}"]) for i in range(8)),
        helper.make_node("ReduceSum", ["m8"], ["sum"], keepdims=0),
        helper.make_node("Add", ["y", "sum"], ["z"]),
    ]
    constants = {
        "w": np.ones((784, 10), np.float32),
        "one": np.zeros((1, 1), np.float32),
        "large": np.array([1500, 1500]),
    }
    monkeypatch.setattr("fmnist.weights.strangers.onnx.PATIENCE", 0.05)
    model = graph(nodes, constants, outputs={"z": TensorProto.FLOAT})
    assert "takes too long over a batch" in refused(model, reads="0..1")


def test_without_onnx_runtime_the_refusal_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "needs ONNX Runtime, which is not installed here" in refused(linear())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_graph_that_answers_with_what_is_no_number_is_refused(bad: float) -> None:
    weight = np.ones((784, 10), np.float32)
    weight[400, 3] = bad
    model = graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight})
    assert "answers pictures with values that are not finite" in refused(model)


def test_a_graph_that_never_ends_is_stopped_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", [a], [b]) for a, b in (("on", "still"), ("v", "w"))],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    constants = {
        "weights": np.zeros((784, 10), np.float32),
        "often": np.array(np.iinfo(np.int64).max),
        "yes": np.array(True),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["logits"]),
        helper.make_node("Loop", ["often", "yes", "logits"], ["y"], body=body),
    ]
    endless = graph(nodes, constants)
    with monkeypatch.context() as patch:
        patch.setattr("fmnist.weights.strangers.onnx.PATIENCE", 0.5)
        assert "takes too long over a batch" in refused(endless, reads="0..1")
    infer(linear().SerializeToString())  # so that the process is there
    monkeypatch.setattr("fmnist.weights.strangers.quarantine.PATIENCE", 2.0)
    assert "more time or memory than any model here needs" in refused(endless)


@pytest.mark.slow
@pytest.mark.parametrize("sparse", [False, True])
def test_a_graph_of_few_bytes_that_takes_all_the_memory_is_refused(sparse: bool) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["logits"]),
        helper.make_node("Expand", ["one", "shape"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["largest"], keepdims=0),
        helper.make_node("Add", ["logits", "largest"], ["y"]),
    ]
    constants = {
        "w": np.ones((784, 10), np.float32),
        "one": np.zeros((1, 1), np.float32),
        "shape": np.array([60_000, 60_000]),
    }
    model = graph(nodes[:1] + nodes[1 + sparse :], constants)
    if sparse:
        values = helper.make_tensor("large", TensorProto.FLOAT, [1], [1.0])
        place = helper.make_tensor("place", TensorProto.INT64, [1], [5])
        model.graph.sparse_initializer.append(
            helper.make_sparse_tensor(values, place, [60_000, 60_000])
        )
    assert refused(model)
