import dataclasses

import pytest
import torch
from torch import nn

from fmnist import garments
from fmnist.data import Split
from fmnist.models import FAMILIES, MODELS, ModelSpec
from fmnist.models.layers import layers, parameter_count
from fmnist.training import Recipe, train

every_model = pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS)


@every_model
def test_a_model_answers_images_with_ten_logits(spec: ModelSpec) -> None:
    model = spec.build().eval()
    images = torch.rand(3, 1, 28, 28)
    logits = model(images)
    assert logits.shape == (3, 10)
    assert torch.allclose(model.head(model.features(images)), logits)


@every_model
def test_a_model_answers_each_image_on_its_own(spec: ModelSpec) -> None:
    model = spec.build().eval()
    images = torch.rand(5, 1, 28, 28)
    one_by_one = torch.cat([model(image[None]) for image in images])
    assert torch.allclose(model(images), one_by_one, atol=1e-5)


@every_model
def test_the_same_seed_builds_the_same_model(spec: ModelSpec) -> None:
    before = torch.random.get_rng_state()
    one, same, other = (spec.seeded(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)
    assert torch.equal(before, torch.random.get_rng_state())


@every_model
def test_a_model_overfits_one_batch(spec: ModelSpec) -> None:
    batch = Split(*garments.draw(20, seed=0))
    recipe = dataclasses.replace(
        spec.recipe, epochs=100, batch_size=20, lr=3e-3, label_smoothing=0.0, augment=(),
        precision="float32", weight_decay=0.0, everyday=0.0,
    )  # fmt: skip
    reports = train(spec.seeded(0), (batch, batch), recipe, torch.device("cpu"))
    assert any(report.validation.accuracy == 1.0 for report in reports if report.validation)


@every_model
def test_an_entry_says_what_it_is(spec: ModelSpec) -> None:
    assert spec.name == next(name for name, entry in MODELS.items() if entry is spec)
    assert spec.family in FAMILIES
    assert spec.title
    assert spec.summary
    assert isinstance(spec.recipe, Recipe)


def test_parameters_are_those_of_the_published_widths() -> None:
    assert parameter_count(MODELS["fcnn"].build()) == 785 * 512 + 513 * 256 + 257 * 10
    convolutions = 10 * 16 + (16 * 9 + 1) * 32
    assert parameter_count(MODELS["cnn"].build()) == (
        convolutions + 1569 * 512 + 513 * 256 + 257 * 10
    )


def test_layers_list_shapes_and_all_parameters() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    assert layers(model) == [
        {"Layer": "0", "Kind": "Flatten", "Output": "784", "Parameters": 0},
        {"Layer": "1", "Kind": "Linear", "Output": "10", "Parameters": 7850},
    ]


@every_model
def test_layers_account_for_every_parameter(spec: ModelSpec) -> None:
    model = spec.build()
    assert sum(row["Parameters"] for row in layers(model)) == parameter_count(model)
