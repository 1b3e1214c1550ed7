"""The errors page as a person meets it: clicks, keys, links and downloads."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import heading, settle
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from fmnist.data.splits import CLASSES

pytestmark = pytest.mark.browser

MATRIX = ".js-plotly-plot:has-text('predicted')"
CELLS = Path(__file__).with_name("cells.js").read_text()
PROGRESS_SEEN = Path(__file__).with_name("progress_seen.js").read_text()


def click_fullest(page: Page, wanted: Callable[[int | None, int | None], bool]) -> Any:
    """Click the cell with the most images among those wanted; its (true, predicted, count)."""
    plot = page.locator(MATRIX).first
    plot.scroll_into_view_if_needed()
    cell, place = max(
        (found for found in plot.evaluate(CELLS) if wanted(*found[0][:2])),
        key=lambda found: found[0][2],
    )
    assert cell[2] > 0
    page.mouse.click(place["x"], place["y"])
    return cell


def wall(page: Page) -> Locator:
    return page.get_by_label(re.compile(r"^\d+ images, most confident first"))


def expect_wall_of(page: Page, count: int) -> None:
    expect(wall(page)).to_have_attribute("data-count", str(count))
    expect(wall(page)).to_have_attribute("data-drawn", str(count))


def number(page: Page, position: int) -> str:
    """The number of the garment shown large, which is the one at a position, from 1."""
    told = page.get_by_text(re.compile(rf"^{position} of \d+\. "))
    expect(told).to_be_visible()
    settle(page)
    return page.get_by_role("combobox", name="Garment").input_value()


def link(page: Page) -> str:
    return page.url.split("/", 3)[3]


def test_a_click_on_a_cell_shows_its_images_and_makes_a_link_to_it(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors")
    # One that shares no class with the cell shown at first.
    others = set(range(10)) - {CLASSES.index("Shirt"), CLASSES.index("T-shirt/top")}
    true, predicted, count = click_fullest(
        page, lambda true, predicted: true != predicted and others.issuperset({true, predicted})
    )

    def expect_the_cell(page: Page) -> None:
        name = f"{CLASSES[true]} named {CLASSES[predicted]}: {count}"
        expect(heading(page, name)).to_be_visible()
        for label, name in (("True class", CLASSES[true]), ("Predicted class", CLASSES[predicted])):
            expect(page.get_by_role("combobox", name=label)).to_have_value(name)
        expect_wall_of(page, count)

    expect_the_cell(page)
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"true": [CLASSES[true]], "predicted": [CLASSES[predicted]]}
    expect_the_cell(visit(link(page)))


def test_a_click_on_a_head_opens_all_that_was_wrong_in_its_row_or_column(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?order=Similarity&cells=Row+%25")
    true, _, count = click_fullest(page, lambda true, predicted: true is not None is predicted)
    expect(heading(page, f"{CLASSES[true]} named wrong: {count}")).to_be_visible()
    expect_wall_of(page, count)
    settle(page)
    _, predicted, count = click_fullest(page, lambda true, predicted: true is None is not predicted)
    expect(heading(page, f"Wrongly named {CLASSES[predicted]}: {count}")).to_be_visible()
    expect_wall_of(page, count)


def test_keys_and_buttons_walk_the_selection_and_the_link_leads_to_the_garment(
    visit: Callable[..., Page],
) -> None:
    page = visit("errors?model=cnn&true=Any+class&predicted=Any+class")
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
    click_fullest(page, lambda true, predicted: true is not None and true == predicted)
    number(page, 1)
    assert "garment" not in parse_qs(urlsplit(page.url).query)


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
    page = visit("errors?model=cnn")
    page.evaluate(PROGRESS_SEEN)
    page.get_by_text("train", exact=True).click()
    measured = page.get_by_text(re.compile(r" of [\d,]+ train images right "))
    expect(measured).to_be_visible()
    settle(page)
    assert page.evaluate("progressSeen")
    again = visit("errors?model=cnn&on=train")
    expect(again.get_by_text(measured.inner_text())).to_be_visible()
    expect(again.get_by_test_id("stProgress")).to_have_count(0)
