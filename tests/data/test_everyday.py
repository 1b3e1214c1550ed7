from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from fmnist.data import everyday, garments, splits
from fmnist.data.everyday import NONE, OUTLIERS
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES, Split
from fmnist.machine import files
from fmnist.models import MODELS, inference
from fmnist.models.recipe import Recipe
from fmnist.training import loop
from fmnist.weights import shelf

LABELS = range(len(CLASSES))


def many(make, count: int = 40) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([make(rng) for _ in range(count)])


@pytest.mark.parametrize("label", LABELS)
def test_every_class_gives_whole_pictures_that_differ(label: int) -> None:
    image = drawing.render(garments.garment(label, np.random.default_rng(1)))
    pictures = many(lambda rng: everyday.picture(image, label, rng))
    assert pictures.shape == (40, 28, 28)
    assert pictures.dtype == np.uint8
    assert len(np.unique(pictures, axis=0)) == 40
    assert (pictures.reshape(40, -1).max(1) > 100).all()


def test_an_empty_image_gives_a_picture_too() -> None:
    black = np.zeros((28, 28), np.uint8)
    assert many(lambda rng: everyday.picture(black, 3, rng), 60).shape == (60, 28, 28)


@pytest.mark.slow
def test_a_split_keeps_its_images_and_gets_as_many_pictures_as_asked_for() -> None:
    split = Split(*garments.draw(30, seed=1))
    more = everyday.add_to(split, 700, seed=0)
    np.testing.assert_array_equal(more.images[:30], split.images)
    np.testing.assert_array_equal(more.labels[:30], split.labels)
    assert more.images.shape == (730, 28, 28)
    counts = np.bincount(more.labels[30:], minlength=11)
    assert len(counts) == 11
    assert 0.5 < counts[NONE] / (700 * OUTLIERS) < 1.5
    assert counts.min() > 30


@pytest.mark.slow
def test_the_same_seed_gives_the_same_pictures_and_another_seed_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = Split(*garments.draw(20, seed=1))
    first, other = (everyday.add_to(split, 60, seed).images[20:] for seed in (0, 1))
    monkeypatch.setattr(files, "CACHE", tmp_path / "nothing is kept here")
    again = everyday.add_to(split, 60, 0).images[20:]
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).mean() > 0.9


@pytest.mark.slow
def test_pictures_that_were_made_are_there_again_and_another_splits_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    split = Split(*garments.draw(20, seed=1))
    turned = Split(split.images, split.labels[::-1].copy())
    first = everyday.add_to(split, 60, 0)
    monkeypatch.setattr(everyday, "_made", lambda chunks: np.zeros((60, 28, 28), np.uint8))
    again = everyday.add_to(split, 60, 0)
    np.testing.assert_array_equal(again.images, first.images)
    np.testing.assert_array_equal(again.labels, first.labels)
    for another, count, seed in ((turned, 60, 0), (split, 60, 1)):
        assert not everyday.add_to(another, count, seed).images[20:].any()


def test_a_traced_image_has_the_outline_of_its_garment() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 8:18] = 200
    (outline, *_) = everyday.traced(image, 3).shapes
    assert cv2.contourArea(outline.points.astype(np.float32)) == pytest.approx(
        20 * 10 / 28**2, rel=0.15
    )
    np.testing.assert_allclose(outline.points.min(0), (8 / 28, 4 / 28), atol=0.03)
    np.testing.assert_allclose(outline.points.max(0), (18 / 28, 24 / 28), atol=0.03)


def test_a_scribble_is_white_on_black_and_most_of_it_is_on_the_paper() -> None:
    drawings = many(
        lambda rng: everyday.scribble(garments.garment(int(rng.integers(10)), rng), rng), 200
    )
    ink = (drawings > 127).mean((1, 2))
    assert ink.min() > 0.005
    assert ink.max() < 0.6
    touching = [max(d[0].max(), d[-1].max(), d[:, 0].max(), d[:, -1].max()) for d in drawings]
    assert np.mean(np.array(touching) > 127) < 0.1


def test_a_photographed_garment_fills_the_frame_at_full_brightness() -> None:
    image = drawing.render(garments.garment(7, np.random.default_rng(1)))
    for picture in many(lambda rng: everyday.photographed(image, rng)):
        rows, columns = picture.any(1).nonzero()[0], picture.any(0).nonzero()[0]
        assert max(np.ptp(rows), np.ptp(columns)) >= 26
        assert picture.max() >= 254


def test_outliers_are_of_many_kinds_and_no_digit_is_among_them() -> None:
    assert len(np.unique(many(everyday.outlier, 100), axis=0)) == 100
    assert not set(everyday.string.ascii_letters) & set("0123456789")


def test_what_is_none_of_the_ten_is_to_be_answered_with_all_classes_alike() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 50).astype(np.uint8)
    logits = torch.randn(50, 10)
    torch.testing.assert_close(
        functional.cross_entropy(logits, loop._smoothed(labels, 0.1)),
        functional.cross_entropy(logits, torch.tensor(labels).long(), label_smoothing=0.1),
    )
    (none,) = loop._smoothed(np.uint8([NONE]), 0.1)
    torch.testing.assert_close(none, torch.full((10,), 0.1))


@pytest.mark.slow
def test_a_recipe_with_everyday_pictures_trains_the_same_way_twice() -> None:
    splits = Split(*garments.draw(40, seed=1)), Split(*garments.draw(20, seed=2))
    recipe = Recipe(epochs=1, batch_size=20, everyday=1.5, precision="float32")
    losses = []
    for _ in range(2):
        model = MODELS["fcnn"].seeded(0)
        reports = list(loop.train(model, splits, recipe, torch.device("cpu")))
        assert reports[-1].steps == 100 // 20
        losses.append([report.loss for report in reports])
    assert losses[0] == losses[1]


@pytest.mark.slow
@pytest.mark.real_data
def test_a_model_of_shop_pictures_names_many_everyday_ones() -> None:
    """So the pictures still show what their labels say, to one that was never trained on them."""
    test = splits.load("test", "real", limit=400)
    model, _ = shelf.load("cnn")
    rng = np.random.default_rng(0)
    pairs = zip(test.images, test.labels, strict=True)
    pictures = np.stack([everyday.picture(image, int(label), rng) for image, label in pairs])
    said = inference.infer(model, pictures, torch.device("cpu")).argmax(1)
    assert (said == test.labels).mean() > 0.45
