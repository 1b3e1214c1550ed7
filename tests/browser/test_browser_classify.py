"""The classify page as a person meets it: drawn on, fed with files, photographed, shared."""

import csv
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browsing import CAMERA_SHOWS, DESK, PHONE, follow, in_sight, settle
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from fmnist.data import garments
from fmnist.data.garments import drawing, worn
from fmnist.data.splits import CLASSES

pytestmark = pytest.mark.browser

Stroke = Sequence[tuple[float, float]]

T_SHIRT = [
    (0.16, 0.3),
    (0.36, 0.16),
    (0.5, 0.21),
    (0.64, 0.16),
    (0.84, 0.3),
    (0.76, 0.44),
    (0.72, 0.38),
    (0.72, 0.8),
    (0.28, 0.8),
    (0.28, 0.38),
    (0.24, 0.44),
    (0.16, 0.3),
]
TROUSERS = [
    (0.32, 0.1),
    (0.68, 0.1),
    (0.71, 0.9),
    (0.57, 0.9),
    (0.5, 0.36),
    (0.43, 0.9),
    (0.29, 0.9),
    (0.32, 0.1),
]
BAG = [(0.15, 0.42), (0.85, 0.42), (0.85, 0.85), (0.15, 0.85), (0.15, 0.42)]
HANDLE = [(0.35, 0.42), (0.37, 0.25), (0.5, 0.17), (0.63, 0.25), (0.65, 0.42)]


def board(page: Page) -> Locator:
    return page.get_by_label(re.compile("^Canvas to draw on"))


def draw(page: Page, *strokes: Stroke) -> None:
    """Draw on the canvas with the mouse; 0 to 1 spans it."""
    board(page).scroll_into_view_if_needed()
    box = board(page).bounding_box()
    assert box
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=5)
        page.mouse.up()


def named(page: Page, name: str) -> Locator:
    """The line that says what the picture is, where it says so."""
    return page.get_by_role("heading").filter(has_text=re.compile(rf"^{name} [\d.]+%$"))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def answer(page: Page) -> list[str]:
    """The ten probabilities as they are shown, once the page has settled."""
    settle(page)
    return page.locator(".bars span").all_inner_texts()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "strokes"),
    [
        ("T-shirt/top", [T_SHIRT]),
        ("Trouser", [TROUSERS]),
        ("Bag", [BAG, HANDLE]),
    ],
)
def test_a_garment_drawn_with_the_mouse_is_read(
    visit: Callable[..., Page], name: str, strokes: list[Stroke]
) -> None:
    page = visit("classify")
    invitation = page.get_by_text("Draw a T-shirt here")
    expect(invitation).to_be_visible()
    draw(page, *strokes)
    expect(page.get_by_text(re.compile("^Your drawing, taken in as sketch"))).to_be_visible()
    expect(named(page, name)).to_be_visible()
    expect(invitation).to_be_hidden()


@pytest.mark.slow
def test_where_a_browser_tells_no_events_between_others_a_stroke_is_no_dot(
    stranger: Callable[..., Page], studio: str
) -> None:
    page = stranger()
    page.add_init_script(path=Path(__file__).with_name("no_coalesced_events.js"))
    page.goto(f"{studio}/classify")
    settle(page)
    draw(page, T_SHIRT)
    expect(named(page, "T-shirt/top")).to_be_visible()


@pytest.mark.slow
def test_a_touch_that_the_system_takes_away_leaves_no_mark(visit: Callable[..., Page]) -> None:
    page = visit("classify", **PHONE)
    box = board(page).bounding_box()
    assert box
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (60, 60))
    touch("touchMove", (90, 120))
    touch("touchCancel")
    expect(page.get_by_text("Draw a T-shirt here")).to_be_visible()
    expect(board(page)).to_have_attribute("data-strokes", "0")
    touch("touchStart", (60, 60))
    touch("touchMove", (90, 120))
    touch("touchEnd")
    expect(board(page)).to_have_attribute("data-strokes", "1")


@pytest.mark.slow
def test_a_drawing_can_be_undone_redone_cleared_and_left_for_another_page(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify")
    yours = page.get_by_text(re.compile("^Your drawing, taken in as sketch"))
    draw(page, TROUSERS)
    expect(named(page, "Trouser")).to_be_visible()
    before = answer(page)
    press(page, "Filled shape")
    draw(page, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)])
    expect(board(page)).to_have_attribute("data-strokes", "2")
    expect(page.locator(".bars")).not_to_contain_text(before[1])

    page.keyboard.press("Control+z")
    expect(board(page)).to_have_attribute("data-strokes", "1")
    expect(page.locator(".bars")).to_contain_text(before[1])
    assert answer(page) == before
    page.keyboard.press("Control+Shift+Z")
    expect(board(page)).to_have_attribute("data-strokes", "2")
    press(page, "Undo")
    press(page, "Clear")
    expect(yours).to_have_count(0)
    press(page, "Undo")
    expect(yours).to_be_visible()
    expect(named(page, "Trouser")).to_be_visible()

    follow(page, "Home")
    follow(page, "Classify")
    expect(board(page)).to_have_attribute("data-strokes", "1")
    expect(yours).to_be_visible()
    assert answer(page) == before
    press(page, "Undo")  # its history has come along
    expect(yours).to_have_count(0)
    press(page, "Redo")
    expect(yours).to_be_visible()


