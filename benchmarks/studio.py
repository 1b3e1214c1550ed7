"""A studio of its own to measure in: a server, Chromium, and when a page stands."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright

from fmnist import PROJECT
from fmnist.machine import room

STANDS = Path(__file__).with_name("stands.js").read_text()
# The shell first: it draws no window around a page.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM: dict[str, Any] = {
    "executable_path": next(filter(None, map(shutil.which, BROWSERS)), None),
    "args": ["--no-sandbox", "--disable-gpu"],
}
PATIENCE = 300  # seconds; a first opening may compute for long


@contextmanager
def serve_behind_caddy(servers: int) -> Iterator[list[str]]:
    """Caddy's address, and those of so many servers behind it, as a room has them."""
    with ExitStack() as stack:
        behind = [stack.enter_context(serve("serve.py")) for _ in range(servers)]
        front = f"http://localhost:{free_port()}"
        stack.enter_context(room.caddy(front, [*map(port_of, behind)], None))
        _wait(front)
        yield [front, *behind]


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port: int = free.getsockname()[1]
        return port


def port_of(address: str) -> int:
    """The port that an address ends with."""
    return int(address.rpartition(":")[2])


@contextmanager
def serve(script: str = "app.py", **environment: str) -> Iterator[str]:
    """A fresh server of the app, or of another script; its address."""
    port = free_port()
    options = ["--server.port", str(port), "--server.headless", "true", "--logger.level", "error"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, *options],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        _wait(address, lambda: server.poll() is None)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait(address: str, alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until a studio answers, or is no longer alive."""
    while alive() and not _answers(f"{address}/_stcore/health"):
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address):
            return True
    except urllib.error.URLError:
        return False


def launch(playwright: Playwright) -> Browser:
    """Chromium without a window."""
    return playwright.chromium.launch(**CHROMIUM)


def enter(browser: Browser, address: str) -> Page:
    """The home page in a context that knows nothing."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address)
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until the page that was asked for stands, and its script has ended."""
    page.wait_for_function(STANDS, arg="")


def links(page: Page) -> Locator:
    """The pages in the sidebar."""
    return page.get_by_test_id("stSidebarNavLink")


def open_seconds(page: Page, link: Locator) -> float:
    """Time from a click in the sidebar until another page stands and its script has ended."""
    before = page.locator("h1").inner_text()
    started = time.perf_counter()
    link.click()
    page.wait_for_function(STANDS, arg=before)
    return time.perf_counter() - started
