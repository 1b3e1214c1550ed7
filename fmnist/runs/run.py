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

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist import PROJECT
from fmnist.data.splits import SOURCES, Source
from fmnist.machine.errors import UserFacingError
from fmnist.machine.locks import is_held
from fmnist.models import MODELS
from fmnist.models.recipe import Recipe
from fmnist.weights.card import Card

State = Literal["queued", "running", "stopping", "stopped", "interrupted", "failed", "finished"]
ACTIVE: tuple[State, ...] = ("queued", "running", "stopping")


class RunError(UserFacingError):
    """A run can't do what was asked; the message says why in a sentence."""


@dataclass(frozen=True)
class Plan:
    """What a run is asked to do; raises UserFacingError when it can't be done."""

    model: str
    recipe: Recipe
    data: Source
    device: str = "auto"  # becomes cpu or cuda when the run is made
    limit: int | None = None  # train on this many images only
    name: str | None = None  # keep the result among the weights under this name
    origin: str = "the command line"  # where the recipe came from, in words

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise UserFacingError(
                f"There is no model {self.model!r}: choose from {', '.join(MODELS)}."
            )
        if self.data not in SOURCES:
            raise UserFacingError(f"There is no data {self.data!r}: choose real or drawn.")
        if self.limit is not None and self.limit < 1:
            raise UserFacingError("The limit must be at least one image.")

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
        if is_held(self.folder / "lock"):
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
    def card(self) -> Card | None:
        """The card of the result, once the run is finished."""
        path = self.folder / f"{self.id}.json"
        return Card.from_json(path.read_text()) if path.exists() else None

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


def runs_folder() -> Path:
    """Where the runs are: FMNIST_RUNS, else runs/ in the project."""
    return Path(os.environ.get("FMNIST_RUNS") or PROJECT / "runs")


def read_run(run_id: str) -> Run:
    """The run of that id; raises RunError where there is none."""
    path = runs_folder() / run_id
    try:
        if run_id.startswith(".") or path.parent != runs_folder():
            raise FileNotFoundError
        plan = Plan.from_json(json.loads((path / "plan.json").read_text()))
    except OSError:
        raise RunError(f"There is no run {run_id!r}.") from None
    except (UserFacingError, ValueError, TypeError, KeyError):
        raise RunError(f"The plan of run {run_id!r} is damaged.") from None
    return Run(run_id, path, plan)


def all_runs() -> list[Run]:
    """Every run, newest first."""
    found: list[Run] = []
    for path in runs_folder().glob("[!.]*/plan.json"):
        with suppress(RunError):  # deleted meanwhile, or by hand and only in part
            found.append(read_run(path.parent.name))
    return sorted(found, key=lambda run: run.id, reverse=True)
