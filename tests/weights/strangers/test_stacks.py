from types import MappingProxyType

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from strangers import pickled
from torch import Tensor, nn
from torch.nn import functional

from fmnist.data import splits
from fmnist.models import MODELS, ModelSpec, inference
from fmnist.models.chain import Chain, Layer
from fmnist.models.layers import Classifier, Standardize
from fmnist.weights import shelf
from fmnist.weights.strangers import formats, opening, stacks, trials
from fmnist.weights.strangers.stacks import Geometry, StackError, Step, Style

CPU = torch.device("cpu")
IMAGES = torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def settled(model: nn.Module) -> nn.Module:
    """Out of training, with normalisations that no two are alike."""
    generator = torch.Generator().manual_seed(1)
    for name, buffer in model.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5, generator=generator)
    return model.eval()


def conv_block(
    *channels: int, size: int = 3, padding: int = 0, norm: bool = False
) -> list[nn.Module]:
    inputs, outputs = channels
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, size, padding=padding)]
    return layers + [nn.BatchNorm2d(outputs)] * norm + [nn.ReLU(), nn.MaxPool2d(2)]


NETWORKS = {
    "LeNet": nn.Sequential(
        *conv_block(1, 6, size=5, padding=2), *conv_block(6, 16, size=5), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ),
    "two convolutions": nn.Sequential(
        *conv_block(1, 8, padding=1, norm=True), *conv_block(8, 12, padding=1, norm=True),
        nn.Flatten(), nn.Linear(588, 10),
    ),
    "TinyVGG": nn.Sequential(
        nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), *conv_block(10, 10, padding=1),
        nn.Conv2d(10, 10, 3, padding=1), nn.ReLU(), *conv_block(10, 10, padding=1),
        nn.Flatten(), nn.Linear(490, 10),
    ),
    "even kernels": nn.Sequential(
        nn.Conv2d(1, 10, 2, padding=1), nn.ReLU(), *conv_block(10, 10, size=2, padding=1),
        nn.Conv2d(10, 10, 2, padding=1), nn.ReLU(), *conv_block(10, 10, size=2, padding=1),
        nn.Flatten(), nn.Linear(640, 10),
    ),
    "strides": nn.Sequential(
        nn.Conv2d(1, 8, 5, 2, 2), nn.ReLU(), nn.Conv2d(8, 16, 5, 2, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(784, 10),
    ),
    "global": nn.Sequential(
        *conv_block(1, 8, padding=1), *conv_block(8, 16, padding=1), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(16, 10),
    ),
    "no convolution": nn.Sequential(
        nn.Flatten(), nn.Linear(784, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Linear(20, 10),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_the_wiring_of_a_plain_stack_is_among_the_first_that_are_tried(name: str) -> None:
    theirs = settled(NETWORKS[name])
    stack = stacks.read(theirs.state_dict())
    with torch.inference_mode():
        expected = theirs(IMAGES)
        places = []
        for place, geometry in enumerate(stack.geometries()):
            ours = stack.built(geometry, Style())
            ours.standardize = nn.Identity()
            if torch.allclose(ours(IMAGES), expected, atol=1e-5):
                places.append(place)
    assert places
    assert places[0] < 8


PLAIN = Style()


def rebuilt(theirs: nn.Module, style: Style = PLAIN) -> list[int]:
    """The places at which a stack of those shapes answers as they do, of all that are listed."""
    stack = stacks.read(settled(theirs).state_dict())
    found = []
    with torch.inference_mode():
        expected = theirs(IMAGES)
        for place, geometry in enumerate(stack.geometries()):
            ours = stack.built(geometry, style)
            ours.standardize = nn.Identity()
            if torch.allclose(ours(IMAGES), expected, atol=1e-5):
                found.append(place)
    return found


class Larger(nn.Module):
    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.interpolate(images, (self.side, self.side), mode="bilinear")


@pytest.mark.parametrize(
    "theirs",
    [
        nn.Sequential(Larger(32), nn.Flatten(), nn.Linear(1024, 10)),
        nn.Sequential(
            Larger(32), *conv_block(1, 6, size=5), *conv_block(6, 16, size=5), nn.Flatten(),
            nn.Linear(400, 10),
        ),
        nn.Sequential(Larger(64), *conv_block(1, 4, padding=1), nn.Flatten(), nn.Linear(4096, 10)),
    ],
    ids=["linear", "LeNet", "64"],
)  # fmt: skip
def test_pictures_that_are_made_larger_before_are_among_the_ways(theirs: nn.Module) -> None:
    assert rebuilt(theirs)


@pytest.mark.parametrize("reads", trials.READINGS)
def test_pictures_with_a_black_border_are_among_the_ways(reads: str) -> None:
    torch.manual_seed(0)
    lenet = [*conv_block(1, 6, size=5), *conv_block(6, 16, size=5)]
    theirs = nn.Sequential(*lenet, nn.Flatten(), nn.Linear(400, 10))
    stack = stacks.read(theirs.state_dict())
    geometry = next(way for way in stack.geometries() if way.side == 32)
    assert (geometry, Style(bordered=True)) in stack.near(geometry, Style())
    ours = stack.built(geometry, Style(bordered=True))
    trials.read_as(ours, reads)
    mean, std = trials.READINGS[reads]
    with torch.inference_mode():
        expected = theirs((functional.pad(IMAGES, [2] * 4) - mean) / std)
        assert torch.allclose(ours(IMAGES), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "order",
    [
        ["conv1", "conv2", "conv3", "bn1", "bn2", "bn3", "fc"],
        ["conv1", "conv2", "conv3", "fc", "bn1", "bn2", "bn3"],
        ["bn1", "bn2", "bn3", "conv1", "conv2", "conv3", "fc"],
        ["conv1", "bn1", "conv2", "conv3", "bn2", "bn3", "fc"],
    ],
    ids=" ".join,
)
def test_of_several_norms_in_a_row_each_follows_the_layer_of_its_number(order: list[str]) -> None:
    made = {
        "conv1": nn.Conv2d(1, 8, 3), "conv2": nn.Conv2d(8, 8, 3), "conv3": nn.Conv2d(8, 8, 3),
        "fc": nn.Linear(8 * 22 * 22, 10), **{f"bn{i}": nn.BatchNorm2d(8) for i in (1, 2, 3)},
    }  # fmt: skip
    stack = stacks.read(nn.ModuleDict({name: made[name] for name in order}).state_dict())
    norms = {layer: part.name for layer, part in stack.norms.items()}
    assert norms == {"conv1": "bn1", "conv2": "bn2", "conv3": "bn3"}


def test_of_norms_in_a_row_without_numbers_the_last_follows_the_last_layer() -> None:
    names = {"a": nn.Linear(784, 9), "b": nn.Linear(9, 9), "c": nn.Linear(9, 9),
             "second": nn.BatchNorm1d(9), "third": nn.BatchNorm1d(9),
             "end": nn.Linear(9, 10)}  # fmt: skip
    stack = stacks.read(nn.ModuleDict(names).state_dict())
    norms = {layer: part.name for layer, part in stack.norms.items()}
    assert norms == {"b": "second", "c": "third"}


@pytest.mark.parametrize(
    ("pool", "inputs"),
    [(nn.MaxPool2d(3, 2, 1), 980), (nn.MaxPool2d(2, ceil_mode=True), 720)],
    ids=["padded", "rounded up"],
)
def test_pooling_that_hangs_over_the_edge_is_among_the_ways(pool: nn.Module, inputs: int) -> None:
    first, second = (nn.Conv2d(1, 4, 3), nn.Conv2d(4, 20, 3))
    if inputs == 980:
        first, second = (nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 20, 3, padding=1))
    row = [first, nn.ReLU(), pool, second, nn.ReLU(), pool, nn.Flatten(), nn.Linear(inputs, 10)]
    assert rebuilt(nn.Sequential(*row))


def test_norms_of_linears_and_an_activation_at_the_end_are_tried() -> None:
    theirs = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 12), nn.ReLU(), nn.BatchNorm1d(12), nn.Linear(12, 10),
        nn.ReLU(),
    )  # fmt: skip
    after, ended = Style(norms="after activation"), Style(end="ReLU")
    stack = stacks.read(theirs.state_dict())
    near = [style for _, style in stack.near(stack.geometries()[0], Style())]
    assert {after, ended} <= set(near)
    assert rebuilt(theirs, after._replace(end="ReLU")) == [0]


