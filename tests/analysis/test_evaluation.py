import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special
from scipy.special import logsumexp
from sklearn.metrics import precision_recall_fscore_support

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import FAMILIAR, Evaluation
from fmnist.data import garments
from fmnist.models import MODELS, inference


@pytest.fixture
def answers() -> Evaluation:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 500).astype(np.uint8)
    logits = rng.normal(size=(500, 10)).astype(np.float32)
    logits[np.arange(500), labels] += 1.5
    return Evaluation("random", logits, labels)


def test_confusion_counts_as_a_loop_does(answers: Evaluation) -> None:
    counts = np.zeros((10, 10), int)
    for true, logits in zip(answers.labels, answers.logits, strict=True):
        counts[true, max(range(10), key=lambda label: logits[label])] += 1
    assert (evaluation.confusion(answers) == counts).all()


def test_every_cell_holds_as_many_images_as_it_says(answers: Evaluation) -> None:
    matrix = evaluation.confusion(answers)
    for true, predicted in np.ndindex(10, 10):
        assert len(evaluation.errors(answers, true, predicted)) == matrix[true, predicted]


def test_a_cell_lists_its_images_most_confident_first(answers: Evaluation) -> None:
    rows = evaluation.errors(answers, 3, 3)
    shares = evaluation.probabilities(answers.logits)[rows, 3]
    assert (np.diff(shares) <= 0).all()
    assert (answers.labels[rows] == 3).all()
    assert (answers.predictions[rows] == 3).all()


def test_any_class_means_the_wrong_ones_of_a_row_of_a_column_or_all(answers: Evaluation) -> None:
    said, labels = answers.predictions, answers.labels
    wrong = said != labels
    for label in range(10):
        row = evaluation.errors(answers, label, None)
        assert set(row) == set(np.flatnonzero(wrong & (labels == label)))
        column = evaluation.errors(answers, None, label)
        assert set(column) == set(np.flatnonzero(wrong & (said == label)))
    everything = evaluation.errors(answers, None, None)
    assert len(everything) == wrong.sum()
    confidence = evaluation.probabilities(answers.logits)[everything].max(1)
    assert (np.diff(confidence) <= 0).all()


def test_similar_classes_stand_side_by_side() -> None:
    matrix = np.eye(10, dtype=np.int64) * 900
    for true, predicted in ((0, 6), (6, 2), (4, 2), (9, 7), (7, 5)):
        matrix[true, predicted] = 100
    order = evaluation.by_similarity(matrix)
    assert sorted(order) == list(range(10))
    place = {label: order.index(label) for label in order}
    for group in ((0, 6, 2, 4), (9, 7, 5)):
        places = [place[label] for label in group]
        assert max(places) - min(places) == len(group) - 1
    assert abs(place[7] - place[5]) == 1


@pytest.mark.parametrize("matrix", [np.zeros((10, 10)), np.eye(10) * 1000])
def test_without_errors_there_still_is_an_order(matrix: NDArray[np.float64]) -> None:
    assert sorted(evaluation.by_similarity(matrix.astype(np.int64))) == list(range(10))


def test_class_figures_agree_with_scikit_learn(answers: Evaluation) -> None:
    expected = precision_recall_fscore_support(answers.labels, answers.predictions)
    ours = np.array(evaluation.per_class(evaluation.confusion(answers)))
    assert np.allclose(ours.T, np.array(expected))


def test_a_class_that_is_never_named_has_zero_figures() -> None:
    figures = evaluation.per_class(np.zeros((10, 10), np.int64))
    assert figures == [(0.0, 0.0, 0.0, 0)] * 10


def test_loss_and_probabilities_agree_with_torch(answers: Evaluation) -> None:
    logits, labels = torch.tensor(answers.logits), torch.tensor(answers.labels).long()
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert evaluation.loss(answers) == pytest.approx(expected, rel=1e-5)
    softmax = torch.softmax(logits / 1.7, 1).numpy()
    assert np.allclose(evaluation.probabilities(answers.logits, 1.7), softmax, atol=1e-6)


def test_huge_logits_give_finite_probabilities() -> None:
    logits = np.array([[1e4, -1e4] + [0.0] * 8], np.float32)
    assert evaluation.probabilities(logits).tolist() == [[1.0] + [0.0] * 9]
    assert np.isfinite(evaluation.loss(Evaluation("m", logits, np.array([1], np.uint8))))


def test_calibration_bins_as_a_loop_does(answers: Evaluation) -> None:
    confidence = evaluation.probabilities(answers.logits).max(1)
    right = answers.predictions == answers.labels
    gaps = 0.0
    for low in np.arange(10) / 10:
        here = [i for i in range(500) if low <= confidence[i] < low + 0.1]
        if here:
            gaps += abs(np.mean([confidence[i] - right[i] for i in here])) * len(here)
    assert evaluation.expected_calibration_error(answers, bins=10) == pytest.approx(gaps / 500)
    assert sum(part.images for part in evaluation.calibration(answers, 10)) == 500


def test_the_fitted_temperature_undoes_a_scaling(answers: Evaluation) -> None:
    fitted = evaluation.fit_temperature(answers)
    sharper = Evaluation("sharper", answers.logits * 2, answers.labels)
    assert evaluation.fit_temperature(sharper) == pytest.approx(2 * fitted, rel=0.03)
    assert evaluation.loss(answers, fitted) <= evaluation.loss(answers)


