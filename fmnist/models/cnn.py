"""Convolutional networks: the same small filters at every place of the image."""

from collections.abc import Sequence

from torch import nn

from fmnist.models.layers import Classifier, Dropout, Standardize


class ConvNet(Classifier):
    """3x3 convolutions, each with pooling, then linear layers with dropout."""

    def __init__(self, channels: Sequence[int], hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = nn.Sequential()
        edge, inputs = 28, 1
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
