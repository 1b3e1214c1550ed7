"""How long after a stroke the new probabilities show, and how long a large photo is taken in.

    python -m benchmarks.sketch_latency [STROKES]

The app's classify page and a bare Streamlit page (benchmarks/bare_page.py), with
streamlit-drawable-canvas and with our canvas, in one Chromium, ten strokes each in turn, so that
whatever else the machine does falls on all. They draw the same strokes and ask the same model. The
time runs in the browser, from the lifting of the pen to the first frame after the ten probabilities
have changed. Needs requirements-dev.txt and Chromium.
"""

import io
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, TimeoutError, sync_playwright

from benchmarks import studio
from fmnist import PROJECT
from fmnist.data import garments
from fmnist.data.garments import drawing
from fmnist.pictures import intake, reading
from fmnist.weights.shelf import DEFAULT

BATCH = 10
PAGES = {
    "classify": ("app.py", "classify", ".board canvas", ""),
    "bare page": ("benchmarks/bare_page.py", "", "canvas.upper-canvas", "library"),
    "our canvas": ("benchmarks/bare_page.py", "", ".board canvas", "ours"),
}
PHOTOS = 9


def batch(page: Page, address: str, canvas: str, strokes: NDArray[np.float64]) -> list[float]:
    """Milliseconds from pen-up to answer for each stroke (K, 2) in 0..1 that changed one."""
    page.goto(address)
    surface = page.locator(canvas)
    surface.wait_for()
    page.wait_for_timeout(3000)
    box = surface.bounding_box()
    assert box
    times = []
    for stroke in strokes * (box["width"], box["height"]) + (box["x"], box["y"]):
        page.evaluate("watch()")
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point, steps=5)
        page.mouse.up()
        try:
            page.wait_for_function("window.answered", polling=20, timeout=5000)
            times.append(page.evaluate("answered - lifted"))
        except TimeoutError:
            print("a stroke changed nothing", file=sys.stderr)
        page.wait_for_timeout(500)
    return times


def photo(rng: np.random.Generator) -> bytes:
    """A JPEG of 12 megapixels: a garment on a mottled floor, with a camera's noise."""
    garment = drawing.render(garments.garment(0, rng), 2000)[:, :, None]
    floor = rng.integers(60, 140, (30, 40, 3), dtype=np.uint8)
    scene = np.asarray(Image.fromarray(floor).resize((4000, 3000))).astype(np.int16)
    middle = scene[500:2500, 1000:3000]
    middle[:] = np.where(garment > 20, garment, middle)
    scene += rng.integers(-8, 9, scene.shape, dtype=np.int16)
    content = io.BytesIO()
    Image.fromarray(scene.clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=92)
    return content.getvalue()


def main(count: int) -> None:
    rng = np.random.default_rng(1)
    strokes = rng.uniform(0.1, 0.9, (count, 4, 2))
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    with tempfile.TemporaryDirectory() as runs, ExitStack() as servers:
        environment = {
            "PYTHONPATH": str(PROJECT),
            "FMNIST_RUNS": runs,
            "BARE_PAGE_WEIGHTS": DEFAULT,
        }
        addresses = {
            name: servers.enter_context(
                studio.serve(script, **environment, BARE_PAGE_CANVAS=canvas)
            )
            for name, (script, _, _, canvas) in PAGES.items()
        }
        with sync_playwright() as playwright:
            chromium = studio.launch(playwright)
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(path=Path(__file__).with_name("watch.js"))
            warm = rng.uniform(0.1, 0.9, (2, 4, 2))  # fill the caches, which are not measured
            for first in (None, *range(0, count, BATCH)):
                some = warm if first is None else strokes[first : first + BATCH]
                for name, (_, path, canvas, _) in PAGES.items():
                    measured = batch(page, f"{addresses[name]}/{path}", canvas, some)
                    times[name] += [] if first is None else measured
            chromium.close()
    print(f"from pen-up to new probabilities, {count} strokes a page, in milliseconds")
    print(f"{'page':<12}{'median':>8}{'95 %':>8}{'strokes':>9}")
    for name in PAGES:
        median, high = np.percentile(times[name], [50, 95])
        print(f"{name:<12}{median:>8.0f}{high:>8.0f}{len(times[name]):>9}")
    for name in ("classify", "our canvas"):
        ratio = np.median(times[name]) / np.median(times["bare page"])
        print(f"{name} takes {ratio:.2f} of the bare page's time in the median")

    content, seconds = photo(rng), []
    for _ in range(PHOTOS):
        started = time.perf_counter()
        taken = intake.from_any(reading.read(content))
        seconds.append(time.perf_counter() - started)
    print(
        f"a 12-megapixel JPEG ({len(content) / 1e6:.1f} MB) is taken in as {taken.kind} "
        f"in {1000 * np.median(seconds):.0f} ms, median of {PHOTOS}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
