"""Suspects, checked against pairs one by one, planted cases, and the list of known duplicates."""

import numpy as np
import pytest

from fmnist.analysis import suspects
from fmnist.analysis.evaluation import Evaluation
from fmnist.analysis.suspects import MOST_DIFFERENT, Suspect
from fmnist.data import garments, splits
from fmnist.data.splits import CLASSES
from fmnist.machine.errors import UserFacingError
from fmnist.ui.downloads import csv_text

# The pairs that zalandoresearch/fashion-mnist issue 44 lists across the published files, train
# with test. Zalando has replaced them since.
LISTED = [(3763, 7243), (4944, 7781), (6168, 9227), (12404, 4037), (15943, 6659)]
SIZES = {"train": 100, "validation": 50, "test": 50}


def pairs_of(found: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(found["first"].tolist(), found["second"].tolist(), strict=True))


def one_by_one(images: np.ndarray, most: float) -> dict[tuple[int, int], float]:
    values = images.astype(np.float64)
    differences = {
        (first, second): float(np.sqrt(((values[first] - values[second]) ** 2).mean()))
        for first in range(len(images))
        for second in range(first + 1, len(images))
    }
    return {pair: value for pair, value in differences.items() if value <= most}


@pytest.mark.parametrize("most", [0, 12, 40])
def test_near_duplicates_are_those_of_comparing_every_two(most: float) -> None:
    drawn, _ = garments.draw(120, seed=4)
    rng = np.random.default_rng(0)
    noisy = np.clip(drawn[:5].astype(int) + rng.integers(-9, 10, drawn[:5].shape), 0, 255)
    images = np.concatenate([drawn, drawn[:7], noisy.astype(np.uint8)])
    expected = one_by_one(images, most)
    found = suspects.near_duplicates(images, lambda done: None, most)
    assert pairs_of(found) == set(expected)
    assert len(expected) >= 7
    assert (np.diff(found["difference"]) >= 0).all()
    for first, second, difference in found:
        assert difference == pytest.approx(expected[first, second], abs=1e-3)


def test_more_images_than_one_block_lose_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    images, _ = garments.draw(90, seed=4)
    monkeypatch.setattr(suspects, "ROWS_AT_ONCE", 32)
    told: list[float] = []
    found = suspects.near_duplicates(images, told.append, 40)
    assert pairs_of(found) == set(one_by_one(images, 40))
    assert told == sorted(told)


def test_no_pairs_are_an_empty_table() -> None:
    images = np.stack([np.full((28, 28), grey, np.uint8) for grey in (0, 120, 255)])
    assert len(suspects.near_duplicates(images, lambda done: None)) == 0


@pytest.mark.slow
@pytest.mark.real_data
def test_the_listed_duplicates_across_the_files_are_gone_and_would_be_found() -> None:
    train = np.empty((60_000, 28, 28), np.uint8)
    for split in ("train", "validation"):
        train[splits.published_rows(split)] = splits.load(split, "real").images
    test = splits.load("test", "real").images
    listed, overlapped = np.array(LISTED).T
    assert (train[listed] != test[overlapped]).any((1, 2)).all()
    # As it was before: the listed training images equal to their test images.
    found = suspects.near_duplicates(np.concatenate([test[overlapped], test]), lambda done: None)
    exact = pairs_of(found[found["difference"] == 0])
    assert exact == {(place, len(LISTED) + row) for place, row in enumerate(overlapped)}


@pytest.mark.real_data
def test_near_duplicates_of_the_test_set_are_those_of_plain_differences() -> None:
    images = splits.load("test", "real").images
    pairs = pairs_of(suspects.near_duplicates(images, lambda done: None))
    assert pairs
    some = sorted({first for first, _ in pairs} | set(range(0, len(images), 500)))
    for row in some:
        apart = np.sqrt(((images.astype(np.float32) - images[row]) ** 2).mean((1, 2)))
        expected = set(np.flatnonzero(apart <= MOST_DIFFERENT).tolist()) - {row}
        assert {sum(pair) - row for pair in pairs if row in pair} == expected


def test_labels_that_were_swapped_are_the_first_suspects() -> None:
    rng = np.random.default_rng(1)
    true = rng.integers(0, len(CLASSES), 600)
    logits = rng.normal(size=(600, len(CLASSES)))
    logits[np.arange(600), true] += 6
    labels = true.copy()
    swapped = rng.choice(600, 25, replace=False)
    labels[swapped] = (labels[swapped] + 1) % len(CLASSES)
    e = Evaluation("drawn", logits.astype(np.float32), labels.astype(np.uint8))
    rows = suspects.label_issues(e)
    assert len(set(rows) & set(swapped)) >= 18
    assert len(set(rows) - set(swapped)) <= 2
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    of_label = shares[rows, labels[rows]]
    assert (np.diff(of_label) >= -1e-6).all()


def test_what_is_confirmed_in_a_split_is_the_wrong_labels_and_one_of_two_duplicates() -> None:
    decisions = {
        Suspect("label", "test", 4): True,
        Suspect("label", "test", 5): False,
        Suspect("label", "validation", 6): True,
        Suspect("duplicate", "train", 7, "test", 8): True,
        Suspect("duplicate", "train", 9, "test", 10): False,
        Suspect("duplicate", "test", 11, "test", 12): True,
        Suspect("duplicate", "train", 13, "validation", 14): True,
    }
    assert suspects.confirmed(decisions, "test").tolist() == [4, 8, 12]
    assert suspects.confirmed(decisions, "validation").tolist() == [6, 14]
    assert suspects.confirmed({}, "test").tolist() == []


def test_accuracy_without_rows_counts_the_others() -> None:
    e = Evaluation("m", np.eye(10, dtype=np.float32)[[0, 1, 2, 3]], np.array([0, 1, 9, 9], "u1"))
    assert suspects.accuracy_without(e, np.array([], np.int64)) == 0.5
    assert suspects.accuracy_without(e, np.array([2])) == pytest.approx(2 / 3)


DECISIONS = {
    Suspect("label", "test", 4): True,
    Suspect("duplicate", "train", 7, "test", 8): False,
}


def saved(**changes: str) -> bytes:
    published = {split: np.arange(size) for split, size in SIZES.items()}
    rows = suspects.to_rows(DECISIONS, "drawn", published)
    return csv_text([{**row, **changes} for row in rows]).encode()


def test_decisions_come_back_from_the_csv_they_went_into() -> None:
    assert suspects.from_csv(saved(), "drawn", SIZES) == DECISIONS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "not a CSV"),
        (b"a,b\n1,2\n", "Line 2"),
        (saved(decision="maybe"), "Line 2"),
        (saved(row="50"), "Line 2"),
        (saved(row="-1"), "Line 2"),
        (saved(split="attic"), "Line 2"),
        (saved(kind="taste"), "Line 2"),
        (saved(data="real"), "about real garments"),
    ],
)
def test_any_other_file_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(UserFacingError, match=words):
        suspects.from_csv(content, "drawn", SIZES)
