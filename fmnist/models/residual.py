"""Residual networks: each block adds what it finds to what came in (He et al. 2015)."""

from collections.abc import Sequence

from torch import Tensor, nn

from fmnist.models.layers import BatchNorm2d, Classifier, Standardize


class ResidualNet(Classifier):
    """A residual block for each of `widths`, the first at 14x14 and each other at half its size.

    The 28x28 pixels become 14x14 of four channels, so that no layer is as large as the image, and
    a channel's strongest place in the last block is its feature. Where `mirrored`, a trained model
    looks at the mirror image too, and a feature is the mean of both: the head being linear, so are
    the logits.
    """

    def __init__(self, widths: Sequence[int], mirrored: bool = False) -> None:
        super().__init__()
        self.mirrored = mirrored
        self.standardize = Standardize()
        self.body = nn.Sequential(nn.PixelUnshuffle(2))
        for inputs, width in zip((4, *widths), widths, strict=False):
            self.body += nn.Sequential(convolution(inputs, width), Residual(width), nn.MaxPool2d(2))
        self.body[-1] = nn.AdaptiveMaxPool2d(1)
        self.body.append(nn.Flatten())
        self.head = nn.Linear(widths[-1], 10)

    def features(self, images: Tensor) -> Tensor:
        found = super().features(images)
        if self.training or not self.mirrored:
            return found
        return (found + super().features(images.flip(-1))) / 2


class Residual(nn.Module):
    """What came in, and what two convolutions find in it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.found = nn.Sequential(convolution(width, width), convolution(width, width))

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.found(values)
        return values + found


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution, batch normalisation and ReLU."""
    filters = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(filters, BatchNorm2d(outputs), nn.ReLU())
