"""One of the processes of test_parallel.py: trains, and the first prints every step's loss."""

import json

import torch
from torch import distributed

from fmnist.data import garments
from fmnist.data.splits import Split
from fmnist.machine import parallel
from fmnist.models import MODELS
from fmnist.models.recipe import Recipe
from fmnist.training.loop import train

STEPS = 3
RECIPE = Recipe(epochs=1, batch_size=9, lr=1e-3, precision="float32")


def losses(name: str) -> list[float]:
    """The loss of each of `STEPS` steps.

    In float64: Adam's first step makes a rounding error of float32 as large as a gradient.
    """
    training = Split(*garments.draw(STEPS * RECIPE.batch_size, seed=1))
    validation = Split(*garments.draw(1, seed=2))
    model = MODELS[name].seeded(0).double()
    model.register_forward_pre_hook(lambda _, images: tuple(part.double() for part in images))
    return [r.loss for r in train(model, (training, validation), RECIPE, torch.device("cpu"))]


if __name__ == "__main__":
    distributed.init_process_group("gloo")
    measured = {name: losses(name) for name in MODELS}
    if parallel.place()[0] == 0:
        print(json.dumps(measured))
    distributed.destroy_process_group()
