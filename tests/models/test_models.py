import dataclasses
import re

import pytest
import torch
from shipped import THREE
from torch import nn

from fmnist.data import garments
from fmnist.data.splits import Split
from fmnist.machine import parallel
from fmnist.models import FAMILIES, MODELS, ModelSpec
from fmnist.models.layers import BatchNorm1d, BatchNorm2d, layers, parameter_count
from fmnist.models.recipe import Recipe
from fmnist.models.residual import ResidualNet
from fmnist.training.loop import train

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
def test_filters_are_laid_out_as_they_are_used(spec: ModelSpec) -> None:
    model = spec.build()
    model.load_state_dict(spec.network().state_dict())
    filters = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in filters)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(spec, id=name, marks=() if name in THREE else pytest.mark.slow)
        for name, spec in MODELS.items()
    ],
)
def test_a_model_overfits_one_batch(spec: ModelSpec) -> None:
    batch = Split(*garments.draw(20, seed=0))
    recipe = dataclasses.replace(
        spec.recipe, epochs=100, batch_size=20, lr=3e-3, label_smoothing=0.0, averaging=0.0,
        augment=(), precision="float32", weight_decay=0.0, everyday=0.0, teacher=None,
        optimizer="adamw",
    )  # fmt: skip
    reports = train(spec.seeded(0), (batch, batch), recipe, torch.device("cpu"))
    assert any(report.validation.accuracy == 1.0 for report in reports if report.validation)


@every_model
def test_an_entry_says_what_it_is(spec: ModelSpec) -> None:
    assert spec.name == next(name for name, entry in MODELS.items() if entry is spec)
    assert spec.family in FAMILIES
    assert spec.title
    paper, project = r"[A-Z]\w+ (et al\. )?\d{4}", r"by [A-Z]\w+"
    assert re.search(f"{paper}|{project}|[A-Z]\\w+, \\d{{4}}", spec.summary)
    assert isinstance(spec.recipe, Recipe)


def test_parameters_are_those_of_the_published_widths() -> None:
    assert parameter_count(MODELS["fcnn"].build()) == 785 * 512 + 513 * 256 + 257 * 10
    convolutions = 10 * 16 + (16 * 9 + 1) * 32
    assert parameter_count(MODELS["cnn"].build()) == (
        convolutions + 1569 * 512 + 513 * 256 + 257 * 10
    )


def test_the_networks_of_a_size_class_keep_to_it() -> None:
    assert parameter_count(MODELS["residual-100k"].build()) < 100_000
    assert parameter_count(MODELS["residual-300k"].build()) < 300_000
    assert parameter_count(MODELS["resnet-20"].build()) < 300_000
    assert 4 * parameter_count(MODELS["residual"].build()) < 16e6
    assert 4 * parameter_count(MODELS["resnet-20-wide"].build()) < 16e6


def test_strided_networks_have_the_widths_of_their_projects() -> None:
    rows = {
        name: [row for row in layers(MODELS[name].build()) if row["Kind"] in ("Conv2d", "Linear")]
        for name in ("cnn-strided", "cnn-normalized")
    }
    assert [row["Output"] for row in rows["cnn-strided"]] == [
        "24 x 28 x 28", "48 x 14 x 14", "64 x 5 x 5", "200", "10",
    ]  # fmt: skip
    assert rows["cnn-strided"][3]["Parameters"] == 1601 * 200
    assert [row["Output"] for row in rows["cnn-normalized"]] == [
        "24 x 28 x 28", "48 x 14 x 14", "64 x 7 x 7", "200", "10",
    ]  # fmt: skip


def test_a_reader_both_ways_answers_from_the_end_of_each_way() -> None:
    model = MODELS["bilstm"].seeded(0).eval()
    images = torch.rand(2, 1, 28, 28)
    sequence = (images[:, 0] - model.standardize.mean) / model.standardize.std
    for layer in model.layers:
        sequence, (last, _) = layer(sequence)
    assert torch.allclose(model.features(images), torch.cat([last[0], last[1]], 1), atol=1e-6)


def test_rows_and_columns_are_read_alike() -> None:
    model = MODELS["rows-columns"].seeded(0).eval()
    model.columns.load_state_dict(model.rows.state_dict())
    images = torch.rand(2, 1, 28, 28)
    of_rows, of_columns = model.features(images).chunk(2, 1)
    of_rows_turned, of_columns_turned = model.features(images.mT).chunk(2, 1)
    assert torch.allclose(of_rows, of_columns_turned, atol=1e-6)
    assert torch.allclose(of_columns, of_rows_turned, atol=1e-6)


@pytest.mark.parametrize(
    ("norm", "theirs", "shape"),
    [(BatchNorm1d, nn.BatchNorm1d, (9, 3)), (BatchNorm2d, nn.BatchNorm2d, (9, 3, 4, 4))],
)
def test_batch_normalisation_of_shares_is_that_of_the_whole_batch(
    norm, theirs, shape, monkeypatch
) -> None:
    values = torch.randn(shape)
    ours, theirs = norm(3).train(), theirs(3).train()
    # One process that believes it has a peer computes by the formula for several.
    monkeypatch.setattr(parallel, "place", lambda: (0, 2))
    monkeypatch.setattr(parallel, "summed", lambda values: values)
    assert torch.allclose(ours(values), theirs(values), atol=1e-5)
    assert all(
        torch.allclose(value, theirs.state_dict()[name])
        for name, value in ours.state_dict().items()
    )


def test_a_mirrored_network_answers_with_the_mean_of_an_image_and_its_mirror_image() -> None:
    mirrored, plain = (ResidualNet([4, 8], mirrored=way).eval() for way in (True, False))
    plain.load_state_dict(mirrored.state_dict())
    images = torch.rand(3, 1, 28, 28)
    mean = (plain(images) + plain(images.flip(-1))) / 2
    assert torch.allclose(mirrored(images), mean, atol=1e-6)
    assert not torch.allclose(plain(images), mean, atol=1e-4)


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
