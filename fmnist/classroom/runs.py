"""The runs of a room: each has a name and an owner, who alone steers it, but for the teacher.

Runs that belong to no room, or to one that is closed, are everybody's, as all are where there is no
room. The command line, on the machine itself, steers any.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket, admit, is_open, read_room
from fmnist.machine.names import no_formula
from fmnist.runs import queue, results
from fmnist.runs.run import Plan, Run, all_runs, read_run, runs_of
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.words import Words, said

LONGEST_TITLE = 40

Result = TypeVar("Result")


def start(plan: Plan, title: str, ticket: Ticket | None) -> Run:
    """Start a run under a name, in a room as somebody's own.

    Outside of a room a name isn't needed. Raises RoomError where the name is missing or too long,
    and what `queue.start` does.
    """
    title = no_formula(title)
    if len(title) > LONGEST_TITLE:
        raise RoomError("A run's name has up to {longest} characters.", longest=LONGEST_TITLE)
    if ticket is None:
        return queue.start(replace(plan, title=title or None))
    admit(ticket)
    if not title:
        raise RoomError("Give your run a name, such as: my first net.")
    return queue.start(replace(plan, title=title, classroom=ticket.code, person=ticket.person))


def steer(action: Callable[[str], Result], run_id: str, ticket: Ticket | None) -> Result:
    """What stops, resumes, deletes or keeps a run, if that is allowed; raises RoomError if not."""
    run = read_run(run_id)
    if not may_steer(run, ticket):
        raise RoomError("Only {owner} or the teacher can do that.", owner=owner_name(run))
    return action(run_id)


def may_steer(run: Run, ticket: Ticket | None) -> bool:
    """Whether a run is somebody's own, or of the room in which one teaches, or everybody's."""
    if is_everybodys(run):
        return True
    if ticket is None or ticket.code != run.plan.classroom:
        return False
    try:
        admit(ticket)
    except RoomError:
        return False
    return ticket.teaches or ticket.person == run.plan.person


def keep(run_id: str, name: str, ticket: Ticket | None) -> Card:
    """Keep a run's result among the weights, its test figures sealed as long as they are."""
    return steer(lambda run_id: results.keep([run_id], name), run_id, ticket)


def seen_by(ticket: Ticket | None) -> list[Run]:
    """The runs of somebody's room, or outside of one those that are everybody's; newest first."""
    return runs_of((lambda code: code == ticket.code) if ticket else _is_no_room)


def is_everybodys(run: Run) -> bool:
    """Whether a run belongs to no room, or to one that is closed."""
    return _is_no_room(run.plan.classroom)


def _is_no_room(code: str | None) -> bool:
    return code is None or not is_open(code)


def owner_name(run: Run) -> str:
    """Who started a run in a room, as it is called there, or words; nothing for one of no room."""
    if run.plan.classroom is None:
        return ""
    try:
        return read_room(run.plan.classroom).name(run.plan.person or "")
    except RoomError:
        return Words("Somebody of a room that is closed")


def labels(runs: Sequence[Run]) -> dict[str, str]:
    """What people call each run: its name and owner, and the id where others have the same."""
    named = {run.id: " · ".join(filter(None, [run.label, said(owner_name(run))])) for run in runs}
    often = Counter(named.values())
    return {
        run_id: f"{label} · {run_id}" if often[label] > 1 else label
        for run_id, label in named.items()
    }


def is_sealed(code: str | None) -> bool:
    """Whether a room's test accuracies are to be seen by nobody yet."""
    if code is None or not is_open(code):
        return False
    try:
        return not read_room(code).revealed
    except RoomError:  # damaged
        return True


def seal(card: Card) -> Card:
    """The card as everybody may see it: until its room reveals them without its test figures."""
    return card.without_test() if is_sealed(card.classroom) else card


def room_of(sha256: str) -> str | None:
    """The room in which a file of weights was made, by a run or of its models; None for any other.

    Somebody may take a model home and bring it back: the same file is still sealed.
    """
    made = chain((run.card for run in all_runs() if run.card), shelf.cards())
    return next((card.classroom for card in made if card.sha256 == sha256), None)
