import argparse
import collections
import io
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from strangers import pickled
from torch import Tensor, nn
from torch.nn import functional

from fmnist.data import splits
from fmnist.models.chain import Chain
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import opening, pairs, pickles, stacks

IMAGES = torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Pooling and activations are in its program; its modules don't say so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, dilation=2)
        self.conv2 = nn.Conv2d(8, 12, 4, stride=2, padding=3)
        self.fc = nn.Linear(12 * 49, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.conv1(x).relu()).relu()
        return self.fc(functional.max_pool2d(x, 2).flatten(1))


class Blocks(nn.Module):
    """Modules in the order in which they are passed; only the flattening is in its program."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 5), nn.Tanh(), nn.AvgPool2d(3))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(256, 10), nn.LogSoftmax(1))
        self.criterion = nn.CrossEntropyLoss(weight=torch.ones(10))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


class Called(nn.Linear):
    """Its pickle calls a function."""

    def __init__(self, path: Path) -> None:
        super().__init__(784, 10)
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def in_a_row() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding="same"), nn.BatchNorm2d(8, eps=1e-3), nn.LeakyReLU(0.3),
        nn.MaxPool2d(3, 2, 1), nn.Sequential(nn.Conv2d(8, 6, 3, 2, (1, 0), bias=False)),
        nn.ELU(0.7), nn.PReLU(6), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d((3, 2)), nn.Flatten(),
        nn.Dropout(), nn.Linear(36, 16), nn.BatchNorm1d(16), nn.GELU("tanh"), nn.Linear(16, 10),
    )  # fmt: skip
    model(torch.rand(64, 1, 28, 28))  # in training: normalisations that no two are alike
    return model.eval()


def legacy(value: object) -> bytes:
    content = io.BytesIO()
    torch.save(value, content, _use_new_zipfile_serialization=False)
    return content.getvalue()


def rebuilt(content: bytes) -> Chain:
    """The chain of a whole model's modules, which is given what that is given."""
    whole = pickles.read(content, "theirs.pt", opening.makes_network)
    assert whole.row
    chain = Chain([layer for layer, _ in whole.row], opening._by_layer(whole)).eval()
    chain.standardize = nn.Identity()
    return chain


@pytest.mark.parametrize("save", [pickled, legacy])
@pytest.mark.parametrize(
    "around",
    [
        lambda m: m,
        nn.DataParallel,
        lambda m: {"epoch": 3, "model": m},
        lambda m: (m, torch.optim.Adam(m.parameters())),
    ],
    ids=["alone", "in parallel", "in a checkpoint", "before its optimizer"],
)
def test_a_whole_sequential_is_rebuilt_exactly(save, around) -> None:
    theirs = in_a_row()
    with torch.inference_mode():
        assert torch.allclose(rebuilt(save(around(theirs)))(IMAGES), theirs(IMAGES), atol=1e-6)


OPTIONS = (
    nn.Softplus(beta=5), nn.CELU(0.3), nn.Hardtanh(-0.2, 0.4), nn.ELU(0.3), nn.LeakyReLU(0.4),
    nn.GELU("tanh"), nn.Softmax(1), nn.Hardswish(), nn.ReLU6(), nn.LayerNorm(12, eps=0.5),
    nn.LayerNorm(12, elementwise_affine=False), nn.LayerNorm(12, bias=False),
)  # fmt: skip


@pytest.mark.parametrize("layer", OPTIONS, ids=str)
def test_a_layer_keeps_the_options_that_its_module_has(layer: nn.Module) -> None:
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Flatten(), nn.Linear(784, 12), layer, nn.Linear(12, 10)).eval()
    with torch.inference_mode():
        assert torch.allclose(rebuilt(pickled(theirs))(IMAGES), theirs(IMAGES), atol=1e-6)


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Flatten(1, 2), nn.Linear(28, 10), nn.Flatten(), nn.Linear(280, 10)),
        (nn.AvgPool2d(2, divisor_override=3), nn.Flatten(), nn.Linear(196, 10)),
    ],
    ids=["flattened in part", "another divisor"],
)
def test_what_an_option_makes_of_a_layer_that_is_none_here_is_no_row(layers) -> None:
    assert (
        pickles.read(pickled(nn.Sequential(*layers)), "theirs.pt", opening.makes_network).row
        is None
    )


def test_modules_in_their_order_are_one_way_to_wire_a_custom_model() -> None:
    torch.manual_seed(0)
    theirs = Blocks().eval()
    with torch.inference_mode():
        ours = rebuilt(pickled(theirs))(IMAGES).log_softmax(1)
        assert torch.allclose(ours, theirs(IMAGES), atol=1e-6)
    assert not pickles.read(pickled(theirs), "theirs.pt", opening.makes_network).certain


def test_strides_and_paddings_are_read_where_the_rest_is_in_a_program() -> None:
    torch.manual_seed(0)
    theirs = Net().eval()
    whole = pickles.read(pickled(theirs), "theirs.pt", opening.makes_network)
    assert whole.convolved == {"conv1": (1, 1, 2), "conv2": (2, 3, 1)}
    stack = stacks.read(whole.tensors, convolved=whole.convolved)
    ways = stack.geometries()
    assert {tuple(step[:2] for step in way.steps) for way in ways} == {((1, 1), (2, 3))}
    with torch.inference_mode():
        said = []
        for way in ways:
            ours = stack.built(way, stacks.Style())
            ours.standardize = nn.Identity()
            said.append(torch.allclose(ours(IMAGES), theirs(IMAGES), atol=1e-5))
    assert any(said)


