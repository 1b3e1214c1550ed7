"""Drawn garments: seeded, framed like the dataset, and distinct by class."""

import numpy as np
import pytest

from fmnist.data.garments import VIEWS, draw, garment
from fmnist.data.garments.drawing import render


def pictures(label, count=12, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [render(garment(label, rng), **options) for _ in range(count)]


def extent(image, floor=40):
    """Rows and columns from the first to the last that hold anything brighter than `floor`."""
    rows, columns = (np.flatnonzero((image > floor).any(axis)) for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_the_same_seed_draws_the_same_pictures():
    first, again = draw(60, seed=3), draw(60, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_another_seed_draws_other_pictures():
    assert not np.array_equal(draw(20, seed=1)[0], draw(20, seed=2)[0])


def test_one_class_varies():
    for label in range(10):
        assert len({image.tobytes() for image in pictures(label)}) == 12


@pytest.mark.parametrize("count", [0, 1, 37])
def test_draw_returns_images_and_labels_as_bytes(count):
    images, labels = draw(count, seed=0)
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.uint8
    assert labels.shape == (count,)
    assert labels.dtype == np.uint8


def test_classes_are_balanced_and_mixed():
    labels = draw(205, seed=0)[1]
    counts = np.bincount(labels, minlength=10)
    assert counts.max() - counts.min() <= 1
    assert len(set(labels[:20].tolist())) > 5


@pytest.mark.parametrize("label", range(10))
def test_a_garment_fills_the_frame_and_stands_in_its_middle(label):
    for image in pictures(label):
        top, bottom, left, right = extent(image, floor=8)
        assert max(bottom - top, right - left) >= 26
        assert abs(top + bottom - 27) <= 2
        assert abs(left + right - 27) <= 2


@pytest.mark.parametrize("label", range(10))
def test_the_ground_is_black_and_the_garment_bright(label):
    for image in pictures(label):
        assert np.count_nonzero(image == 0) > 0.15 * image.size
        assert image[image > 0].mean() > 40


@pytest.mark.parametrize("label", [7, 9])
def test_shoes_point_left(label):
    for image in pictures(label):
        heights = (image > 40).sum(0)
        assert heights[-7:].sum() > 1.3 * heights[:7].sum()  # the heel is higher than the toe


def test_the_classes_can_be_told_apart():
    images, labels = draw(500, seed=1)
    others, truth = draw(200, seed=2)
    centres = np.stack([images[labels == k].reshape(-1, 784).mean(0) for k in range(10)])
    distance = ((others.reshape(-1, 1, 784) - centres) ** 2).sum(2)
    right = distance.argmin(1) == truth
    assert right.mean() > 0.6  # a tenth by chance
    shoes_trousers_bags = np.isin(truth, (1, 7, 8, 9))
    assert right[shoes_trousers_bags].mean() > 0.8


@pytest.mark.parametrize("label", range(10))
def test_outline_and_filled_have_the_same_bounds(label):
    rng = np.random.default_rng(label)
    for _ in range(5):
        g = garment(label, rng)
        filled = extent(render(g, 84, "silhouette"))
        outline = extent(render(g, 84, "outline", stroke=0.03))
        assert np.abs(np.subtract(filled, outline)).max() <= 3


def test_an_outline_is_mostly_ground():
    for label in (0, 2, 8, 9):
        outline = pictures(label, 3, size=84, style="outline", stroke=0.02)
        filled = pictures(label, 3, size=84, style="silhouette")
        for line, area in zip(outline, filled, strict=True):
            assert line.max() == 255
            assert line.mean() < 0.6 * area.mean()


def test_a_wider_stroke_draws_more():
    g = garment(8, np.random.default_rng(0))
    thin, thick = (render(g, 56, "outline", stroke=s).mean() for s in (0.02, 0.06))
    assert thick > 1.5 * thin


@pytest.mark.parametrize("size", [1, 28, 140])
def test_render_gives_the_size_asked_for(size):
    image = render(garment(3, np.random.default_rng(0)), size)
    assert image.shape == (size, size)
    assert image.dtype == np.uint8


def test_shapes_lie_in_the_unit_square():
    rng = np.random.default_rng(0)
    for label, views in enumerate(VIEWS):
        for view in views:
            g = garment(label, rng, view)
            assert (g.label, g.view) == (label, view)
            points = np.concatenate([shape.points for shape in g.shapes])
            assert points.min() >= -1e-9
            assert points.max() <= 1 + 1e-9


def test_any_view_is_mostly_the_shop_view():
    rng = np.random.default_rng(0)
    views = [garment(5, rng, "any").view for _ in range(80)]
    assert set(views) == {"shop", "top", "pair"}
    assert views.count("shop") > 40


@pytest.mark.parametrize("label", [-1, 10])
def test_an_unknown_label_is_refused(label):
    with pytest.raises(ValueError, match="label"):
        garment(label, np.random.default_rng(0))


def test_a_view_that_the_class_has_not_is_refused():
    with pytest.raises(ValueError, match="view"):
        garment(0, np.random.default_rng(0), "top")


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="style"):
        render(garment(0, np.random.default_rng(0)), style="watercolour")
