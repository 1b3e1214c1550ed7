"""Tables of predictions, as people write them, against the answers that they were written from."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import garments, splits
from fmnist.data.splits import CLASSES
from fmnist.machine.errors import UserFacingError
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.shelf import Weights

pytestmark = pytest.mark.usefixtures("small")

IMAGES = 100
RNG = np.random.default_rng(0)


def truth() -> np.ndarray:
    return splits.load("test", "drawn").labels


@pytest.fixture(scope="module")
def sure() -> np.ndarray:
    """Probabilities (100, 10) of somebody who is mostly right."""
    labels = garments.draw(IMAGES, 3)[1]
    drawn = RNG.dirichlet(np.full(10, 0.3), IMAGES) + np.eye(10)[labels] * 0.7
    return drawn / drawn.sum(1, keepdims=True)


def csv(table: Any, names: Iterable[object] | None = None, **options: Any) -> bytes:
    frame = pd.DataFrame(table, columns=None if names is None else list(names))
    return frame.to_csv(header=names is not None, **({"index": False} | options)).encode()


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def logits(weights: Weights) -> np.ndarray:
    return inference.infer(weights.model, splits.load("test", "drawn").images, torch.device("cpu"))


def refused(content: bytes, filename: str = "theirs.csv") -> str:
    with pytest.raises(WeightsError) as caught:
        shelf.open(content, filename)
    assert str(caught.value).startswith(filename)
    return str(caught.value)


ORDER = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
SHUFFLED = np.random.default_rng(1).permutation(IMAGES)
PROBABILITIES = {
    "plain.csv": lambda p: csv(p),
    "named.csv": lambda p: csv(p[:, ORDER], [CLASSES[place] for place in ORDER]),
    "otherwise.csv": lambda p: csv(p, ["tshirt", "trousers", "PULLOVER", "dress", "coat", "sandals",
                                       "shirt", "sneakers", "bag", "ankle_boots"]),
    "numbered.csv": lambda p: csv(p[:, ORDER], [f"prob_{place}" for place in ORDER]),
    "indexed.csv": lambda p: csv(p, range(10), index=True),
    "shuffled.csv": lambda p: csv(np.c_[SHUFFLED, p[SHUFFLED]], ["id", *CLASSES]),
    "no-head.csv": lambda p: csv(np.c_[SHUFFLED + 1, p[SHUFFLED]]),
    "german.csv": lambda p: csv(p, CLASSES, sep=";"),
    "spaces.csv": lambda p: csv(p, sep=" "),
    "with-more.csv": lambda p: csv(np.c_[truth(), p.argmax(1), p], ["true", "predicted", *CLASSES]),
    "of-the-best.csv": lambda p: csv(np.c_[p, p.argmax(1)], [*range(10), "top1"]),
    "of-a-fold.csv": lambda p: csv(np.c_[p, p[:, 0] > 2],
                                   [*(f"p{n}" for n in range(10)), "fold_2"]),
    "true-beside.csv": lambda p: csv(np.c_[p, np.eye(10)[truth()]],
                                     [f"{what}_{n}" for what in ("p", "true") for n in range(10)]),
    "both.csv": lambda p: csv(p, [f"{place + 1}_{name}" for place, name in enumerate(CLASSES)]),
    "percent.csv": lambda p: csv(100 * p, CLASSES),
    "array.npy": lambda p: npy(p),
    "half.npy": lambda p: npy(p.astype(np.float16)),
    "logits.npy": lambda p: npy(np.log(p) + 3),
    "arrays.npz": lambda p: npz(probs=p, labels=truth()),
    "images.npz": lambda p: npz(images=np.zeros((IMAGES, 28, 28)), train=np.r_[p, p], probs=p),
    "classes.npz": lambda p: npz(probs=p[:, ORDER], names=np.array([CLASSES[i] for i in ORDER])),
}  # fmt: skip
CLASSES_ALONE = {
    "one.csv": lambda said: csv(said),
    "kaggle.csv": lambda said: csv(np.c_[SHUFFLED + 1, said[SHUFFLED]], ["ImageId", "Label"]),
    "names.csv": lambda said: csv([CLASSES[label] for label in said], ["class"]),
    "floats.csv": lambda said: csv(said.astype(float)),
    "truth-beside.csv": lambda said: csv(np.c_[truth(), said], ["y_true", "y_pred"]),
    "said-beside.csv": lambda said: csv(np.c_[truth(), said, said > 4], ["label", "pred", "odd"]),
    "array.npy": lambda said: npy(said),
    "column.npy": lambda said: npy(said[:, None].astype(np.float32)),
    "named.npy": lambda said: npy(np.array(CLASSES)[said]),
    "arrays.npz": lambda said: npz(y_pred=said, y_true=truth()),
}


@pytest.mark.parametrize("filename", PROBABILITIES)
def test_probabilities_in_any_form_are_those_that_were_written(
    filename: str, sure: np.ndarray
) -> None:
    weights = shelf.open(PROBABILITIES[filename](sure), filename)
    said = evaluation.probabilities(logits(weights))
    assert np.abs(said - sure).max() < 1e-3
    assert weights.card.title == "table of probabilities"
    assert weights.card.sure
    assert weights.card.doubt is None


@pytest.mark.parametrize("filename", CLASSES_ALONE)
def test_classes_in_any_form_are_those_that_were_written(filename: str, sure: np.ndarray) -> None:
    weights = shelf.open(CLASSES_ALONE[filename](sure.argmax(1)), filename)
    assert (logits(weights).argmax(1) == sure.argmax(1)).all()
    assert weights.card.title == "table of classes"
    assert not weights.card.sure
    assert weights.card.parameters is None


def test_probabilities_of_two_decimals_are_taken(sure: np.ndarray) -> None:
    weights = shelf.open(csv(sure.round(2), CLASSES), "theirs.csv")
    assert np.abs(evaluation.probabilities(logits(weights)) - sure).max() < 0.05


@pytest.mark.parametrize(("decimals", "within"), [(4, 0.01), (3, 0.03), (2, 0.15)])
def test_rounded_probabilities_have_the_loss_of_those_that_were_rounded(
    decimals: int, within: float, sure: np.ndarray
) -> None:
    sharp = sure**2 / (sure**2).sum(1, keepdims=True)
    losses = [
        evaluation.loss(Evaluation("", logits(shelf.open(csv(table, CLASSES), "a.csv")), truth()))
        for table in (sharp, sharp.round(decimals))
    ]
    assert losses[1] == pytest.approx(losses[0], rel=within)


def test_one_hundred_percent_stays_so_where_nothing_else_is_there() -> None:
    weights = shelf.open(csv(np.eye(10)[truth()], CLASSES), "theirs.csv")
    assert evaluation.probabilities(logits(weights)).max(1).min() > 0.99


def test_a_class_alone_counts_as_one_hundred_percent(sure: np.ndarray) -> None:
    weights = shelf.open(csv(sure.argmax(1)), "theirs.csv")
    assert (evaluation.probabilities(logits(weights)).max(1) == 1).all()


def holed(table: np.ndarray) -> np.ndarray:
    holes = (np.arange(IMAGES)[:, None] == 7) & (np.arange(10) == 2)
    return np.where(holes, np.nan, table)


REFUSED = {
    "too few rows": (lambda p: csv(p[:50]), "it has 50 rows, and there are 100 test images"),
    "too few rows with a head": (lambda p: csv(p[:50], CLASSES), "it has 50 rows"),
    "of the training images": (lambda p: csv(np.repeat(p, 6, axis=0)), "it has 600 rows"),
    "holes": (lambda p: csv(holed(p), CLASSES), "'' in it is no number"),
    "NaN": (lambda p: csv(holed(p), CLASSES, na_rep="nan"), "row 7 of it holds a value"),
    "labels out of range": (lambda p: csv(p.argmax(1) + 1), "it has 10 for a class"),
    "labels between": (lambda p: csv(p.argmax(1) + 0.5), ".5 for a class"),
    "sums": (lambda p: csv(p * 0.7), "sum to 0.7"),
    "other classes": (lambda p: csv(p, "abcdefghij"), "ten columns are a, b, c"),
    "other class names": (lambda p: csv(["cat"] * IMAGES, ["class"]), "'cat' in it is none of the"),
    "several columns": (lambda p: csv(p[:, :3] > 0.5, "abc"), "it has a, b, c; leave one column"),
    "ragged": (lambda p: b"1,2\n" + b"1\n" * 99, "different numbers of columns"),
    "text": (lambda p: b"some text\nand more\n", "it has 1 rows"),
    "nothing": (lambda p: b"", "it has 0 rows"),
    "no text": (lambda p: b"\xff\xfe\x00" * 100, "not text in UTF-8"),
    "a name twice": (lambda p: csv(p[:, :2], "aa"), "two of its columns"),
}  # fmt: skip
REFUSED_ARRAYS = {
    "objects": (lambda p: npy(np.array([{}] * IMAGES)), "type object"),
    "objects in a zip": (lambda p: npz(a=np.array([{}] * IMAGES)), "type object"),
    "rows": (lambda p: npy(p.T), "it has 10 rows"),
    "images": (lambda p: npy(np.zeros((IMAGES, 28, 28))), "an array of 100 x 28 x 28"),
    "images in a zip": (lambda p: npz(images=np.zeros((IMAGES, 28, 28))), "100 x 28 x 28"),
    "nine columns": (lambda p: npy(p[:, :9]), "an array of 100 x 9"),
    "infinite": (lambda p: npy(np.where(p > 0.5, np.inf, p)), "not a finite number"),
    "cut short": (lambda p: npy(p)[:-500], "damaged"),
    "a damaged header": (lambda p: npy(p).replace(b"}", b"("), "damaged"),
    "a damaged zip": (lambda p: npz(a=p)[:-30], "damaged .npz"),
    "two of them": (lambda p: npz(a=p, b=p), "it has a, b; leave one"),
    "other names": (lambda p: npz(a=p, n=np.array(list("abcdefghij"))), "classes are a, b, c"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_is_no_table_is_refused_with_what_is_wrong(what: str, sure: np.ndarray) -> None:
    make, reason = REFUSED[what]
    assert reason in refused(make(sure))


@pytest.mark.parametrize("what", REFUSED_ARRAYS)
def test_arrays_that_are_no_table_are_refused_with_what_is_wrong(
    what: str, sure: np.ndarray
) -> None:
    make, reason = REFUSED_ARRAYS[what]
    assert reason in refused(make(sure), "theirs.npz")


def test_a_bomb_is_refused_unread() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(200_000_000))
    assert "no model here needs more" in refused(content.getvalue(), "bomb.npz")


def test_a_header_that_claims_more_than_there_is_takes_no_memory() -> None:
    honest = npy(np.zeros(IMAGES, np.uint8))
    claiming = honest.replace(b"(100,), }      ", b"(99999999,), } ")
    assert "it has 99,999,999 rows" in refused(claiming, "theirs.npy")


def test_classes_in_another_order_can_be_put_right(sure: np.ndarray) -> None:
    for table in (sure[:, ORDER], np.argsort(ORDER)[sure.argmax(1)]):
        weights = shelf.open(npy(table), "theirs.npy")
        assert "in another order" in str(weights.card.doubt)
        right = shelf.reordered(weights)
        assert (logits(right).argmax(1) == sure.argmax(1)).all()
        assert right.card.doubt is None


def test_rows_in_another_order_are_suspected(sure: np.ndarray) -> None:
    _, card = shelf.open(npy(sure[SHUFFLED]), "theirs.npy")
    assert "rows may stand in another order" in str(card.doubt)


def test_a_table_can_not_be_asked_about_another_picture(sure: np.ndarray) -> None:
    model, card = shelf.open(npy(sure), "theirs.npy")
    assert card.knows == ("test",)
    assert not card.any_picture
    with pytest.raises(UserFacingError, match="test images alone"):
        inference.infer(model, splits.load("validation", "drawn").images, torch.device("cpu"))


@pytest.mark.parametrize("classes_alone", [True, False])
def test_a_kept_table_says_the_same_afterwards(
    classes_alone: bool, sure: np.ndarray, tmp_path: Path
) -> None:
    weights = shelf.open(npy(sure.argmax(1) if classes_alone else sure), "theirs.npy")
    card = shelf.keep(weights, "theirs")
    again = shelf.load("theirs")
    assert again.card == card
    assert again.card.sure is not classes_alone
    assert np.allclose(logits(again), logits(weights), atol=1e-5)


@pytest.mark.real_data
def test_ten_thousand_answers_have_the_accuracy_that_they_had(tmp_path: Path) -> None:
    test = splits.load("test", "real")
    model, card = shelf.load("softmax")
    said = inference.infer(model, test.images, torch.device("cpu"))
    path = tmp_path / "theirs.csv"
    path.write_bytes(csv(evaluation.probabilities(said), CLASSES, index=True))
    table, _ = shelf.load(path)
    assert (
        inference.infer(table, test.images, torch.device("cpu")).argmax(1) == said.argmax(1)
    ).all()
    assert card.test is not None
    assert (said.argmax(1) == test.labels).mean() == pytest.approx(card.test.accuracy, abs=3e-4)
