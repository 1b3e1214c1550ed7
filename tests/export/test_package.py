import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import yaml
from conftest import PICTURES
from PIL import Image
from shipped import every_shipped
from strangers import graph, perceptron_graph, pickled, stranger
from tflite_files import perceptron
from torch import nn

from fmnist.data import garments
from fmnist.data.splits import CLASSES
from fmnist.export.graph import OPSET
from fmnist.export.package import classify_script, model_card, packed, training_script
from fmnist.models import MODELS
from fmnist.models.chain import Chain
from fmnist.models.inference import infer
from fmnist.weights import ensembles, shelf
from fmnist.weights.card import Card, Figures, Seed
from fmnist.weights.shelf import Weights

CPU = torch.device("cpu")
IMAGES, _ = garments.draw(4, seed=11)
LAYERS = [nn.Linear(784, 12), nn.Linear(12, 10)]
torch.manual_seed(0)
LARGER = {"fc1": nn.Linear(1024, 12), "fc2": nn.Linear(12, 12), "out": nn.Linear(12, 10)}
WIDE = [nn.Linear(1024, 12), nn.Linear(12, 10)]
QUICK = ("fcnn-128", "tinyvgg", "gru")


def with_features() -> bytes:
    """A graph whose first output isn't its answer."""
    model = onnx.load_model_from_string(perceptron_graph(stranger("fcnn").state_dict()))
    model.graph.output.insert(
        0, onnx.helper.make_tensor_value_info("b", onnx.TensorProto.FLOAT, None)
    )
    return model.SerializeToString()


def mapped() -> bytes:
    """A graph as scikit-learn's, which answers with what each class by its name is given."""
    model = onnx.load_model_from_string(
        perceptron_graph(stranger("fcnn").state_dict(), end="Softmax")
    )
    names = [*CLASSES[5:], *CLASSES[:5]]
    model.graph.node.append(
        onnx.helper.make_node(
            "ZipMap", ["y"], ["z"], domain="ai.onnx.ml", classlabels_strings=names
        )
    )
    del model.graph.output[:]
    model.graph.output.append(onnx.ValueInfoProto(name="z"))
    return model.SerializeToString()


def unpacked(weights: Weights, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(packed(weights))) as archive:
        archive.extractall(folder)
    return folder / weights.card.name


