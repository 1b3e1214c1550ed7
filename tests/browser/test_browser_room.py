"""A phone in a room: over HTTPS at the machine's own address it gives its camera, else not."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import CAMERA_SHOWS, PHONE, serve, serve_room, settle
from playwright.sync_api import Page, expect

from fmnist.machine import room

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(params=["alone", pytest.param("behind Caddy", marks=pytest.mark.caddy)])
def secure_room(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    answers_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    if request.param == "alone":
        monkeypatch.setenv("PATH", str(tmp_path))
    with serve_room(tmp_path, answers_folder) as address:
        yield address


@pytest.fixture
def open_studio(tmp_path: Path, answers_folder: Path) -> Iterator[str]:
    with serve(tmp_path, answers_folder, host=room.own_address()) as address:
        yield address


def test_over_https_a_phone_gives_its_camera_and_the_projector_shows_the_way(
    secure_room: str, stranger: Callable[..., Page], tmp_path: Path
) -> None:
    page = stranger(ignore_https_errors=True, **PHONE)
    page.goto(f"{secure_room}/classify?way=Camera")
    settle(page)
    assert page.evaluate("isSecureContext")
    page.wait_for_function(CAMERA_SHOWS)
    page.get_by_role("button", name="Take photo").click()
    answered = page.get_by_text(re.compile("^Camera, the upper garment, taken in"))
    expect(answered).to_be_visible()
    settle(page)
    page.goto(f"{secure_room}/room")
    settle(page)
    expect(page.get_by_role("heading", name=secure_room)).to_be_visible()
    printed = (tmp_path / "server.log").read_text()
    fingerprint = re.search("(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", printed)
    expect(page.get_by_text(fingerprint[0])).to_be_visible()


@pytest.mark.skipif(room.own_address() == "127.0.0.1", reason="this machine is on no network")
def test_without_https_the_phone_is_told_why_and_takes_the_picture_itself(
    open_studio: str, stranger: Callable[..., Page]
) -> None:
    page = stranger(**PHONE)
    page.goto(f"{open_studio}/classify?way=Camera")
    settle(page)
    assert not page.evaluate("isSecureContext")
    expect(page.locator("video")).to_have_count(0)
    expect(page.locator("input[type=file]").first).to_have_attribute("capture", "environment")
