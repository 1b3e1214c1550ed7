"""A training run is a directory and a process of its own; this module reads and steers it.

    FMNIST_RUNS/ID/plan.json        what was asked for
                   queued           present while the run waits for its device
                   lock             held by the run's process for as long as it lives
                   stop             present once somebody asked it to stop
                   progress.jsonl   one line a report, appended as it happens
                   checkpoint.pt    everything needed to go on, replaced whole
                   predictions/     what it said of the validation images, a file an epoch
                   failure.txt      why it failed, in a sentence
                   notice.txt       what the user should know of how it goes on
                   log.txt          what the process printed
                   ID.safetensors   the result, with its card ID.json

The state is derived from these files and the lock, which the kernel releases when the process
ends, however it ends; so no state can be stale.
"""

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

from fmnist import PROJECT, devices, weights
from fmnist.data import SOURCES, Source
from fmnist.files import write_whole
from fmnist.models import MODELS
from fmnist.training import Recipe

State = Literal["queued", "running", "stopping", "stopped", "interrupted", "failed", "finished"]
ACTIVE: tuple[State, ...] = ("queued", "running", "stopping")
POLL_SECONDS = 0.25
DEFAULT_MAX_GB = 5.0

_children: list[subprocess.Popen[bytes]] = []
"""Processes started from here, kept only so that ended ones are collected by the system."""


class RunError(Exception):
    """A run can't do what was asked; the message says why in a sentence."""


@dataclass(frozen=True)
class Plan:
    """What a run is asked to do; raises ValueError when it can't be done."""

    model: str
    recipe: Recipe
    data: Source
    device: str = "auto"  # becomes cpu or cuda when the run is made
    limit: int | None = None  # train on this many images only
    name: str | None = None  # keep the result among the weights under this name
    origin: str = "the command line"  # where the recipe came from, in words

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"There is no model {self.model!r}: choose from {', '.join(MODELS)}.")
        if self.data not in SOURCES:
            raise ValueError(f"There is no data {self.data!r}: choose real or drawn.")
        if self.limit is not None and self.limit < 1:
            raise ValueError("The limit must be at least one image.")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Plan":
        return cls(**{**values, "recipe": Recipe.from_json(values["recipe"])})


@dataclass(frozen=True)
class Run:
    """One run as its directory shows it at this moment."""

    id: str
    folder: Path
    plan: Plan

    @property
    def state(self) -> State:
        if _is_held(self.folder / "lock"):
            return "stopping" if self._has("stop") else "running"
        if self._has(f"{self.id}.json"):
            return "finished"
        if self._has("failure.txt"):
            return "failed"
        if self._has("stop"):
            return "stopped"
        return "queued" if self._has("queued") else "interrupted"

    @property
    def failure(self) -> str | None:
        """Why the run failed, in a sentence."""
        return self._text("failure.txt")

    @property
    def notice(self) -> str | None:
        """What happened on the way that the user should know, such as a failing GPU."""
        return self._text("notice.txt")

    @property
    def card(self) -> weights.Card | None:
        """The card of the result, once the run is finished."""
        path = self.folder / f"{self.id}.json"
        return weights.Card.from_json(path.read_text()) if path.exists() else None

    def progress(self) -> list[dict[str, Any]]:
        """The reports in order: epoch, epochs, step, steps, loss, lr, images_per_second,
        eta_seconds, and at the end of an epoch validation_loss and validation_accuracy.

        A resumed run reports again what it had not saved; the later report counts.
        """
        reports: list[dict[str, Any]] = []
        path = self.folder / "progress.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                report = json.loads(line)
            except ValueError:  # cut short by a crash
                continue
            while reports and reports[-1]["step"] >= report["step"]:
                reports.pop()
            reports.append({**report, "epochs": self.plan.recipe.epochs})
        return reports

    def predictions(self) -> NDArray[np.uint8]:
        """What the model said of each validation image after each epoch, uint8 (epochs, N)."""
        files = sorted((self.folder / "predictions").glob("*.npy"))
        return np.stack([np.load(file) for file in files]) if files else np.zeros((0, 0), np.uint8)

    def bytes(self) -> int:
        """What the run takes on the disk."""
        sizes = 0
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):  # replaced or deleted meanwhile
                sizes += path.stat().st_size
        return sizes

    def log(self) -> str:
        """What its process printed."""
        return self._text("log.txt") or ""

    def summary(self) -> dict[str, Any]:
        """The run in one row, as `runs --json` prints it."""
        reports = self.progress()
        validated = [r["validation_accuracy"] for r in reports if "validation_accuracy" in r]
        return {
            "id": self.id,
            "state": self.state,
            "model": self.plan.model,
            "data": self.plan.data,
            "device": self.plan.device,
            "epoch": reports[-1]["epoch"] if reports else 0,
            "epochs": self.plan.recipe.epochs,
            "validation_accuracy": max(validated, default=None),
            "test_accuracy": self.card.test.accuracy if self.card and self.card.test else None,
            "eta_seconds": reports[-1]["eta_seconds"] if reports else None,
            "bytes": self.bytes(),
            "failure": self.failure,
        }

    def _has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def _text(self, name: str) -> str | None:
        return (self.folder / name).read_text() if self._has(name) else None


