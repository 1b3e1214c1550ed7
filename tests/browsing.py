"""What the browser tests share: a server of their own, and how to get around in it."""

import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from benchmarks.studio import free_port
from fmnist import PROJECT
from fmnist.data import fashion
from fmnist.machine import room

# Each page by its name in the sidebar, with its title and what stands at its end.
PAGES = {
    "Home": ("Fashion-MNIST Studio", "Leaderboard"),
    "Dataset": ("Dataset", "Classes"),
    "Map": ("Map", "0 chosen"),
    "Suspects": ("Suspects", "Leaderboard"),
    "Train": ("Train", "Start training"),
    "Build it": ("Build it", "Start training"),
    "Sweep": ("Sweep", "Stopped early"),
    "Models": ("Models", "Recipe"),
    "Errors": ("Errors", "All of them"),
    "Scores": ("Scores", "Abstaining"),
    "Compare": ("Compare", "By class"),
    "Hardest": ("Hardest", "By class"),
    "Lessons": ("Lessons", "10 minutes. Steps done: 0 of 4."),
    "Inside": ("Inside", "Standardised pixels"),
    "Break it": ("Break it", "How often attacks succeed"),
    "Challenges": ("Challenges", "Test garment"),
    "Classify": ("Classify", "Start from"),
    "Room": ("Room", "Open it"),
    "Wall": ("Wall", "To the Room page"),
    "Sketches": ("Sketches", "To the Room page"),
    "Guess": ("Guess", "To the Room page"),
    "Contest": ("Contest", "To the Room page"),
}
PATIENCE = 180  # seconds; two cores may be busy with a training, or with other work
IN_CI = bool(os.environ.get("FMNIST_CI"))
REAL = fashion.available()
DESK = {"viewport": {"width": 1280, "height": 1000}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile",
}
# Opened by a link to a page, Streamlit first looks for its endpoints beside that page.
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")

# What Chromium says where it gives a file up, seen on a busy machine, and only under a certificate
# that it was told to overlook.
OVERLOOKED = "ERR_TOO_MANY_RETRIES"

# What axe-core finds against these is none of ours; docs/code.md says by which rules.
STREAMLITS_OWN = ("stSidebarNavItems", "stFileUploaderDropzone", "stToast")
CAMERA_SHOWS = (Path(__file__).parent / "browser" / "camera_shows.js").read_text()
GROUND = (Path(__file__).parent / "browser" / "ground.js").read_text()

expect.set_options(timeout=PATIENCE * 1000)


@contextmanager
def serve(folder: Path, cache: Path, base: str = "", host: str = "localhost") -> Iterator[str]:
    """A studio of its own, with runs, weights and log in `folder`; its address, with the path."""
    port = free_port()
    options = {"address": host, "port": port, "baseUrlPath": base, "headless": "true"}
    flags = [text for name, value in options.items() for text in (f"--server.{name}", str(value))]
    app = ["-m", "streamlit", "run", "serve.py", *flags]
    with started(app, f"http://{host}:{port}/{base}".rstrip("/"), folder, cache) as address:
        yield address


@contextmanager
def serve_room(folder: Path, cache: Path) -> Iterator[str]:
    """The same as `make room` serves it: over HTTPS, at this machine's own address."""
    port = free_port()
    while room.refusal(range(port, port + 1 + room.servers())):
        port = free_port()
    app = ["-m", "fmnist.machine.room", str(port)]
    with started(app, f"https://{room.own_address()}:{port}", folder, cache) as address:
        yield address


@contextmanager
def started(app: list[str], address: str, folder: Path, cache: Path) -> Iterator[str]:
    environment = {
        **os.environ,
        "FMNIST_DATA": str(fashion.folder() if REAL else folder / "no-dataset"),
        "FMNIST_RUNS": str(folder / "runs"),
        "FMNIST_WEIGHTS": str(folder / "weights"),
        "FMNIST_CACHE": str(cache),
    }
    environment.pop("FMNIST_DEVICE", None)
    environment.pop("FMNIST_ROOMS", None)
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, *app], cwd=PROJECT, env=environment, stdout=output, stderr=output
        )
    try:
        wait_for(server, f"{address}/_stcore/health", log)
        yield address
    finally:
        server.terminate()
        server.wait(PATIENCE)
    assert "Traceback" not in log.read_text(), log.read_text()


def wait_for(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline, anybodys = time.monotonic() + PATIENCE, ssl._create_unverified_context()
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, context=anybodys):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"The server did not come up:\n{log.read_text()}")


def stop_runs(folder: Path) -> None:
    """End what still trains; a training outlives its server."""
    for plan in folder.glob("runs/*/plan.json"):
        (plan.parent / "stop").touch()


def settle(page: Page) -> None:
    """Wait until the page that was asked for stands there whole, without an exception."""
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def follow(page: Page, name: str) -> None:
    """Go to a page by the sidebar."""
    opener = page.get_by_test_id("stExpandSidebarButton")
    if opener.is_visible():
        opener.click()
    page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
    title, end = PAGES[name]
    expect(page.locator("h1")).to_have_text(title)
    expect(page.get_by_text(end, exact=True).first).to_be_visible()
    settle(page)


def heading(page: Page, text: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("heading", name=text, exact=True)


def table(page: Page, number: int = 0) -> Locator:
    """The cells of a dataframe, which are drawn on a canvas and repeated inside it for readers."""
    return page.get_by_test_id("stDataFrame").nth(number).locator("td")


def in_sight(page: Page, *parts: Locator) -> None:
    """Each part stands on the screen as it is, whole."""
    size = page.viewport_size
    assert size
    for part in parts:
        expect(part).to_be_visible()
        box = part.bounding_box()
        assert box
        assert box["y"] > -1, part
        assert box["y"] + box["height"] <= size["height"], part
        assert box["x"] + box["width"] <= size["width"], part


def violations(page: Page) -> list[tuple[str, str, list[str]]]:
    """What axe-core finds against our parts of a page in each scheme: rules, and nodes as HTML."""
    own = [[f"[data-testid={name}]"] for name in STREAMLITS_OWN]
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(GROUND, arg=scheme)
        settle(page)
        rules = Axe().run(page, context={"exclude": own}).response["violations"]
        found += [(scheme, rule["id"], [node["html"] for node in rule["nodes"]]) for rule in rules]
    return found
