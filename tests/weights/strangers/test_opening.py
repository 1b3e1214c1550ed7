import contextlib
import gzip
import io
import os
import pickle
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, ModuleType

import numpy as np
import pytest
import safetensors.torch
import torch
from shipped import every_kind
from strangers import (
    PREPROCESS,
    STRANGERS,
    folded,
    normalised,
    perceptron_graph,
    pickled,
    said,
    saved,
    stranger,
)
from torch import Tensor, nn
from torch.nn.utils import prune

from fmnist.data import fashion, garments, splits
from fmnist.models import MODELS, ModelSpec, inference
from fmnist.models.chain import Chain, Layer
from fmnist.models.fcnn import FullyConnected
from fmnist.weights import card, shelf
from fmnist.weights.card import Card, WeightsError
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers import formats, opening
from fmnist.weights.strangers.formats import PICKLES
from fmnist.weights.strangers.pickles import STATE_DICT_KEYS

CPU = torch.device("cpu")
IMAGES, _ = garments.draw(30, seed=8)
SUFFIXES = (".safetensors", *PICKLES)

every_stranger = pytest.mark.parametrize("architecture", STRANGERS)
every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)


def bare(architecture: str) -> dict[str, Tensor]:
    """The tensors of shipped weights without our way to read pixels, in the order of the layers."""
    model, _ = shelf.load(architecture)
    return {key: t for key, t in model.state_dict().items() if not key.startswith("standardize.")}


def shipped_perceptron(reads: str) -> nn.Module:
    """A stranger's that answers what the shipped fcnn does, for pixels it reads its own way."""
    first, bias, *others = bare("fcnn").values()
    model = stranger("fcnn").double()
    tensors = [*folded(first, bias, reads), *others]
    model.load_state_dict(dict(zip(model.state_dict(), tensors, strict=True)))
    return model


# What is opened


@every_stranger
@every_suffix
def test_a_strangers_model_answers_as_it_does_at_its_owners(architecture: str, suffix: str) -> None:
    theirs = stranger(architecture)
    model, card = shelf.open(saved(theirs.state_dict(), suffix), f"homework{suffix}")
    assert (card.name, card.architecture) == ("homework", architecture)
    answers = inference.infer(model, IMAGES, CPU)
    expected = said(theirs, IMAGES, "0..1")
    assert np.allclose(normalised(answers), normalised(expected), atol=1e-5)


