"""Every test has folders of its own, and drawn garments unless it is marked."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Before torch is loaded: two workers, and what they start, with two threads each would stand in
# one another's way on two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import leftovers
import numpy as np
import pytest
from browsing import DESK, IN_CI, OVERLOOKED, PATIENCE, PROBES, serve, settle, stop_runs
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from streamlit.components.v2 import manifest_scanner

from benchmarks.studio import CHROMIUM
from fmnist.classroom import room
from fmnist.classroom.room import Ticket
from fmnist.data import fashion, garments, splits
from fmnist.data.garments import worn
from fmnist.machine import files

PICTURES = os.environ.get("FMNIST_MEASURED")
LONGEST = ("pages", "runs", "strangers", "models", "test_main.py", "pictures", "browser")
"""Rooms and files that are begun first, so that none of them is what a worker is left with."""
LEFTOVERS = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    """Mark what the suite will start, and set a process on ending it."""
    if hasattr(config, "workerinput"):
        return
    environment = dict(os.environ)
    os.environ[leftovers.VARIABLE] = mark = secrets.token_hex(8)
    config.stash[LEFTOVERS] = subprocess.Popen(
        [sys.executable, leftovers.__file__, mark],
        stdin=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is not for it
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine can't run; in CI nothing is skipped."""
    items.sort(key=_turn)
    missing = {
        "real_data": None if fashion.available() else "the four Fashion-MNIST files are not here",
        "pictures": None if PICTURES else "FMNIST_MEASURED names no folder of sketches and photos",
        "browser": None if CHROMIUM["executable_path"] else "Chromium is not installed",
        "caddy": None if shutil.which("caddy") else "Caddy is not installed",
        "nginx": None if shutil.which("nginx") else "nginx is not installed",
    }
    for item in items:
        for marker, reason in missing.items():
            if reason and item.get_closest_marker(marker) and not IN_CI:
                item.add_marker(pytest.mark.skip(reason=reason))


def _turn(item: pytest.Item) -> int:
    parts = item.path.parts
    return next((turn for turn, name in enumerate(LONGEST) if name in parts), len(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _drawn_once() -> Iterator[None]:
    """Drawn splits are drawn once for all tests of a worker."""
    draw = cache(garments.draw)

    def copied(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        images, labels = draw(count, seed)
        return images.copy(), labels.copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "garments", SimpleNamespace(draw=copied))
        yield


@pytest.fixture(scope="session", autouse=True)
def _scanned_once() -> Iterator[None]:
    """Every AppTest would ask anew what components each installed package has."""
    scan = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(scope="session")
def answers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pages keep what models answer, each by its SHA-256; one for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "answers"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def _own_folders(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FMNIST_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("FMNIST_ROOMS", raising=False)
    monkeypatch.delenv("FMNIST_DEVICE", raising=False)
    monkeypatch.delenv("FMNIST_PICTURES", raising=False)
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    if not request.node.get_closest_marker("real_data"):
        monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "no-dataset"))
    return


@pytest.fixture
def teacher() -> Ticket:
    return room.open_room("Class 7b", "here")


@pytest.fixture
def pupil(teacher: Ticket) -> Ticket:
    return room.join(teacher.code, "Ana", "here")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn splits that take a moment, in this process."""
    monkeypatch.setattr(
        splits, "DRAWN", {"train": (300, 1), "validation": (100, 2), "test": (100, 3)}
    )


# The server and the browser


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, answers_folder: Path) -> Iterator[str]:
    """The address of the server that most tests share."""
    folder = tmp_path_factory.mktemp("studio")
    with serve(folder, answers_folder) as address:
        yield address
    stop_runs(folder)


@pytest.fixture
def fresh_studio(tmp_path: Path, answers_folder: Path) -> Iterator[str]:
    """The address of a server that nobody has visited."""
    with serve(tmp_path, answers_folder) as address:
        yield address


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera sees a drawn person in a T-shirt."""
    seen = tmp_path_factory.mktemp("camera") / "person.mjpeg"
    Image.fromarray(worn.person(0, np.random.default_rng(0), 480).picture).save(seen, "JPEG")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM["executable_path"],
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                # A page is left before its scripts would have gained what optimising them takes.
                "--js-flags=--no-opt --no-maglev --sparkplug",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={seen}",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages in browsers that know nothing; in none may the console have shown an error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def enter(**options: Any) -> Page:
        context = browser.new_context(**(DESK | options))
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def hear(message: ConsoleMessage) -> None:
            text, url = message.text, message.location["url"]
            overlooked = options.get("ignore_https_errors") and OVERLOOKED in text
            if message.type == "error" and not PROBES.search(url) and not overlooked:
                complaints.append(f"{text} {url}")

        page.on("console", hear)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def visit(stranger: Callable[..., Page], studio: str) -> Callable[..., Page]:
    """Opens the shared studio at a path, in a browser of its own, and waits for the page."""

    def open_page(path: str = "", **options: Any) -> Page:
        page = stranger(**options)
        page.goto(f"{studio}/{path}")
        settle(page)
        return page

    return open_page
