import numpy as np
import pytest
import torch
from torch import nn

from fmnist.analysis import explain
from fmnist.models import layers
from fmnist.models.chain import Chain, Layer, Pool, Reshape, work

CPU = torch.device("cpu")
LAYERS: list[Layer] = [
    {"kind": "Conv2d", "inputs": 1, "outputs": 4, "size": [3, 3], "padding": [0, 1, 0, 1]},
    {"kind": "BatchNorm", "channels": 4, "images": True},
    {"kind": "ELU"},
    {"kind": "Pool", "size": [2, 2], "stride": [2, 2], "padding": [0] * 4, "mean": False},
    {"kind": "Reshape", "shape": [-1]},
    {"kind": "Linear", "in_features": 676, "out_features": 12},
    {"kind": "ReLU"},
    {"kind": "Linear", "in_features": 12, "out_features": 10},
]


def linear(inputs: int, outputs: int) -> Layer:
    return {"kind": "Linear", "in_features": inputs, "out_features": outputs}


def padding_to(around: list[int], pool: bool = False) -> list[Layer]:
    """A network that makes one value of a whole image and what is around it."""
    one = {"size": [1, 1], "stride": [90_000, 90_000], "padding": around}
    convolution = {"kind": "Conv2d", "inputs": 1, "outputs": 1}
    window = {"kind": "Pool", "mean": False} if pool else convolution
    return [window | one, {"kind": "Flatten"}, linear(1, 10)]


def test_the_last_linear_layer_is_the_head_and_the_rest_makes_the_features() -> None:
    model = Chain(LAYERS).eval()
    images = torch.rand(3, 1, 28, 28)
    assert model.features(images).shape == (3, 12)
    assert [type(layer) for layer in model.head] == [nn.Linear]
    assert layers.layers(model)[-1]["Output"] == "10"


def test_filters_are_laid_out_as_they_are_used() -> None:
    second: Layer = {"kind": "Conv2d", "inputs": 4, "outputs": 10, "size": [3, 3]}
    layers = [LAYERS[0], second, {"kind": "GlobalPool", "mean": True}]
    made = Chain(layers)
    for model in (made, Chain(layers, [layer.state_dict() for layer in made.body])):
        weight = model.get_parameter("body.1.weight")
        assert weight.is_contiguous(memory_format=torch.channels_last)


def test_every_reason_for_an_answer_can_be_given() -> None:
    model = Chain(LAYERS).eval()
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert explain.embed(model, image[None], CPU).shape == (1, 12)
    for reason in (explain.saliency, explain.grad_cam):
        found = reason(model, image, 3)
        assert found is not None
        assert found.shape == (28, 28)


def test_a_built_network_normalises_over_all_of_a_batch_that_processes_share() -> None:
    norms = [m for m in Chain(LAYERS).modules() if isinstance(m, nn.BatchNorm2d)]
    assert [type(norm) for norm in norms] == [layers.BatchNorm2d]


def test_the_last_layer_may_be_a_convolution() -> None:
    whole: list[Layer] = [
        {"kind": "Conv2d", "inputs": 1, "outputs": 10, "size": [3, 3]},
        {"kind": "GlobalPool", "mean": True},
    ]
    model = Chain(whole).eval()
    image = np.full((28, 28), 9, np.uint8)
    assert explain.grad_cam(model, image, 3) is not None
    assert model.features(torch.rand(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [{"kind": "Linear", "in_features": 784, "out_features": 10}],
        [{"kind": "ZeroPad2d", "padding": 10**6}],
        [{"kind": "Flatten"}, {"kind": "Linear", "in_features": 784, "out_features": 10**6}],
        [{"kind": "Flatten"}, {"kind": "Linear", "in_features": 784, "out_features": "x"}],
        [{"kind": "eval"}],
        [{}],
        [{"kind": "ReLU"}] * 1000,
        # What is handed on is small, and what it is made of is not.
        padding_to([0, 30_000, 0, 30_000]),
        padding_to([30_000, 30_000, 30_000, 30_000]),
        padding_to([0, 30_000, 0, 30_000], pool=True),
        [
            {"kind": "Reshape", "shape": [28, 28]},
            linear(28, 4000),
            linear(4000, 4000),
            linear(4000, 10),
        ],
    ],
)
def test_what_is_no_classifier_or_a_bomb_is_refused_before_it_is_built(bad: list[Layer]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Chain(bad)


def test_a_linear_layer_works_at_every_step_of_a_sequence() -> None:
    columns: list[Layer] = [
        {"kind": "Reshape", "shape": [28, 28]},
        linear(28, 40),
        {"kind": "GlobalPool", "mean": True},
        linear(40, 10),
    ]
    handed_on = 28 * 28 + 28 * 40 + 40 + 10
    assert work(columns) == 28 * (28 * 40 + 40) + (40 * 10 + 10) + handed_on


def test_what_pads_a_window_does_not_count() -> None:
    images = -torch.rand(2, 3, 7, 7)
    for mean in (False, True):
        pooled = Pool([2, 2], [2, 2], [0, 1, 0, 1], mean)(images)
        assert torch.allclose(pooled[:, :, 3, 3], images[:, :, 6, 6])


def test_a_shape_is_counted_with_the_channels_last() -> None:
    images = torch.rand(2, 3, 4, 5)
    flat = Reshape([-1])(images)
    assert torch.equal(flat, images.permute(0, 2, 3, 1).flatten(1))
    assert torch.equal(Reshape([4, 5, 3])(flat), images)
