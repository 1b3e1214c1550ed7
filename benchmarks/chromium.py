"""A page in a real Chromium, led as a visitor (benchmarks/visitor.py) is."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.async_api import Browser, Error, Page

from benchmarks import studio
from benchmarks.visitor import VisitError, Wait
from fmnist.ui.components.canvas import EDGE
from fmnist.ui.components.ticket import COOKIE

CHANGED = Path(__file__).with_name("changed.js").read_text()
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PROJECTOR = {"viewport": {"width": 1920, "height": 1080}}
PATIENCE, A_MOMENT = 30, 0.3  # seconds


class Chromium:
    """One page, in a context that knows nothing but a room's ticket; a finger taps and draws."""

    clocks = ()  # what a page does by itself, this browser does by itself

    def __init__(self, browser: Browser, address: str, ticket: str = "", **screen: Any) -> None:
        self.browser, self.address, self.ticket = browser, address, ticket
        self.screen = screen or PHONE
        self.named: set[str] = set()  # the buttons
        self._asked: list[tuple[str, str]] = []
        self._page: Page

    async def __aenter__(self) -> Self:
        context = await self.browser.new_context(**self.screen)
        if self.ticket:
            await context.add_cookies([{"name": COOKIE, "value": self.ticket, "url": self.address}])
        self._page = await context.new_page()
        self._page.set_default_timeout(PATIENCE * 1000)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(Error):
            await self._page.context.close()

    async def open(self) -> Wait:
        """The first page; seconds until it stands."""
        return await self.turn("")

    async def turn(self, title: str, query: str = "") -> Wait:
        """A page by its link; seconds until it stands."""

        async def go() -> None:
            await self._page.goto(f"{self.address}/{title.lower()}{query}")
            await self._page.wait_for_function(studio.STANDS, arg="")

        return await self._timed(go)

    def write(self, label: str, text: str) -> None:
        """Text in a box, written before what is done next."""
        self._asked.append((label, text))

    def choose(self, label: str, option: str) -> None:
        """One of the pills of that name, tapped before what is done next."""
        self._asked.append((label, option))

    async def press(self, label: str) -> Wait:
        """Tap a button; seconds until the page says something else and stands."""

        async def prepare() -> None:
            while self._asked:
                name, asked = self._asked.pop(0)
                if await (box := self._page.get_by_role("textbox", name=name)).count():
                    await box.fill(asked)
                else:
                    await self._page.get_by_role("radio", name=asked, exact=True).tap()

        await self._timed(prepare)
        # Its name may go on with the key that presses it, too.
        name = re.compile("^" + re.escape(label).replace("/", r"\/"))
        return await self._changing(self._page.get_by_role("button", name=name).first.tap)

    async def draw(self, strokes: list[dict[str, Any]], picture: str) -> Wait:
        """A stroke by a finger on an empty canvas; seconds from its end until it is answered."""
        del picture  # the canvas makes its own
        canvas = self._page.locator("canvas").first
        if "Give it to the room" in self.named:
            await self._changing(lambda: canvas.press("Delete"))
        finger = await self._page.context.new_cdp_session(self._page)

        async def touch(kind: str, *points: dict[str, float]) -> None:
            await finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [*points]})

        async def stroke() -> None:
            await canvas.scroll_into_view_if_needed()
            box = await canvas.bounding_box()
            assert box
            for place, (x, y) in enumerate(_pairs(strokes[0]["points"])):
                at = {
                    "x": box["x"] + x / EDGE * box["width"],
                    "y": box["y"] + y / EDGE * box["height"],
                }
                await touch("touchMove" if place else "touchStart", at)

        await self._timed(stroke)
        return await self._changing(lambda: touch("touchEnd"))

    async def joined(self) -> None:
        """Wait until the browser keeps a ticket."""
        while not self.ticket:
            kept = await self._page.context.cookies()
            self.ticket = next((c["value"] for c in kept if c["name"] == COOKIE), "")

    async def said(self) -> str:
        """The text of the page."""
        try:
            return await self._page.get_by_test_id("stMain").text_content() or ""
        except Error as error:
            raise VisitError(f"Chromium: {error.message.splitlines()[0]}") from error

    async def _changing(self, act: Callable[[], Awaitable[object]]) -> Wait:
        """Do something; seconds until the page says something else and stands."""
        before = ""
        while (after := await self.said()) != before:  # what was asked for before may still come
            before = after
            await asyncio.sleep(A_MOMENT)

        async def done() -> None:
            await act()
            await self._page.wait_for_function(CHANGED, arg=before)

        return await self._timed(done)

    async def _timed(self, act: Callable[[], Awaitable[None]]) -> Wait:
        started = time.perf_counter()
        try:
            await act()
            wait = Wait(time.perf_counter() - started)
            self.named = set(await self._page.get_by_role("button").all_inner_texts())
        except Error as error:
            raise VisitError(f"Chromium: {error.message.splitlines()[0]}") from error
        return wait


def _pairs(flat: list[float]) -> list[tuple[float, float]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
