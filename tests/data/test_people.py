"""The pictures are drawn here: nobody's drawing or photo is in the repository."""

import io
import zipfile
from pathlib import Path

import brought
import cv2
import numpy as np
import pytest
from brought import BAG, SHIRTS, product, zipped
from PIL import Image

from fmnist.data import people
from fmnist.data.people import KINDS, Original, Taken
from fmnist.machine.errors import UserFacingError


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a few pictures of every set."""
    brought.take_in_here(monkeypatch)
    return brought.fill(tmp_path / "pictures")


def both(folder: Path) -> tuple[Taken, Taken]:
    return people.load(folder, "train"), people.load(folder, "validation")


def test_every_picture_is_taken_in_several_times_each_time_otherwise(pictures: Path) -> None:
    taken, held_out = both(pictures)
    assert taken.images.shape[1:] == (28, 28)
    assert taken.images.dtype == np.uint8
    assert taken.accepted.shape == (len(taken), 10)
    drawn = taken.kinds == KINDS.index("drawings")
    bags = taken.images[drawn & (taken.accepted[:, BAG] > 0)]
    assert len(bags) % 6 == 0
    assert len(np.unique(bags, axis=0)) > 0.9 * len(bags)
    assert 0 < len(held_out) < len(taken)


def test_bags_and_shoes_of_shops_are_drawn_after_and_what_is_worn_is_not(pictures: Path) -> None:
    taken = people.load(pictures, "train")
    careful = taken.kinds == KINDS.index("careful")
    assert taken.accepted[careful, BAG].all()
    assert (taken.images[careful].max((1, 2)) > 100).all()


def test_what_counts_as_right_is_a_set_and_for_none_of_the_ten_it_is_empty(pictures: Path) -> None:
    taken = people.load(pictures, "train")
    sets = {tuple(np.flatnonzero(mask)) for mask in taken.accepted}
    assert sets == {(), (BAG,), tuple(SHIRTS)}
    assert len(taken.garments()) == taken.accepted.any(1).sum() < len(taken)


def test_what_a_picture_is_called_counts_for_more_than_what_it_may_be_called_too() -> None:
    shirt = people._weights((6, 0))
    assert shirt[6] == 1
    assert 0 < shirt[0] < 1
    assert np.flatnonzero(shirt).tolist() == [0, 6]
    assert not people._weights(None).any()


def test_nothing_of_a_drawing_or_of_neighbouring_products_is_both_trained_on_and_held_out() -> None:
    assert people._group("shop", "tshirts-12031.jpg") == people._group("shop", "tops-12039.jpg")
    assert people._group("shop", "track-pants-12031.jpg") == "1203"
    assert people._group("photos", "t-shirt-ea7b6656-3f84-4eb3-9099-23e623fc1018.jpg") == (
        "ea7b6656-3f84-4eb3-9099-23e623fc1018"
    )
    assert people._group("icons", "none-mdi-light-hat.png") == people._group(
        "icons", "trouser-mdi-jeans.png"
    )
    key = "4512290466430976"
    assert people._group("drawings-28", f"t-shirt-{key}.png") == key
    held_out = [people._is_held_out(str(number)) for number in range(4000)]
    assert np.mean(held_out) == pytest.approx(1 / people.HELD_OUT, abs=0.02)


def test_a_second_reading_takes_nothing_in_and_a_changed_file_is_read_anew(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = people.load(pictures, "train")
    made: list[int] = []
    taken_in = people._taken_in
    monkeypatch.setattr(
        people, "_taken_in", lambda *arguments: made.append(1) or taken_in(*arguments)
    )
    again = people.load(pictures, "train")
    np.testing.assert_array_equal(first.images, again.images)
    assert not made
    zipped(pictures / "shop.zip", {"handbags-77.jpg": (product(BAG), [BAG])})
    people.load(pictures, "train")
    assert len(made) == 2  # as pictures and as drawings after them


@pytest.mark.parametrize("take", [people.designed, people.snapped, people.sold, people.outlined])
def test_pictures_are_never_empty_however_they_are_taken(take) -> None:
    content = io.BytesIO()
    product(9).save(content, "PNG")
    original = Original(content.getvalue(), (9,), "")
    for variant in range(6):
        pixels = take(original, np.random.default_rng(variant), variant)
        assert pixels.shape == (28, 28)
        assert pixels.max() > 100


def test_faint_lines_of_28_by_28_become_a_drawing_that_fills_the_frame() -> None:
    faint = np.full((28, 28), 255, np.uint8)
    cv2.rectangle(faint, (8, 6), (20, 22), 180, 1)
    content = io.BytesIO()
    Image.fromarray(faint).save(content, "PNG")
    original = Original(content.getvalue(), (0,), "")
    for variant in range(8):
        pixels = people.redrawn(original, np.random.default_rng(variant), variant)
        rows = np.flatnonzero(pixels.max(1) > 60)
        assert np.ptp(rows) >= 24


def test_a_folder_without_any_of_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserFacingError, match=r"holds none of .*photos\.zip"):
        people.load(tmp_path, "train")


@pytest.mark.parametrize("name", ["drawings.ndjson.gz", "shop.zip"])
@pytest.mark.parametrize("length", [0, 20, 100])
def test_a_damaged_file_is_refused_by_name(pictures: Path, name: str, length: int) -> None:
    path = pictures / name
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UserFacingError, match=name):
        people.load(pictures, "train")


def test_a_picture_that_is_none_is_refused_with_its_files_name(pictures: Path) -> None:
    with zipfile.ZipFile(pictures / "icons.zip", "w") as file:
        file.writestr("labels.json", '{"bag-set-bag.png": [8]}')
        file.writestr("bag-set-bag.png", b"no picture")
    with pytest.raises(UserFacingError, match=r"icons\.zip"):
        people.load(pictures, "train")


def test_the_folder_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert people.folder() is None
    monkeypatch.setenv("FMNIST_PICTURES", str(tmp_path / "nowhere"))
    assert people.folder() is None
    monkeypatch.setenv("FMNIST_PICTURES", str(tmp_path))
    assert people.folder() == tmp_path


def test_the_card_names_whose_pictures_were_there(pictures: Path) -> None:
    quick_draw, products = people.origins(pictures)
    assert "CC BY 4.0" in quick_draw
    assert "no licence" in products


def test_answers_are_right_where_they_are_among_the_accepted_ones_and_counted_by_kind() -> None:
    accepted = np.zeros((4, 10), np.float32)
    accepted[:3, SHIRTS], accepted[3, BAG] = (0.25, 1), 1
    kinds = np.array([KINDS.index(kind) for kind in ("careful", "photos", "photos", "photos")])
    taken = Taken(np.zeros((4, 28, 28), np.uint8), accepted, kinds.astype(np.uint8))
    logits = np.eye(10, dtype=np.float32)[[SHIRTS[0], SHIRTS[1], BAG, BAG]]
    assert taken.right(logits).tolist() == [True, True, False, True]
    assert taken.right_by_kind(logits) == {"careful": 1.0, "photos": pytest.approx(2 / 3)}
    masks = {kind: mask.tolist() for kind, mask in taken.by_intake().items()}
    assert masks == {"sketch": [True, False, False, False], "photo": [False, True, True, True]}
