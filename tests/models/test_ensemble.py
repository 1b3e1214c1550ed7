import numpy as np
import pytest
import torch

from fmnist.models import MODELS
from fmnist.models.chain import MOST_NUMBERS
from fmnist.models.ensemble import MOST, Ensemble, Member
from fmnist.models.inference import infer
from fmnist.models.layers import Classifier, parameter_count

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(3).integers(0, 256, (20, 28, 28), np.uint8)
LINEAR = [{"kind": "Flatten"}, {"kind": "Linear", "in_features": 784, "out_features": 10}]


def ensemble(*members: Member) -> tuple[Ensemble, list[Classifier]]:
    torch.manual_seed(4)
    together = Ensemble(members).eval()
    return together, [one for one in together.networks if isinstance(one, Classifier)]


def test_the_answer_is_the_mean_of_what_the_members_say_one_by_one() -> None:
    together, alone = ensemble(
        {"name": "a", "architecture": "lenet-5"},
        {"name": "b", "architecture": "gru"},
        {"name": "c", "layers": LINEAR},
    )
    said = [infer(one, IMAGES, CPU) for one in alone]
    assert len(said) == 3
    np.testing.assert_allclose(infer(together, IMAGES, CPU), sum(said) / 3, atol=1e-6)
    assert np.abs(said[0] - said[1]).max() > 1e-3


def test_its_features_are_those_of_all_members() -> None:
    together, alone = ensemble(
        {"name": "a", "architecture": "lenet-5"}, {"name": "b", "architecture": "fcnn-128"}
    )
    images = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        features = together.features(images)
        assert features.shape == (3, 84 + 128)
        assert torch.equal(features[:, 84:], alone[1].features(images))


@pytest.mark.parametrize(
    "members",
    [
        [],
        [{"name": "alone", "architecture": "lenet-5"}],
        [{"name": "one of too many", "architecture": "softmax"}] * (MOST + 1),
        [{"name": "too much to multiply", "layers": LINEAR * 300}] * 2,
    ],
    ids=lambda members: members[0]["name"] if members else "nobody",
)
def test_what_describes_no_ensemble_is_refused(members: list[Member]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Ensemble(members)


def test_members_that_are_too_large_together_are_refused_before_all_are_built() -> None:
    size = parameter_count(MODELS["fcnn-normalized"].build())
    fitting = MOST_NUMBERS // size
    large = {"name": "large", "architecture": "fcnn-normalized"}
    assert fitting < MOST
    with pytest.raises(ValueError, match="too large together"):
        Ensemble([large] * (fitting + 1))