def test_flips_are_what_was_learned_and_what_was_forgotten() -> None:
    labels = np.array([0, 1, 2, 3], np.uint8)
    before, after = np.array([0, 0, 2, 9], np.uint8), np.array([0, 1, 7, 8], np.uint8)
    learned, forgotten = evaluation.flips(before, after, labels)
    assert (learned.tolist(), forgotten.tolist()) == ([1], [2])


def test_infer_gives_the_same_logits_in_batches_as_at_once() -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    images = np.random.default_rng(0).integers(0, 256, (1203, 28, 28)).astype(np.uint8)
    logits = inference.infer(model, images, torch.device("cpu"))
    with torch.no_grad():
        expected = model(torch.tensor(images)[:, None] / 255).numpy()
    assert logits.dtype == np.float32
    shares: list[float] = []
    inference.infer(model, images, torch.device("cpu"), shares.append)
    batch = inference.BATCH
    assert shares == [min(done, 1203) / 1203 for done in range(batch, 1203 + batch, batch)]
    assert np.allclose(logits, expected, atol=1e-5)


def test_energy_is_what_scipy_says_and_falls_as_a_class_gets_sure() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 10)).astype(np.float32)
    np.testing.assert_allclose(evaluation.energy(logits), -logsumexp(logits, axis=1), rtol=1e-5)
    surer = logits.copy()
    surer[:, 3] += 20
    assert (evaluation.energy(surer) < evaluation.energy(logits)).all()


def test_most_images_stay_below_the_energy_limit(answers: Evaluation) -> None:
    below = evaluation.energy(answers.logits) <= evaluation.fit_energy_limit(answers)
    assert below.mean() == pytest.approx(FAMILIAR, abs=1 / len(below))


def test_mirrored_logits_are_the_same_for_an_image_and_its_mirror_image() -> None:
    model = MODELS["fcnn"].seeded(0)
    images = garments.draw(6, seed=0)[0]
    mirror_images = np.ascontiguousarray(images[:, :, ::-1])
    device = torch.device("cpu")
    both = inference.infer_mirrored(model, images, device)
    assert np.allclose(both, inference.infer_mirrored(model, mirror_images, device), atol=1e-6)
    ways = [inference.infer(model, way, device) for way in (images, mirror_images)]
    assert np.allclose(both, np.mean(ways, axis=0), atol=1e-6)
    assert not np.allclose(both, ways[0], atol=1e-2)


def test_a_model_that_is_where_it_should_be_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    # Moved by one thread, a recurrent model can't answer another.
    model = MODELS["lstm"].seeded(0)
    images = np.zeros((3, 28, 28), np.uint8)
    before = inference.infer(model, images, torch.device("cpu"))
    monkeypatch.setattr(torch.nn.Module, "_apply", None)
    assert (inference.infer(model, images, torch.device("cpu")) == before).all()


def test_the_temperature_for_sets_makes_confidence_the_share_that_is_right() -> None:
    rng = np.random.default_rng(0)
    logits = (4 * rng.normal(size=(4000, 10))).astype(np.float32)
    for truth in (0.5, 2.0):
        shares = evaluation.probabilities(logits, truth)
        right = rng.random(4000) < shares.max(1)
        fitted = evaluation.fit_confidence(logits, right)
        assert fitted == pytest.approx(truth, rel=0.15)
        confidence = evaluation.probabilities(logits, fitted).max(1)
        assert evaluation.calibration_error(confidence, right) < 0.03


def test_the_chance_of_none_is_found_and_counts_both_alike_however_few_there_are() -> None:
    rng = np.random.default_rng(0)
    logits = (3 * rng.normal(size=(8000, 10))).astype(np.float32)
    largest = logits.max(1)
    truth = special.expit(1.2 * (np.median(largest) - largest))
    none = rng.random(8000) < truth
    few = np.concatenate([np.flatnonzero(~none), np.flatnonzero(none)[:400]])
    for rows in (np.arange(8000), few):
        fitted = evaluation.fit_certainty(logits[rows], np.ones(len(rows), bool), none[rows])
        chance = evaluation.chance_of_none(logits[:, rng.permutation(10)], fitted)
        assert np.abs(chance - truth).mean() < 0.05


def test_without_pictures_of_none_there_is_no_chance_of_it() -> None:
    logits = np.eye(10, dtype=np.float32)
    fitted = evaluation.fit_certainty(logits, np.ones(10, bool), np.zeros(10, bool))
    assert not evaluation.chance_of_none(logits, fitted).any()


def test_the_chance_of_being_right_counts_all_that_would_be_right() -> None:
    # Two classes count, and the model shares its probability among them as it likes.
    rng = np.random.default_rng(0)
    logits = (2 * rng.normal(size=(8000, 10))).astype(np.float32)
    best, second = np.argsort(-logits, axis=1)[:, :2].T
    of_both = evaluation.probabilities(logits)[np.arange(8000), [best, second]].sum(0)
    right = rng.random(8000) < of_both
    fitted = evaluation.fit_certainty(logits, right, np.zeros(8000, bool))
    chance = evaluation.chance_of_right(logits, fitted)
    assert evaluation.calibration_error(chance, right) < 0.03
    assert np.abs(chance - of_both).mean() < 0.05


def test_where_all_were_right_the_highest_probability_is_the_chance_of_it() -> None:
    logits = np.eye(10, dtype=np.float32)
    fitted = evaluation.fit_certainty(logits, np.ones(10, bool), np.zeros(10, bool))
    chance = evaluation.chance_of_right(logits, fitted)
    np.testing.assert_array_equal(
        chance, evaluation.probabilities(logits, fitted.temperature).max(1)
    )