def test_a_norm_of_the_answers_is_no_part_that_is_left_out() -> None:
    hidden = [nn.Linear(784, 12), nn.BatchNorm1d(12), nn.ReLU()]
    assert rebuilt(nn.Sequential(nn.Flatten(), *hidden, nn.Linear(12, 10), nn.BatchNorm1d(10)))


def test_three_channels_may_be_standardised_as_those_of_imagenet() -> None:
    means, stds = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406),
                                                           (0.229, 0.224, 0.225)))  # fmt: skip
    inside = nn.Sequential(*conv_block(3, 4), nn.Flatten(), nn.Linear(676, 10))
    stack = stacks.read(inside.state_dict())
    geometry = stack.geometries()[0]
    assert Style(colours=True) in [style for _, style in stack.near(geometry, Style())]
    ours = stack.built(Geometry((Step(1, 0, (2, 2)),), None, 0.0), Style(colours=True))
    ours.standardize = nn.Identity()
    with torch.inference_mode():
        expected = inside((IMAGES.expand(-1, 3, -1, -1) - means) / stds)
        assert torch.allclose(ours(IMAGES), expected, atol=1e-5)


class Sequences(nn.Module):
    """A recurrent network over rows of some pixels, or over columns."""

    def __init__(self, cell: nn.RNNBase, columns: bool, most: bool) -> None:
        super().__init__()
        self.cell, self.head = cell, nn.Linear(cell.hidden_size, 10)
        self.columns, self.most = columns, most

    def forward(self, images: Tensor) -> Tensor:
        images = images.mT if self.columns else images
        states = self.cell(images.reshape(len(images), -1, self.cell.input_size))[0]
        return self.head(states.max(1)[0] if self.most else states[:, -1])