@every_suffix
def test_weights_that_decayed_to_next_to_nothing_are_nothing(suffix: str) -> None:
    decayed = stranger("fcnn")
    with torch.no_grad():
        decayed.fc2.weight[:200] = 1e-40
    model, _ = shelf.open(saved(decayed.state_dict(), suffix), f"homework{suffix}")
    weights = torch.cat([tensor.flatten() for tensor in model.state_dict().values()]).abs()
    assert weights[weights > 0].min() >= np.finfo(np.float32).tiny
    answers = inference.infer(model, IMAGES, CPU)
    assert np.allclose(normalised(answers), normalised(said(decayed, IMAGES, "0..1")), atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
@every_suffix
def test_every_architecture_is_known_by_its_tensors_whatever_they_are_called(
    name: str, suffix: str
) -> None:
    model = MODELS[name].seeded(4)
    tensors = model.state_dict()
    modules = list(dict.fromkeys(key.rpartition(".")[0] for key in tensors))
    renamed = {
        f"net.block{modules.index(module)}.{leaf}": tensor
        for key, tensor in tensors.items()
        for module, _, leaf in [key.rpartition(".")]
        if module != "standardize" and leaf != "num_batches_tracked"
    }
    opened = opening.open_file(saved(renamed, suffix), f"theirs{suffix}")
    assert opened.architecture == name
    model.standardize.load_state_dict({"mean": torch.tensor(0.0), "std": torch.tensor(1.0)})
    ours = inference.infer(model, IMAGES, CPU)
    assert (inference.infer(opened.model, IMAGES, CPU) == ours).all()


def taken_apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of residual-100k: in each stage the stem comes first, and its name comes last."""
    paths = {
        "body.1": "stage1.stem.{}0", "body.2.found.0": "stage1.block.{}1",
        "body.2.found.1": "stage1.block.{}2", "body.4": "stage2.stem.{}0",
        "body.5.found.0": "stage2.block.{}1", "body.5.found.1": "stage2.block.{}2",
    }  # fmt: skip
    renamed = {f"head.{leaf}": tensors[f"head.{leaf}"] for leaf in ("weight", "bias")}
    for ours, theirs in paths.items():
        renamed[f"{theirs.format('conv')}.weight"] = tensors[f"{ours}.0.weight"]
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            renamed[f"{theirs.format('bn')}.{leaf}"] = tensors[f"{ours}.1.{leaf}"]
    return renamed


def uneven() -> nn.Module:
    """A residual-100k of whose normalisations no two are alike."""
    model = MODELS["residual-100k"].seeded(4)
    generator = torch.Generator().manual_seed(0)
    for tensor in model.state_dict().values():
        if tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5, generator=generator)
    return model


def test_parts_that_alphabetical_names_take_apart_come_together_again() -> None:
    model = uneven()
    content = saved(taken_apart(model.state_dict()), ".safetensors")
    opened = opening.open_file(content, "theirs.safetensors")
    model.standardize.load_state_dict({"mean": torch.tensor(0.0), "std": torch.tensor(1.0)})
    ours = inference.infer(model, IMAGES, CPU)
    assert (inference.infer(opened.model, IMAGES, CPU) == ours).all()


def test_parts_in_the_order_of_the_layers_need_no_names_that_say_where_they_belong() -> None:
    model = uneven()
    tensors = {key: t for key, t in model.state_dict().items() if "standardize" not in key}
    # By these, the normalisation of a stem would belong to the block after it.
    names = {
        "body.1.0": "stage1.stem", "body.1.1": "norm1", "body.4.0": "stage2.stem",
        "body.4.1": "norm2", "head": "head",
    } | {
        f"body.{place}.found.{part}.{index}": f"stage{stage}.block.{kind}{part}"
        for stage, place in ((1, 2), (2, 5))
        for part in (0, 1)
        for index, kind in ((0, "conv"), (1, "bn"))
    }  # fmt: skip
    renamed = {
        f"{names[module]}.{leaf}": tensor
        for module, _, leaf, tensor in ((*key.rpartition("."), t) for key, t in tensors.items())
    }
    opened = opening.open_file(pickled(renamed), "theirs.pt")
    model.standardize.load_state_dict({"mean": torch.tensor(0.0), "std": torch.tensor(1.0)})
    ours = inference.infer(model, IMAGES, CPU)
    assert (inference.infer(opened.model, IMAGES, CPU) == ours).all()


@pytest.mark.slow
@pytest.mark.real_data
def test_of_two_ways_to_fill_an_architecture_the_more_accurate_is_taken() -> None:
    by_alphabet = dict(sorted(taken_apart(bare("residual-100k")).items()))
    opened = opening.open_file(pickled(by_alphabet), "theirs.pt")
    images = splits.load("test", "real", 200).images
    ours = inference.infer(shelf.load("residual-100k")[0], images, CPU)
    assert (inference.infer(opened.model, images, CPU) == ours).all()


@pytest.mark.parametrize("key", [None, *STATE_DICT_KEYS])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_state_dict_is_found_among_what_a_training_saves_beside_it(
    key: str | None, prefix: str
) -> None:
    theirs = stranger("fcnn")
    optimizer = torch.optim.Adam(theirs.parameters())
    theirs(torch.rand(3, 784)).sum().backward()
    optimizer.step()
    tensors = {prefix + name: tensor for name, tensor in theirs.state_dict().items()}
    beside = {"epoch": 7, "optimizer": optimizer.state_dict(), "loss": [0.5, 0.25]}
    content = pickled(beside | ({key: tensors} if key else tensors))
    model, card = shelf.open(content, "last.ckpt")
    assert card.architecture == "fcnn"
    expected = said(theirs, IMAGES, "0..1")
    assert np.allclose(normalised(inference.infer(model, IMAGES, CPU)), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
@every_suffix
def test_weights_of_another_precision_are_taken(dtype: torch.dtype, suffix: str) -> None:
    theirs = stranger("cnn").to(dtype)
    model, _ = shelf.open(saved(theirs.state_dict(), suffix), f"theirs{suffix}")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    expected = said(theirs.float(), IMAGES, "0..1")
    assert np.allclose(inference.infer(model, IMAGES, CPU), expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_our_own_model_out_of_data_parallel_is_our_own(name: str) -> None:
    model = MODELS[name].seeded(1)
    content = pickled({f"module.{key}": tensor for key, tensor in model.state_dict().items()})
    opened, card = shelf.open(content, "mine.pt")
    assert card.reads is None
    ours = inference.infer(model, IMAGES, CPU)
    assert (inference.infer(opened, IMAGES, CPU) == ours).all()


def test_a_file_of_ours_is_of_the_architecture_that_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twin = replace(MODELS["fcnn"], name="twin")
    for registry in ({"twin": twin, **MODELS}, {**MODELS, "twin": twin}):
        for module in (opening, formats, card, shelf):
            monkeypatch.setattr(module, "MODELS", MappingProxyType(registry))
        for name in ("twin", "fcnn"):
            content = twin.seeded(0).packed(name)
            assert shelf.open(content, "mine.safetensors")[1].architecture == name


def test_a_json_that_is_no_card_beside_a_strangers_file_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    for path in (file, file.with_suffix(".safetensors")):
        path.write_bytes(saved(stranger("gru").state_dict(), path.suffix))
        path.with_suffix(".json").write_text('{"layers": 2}')
        assert shelf.load(path)[1].architecture == "gru"


Tensors = dict[str, Tensor]


def scaled(tensors: Tensors, factor: float) -> Tensors:
    return {name: factor * tensor for name, tensor in tensors.items()}


def under(name: str, tensors: Tensors) -> Tensors:
    return {f"{name}.{own}": tensor.clone() for own, tensor in tensors.items()}


WITH_MORE: dict[str, Callable[[Tensors], Tensors]] = {
    "what thop counts": lambda t: (
        t | {"fc1.total_ops": torch.ones(1), "total_params": torch.ones(1)}
    ),
    "a temperature": lambda t: {"temperature": 1.5 * torch.ones(1)} | under("model", t),
    "how to standardise": lambda t: {"mean": torch.zeros(1, 1, 1), "std": torch.ones(1, 1, 1)} | t,
    "its layers twice": lambda t: t | under("net", t),
    "averages of them": lambda t: (
        under("model", t) | under("ema_model.module", scaled(t, 0.5)) | under("swa", scaled(t, 0.4))
    ),
}


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("more", WITH_MORE)
def test_a_state_dict_may_hold_more_than_the_layers(more: str, suffix: str) -> None:
    theirs = stranger("fcnn")
    content = saved(WITH_MORE[more](theirs.state_dict()), suffix)
    model, card = shelf.open(content, f"theirs{suffix}")
    assert card.architecture == "fcnn"
    expected = said(theirs, IMAGES, "0..1")
    assert np.allclose(normalised(inference.infer(model, IMAGES, CPU)), expected, atol=1e-5)


def trained(model: nn.Module) -> dict[str, object]:
    """The state of an optimizer that has moved a model's weights once."""
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.rand(3, 784)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def in_parts(tensors: Tensors) -> dict[str, Tensors]:
    parts: dict[str, Tensors] = {"encoder": {}, "classifier": {}}
    for name, tensor in tensors.items():
        parts["classifier" if name.startswith("out") else "encoder"][name] = tensor
    return parts


AROUND: dict[str, Callable[[nn.Module, Tensors], object]] = {
    "an optimizer": lambda model, t: {"opt": trained(model), "net": t},
    "an optimizer by another name": lambda model, t: {"momenta": trained(model), "net": t},
    "averages first": lambda model, t: {"ema": scaled(t, 0.5), "net": t},
    "parts of the network": lambda model, t: in_parts(t),
    "parts in a model": lambda model, t: {"epoch": 3, "model": in_parts(t)},
    "names with tensors in a list": lambda model, t: list(t.items()),
}


@pytest.mark.parametrize("around", AROUND)
def test_a_network_is_put_together_from_what_is_around_its_tensors(around: str) -> None:
    theirs = stranger("fcnn")
    saved_as = AROUND[around](theirs, theirs.state_dict())  # after a step, where it takes one
    model, card = shelf.open(pickled(saved_as), "last.pt")
    assert card.architecture == "fcnn"
    expected = said(theirs, IMAGES, "0..1")
    assert np.allclose(normalised(inference.infer(model, IMAGES, CPU)), expected, atol=1e-5)


def test_what_an_optimizer_remembers_of_one_layer_is_not_taken_for_it() -> None:
    theirs = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    content = pickled({"opt": trained(theirs), "net": theirs.state_dict()})
    answers = inference.infer(shelf.open(content, "last.pt").model, IMAGES, CPU)
    assert np.allclose(answers, said(theirs, IMAGES, "0..1"), atol=1e-5)


def test_our_own_model_is_our_own_beside_what_a_training_counts() -> None:
    model = MODELS["fcnn"].seeded(1)
    content = pickled({"net": model.state_dict(), "epoch": torch.tensor(3), "lr": torch.ones(1)})
    assert shelf.open(content, "mine.pt").card.reads is None


# How it reads pixels


def test_without_the_dataset_it_is_said_that_the_reading_is_assumed() -> None:
    _, card = shelf.open(pickled(stranger("gru").state_dict()), "theirs.pt")
    assert card.reading == (
        "reads pixels as 0..1, which is assumed (it takes the real dataset to find out)"
    )


@pytest.mark.real_data
@pytest.mark.parametrize(
    "reads",
    [
        pytest.param(reads, marks=[pytest.mark.slow] if reads != "0..255" else [])
        for reads in PREPROCESS
    ],
)
def test_how_a_stranger_reads_pixels_is_found_out(reads: str) -> None:
    theirs = shipped_perceptron(reads)
    model, card = shelf.open(pickled(theirs.state_dict()), "theirs.pt")
    assert (card.architecture, card.reads) == ("fcnn", reads)
    images = splits.load("test", "real", 500).images
    expected = said(theirs.float(), images, reads)
    answers = inference.infer(model, images, CPU)
    assert np.allclose(normalised(answers), expected, atol=2e-3)
    shipped = inference.infer(shelf.load("fcnn")[0], images, CPU)
    assert np.allclose(answers, shipped, atol=2e-3)


@pytest.mark.slow
@pytest.mark.real_data
def test_a_network_that_was_pruned_opens_with_the_weights_that_are_left() -> None:
    theirs = shipped_perceptron("0..1").float()
    for layer in theirs.modules():
        if isinstance(layer, nn.Linear):
            prune.l1_unstructured(layer, "weight", amount=0.3)
    assert "weight_mask" in " ".join(theirs.state_dict())
    model, _ = shelf.open(pickled(theirs.state_dict()), "theirs.pt")
    images = splits.load("test", "real", 500).images
    expected = said(theirs, images, "0..1")
    assert np.allclose(normalised(inference.infer(model, images, CPU)), expected, atol=2e-3)


@pytest.mark.real_data
@every_kind(quick=["fcnn"])
def test_shipped_weights_without_their_first_layer_are_known_to_be_standardised(name: str) -> None:
    content = saved(bare(name), ".safetensors")
    model, card = shelf.open(content, "theirs.safetensors")
    shipped = shelf.load(name)
    assert (card.architecture, card.reads) == (shipped.card.architecture, "standardised")
    images = splits.load("test", "real", 200).images
    ours = inference.infer(shipped.model, images, CPU)
    assert (inference.infer(model, images, CPU) == ours).all()


class Downwards(FullyConnected):
    """The shapes of the fcnn, but what passes an activation is what is below zero."""

    def __init__(self) -> None:
        super().__init__([512, 256], dropout=0.2)
        for index in (2, 5):
            assert isinstance(self.body[index], nn.ReLU)
            self.body[index] = nn.Hardtanh(-1e9, 0)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "architecture", [pytest.param("fcnn", marks=pytest.mark.slow), "downwards"]
)
def test_of_architectures_with_the_same_shapes_the_more_accurate_is_taken(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcnn = MODELS["fcnn"]
    twin = ModelSpec("downwards", "Downwards", "fcnn", "A twin.", Downwards, fcnn.recipe)
    for module in (formats, opening):
        monkeypatch.setattr(module, "MODELS", MappingProxyType({twin.name: twin, **MODELS}))
    w1, b1, w2, b2, w3, b3 = bare("fcnn").values()
    if architecture == "downwards":
        # What ReLU lets through of a, its twin lets through of -a, as -a.
        w1, b1, b2, w3 = -w1, -b1, -b2, -w3
    tensors = dict(zip("abcdef", (w1, b1, w2, b2, w3, b3), strict=True))
    opened = opening.open_file(pickled(tensors), "theirs.pt")
    assert (opened.architecture, opened.reads) == (architecture, "standardised")


@pytest.mark.real_data
def test_a_damaged_dataset_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in fashion.FILES.values():
        with (tmp_path / file.name).open("wb") as damaged:
            damaged.truncate(file.size)
    monkeypatch.setenv("FMNIST_DATA", str(tmp_path))
    _, card = shelf.open(pickled(stranger("gru").state_dict()), "theirs.pt")
    assert "assumed" in card.reads


# Kept


@every_stranger
def test_a_strangers_model_is_kept_as_a_plain_file_of_ours(architecture: str) -> None:
    model, card = shelf.open(pickled(stranger(architecture).state_dict()), "theirs.pt")
    kept = shelf.keep(Weights(model, card), "homework")
    assert kept == shelf.load("homework")[1]
    assert (kept.sha256, kept.reads) == (card.sha256, card.reads)
    again, read = shelf.open(
        (shelf.own_folder() / "homework.safetensors").read_bytes(), "again.safetensors"
    )
    assert read.sha256 == card.sha256
    assert (inference.infer(again, IMAGES, CPU) == inference.infer(model, IMAGES, CPU)).all()


@pytest.mark.parametrize("name", ["cnn", "mine"])
def test_nothing_is_kept_over_weights_that_are_there(name: str) -> None:
    shelf.save(Weights(MODELS["gru"].seeded(0), Card("mine", "gru", 0)), shelf.own_folder())
    before = {path: path.read_bytes() for path in shelf.own_folder().iterdir()}
    model, card = shelf.open(pickled(stranger("fcnn").state_dict()), "theirs.pt")
    with pytest.raises(WeightsError, match=f"weights named {name} already"):
        shelf.keep(Weights(model, card), name)
    assert {path: path.read_bytes() for path in shelf.own_folder().iterdir()} == before


@pytest.mark.parametrize("writes", [0, 3])
def test_a_name_is_free_again_where_keeping_failed(
    writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, card = shelf.open(pickled(stranger("fcnn").state_dict()), "theirs.pt")
    sync, calls = os.fsync, []

    def full_disk(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > writes:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            shelf.keep(Weights(model, card), "mine")
    assert [path.name for path in shelf.own_folder().iterdir()] == [shelf.LOCK]
    assert shelf.keep(Weights(model, card), "mine").name == "mine"


# What is refused


class Canary:
    """A pickle that would create a file when it is opened carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def refused(content: bytes, filename: str) -> str:
    """The sentence that a file is refused with."""
    with pytest.raises(WeightsError) as caught:
        shelf.open(content, filename)
    sentence = str(caught.value)
    assert sentence.startswith(filename)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("save", [pickled, pickle.dumps], ids=["torch", "pickle"])
@pytest.mark.parametrize("suffix", PICKLES)
@pytest.mark.parametrize(
    "place",
    [
        lambda canary, tensors: canary,
        lambda canary, tensors: tensors | {"extra": canary},
        lambda canary, tensors: {"state_dict": tensors, "optimizer": canary},
        lambda canary, tensors: {"state_dict": tensors | {"fc1.weight": canary}},
    ],
    ids=["alone", "among the tensors", "beside them", "as a tensor"],
)
def test_a_program_in_a_pickle_is_refused_and_never_runs(
    save, suffix: str, place, tmp_path: Path
) -> None:
    mark = tmp_path / "canary"
    content = save(place(Canary(mark), dict(stranger("fcnn").state_dict())))
    assert "more than tensors" in refused(content, f"evil{suffix}")
    assert not mark.exists()


@pytest.mark.filterwarnings("ignore")  # torch finds both ways of saving old or unfinished
@pytest.mark.parametrize("suffix", [*PICKLES, ".pt2"])
def test_programs_of_torchscript_and_of_torch_export_are_refused(suffix: str) -> None:
    example = torch.zeros(1, 784)
    model = stranger("fcnn")
    script, export = io.BytesIO(), io.BytesIO()
    torch.jit.save(torch.jit.trace(model, example), script)
    torch.export.save(torch.export.export(model, (example,)), export)
    for content in (script, export):
        assert "is a program" in refused(content.getvalue(), f"net{suffix}")


def altered(**changes: object) -> bytes:
    """A stranger's file with tensors added, replaced or, where None is given, left out."""
    tensors = dict(stranger("fcnn").state_dict()) | {
        name.replace("_", "."): change for name, change in changes.items()
    }
    return pickled({name: tensor for name, tensor in tensors.items() if tensor is not None})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (altered(out_weight=None), r"closest is fcnn, whose head.weight is (10, 256); the file h"),
        (altered(fc9_bias=torch.ones(3)), "closest is fcnn, which has no place for fc9.bias (3,)"),
        (altered(out_weight=torch.ones(12, 256)), "(10, 256); the file has out.weight (12, 256)"),
        (altered(fc1_weight=torch.ones(784, 512)), "(512, 784); the file has fc1.weight (784, 51"),
        (altered(out_bias=torch.full((10,), float("nan"))), "out.bias holds values that are not"),
        (altered(fc2_bias=torch.full((256,), -float("inf"))), "fc2.bias holds values that are not"),
        (altered(out_bias=torch.full((10,), 1e300, dtype=torch.float64)), "out.bias holds values"),
        (altered(fc1_weight=torch.full((512, 784), 1e38)), "answers pictures with values that are"),
        (altered(out_bias=torch.ones(10).int()), "out.bias is no plain tensor"),
        (altered(out_bias=torch.ones(10).to_sparse()), "out.bias is no plain tensor"),
        (altered(out_bias=torch.ones(10, device="meta")), "out.bias is no plain tensor"),
        (altered(out_bias=torch.ones(1).expand(10**13)), "so it was not opened"),
        (altered(standardize_conv=torch.ones(3, 3)), "no place for standardize.conv (3, 3)"),
        (altered(standardize_mean=torch.ones(3)), "no place for standardize.mean (3,)"),
        (
            pickled(dict(stranger("fcnn").state_dict()) | {"a.num_batches_tracked": torch.ones(3)}),
            "no place for a.num_batches_tracked (3,)",
        ),
        (altered(standardize_mean=torch.ones((), dtype=torch.complex64)), "mean is no plain tens"),
        (pickled({"two\nlines": torch.ones(3)}), "the file has twolines (3,) instead"),
        (pickled({"state_dict": {}}), "holds no state_dict"),
        (pickled({"params": {"fc": {"w": torch.ones(2)}}}), "the file has w (2,) instead"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tensors_that_are_no_model_are_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    assert sentence in refused(content, "theirs.pt")


@pytest.mark.parametrize("answers", [1, 2, 11])
@every_suffix
def test_a_network_with_another_number_of_answers_is_refused_by_that(
    answers: int, suffix: str
) -> None:
    model = nn.Sequential(nn.Linear(784, 12), nn.ReLU(), nn.Linear(12, answers))
    sentence = refused(saved(model.state_dict(), suffix), f"theirs{suffix}")
    assert f"another number of answers, {answers}: there are ten classes" in sentence


def test_an_optimizer_without_its_model_is_refused_as_one() -> None:
    content = pickled(trained(stranger("fcnn")))
    assert "holds the state of an optimizer and no weights" in refused(content, "optimizer.pt")


class Network:
    """A stranger's own, or that of a library that isn't here."""

    def __init__(self) -> None:
        self.coef_ = np.ones((10, 784))


@pytest.mark.parametrize(
    ("module", "advice"), [("sklearn.linear_model", "skl2onnx"), ("homework", "np.savez(")]
)
def test_an_object_of_a_library_or_of_ones_own_is_refused_with_what_it_can_be_brought_as(
    module: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ModuleType(module)
    theirs.Network = Network
    monkeypatch.setitem(sys.modules, module, theirs)
    monkeypatch.setattr(Network, "__module__", module)
    sentence = refused(pickle.dumps(Network()), "theirs.pkl")
    assert "holds more than tensors" in sentence
    assert advice in sentence
    assert "torch.save" not in sentence


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("my model/model.pt", content)
        file.writestr("my model/README.md", "Mine.")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("wrap", "sentence"),
    [
        (gzip.compress, "packed with gzip. Unpack it"),
        (zipped, "is a folder that was zipped, and no model. Unpack it"),
        (lambda content: b"\n<!DOCTYPE html>\n<html><title>model.pt", "is a web page"),
    ],
    ids=["gzip", "zip", "page"],
)
def test_what_is_around_a_model_is_named_where_the_model_should_be(wrap, sentence: str) -> None:
    assert sentence in refused(wrap(pickled(stranger("gru").state_dict())), "model.pt")


def test_a_name_with_a_number_that_python_would_not_read_is_refused() -> None:
    content = safetensors.torch.save({f"layer{'9' * 5000}.weight": torch.ones(3)})
    assert "is not a weights file" in refused(content, "theirs.safetensors")


def test_our_own_names_with_numbers_that_can_not_be_computed_with_are_refused() -> None:
    tensors = MODELS["gru"].seeded(0).state_dict()
    tensors["standardize.std"] = torch.tensor(0.0)
    assert "answers pictures with" in refused(pickled(tensors), "mine.pt")


def test_a_safetensors_header_of_more_than_64_kilobytes_is_refused() -> None:
    tensors = dict(stranger("gru").state_dict())
    content = safetensors.torch.save(tensors, {"notes": "x" * 60_000})
    shelf.open(content, "theirs.safetensors")
    content = safetensors.torch.save(tensors, {"notes": "x" * 65_536})
    assert "header" in refused(content, "theirs.safetensors")


@pytest.mark.parametrize("suffix", formats.SUFFIXES)
def test_a_file_larger_than_any_model_needs_is_refused_before_it_is_read(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"large{suffix}"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(WeightsError, match=r"large\S+ has 1,000,000.0 MB, so it was not opened"):
        shelf.load(path)
    assert "so it was not opened" in refused(bytes(formats.largest() + 1), path.name)


@pytest.mark.slow
def test_every_architecture_fits_the_limit_with_its_optimizer_in_double_precision() -> None:
    for spec in MODELS.values():
        model = spec.build().double()
        optimizer = torch.optim.Adam(model.parameters())
        model(torch.rand(2, 1, 28, 28).double()).sum().backward()
        optimizer.step()
        content = pickled({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
        formats.check_size(len(content), spec.name)
        shelf.open(content, "theirs.pt")


def test_an_archive_that_unpacks_to_more_than_any_model_needs_is_refused() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(formats.largest() + 1))
    assert "so it was not opened" in refused(archive.getvalue(), "bomb.pt")


@pytest.mark.slow
def test_a_pickle_that_would_keep_the_server_busy_for_ever_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A key of pairs of one pair of one pair …: to look it up takes 2 to the 60 steps.
    key = b")q\0" + b"".join(b"h%c\x86q%c" % (depth, depth + 1) for depth in range(60))
    shelf.open(FILES["state.pt"], "state.pt")  # so that the process is there
    monkeypatch.setattr("fmnist.weights.strangers.quarantine.PATIENCE", 2.0)
    assert "more time or memory" in refused(b"\x80\x02}" + key + b"K\1s.", "evil.pt")


FILES = {
    "state.pt": pickled(stranger("gru").state_dict()),
    "old.pth": b"",
    "state.safetensors": saved(stranger("gru").state_dict(), ".safetensors"),
    "graph.onnx": perceptron_graph(stranger("fcnn").state_dict()),
}
_old = io.BytesIO()
torch.save(stranger("gru").state_dict(), _old, _use_new_zipfile_serialization=False)
FILES["old.pth"] = _old.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("filename", FILES)
def test_a_damaged_file_opens_or_is_refused_in_a_sentence_and_nothing_else(filename: str) -> None:
    content = FILES[filename]
    shelf.open(content, filename)
    rng = np.random.default_rng(5)
    for _ in range(40):
        damaged = bytearray(content)
        ends = [rng.integers(0, 1500), len(content) - 1 - rng.integers(0, 1500)]
        for place in ends:
            damaged[place] = rng.integers(256)
        damaged = damaged[: rng.choice([len(content), rng.integers(len(content))], p=[0.8, 0.2])]
        with contextlib.suppress(WeightsError):
            shelf.open(bytes(damaged), filename)


LINEAR: Layer = {"kind": "Linear", "in_features": 784, "out_features": 10}
CLASSES_LAST: dict[str, list[Layer]] = {
    "linear": [{"kind": "Flatten"}, LINEAR],
    "normalised": [{"kind": "Flatten"}, LINEAR,
                   {"kind": "BatchNorm", "channels": 10, "images": False},
                   {"kind": "PReLU", "num_parameters": 10}],
    "convolution": [{"kind": "Conv2d", "inputs": 1, "outputs": 10, "size": [5, 5]},
                    {"kind": "BatchNorm", "channels": 10, "images": True},
                    {"kind": "GlobalPool", "mean": True}],
    "recurrent": [{"kind": "Conv2d", "inputs": 1, "outputs": 1, "size": [1, 1]},
                  {"kind": "Reshape", "shape": [28, 28]},
                  {"kind": "Recurrent", "cell": "LSTM", "inputs": 28, "hidden": 10, "depth": 1,
                   "both_ways": False, "gives": "last"}],
}  # fmt: skip


@pytest.mark.parametrize("layers", CLASSES_LAST.values(), ids=CLASSES_LAST)
def test_classes_are_put_in_another_order_by_all_that_makes_an_answer(layers: list[Layer]) -> None:
    torch.manual_seed(0)
    model = Chain(layers)
    images = torch.rand(50, 1, 28, 28)
    for _ in range(3):  # in training: statistics that no two classes have alike
        model(images)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor += 0.1 * torch.randn_like(tensor)
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    with torch.inference_mode():
        ours = opening.reordered(model.eval(), order).eval()(images)
        assert torch.allclose(ours, model(images)[:, order], atol=1e-6)


@pytest.mark.parametrize("remark", ["784-128-10", "3", '["fc1", "fc2"]', "[" * 100_000])
def test_remarks_of_a_strangers_own_are_none_of_ours(remark: str) -> None:
    tensors = {name: tensor.contiguous() for name, tensor in stranger("fcnn").state_dict().items()}
    content = safetensors.torch.save(tensors, {"layers": remark, "members": remark})
    if len(remark) > 10_000:  # more than names and shapes take
        assert "theirs.safetensors" in refused(content, "theirs.safetensors")
    else:
        assert shelf.open(content, "theirs.safetensors").card.parameters
