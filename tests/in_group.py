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

RECIPE = Recipe(epochs=1, batch_size=31, lr=1e-3, precision="float32")
LONG = ("fcnn", "cnn", "lstm", "gru")
"""Models that a rounding error stays small in; wide or normalised ones make it grow tenfold a step,
as it does in one process from one order of summing to another."""


def losses(name: str) -> list[float]:
    """The loss of each of 20 steps, or of 2."""
    split = Split(*garments.draw((20 if name in LONG else 2) * 31, seed=1))
    model = MODELS[name].seeded(0)
    return [r.loss for r in train(model, (split, split), RECIPE, torch.device("cpu"))]


if __name__ == "__main__":
    distributed.init_process_group("gloo")
    measured = {name: losses(name) for name in MODELS}
    if parallel.place()[0] == 0:
        print(json.dumps(measured))
    distributed.destroy_process_group()
