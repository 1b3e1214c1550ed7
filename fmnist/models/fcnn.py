"""Fully-connected networks: every pixel is one input, with no notion of neighbours."""

from collections.abc import Sequence

from torch import nn

from fmnist.models.layers import Classifier, Dropout, Standardize


class FullyConnected(Classifier):
    """784 inputs through `widths` hidden layers of ReLU and dropout, or none, to 10 logits."""

    def __init__(self, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential(nn.Flatten())
        for inputs, outputs in zip((784, *widths), widths, strict=False):
            self.body += nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), Dropout(dropout))
        self.head = nn.Linear((784, *widths)[-1], 10)
