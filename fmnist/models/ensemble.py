"""Models that answer together, as one: their mean is more often right than most of them."""

import json
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from fmnist.models import MODELS
from fmnist.models.chain import MOST_NUMBERS, MOST_WORK, Chain
from fmnist.models.layers import Classifier, parameter_count

Member = dict[str, Any]
"""A model as JSON: its `name`, and its `architecture` of the registry or its chain of `layers`."""
FEWEST, MOST = 2, 40
"""How many may answer together: up to a class."""


class Ensemble(Classifier):
    """The logits are the mean of those of the members, the features all of theirs.

    Hansen and Salamon 1990. Each has its own way to standardize pixels, so nothing stands before
    them. Raises KeyError or ValueError for what describes no members, or more than may be in a
    file.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        if not FEWEST <= len(members) <= MOST:
            raise ValueError(f"{len(members)} members")
        self.members = [{**member, "name": str(member["name"])} for member in members]
        self.standardize = nn.Identity()
        self.networks = nn.ModuleList()
        work = 0
        for member in members:
            self.networks.append(network := _built(member))
            work += network.work if isinstance(network, Chain) else 0
            if parameter_count(self) > MOST_NUMBERS or work > MOST_WORK:
                raise ValueError("they are too large together")

    def features(self, images: Tensor) -> Tensor:
        networks = cast("Sequence[Classifier]", self.networks)
        return torch.cat([network.features(images).flatten(1) for network in networks], 1)

    def forward(self, images: Tensor) -> Tensor:
        return torch.stack([network(images) for network in self.networks]).mean(0)

    def remarks(self, architecture: str | None) -> dict[str, str]:
        return {"members": json.dumps(self.members)}


def _built(member: Member) -> Classifier:
    if "layers" in member:
        return Chain(member["layers"])
    return MODELS[member["architecture"]].build()
