"""Residual networks as they were made for small pictures (He et al. 2015, section 4.2)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fmnist.models.layers import BatchNorm2d, Classifier, Standardize
from fmnist.models.residual import convolution


class ResNet(Classifier):
    """Three residual blocks for each of `widths`: the first at 28x28, the others at half the size.

    What a block brings to another size passes a 1x1 convolution on the way around it.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = convolution(1, widths[0])
        for inputs, width in zip((widths[0], *widths), widths, strict=False):
            stride = 1 if inputs == width else 2
            self.body.extend(
                [Block(inputs, width, stride), Block(width, width), Block(width, width)]
            )
        self.body.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten()])
        self.head = nn.Linear(widths[-1], 10)


class Block(nn.Module):
    """What came in, and what two convolutions find in it."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        # The second's ReLU comes after what came in is added.
        self.found = nn.Sequential(
            *convolution(inputs, outputs, stride), *convolution(outputs, outputs)[:-1]
        )
        self.kept = nn.Sequential()
        if stride > 1:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.kept = nn.Sequential(projection, BatchNorm2d(outputs))

    def forward(self, values: Tensor) -> Tensor:
        return torch.relu(self.kept(values) + self.found(values))
