"""Flax's networks, as `flax.serialization`, NumPy and pickles have them."""

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from strangers import normalised, said, stranger
from torch import Tensor, nn

from fmnist.data import garments
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.strangers import flax, stacks
from fmnist.weights.strangers.stacks import StackError, Style

CPU = torch.device("cpu")
IMAGES, _ = garments.draw(30, seed=8)
Nest = dict[str, Any]


def dense(layer: nn.Linear) -> Nest:
    return {"kernel": layer.weight.detach().numpy().T, "bias": layer.bias.detach().numpy()}


def perceptron() -> Nest:
    theirs = stranger("fcnn")
    layers = (module for module in theirs.modules() if isinstance(module, nn.Linear))
    return {"params": {f"Dense_{n}": dense(layer) for n, layer in enumerate(layers)}}


def flat(nest: Mapping[str, Any], between: str, path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in nest.items():
        whole = f"{path}{between}{name}" if path else name
        found |= flat(value, between, whole) if isinstance(value, Mapping) else {whole: value}
    return found


def as_npz(nest: Nest) -> bytes:
    content = io.BytesIO()
    np.savez(content, **flat(nest, "/"))
    return content.getvalue()


def as_safetensors(nest: Nest) -> bytes:
    arrays = {name: np.ascontiguousarray(array) for name, array in flat(nest, ".").items()}
    return safetensors.numpy.save(arrays)


FILES: dict[str, Callable[[Nest], bytes]] = {
    "theirs.npz": as_npz,
    "theirs.safetensors": as_safetensors,
    "theirs.pkl": pickle.dumps,
    "state.pkl": lambda nest: pickle.dumps({"step": 3, "opt_state": (nest, nest), **nest}),
}


@pytest.mark.parametrize("filename", FILES)
def test_dense_layers_answer_as_at_their_owners(filename: str) -> None:
    model, _ = shelf.open(FILES[filename](perceptron()), filename)
    answers = inference.infer(model, IMAGES, CPU)
    expected = said(stranger("fcnn"), IMAGES, "0..1")
    assert np.allclose(normalised(answers), normalised(expected), atol=1e-5)


class ChannelsLast(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).flatten(1)


def convolutions() -> tuple[nn.Module, Nest]:
    """A network of eleven convolutions as Flax would be told of it, and its parameters."""
    torch.manual_seed(0)
    convs = [nn.Conv2d(inputs, 4, 3, padding="same") for inputs in (1, *[4] * 10)]
    norm, out = nn.BatchNorm2d(4), nn.Linear(784, 10)
    norm.running_mean.uniform_(-0.1, 0.1)
    norm.running_var.uniform_(0.5, 1.5)
    row = [layer for conv in convs for layer in (conv, nn.ReLU())]
    row[1:1] = [norm]
    row[3:3] = [nn.MaxPool2d(2)]
    theirs = nn.Sequential(*row, ChannelsLast(), nn.Linear(784, 10))
    theirs[-1] = out
    kernels = {
        f"Conv_{n}": {
            "kernel": conv.weight.detach().permute(2, 3, 1, 0).numpy(),
            "bias": conv.bias.detach().numpy(),
        }
        for n, conv in enumerate(convs)
    }
    scale = {"scale": norm.weight.detach().numpy(), "bias": norm.bias.detach().numpy()}
    seen = {"mean": norm.running_mean.numpy(), "var": norm.running_var.numpy()}
    # In the order of the alphabet, as JAX goes through mappings.
    params = dict(sorted({**kernels, "BatchNorm_0": scale, "Dense_0": dense(out)}.items()))
    return theirs.eval(), {"batch_stats": {"BatchNorm_0": seen}, "params": params}


def test_convolutions_follow_each_other_by_their_numbers_and_are_read_with_the_channels_last() -> (
    None
):
    theirs, nest = convolutions()
    tensors = {name: torch.tensor(array) for name, array in flat(nest, ".").items()}
    stack = stacks.read(flax.state_dict(tensors), channels_last=True)
    images = torch.rand(5, 1, 28, 28)
    same = []
    with torch.inference_mode():
        expected = theirs(images)
        for geometry in stack.geometries():
            ours = stack.built(geometry, Style())
            ours.standardize = nn.Identity()
            same.append(torch.allclose(ours(images), expected, atol=1e-5))
    assert any(same)


def test_filters_in_an_npz_are_no_table() -> None:
    model, card = shelf.open(as_npz(convolutions()[1]), "theirs.npz")
    assert card.any_picture
    assert inference.infer(model, IMAGES, CPU).shape == (30, 10)


def test_parts_that_are_no_layer_of_a_stack_are_refused() -> None:
    tensors = {"Dense_0.kernel": torch.ones(784, 10), "LayerNorm_0.embedding": torch.ones(3)}
    with pytest.raises(StackError, match="LayerNorm_0"):
        flax.state_dict(tensors)
    assert flax.state_dict({"fc.weight": torch.ones(10, 784)}) is None
