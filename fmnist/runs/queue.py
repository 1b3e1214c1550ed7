"""Starting, stopping and resuming runs: here one at a time on each device, or on a cluster."""

import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from fmnist.data import splits
from fmnist.machine import devices
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_new, write_whole
from fmnist.machine.locks import held, lock, open_lock
from fmnist.models.recipe import Recipe
from fmnist.runs import launchers
from fmnist.runs.launchers import local
from fmnist.runs.launchers.job import Job
from fmnist.runs.run import (
    IN_WORDS,
    Plan,
    Run,
    RunError,
    all_runs,
    queued_runs,
    read_run,
    read_turns,
    runs_folder,
    runs_of,
)
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.words import Words, kept

POLL_SECONDS = 0.25
DEFAULT_MAX_GB = 5.0
SHARE = 0.1
"""Of the disk that runs may take, what those of one person in a classroom may."""
MOST_WAITING = 10
"""Runs of one person in a classroom that may be before their end."""
PEOPLE = 1000
"""Of so many people it is remembered when they last had a turn."""
WAITING_THERE = 20
"""Runs that wait at a cluster; the others wait here, where nobody's second comes before another's
first."""


def start(plan: Plan) -> Run:
    """Make a run and start it, or leave it queued while it can't be.

    Raises RunError when the runs take more of the disk than FMNIST_RUNS_MAX_GB allows or their
    folder can't be written, WeightsError when the result couldn't be kept under its name or there
    is no such teacher or beginning, and UserFacingError when there is no such device or launcher.
    """
    run_id = _make(plan, queued=True)
    dispatch()
    return read_run(run_id)


@contextmanager
def occupied(plan: Plan) -> Iterator[str]:
    """Make a run that this process carries out itself; its id, as soon as its device is free.

    Raises what `start` does.
    """
    run = read_run(_make(plan, queued=False))
    with held(run.folder / "lock"), held(_device_lock(run)):
        yield run.id


def stop(run_id: str) -> None:
    """Ask a run to stop at its next progress line; one that waits leaves the queue at once.

    Raises RunError where there is no such run, or none to stop.
    """
    run = read_run(run_id)
    if not run.active:
        raise RunError(
            "Run {run} is {state}; there is nothing to stop.", run=run_id, state=IN_WORDS[run.state]
        )
    (run.folder / "stop").touch()
    (run.folder / "queued").unlink(missing_ok=True)


def resume(run_id: str) -> None:
    """Queue a stopped, interrupted or failed run again; it goes on from its checkpoint.

    Raises RunError where there is no such run, none that ended early, or where too many of the
    same person's wait already.
    """
    run = read_run(run_id)
    if run.state not in ("stopped", "interrupted", "failed"):
        raise RunError(
            "Run {run} is {state}; only a run that ended early can resume.",
            run=run_id,
            state=IN_WORDS[run.state],
        )
    room = run.plan.classroom
    _check_waiting(run.plan, runs_of(lambda code: code == room) if room else ())
    waits = run.job and run.job.id and launchers.standing(run.job) == "waiting"
    if not waits:  # else that job is the one to go on
        (run.folder / "job.json").unlink(missing_ok=True)
    # Queued first: who reads the run in between sees it waiting, or still as it ended.
    _queue(run.folder)
    for name in ("failure.txt", "stop", "ended.json"):
        (run.folder / name).unlink(missing_ok=True)
    dispatch()


def delete(run_id: str) -> None:
    """Remove a run with all its files; raises RunError where there is none or it is active."""
    run = read_run(run_id)
    if run.active:
        raise RunError(
            "Run {run} is {state}; stop it before you delete it.",
            run=run_id,
            state=IN_WORDS[run.state],
        )
    # A run vanishes whole, as it appears: its directory is emptied under another name.
    run.folder.rename(run.folder.with_name(f".gone-{run_id}"))
    for gone in runs_folder().glob(".gone-*"):  # and what was left when that was broken off
        shutil.rmtree(gone, ignore_errors=True)


def watch(run_id: str) -> Iterator[Run]:
    """The run again and again while it is active, and once more when it has ended.

    Raises RunError where there is no such run, or it is deleted meanwhile.
    """
    while (run := read_run(run_id)).active:
        dispatch()
        yield run
        time.sleep(POLL_SECONDS)
    yield run