def said_alone(home: Path, *pictures: Path) -> list[dict[str, float]]:
    """What the script in a folder says of pictures, in an interpreter that has no project."""
    alone = subprocess.run(
        [sys.executable, "-I", home / "classify.py", *pictures],
        cwd=home, capture_output=True, text=True,
    )  # fmt: skip
    assert alone.returncode == 0, alone.stderr
    answers: list[dict[str, float]] = []
    for number, line in enumerate(alone.stdout.splitlines()):
        if number % len(CLASSES) == 0:
            answers.append({})
        path, _, answer = line.rpartition(": ")
        share, _, name = answer.partition(" ")
        assert path == str(pictures[number // len(CLASSES)])
        answers[-1][name] = float(share.removesuffix("%")) / 100
    return answers


def saved_pictures(folder: Path) -> list[Path]:
    paths = [folder / f"picture {number}.png" for number in range(len(IMAGES))]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(image).save(path)
    return paths


def assert_answers_as_here(weights: Weights, home: Path) -> None:
    answers = said_alone(home, *saved_pictures(home))
    wanted = weights.answer(IMAGES, CPU).probabilities
    found = np.array([[answer[name] for name in CLASSES] for answer in answers])
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert len(classify_script(weights).splitlines()) <= 40


@every_shipped(QUICK)
def test_what_is_taken_home_answers_as_the_app_does(name: str, tmp_path: Path) -> None:
    weights = shelf.load(name)
    home = unpacked(weights, tmp_path)
    assert_answers_as_here(weights, home)
    content = (home / "model.onnx").read_bytes()
    graph = onnx.load_model_from_string(content)
    onnx.checker.check_model(graph, full_check=True)
    assert [one.version for one in graph.opset_import if not one.domain] == [OPSET]
    wanted = infer(weights.model, IMAGES, CPU)
    state = torch.load(home / "model.pt", weights_only=True)
    again = MODELS[weights.card.architecture].build()
    again.load_state_dict(state)
    assert (infer(again, IMAGES, CPU) == wanted).all()
    tensors, card = shelf.load(home / "model.safetensors")
    assert card.sha256 == weights.card.sha256
    assert (infer(tensors, IMAGES, CPU) == wanted).all()
    metadata = yaml.safe_load((home / "README.md").read_text().split("---\n")[1])
    (test, validation) = metadata["model-index"][0]["results"]
    assert test["metrics"][0]["value"] == weights.card.test.accuracy
    assert validation["metrics"][1]["value"] == weights.card.validation.loss
    assert sorted(path.name for path in home.iterdir() if path.suffix != ".png") == [
        "README.md", "classify.py", "model.onnx", "model.pt", "model.safetensors", "train.ipynb",
        "train.py",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("plain.onnx", perceptron_graph(stranger("fcnn").state_dict())),
        ("probabilities.onnx", perceptron_graph(stranger("fcnn").state_dict(), end="Softmax")),
        ("larger.onnx", perceptron_graph(nn.ModuleDict(LARGER).state_dict(), ("N", 1, 32, 32))),
        ("whole-numbers.tflite", perceptron(LAYERS, takes=(np.uint8, 1 / 255, 0))),
        ("probabilities.tflite", perceptron(LAYERS, (1, 784), softmax=True)),
        ("larger.tflite", perceptron(WIDE, (1, 32, 32, 1))),
        ("two-outputs.onnx", with_features()),
        ("free-axes.onnx", perceptron_graph(stranger("fcnn").state_dict(), ("N", "H", "W", 1))),
        ("mapping.onnx", mapped()),
        ("stack.pt", pickled(stranger("cnn").state_dict())),
    ],
)
def test_what_somebody_brought_goes_home_too(filename: str, content: bytes, tmp_path: Path) -> None:
    weights = shelf.open(content, filename)
    home = unpacked(weights, tmp_path)
    assert_answers_as_here(weights, home)
    assert not (home / "train.py").exists()
    if weights.model.opaque:
        assert (home / f"model{Path(filename).suffix}").read_bytes() == content
        assert not (home / "model.pt").exists()


def columns() -> bytes:
    """A graph of four images a time, which answers with a column for each."""
    weight = np.random.default_rng(0).normal(size=(10, 784)).astype(np.float32)
    nodes = [
        onnx.helper.make_node("Transpose", ["x"], ["turned"], perm=[1, 0]),
        onnx.helper.make_node("MatMul", ["w", "turned"], ["y"]),
    ]
    return graph(nodes, {"w": weight}, (4, 784)).SerializeToString()


@pytest.mark.parametrize(
    ("filename", "content", "reads"),
    [
        ("border.onnx", perceptron_graph(nn.ModuleDict(LARGER).state_dict(), ("N", 1, 32, 32)),
         "standardised, in a black border"),
        ("border.tflite", perceptron(WIDE, (1, 32, 32, 1)), "-1..1, in a black border"),
        ("columns.onnx", columns(), "0..1"),
    ],
)  # fmt: skip
def test_a_graph_is_given_pictures_and_asked_for_answers_at_home_as_here(
    filename: str, content: bytes, reads: str, tmp_path: Path
) -> None:
    weights = shelf.open(content, filename, reads)
    assert weights.card.reads == reads
    assert_answers_as_here(weights, unpacked(weights, tmp_path))


@pytest.mark.pictures
@pytest.mark.real_data
@pytest.mark.parametrize("reads", ["20", "24", "25", "27", "28", "29", "30"])
def test_graphs_of_any_shape_go_home(reads: str, tmp_path: Path) -> None:
    (path,) = (Path(str(PICTURES)) / "strangers").glob(f"{reads}_*.onnx")
    weights = shelf.load(path)
    assert_answers_as_here(weights, unpacked(weights, tmp_path))


def test_the_training_that_goes_home_is_of_as_many_images_as_it_learned_from() -> None:
    model, card = shelf.load("fcnn-128")
    few = Weights(model, replace(card, limit=10_000))
    assert "[:10000]" in training_script(few.card)
    assert "On 10,000 images of Fashion-MNIST" in model_card(few)
    assert "[:10000]" not in training_script(card)
    assert Card.from_json(few.card.to_json()).limit == 10_000


def test_a_chain_goes_home(tmp_path: Path) -> None:
    torch.manual_seed(3)
    layers = [
        {"kind": "Conv2d", "inputs": 1, "outputs": 3, "size": [4, 4], "padding": [1, 2, 1, 2]},
        {"kind": "GELU"},
        {"kind": "Pool", "size": [2, 2], "stride": [2, 2], "padding": [0, 0, 0, 0], "mean": True},
        {"kind": "Flatten"},
        {"kind": "Linear", "in_features": 588, "out_features": 10},
    ]
    weights = Weights(Chain(layers).eval(), Card("chain", None, 0, layers=layers))
    home = unpacked(weights, tmp_path)
    assert_answers_as_here(weights, home)
    again, _ = shelf.load(home / "model.safetensors")
    assert (infer(again, IMAGES, CPU) == infer(weights.model, IMAGES, CPU)).all()


def test_an_ensemble_goes_home(tmp_path: Path) -> None:
    members = [
        Weights(MODELS[name].seeded(0).eval(), Card(name, name, 0)) for name in ("lenet-5", "gru")
    ]
    weights = ensembles.joined(members, "together")
    home = unpacked(weights, tmp_path)
    assert_answers_as_here(weights, home)
    again, _ = shelf.load(home / "model.safetensors")
    assert (infer(again, IMAGES, CPU) == infer(weights.model, IMAGES, CPU)).all()


def test_the_script_reads_a_large_dark_garment_on_white_as_it_reads_the_small_one(
    tmp_path: Path,
) -> None:
    home = unpacked(shelf.load("fcnn-128"), tmp_path)
    small, large = home / "small.png", home / "large.png"
    # Filled from edge to edge, so that the crop is the picture.
    Image.fromarray(IMAGES[0]).save(small)
    picture = Image.fromarray(255 - IMAGES[0]).resize((280, 280), Image.Resampling.BICUBIC)
    white = Image.new("RGB", (400, 330), "white")
    white.paste(picture.convert("RGB"), (60, 25))
    white.save(large)
    first, second = said_alone(home, small, large)
    assert max(first, key=first.get) == max(second, key=second.get)


def test_the_card_says_what_was_measured_and_holds_a_name_of_any_characters() -> None:
    confusion = np.diag([90] * 10) + 1
    figures = Figures(1000, 0.91, 0.25, confusion.tolist())
    label = 'Größtes "Netz": #1 \U0001f457 --- {{ x }}'
    card = Card(
        "mine", "fcnn-128", 101770, data="real", test=figures, validation=figures,
        recipe=MODELS["fcnn-128"].recipe.to_json(), best_epoch=3, seconds=61.0, device="a CPU",
        seeds=[Seed(0, 0.9, 0.91, None), Seed(1, 0.9, 0.92, None)], display_name=label,
    )  # fmt: skip
    text = model_card(Weights(MODELS["fcnn-128"].seeded(0), card))
    _, front, body = text.split("---\n", 2)
    metadata = yaml.safe_load(front)
    assert metadata["model-index"][0]["name"] == label
    assert metadata["datasets"] == ["zalando-datasets/fashion_mnist"]
    assert "license" not in metadata  # none was chosen, and "unknown" would say less
    assert f"# {label}\n" in body
    assert "91.00 % of 1,000 test images named right, cross-entropy 0.2500" in body
    assert "epoch 3 did best on the validation images" in body
    repeated = model_card(Weights(MODELS["fcnn-128"].seeded(0), replace(card, repeats="theirs")))
    assert "best on the validation images where `theirs` was trained alike" in repeated
    assert "91.00 %, 92.00 %" in body
    assert "| Trouser | 91.0 % | 91.0 % |" in body
    drawn = model_card(
        Weights(
            MODELS["fcnn-128"].seeded(0), Card("mine", "fcnn-128", 0, data="drawn", test=figures)
        )
    )
    assert "model-index" not in drawn
    assert "drawn garments, not of Fashion-MNIST" in drawn
