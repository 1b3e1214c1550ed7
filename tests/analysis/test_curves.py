import numpy as np
import pytest
from sklearn import metrics

from fmnist.analysis import curves, evaluation
from fmnist.analysis.evaluation import Evaluation


@pytest.fixture
def answers() -> Evaluation:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 400).astype(np.uint8)
    logits = rng.normal(size=(400, 10)).astype(np.float32)
    logits[np.arange(400), labels] += 1.5
    return Evaluation("random", logits, labels)


def test_the_area_is_how_often_an_image_of_the_class_outranks_another(answers: Evaluation) -> None:
    shares = evaluation.probabilities(answers.logits)
    for label, found in enumerate(curves.one_against_rest(answers)):
        its = shares[answers.labels == label, label]
        others = shares[answers.labels != label, label]
        assert found.area == pytest.approx((its[:, None] > others).mean(), abs=1e-6)
        assert found.area == pytest.approx(
            metrics.roc_auc_score(answers.labels == label, shares[:, label])
        )


def test_the_average_precision_is_the_mean_precision_at_each_image_of_the_class(
    answers: Evaluation,
) -> None:
    shares = evaluation.probabilities(answers.logits)
    for label, found in enumerate(curves.one_against_rest(answers)):
        hits, precisions = 0, []
        for rank, row in enumerate(np.argsort(-shares[:, label]), start=1):
            if answers.labels[row] == label:
                hits += 1
                precisions.append(hits / rank)
        assert found.average_precision == pytest.approx(np.mean(precisions), abs=1e-6)


def test_every_point_of_a_curve_is_a_threshold(answers: Evaluation) -> None:
    shares = evaluation.probabilities(answers.logits, 1.7)[:, 4]
    is_it = answers.labels == 4
    points, rates = set(), set()
    for threshold in shares:
        named = shares >= threshold
        points.add((round((is_it & named).sum() / named.sum(), 9), round(named[is_it].mean(), 9)))
        rates.add((round(named[~is_it].mean(), 9), round(named[is_it].mean(), 9)))
    found = curves.one_against_rest(answers, temperature=1.7)[4]
    drawn = zip(found.precision.round(9), found.recall.round(9), strict=True)
    assert set(drawn) <= points | {(1.0, 0.0)}
    drawn = zip(found.false_positive_rate.round(9), found.true_positive_rate.round(9), strict=True)
    assert set(drawn) <= rates | {(0.0, 0.0)}


def test_abstaining_counts_as_a_loop_does(answers: Evaluation) -> None:
    shares = evaluation.probabilities(answers.logits, 0.8)
    for threshold in (0.0, 0.4, 0.75):
        answered = [row for row in range(400) if max(shares[row]) >= threshold]
        wrong = sum(answers.predictions[row] != answers.labels[row] for row in answered)
        found = curves.abstention(answers, threshold, temperature=0.8)
        assert found.errors == wrong
        assert found.coverage == len(answered) / 400
        assert found.accuracy == pytest.approx(1 - wrong / len(answered))


def test_who_answers_nothing_makes_no_error(answers: Evaluation) -> None:
    assert curves.abstention(answers, 1.1) == (0.0, 1.0, 0)


def test_the_point_of_a_threshold_lies_on_the_curve(answers: Evaluation) -> None:
    coverage, accuracy = curves.accuracy_by_coverage(answers)
    assert coverage[-1] == 1.0
    assert accuracy[-1] == evaluation.accuracy(answers)
    point = curves.abstention(answers, 0.5)
    here = np.flatnonzero(coverage == point.coverage)
    assert accuracy[here] == pytest.approx([point.accuracy])
