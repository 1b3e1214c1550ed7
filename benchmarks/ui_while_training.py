"""How fast pages answer with and without a training going on: medians and their ratio.

    python -m benchmarks.ui_while_training [ROUNDS]

One server and one Chromium; the rounds with and without a training alternate, so that whatever
else the machine does falls on both. A page has answered when its title stands and its script has
ended. Needs requirements-dev.txt and Chromium.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import Page, sync_playwright

from fmnist import PROJECT, data, runs
from fmnist.training import Recipe

PAGES = {
    "Home": "Fashion-MNIST Studio",
    "Dataset": "Dataset",
    "Models": "Models",
    "Errors": "Errors",
    "Classify": "Classify",
}
ENDED = "() => document.querySelector('[data-test-script-state=notRunning]')"


def answer_seconds(page: Page, name: str) -> float:
    """Time from the click in the sidebar until the page stands."""
    started = time.perf_counter()
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_selector(f"h1:has-text('{PAGES[name]}')")
    page.wait_for_function(ENDED)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    folder = tempfile.mkdtemp()
    os.environ["FMNIST_RUNS"] = folder
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(port),
            "--server.headless",
            "true",
        ],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
    )
    source = data.default_source()
    plan = runs.Plan("cnn", Recipe(epochs=1000), source, "cpu")
    times: dict[tuple[str, bool], list[float]] = {
        (name, training): [] for name in PAGES for training in (False, True)
    }
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            time.sleep(5)
            page.goto(f"http://localhost:{port}")
            for name in [*PAGES, *PAGES]:  # fill the caches, which are not what is measured
                answer_seconds(page, name)
            for _ in range(rounds):
                for name in PAGES:
                    times[name, False].append(answer_seconds(page, name))
                run = runs.start(plan)
                while not runs.get(run.id).progress():
                    time.sleep(0.5)
                for name in PAGES:
                    times[name, True].append(answer_seconds(page, name))
                runs.stop(run.id)
                list(runs.watch(run.id))
            chromium.close()
    finally:
        server.terminate()
        for run in runs.all_runs():
            if run.state in runs.ACTIVE:
                runs.stop(run.id)
        list(runs.watch(run.id))
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
