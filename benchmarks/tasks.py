"""From a click to what it was for: ten things that a visitor does, on a screen of 1280 x 800.

    python -m benchmarks.tasks [--rounds 5] [--address URL]

Each round is a browser that knows nothing. A task is timed from its last click, or the end of its
stroke, until its result is there; whether that is on the screen as it stands is said beside it.
Without an address a server of its own is started, and one round goes before those that count.
Needs requirements-dev.txt and Chromium.
"""

import argparse
import contextlib
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from benchmarks import studio
from fmnist.data import garments
from fmnist.data.garments import drawing

SCREEN = {"width": 1280, "height": 800}
TROUSERS = [(0.32, 0.1), (0.68, 0.1), (0.71, 0.9), (0.57, 0.9), (0.5, 0.36), (0.43, 0.9),
            (0.29, 0.9), (0.32, 0.1)]  # fmt: skip
Done = tuple[Callable[[], object], Callable[[Page], Locator]]


def draw(page: Page) -> None:
    """All but the end of a stroke."""
    canvas = page.get_by_label(re.compile("^Canvas to draw on"))
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in TROUSERS]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=5)


def click_cell(page: Page) -> None:
    """Open what one cell of the matrix stands for."""
    page.get_by_role("gridcell", name=re.compile("^Coat named Pullover: ")).click()


def pick(page: Page, label: str, option: str) -> None:
    """Open a box; the click on its option is the one that is timed."""
    page.get_by_role("combobox", name=label).first.click()
    expect(page.get_by_role("option", name=option, exact=True)).to_be_visible()


def text(pattern: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_text(re.compile(pattern)).first


def tasks(page: Page, address: str, picture: Path, epochs: int) -> Iterator[tuple[str, Done]]:
    """Each task's name, what is timed, and what has to be there at its end.

    The epochs tell a round's training from those before.
    """

    def go(path: str) -> None:
        page.goto(f"{address}/{path}")
        studio.settle(page)

    def option(name: str) -> Callable[[], object]:
        return lambda: page.get_by_role("option", name=name, exact=True).click()

    def button(name: str) -> Callable[[], object]:
        return lambda: page.get_by_role("button", name=name, exact=True).click()

    go("classify")
    draw(page)
    yield "Name a drawing", (page.mouse.up, text("^Your drawing, taken in as"))
    go("classify")
    page.get_by_text("Upload", exact=True).first.click()
    uploader = page.locator("input[type=file]").last
    expect(uploader).to_be_attached()
    studio.settle(page)
    yield (
        "Name an upload",
        (lambda: uploader.set_input_files(picture), text("^garment.png.* taken in as")),
    )
    go("dataset")
    pick(page, "Class", "Sandal")
    yield (
        "See one class",
        (option("Sandal"), lambda page: page.get_by_role("heading", name="Sandal", exact=True)),
    )
    go("scores?model=fcnn")
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("Errors$"))
    yield "Open the confusion matrix", (link.click, text("^(fcnn|everyday) names "))
    go("errors?model=fcnn")
    pick(page, "Model", "cnn")
    yield "Ask another model", (option("cnn"), text("^cnn names "))
    go("errors?model=cnn")
    yield (
        "See the images behind a cell",
        (
            lambda: click_cell(page),
            lambda page: page.get_by_role("heading", name=re.compile("^Coat named Pullover: ")),
        ),
    )
    studio.settle(page)
    yield "Look at the next garment", (button("Next"), text(r"^2 of \d+"))
    studio.settle(page)
    yield (
        "Ask why",
        (
            page.get_by_text("Why?", exact=True).click,
            text("^(It says|No single part makes it say) "),
        ),
    )
    go("compare?second=cnn")
    pick(page, "First model", "gru")
    yield "Compare two models", (option("gru"), text("only gru gets right|Only gru right"))
    go("train")
    for label, number in (("Epochs", str(epochs)), ("Training images", "2000")):
        box = page.get_by_role("spinbutton", name=label)
        box.fill(number)
        box.press("Enter")
    studio.settle(page)
    yield "Train a network", (button("Start training"), text(rf"^Epoch \d+ of {epochs}$"))
    expect(page.get_by_text("Finished.", exact=True)).to_be_visible()


def once(
    browser: Browser, address: str, picture: Path, epochs: int
) -> dict[str, tuple[float, bool]]:
    """Milliseconds of each task, and whether its result was in sight."""
    page = browser.new_context(viewport=SCREEN).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(60_000)
    found = {}
    for name, (deed, result) in tasks(page, address, picture, epochs):
        started = time.perf_counter()
        deed()
        shown = result(page)
        shown.wait_for(state="visible")
        milliseconds = 1000 * (time.perf_counter() - started)
        studio.settle(page)
        box = shown.bounding_box()
        found[name] = milliseconds, bool(box and 0 <= box["y"] <= SCREEN["height"] - box["height"])
    page.context.close()
    return found


def main(rounds: int, given: str | None) -> None:
    expect.set_options(timeout=60_000)
    times, sights = defaultdict[str, list[float]](list), dict[str, bool]()
    with (
        contextlib.nullcontext(given) if given else studio.serve("serve.py") as address,
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as folder,
    ):
        picture = Path(folder) / "garment.png"
        image = drawing.render(garments.garment(8, np.random.default_rng(0)))
        Image.fromarray(image).resize((280, 280)).save(picture)
        browser = studio.launch(playwright)
        for number in range(rounds + 1):
            for name, (milliseconds, in_sight) in once(
                browser, address, picture, 1 + number
            ).items():
                if number:
                    times[name].append(milliseconds)
                    sights[name] = in_sight
    print(f"{'':<32}{'median':>8}  in milliseconds, of {rounds}")
    for name, found in times.items():
        seen = "in sight" if sights[name] else "out of sight"
        print(f"{name:<32}{statistics.median(found):>8.0f}  {seen}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--address")
    asked = parser.parse_args()
    main(asked.rounds, asked.address)