def dispatch() -> Words | None:
    """Start the runs whose turn it is; what stands against that, if anything does.

    Here that is one on every device that is free. A cluster is given as many as may wait there.
    Whoever looks at the runs calls this, and each run as it ends, so the queue needs no server.
    """
    try:
        elsewhere = launchers.on_cluster()
        if not os.access(runs_folder(), os.W_OK):
            return _unwritable() if elsewhere else None  # nothing can be queued there either
        with held(runs_folder() / "dispatch.lock", needed=not elsewhere):
            if elsewhere:
                _start_on_cluster()
            else:
                _start_here()
    except UserFacingError as error:
        return error.words
    except OSError as error:
        return _not_written(error)
    return None


def _start_here() -> None:
    busy = set[Path]()
    for run in queued_runs():
        device = _device_lock(run)
        if device in busy or (run.job and _is_there(run, run.job)):
            continue
        with ExitStack() as opened:
            device_lock = open_lock(device)
            opened.callback(os.close, device_lock)
            run_lock = open_lock(run.folder / "lock")
            opened.callback(os.close, run_lock)
            try:
                lock(device_lock, device, wait=False)
            except BlockingIOError:  # another run has the device
                busy.add(device)
                continue
            lock(run_lock, run.folder / "lock")  # who reads the run has it for a moment
            _launch(run, run_lock, device_lock)
            _note_turn(run.plan.owner)


def _start_on_cluster() -> None:
    """Hand runs over in the order of their turns; raises UserFacingError in a cluster's trouble."""
    waiting = queued_runs()
    here = [run for run in waiting if not (run.job and _is_there(run, run.job))]
    for run in here[: max(0, WAITING_THERE - (len(waiting) - len(here)))]:
        # First of all a mark: where the folder is full, nothing is handed over again and again, and
        # where it locks nothing, by one of those who would.
        try:
            write_new(run.folder / "job.json", _as_json(launchers.to_be()))
        except FileExistsError:
            continue
        try:
            job = launchers.submit(run.id, run.folder, run.plan.device)
        except UserFacingError:
            (run.folder / "job.json").unlink(missing_ok=True)
            raise
        write_whole(run.folder / "job.json", _as_json(job))
        _note_turn(run.plan.owner)


def _is_there(run: Run, job: Job) -> bool:
    """Whether a queued run need not be handed over: it was, or has ended before it began."""
    standing = launchers.standing(job)
    if standing == "late":
        (run.folder / "job.json").unlink(missing_ok=True)
        return False
    if standing == "gone":  # it is interrupted, which its owner should see
        (run.folder / "queued").unlink(missing_ok=True)
    return True


def _as_json(job: Job) -> bytes:
    return json.dumps(job._asdict()).encode()


def _launch(run: Run, run_lock: int, device_lock: int) -> None:
    local.launch(run.id, run.folder, (run_lock, device_lock))


def _note_turn(owner: str) -> None:
    """Remember that a person has just had a turn, and of whom that is the longest ago forget it."""
    known = read_turns()
    turns = known | {owner: max(known.values(), default=0) + 1}
    latest = sorted(turns, key=turns.__getitem__)[-PEOPLE:]
    with suppress(OSError):  # the run has begun all the same
        content = json.dumps({owner: turns[owner] for owner in latest})
        write_whole(runs_folder() / "turns.json", content.encode())


def _device_lock(run: Run) -> Path:
    """Held by the one run that trains on the device."""
    return runs_folder() / f"device-{run.plan.device}.lock"


def _unwritable() -> Words:
    return Words(
        "The folder that the cluster shares, {folder}, is not there or can't be written. Mount it, "
        "or name another in FMNIST_RUNS.",
        folder=runs_folder(),
    )


def _not_written(error: OSError) -> Words:
    return Words("The folder of the runs can't be written: {reason}.", reason=error.strerror)


