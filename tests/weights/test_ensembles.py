import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.models import MODELS
from fmnist.models.chain import Chain
from fmnist.models.inference import infer
from fmnist.weights import ensembles, measuring, shelf
from fmnist.weights.card import Card, WeightsError
from fmnist.weights.shelf import Weights

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(5).integers(0, 256, (20, 28, 28), np.uint8)
LAYERS = [{"kind": "Flatten"}, {"kind": "Linear", "in_features": 784, "out_features": 10}]


def one(architecture: str, seed: int = 0, **known: object) -> Weights:
    model = MODELS[architecture].seeded(seed).eval()
    return Weights(model, replace(Card(architecture, architecture, 0, data="real"), **known))


def a_chain() -> Weights:
    torch.manual_seed(1)
    chain = Chain(LAYERS).eval()
    chain.standardize.load_state_dict({"mean": torch.tensor(0.0), "std": torch.tensor(0.25)})
    return Weights(chain, Card("of a stranger", None, 0, layers=LAYERS))


def mean_of(*weights: Weights) -> np.ndarray:
    return np.mean([infer(model, IMAGES, CPU) for model, _ in weights], axis=0)


def test_models_of_any_kind_become_one_file_that_answers_as_their_mean() -> None:
    members = one("lenet-5"), one("gru"), a_chain()
    joined = ensembles.joined(members, "together")
    shelf.save(joined, shelf.own_folder())
    model, card = shelf.load("together")
    np.testing.assert_allclose(infer(model, IMAGES, CPU), mean_of(*members), atol=1e-6)
    assert [member["name"] for member in card.members] == ["lenet-5", "gru", "of a stranger"]
    assert (card.family, card.architecture, card.data) == ("ensemble", None, None)
    assert card.parameters == sum(t.numel() for one in members for t in one.model.parameters())


def test_the_file_alone_says_how_its_members_are_built() -> None:
    members = one("lenet-5"), a_chain()
    joined = ensembles.joined(members, "together")
    model, card = shelf.open(joined.model.packed(None), "from somebody.safetensors")
    assert card == replace(joined.card, name="from somebody", data=None)
    np.testing.assert_allclose(infer(model, IMAGES, CPU), mean_of(*members), atol=1e-6)


def test_members_go_on_by_themselves() -> None:
    members = one("lenet-5"), one("lenet-5", seed=1)
    before = mean_of(*members)
    joined = ensembles.joined(members, "together")
    with torch.no_grad():
        for parameter in joined.model.parameters():
            parameter.zero_()
    assert (mean_of(*members) == before).all()


def test_what_an_ensemble_says_is_known_from_what_its_members_said() -> None:
    members = one("lenet-5"), one("fcnn-small")
    labels = np.arange(len(IMAGES)).astype(np.uint8) % 10
    said = [Evaluation(card.name, infer(model, IMAGES, CPU), labels) for model, card in members]
    together = ensembles.answer_of(said, "both")
    asked = infer(ensembles.joined(members, "both").model, IMAGES, CPU)
    np.testing.assert_allclose(together.logits, asked, atol=1e-6)
    assert (together.model, list(together.labels)) == ("both", list(labels))


def test_an_ensemble_is_measured_as_any_model(small: None) -> None:
    joined = ensembles.joined([one("lenet-5"), one("fcnn-small")], "both")
    data = splits.load("validation", "drawn"), splits.load("test", "drawn")
    card = measuring.asked(joined, data, CPU)
    predicted = infer(joined.model, data[1].images, CPU).argmax(1)
    assert card.test.accuracy == (predicted == data[1].labels).mean()
    assert (card.test.n, card.validation.n) == (len(data[1]), len(data[0]))
    assert 0 <= card.mirrored <= 1
    assert card.members == joined.card.members


ENSEMBLE = ensembles.joined([one("softmax"), one("lenet-5")], "before")
GRAPH = Weights(a_chain().model, Card("a graph", None, None, opaque="onnx"))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([], "has 2 to 40 models"),
        ([one("lenet-5")], "has 2 to 40 models"),
        ([one("softmax")] * 41, "has 2 to 40 models"),
        ([one("lenet-5"), ENSEMBLE], "before is no single network of layers"),
        ([one("lenet-5"), GRAPH], "a graph is no single network of layers"),
        ([one("fcnn-normalized")] * 6, "too large together"),
        ([one("lenet-5", classroom="A"), one("gru", classroom="B")], "of several rooms"),
    ],
    ids=["none", "one", "too many", "ensemble", "graph", "too large", "rooms"],
)
def test_what_makes_no_ensemble_is_refused(members: list[Weights], reason: str) -> None:
    with pytest.raises(WeightsError, match=reason):
        ensembles.joined(members, "together")


def test_what_a_room_has_sealed_stays_so_in_company() -> None:
    joined = ensembles.joined([one("lenet-5", classroom="A"), one("gru")], "together")
    assert joined.card.classroom == "A"


def test_members_without_a_name_are_refused_though_their_tensors_are_right() -> None:
    model = ENSEMBLE.model
    nameless = [{"architecture": member["architecture"]} for member in model.members]
    tensors = safetensors.torch.load(model.packed(None))
    content = safetensors.torch.save(tensors, {"members": json.dumps(nameless)})
    with pytest.raises(WeightsError, match="describes layers that its tensors don't fill"):
        shelf.open(content, "damaged.safetensors")


@pytest.mark.parametrize("remark", ["", "[]", "{}", "both of them"])
def test_a_file_that_describes_no_members_is_taken_for_a_state_dict(remark: str) -> None:
    tensors = {key: one.contiguous() for key, one in ENSEMBLE.model.state_dict().items()}
    content = safetensors.torch.save(tensors, {"members": remark})
    with pytest.raises(WeightsError, match=r"fits none|is no plain stack"):
        shelf.open(content, "theirs.safetensors")


@pytest.mark.parametrize(
    "remark",
    [json.dumps([{"name": "x", "architecture": "nobody's"}] * 2),
     json.dumps([{"name": "x", "layers": LAYERS}] * 2), json.dumps([{"architecture": "gru"}] * 2)],
)  # fmt: skip
def test_a_file_whose_tensors_are_not_what_it_describes_is_refused(remark: str) -> None:
    tensors = {key: one.contiguous() for key, one in ENSEMBLE.model.state_dict().items()}
    content = safetensors.torch.save(tensors, {"members": remark})
    with pytest.raises(WeightsError, match="describes layers that its tensors don't fill"):
        shelf.open(content, "damaged.safetensors")
