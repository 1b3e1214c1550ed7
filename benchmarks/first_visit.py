"""What a first visit to a page costs over a slow line: seconds and megabytes, medians.

    python -m benchmarks.first_visit [--mbit 4] [--visits 3] [PAGE ...]

Chromium, which knows nothing, reaches the studio (with Caddy installed, behind it, as `make room`
has it) by a relay that lets no more bytes a second pass; it counts all of them, a websocket's and
the heads', too. Seconds are until the page stands, its charts are drawn and its script has ended;
bytes until two seconds after. Needs requirements-dev.txt and Chromium.
"""

import argparse
import asyncio
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from playwright.async_api import Browser, async_playwright

from benchmarks import studio

DRAWN = ".js-plotly-plot .main-svg"
CHARTS = {"scores"}
"""Pages that stand once their charts do."""
CHUNK = 1460  # bytes, about what one packet carries


class Line:
    """A line to a port of this machine that lets so many bytes a second come, and counts them."""

    def __init__(self, port: int, rate: float) -> None:
        self.port, self.rate = port, rate
        self.passed = 0
        self._free = 0.0  # when the line has sent what it was given

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what a browser and the server say to each other."""
        to_server = await asyncio.open_connection("localhost", self.port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, to_server[1], _at_once))
                both.create_task(_pass_on(to_server[0], writer, self._carry))
        except* ConnectionError:
            pass  # a browser goes when it likes
        finally:
            writer.close()
            to_server[1].close()

    async def _carry(self, size: int) -> None:
        """Wait until the line has carried so many bytes more."""
        now = time.monotonic()
        self._free = max(self._free, now) + size / self.rate
        await asyncio.sleep(self._free - now)
        self.passed += size


async def _at_once(size: int) -> None:
    del size


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    carry: Callable[[int], Awaitable[None]],
) -> None:
    while data := await reader.read(CHUNK):
        await carry(len(data))
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def slow(port: int, rate: float) -> AsyncIterator[tuple[Line, str]]:
    """A line of so many bytes a second to a port, and the address to use it by."""
    line = Line(port, rate)
    server = await asyncio.start_server(line.meet, "localhost", own := studio.free_port())
    async with server:
        yield line, f"http://localhost:{own}"


@contextmanager
def served() -> Iterator[int]:
    """The port of a studio as `make room` serves it."""
    if shutil.which("caddy"):
        with studio.serve_behind_caddy(1) as (front, *_):
            yield studio.port_of(front)
    else:
        with studio.serve("serve.py") as address:
            yield studio.port_of(address)


async def visit(browser: Browser, line: Line, address: str, page_name: str) -> tuple[float, float]:
    """The seconds and the bytes of a visit to a page by a browser that knows nothing."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(studio.PATIENCE * 1000)
    before, started = line.passed, time.perf_counter()
    await page.goto(f"{address}/{page_name}")
    await page.wait_for_function(studio.STANDS, arg="")
    if page_name in CHARTS:
        await page.wait_for_selector(DRAWN)
    seconds = time.perf_counter() - started
    await page.wait_for_timeout(2000)
    await context.close()
    return seconds, float(line.passed - before)


async def measure(port: int, mbit: float, visits: int, pages: list[str]) -> None:
    print("| page | seconds | MB |\n|---|---|---|")
    async with async_playwright() as playwright, slow(port, mbit * 1e6 / 8) as (line, address):
        browser = await playwright.chromium.launch(**studio.CHROMIUM)
        for name in pages:
            await visit(browser, line, address, name)  # what the server computes once
            found = [await visit(browser, line, address, name) for _ in range(visits)]
            seconds, size = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"| {name or 'home'} | {seconds:.1f} | {size / 1e6:.2f} |", flush=True)
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mbit", type=float, default=4, help="what the line carries a second")
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("pages", nargs="*", default=["", "classify", "scores"], metavar="PAGE")
    arguments = parser.parse_args()
    with served() as port:
        asyncio.run(measure(port, arguments.mbit, arguments.visits, arguments.pages))


if __name__ == "__main__":
    main()
