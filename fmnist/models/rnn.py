"""Recurrent networks: the image is a sequence of 28 rows, read from top to bottom."""

from torch import Tensor, nn

from fmnist.models.layers import Classifier, Standardize


class RowReader(Classifier):
    """Two stacked recurrent layers over the rows; the state after the last row is the feature."""

    def __init__(self, cell: type[nn.LSTM] | type[nn.GRU], hidden: int, dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize()
        self.body = cell(28, hidden, num_layers=2, batch_first=True, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, 10)

    def features(self, images: Tensor) -> Tensor:
        rows = self.standardize(images).squeeze(1)
        states, _ = self.body(rows)
        last: Tensor = self.dropout(states[:, -1])
        return last
