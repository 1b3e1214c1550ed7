"""Every architecture: one literal mapping from a name to how the model is built and trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import nn

from fmnist.models.cnn import ConvNet
from fmnist.models.fcnn import FullyConnected
from fmnist.models.rnn import RowReader
from fmnist.training import Recipe

Family = Literal["fcnn", "cnn", "rnn"]

FAMILIES: Mapping[Family, str] = MappingProxyType(
    {"fcnn": "Fully connected", "cnn": "Convolutional", "rnn": "Recurrent"}
)


@dataclass(frozen=True)
class ModelSpec:
    """An architecture by name: what it is, how to build it untrained, and its shipped recipe."""

    name: str
    title: str
    family: Family
    summary: str
    build: Callable[[], nn.Module]
    recipe: Recipe

    def seeded(self, seed: int) -> nn.Module:
        """The model with initial weights drawn from the seed."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            return self.build()


_SPECS = (
    ModelSpec(
        name="fcnn",
        title="Fully connected 784-512-256-10",
        family="fcnn",
        summary="Three linear layers with ReLU and dropout 0.2. Sees pixels, not neighbours.",
        build=lambda: FullyConnected([512, 256], dropout=0.2),
        recipe=Recipe(
            epochs=40, lr=1e-3, weight_decay=0.05, label_smoothing=0.05, augment=("flip",)
        ),
    ),
    ModelSpec(
        name="cnn",
        title="Two convolutions, three linear layers",
        family="cnn",
        summary="3x3 filters, 16 then 32, each with pooling, then 1568-512-256-10, dropout 0.2.",
        build=lambda: ConvNet([16, 32], [512, 256], dropout=0.2),
        recipe=Recipe(epochs=30, lr=3e-3, weight_decay=0.05, label_smoothing=0.05),
    ),
    ModelSpec(
        name="everyday",
        title="Three convolutions for everyday pictures",
        family="cnn",
        summary=(
            "3x3 filters, 32 to 128, each with pooling, then 1152-512-10, dropout 0.2. Half of "
            "what it trains on are garments as people draw and photograph them."
        ),
        build=lambda: ConvNet([32, 64, 128], [512], dropout=0.2),
        recipe=Recipe(epochs=40, weight_decay=0.05, label_smoothing=0.05, everyday=1.0),
    ),
    ModelSpec(
        name="lstm",
        title="LSTM over rows",
        family="rnn",
        summary="Two LSTM layers of 128 read the 28 rows downwards; the last state answers.",
        build=lambda: RowReader(nn.LSTM, hidden=128, dropout=0.2),
        recipe=Recipe(epochs=25, lr=4e-3, weight_decay=0.02, label_smoothing=0.05),
    ),
    ModelSpec(
        name="gru",
        title="GRU over rows",
        family="rnn",
        summary="Two GRU layers of 128 read the 28 rows downwards; the last state answers.",
        build=lambda: RowReader(nn.GRU, hidden=128, dropout=0.2),
        recipe=Recipe(epochs=25, lr=4e-3, weight_decay=0.02, label_smoothing=0.05),
    ),
)

MODELS: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