@pytest.mark.slow
@pytest.mark.real_data
def test_a_whole_model_opens_with_its_figure() -> None:
    torch.manual_seed(0)
    theirs = Net()
    split = splits.load("train", "real", 4000)
    pixels, labels = torch.tensor(split.images)[:, None] / 127.5 - 1, torch.tensor(split.labels)
    optimizer = torch.optim.Adam(theirs.parameters(), 3e-3)
    for rows in torch.randperm(16_000).remainder(4000).split(100):
        optimizer.zero_grad()
        functional.cross_entropy(theirs(pixels[rows]), labels[rows].long()).backward()
        optimizer.step()
    model, card = shelf.open(pickled(theirs.eval()), "theirs.pt")
    assert card.doubt is None
    test = splits.load("test", "real", 500)
    with torch.inference_mode():
        expected = theirs(torch.tensor(test.images)[:, None] / 127.5 - 1)
        ours = model(torch.tensor(test.images)[:, None] / 255)
    assert (card.reads, card.taken_for) == ("-1..1", "ReLU, max pooling 2, stride 1-2, padding 1-3")
    assert torch.allclose(ours, expected, atol=1e-4)


def test_a_model_of_unknown_parts_is_refused_with_the_lines_that_save_it() -> None:
    theirs = nn.Sequential(nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.Flatten(),
                           nn.Linear(2704, 10))  # fmt: skip
    with pytest.raises(WeightsError) as caught:
        shelf.open(pickled(theirs), "theirs.pt")
    assert "InstanceNorm2d" in str(caught.value)
    assert 'torch.save(model.state_dict(), "model.pt")' in str(caught.value)
    assert "torch.onnx.export(" in str(caught.value)


@pytest.mark.parametrize(
    ("end", "probabilities"),
    [
        (nn.Softmax(1), lambda logits: logits.softmax(1)),
        (nn.Sigmoid(), lambda logits: logits.exp()),  # of each class by itself
    ],
)
def test_a_row_that_ends_in_probabilities_is_read_as_far_as_their_logits(
    end: nn.Module, probabilities
) -> None:
    theirs = nn.Sequential(*in_a_row(), end).eval()
    with torch.inference_mode():
        ours = rebuilt(pickled(theirs))(IMAGES)
        assert torch.allclose(probabilities(ours), theirs(IMAGES), atol=1e-6)


class Settings(dict):
    """A mapping of the stranger's own."""


BESIDE = {
    "args": argparse.Namespace(lr=0.1, out=Path("runs/7")),
    "criterion": nn.CrossEntropyLoss(),
    "best_acc": np.float64(0.91),
    "curve": np.arange(3.0),
    "history": collections.defaultdict(list, loss=[2.0, 1.0]),
    "settings": Settings(depth=3),
    "callbacks": [argparse.Namespace(patience=3)],
}


@pytest.mark.parametrize("save", [pickled, legacy])
@pytest.mark.parametrize("beside", list(BESIDE))
def test_a_state_dict_is_read_whatever_a_training_saved_beside_it(save, beside: str) -> None:
    theirs = in_a_row().state_dict()
    for saved in ({beside: BESIDE[beside], "net": theirs}, {"net": theirs} | BESIDE):
        read = pickles.read(save(saved), "theirs.pt", opening.makes_network).tensors
        assert read.keys() == theirs.keys()
        assert all(torch.equal(read[name], theirs[name]) for name in read)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_in_a_plain_pickle_are_read_by_their_names_or_in_their_order(protocol: int) -> None:
    arrays = {"W1": np.random.rand(784, 12), "b1": np.zeros(12), "W2": np.ones((12, 10))}
    for saved in (arrays, list(arrays.values()), {"params": arrays, "epoch": 3}):
        read = pickles.read(
            pickle.dumps(saved, protocol), "theirs.pkl", opening.makes_network
        ).tensors
        assert list(read) == (["0", "1", "2"] if isinstance(saved, list) else list(arrays))
        for ours, theirs in zip(read.values(), arrays.values(), strict=True):
            assert np.array_equal(ours.numpy(), theirs)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
def test_of_vectors_of_one_length_each_goes_to_the_matrix_of_its_number(order: tuple) -> None:
    matrices = {f"W{n}": torch.rand(a, b) for n, (a, b) in enumerate([(784, 8), (8, 8), (8, 10)])}
    vectors = {f"b{n}": torch.rand(8 if n < 2 else 10) for n in order}
    for tensors in (matrices | vectors, vectors | matrices):
        layers = pairs.paired(tensors)
        assert layers is not None
        for n in range(3):
            assert torch.equal(layers[f"{n}.weight"], matrices[f"W{n}"].T)
            assert torch.equal(layers[f"{n}.bias"], vectors[f"b{n}"])


def test_a_whole_model_is_read_whatever_a_training_saved_beside_it() -> None:
    theirs = in_a_row()
    with torch.inference_mode():
        ours = rebuilt(pickled(BESIDE | {"model": theirs}))(IMAGES)
        assert torch.allclose(ours, theirs(IMAGES), atol=1e-6)


@pytest.mark.parametrize("save", [pickled, legacy])
def test_what_a_pickle_calls_is_never_called(save, tmp_path: Path) -> None:
    mark = tmp_path / "canary"
    with warnings.catch_warnings(action="ignore"), pytest.raises(WeightsError, match="more than"):
        shelf.open(save(nn.Sequential(nn.Flatten(), Called(mark))), "evil.pt")
    assert not mark.exists()
