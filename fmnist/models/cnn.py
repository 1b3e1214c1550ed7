"""Convolutional networks: the same small filters at every place of the image."""

from collections.abc import Sequence

from torch import nn

from fmnist.models.layers import Classifier, Dropout, Standardize


class ConvNet(Classifier):
    """Two 3x3 convolutions of 16 and 32 channels with pooling, then 1568-512-256-10."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 512),
            nn.ReLU(),
            Dropout(dropout),
            nn.Linear(512, 256),
            nn.ReLU(),
            Dropout(dropout),
        )
        self.head = nn.Linear(256, 10)


class DeepConvNet(Classifier):
    """Three pairs of 3x3 convolutions, halving the image between them, then a global mean.

    Group normalisation (Wu and He 2018, arXiv:1803.08494) makes each image's answer its own.
    """

    def __init__(self, channels: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential()
        for place, (inputs, outputs) in enumerate(zip((1, *channels), channels, strict=False)):
            if place:
                self.body.append(nn.MaxPool2d(2))
            self.body += _normalised(inputs, outputs)
            self.body += _normalised(outputs, outputs)
        self.body += nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Dropout(dropout))
        self.head = nn.Linear(channels[-1], 10)


def _normalised(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.GroupNorm(8, outputs), nn.ReLU()
    )
