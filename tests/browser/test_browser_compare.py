"""Scores, Compare and Hardest in Chromium: a click, the images behind it, and its link."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import heading, settle
from playwright.sync_api import Page, expect

from fmnist.data.splits import CLASSES

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_click_on_a_changed_cell_shows_what_came_and_left_and_its_link_shows_the_same(
    visit: Callable[..., Page],
) -> None:
    page = visit("compare?first=fcnn&second=cnn&show=Flips&on=validation")
    cells = page.get_by_role("gridcell")
    expect(cells).to_have_count(100)
    titles = cells.evaluate_all("(cells) => cells.map((cell) => cell.title)")
    changes = {
        divmod(place, 10): int(title.rsplit(": ", 1)[1].replace(",", ""))
        for place, title in enumerate(titles)
    }
    # The cell off the diagonal that changed most, apart from the one that is there at first.
    errors = [cell for cell in changes if cell[0] != cell[1] and cell != (6, 0)]
    row, column = max(errors, key=lambda cell: abs(changes[cell]))
    change = changes[row, column]
    cells.nth(10 * row + column).click()

    def expect_the_cell(page: Page) -> None:
        counts = []
        for side in ("cnn", "fcnn"):
            title = heading(page, re.compile(f"^Only {side} says {re.escape(CLASSES[column])}: "))
            expect(title).to_be_visible()
            counts.append(int(title.inner_text().split(": ")[-1].replace(",", "")))
        assert counts[0] - counts[1] == change
        for label, name in (("True class", row), ("Predicted class", column)):
            expect(page.get_by_role("combobox", name=label)).to_have_value(CLASSES[name])
        for count, wall in zip(counts, ("cnn", "fcnn"), strict=True):
            if count:
                gallery = page.get_by_label(re.compile(rf"^{count} images, Only {wall} says"))
                expect(gallery).to_have_attribute("data-drawn", str(count))

    expect_the_cell(page)
    settle(page)
    link = urlsplit(page.url)
    asked = parse_qs(link.query)
    assert asked.get("true", ["Shirt"]) == [CLASSES[row]]
    assert asked.get("predicted", ["T-shirt/top"]) == [CLASSES[column]]
    expect_the_cell(visit(f"compare?{link.query}"))


@pytest.mark.slow
def test_a_chosen_move_shows_its_images_and_its_link_shows_the_same(
    visit: Callable[..., Page],
) -> None:
    page = visit("compare?first=fcnn&second=cnn&show=A+move&on=validation")
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()
    first = page.locator("h2").first.inner_text()
    # The third row: one head and two rows below the table's upper edge, in its column of boxes.
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 * 3 + 17})
    title = page.locator("h2").first
    expect(title).not_to_have_text(first)
    chosen = title.inner_text()
    name, count = chosen.rsplit(": ", 1)
    wall = page.get_by_label(re.compile(f"^{count} images, "))
    expect(wall).to_have_attribute("data-drawn", count)
    wall.press("ArrowRight")
    expect(page.get_by_role("img", name=re.compile(r"^Image \d+, True "))).to_be_visible()
    settle(page)
    link = urlsplit(page.url)
    assert parse_qs(link.query)["move"] == [name]
    expect(visit(f"compare?{link.query}").locator("h2").first).to_have_text(chosen)


@pytest.mark.slow
def test_the_report_and_the_table_that_are_downloaded_say_what_the_page_says(
    visit: Callable[..., Page],
) -> None:
    page = visit("scores?model=cnn&on=validation")
    said = page.get_by_text(re.compile(r"^cnn names [\d.]+% of")).inner_text()
    accuracy = re.findall(r"[\d.]+%", said)[0]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Table as CSV").click()
    with Path(saved.value.path()).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["Class"] for row in rows] == list(CLASSES)
    right = sum(float(row["Recall"]) * int(row["Images"]) for row in rows)
    assert f"{right / sum(int(row['Images']) for row in rows):.2%}" == accuracy
    with page.expect_download() as saved:
        page.get_by_role("button", name="Report (HTML)").click()
    assert saved.value.suggested_filename == "cnn-report.html"
    report = " ".join(Path(saved.value.path()).read_text().split())
    assert f"<strong>{accuracy}</strong> of the" in report


@pytest.mark.slow
def test_the_slider_moves_by_keyboard_and_the_link_keeps_it(visit: Callable[..., Page]) -> None:
    page = visit("scores?model=cnn&on=validation")
    answered = page.get_by_test_id("stMetric").filter(has_text="Answered")
    before = answered.inner_text()
    slider = page.get_by_role("slider", name="Abstain below this confidence")
    slider.focus()
    slider.press("End")
    expect(answered).not_to_have_text(before)
    settle(page)
    assert parse_qs(urlsplit(page.url).query)["threshold"] == ["100"]


@pytest.mark.slow
def test_the_hardest_garment_chosen_by_keyboard_is_shown_large(visit: Callable[..., Page]) -> None:
    page = visit("hardest?models=cnn&on=validation&class=Bag&end=Easiest")
    wall = page.get_by_label(re.compile("images, the easiest first; arrow keys choose one$"))
    expect(wall).to_have_attribute("data-drawn", re.compile(r"\d+"))
    shown = page.get_by_text(re.compile(r"^Image [\d,]+ of the validation split\. Doubt: "))
    first = shown.inner_text()
    wall.press("ArrowRight")
    wall.press("ArrowRight")
    expect(shown).not_to_have_text(first)
    expect(heading(page, "Bag")).to_be_visible()
    settle(page)
