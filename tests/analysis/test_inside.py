import numpy as np
import pytest
import torch
from torch import nn

from fmnist.analysis import inside
from fmnist.analysis.inside import Origin, Stage
from fmnist.data import garments
from fmnist.models import MODELS
from fmnist.models.chain import Chain
from fmnist.models.inference import infer
from fmnist.models.layers import Classifier

CPU = torch.device("cpu")
IMAGES, _ = garments.draw(4, seed=5)
UNEVEN = [
    {"kind": "Conv2d", "inputs": 1, "outputs": 4, "size": [3, 2], "stride": [2, 1],
     "padding": [1, 0, 2, 1]},
    {"kind": "ReLU"},
    {"kind": "Pool", "size": [3, 3], "stride": [2, 2], "padding": [0, 1, 0, 1], "mean": False},
    {"kind": "Conv2d", "inputs": 4, "outputs": 6, "size": [3, 3], "padding": [1, 1, 1, 1],
     "groups": 2, "dilation": [2, 2]},
    {"kind": "GlobalPool", "mean": True},
    {"kind": "Linear", "in_features": 6, "out_features": 10},
]  # fmt: skip
READER = [
    {"kind": "Reshape", "shape": [28, 28]},
    {"kind": "Recurrent", "cell": "GRU", "inputs": 28, "hidden": 8, "depth": 1,
     "both_ways": False, "gives": "last"},
    {"kind": "Linear", "in_features": 8, "out_features": 10},
]  # fmt: skip


def built(name: str) -> Classifier:
    model = MODELS[name].seeded(0).eval()
    assert isinstance(model, Classifier)
    return model


def chained(layers: list[dict[str, object]]) -> Classifier:
    torch.manual_seed(0)
    return Chain(layers).eval()


def every_model() -> list[pytest.param]:
    quick = {"fcnn-small", "cnn", "cnn-normalized", "residual-100k", "everyday", "bilstm",
             "rows-columns"}  # fmt: skip
    return [
        pytest.param(lambda name=name: built(name), id=name, marks=() if name in quick else slow)
        for slow in [pytest.mark.slow]
        for name in MODELS
    ] + [
        pytest.param(lambda: chained(UNEVEN), id="uneven"),
        pytest.param(lambda: chained(READER), id="reader"),
    ]


@pytest.mark.parametrize("build", every_model())
def test_the_last_layer_gives_what_the_model_answers_and_no_hook_stays(build) -> None:
    model = build()
    found = inside.stages(model, IMAGES[0])
    assert not any(layer._forward_hooks for layer in model.modules())
    assert not any(layer._forward_pre_hooks for layer in model.modules())
    if not getattr(model, "mirrored", False):
        assert np.allclose(found[-1].given, infer(model, IMAGES[:1], CPU), atol=1e-5)
    names = [stage.name for stage in found]
    assert len(names) == len(set(names))
    for stage in found:
        assert np.isfinite(stage.maps).all()


def test_a_twin_has_the_same_tensors_and_takes_no_memory_for_others() -> None:
    model = built("bilstm")
    twin = inside.twin(model)
    for mine, others in zip(twin.parameters(), model.parameters(), strict=True):
        assert mine is others
    assert not {id(layer) for layer in twin.modules()} & {id(layer) for layer in model.modules()}


def value(stage: Stage, origin: Origin, number: int, row: int, column: int) -> float:
    """A unit as the origin of its map says that it comes about, patch by patch."""
    (down, across), (top, left) = origin.stride, origin.before
    _, rows, columns = origin.kernel.shape
    if origin.how == "each":
        with torch.no_grad():
            return float(inside._maps(stage.layer(stage.taken))[number, row, column])
    low = 0.0 if origin.how == "sum" else -np.inf
    height = (rows - 1) * origin.dilation[0] + 1
    width = (columns - 1) * origin.dilation[1] + 1
    padded = np.pad(origin.taken, ((0, 0), (top, 99), (left, 99)), constant_values=low)
    patch = padded[:, row * down :, column * across :][:, :height, :width]
    patch = patch[:, :: origin.dilation[0], :: origin.dilation[1]]
    if origin.how == "sum":
        return float((patch * origin.kernel).sum() + origin.bias)
    seen = patch[np.isfinite(patch)]
    return float(seen.max() if origin.how == "max" else seen.mean())


@pytest.mark.parametrize("build", every_model())
def test_every_units_value_is_what_its_patch_and_its_kernel_make(build) -> None:
    found, rng = inside.stages(build(), IMAGES[1]), np.random.default_rng(0)
    hows = set()
    for stage in found:
        number = int(rng.integers(len(stage.maps)))
        origin = inside.origin(stage, number, inside.fed_by(found, stage.name))
        hows.add(origin.how)
        if origin.how in ("value", "added"):
            continue
        for _ in range(5):
            row, column = (int(rng.integers(size)) for size in stage.maps.shape[1:])
            wanted = stage.maps[number, row, column]
            said = value(stage, origin, number, row, column)
            assert said == pytest.approx(wanted, rel=1e-3, abs=1e-4), stage.name
    assert "sum" in hows


