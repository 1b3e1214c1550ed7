"""A room of browsers on one server: how long they wait, what goes wrong, what memory it takes.

    python -m benchmarks.room [--browsers 30] [--pause 10] [--seconds 60] [--opening 5]
                              [--strokes ROUNDS] [--visits N] [--broken FILES] [--training]
                              [--servers N | --address URL]

The browsers (benchmarks/visitor.py) open Home within a few seconds and then go through the pages,
each at its own place in the round, with three clicks on every page and strokes on Classify; a pause
comes before each. `--strokes` lets all of them draw on Classify at the same moment instead.
`--visits` has so many come, see a few pages and leave, twenty at a time, and says what memory the
server has on the way. `--broken` adds one that uploads files which are no pictures, 20 a second.
`--training` trains a cnn meanwhile and says how much slower that goes. Without an address a server
of its own is started, with every page opened once before, or with `--servers` so many behind Caddy,
as `make room` has them; only this machine is ever asked.
"""

import argparse
import asyncio
import base64
import contextlib
import io
import os
import random
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import studio
from benchmarks.visitor import VisitError, Visitor, Wait
from fmnist.data import splits
from fmnist.machine import apart
from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.run import Plan, read_run
from fmnist.ui.components.canvas import EDGE

MOST = 300  # browsers
LONGEST = 1800  # seconds
CLICKS = 3  # on each page
VISITORS = 20  # at a time, of those who come and leave
PAGES = 3  # that each of them sees
RATE = 20  # broken files a second
BEHIND_BAR = "behind a bar"  # long computations, which say how long they take
ALONE = 20  # seconds over which a training's own speed is measured


@dataclass
class Log:
    """Seconds waited by what was done, and what went wrong."""

    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)

    async def note(self, name: str, waiting: Awaitable[Wait]) -> None:
        try:
            wait = await waiting
            self.waits[name].append(wait.seconds)
            if wait.behind_bar:
                self.waits[BEHIND_BAR].append(wait.behind_bar)
        except VisitError as error:
            self.errors[f"{name}: {error}"] += 1

    def print(self) -> None:
        print(f"{'':<20}{'times':>7}{'median':>9}{'95 %':>9}{'most':>9}  in milliseconds")
        apart = ("open", BEHIND_BAR)
        everything = [
            wait for name, waits in self.waits.items() if name not in apart for wait in waits
        ]
        for name, waits in [*sorted(self.waits.items()), ("all but opening", everything)]:
            if waits:
                median, high, most = 1000 * np.percentile(waits, [50, 95, 100])
                print(f"{name:<20}{len(waits):>7}{median:>9.0f}{high:>9.0f}{most:>9.0f}")
        print(f"errors {sum(self.errors.values())}")
        for message, count in self.errors.most_common(10):
            print(f"  {count} x {message[:200]}")


def drawing(chance: random.Random) -> tuple[list[dict[str, object]], str]:
    """A stroke as the canvas sends it: itself, and a PNG of it in base64."""
    points = [chance.uniform(20, EDGE - 20) for _ in range(24)]
    picture = Image.new("L", (EDGE, EDGE))
    ImageDraw.Draw(picture).line(points, fill=255, width=22)
    content = io.BytesIO()
    picture.save(content, "PNG")
    stroke = {"tool": "brush", "shade": 255, "width": 22, "points": points}
    return [stroke], base64.b64encode(content.getvalue()).decode()


async def lesson(address: str, number: int, room: argparse.Namespace, log: Log) -> None:
    """One browser from its opening to the end of the lesson."""
    chance, ends = random.Random(number), time.monotonic() + room.opening + room.seconds

    async def pause() -> None:
        await asyncio.sleep(chance.uniform(0.5, 1.5) * room.pause)

    await asyncio.sleep(chance.uniform(0, room.opening))
    async with Visitor(address, chance) as visitor:
        await log.note("open", visitor.open())
        titles = list(visitor.pages)
        for step in range(number, number + LONGEST):
            title = titles[step % len(titles)]
            await pause()
            if time.monotonic() > ends:
                return
            await log.note(f"{title}, opened", visitor.turn(title))
            for _ in range(CLICKS):
                await pause()
                if time.monotonic() > ends:
                    return
                if visitor.canvas:
                    await log.note(f"{title}, strokes", visitor.draw(*drawing(chance)))
                else:
                    await log.note(f"{title}, clicks", visitor.click())


async def strokes(address: str, room: argparse.Namespace, log: Log) -> None:
    """Everybody on Classify, drawing at the same moment."""
    visitors = [Visitor(address, random.Random(number)) for number in range(room.browsers)]
    for visitor in visitors:
        await visitor.__aenter__()
        await visitor.open()
        await visitor.turn("Classify")
    for _ in range(room.strokes):
        drawn = [drawing(visitor.random) for visitor in visitors]
        together = zip(visitors, drawn, strict=True)
        await asyncio.gather(
            *(log.note("strokes at once", visitor.draw(*what)) for visitor, what in together)
        )
        await asyncio.sleep(2)
    for visitor in visitors:
        await visitor.__aexit__(None, None, None)