@pytest.mark.parametrize(
    ("theirs", "style"),
    [
        (Sequences(nn.GRU(28, 5, batch_first=True), True, False), Style(columns=True)),
        (Sequences(nn.LSTM(28, 5, batch_first=True), False, True), Style(states="max")),
        (Sequences(nn.GRU(14, 5, batch_first=True), False, False), Style()),
        (Sequences(nn.RNN(28, 5, nonlinearity="relu", batch_first=True), False, False), Style()),
        (Sequences(nn.RNN(28, 5, batch_first=True), False, False), Style("Tanh")),
    ],
    ids=["columns", "greatest", "14", "RNN, ReLU", "RNN, Tanh"],
)
def test_columns_and_sequences_of_other_steps_are_among_the_ways(
    theirs: nn.Module, style: Style
) -> None:
    assert style in stacks.read(theirs.state_dict()).styles()
    assert rebuilt(theirs, style) == [0]


STYLES = [
    (Style("Tanh", "Tanh", mean=True), [nn.Tanh(), nn.AvgPool2d(2)]),
    (Style("ELU", "ELU", norms="after activation"), [nn.ELU(), None, nn.MaxPool2d(2)]),
    (Style("SiLU", "SiLU", norms="after pooling"), [nn.SiLU(), nn.MaxPool2d(2), None]),
    (Style("GELU", "GELU"), [None, nn.GELU(), nn.MaxPool2d(2)]),
]


@pytest.mark.parametrize(("style", "behind"), STYLES, ids=lambda value: str(value)[:20])
def test_activations_pooling_and_the_place_of_norms_are_tried(
    style: Style, behind: list[nn.Module | None]
) -> None:
    norm = nn.BatchNorm2d(6)
    theirs = settled(
        nn.Sequential(
            nn.Conv2d(1, 6, 3),
            *(layer or norm for layer in behind),
            nn.Flatten(),
            nn.Linear(1014, 10),
        )
    )
    stack = stacks.read(theirs.state_dict())
    geometry = Geometry((Step(1, 0, (2, 2)),), None, 0.0)
    assert (
        style in [order for one in stack.styles() for order in stack.orders(geometry, one)]
        or not stack.norms
    )
    ours = stack.built(geometry, style)
    ours.standardize = nn.Identity()
    with torch.inference_mode():
        assert torch.allclose(ours(IMAGES), theirs(IMAGES), atol=1e-5)


