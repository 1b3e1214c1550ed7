"""How hard an image is, from the probabilities (models, N, 10) of one model or of many."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def doubt(answers: NDArray[np.float32], labels: NDArray[np.uint8]) -> Scores:
    """What models withhold from the true class on average, float64 (N,): 1 - its probability."""
    of_label = answers[:, np.arange(len(labels)), labels]
    withheld: Scores = 1 - of_label.mean(0, dtype=np.float64)
    return withheld


def wrong_models(answers: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many models name each image wrong, int64 (N,)."""
    wrong: NDArray[np.int64] = (answers.argmax(2) != labels).sum(0)
    return wrong


def disagreement(answers: NDArray[np.float32]) -> Scores:
    """The models' Jensen-Shannon divergence in bits, float64 (N,): the entropy of their mean
    minus the mean of their entropies (Lin 1991).

    0 where all say the same with the same confidence; at most log2 of the number of models, where
    each is sure of another class.
    """
    shares = answers.astype(np.float64)
    divergence: Scores = _entropy(shares.mean(0)) - _entropy(shares).mean(0)
    return np.maximum(divergence, 0)  # rounding


def hardest_first(scores: NDArray[Any], doubt: Scores) -> NDArray[np.int64]:
    """Rows by falling score; among equals, by falling doubt."""
    return np.lexsort((-doubt, -scores))


def _entropy(shares: Scores) -> Scores:
    """Entropy in bits over the last axis."""
    logarithms = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy: Scores = -(shares * logarithms).sum(-1)
    return entropy
