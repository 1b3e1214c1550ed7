"""How hard an image is: for one model, for many, and where models disagree."""

import numpy as np
from numpy.typing import NDArray

from fmnist.evaluation import Evaluation, probabilities

Scores = NDArray[np.float64]


def doubt(e: Evaluation, temperature: float = 1.0) -> Scores:
    """What the model withholds from the true class, float64 (N,): 1 - its probability."""
    shares = probabilities(e.logits, temperature)
    return 1 - shares[np.arange(len(e.labels)), e.labels].astype(np.float64)


def wrong_models(answers: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many models name each image wrong, int64 (N,), from probabilities (models, N, 10)."""
    wrong: NDArray[np.int64] = (answers.argmax(2) != labels).sum(0)
    return wrong


def disagreement(answers: NDArray[np.float32]) -> Scores:
    """The models' Jensen-Shannon divergence in bits, float64 (N,), from probabilities
    (models, N, 10): the entropy of their mean minus the mean of their entropies (Lin 1991).

    0 where all say the same with the same confidence; at most log2 of the number of models, where
    each is sure of another class.
    """
    shares = answers.astype(np.float64)
    divergence: Scores = _entropy(shares.mean(0)) - _entropy(shares).mean(0)
    return np.maximum(divergence, 0)  # rounding


def _entropy(shares: Scores) -> Scores:
    """Entropy in bits over the last axis."""
    logarithms = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy: Scores = -(shares * logarithms).sum(-1)
    return entropy