def test_a_residual_block_gives_what_came_in_plus_what_it_found() -> None:
    found = {stage.name: stage for stage in inside.stages(built("residual-100k"), IMAGES[0])}
    block, last = found["body.2"], found["body.2.found.1.2"]
    origin = inside.origin(block, 3)
    assert origin.how == "added"
    assert np.allclose(origin.taken[0] + last.maps[3], block.maps[3], atol=1e-5)


def test_the_path_of_a_linear_model_ends_at_the_pixel_with_the_largest_share() -> None:
    model = built("softmax")
    found = inside.stages(model, IMAGES[0])
    way = inside.path(found, 3)
    with torch.no_grad():
        seen = model.standardize(torch.tensor(IMAGES[0]) / 255).flatten()
        pixel = int((seen * model.head.weight[3]).argmax())
    assert way["head"] == (3, 0, 0)
    assert way["standardize"] == way[""] == (0, pixel // 28, pixel % 28)


def test_on_the_path_each_unit_is_in_the_patch_of_the_one_after_it() -> None:
    found = inside.stages(built("cnn"), IMAGES[0])
    way = inside.path(found, 7)
    assert list(way) == [*reversed([stage.name for stage in found]), ""]
    for stage in found:
        if not isinstance(stage.layer, nn.Conv2d):
            continue
        _, row, column = way[stage.name]
        before = inside.fed_by(found, stage.name)
        assert before is not None
        _, above, beside = way[before.name]
        assert abs(above - row) <= 1
        assert abs(beside - column) <= 1


# Step by step


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_after_a_row_a_reader_says_what_its_head_makes_of_the_state_by_then(name: str) -> None:
    model = built(name)
    logits = inside.after_each_step(model, IMAGES[0])
    (_, states) = [each.states for each in inside.readings(inside.stages(model, IMAGES[0]))]
    with torch.no_grad():
        assert np.allclose(model.head(torch.tensor(states)), logits, atol=1e-5)
    assert np.allclose(logits[-1:], infer(model, IMAGES[:1], CPU), atol=1e-5)


@pytest.mark.parametrize("name", ["bilstm", "rows-columns"])
def test_what_reads_both_ways_has_read_all_in_the_end_from_either_side(name: str) -> None:
    model = built(name)
    whole = infer(model, IMAGES[:1], CPU)
    for from_end in (False, True):
        logits = inside.after_each_step(model, IMAGES[0], from_end)
        assert logits.shape == (28, 10)
        assert np.allclose(logits[-1:], whole, atol=1e-5)
        assert not np.allclose(logits[9:10], whole, atol=1e-3)
    upper = IMAGES[0].copy()
    upper[14:] = 200
    before = inside.after_each_step(model, IMAGES[0])[:14]
    if name == "bilstm":  # the other one reads columns, too, which have changed
        assert np.allclose(before, inside.after_each_step(model, upper)[:14], atol=1e-5)


def test_what_reads_columns_is_told_from_what_reads_rows() -> None:
    found = inside.stages(built("rows-columns"), IMAGES[0])
    read = [(each.columns, each.layer, each.backwards) for each in inside.readings(found)]
    assert sorted(read) == [(c, n, b) for c in (False, True) for n in (1, 2) for b in (False, True)]
    for name, layers in (("gru", 2), ("bilstm", 4)):
        of_rows = inside.readings(inside.stages(built(name), IMAGES[0]))
        assert [each.columns for each in of_rows] == [False] * layers


def test_a_chain_that_reads_is_read_along_and_other_networks_have_no_steps() -> None:
    model = chained(READER)
    logits = inside.after_each_step(model, IMAGES[0])
    assert logits.shape == (28, 10)
    assert np.allclose(logits[-1:], infer(model, IMAGES[:1], CPU), atol=1e-5)
    assert inside.after_each_step(built("cnn"), IMAGES[0]) is None
    assert inside.readings(inside.stages(built("cnn"), IMAGES[0])) == []


def test_a_chain_with_a_weight_for_every_step_answers_only_in_the_end() -> None:
    layers = [READER[0], READER[1] | {"gives": "all"}, {"kind": "Flatten"},
              {"kind": "Linear", "in_features": 224, "out_features": 10}]  # fmt: skip
    assert inside.after_each_step(chained(layers), IMAGES[0]) is None


def test_attention_is_how_much_each_step_counts_in_the_mean() -> None:
    found = inside.stages(built("rows-columns"), IMAGES[0])
    weights = inside.attention(found)
    by_name = {stage.name: stage for stage in found}
    for columns, name in ((False, "rows"), (True, "columns")):
        counts = weights[columns]
        assert counts.sum() == pytest.approx(1)
        states = by_name[f"{name}.layers.1"].given[0].numpy()
        assert np.allclose(counts @ states, by_name[name].given[0], atol=1e-5)


def test_in_words_names_the_last_change_of_mind() -> None:
    said = np.eye(10, dtype=np.float32)[[2, 2, 3, 2, 3, 3]]
    assert "still says Pullover after step 4 of 6, and Dress" in inside.in_words(said, False)
    assert "says Dress from the first of 2" in inside.in_words(said[-2:], True)
