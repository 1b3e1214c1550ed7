"""Convolutional networks: the same small filters at every place of the image."""

import math
from collections.abc import Sequence

from torch import nn

from fmnist.models.layers import SIDE, BatchNorm2d, Classifier, Dropout, Standardize


class ConvNet(Classifier):
    """Convolutions with pooling, then linear layers with dropout, or none.

    Each of `filters` is (edge, padding, channels). Pooling follows every `depth` convolutions, of
    which the others keep the number of channels.
    """

    def __init__(
        self,
        filters: Sequence[tuple[int, int, int]],
        hidden: Sequence[int],
        dropout: float,
        depth: int = 1,
    ) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential()
        side, inputs = SIDE, 1
        for edge, padding, outputs in filters:
            for _ in range(depth):
                self.body.append(nn.Conv2d(inputs, outputs, edge, padding=padding))
                self.body.append(nn.ReLU())
                side, inputs = side + 2 * padding - edge + 1, outputs
            self.body.append(nn.MaxPool2d(2))
            side //= 2
        self.body.append(nn.Flatten())
        inputs *= side**2
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
                self.body.append(BatchNorm2d(outputs))
            self.body.append(nn.ReLU())
            side, inputs = smaller, outputs
        self.body += nn.Sequential(
            nn.Flatten(), nn.Linear(inputs * side**2, hidden), nn.ReLU(), Dropout(dropout)
        )
        self.head = nn.Linear(hidden, 10)
