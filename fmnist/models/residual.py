"""A residual network: its later layers add to what they are given (He et al., arXiv:1512.03385)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from fmnist.models.layers import Classifier, Dropout, Standardize


class ResidualNet(Classifier):
    """3x3 convolutions; each stage halves the image, widens it and adds one refinement to it.

    Group normalisation (Wu and He, arXiv:1803.08494) makes each image's answer its own.
    """

    def __init__(self, channels: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = _convolution(1, channels[0])
        for inputs, outputs in pairwise(channels):
            self.body += nn.Sequential(
                nn.MaxPool2d(2), *_convolution(inputs, outputs), _Skip(outputs)
            )
        self.body += nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Dropout(dropout))
        self.head = nn.Linear(channels[-1], 10)


class _Skip(nn.Module):
    """A convolution whose result is added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = _convolution(channels, channels)

    def forward(self, values: Tensor) -> Tensor:
        refined: Tensor = values + self.inner(values)
        return refined


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.GroupNorm(8, outputs), nn.ReLU()
    )
