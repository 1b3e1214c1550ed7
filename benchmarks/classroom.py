"""A class in a room on two servers that share its folder, one of which is started anew meanwhile.

    python -m benchmarks.classroom [--browsers 30] [--seconds 120] [--pause 4] [--runs 6]

The browsers (benchmarks/visitor.py) join by the code, half on each server; then each draws and
gives sketches, guesses garments, and the first few start a named run. The wall is open on the
second server, and the first one is ended and started anew in the middle. Prints what clicks took,
after how long the wall had each sketch, what went wrong (the browsers of a server that ends come
back), and what is missing in the folder at the end of all that was done: names, sketches, guesses,
runs. Ends with 1 where something is.
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
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import studio
from benchmarks.room import Log, drawing
from benchmarks.visitor import VisitError, Visitor, Wait
from fmnist.classroom import guesses, runs, sketches
from fmnist.classroom import room as rooms
from fmnist.classroom.room import Ticket
from fmnist.data import splits
from fmnist.data.splits import CLASSES

A_VISIT = 4
"""Garments named, one after another, on the Guess page."""
LAST_LOOK = 20.0
"""Seconds for which the wall goes on after the lesson."""
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
    seen: list[tuple[float, int]] = field(default_factory=list)  # when the wall had how many
    guessed: int = 0
    titles: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        return time.monotonic() > self.ends


@asynccontextmanager
async def came(
    class_: Class, server: int, chance: random.Random, ticket: str
) -> AsyncIterator[Visitor]:
    """A browser with a ticket on a server, as soon as that is there."""
    while True:
        visitor = Visitor(class_.addresses[server], chance, ticket=ticket)
        try:
            await visitor.__aenter__()
            await visitor.open()
            break
        except (VisitError, OSError):
            await asyncio.sleep(COMING)
    try:
        yield visitor
    finally:
        await visitor.__aexit__(None, None, None)


async def pupil(class_: Class, number: int, asked: argparse.Namespace) -> None:
    """One browser from the code on the wall to the end of the lesson."""
    chance, name, ticket = random.Random(number), f"Pupil {number}", ""
    await asyncio.sleep(chance.uniform(0, 5))
    while not class_.over:
        try:
            async with came(class_, number % 2, chance, ticket) as visitor:
                if not ticket:
                    await visitor.turn("Room")
                    visitor.write("Code of the room", class_.teacher.code)
                    visitor.write("Your nickname", name)
                    joined = await visitor.press("Join")
                    class_.log.waits["join"].append(joined.seconds)
                    ticket = visitor.ticket
                    class_.names.add(name)
                while not class_.over:
                    await lesson(class_, visitor, chance, number, asked)
        except (VisitError, OSError) as error:
            class_.log.errors[str(error)] += 1
            await asyncio.sleep(COMING)


async def lesson(
    class_: Class, visitor: Visitor, chance: random.Random, number: int, asked: argparse.Namespace
) -> None:
    """A sketch, a few guesses, and once a run."""

    async def timed(name: str, waiting: Awaitable[Wait]) -> None:
        class_.log.waits[name].append((await waiting).seconds)
        await asyncio.sleep(chance.uniform(0.5, 1.5) * asked.pause)
        for _, fragment in visitor.clocks:
            class_.log.waits["by itself"].append((await visitor.tick(fragment)).seconds)

    await timed("Room, opened", visitor.turn("Room"))
    await timed("a stroke", visitor.draw(*drawing(chance)))
    visitor.choose("What did you draw?", chance.choice(CLASSES))
    await timed("a sketch given", visitor.press("Give it to the room"))
    class_.given.append(time.monotonic())
    await timed("Guess, opened", visitor.turn("Guess"))
    for _ in range(A_VISIT):
        if "Twenty more" in visitor.named:
            await timed("twenty more", visitor.press("Twenty more"))
        await timed("a guess", visitor.press(chance.choice(CLASSES)))
        class_.guessed += 1
    title = f"net of {number}"
    if number < asked.runs and title not in class_.titles:
        await timed("Train, opened", visitor.turn("Train"))
        visitor.write("Name of the run", title)
        await timed("a run started", visitor.press("Start training"))
        class_.titles.add(title)


async def wall(class_: Class) -> None:
    """The wall on the second server, which looks again by itself."""
    async with came(class_, 1, random.Random(-1), str(class_.teacher)) as visitor:
        await visitor.turn("Wall")
        ((interval, fragment),) = visitor.clocks
        while time.monotonic() < class_.ends + LAST_LOOK:
            await class_.log.note("the wall", visitor.tick(fragment))
            found = re.search(r"Sketches: (\d+)", visitor.markup)
            class_.seen.append((time.monotonic(), int(found[1]) if found else 0))
            await asyncio.sleep(interval)


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


def follows(class_: Class) -> list[float]:
    """Seconds from each sketch's being given until the wall had it."""
    waits = []
    for count, given in enumerate(sorted(class_.given), 1):
        waits += [at - given for at, had in class_.seen if had >= count and at >= given][:1]
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
    await asyncio.gather(
        *(pupil(class_, number, asked) for number in range(asked.browsers)),
        wall(class_),
        starting_anew(class_, first, asked.seconds),
    )


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
        waits = follows(class_)
        print(
            f"{len(waits)} of {len(class_.given)} sketches were on the wall after "
            f"{np.median(waits):.1f} s in the median, {max(waits, default=0):.1f} s at the most"
        )
        lost = missing(class_)
        print("missing: " + ", ".join(f"{count} {what}" for what, count in lost.items()))
        return int(any(lost.values()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--browsers", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--pause", type=float, default=4)
    parser.add_argument("--runs", type=int, default=6)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(parsed()))
