"""How soon after a stroke a network's maps show, and how long attacks on it take: medians.

    python -m benchmarks.inside [STROKES] [MODEL ...]

The time of a stroke runs in the browser, from the lifting of the pen to the first map that is
painted anew. An attack is PGD of twenty steps on one garment; a curve is that of ten steps on a
thousand test garments at every strength. Needs requirements-dev.txt and Chromium.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks import studio
from fmnist.analysis import attacks, robustness
from fmnist.data import splits
from fmnist.weights import shelf

MODELS = ("cnn", "everyday", "residual", "bilstm", "gru")
STRENGTH, ATTACKS, PAUSE = 8, 9, 1200


def strokes(page: Page, address: str, model: str, count: int) -> list[float]:
    """Milliseconds from pen-up to maps of so many strokes, after one that is not counted."""
    page.goto(f"{address}/inside?model={model}")
    page.wait_for_function(studio.STANDS, arg="")
    canvas = page.locator(".board canvas")
    canvas.wait_for()
    page.wait_for_timeout(3 * PAUSE)
    box, times, rng = canvas.bounding_box(), [], np.random.default_rng(0)
    assert box
    for _ in range(count + 1):
        (x, y), end = rng.uniform(0.2, 0.8, (2, 2)) * box["width"] + (box["x"], box["y"])
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(*end, steps=4)
        page.mouse.up()
        page.wait_for_function("window.painted", polling=20)
        times.append(page.evaluate("painted - lifted"))
        page.wait_for_timeout(PAUSE)
    return times[1:]


def seconds_of_attack(model: str) -> float:
    """The median time of one garment's attack."""
    test, (network, _) = splits.load("test", splits.default_source()), shelf.load(model)
    times = []
    for row in range(ATTACKS):
        started = time.perf_counter()
        here = slice(row, row + 1)
        attacks.pgd(network, test.images[here], test.labels[here], STRENGTH)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def seconds_of_curve(model: str) -> float:
    """How long the curve of PGD takes."""
    test, (network, _) = splits.load("test", splits.default_source()), shelf.load(model)
    rows = robustness.sample(len(test))
    started = time.perf_counter()
    robustness.curve(network, test.images[rows], test.labels[rows], "pgd", lambda done: None)
    return time.perf_counter() - started


def main(count: int, models: tuple[str, ...]) -> None:
    with studio.serve() as address, sync_playwright() as playwright:
        chromium = studio.launch(playwright)
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.add_init_script(path=Path(__file__).with_name("maps.js"))
        shown = {model: strokes(page, address, model, count) for model in models}
        chromium.close()
    print(f"{count} strokes a model, {splits.default_source()} data, in milliseconds; curves in s")
    print(f"{'model':<12}{'maps':>8}{'95 %':>8}{'attack':>8}{'curve':>8}")
    for model, times in shown.items():
        median, high = np.percentile(times, [50, 95])
        attack = 1000 * seconds_of_attack(model)
        print(
            f"{model:<12}{median:>8.0f}{high:>8.0f}{attack:>8.0f}{seconds_of_curve(model):>8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    number, *names = sys.argv[1:] or ["20"]
    main(int(number), tuple(names) or MODELS)
