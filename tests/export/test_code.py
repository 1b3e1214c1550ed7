import ast
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from strangers import perceptron_graph, stranger

from fmnist.data import splits
from fmnist.data.splits import Split
from fmnist.export import code
from fmnist.export.graph import to_onnx
from fmnist.models import MODELS, building
from fmnist.models.chain import Chain
from fmnist.models.recipe import Recipe
from fmnist.training import loop
from fmnist.weights import shelf

CPU = torch.device("cpu")
LIMIT = 90
ONE_EPOCH = Recipe(epochs=1, batch_size=32, precision="float32", seed=5)
FULL = ("flip", "shift", "erase")


@pytest.fixture(autouse=True, scope="module")
def _few_held_out() -> Iterator[None]:
    """Both judge each epoch on a few images, and nobody else is given such a script."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "VALIDATION_PER_CLASS", 30)
        yield
    code._script.cache_clear()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Split]:
    """A folder with four files of noise as Fashion-MNIST's are, and the training images in them."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("published")
    (folder / "data").mkdir()
    contents = {}
    for kind, count in (("train", 5100), ("t10k", 50)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        contents[kind] = Split(images, labels)
        for name, head, array in (("images-idx3", 16, images), ("labels-idx1", 8, labels)):
            path = folder / "data" / f"{kind}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(bytes(head) + array.tobytes(), 1))
    return folder, contents["train"]


def trained(
    architecture: str, recipe: Recipe, train: Split, teacher: torch.nn.Module | None = None
) -> dict[str, torch.Tensor]:
    """The tensors that the project itself comes to on those images."""
    parts = []
    for name, limit in (("train", LIMIT), ("validation", None)):
        rows = splits.positions(name, train.labels)[:limit]
        parts.append(Split(train.images[rows], train.labels[rows]))
    model = MODELS[architecture].seeded(recipe.seed)
    list(loop.train(model, tuple(parts), recipe, CPU, teacher=teacher))
    return model.state_dict()


def assert_same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def recipes() -> Iterator[pytest.param]:
    quick = {"softmax", "tinyvgg", "residual-100k", "gru"}
    for name, spec in MODELS.items():
        recipe = replace(
            spec.recipe, epochs=1, batch_size=32, precision="float32", teacher=None, everyday=0.0,
            people=0.0, seed=5,
        )  # fmt: skip
        yield pytest.param(name, recipe, marks=() if name in quick else pytest.mark.slow, id=name)
    adamw = replace(ONE_EPOCH, augment=FULL, label_smoothing=0.1, epochs=2, schedule="cosine")
    yield pytest.param("fcnn-small", adamw, id="two epochs of AdamW, cosine")
    yield pytest.param("fcnn-small", replace(ONE_EPOCH, augment=()), id="nothing augmented")
    mean = replace(ONE_EPOCH, augment=(), averaging=0.7, epochs=2)
    yield pytest.param("fcnn-small", mean, id="weights averaged")
    mixed = replace(ONE_EPOCH, augment=("flip",), mixing=0.5, label_smoothing=0.1)
    yield pytest.param("fcnn-small", mixed, id="mixed")
    moved = replace(ONE_EPOCH, adversarial=0.1)
    yield pytest.param("cnn-normalized", moved, id="adversarial")
    muon = replace(ONE_EPOCH, optimizer="muon", augment=FULL, lr=0.02, precision="bfloat16")
    yield pytest.param("fcnn-small", muon, id="Muon, everything augmented, bfloat16")


@pytest.mark.parametrize(("architecture", "recipe"), list(recipes()))
def test_the_script_trains_to_what_the_project_does(
    architecture: str,
    recipe: Recipe,
    published: tuple[Path, Split],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, train = published
    text = code.script(architecture, recipe, LIMIT)
    assert "fmnist" not in text.replace("fashion-mnist", "")
    monkeypatch.chdir(folder)
    exec(compile(text, "train.py", "exec"), {"__name__": "__main__"})
    saved = torch.load(folder / f"{architecture}.pt", weights_only=True)
    assert_same(saved, trained(architecture, recipe, train))
    assert "test accuracy" in capsys.readouterr().out


@pytest.mark.slow
def test_the_script_needs_nothing_of_the_project(published: tuple[Path, Split]) -> None:
    folder, train = published
    recipe = replace(ONE_EPOCH, augment=FULL, label_smoothing=0.1)
    (folder / "train.py").write_text(code.script("fcnn-128", recipe, LIMIT))
    alone = subprocess.run(
        [sys.executable, "-I", "train.py"], cwd=folder, capture_output=True, text=True
    )
    assert alone.returncode == 0, alone.stderr
    saved = torch.load(folder / "fcnn-128.pt", weights_only=True)
    assert_same(saved, trained("fcnn-128", recipe, train))


def test_the_script_learns_from_a_teacher_that_was_taken_home(
    published: tuple[Path, Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, train = published
    teacher = MODELS["fcnn-128"].seeded(1).eval()
    (folder / "cnn").mkdir()
    (folder / "cnn" / "model.onnx").write_bytes(to_onnx(teacher))
    recipe = replace(ONE_EPOCH, teacher="cnn", label_smoothing=0.1)
    monkeypatch.chdir(folder)
    exec(compile(code.script("softmax", recipe, LIMIT), "train.py", "exec"), {})
    saved = torch.load(folder / "softmax.pt", weights_only=True)
    assert_same(saved, trained("softmax", recipe, train, teacher))


def test_the_script_leaves_out_a_teacher_that_is_somebodys_graph() -> None:
    graph = perceptron_graph(stranger("fcnn").state_dict())
    shelf.keep(shelf.open(graph, "theirs.onnx"), "theirs")
    taught = code.script("softmax", replace(ONE_EPOCH, teacher="theirs"))
    assert "Left out: what theirs answers" in taught
    assert "onnxruntime" not in taught
    labels = code.script("softmax", ONE_EPOCH)
    assert set(labels.splitlines()) <= set(taught.splitlines())


@pytest.mark.parametrize("architecture", MODELS)
def test_the_script_of_every_shipped_recipe_is_well_formed_and_defines_each_name_once(
    architecture: str,
) -> None:
    recipe = MODELS[architecture].recipe
    text = code.script(architecture, recipe)
    tree = ast.parse(text)
    assert max(map(len, text.splitlines())) <= 120
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert len(defined) == len(set(defined))
    assert ("Left out" in text) == bool(recipe.everyday or recipe.people)
    assert "to the epoch of theirs" in code.script(architecture, recipe, repeats="theirs")


def test_the_notebook_has_the_scripts_code_in_order() -> None:
    text = code.script("cnn", MODELS["cnn"].recipe)
    document = json.loads(code.notebook(text))
    cells = document["cells"]
    assert (document["nbformat"], cells[0]["cell_type"]) == (4, "markdown")
    assert cells[0]["source"][0] == "# Two convolutions, three linear layers\n"
    program = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    assert ast.dump(ast.parse(program)) == ast.dump(ast.parse(text))


BUILT = {
    "convolutions": ["Convolution", "Batch normalisation", "ReLU", "Pool", "Residual", "Dropout"],
    "recurrent": ["Convolution", "Pool", "GRU", "LSTM", "Dense", "Batch normalisation"],
}


def test_the_code_of_a_network_that_was_built_is_as_short_as_torch_lets_it_be() -> None:
    kinds = ["Convolution", "ReLU", "Pool", "Dense"]
    text = code.network(building.chain([building.brick(kind) for kind in kinds]))
    assert (
        "    nn.Conv2d(1, 16, kernel_size=3, padding=1),\n    nn.ReLU(),\n    nn.MaxPool2d(2),"
        in text
    )
    assert "class Convolution" not in text
    uneven = building.brick("Convolution") | {"size": 2}  # pads one side more
    assert "class Convolution" in code.network(building.chain([uneven]))


@pytest.mark.parametrize("name", BUILT)
def test_the_code_of_a_network_that_was_built_answers_as_it_does(name: str) -> None:
    layers = building.chain([building.brick(kind) for kind in BUILT[name]])
    built = Chain(layers).eval()
    text = code.network(layers)
    assert "fmnist" not in text
    scope: dict[str, torch.nn.Module] = {}
    exec(text, scope)
    written = scope["model"].to(memory_format=torch.channels_last).eval()  # rounds as ours does
    tensors = built.state_dict().values()
    assert len(written.state_dict()) == len(tensors)
    written.load_state_dict(dict(zip(written.state_dict(), tensors, strict=True)))
    images = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        assert torch.equal(written(images), built(images))
