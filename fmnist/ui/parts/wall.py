"""The wall of a room: the way in, and the question, runs, sketches and people as they are."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from fmnist.classroom import contest, runs, sketches
from fmnist.classroom import room as rooms
from fmnist.classroom.room import Room, Ticket
from fmnist.classroom.sketches import Sketch
from fmnist.data.splits import CLASSES
from fmnist.machine import templates
from fmnist.pictures.encode import data_url
from fmnist.runs import queue
from fmnist.runs.run import Run
from fmnist.ui.parts.room import SCAN, address, as_now, asked, qr_code, way_in
from fmnist.words import Words, _, number, said

FOLLOWED = 1.0
"""Seconds after which it looks again."""
MOST_RUNS, MOST_SKETCHES = 12, 15
WORDS = {
    "queued": Words("waits"),
    "running": Words("learns"),
    "stopping": Words("stops"),
    "stopped": Words("stopped"),
    "interrupted": Words("interrupted"),
    "failed": Words("failed"),
    "finished": Words("done"),
}
_WALL = templates.template(Path(__file__).with_name("wall.html.j2"))


def wall(ticket: Ticket, room: Room) -> None:
    """The way in, which stays, beside all that changes."""
    way, life = st.columns([1, 4], gap="large")
    with way:
        if served := address():
            st.image(qr_code(f"{served}{way_in(room)}"), width="stretch", alt=said(SCAN))
            st.markdown(f"`{served}`")
        else:
            st.markdown(_("Phones reach this app once it is started with `make room`."))
        with st.container(key="room-code"):
            st.markdown(f"## {room.code}")
    with life:
        st.fragment(_life, run_every=FOLLOWED)(ticket)


def _life(ticket: Ticket) -> None:
    """Everything that changes; only what has changed is read."""
    room = as_now(ticket)
    queue.dispatch()
    st.html(markup(ticket, room))


def markup(ticket: Ticket, room: Room) -> str:
    """What the wall shows at this moment, as HTML in which every name is escaped."""
    learned = sorted(runs.seen_by(ticket), key=lambda run: -(run.best or 0))
    here = rooms.here(room.code)
    latest = sketches.of_room(ticket, MOST_SKETCHES)
    handed = contest.entries(ticket)
    return _WALL.render(
        _=_,
        number=number,
        room=room,
        question=asked(room),
        runs=[_run(run, room) for run in learned[:MOST_RUNS]],
        runs_in_all=len(learned),
        sketches=[_sketch(sketch, room) for sketch in latest],
        sketches_in_all=sketches.count(ticket),
        people=[(member.name, person in here) for person, member in room.members.items()],
        entries=[(said(room.name(entry.person)), entry) for entry in handed],
    )


def _run(run: Run, room: Room) -> dict[str, Any]:
    last: dict[str, Any] = run.progress[-1] if run.progress else {"epoch": 0, "step": 0, "steps": 1}
    return {
        "label": run.label,
        "owner": said(room.name(run.plan.person or "")),
        "model": run.plan.model,
        "state": said(WORDS[run.state]),
        "epoch": f"{last['epoch']}/{run.plan.recipe.epochs}",
        "share": last["step"] / last["steps"],
        "best": run.best,
    }


def _sketch(sketch: Sketch, room: Room) -> dict[str, Any]:
    return {
        "picture": _picture(sketch.pixels.tobytes()),
        "drawn": said(CLASSES[sketch.drawn]),
        "answer": said(CLASSES[sketch.answer]),
        "right": sketch.drawn == sketch.answer,
        "name": said(room.name(sketch.person)),
    }


@lru_cache(maxsize=512)
def _picture(pixels: bytes) -> str:
    """A sketch as the browser shows it, made once."""
    return data_url(sketches.unpacked(pixels))
