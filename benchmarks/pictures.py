"""The pictures in docs/, taken anew: every page on drawn garments, in a room that is made up.

    python -m benchmarks.pictures [NAME ...]

Needs requirements-dev.txt and Chromium.
"""

import io
import os
import sys
import tempfile

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from benchmarks import studio
from fmnist import PROJECT
from fmnist.models import MODELS
from fmnist.runs import queue
from fmnist.runs.run import Plan
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import Dimension
from fmnist.sweeps.sweep import Sweep

PICTURES = {
    "home": "",
    "dataset": "dataset?class=Dress",
    "train": "train",
    "build_it": "build_it",
    "sweep": "sweep",
    "models": "models",
    "errors": "errors?model=cnn",
    "scores": "scores?model=cnn",
    "compare": "compare",
    "hardest": "hardest?models=cnn&models=gru",
    "map": "map?model=cnn",
    "suspects": "suspects?model=cnn",
    "inside": "inside?model=cnn",
    "break_it": "break_it?model=cnn&attack=FGSM",
    "classify": "classify?way=Examples",
}
SIZE: ViewportSize = {"width": 1280, "height": 860}
COLOURS = 128
"""Enough for garments in grey on a page of few colours, at a third of the bytes."""


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ |= {"FMNIST_DATA": folder, "FMNIST_RUNS": f"{folder}/runs"}
        _train()
        browser = studio.launch(playwright)
        with studio.serve("serve.py") as address:
            for name in names or list(PICTURES):
                page = studio.enter(browser, f"{address}/{PICTURES[name]}")
                page.set_viewport_size(SIZE)
                page.wait_for_timeout(1500)  # what a component draws is drawn
                shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                small = shot.quantize(COLOURS, dither=Image.Dither.NONE)
                path = PROJECT / "docs" / f"{name}.png"
                small.save(path, optimize=True)
                print(name, path.stat().st_size)
                page.context.close()
        browser.close()


def _train() -> None:
    """A run with curves, and a sweep with trials."""
    recipe = MODELS["fcnn-small"].recipe
    run = queue.start(Plan("fcnn-small", recipe, "drawn", "cpu", title="my first net"))
    list(queue.watch(run.id))
    space = (Dimension.parse("lr", "1e-4..1e-1:log"), Dimension.parse("epochs", "1..4"))
    asked = Sweep("rates", "softmax", recipe, space, 12, "drawn", "cpu", 2000)
    list(sweeps.carry_out(sweeps.begin(asked)))


if __name__ == "__main__":
    main(sys.argv[1:])
