"""How hard an image is, from the probabilities (models, N, 10) of one model or of many."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fmnist.words import Words

Answers = NDArray[np.float32]
Labels = NDArray[np.uint8]
Scores = NDArray[np.float64]


class Measure(NamedTuple):
    """A way to be hard: its score of each image, how one is written, and what it means."""

    score: Callable[[Answers, Labels], NDArray[Any]]
    form: str
    meaning: Words


def doubt(answers: Answers, labels: Labels) -> Scores:
    """What models withhold from the true class on average, float64 (N,): 1 - its probability."""
    of_label = answers[:, np.arange(len(labels)), labels]
    withheld: Scores = 1 - of_label.mean(0, dtype=np.float64)
    return withheld


def wrong_models(answers: Answers, labels: Labels) -> NDArray[np.int64]:
    """How many models name each image wrong, int64 (N,)."""
    wrong: NDArray[np.int64] = (answers.argmax(2) != labels).sum(0)
    return wrong


def disagreement(answers: Answers) -> Scores:
    """The models' Jensen-Shannon divergence in bits, float64 (N,): the entropy of their mean
    minus the mean of their entropies (Lin 1991).

    0 where all say the same with the same confidence; at most log2 of the number of models, where
    each is sure of another class.
    """
    probabilities = answers.astype(np.float64)
    divergence: Scores = _entropy(probabilities.mean(0)) - _entropy(probabilities).mean(0)
    return np.maximum(divergence, 0)  # rounding


def hardest_first(scores: NDArray[Any], doubt: Scores) -> NDArray[np.int64]:
    """Rows by falling score; among equals, by falling doubt."""
    return np.lexsort((-doubt, -scores))


def _entropy(probabilities: Scores) -> Scores:
    """Entropy in bits over the last axis."""
    entropy: Scores = special.entr(probabilities).sum(-1) / np.log(2)
    return entropy


MEASURES: Mapping[str, Measure] = {
    Words("Doubt"): Measure(
        doubt,
        "{:.1%}",
        Words("The share of their probability that the models withhold from the label."),
    ),
    Words("Models wrong"): Measure(
        wrong_models,
        Words("{} wrong"),
        Words("How many models name it wrong; among equals, their doubt."),
    ),
    Words("Disagreement"): Measure(
        lambda answers, labels: disagreement(answers),
        Words("{:.2f} bits"),
        Words(
            "How far apart the models' probabilities lie, as their Jensen-Shannon divergence: high "
            "where each model is sure of another class."
        ),
    ),
}