@pytest.mark.slow
def test_of_many_drawings_on_one_canvas_the_last_two_can_be_had_again(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify")
    for _ in range(4):
        draw(page, [(0.2, 0.2), (0.8, 0.8)])
        expect(board(page)).to_have_attribute("data-strokes", "1")
        press(page, "Clear")
        expect(board(page)).to_have_attribute("data-strokes", "0")
    undo = page.get_by_role("button", name="Undo")
    for strokes in "1010":
        expect(undo).to_have_attribute("aria-disabled", "false")
        undo.click()
        expect(board(page)).to_have_attribute("data-strokes", strokes)
    expect(undo).to_have_attribute("aria-disabled", "true")


@pytest.mark.slow
def test_a_drawing_that_starts_from_a_test_image_is_that_image_until_it_is_changed(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify?start=Test+image&image=0")
    expect(
        page.get_by_text(re.compile("^Test image 0, .*[^d], taken in as dataset"))
    ).to_be_visible()
    as_it_was = answer(page)

    # Black on black: now the browser sends the picture, and not a pixel may differ.
    press(page, "Eraser")
    draw(page, [(0.03, 0.03)])
    expect(page.get_by_text(re.compile("changed, taken in as dataset"))).to_be_visible()
    assert answer(page) == as_it_was

    press(page, "Brush")
    press(page, "Thick")
    draw(page, [(0.2, y) for y in (0.05, 0.95)], [(0.8, y) for y in (0.95, 0.05)])
    expect(page.locator(".bars")).not_to_contain_text(max(as_it_was, key=len))
    page.keyboard.press("Delete")
    expect(page.get_by_text(re.compile("changed, taken in as dataset"))).to_have_count(0)
    assert answer(page) == as_it_was


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("view", ["", "classify"])
def test_on_a_phone_the_answer_stands_by_the_canvas_that_a_finger_draws_on(
    visit: Callable[..., Page], view: str
) -> None:
    page = visit(view, **PHONE)
    before = board(page).bounding_box()
    board(page).tap()
    expect(board(page)).to_have_attribute("data-strokes", "1")
    expect(page.locator(".st-key-best")).to_contain_text("%")
    in_sight(page, board(page), page.locator(".st-key-best"))
    assert board(page).bounding_box() == before  # nothing has moved under the finger


@pytest.mark.slow
def test_on_a_phone_on_its_side_canvas_and_answer_are_on_one_screen(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify", **PHONE | {"viewport": {"width": 844, "height": 390}})
    page.locator(".st-key-best").evaluate("(line) => line.scrollIntoView()")
    board(page).tap()
    expect(page.locator(".st-key-best")).to_contain_text("%")
    in_sight(page, board(page), page.locator(".st-key-best"))


@pytest.mark.slow
def test_a_drawing_begun_on_home_goes_on_where_more_can_be_asked(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    draw(page, TROUSERS)
    expect(named(page, "Trouser")).to_be_visible()
    # A card is a link as a whole.
    page.get_by_text("Ask several models, and ask why.").click(force=True)
    expect(page.locator("h1")).to_have_text("Classify")
    expect(board(page)).to_have_attribute("data-strokes", "1")
    expect(named(page, "Trouser")).to_be_visible()


@pytest.mark.slow
def test_a_link_opens_the_same_picture_kind_and_models_elsewhere(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify?model=gru&start=Outline+of+Bag")
    page.get_by_role("combobox", name="Take it in as").click()
    page.get_by_role("option", name="Photo", exact=True).click()
    expect(page.get_by_text("Outline of Bag, taken in as photo")).to_be_visible()
    page.get_by_role("combobox", name="Ask others too").fill("fcnn")
    page.get_by_role("option", name="fcnn", exact=True).click()
    columns = page.locator(".bars thead th")
    expect(columns).to_have_text(["gru", "fcnn"])
    # so that the same share has a bar of the same length
    widths = columns.evaluate_all("(heads) => heads.map((head) => head.offsetWidth)")
    assert max(widths) - min(widths) <= 1
    shown = answer(page)
    assert len(shown) == 2 * len(CLASSES)

    elsewhere = visit(f"classify?{urlsplit(page.url).query}")
    expect(elsewhere.get_by_text("Outline of Bag, taken in as photo")).to_be_visible()
    expect(elsewhere.locator(".bars thead th")).to_have_text(["gru", "fcnn"])
    assert answer(elsewhere) == shown


def picture(folder: Path, label: int) -> Path:
    """A drawn garment of a class as a PNG of 280 x 280 pixels."""
    path = folder / f"garment-{label}.png"
    drawn = drawing.render(garments.garment(label, np.random.default_rng(3)), 280)
    Image.fromarray(drawn).save(path)
    return path


@pytest.mark.slow
def test_an_uploaded_picture_is_named_and_every_step_to_it_shown(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("classify?way=Upload")
    page.locator("input[type=file]").set_input_files(picture(tmp_path, 5))
    expect(page.get_by_text(re.compile(r"^garment-5\.png, taken in as"))).to_be_visible()
    expect(named(page, CLASSES[5])).to_be_visible()
    page.get_by_text("What happened to your picture").click()
    steps = page.get_by_test_id("stExpander").get_by_test_id("stImageCaption")
    expect(steps.first).to_have_text("Your picture")
    expect(steps.last).to_have_text("What the model sees")


@pytest.mark.slow
@pytest.mark.pictures
def test_a_phone_photo_is_cut_out_and_named(visit: Callable[..., Page]) -> None:
    page = visit("classify?way=Upload")
    photo = Path(os.environ["FMNIST_MEASURED"]) / "photos" / "t-shirt" / "03.jpg"
    page.locator("input[type=file]").set_input_files(photo)
    expect(page.get_by_text(re.compile(r"^03\.jpg, taken in as photo"))).to_be_visible()
    expect(named(page, CLASSES[0])).to_be_visible()
    page.get_by_text("Why?", exact=True).click()
    expect(page.get_by_text("The same on your picture")).to_be_visible()
    expect(page.get_by_alt_text("Covering", exact=True)).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("device", [DESK, PHONE], ids=["1280", "390"])
def test_of_several_uploads_all_is_read_without_scrolling_sideways_and_one_opens_large(
    visit: Callable[..., Page], tmp_path: Path, device: dict[str, Any]
) -> None:
    words = tmp_path / "words.png"
    words.write_text("This is no picture.")
    page = visit("classify?way=Upload", **device)
    page.locator("input[type=file]").set_input_files(
        [picture(tmp_path, 1), words, picture(tmp_path, 5)]
    )
    pictures = page.get_by_role("group", name=re.compile("^3 pictures"))
    for name, answered in (("garment-1.png", CLASSES[1]), ("garment-5.png", CLASSES[5])):
        row = pictures.locator("label").filter(has_text=name)
        expect(row).to_contain_text(answered)
        expect(row).to_contain_text("%")
        box = row.locator("img").first.bounding_box()
        assert box
        assert (box["width"], box["height"]) == (56, 56)
    refused = pictures.get_by_text("words.png: This file is not")
    box, whole = refused.bounding_box(), pictures.bounding_box()
    assert box
    assert whole
    assert box["width"] > whole["width"] - 4
    assert pictures.evaluate("(list) => list.scrollWidth <= list.clientWidth")

    pictures.get_by_text("garment-5.png").click()
    expect(named(page, CLASSES[5])).to_be_visible()
    large = page.get_by_alt_text("Your picture", exact=True).bounding_box()
    assert large
    assert large["width"] >= 280
    expect(page.get_by_text(re.compile(r"^garment-5\.png, taken in as"))).to_be_visible()
    pictures.get_by_role("radio").last.press("ArrowUp")
    expect(named(page, CLASSES[1])).to_be_visible()

    with page.expect_download() as download:
        press(page, "Download answers as CSV")
    with download.value.path().open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == ["garment-1.png", "words.png", "garment-5.png"]
    assert [row["answer"] for row in rows] == [CLASSES[1], "", CLASSES[5]]
    assert rows[1]["remarks"].startswith("This file is not a picture")
    for row in (rows[0], rows[2]):
        assert sum(float(row[name]) for name in CLASSES) == pytest.approx(1, abs=1e-4)


def test_the_camera_takes_a_picture_on_a_phone(visit: Callable[..., Page]) -> None:
    page = visit("classify?way=Camera", **PHONE)
    shutter = page.get_by_role("button", name="Take photo")
    expect(shutter).to_be_enabled()
    page.wait_for_function(CAMERA_SHOWS)
    shutter.click()
    expect(page.get_by_text(re.compile("^Camera, the upper garment, taken in"))).to_be_visible()
    settle(page)


@pytest.mark.slow
def test_of_a_person_before_the_camera_the_garment_is_asked_about_that_one_chooses(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify?way=Camera")
    shutter = page.get_by_role("button", name="Take photo")
    page.wait_for_function(CAMERA_SHOWS)
    shutter.click()
    expect(page.get_by_text(re.compile("^Camera, the upper garment, taken in"))).to_be_visible()
    page.get_by_text("What happened to your picture").click()
    expect(page.get_by_text("A person, and where to look")).to_be_visible()
    page.get_by_role("radio", name="Lower garment").click()
    expect(page.get_by_text(re.compile("^Camera, the lower garment, taken in"))).to_be_visible()
    settle(page)


@pytest.mark.slow
def test_the_bag_that_a_person_in_a_picture_carries_can_be_asked_about(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    path = tmp_path / "person.png"
    Image.fromarray(worn.person(worn.BAG, np.random.default_rng(101), 480).picture).save(path)
    page = visit("classify?way=Upload")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text(re.compile("^person.png, the upper garment, taken in"))).to_be_visible()
    page.get_by_role("radio", name="Bag").click()
    expect(page.get_by_text(re.compile("^person.png, the bag, taken in"))).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^Bag"))).to_be_visible()
    settle(page)
