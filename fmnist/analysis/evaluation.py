"""Logits first: a model answers every image once, and each figure is a small function of that."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fmnist.data.splits import CLASSES

Real = TypeVar("Real", np.float32, np.float64)
TEMPERATURES = (0.25, 4.0)
"""Least and most that a temperature may be."""
FAMILIAR = 0.95
"""Share of real garments that a model takes for something it knows."""


@dataclass(frozen=True)
class Evaluation:
    """A model's logits float32 (N, 10) on images whose labels are uint8 (N,)."""

    model: str
    logits: NDArray[np.float32]
    labels: NDArray[np.uint8]

    @property
    def predictions(self) -> NDArray[np.uint8]:
        """The most likely class of each image, uint8 (N,)."""
        predictions: NDArray[np.uint8] = self.logits.argmax(1).astype(np.uint8)
        return predictions


class ClassFigures(NamedTuple):
    """How well one class is told from the others; 0 where a ratio has nothing to divide by."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Certainty:
    """What makes probabilities of the logits of one kind of picture, and what to think of them.

    Odds are weights of the logits, largest first, and a constant; their sum is the log of them:
    none: that a picture shows none of the ten; empty where that wasn't measured
    right: that the answer is right if it shows one of them; empty where it says what the
    highest probability says
    """

    temperature: float
    none: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)


class CalibrationBin(NamedTuple):
    """The images whose confidence falls in one interval."""

    confidence: float
    accuracy: float
    images: int


def probabilities(logits: NDArray[Real], temperature: float = 1.0) -> NDArray[Real]:
    """Softmax of logits (N, 10) divided by the temperature: rows that sum to 1."""
    rows: NDArray[Real] = special.softmax(logits / logits.dtype.type(temperature), axis=1)
    return rows


def logits_of(probabilities: NDArray[np.float32], step: float) -> NDArray[np.float32]:
    """Logits (N, 10) that have these probabilities, which were rounded to a step; 0 for none.

    Those that were rounded to zero have half a step together: of nothing, the loss is endless.
    """
    least = max(step / 2 / (len(CLASSES) - 1), float(np.finfo(np.float32).tiny))
    logs: NDArray[np.float32] = np.log(np.maximum(probabilities, np.float32(least)))
    return logs


def accuracy(e: Evaluation) -> float:
    """Share of images named right, 0 to 1."""
    return float((e.predictions == e.labels).mean())


def loss(e: Evaluation, temperature: float = 1.0) -> float:
    """Mean cross-entropy in nats."""
    logs = special.log_softmax(e.logits.astype(np.float64) / temperature, axis=1)
    return float(-logs[np.arange(len(e.labels)), e.labels].mean())


def confusion(e: Evaluation) -> NDArray[np.int64]:
    """Counts (10, 10): row = true class, column = predicted class."""
    return count_cells(e.labels, e.predictions)


def count_cells(labels: NDArray[np.uint8], predictions: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The confusion counts (10, 10) of labels (N,) against predictions (N,)."""
    cells = labels.astype(np.int64) * len(CLASSES) + predictions
    return np.bincount(cells, minlength=len(CLASSES) ** 2).reshape(len(CLASSES), len(CLASSES))


def per_class(matrix: NDArray[np.int64]) -> list[ClassFigures]:
    """Precision, recall, F1 and support of each class from a confusion matrix (10, 10)."""
    figures = [ratio.tolist() for ratio in ratios(matrix)]
    return [ClassFigures(*row) for row in zip(*figures, matrix.sum(1).tolist(), strict=True)]