def folder() -> Path:
    """Where the runs are: FMNIST_RUNS, else runs/ in the project."""
    return Path(os.environ.get("FMNIST_RUNS") or PROJECT / "runs")


def start(plan: Plan) -> Run:
    """Make a run and start it, or leave it queued while another one trains on its device.

    Raises RunError when the runs take more of the disk than FMNIST_RUNS_MAX_GB allows, and
    WeightsError when the result couldn't be kept under its name or there is no such teacher.
    """
    run_id = _make(plan, queued=True)
    dispatch()
    return get(run_id)


@contextmanager
def occupied(plan: Plan) -> Iterator[Run]:
    """A run that this process carries out itself, as soon as its device is free."""
    run = get(_make(plan, queued=False))
    with _held(run.folder / "lock"), _held(folder() / f"device-{run.plan.device}.lock"):
        yield run


def _make(plan: Plan, queued: bool) -> str:
    plan = replace(plan, device=devices.choose(plan.device).type)
    notice = None
    teacher = plan.recipe.teacher
    if teacher and not weights.load(teacher)[1].may_know(plan.data):
        # So that the recipe of a shipped model trains on drawn garments too.
        notice = f"{teacher} knows no {plan.data} garments: the labels are learned."
        plan = replace(plan, recipe=replace(plan.recipe, teacher=None))
    _check_quota()
    if plan.name is not None:
        weights.check_free(plan.name)
    run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{plan.model}-{secrets.token_hex(3)}"
    # A run appears whole: its directory is filled under another name first.
    made = folder() / f".new-{run_id}"
    try:
        (made / "predictions").mkdir(parents=True)
        (made / "lock").touch()
        write_whole(made / "plan.json", json.dumps(asdict(plan), indent=1).encode())
        if notice:
            write_whole(made / "notice.txt", notice.encode())
        if queued:
            _queue(made)
        made.rename(folder() / run_id)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise RunError(f"The folder of the runs can't be written: {error.strerror}.") from None
    return run_id


def _check_quota() -> None:
    allowed = float(os.environ.get("FMNIST_RUNS_MAX_GB") or DEFAULT_MAX_GB)
    taken = sum(run.bytes() for run in all_runs()) / 1e9
    if taken >= allowed:
        raise RunError(
            f"The runs take {taken:.1f} GB of the {allowed:g} GB that FMNIST_RUNS_MAX_GB allows. "
            "Delete some that you no longer need."
        )


def get(run_id: str) -> Run:
    """The run of that id; raises RunError where there is none."""
    path = folder() / run_id
    try:
        if run_id.startswith(".") or path.parent != folder():
            raise FileNotFoundError
        plan = Plan.from_json(json.loads((path / "plan.json").read_text()))
    except OSError:
        raise RunError(f"There is no run {run_id!r}.") from None
    except (ValueError, TypeError, KeyError):
        raise RunError(f"The plan of run {run_id!r} is damaged.") from None
    return Run(run_id, path, plan)


def all_runs() -> list[Run]:
    """Every run, newest first."""
    found: list[Run] = []
    for path in folder().glob("[!.]*/plan.json"):
        with suppress(RunError):  # deleted meanwhile, or by hand and only in part
            found.append(get(path.parent.name))
    return sorted(found, key=lambda run: run.id, reverse=True)


def stop(run_id: str) -> None:
    """Ask a run to stop at its next report; one that waits in the queue leaves it at once."""
    run = get(run_id)
    if run.state not in ACTIVE:
        raise RunError(f"Run {run_id} is {run.state}; there is nothing to stop.")
    (run.folder / "stop").touch()
    (run.folder / "queued").unlink(missing_ok=True)


