"""How fast pages answer with and without a training going on: medians and their ratio.

    python -m benchmarks.ui_while_training [ROUNDS]

One server and one Chromium; the rounds with and without a training alternate, so that whatever
else the machine does falls on both. A page has answered when its title stands and its script has
ended. Needs requirements-dev.txt and Chromium.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

from benchmarks import studio
from fmnist.data import splits
from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.run import Plan, all_runs, read_run

PAGES = ("Home", "Dataset", "Models", "Errors", "Classify")


def main(rounds: int) -> None:
    folder = tempfile.mkdtemp()
    os.environ["FMNIST_RUNS"] = folder
    source = splits.default_source()
    plan = Plan("cnn", Recipe(epochs=1000), source, "cpu")
    times: dict[tuple[str, bool], list[float]] = {
        (name, training): [] for name in PAGES for training in (False, True)
    }
    try:
        with studio.serve() as address, sync_playwright() as playwright:
            browser = studio.launch(playwright)
            page = studio.enter(browser, address)
            links = {name: studio.links(page).filter(has_text=name) for name in PAGES}
            # Fill the caches, which are not what is measured; home stands already.
            for name in [*PAGES[1:], *PAGES]:
                studio.open_seconds(page, links[name])
            for _ in range(rounds):
                for name in PAGES:
                    times[name, False].append(studio.open_seconds(page, links[name]))
                run = queue.start(plan)
                while not read_run(run.id).progress:
                    time.sleep(0.5)
                for name in PAGES:
                    times[name, True].append(studio.open_seconds(page, links[name]))
                queue.stop(run.id)
                list(queue.watch(run.id))
            browser.close()
    finally:
        for run in all_runs():
            if run.active:
                queue.stop(run.id)
                list(queue.watch(run.id))
        shutil.rmtree(folder)
    print(f"median of {rounds} rounds, {source} data, in milliseconds")
    print(f"{'page':<12}{'quiet':>8}{'training':>10}{'ratio':>8}")
    for name in PAGES:
        quiet, busy = (statistics.median(times[name, training]) for training in (False, True))
        print(f"{name:<12}{quiet * 1000:>8.0f}{busy * 1000:>10.0f}{busy / quiet:>8.2f}")
    quiet, busy = (
        statistics.median(seconds for name in PAGES for seconds in times[name, training])
        for training in (False, True)
    )
    print(f"{'all':<12}{quiet * 1000:>8.0f}{busy * 1000:>10.0f}{busy / quiet:>8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