def ratios(
    matrices: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F1 (..., 10) of each class from confusion matrices (..., 10, 10)."""
    right = matrices.diagonal(axis1=-2, axis2=-1)
    true, predicted = matrices.sum(-1), matrices.sum(-2)
    # Where there is nothing to divide by there is nothing right either.
    return (
        right / np.maximum(predicted, 1),
        right / np.maximum(true, 1),
        2 * right / np.maximum(true + predicted, 1),
    )


def errors(
    e: Evaluation,
    true: int | None,
    predicted: int | None,
    temperature: float = 1.0,
    among: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Rows of the images in one cell of the confusion matrix, most confident first.

    None stands for any class, and then only images that were named wrong count. `among` (N,) says
    which count at all.
    """
    chosen = np.ones(len(e.labels), bool) if among is None else among.copy()
    if true is not None:
        chosen &= e.labels == true
    if predicted is not None:
        chosen &= e.predictions == predicted
    if true is None or predicted is None:
        chosen &= e.predictions != e.labels
    rows = np.flatnonzero(chosen)
    confidence = probabilities(e.logits[rows], temperature).max(1)
    return rows[np.argsort(-confidence, kind="stable")]


def by_similarity(matrix: NDArray[np.int64]) -> list[int]:
    """The classes ordered so that those often confused, either way round, stand side by side.

    The leaves of a tree of average linkage in their best order (Bar-Joseph et al. 2001).
    """
    # A quarter of a second to import, and every command and training imports this module.
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    rates = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    distances = 1 - (rates + rates.T) / 2
    np.fill_diagonal(distances, 0)
    tree = hierarchy.linkage(squareform(distances), "average", optimal_ordering=True)
    order: list[int] = hierarchy.leaves_list(tree).tolist()
    return order


def flips(
    before: NDArray[np.uint8], after: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows learned (wrong, then right) and forgotten, from two lists of predictions (N,)."""
    was_right, is_right = before == labels, after == labels
    return np.flatnonzero(~was_right & is_right), np.flatnonzero(was_right & ~is_right)


def calibration(e: Evaluation, bins: int, temperature: float = 1.0) -> list[CalibrationBin]:
    """Confidence against accuracy in equal intervals of confidence; empty ones are left out."""
    confidence = probabilities(e.logits, temperature).max(1)
    return _binned(confidence, e.predictions == e.labels, bins)


def _binned(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], bins: int
) -> list[CalibrationBin]:
    interval = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        CalibrationBin(float(confidence[here].mean()), float(right[here].mean()), int(here.sum()))
        for here in (interval == index for index in range(bins))
        if here.any()
    ]


def expected_calibration_error(e: Evaluation, bins: int = 15, temperature: float = 1.0) -> float:
    """Mean gap between confidence and accuracy, weighted by images (Guo et al. 2017)."""
    confidence = probabilities(e.logits, temperature).max(1)
    return calibration_error(confidence, e.predictions == e.labels, bins)


def calibration_error(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], bins: int = 15
) -> float:
    """The same of answers (N,) whose being right is known, when several labels may count."""
    parts = _binned(confidence, right, bins)
    gaps = [abs(part.confidence - part.accuracy) * part.images for part in parts]
    return sum(gaps) / len(right)


def fit_temperature(e: Evaluation) -> float:
    """The temperature with the least cross-entropy, for validation logits (Guo et al. 2017)."""
    # A quarter of a second to import, and every command and training imports this module.
    from scipy import optimize

    low, high = TEMPERATURES
    found = optimize.minimize_scalar(
        lambda logarithm: loss(e, float(np.exp(logarithm))),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
    )
    return float(np.exp(found.x))


def fit_confidence(logits: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """The temperature at which the highest probability best tells whether an answer is right.

    For logits (N, 10) of pictures of which several labels may count, of which `fit_temperature`
    would know one: it has the least cross-entropy with being right, bool (N,).
    """

    def surprise(temperature: float) -> float:
        confidence = probabilities(logits.astype(np.float64), temperature).max(1)
        of_truth = np.where(right, confidence, 1 - confidence)
        return float(-np.log(np.maximum(of_truth, np.finfo(np.float64).eps)).mean())

    candidates: list[float] = np.geomspace(*TEMPERATURES, 301).tolist()
    return min(candidates, key=surprise)


def fit_certainty(
    logits: NDArray[np.float32], right: NDArray[np.bool_], none: NDArray[np.bool_]
) -> Certainty:
    """How sure to be of pictures of one kind, by logits (N, 10).

    right: bool (N,), those whose answer is right
    none: bool (N,), those that show none of the ten, which count as much as all others together
    """
    temperature = fit_confidence(logits[~none], right[~none])
    return Certainty(
        temperature,
        none=_fit_odds(logits, none, class_weight="balanced"),
        right=_fit_odds(logits[~none], right[~none]),
    )


def _fit_odds(
    logits: NDArray[np.float32], happened: NDArray[np.bool_], class_weight: str | None = None
) -> list[float]:
    """Weights and constant of the odds; none where it is always so, or never."""
    if happened.all() or not happened.any():
        return []
    # Half a second to import, and every command and training imports this module.
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(class_weight=class_weight, max_iter=1000)
    fitted.fit(_descending(logits), happened)
    return [*fitted.coef_[0].tolist(), float(fitted.intercept_[0])]


def chance_of_none(logits: NDArray[np.float32], certainty: Certainty) -> NDArray[np.float32]:
    """The chance (N,) that pictures with logits (N, 10) show none of the ten; 0 if not measured."""
    return _chance(logits, certainty.none) if certainty.none else np.zeros(len(logits), np.float32)


def chance_of_right(logits: NDArray[np.float32], certainty: Certainty) -> NDArray[np.float32]:
    """The chance (N,) that the answers to garments with logits (N, 10) are right.

    Where the model may share its probability among several right classes, it is more than the
    highest one says.
    """
    if certainty.right:
        return _chance(logits, certainty.right)
    highest: NDArray[np.float32] = probabilities(logits, certainty.temperature).max(1)
    return highest


def _chance(logits: NDArray[np.float32], odds: list[float]) -> NDArray[np.float32]:
    *weights, constant = odds
    logarithm = _descending(logits) @ np.array(weights, np.float32) + np.float32(constant)
    return np.asarray(special.expit(logarithm), np.float32)


def _descending(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return -np.sort(-logits, axis=1)


def energy(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Free energy (N,) of logits (N, 10), high where a model sees nothing that it knows.

    After Liu et al. 2020 (arXiv:2010.03759).
    """
    energies: NDArray[np.float32] = -special.logsumexp(logits, axis=1)
    return energies


def fit_energy_limit(e: Evaluation) -> float:
    """The energy that `FAMILIAR` of the images stay below, for validation logits."""
    return float(np.quantile(energy(e.logits), FAMILIAR))
