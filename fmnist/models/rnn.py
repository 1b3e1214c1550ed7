"""Recurrent networks: the image is a sequence of its rows or columns, read step by step."""

import torch
from torch import Tensor, nn

from fmnist.models.layers import SIDE, Classifier, Dropout, Standardize


class RowReader(Classifier):
    """Two stacked recurrent layers over the rows; the state after the last row is the feature.

    Where it reads both ways, that is the last state of each way.
    """

    def __init__(
        self,
        cell: type[nn.LSTM] | type[nn.GRU],
        hidden: int,
        dropout: float,
        both_ways: bool = False,
    ) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.hidden = hidden
        self.layers = stacked(cell, hidden, both_ways)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(2 * hidden if both_ways else hidden, 10)

    def features(self, images: Tensor) -> Tensor:
        rows = self.standardize(images).squeeze(1)
        states = read(self.layers, self.dropout, rows)
        # The way back ends at the first row; there is none where it reads one way.
        return torch.cat([states[:, -1, : self.hidden], states[:, 0, self.hidden :]], 1)


class RowColumnReader(Classifier):
    """LSTMs over rows and over columns, both ways, whose steps are weighed by attention."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        # In the order of their names, which is all that a safetensors file keeps.
        self.columns = Reader(hidden, dropout)
        self.rows = Reader(hidden, dropout)
        self.head = nn.Linear(4 * hidden, 10)

    def features(self, images: Tensor) -> Tensor:
        pixels = self.standardize(images).squeeze(1)
        return torch.cat([self.rows(pixels), self.columns(pixels.transpose(1, 2))], 1)


class Reader(nn.Module):
    """Two LSTM layers over a sequence (N, 28, 28), both ways, to the mean of its states (N, D).

    How much each step counts in the mean is learned (after Bahdanau, Cho, Bengio 2014).
    """

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = stacked(nn.LSTM, hidden, both_ways=True)
        self.dropout = Dropout(dropout)
        self.attention = nn.Linear(2 * hidden, 1, bias=False)  # softmax would cancel it

    def forward(self, sequence: Tensor) -> Tensor:
        states = read(self.layers, self.dropout, sequence)
        mean: Tensor = (states * self.attention(states).softmax(1)).sum(1)
        return mean


def stacked(cell: type[nn.LSTM] | type[nn.GRU], hidden: int, both_ways: bool) -> nn.ModuleList:
    """Two recurrent layers, of which the second reads the states of the first."""
    width = 2 * hidden if both_ways else hidden
    return nn.ModuleList(
        cell(inputs, hidden, batch_first=True, bidirectional=both_ways) for inputs in (SIDE, width)
    )


def read(layers: nn.ModuleList, dropout: nn.Module, sequence: Tensor) -> Tensor:
    """The states (N, 28, D) of stacked layers over a sequence (N, 28, 28)."""
    for layer in layers:
        states, _ = layer(sequence)
        sequence = dropout(states)
    return sequence