WIRINGS = {
    "one activation of another kind": (
        nn.Sequential(nn.Flatten(), nn.Linear(784, 9), nn.ReLU(), nn.Linear(9, 8), nn.Tanh(),
             nn.Linear(8, 10)),
        Style(odd=(1, "Tanh")),
    ),
    "none between two linears": (
        nn.Sequential(*conv_block(1, 4), nn.Flatten(), nn.Linear(676, 9), nn.ReLU(),
             nn.Linear(9, 8), nn.Linear(8, 10)),
        Style(odd=(2, "no activation")),
    ),
    "activation after pooling": (
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.AvgPool2d(2), nn.ReLU(), nn.Flatten(),
                      nn.Linear(676, 10)),
        Style(mean=True, late=True),
    ),
    "separable convolutions": (
        nn.Sequential(*conv_block(1, 4, padding=1), nn.Conv2d(4, 4, 3, padding=1, groups=4),
             nn.Conv2d(4, 6, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(294, 10)),
        Style(bare=True),
    ),
    "the greatest of maps": (
        nn.Sequential(*conv_block(1, 4, padding=1), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(),
             nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 10)),
        Style(tops=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WIRINGS)
def test_what_differs_in_one_respect_from_the_usual_is_near_it(name: str) -> None:
    theirs, style = WIRINGS[name]
    stack = stacks.read(settled(theirs).state_dict())
    places = rebuilt(theirs, style)
    assert places
    geometry = stack.geometries()[places[0]]
    before = Style(mean=style.mean)
    assert style in [other for _, other in stack.near(geometry, before)]
    assert style.cost > before.cost
    assert stack.taken_for(geometry, style) != stack.taken_for(geometry, before)


def without_standardize(name: str) -> dict[str, Tensor]:
    model, _ = shelf.load(name)
    return {key: t for key, t in model.state_dict().items() if not key.startswith("standardize.")}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", ["fcnn", "cnn", "gru", "bilstm"])
def test_shipped_weights_are_rebuilt_where_the_registry_does_not_know_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = without_standardize(name)
    ours, _ = shelf.load(name)
    others = {key: spec for key, spec in MODELS.items() if key.startswith("residual")}
    monkeypatch.setattr(opening, "MODELS", MappingProxyType(others))
    opened = opening.open_file(pickled(tensors), "theirs.pt")
    assert isinstance(opened.model, Chain)
    assert (opened.architecture, opened.doubt) == (None, None)
    images = splits.load("test", "real", 300).images
    said, expected = (inference.infer(model, images, CPU) for model in (opened.model, ours))
    assert np.allclose(said, expected, atol=1e-3)


class Strided(Classifier):
    """The shapes of a network that pools, but a stride in place of the pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(1568, 10)


@pytest.mark.slow
@pytest.mark.real_data
def test_a_registered_shape_is_one_way_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModelSpec("strided", "Strided", "cnn", "A twin.", Strided, MODELS["cnn"].recipe)
    monkeypatch.setattr(opening, "MODELS", MappingProxyType({spec.name: spec}))
    monkeypatch.setattr(formats, "MODELS", MappingProxyType({spec.name: spec, **MODELS}))
    torch.manual_seed(0)
    theirs = nn.Sequential(*conv_block(1, 8, padding=1), nn.Flatten(), nn.Linear(1568, 10))
    split = splits.load("train", "real", 4000)
    pixels = torch.tensor(split.images)[:, None] / 255
    labels = torch.tensor(split.labels).long()
    optimizer = torch.optim.Adam(theirs.parameters(), 3e-3)
    for rows in torch.randperm(12_000).remainder(4000).split(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(theirs(pixels[rows]), labels[rows]).backward()
        optimizer.step()
    opened = opening.open_file(pickled(theirs.state_dict()), "theirs.pt")
    assert (opened.architecture, opened.taken_for) == (None, "ReLU, max pooling 2, padding 1")
    images = splits.load("test", "real", 500).images
    with torch.inference_mode():
        expected = theirs(torch.tensor(images)[:, None] / 255).numpy()
    assert opened.reads == "0..1"
    assert np.allclose(inference.infer(opened.model, images, CPU), expected, atol=1e-4)


@pytest.mark.real_data
def test_a_network_of_digits_names_no_garments_in_whatever_order() -> None:
    digits = load_digits()
    images = functional.interpolate(torch.tensor(digits.images).float()[:, None], 28) / 16
    labels = torch.tensor(digits.target)
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(theirs.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        functional.cross_entropy(theirs(images), labels).backward()
        optimizer.step()
    assert (theirs(images).argmax(1) == labels).float().mean() > 0.9
    opened = opening.open_file(pickled(theirs.state_dict()), "digits.pt")
    assert "names no garments" in str(opened.doubt)
    assert opened.order is None


@pytest.mark.real_data
def test_classes_in_another_order_are_noticed() -> None:
    tensors = without_standardize("fcnn")
    order = torch.arange(9, -1, -1)
    for leaf in ("weight", "bias"):
        tensors[f"head.{leaf}"] = tensors[f"head.{leaf}"][order]
    opened = opening.open_file(pickled(tensors), "theirs.pt")
    assert "another order" in str(opened.doubt)
    assert "Ankle boot, Bag, Sneaker" in str(opened.doubt)
    assert opened.order == tuple(range(9, -1, -1))
    images = splits.load("test", "real", 300).images
    put_right = opening.reordered(opened.model, opened.order)
    expected = inference.infer(shelf.load("fcnn")[0], images, CPU)
    assert np.allclose(inference.infer(put_right, images, CPU), expected, atol=1e-3)
    assert not np.allclose(inference.infer(opened.model, images, CPU), expected, atol=1e-3)


LAST: dict[str, list[Layer]] = {
    "each by itself": [
        {"kind": "Conv2d", "inputs": 1, "outputs": 10, "size": [3, 3]},
        {"kind": "Conv2d", "inputs": 10, "outputs": 10, "size": [3, 3], "groups": 10},
        {"kind": "GlobalPool", "mean": True},
    ],
    "of fewer channels": [
        {"kind": "Conv2d", "inputs": 1, "outputs": 2, "size": [3, 3]},
        {"kind": "AdaptivePool", "output_size": [1, 5]},
        {"kind": "Flatten"},
    ],
    "all together": [
        {"kind": "Flatten"},
        {"kind": "Linear", "in_features": 784, "out_features": 10},
    ],
}


@pytest.mark.parametrize("last", LAST)
def test_another_order_of_the_classes_is_put_right_however_the_answers_are_made(last: str) -> None:
    model = Chain(LAST[last]).eval()
    order = torch.randperm(10).tolist()
    images = torch.rand(5, 1, 28, 28)
    with torch.inference_mode():
        put_right = opening.reordered(model, order).eval()(images)
        assert torch.allclose(put_right, model(images)[:, order], atol=1e-6)


@pytest.mark.parametrize(
    "tensors",
    [
        {"a.weight": torch.zeros(10, 784), "b.scale": torch.zeros(3)},
        {"a.weight": torch.zeros(10, 900)},
        {"a.weight": torch.zeros(12, 784)},
        {"a.weight": torch.zeros(5, 784), "b.weight": torch.zeros(10, 6)},
        {"a.weight": torch.zeros(4, 1, 3, 3), "b.weight": torch.zeros(10, 7)},
        {"a.weight": torch.zeros(4, 2, 3, 3), "b.weight": torch.zeros(10, 4)},
    ],
)
def test_what_is_no_plain_stack_is_none(tensors: dict[str, Tensor]) -> None:
    with pytest.raises(StackError):
        stacks.read(tensors)


def test_paddings_that_make_up_for_each_other_are_found_together() -> None:
    """Three convolutions with strides, padded by 2, 1 and 3, end as those padded by 3, 2 and 2."""
    row = nn.Sequential(
        nn.Conv2d(1, 4, 5, 1, 2), nn.Conv2d(4, 6, 5, 2, 1), nn.Conv2d(6, 8, 5, 3, 3),
        nn.Flatten(), nn.Linear(200, 10),
    )  # fmt: skip
    stack = stacks.read(row.state_dict())
    steps = tuple(Step(stride, pad, (1, 1)) for stride, pad in ((1, 3), (2, 2), (3, 2)))
    (start,) = stack._with(steps)
    found = [[step.padding for step in other.steps] for other in stack.padded(start)]
    assert [2, 1, 3] in found
    assert [3, 2, 2] not in found
    images = torch.rand(2, 1, 28, 28)
    assert stack.built(stack.padded(start)[found.index([2, 1, 3])], Style("no activation"))(
        images
    ).shape == (2, 10)
