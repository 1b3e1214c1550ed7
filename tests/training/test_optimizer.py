import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fmnist.models import MODELS
from fmnist.models.recipe import OPTIMIZERS, Recipe
from fmnist.training import optimizer

PROJECT = Path(__file__).parents[2]

ONE_STEP = """
import sys
import torch
from fmnist.data import garments
from fmnist.data.splits import Split
from fmnist.models import MODELS
from fmnist.models.recipe import Recipe
from fmnist.training.loop import train
few = Split(*garments.draw(20, seed=0))
for name in {optimizers}:
    recipe = Recipe(epochs=1, batch_size=20, lr=1e-3, augment=(), optimizer=name)
    model = MODELS["softmax"].seeded(0)
    last = [*train(model, (few, few), recipe, torch.device("cpu"))][-1]
    print(last.validation is not None)
print("torch._dynamo" in sys.modules)
"""


@pytest.mark.slow
def test_a_training_does_not_load_torchs_compiler() -> None:
    script = ONE_STEP.format(optimizers=OPTIMIZERS)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True
    )
    trained = ["True" for _ in OPTIMIZERS]
    assert done.stdout.split() == [*trained, "False"], done.stderr


def test_adamw_takes_the_steps_of_torchs_own() -> None:
    recipe = Recipe(epochs=1, lr=0.01, weight_decay=0.1, optimizer="adamw")
    ours, theirs = (MODELS["lenet-5"].seeded(0) for _ in range(2))
    decayed, spared = (
        [p for p in theirs.parameters() if (p.ndim > 1) == many] for many in (True, False)
    )
    torchs = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": spared, "weight_decay": 0.0}],
        lr=recipe.lr,
    )
    images = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for model, stepping in ((ours, optimizer.of_recipe(ours, recipe)), (theirs, torchs)):
        model.eval()
        for _ in range(3):
            stepping.zero_grad()
            model(images).logsumexp(1).sum().backward()
            stepping.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_neither_biases_nor_scales_are_decayed(name: str) -> None:
    model = MODELS["residual-100k"].seeded(0)
    recipe = dataclasses.replace(MODELS["residual-100k"].recipe, weight_decay=0.1, optimizer=name)
    groups = optimizer.of_recipe(model, recipe).param_groups
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    for group in groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.1 if parameter.ndim > 1 else 0.0)
