import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from fmnist.analysis import attacks
from fmnist.data import garments
from fmnist.data.splits import Split
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.inference import infer
from fmnist.models.recipe import Recipe
from fmnist.training.adversarial import against
from fmnist.training.loop import train

CPU = torch.device("cpu")
STRENGTH = 0.1


@pytest.mark.parametrize("name", ["softmax", "cnn-normalized", "gru"])
def test_images_are_moved_within_the_strength_and_the_model_errs_more(name: str) -> None:
    images, labels = garments.draw(40, seed=1)
    model = MODELS[name].seeded(0).train()
    kept = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    pixels = torch.tensor(images)[:, None].float() / 255
    targets = torch.eye(10)[torch.tensor(labels).long()]
    torch.manual_seed(0)
    moved = against(model, pixels, targets, STRENGTH)
    assert all(layer.training for layer in model.modules())
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, kept[key]), key
    assert not moved.requires_grad
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert (moved - pixels).abs().max() <= STRENGTH + 1e-6
    model.eval()
    with torch.no_grad():
        before, after = (
            functional.cross_entropy(model(each), targets).item() for each in (pixels, moved)
        )
    assert after > before


def test_of_a_linear_model_pixels_go_as_far_as_they_may_the_way_its_weights_say() -> None:
    model = MODELS["softmax"].seeded(0)
    pixels = torch.full((1, 1, 28, 28), 0.5)
    targets = torch.eye(10)[:1]
    model.eval()
    with torch.no_grad():
        said = model(pixels).softmax(1)
        uphill = ((said - targets) @ model.head.weight).sign().reshape(1, 1, 28, 28)
    torch.manual_seed(0)
    moved = against(model, pixels, targets, 0.01)
    # From a random place, one step of 1.25 strengths leads at least a quarter of one uphill.
    assert ((moved - pixels) * uphill >= 0.0025 - 1e-6).all()


@pytest.mark.slow
def test_an_adversarially_trained_model_is_harder_to_fool() -> None:
    training, validation = Split(*garments.draw(600, seed=1)), Split(*garments.draw(100, seed=2))
    recipe = Recipe(epochs=8, batch_size=32, lr=2e-3, precision="float32", augment=())
    right = []
    for strength in (0.0, STRENGTH):
        model = MODELS["fcnn-small"].seeded(0)
        changed = dataclasses.replace(recipe, adversarial=strength)
        list(train(model, (training, validation), changed, CPU))
        attacked = attacks.fgsm(model.eval(), validation.images, validation.labels, 25)
        right.append((infer(model, attacked, CPU).argmax(1) == validation.labels).mean())
    assert right[1] > right[0] + 0.1


def test_the_strength_is_part_of_the_recipe_and_has_a_range() -> None:
    recipe = Recipe(adversarial=STRENGTH)
    assert Recipe.from_json(recipe.to_json()) == recipe
    older = {name: value for name, value in recipe.to_json().items() if name != "adversarial"}
    assert Recipe.from_json(older).adversarial == 0
    with pytest.raises(UserFacingError, match="adversarial"):
        Recipe(adversarial=np.inf)
