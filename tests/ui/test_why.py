import numpy as np

from fmnist.pictures import encode
from fmnist.pictures.encode import COOL, WARM
from fmnist.pictures.intake import Square
from fmnist.ui.why import EDGE, placed


def orange(picture: np.ndarray) -> np.ndarray:
    """Which pixels of a picture (H, W, 3) are coloured."""
    red, _, blue = np.moveaxis(picture.astype(int), -1, 0)
    return red - blue > 60


def test_heat_is_orange_above_zero_blue_below_and_nothing_at_zero() -> None:
    picture = np.full((1, 4), 90, np.uint8)
    shown = encode.overlay(picture, np.array([[2.0, 1.0, 0.0, -2.0]], np.float32))
    assert (shown[0, 0] == WARM).all()
    assert (shown[0, 1] == (WARM + 90) // 2).all()
    assert (shown[0, 2] == 90).all()
    assert (shown[0, 3] == COOL).all()


def test_without_heat_a_picture_stays_as_it_is() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)
    assert (encode.overlay(colours, np.zeros((5, 4), np.float32)) == colours).all()


def test_heat_lies_on_the_users_picture_where_the_28x28_was_cut() -> None:
    heat = np.zeros((28, 28), np.float32)
    heat[7:14, 14:21] = 1  # the quarters 1/4 to 1/2 down and 1/2 to 3/4 across
    picture = np.full((100, 150), 200, np.uint8)
    here = orange(placed(heat, picture, Square(40 / 150, 20 / 150, 56 / 150)))
    rows, columns = np.nonzero(here)
    assert here.shape == (100, 150)
    assert abs(rows.min() - (20 + 14)) <= 1
    assert abs(rows.max() - (20 + 27)) <= 1
    assert abs(columns.min() - (40 + 28)) <= 1
    assert abs(columns.max() - (40 + 41)) <= 1


def test_a_square_that_reaches_beyond_the_picture_is_cut_off_there() -> None:
    heat = np.ones((28, 28), np.float32)
    picture = np.zeros((60, 100, 3), np.uint8)
    here = orange(placed(heat, picture, Square(0.5, -0.2, 1.0)))
    assert here[:, 52:].all()
    assert not here[:, :48].any()


def test_a_large_photo_is_no_larger_than_it_is_shown_and_its_heat_moves_along() -> None:
    heat = np.ones((28, 28), np.float32)
    photo = np.zeros((3000, 4000), np.uint8)
    here = orange(placed(heat, photo, Square(0.5, 0, 0.5)))
    assert max(here.shape) == EDGE
    rows, columns = np.nonzero(here)
    assert abs(columns.min() - EDGE / 2) <= 2
    assert columns.max() == EDGE - 1
    assert abs(rows.max() - EDGE / 2) <= 2