def resume(run_id: str) -> None:
    """Queue a stopped, interrupted or failed run again; it goes on from its checkpoint."""
    run = get(run_id)
    if run.state not in ("stopped", "interrupted", "failed"):
        raise RunError(f"Run {run_id} is {run.state}; only a run that ended early can resume.")
    _queue(run.folder)
    (run.folder / "failure.txt").unlink(missing_ok=True)
    (run.folder / "stop").unlink(missing_ok=True)
    dispatch()


def delete(run_id: str) -> None:
    """Remove a run that isn't active, with all its files."""
    run = get(run_id)
    if run.state in ACTIVE:
        raise RunError(f"Run {run_id} is {run.state}; stop it before you delete it.")
    shutil.rmtree(run.folder)


def keep(run_ids: Sequence[str], name: str) -> weights.Card:
    """Save a finished run's result among the weights under a new name; every page then shows it.

    Of several runs that differ in their seed only, it is the best on validation, and its card has
    the figures of all. Raises RunError where they differ in more or share a seed, and WeightsError
    where the name is taken.
    """
    chosen = [get(run_id) for run_id in run_ids]
    first = chosen[0].plan
    for run in chosen:
        recipe = replace(run.plan.recipe, seed=first.recipe.seed)
        if replace(run.plan, recipe=recipe, name=first.name, origin=first.origin) != first:
            raise RunError(f"{run.id} and {chosen[0].id} differ in more than their seed.")
    if len({run.plan.recipe.seed for run in chosen}) < len(chosen):
        raise RunError("Each of the runs needs a seed of its own.")
    results = [_result(run) for run in chosen]
    seeds = [
        _seed(run.plan.recipe.seed, card) for run, (_, card) in zip(chosen, results, strict=True)
    ]
    model, card = results[max(range(len(seeds)), key=lambda place: seeds[place].validation)]
    return weights.keep(model, replace(card, seeds=seeds), name)


def _result(run: Run) -> tuple[nn.Module, weights.Card]:
    if run.card is None:
        raise RunError(f"Run {run.id} is {run.state}; only a finished one has weights to keep.")
    return weights.load(run.folder / f"{run.id}.safetensors")


def _seed(seed: int, card: weights.Card) -> weights.Seed:
    if card.validation is None or card.test is None:
        raise RunError(f"The card of run {card.name} has no figures.")
    return weights.Seed(seed, card.validation.accuracy, card.test.accuracy, card.mirrored)


def watch(run_id: str) -> Iterator[Run]:
    """The run again and again while it is active, and once more when it has ended."""
    while (run := get(run_id)).state in ACTIVE:
        dispatch()
        yield run
        time.sleep(POLL_SECONDS)
    yield run


def dispatch() -> None:
    """Start the longest-queued run of every device that is free.

    Whoever looks at the runs calls this, and each run as it ends, so the queue needs no server.
    """
    if not os.access(folder(), os.W_OK):
        return  # nothing can be queued there either
    with _held(folder() / "dispatch.lock"):
        waiting = [run for run in all_runs() if run.state == "queued"]
        waiting.sort(key=lambda run: (run.folder / "queued").read_text())
        for run in waiting:
            device_lock = _open(folder() / f"device-{run.plan.device}.lock")
            try:
                fcntl.flock(device_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(device_lock)
                continue
            run_lock = _open(run.folder / "lock")
            fcntl.flock(run_lock, fcntl.LOCK_EX)
            _launch(run, run_lock, device_lock)
            os.close(run_lock)
            os.close(device_lock)


def _launch(run: Run, run_lock: int, device_lock: int) -> None:
    """Start the run's process; it inherits the two locks, so they are never free in between."""
    with (run.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fmnist.worker", run.id, str(run_lock), str(device_lock)],
            cwd=PROJECT,
            env={**os.environ, "FMNIST_RUNS": str(folder().resolve())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(run_lock, device_lock),
            start_new_session=True,  # survives the server, the terminal and Ctrl-C in it
        )
    _children[:] = [child for child in [*_children, process] if child.poll() is None]


def _queue(directory: Path) -> None:
    write_whole(directory / "queued", f"{time.time_ns():020d}".encode())


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_held(path: Path) -> bool:
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
