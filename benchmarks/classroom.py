"""A class in a room on two servers that share its folder, one of which is started anew meanwhile.

    python -m benchmarks.classroom [--browsers 30] [--phones 2] [--seconds 120] [--pause 4]
        [--runs 6]

The browsers join by the code, half on each server. The last few are real ones with a phone's
screen (benchmarks/chromium.py), the others only speak Streamlit's protocol (benchmarks/visitor.py).
Each draws and gives sketches, guesses garments, and the first few start a named run. The wall is
open on the second server, in a browser of either kind, and the first server is ended and started
anew in the middle. Prints what clicks took, after how long each wall had each sketch, what went
wrong (the browsers of a server that ends come back), and what is missing in the folder at the end
of all that was done: names, sketches, guesses, runs. Ends with 1 where something is.
"""

import argparse
import asyncio
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from playwright.async_api import async_playwright

from benchmarks import studio
from benchmarks.chromium import PATIENCE, PROJECTOR, Chromium
from benchmarks.room import Log, drawing
from benchmarks.visitor import VisitError, Visitor, Wait
from fmnist.classroom import guesses, runs, sketches
from fmnist.classroom import room as rooms
from fmnist.classroom.room import Ticket
from fmnist.data import splits
from fmnist.data.splits import CLASSES

Browser = TypeVar("Browser", Visitor, Chromium, Visitor | Chromium)
A_VISIT = 4
"""Garments named, one after another, on the Guess page."""
LAST_LOOK = 20.0
"""Seconds for which the wall goes on after the lesson."""
A_GLANCE = 0.2
"""Seconds between two looks at the wall in a real browser."""
COMING = 2.0
"""Seconds between a browser's tries to come back to a server that is gone."""


@dataclass
class Class:
    """The two servers, and what was done on them."""

    teacher: Ticket
    addresses: list[str]
    ends: float
    log: Log = field(default_factory=Log)
    names: set[str] = field(default_factory=set)
    given: list[float] = field(default_factory=list)  # when each sketch was said to be given
    seen: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    """When each wall had how many sketches."""
    guessed: int = 0
    titles: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        return time.monotonic() > self.ends

    def look(self, wall: str, text: str) -> None:
        """Note how many sketches a wall says there are."""
        found = re.search(r"Sketches: (\d+)", text)
        self.seen[wall].append((time.monotonic(), int(found[1]) if found else 0))


@asynccontextmanager
async def came(
    class_: Class, server: int, ticket: str, make: Callable[[str, str], Browser]
) -> AsyncIterator[Browser]:
    """A browser made of an address and a ticket, as soon as the server is there."""
    while True:
        browser = make(class_.addresses[server], ticket)
        try:
            await browser.__aenter__()
            await browser.open()
            break
        except (VisitError, OSError):
            await browser.__aexit__(None, None, None)
            await asyncio.sleep(COMING)
    try:
        yield browser
    finally:
        await browser.__aexit__(None, None, None)


def simulated(address: str, ticket: str) -> Visitor:
    return Visitor(address, random.Random(), ticket=ticket)


async def pupil(
    class_: Class,
    number: int,
    asked: argparse.Namespace,
    make: Callable[[str, str], Visitor | Chromium] = simulated,
) -> None:
    """One browser from the code on the wall to the end of the lesson."""
    chance, name, ticket = random.Random(number), f"Pupil {number}", ""
    await asyncio.sleep(chance.uniform(0, 5))
    while not class_.over:
        try:
            async with came(class_, number % 2, ticket, make) as browser:
                if not ticket:
                    await browser.turn("Room")
                    browser.write("Code of the room", class_.teacher.code)
                    browser.write("Your nickname", name)
                    await timed(class_, browser, "join", browser.press("Join"))
                    class_.names.add(name)
                    if isinstance(browser, Chromium):
                        await asyncio.wait_for(browser.joined(), PATIENCE)
                    ticket = browser.ticket
                while not class_.over:
                    await lesson(class_, browser, chance, number, asked)
        except (VisitError, OSError) as error:
            class_.log.errors[str(error)] += 1
            await asyncio.sleep(COMING)


async def timed(
    class_: Class, browser: Visitor | Chromium, name: str, waiting: Awaitable[Wait]
) -> None:
    kind = "" if isinstance(browser, Visitor) else " (Chromium)"
    class_.log.waits[name + kind].append((await waiting).seconds)


async def lesson(
    class_: Class,
    browser: Visitor | Chromium,
    chance: random.Random,
    number: int,
    asked: argparse.Namespace,
) -> None:
    """A sketch, a few guesses, and once a run."""

    async def click(name: str, waiting: Awaitable[Wait]) -> None:
        await timed(class_, browser, name, waiting)
        await pause()

    async def pause() -> None:
        await asyncio.sleep(chance.uniform(0.5, 1.5) * asked.pause)
        if isinstance(browser, Visitor):
            for _, fragment in browser.clocks:
                await timed(class_, browser, "by itself", browser.tick(fragment))

    await click("Room, opened", browser.turn("Room"))
    await click("a stroke", browser.draw(*drawing(chance)))
    browser.choose("What did you draw?", chance.choice(CLASSES))
    await timed(class_, browser, "a sketch given", browser.press("Give it to the room"))
    class_.given.append(time.monotonic())
    await pause()
    await click("Guess, opened", browser.turn("Guess"))
    for _ in range(A_VISIT):
        if "Twenty more" in browser.named:
            await click("twenty more", browser.press("Twenty more"))
        await click("a guess", browser.press(chance.choice(CLASSES)))
        class_.guessed += 1
    title = f"net of {number}"
    if number < asked.runs and title not in class_.titles:
        await click("Train, opened", browser.turn("Train"))
        browser.write("Name of the run", title)
        await click("a run started", browser.press("Start training"))
        class_.titles.add(title)


