"""A person in a picture is found by the face, and one garment they wear is asked about."""

import numpy as np
import pytest
import skimage
from PIL import Image

from fmnist.data import garments
from fmnist.data.garments import drawing, worn
from fmnist.data.garments.worn import BAG, TROUSER, WORN
from fmnist.pictures import intake, person

PEOPLE = 12


@pytest.fixture(scope="module")
def people() -> list[tuple[int, worn.Worn]]:
    """Drawn people and the label of what they wear."""
    return [
        (WORN[seed % len(WORN)], worn.person(WORN[seed % len(WORN)], np.random.default_rng(seed)))
        for seed in range(PEOPLE)
    ]


def white_room(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.mark.slow
def test_drawn_people_of_every_complexion_and_a_photographed_one_are_found(people) -> None:
    assert all(person.find(picture) for _, (picture, _) in people)
    astronaut = intake._fit(skimage.data.astronaut(), intake.WORK_EDGE)
    left, top, edge = person.find(astronaut)
    eyes = np.array([83, 140])  # row and column between them
    assert ((eyes > (top, left)) & (eyes < (top + edge, left + edge))).all()


@pytest.mark.parametrize("label", range(10))
def test_no_person_is_found_in_a_garment_or_on_a_mere_wall(label: int) -> None:
    rng = np.random.default_rng(label)
    picture = worn.room(rng, 280, 240)
    assert person.find(picture) is None
    tone = drawing.render(garments.garment(label, rng), 200)
    rows = picture[40:240, 20:220]
    rows[tone > 30] = tone[tone > 30][:, None]
    assert person.find(picture) is None


@pytest.mark.slow
def test_what_is_cut_out_is_the_garment_as_it_was_drawn(people) -> None:
    found = [
        overlap(
            person.cut_out(
                picture, person.find(picture), "lower" if label == TROUSER else "upper", None
            ),
            garment,
        )
        for label, (picture, garment) in people
    ]
    assert np.median(found) > 0.9
    assert min(found) > 0.5


@pytest.fixture(scope="module")
def carriers() -> list[worn.Worn]:
    """Drawn people with a bag in a hand or on a shoulder."""
    return [worn.person(BAG, np.random.default_rng(seed)) for seed in range(PEOPLE)]


@pytest.mark.slow
def test_a_bag_is_found_where_it_hangs(carriers) -> None:
    found = [
        overlap(person.cut_out(picture, person.find(picture), "bag", None), bag)
        for picture, bag in carriers
    ]
    assert np.median(found) > 0.75
    assert np.mean(np.array(found) > 0.5) > 0.7  # some have the colours of what is worn


def test_a_person_with_a_bag_is_asked_about_it_where_that_is_chosen(carriers) -> None:
    picture, bag = carriers[0]
    taken = intake.from_any(picture, "photo", "bag")
    assert taken.parts[0] == "bag"
    assert "bag" in intake.from_any(picture, "photo").parts
    shown = dict(taken.steps)["Background removed"].any(axis=2)
    assert overlap(shown, np.asarray(Image.fromarray(bag).resize(shown.shape[::-1]))) > 0.7


def test_where_no_bag_hangs_that_is_said_and_all_is_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worn, "room", white_room)
    picture, _ = worn.person(0, np.random.default_rng(0))
    bag, whole = (intake.from_any(picture, part=part) for part in ("bag", "whole"))
    assert "The bag can't be told from the rest, so this is about all of it." in bag.warnings
    assert (bag.pixels == whole.pixels).all()


def test_the_upper_garment_is_asked_about_unless_another_is_chosen(people) -> None:
    label, (picture, _) = people[0]
    assert label == 0
    upper, lower, whole = (
        intake.from_any(picture, "photo", part) for part in ("upper", "lower", "whole")
    )
    assert upper.parts[0] == "upper"
    assert lower.parts[0] == "lower"
    assert whole.parts[0] == "whole"
    assert set(upper.parts) == set(lower.parts) == set(whole.parts)
    assert [name for name, _ in upper.steps].count("A person, and where to look") == 1
    assert not (upper.pixels == lower.pixels).all()
    assert intake.from_any(picture, "photo").pixels.tolist() == upper.pixels.tolist()


def test_a_part_out_of_sight_gives_way_to_one_in_sight_and_says_so(people) -> None:
    _, (picture, _) = people[0]
    taken = intake.from_any(picture, "photo", "shoes")
    assert taken.parts[0] == "upper"
    assert "The shoes can't be seen, so this is about the upper garment." in taken.warnings


def test_a_white_ground_behind_a_person_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worn, "room", white_room)
    picture, garment = worn.person(0, np.random.default_rng(0))
    taken = intake.from_any(picture)
    assert taken.kind == "shop"
    assert taken.parts[0] == "upper"
    shown = dict(taken.steps)["Grey on black"]
    assert overlap(shown > 0, np.asarray(Image.fromarray(garment).resize(shown.shape[::-1]))) > 0.8
