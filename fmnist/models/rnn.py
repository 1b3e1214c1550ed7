"""Recurrent networks: the image is a sequence of 28 rows, read from top to bottom."""

from torch import Tensor, nn

from fmnist.models.layers import Classifier, Dropout, Standardize


class RowReader(Classifier):
    """Two stacked recurrent layers over the rows; the state after the last row is the feature."""

    def __init__(self, cell: type[nn.LSTM] | type[nn.GRU], hidden: int, dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.layers = nn.ModuleList(
            [cell(28, hidden, batch_first=True), cell(hidden, hidden, batch_first=True)]
        )
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(hidden, 10)

    def features(self, images: Tensor) -> Tensor:
        sequence = self.standardize(images).squeeze(1)
        for layer in self.layers:
            states, _ = layer(sequence)
            sequence = self.dropout(states)
        last: Tensor = sequence[:, -1]
        return last
