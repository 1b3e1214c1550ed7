"""Convolutional networks: the same small filters at every place of the image."""

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