def _make(plan: Plan, queued: bool) -> str:
    """The id of a new run with all that it needs to begin."""
    if queued and launchers.on_cluster() and not os.access(runs_folder(), os.W_OK):
        raise RunError(_unwritable())
    device = launchers.device(plan.device) if queued else devices.choose(plan.device).type
    plan = replace(plan, device=device)
    notices = []
    teacher = plan.recipe.teacher
    if teacher and not shelf.load(teacher).card.may_know(plan.data):
        # So that the recipe of a shipped model trains on drawn garments too.
        notices.append(
            Words(
                "{model} knows no {data} garments: the labels are learned.",
                model=teacher,
                data=splits.IN_WORDS[plan.data],
            )
        )
        plan = replace(plan, recipe=replace(plan.recipe, teacher=None))
    beginning = plan.recipe.start
    if beginning and not shelf.load(beginning).card.may_know(plan.data):
        notices.append(
            Words(
                "{model} knows no {data} garments: nothing is begun with.",
                model=beginning,
                data=splits.IN_WORDS[plan.data],
            )
        )
        plan = replace(plan, recipe=replace(plan.recipe, start=None))
    if plan.repeats:
        _check_repetition(plan, plan.repeats)
    _check_quota(plan)
    if plan.name is not None:
        shelf.check_free(plan.name)
    run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{plan.model}-{secrets.token_hex(3)}"
    # A run appears whole: its directory is filled under another name first.
    made = runs_folder() / f".new-{run_id}"
    try:
        (made / "predictions").mkdir(parents=True)
        (made / "lock").touch()
        write_whole(made / "plan.json", json.dumps(plan.to_json(), indent=1).encode())
        if notices:
            write_whole(made / "notice.txt", "\n".join(map(kept, notices)).encode())
        if queued:
            _queue(made)
        made.rename(runs_folder() / run_id)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise RunError(_not_written(error)) from None
    return run_id


def _check_repetition(plan: Plan, card: Card) -> None:
    """Raise RunError where more than the seed of a plan differs from what validation chose."""
    if card.repeats:
        raise RunError(
            "{name} repeats {chosen} itself. Name that one.", name=card.label, chosen=card.repeats
        )
    seed = {"seed": plan.recipe.seed}
    alike = card.recipe is not None and Recipe.from_json(card.recipe | seed) == plan.recipe
    on_the_same = (card.architecture, card.data, card.limit) == (plan.model, plan.data, plan.limit)
    if card.best_epoch is None or not (alike and on_the_same):
        raise RunError(
            "{name} was trained in another way. What repeats it needs its model, data and recipe; "
            "only the seed may differ.",
            name=card.label,
        )


def _check_quota(plan: Plan) -> None:
    allowed = _most_gb()
    runs = [(run, run.bytes() / 1e9) for run in all_runs()]
    taken = sum(size for _, size in runs)
    if taken >= allowed:
        raise RunError(
            "The runs take {taken:.1f} GB of the {allowed:g} GB that FMNIST_RUNS_MAX_GB allows. "
            "Delete some that you no longer need.",
            taken=taken,
            allowed=allowed,
        )
    if plan.classroom is None:
        return
    own = [(run, size) for run, size in runs if run.plan.owner == plan.owner]
    taken, allowed = sum(size for _, size in own), SHARE * allowed
    if taken >= allowed:
        raise RunError(
            "Your runs take {taken:.0f} MB, and one person's may take {allowed:.0f} MB. Delete "
            "some that you no longer need.",
            taken=1000 * taken,
            allowed=1000 * allowed,
        )
    _check_waiting(plan, (run for run, _ in own))


def _most_gb() -> float:
    text = os.environ.get("FMNIST_RUNS_MAX_GB") or str(DEFAULT_MAX_GB)
    try:
        allowed = float(text)
    except ValueError:
        allowed = math.nan
    if not allowed > 0:
        raise RunError("FMNIST_RUNS_MAX_GB is {text!r}; give a number of gigabytes.", text=text)
    return allowed


def _check_waiting(plan: Plan, runs: Iterable[Run]) -> None:
    """Raise RunError where as many of the person's runs wait as may; of no room any may."""
    active = sum(run.active and run.plan.owner == plan.owner for run in runs)
    if plan.classroom is not None and active >= MOST_WAITING:
        raise RunError(
            "{most} of your runs train or wait. Let one end, or stop one, before you start "
            "another.",
            most=MOST_WAITING,
        )


def _queue(folder: Path) -> None:
    """Put a run behind all that wait, whatever the clocks of the machines that queued them say."""
    latest = 0
    for path in runs_folder().glob("[!.]*/queued"):
        with suppress(FileNotFoundError, ValueError):  # its turn has come meanwhile
            latest = max(latest, int(path.read_text()))
    write_whole(folder / "queued", f"{max(time.time_ns(), latest + 1):020d}".encode())