async def visits(address: str, room: argparse.Namespace, log: Log) -> None:
    """Browsers that come, look around and leave, and what memory is taken after each tenth."""
    numbers = iter(range(room.visits))

    async def some() -> None:
        for number in numbers:
            if room.visits >= 10 and number and number % (room.visits // 10) == 0:
                print(f"after {number} visits {resident():.0f} MiB", flush=True)
            async with Visitor(address, random.Random(number)) as visitor:
                await log.note("open", visitor.open())
                titles = list(visitor.pages)
                for step in range(PAGES):
                    title = titles[(number * PAGES + step) % len(titles)]
                    await log.note(f"{title}, opened", visitor.turn(title))
                    if visitor.canvas:
                        drawn = drawing(visitor.random)
                        await log.note(f"{title}, strokes", visitor.draw(*drawn))
                    else:
                        await log.note(f"{title}, clicks", visitor.click())

    await asyncio.gather(*(some() for _ in range(VISITORS)))


async def broken(address: str, room: argparse.Namespace, log: Log) -> None:
    """Files that are no pictures, 20 a second, on ten visits."""
    chance, waiting = random.Random(-1), asyncio.Queue[Visitor]()
    visitors = [Visitor(address, chance) for _ in range(10)]
    for visitor in visitors:
        await visitor.__aenter__()
        await visitor.open()
        await visitor.turn("Classify", "way=Upload")
        waiting.put_nowait(visitor)

    async def one(number: int, visitor: Visitor) -> None:
        content = b"\x89PNG\r\n\x1a\n"[: chance.randrange(9)] + chance.randbytes(5000)
        await log.note("broken uploads", visitor.upload(f"{number}.png", content))
        waiting.put_nowait(visitor)

    async with asyncio.TaskGroup() as group:
        for number in range(room.broken):
            group.create_task(one(number, await waiting.get()))
            await asyncio.sleep(1 / RATE)
    for visitor in visitors:
        await visitor.__aexit__(None, None, None)


async def first(address: str) -> None:
    """Home, as whoever comes first sees it."""
    async with Visitor(address, random.Random(0)) as visitor:
        await visitor.open()


async def every_page(address: str) -> None:
    """Every page once, so that what is computed once has been."""
    async with Visitor(address, random.Random(0)) as visitor:
        await visitor.open()
        for title in list(visitor.pages):
            await visitor.turn(title)


async def measure(address: str, room: argparse.Namespace) -> Log:
    log = Log()
    if room.strokes:
        await strokes(address, room, log)
        return log
    if room.visits:
        await visits(address, room, log)
        return log
    await asyncio.gather(
        *(lesson(address, number, room, log) for number in range(room.browsers)),
        broken(address, room, log),
    )
    return log


def family() -> list[int]:
    """The processes that this one has started, and those that they have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            parents[int(path.parent.name)] = int(path.read_text().rpartition(") ")[2].split()[1])
    found = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def resident() -> float:
    """MiB that the server has in memory, its helpers included."""
    pages = [int(Path(f"/proc/{process}/statm").read_text().split()[1]) for process in family()]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def busy() -> float:
    """Seconds that the server has computed so far: a measure that no neighbour disturbs."""
    times = [Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2] for process in family()]
    ticks = sum(int(time) for fields in times for time in fields.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def training() -> Iterator[str]:
    """A cnn in training, for as long as it is asked for; its run."""
    run = queue.start(Plan("cnn", Recipe(epochs=1000), splits.default_source(), "cpu"))
    try:
        while not read_run(run.id).progress:
            time.sleep(0.5)
        yield run.id
    finally:
        queue.stop(run.id)
        list(queue.watch(run.id))


def during(address: str, room: argparse.Namespace) -> Log:
    """The lesson while a cnn trains, whose speed is measured before and meanwhile."""
    with training() as run:
        moments = [_moment(run)]
        time.sleep(ALONE)
        moments.append(_moment(run))
        log = asyncio.run(measure(address, room))
        moments.append(_moment(run))
    alone, beside = (
        (step - earlier) / (seconds - before)
        for (earlier, before), (step, seconds) in pairwise(moments)
    )
    print(f"the training takes {alone:.1f} steps a second alone, {beside:.1f} beside the browsers")
    return log


def _moment(run: str) -> tuple[int, float]:
    return read_run(run).progress[-1]["step"], time.monotonic()


@contextlib.contextmanager
def _serving(servers: int) -> Iterator[list[str]]:
    """The address to visit, and those of the servers behind it where there are some."""
    if servers:
        with studio.serve_behind_caddy(servers) as addresses:
            yield addresses
    else:
        with studio.serve("serve.py") as address:
            yield [address]


def main(room: argparse.Namespace) -> None:
    if room.address:
        asyncio.run(measure(room.address, room)).print()
        return
    folder = tempfile.mkdtemp()
    os.environ["FMNIST_RUNS"] = folder
    started = time.perf_counter()
    try:
        with _serving(room.servers) as (address, *others):
            asyncio.run(first(address))
            print(f"first page after {time.perf_counter() - started:.1f} s, {resident():.0f} MiB")
            for one in others or [address]:
                asyncio.run(every_page(one))
            time.sleep(apart.IDLE + 2)  # what computed aside has ended then
            print(f"every page opened once: {resident():.0f} MiB")
            before = busy()
            log = during(address, room) if room.training else asyncio.run(measure(address, room))
            log.print()
            if not room.training:
                each = 1000 * (busy() - before) / sum(map(len, log.waits.values()))
                print(f"{each:.0f} ms of a processor for each")
            print(f"at the end {resident():.0f} MiB")
    finally:
        shutil.rmtree(folder)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--browsers", type=int, default=30, choices=range(MOST + 1), metavar="N")
    parser.add_argument("--pause", type=float, default=10)
    parser.add_argument("--seconds", type=int, default=60, choices=range(LONGEST + 1), metavar="S")
    parser.add_argument("--opening", type=float, default=5)
    parser.add_argument("--strokes", type=int, default=0, choices=range(101), metavar="ROUNDS")
    parser.add_argument("--visits", type=int, default=0, choices=range(10_001), metavar="N")
    parser.add_argument("--broken", type=int, default=0, choices=range(10_001), metavar="FILES")
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--servers", type=int, default=0, choices=range(9), metavar="N")
    parser.add_argument("--address")
    return parser.parse_args()


if __name__ == "__main__":
    main(asked())
