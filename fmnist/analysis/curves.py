"""What a model's confidence is good for: ranking images, and abstaining from doubtful ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from fmnist.analysis.evaluation import Evaluation, probabilities
from fmnist.data.splits import CLASSES


class ClassCurves(NamedTuple):
    """One class against the other nine, over all thresholds of its probability.

    `precision` and `recall` are of one length, and so are the two rates. The average precision
    and the area under the ROC curve sum each curve up in a number, 0 to 1.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    average_precision: float
    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    area: float


class Abstention(NamedTuple):
    """What becomes of a model that answers only from some confidence on."""

    coverage: float  # share of images that are answered
    accuracy: float  # among these; 1 where none is
    errors: int  # among these


def one_against_rest(e: Evaluation, temperature: float = 1.0) -> list[ClassCurves]:
    """Precision-recall and ROC curve of each class; every class must have an image."""
    of_classes = probabilities(e.logits, temperature)
    found = []
    for label in range(len(CLASSES)):
        is_it, probability = e.labels == label, of_classes[:, label]
        precision, recall, _ = metrics.precision_recall_curve(
            is_it, probability, drop_intermediate=True
        )
        false_positive, true_positive, _ = metrics.roc_curve(is_it, probability)
        found.append(
            ClassCurves(
                precision,
                recall,
                float(metrics.average_precision_score(is_it, probability)),
                false_positive,
                true_positive,
                float(metrics.auc(false_positive, true_positive)),
            )
        )
    return found


def abstention(e: Evaluation, threshold: float, temperature: float = 1.0) -> Abstention:
    """Coverage and accuracy when answers below the threshold of confidence are withheld."""
    answered = probabilities(e.logits, temperature).max(1) >= threshold
    wrong = int((e.predictions != e.labels)[answered].sum())
    return Abstention(
        coverage=float(answered.mean()),
        accuracy=1 - wrong / max(int(answered.sum()), 1),
        errors=wrong,
    )


def accuracy_by_coverage(
    e: Evaluation, temperature: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coverage and accuracy (N,) when the 1, 2, ..., N most confident answers are given.

    This is one minus the risk-coverage curve of El-Yaniv and Wiener (2010).
    """
    confidence = probabilities(e.logits, temperature).max(1)
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    right = np.cumsum((e.predictions == e.labels)[order])
    return answered / len(order), right / answered
