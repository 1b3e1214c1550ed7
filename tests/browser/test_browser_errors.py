"""The errors page as a person meets it: clicks, keys, links, screens and downloads."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import PHONE, follow, heading, settle
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from fmnist.data.splits import CLASSES

pytestmark = pytest.mark.browser

PROGRESS_SEEN = Path(__file__).with_name("progress_seen.js").read_text()
STALE_SEEN = Path(__file__).with_name("stale_seen.js").read_text()


def cells(page: Page) -> Locator:
    """Every cell and head of the matrix, once it is drawn."""
    found = page.get_by_role("gridcell")
    expect(found).to_have_count(121)
    return found


def click_fullest(page: Page, wanted: Callable[[str], bool]) -> tuple[str, int]:
    """Click the cell with the most images among those wanted; its name and count."""
    titles = cells(page).evaluate_all("(cells) => cells.map((cell) => cell.title)")
    counts = {
        name: int(count.replace(",", ""))
        for name, _, count in (title.rpartition(": ") for title in titles)
    }
    name = max(filter(wanted, counts), key=lambda name: counts[name])
    assert counts[name] > 0
    page.get_by_role("gridcell", name=f"{name}: ", exact=False).click()
    return name, counts[name]


def is_error(name: str) -> bool:
    true, _, predicted = name.partition(" named ")
    return true in CLASSES and predicted in CLASSES and true != predicted


def wall(page: Page) -> Locator:
    return page.get_by_label(re.compile(r"^\d+ images, most confident first"))


def expect_wall_of(page: Page, name: str, count: int) -> None:
    expect(heading(page, f"{name}: {count}")).to_be_visible()
    expect(wall(page)).to_have_attribute("data-count", str(count))
    expect(wall(page)).to_have_attribute("data-drawn", str(count))


def number(page: Page, position: int) -> str:
    """The number of the garment shown large, which is the one at a position, from 1."""
    expect(page.get_by_text(re.compile(rf"^{position} of \d+$"))).to_be_visible()
    settle(page)
    told = page.get_by_text(re.compile(r"Garment [\d,]+ of the \w+ split, labelled ")).inner_text()
    return re.search(r"Garment ([\d,]+)", told)[1].replace(",", "")


def link(page: Page) -> str:
    return page.url.split("/", 3)[3]


@pytest.mark.slow
def test_a_click_on_a_cell_shows_its_images_and_makes_a_link_to_it(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn")
    name, count = click_fullest(
        page, lambda name: is_error(name) and not name.startswith("Shirt named T-shirt")
    )
    expect_wall_of(page, name, count)
    settle(page)
    query = parse_qs(urlsplit(page.url).query)
    true, _, predicted = name.partition(" named ")
    assert query.get("true", ["Shirt"]) == [true]
    assert query.get("predicted", ["T-shirt/top"]) == [predicted]
    expect_wall_of(visit(link(page)), name, count)


@pytest.mark.slow
def test_a_head_opens_all_that_was_wrong_in_its_row_or_column(visit: Callable[..., Page]) -> None:
    page = visit("errors?model=cnn&order=Similarity&cells=Row+%25")
    for kind in (r".* named wrong$", r"^Wrongly named "):
        name, count = click_fullest(page, lambda name, kind=kind: re.match(kind, name) is not None)
        expect_wall_of(page, name, count)
        settle(page)


@pytest.mark.slow
def test_the_matrix_is_walked_and_chosen_in_by_keys_and_keeps_the_focus(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn&true=Bag&predicted=Bag")
    chosen = cells(page).and_(page.locator("[aria-selected=true]"))
    expect(chosen).to_have_attribute("title", re.compile("^Bag named Bag: "))
    assert page.locator("td[tabindex='0']").count() == 1  # one stop on the way through the page
    chosen.focus()
    focused = page.locator("td:focus")
    for key, name in {
        "ArrowLeft": "Bag named Sneaker",
        "ArrowUp": "Sneaker named Sneaker",
        "Home": "Sneaker named wrong",
        "End": "Sneaker named Ankle boot",
    }.items():
        page.keyboard.press(key)
        expect(focused).to_have_attribute("title", re.compile(f"^{name}: "))
        expect(heading(page, re.compile("^Bag named Bag: "))).to_be_visible()
    page.keyboard.press("Enter")
    expect(heading(page, re.compile("^Sneaker named Ankle boot: "))).to_be_visible()
    settle(page)
    expect(focused).to_have_attribute("title", re.compile("^Sneaker named Ankle boot: "))
    expect(focused).to_have_attribute("aria-selected", "true")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["errors?model=cnn", "compare?first=fcnn&second=cnn"])
def test_every_figure_in_a_matrix_is_large_and_stands_out(
    visit: Callable[..., Page], path: str, scheme: str
) -> None:
    page = visit(path, color_scheme=scheme)
    expect(page.get_by_role("gridcell").first).to_be_visible()
    found = page.get_by_role("gridcell").evaluate_all(
        Path(__file__).with_name("contrast.js").read_text()
    )
    written = [cell for cell in found if cell["text"]]
    assert len(written) > 20
    assert min(cell["size"] for cell in written) >= 14
    poor = {cell["text"]: cell["contrast"] for cell in written if cell["contrast"] < 4.5}
    assert poor == {}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("device", [PHONE, {"viewport": {"width": 960, "height": 540}}])
@pytest.mark.parametrize(("unit", "longest"), [("Counts", 3), ("Row %25", 4)])
def test_on_a_narrow_screen_each_figure_keeps_to_its_cell(
    visit: Callable[..., Page], device: dict[str, Any], unit: str, longest: int
) -> None:
    page = visit(f"errors?model=cnn&cells={unit}", **device)
    found = cells(page).evaluate_all(Path(__file__).with_name("widths.js").read_text())
    assert max(len(cell["text"]) for cell in found) == longest
    wide = {cell["text"]: cell for cell in found if cell["figure"] > cell["cell"]}
    assert wide == {}


@pytest.mark.slow
def test_keys_and_buttons_walk_the_selection_and_the_link_leads_to_the_garment(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=lenet-5&true=Any+class&predicted=Any+class")
    seen = [number(page, 1)]
    wall(page).focus()
    page.keyboard.press("ArrowRight")
    seen.append(number(page, 2))
    page.get_by_role("button", name="Next", exact=True).click()
    seen.append(number(page, 3))
    wall(page).focus()  # the keys go on from where the button led
    page.keyboard.press("ArrowRight")
    seen.append(number(page, 4))
    assert len(set(seen)) == 4
    page.keyboard.press("ArrowLeft")
    assert number(page, 3) == seen[2]
    assert parse_qs(urlsplit(page.url).query)["garment"] == [seen[2]]

    page.get_by_text("Why?", exact=True).click()
    reason = page.get_by_text(re.compile("^(It says|No single part makes it say) "))
    expect(reason).to_be_visible()
    expect(
        page.get_by_text(re.compile("training garments that it finds most alike"))
    ).to_be_visible()
    settle(page)
    stranger = visit(link(page))
    assert number(stranger, 3) == seen[2]
    expect(stranger.get_by_text(reason.inner_text())).to_be_visible()

    # Another cell begins with its first garment.
    click_fullest(page, lambda name: name == "Bag named Bag")
    number(page, 1)
    assert "garment" not in parse_qs(urlsplit(page.url).query)


# Back


@pytest.mark.slow
def test_each_deed_is_one_step_back_and_a_step_brings_all_that_was_left(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn&on=validation")
    begun = link(page)
    first, count = click_fullest(page, lambda name: is_error(name) and "Shirt" not in name)
    expect_wall_of(page, first, count)
    settle(page)
    left = link(page)
    second, count = click_fullest(page, lambda name: is_error(name) and "Shirt" in name)
    expect_wall_of(page, second, count)
    settle(page)
    page.go_back()
    expect(heading(page, re.compile(f"^{re.escape(first)}: "))).to_be_visible()
    settle(page)
    assert link(page) == left
    follow(page, "Scores")
    # As if they had been chosen by hand, model and split are kept.
    assert parse_qs(urlsplit(page.url).query) == {"model": ["cnn"], "on": ["validation"]}
    page.go_back()
    expect(page.locator("h1")).to_have_text("Errors")
    expect(heading(page, re.compile(f"^{re.escape(first)}: "))).to_be_visible()
    settle(page)
    assert link(page) == left
    page.go_back()
    expect(heading(page, re.compile(r"^Shirt named T-shirt\/top: "))).to_be_visible()
    settle(page)
    assert link(page) == begun


# One screen


def within(page: Page, *shown: Locator) -> list[dict[str, float]]:
    """The boxes of what is shown, all of which are wholly in the window."""
    size = page.viewport_size
    assert size
    boxes = []
    for locator in shown:
        expect(locator).to_be_visible()
        box: Any = locator.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= size["width"]
        assert 0 <= box["y"] <= box["y"] + box["height"] <= size["height"]
        boxes.append(box)
    return boxes


@pytest.mark.slow
@pytest.mark.real_data
def test_matrix_wall_and_garment_are_on_one_screen_and_on_a_large_one_the_map_too(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn", viewport={"width": 1280, "height": 800})
    click_fullest(page, lambda name: name == "Bag named Bag")
    number(page, 1)
    shown = (page.get_by_role("grid"), page.locator(".st-key-wall-of-gallery"))
    large = page.locator(".st-key-garment")
    matrix, box, garment = within(page, *shown, large)
    assert matrix["x"] + matrix["width"] <= box["x"]
    assert box["y"] + box["height"] <= garment["y"]
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_timeout(500)
    within(page, *shown, large, page.locator(".confidence"), page.locator(".ground > canvas"))


@pytest.mark.slow
@pytest.mark.real_data
def test_longer_words_push_nothing_off_the_screen(visit: Callable[..., Page]) -> None:
    page = visit("errors?model=cnn&lang=de", viewport={"width": 1280, "height": 800})
    shown = (page.get_by_role("grid"), page.locator(".st-key-wall-of-gallery"))
    within(page, *shown, page.locator(".st-key-garment"))


@pytest.mark.slow
@pytest.mark.real_data
def test_on_a_projector_the_type_is_larger_and_the_sidebar_gone_on_every_page_until_it_is_left(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn&projector=true", viewport={"width": 1280, "height": 800})
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_be_hidden()
    within(page, page.get_by_role("grid"))
    size = "(cell) => parseFloat(getComputedStyle(cell).fontSize)"
    assert cells(page).first.evaluate(size) >= 17
    page.get_by_text("Analysis", exact=True).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Compare").click()
    expect(page.locator("h1")).to_have_text("Compare")
    settle(page)
    expect(sidebar).to_be_hidden()
    assert parse_qs(urlsplit(page.url).query)["projector"] == ["true"]
    page.get_by_role("button", name="Leave projector").click()
    expect(sidebar).to_be_visible()


@pytest.mark.slow
def test_nothing_that_one_model_said_stands_under_the_name_of_the_next(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=softmax&why=true")
    expect(page.get_by_text("softmax says", exact=True)).to_be_visible()
    page.evaluate(STALE_SEEN)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="lenet-5", exact=True).click()
    expect(page.get_by_text("lenet-5 says", exact=True)).to_be_visible()
    settle(page)
    assert page.evaluate("staleSeen") == ""


# What is chosen in one view is chosen in all


@pytest.mark.slow
@pytest.mark.real_data
def test_a_garment_of_the_map_and_a_bar_of_confidence_are_chosen_in_all_views(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn&true=Bag&predicted=Bag")
    canvas = page.locator(".ground > canvas")
    expect(canvas).to_have_attribute("data-thumbs", re.compile("[1-9]"))
    first = number(page, 1)
    canvas.focus()
    page.keyboard.press("Space")  # the garment in the middle
    told = page.get_by_text(re.compile(rf"Garment (?!{first} )[\d,]+ of the test split, labelled "))
    expect(told).to_be_visible()
    settle(page)
    label = told.inner_text().rsplit("labelled ", 1)[1].removesuffix(".")
    said = told.inner_text().split(" ")[0]
    chosen = page.locator("td[aria-selected=true]")
    expect(chosen).to_have_attribute("title", re.compile(f"^{label} named {said}"))
    count = int((chosen.get_attribute("title") or "").rsplit(": ", 1)[1])
    expect(canvas).to_have_attribute("data-chosen", str(count))

    bar = page.locator(".confidence button").last
    of_bar = int(re.findall(r"(\d+) right, (\d+) wrong", bar.get_attribute("title") or "")[0][0])
    bar.click()
    expect(wall(page)).to_have_attribute("data-count", str(of_bar))
    expect(canvas).to_have_attribute("data-chosen", str(of_bar))
    assert parse_qs(urlsplit(page.url).query)["sure"] == ["90", "100"]


@pytest.mark.slow
def test_a_selection_that_was_kept_is_there_after_a_reload_and_is_taken_to_other_pages(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn&true=Bag&predicted=Bag")
    count = int(heading(page, re.compile("^Bag named Bag: ")).inner_text().split(": ")[1])
    menu = page.get_by_role("button", name="Selection")
    menu.click()
    page.get_by_role("textbox", name="Keep it as").fill("My bags")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("My bags", exact=True)).to_be_visible()
    settle(page)
    page.reload()
    settle(page)
    menu.click()
    expect(page.get_by_text("My bags", exact=True)).to_be_visible()
    page.get_by_role("link", name="Map").last.click()
    expect(page.locator("h1")).to_have_text("Map")
    expect(page.get_by_role("heading", name=f"{count:,} chosen")).to_be_visible()
    expect(page.locator(".ground > canvas")).to_have_attribute("data-chosen", str(count))
    settle(page)
    assert parse_qs(urlsplit(page.url).query)["model"] == ["cnn"]


@pytest.mark.slow
def test_the_selection_is_taken_along_as_a_table_and_as_a_picture(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?true=Bag&predicted=Bag")
    count = int(heading(page, re.compile("^Bag named Bag: ")).inner_text().split(": ")[1])
    saved = []
    for button in ("CSV", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=button, exact=True).click()
        saved.append(Path(download.value.path()))
        assert re.fullmatch(
            r"everyday-\w+-bag-named-bag\.(csv|png)", download.value.suggested_filename
        )
    table, picture = saved
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len(rows) == count
    assert rows[0]["row"] == number(page, 1)
    for row in rows:
        assert row["true"] == row["predicted"] == "Bag"
        shares = [float(row[name]) for name in CLASSES]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert max(shares) == float(row["Bag"]) == float(row["confidence"])
    width, height = Image.open(io.BytesIO(picture.read_bytes())).size
    assert (width // 84) * (height // 84) >= count


@pytest.mark.slow
def test_the_training_split_is_measured_with_progress_and_then_is_there_at_once(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=lenet-5")
    page.evaluate(PROGRESS_SEEN)
    page.get_by_text("train", exact=True).click()
    measured = page.get_by_text(re.compile(r" of [\d,]+ train images right "))
    expect(measured).to_be_visible()
    settle(page)
    assert page.evaluate("progressSeen")
    again = visit("errors?model=lenet-5&on=train")
    expect(again.get_by_text(measured.inner_text())).to_be_visible()
