"""The optimizer of a recipe: AdamW (Loshchilov, Hutter 2019) or Muon, without torch's compiler.

torch loads its compiler with the first optimizer, at the start of every training, which takes
nearly as long as all the rest of torch, and nothing is compiled here.
"""

from typing import Any

import torch
from torch import nn

from fmnist.models.recipe import Recipe
from fmnist.training.muon import Muon

ADAM_SHARE = 0.1
"""Muon's learning rate times this is that of what Muon leaves to Adam."""

for _name in ("add_param_group", "load_state_dict", "state_dict", "zero_grad"):
    _method = getattr(torch.optim.Optimizer, _name).__wrapped__
    _method.__dynamo_disable = _method  # what the compiler would put there


class _AdamW(torch.optim.AdamW):
    """torch's own, whose step would ask its compiler whether it is being compiled."""

    step = torch.no_grad()(torch.optim.AdamW.step.__wrapped__)  # type: ignore[attr-defined]


def of_recipe(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer; it decays matrices and filters, but neither biases nor scales."""
    head = {id(parameter) for parameter in model.get_submodule("head").parameters()}
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    spared = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    if recipe.optimizer == "adamw":
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ]
        return _AdamW(groups, lr=recipe.lr, fused=True)
    inner = [parameter for parameter in decayed if id(parameter) not in head]
    outer = [parameter for parameter in decayed if id(parameter) in head]
    adam = {"matrix": False, "share": ADAM_SHARE}
    groups = [
        {"params": inner, "weight_decay": recipe.weight_decay},
        {"params": outer, "weight_decay": recipe.weight_decay, **adam},
        {"params": spared, "weight_decay": 0.0, **adam},
    ]
    return Muon(groups, lr=recipe.lr)