async def wall(class_: Class) -> None:
    """The wall on the second server, which looks again by itself."""
    async with came(class_, 1, str(class_.teacher), simulated) as visitor:
        await visitor.turn("Wall")
        ((interval, fragment),) = visitor.clocks
        while time.monotonic() < class_.ends + LAST_LOOK:
            await class_.log.note("the wall", visitor.tick(fragment))
            class_.look("the wall", visitor.markup)
            await asyncio.sleep(interval)


async def projected(class_: Class, make: Callable[[str, str], Chromium]) -> None:
    """The wall in a real browser, which looks again by itself, too."""
    async with came(class_, 1, str(class_.teacher), make) as browser:
        await browser.turn("Wall", "?projector=true")
        while time.monotonic() < class_.ends + LAST_LOOK:
            class_.look("the wall in Chromium", await browser.said())
            await asyncio.sleep(A_GLANCE)


async def starting_anew(class_: Class, first: ExitStack, seconds: float) -> None:
    """End the first server in the middle, and start it again."""
    await asyncio.sleep(seconds / 2)
    await asyncio.to_thread(first.close)
    class_.addresses[0] = await asyncio.to_thread(first.enter_context, studio.serve("serve.py"))
    print("the first server was started anew")


async def every_page(address: str, teacher: Ticket) -> None:
    """The room's pages once, so that what is computed once has been."""
    async with Visitor(address, random.Random(0), ticket=str(teacher)) as visitor:
        await visitor.open()
        await visitor.draw(*drawing(visitor.random))
        for title in ("Room", "Train", "Wall", "Guess"):
            await visitor.turn(title)


def follows(class_: Class, wall: str) -> list[float]:
    """Seconds from each sketch's being given until a wall had it."""
    waits = []
    for count, given in enumerate(sorted(class_.given), 1):
        waits += [at - given for at, had in class_.seen[wall] if had >= count and at >= given][:1]
    return waits


def missing(class_: Class) -> Counter[str]:
    """What was done and isn't in the folder."""
    teacher, source = class_.teacher, splits.default_source()
    room = rooms.admit(teacher)
    there = {member.name for member in room.members.values()}
    said = guesses.matrix(teacher, source, splits.load("test", source), everybody=True).sum()
    titles = {run.plan.title for run in runs.seen_by(teacher) if run.plan.person in room.members}
    return Counter(
        names=len(class_.names - there),
        sketches=max(0, len(class_.given) - sketches.count(teacher)),
        guesses=max(0, class_.guessed - int(said)),
        runs=len(class_.titles - titles),
    )


async def measure(class_: Class, first: ExitStack, asked: argparse.Namespace) -> None:
    speaking = asked.browsers - asked.phones
    async with AsyncExitStack() as stack:
        lessons = [pupil(class_, number, asked) for number in range(speaking)]
        if asked.phones:
            playwright = await stack.enter_async_context(async_playwright())
            chromium = await stack.enter_async_context(
                await playwright.chromium.launch(**studio.CHROMIUM)
            )
            make = partial(Chromium, chromium)
            lessons += [
                pupil(class_, number, asked, make) for number in range(speaking, asked.browsers)
            ]
            lessons.append(projected(class_, partial(make, **PROJECTOR)))
        await asyncio.gather(*lessons, wall(class_), starting_anew(class_, first, asked.seconds))


def main(asked: argparse.Namespace) -> int:
    folder = Path(tempfile.mkdtemp())
    os.environ["FMNIST_RUNS"], os.environ["FMNIST_ROOMS"] = str(folder / "runs"), str(folder / "r")
    (folder / "runs").mkdir()
    try:
        with ExitStack() as first, studio.serve("serve.py") as second:
            address = first.enter_context(studio.serve("serve.py"))
            teacher = rooms.open_room("A class", "this machine")
            for each in (address, second):
                asyncio.run(every_page(each, teacher))
            class_ = Class(teacher, [address, second], time.monotonic() + asked.seconds)
            asyncio.run(measure(class_, first, asked))
            for run in runs.seen_by(teacher):
                if run.active:
                    (run.folder / "stop").touch()
        class_.log.print()
        for wall in class_.seen:
            waits = follows(class_, wall)
            print(
                f"{wall} had {len(waits)} of {len(class_.given)} sketches after "
                f"{np.median(waits):.1f} s in the median, {max(waits, default=0):.1f} at the most"
            )
        lost = missing(class_)
        print("missing: " + ", ".join(f"{count} {what}" for what, count in lost.items()))
        return int(any(lost.values()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--browsers", type=int, default=30)
    parser.add_argument("--phones", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--pause", type=float, default=4)
    parser.add_argument("--runs", type=int, default=6)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(parsed()))
