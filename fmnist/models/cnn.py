"""Convolutional networks: the same small filters at every place of the image."""

import math
from collections.abc import Sequence

from torch import nn

from fmnist.models.layers import SIDE, BatchNorm, Classifier, Dropout, Standardize


class ConvNet(Classifier):
    """3x3 convolutions, each with pooling, then linear layers with dropout."""

    def __init__(self, channels: Sequence[int], hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential()
        edge, inputs = SIDE, 1
        for outputs in channels:
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
            self.body += nn.Sequential(convolution, nn.ReLU(), nn.MaxPool2d(2))
            edge, inputs = edge // 2, outputs
        self.body.append(nn.Flatten())
        inputs *= edge**2
        for outputs in hidden:
            self.body += nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), Dropout(dropout))
            inputs = outputs
        self.head = nn.Linear(inputs, 10)


class StridedNet(Classifier):
    """Convolutions that shrink the image by their stride, one hidden linear layer, dropout.

    Each of `filters` is (edge, stride, channels); where `normalized`, batch normalisation follows.
    """

    def __init__(
        self,
        filters: Sequence[tuple[int, int, int]],
        hidden: int,
        dropout: float,
        normalized: bool = False,
    ) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential()
        side, inputs = SIDE, 1
        for edge, stride, outputs in filters:
            # Padded, so that only the stride shrinks the image.
            smaller = math.ceil(side / stride)
            missing = (smaller - 1) * stride + edge - side
            self.body.append(nn.ZeroPad2d((missing // 2, missing - missing // 2) * 2))
            self.body.append(nn.Conv2d(inputs, outputs, edge, stride, bias=not normalized))
            if normalized:
                self.body.append(BatchNorm(outputs))
            self.body.append(nn.ReLU())
            side, inputs = smaller, outputs
        self.body += nn.Sequential(
            nn.Flatten(), nn.Linear(inputs * side**2, hidden), nn.ReLU(), Dropout(dropout)
        )
        self.head = nn.Linear(hidden, 10)
