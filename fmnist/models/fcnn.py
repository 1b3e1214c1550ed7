"""Fully-connected networks: every pixel is one input, with no notion of neighbours."""

from collections.abc import Sequence

from torch import nn

from fmnist.models.layers import BatchNorm1d, Classifier, Dropout, Standardize


class FullyConnected(Classifier):
    """784 inputs through `widths` hidden layers of ReLU and dropout, or none, to 10 logits.

    Where `normalized`, batch normalisation comes before each ReLU.
    """

    def __init__(self, widths: Sequence[int], dropout: float, normalized: bool = False) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential(nn.Flatten())
        for inputs, outputs in zip((784, *widths), widths, strict=False):
            self.body.append(nn.Linear(inputs, outputs, bias=not normalized))
            if normalized:
                self.body.append(BatchNorm1d(outputs))
            self.body += nn.Sequential(nn.ReLU(), Dropout(dropout))
        self.head = nn.Linear((784, *widths)[-1], 10)
