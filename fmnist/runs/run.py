"""A training run is a directory and a process of its own; this module reads it, `queue` steers it.

    FMNIST_RUNS/ID/plan.json        what was asked for
                   queued           present while the run waits for its device
                   lock             held by the run's process for as long as it lives
                   stop             present once somebody asked it to stop
                   progress.jsonl   its progress lines, appended as it trains
                   checkpoint.pt    everything needed to go on, replaced whole
                   predictions/     what it said of the validation images, a file an epoch
                   epochs/          its weights after each epoch, or some of them, in half precision
                   failure.txt      why it failed, in a sentence
                   notice.txt       what the user should know of how it goes on
                   log.txt          what the process printed
                   ID.safetensors   the result, with its card ID.json

The state is derived from these files and the lock, which the kernel releases when the process
ends, however it ends; so no state can outlive what it tells of.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist import PROJECT
from fmnist.data.splits import SOURCES, Source
from fmnist.machine.errors import UserFacingError
from fmnist.machine.locks import is_held
from fmnist.models import MODELS, ModelSpec
from fmnist.models.chain import Chain, Layer
from fmnist.models.recipe import Recipe
from fmnist.weights.card import Card

BUILT = "built"
"""What stands for the name of an architecture where the plan has the layers themselves."""
State = Literal["queued", "running", "stopping", "stopped", "interrupted", "failed", "finished"]


def spec(model: str, layers: list[Layer] | None) -> ModelSpec:
    """The architecture of that name, or the one that has these layers."""
    if layers is None:
        return MODELS[model]
    summary = "A network that was built here, layer by layer."
    return ModelSpec(
        BUILT, "Built layer by layer", "cnn", summary, partial(Chain, layers), Recipe()
    )


class RunError(UserFacingError):
    """A run can't do what was asked; the message says why in a sentence."""


@dataclass(frozen=True)
class Plan:
    """What a run is asked to do; raises UserFacingError when it can't be done."""

    model: str  # a key of MODELS, or BUILT
    recipe: Recipe
    data: Source
    device: str = "auto"  # becomes cpu or cuda when the run is made
    limit: int | None = None  # train on this many images only
    name: str | None = None  # keep the result among the weights under this name
    origin: str = "the command line"  # where the recipe came from, in words
    layers: list[Layer] | None = None  # those of a network that was built

    @property
    def spec(self) -> ModelSpec:
        """What is trained, and how to make it."""
        return spec(self.model, self.layers)

    def __post_init__(self) -> None:
        if self.model not in MODELS and (self.model != BUILT or not self.layers):
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
    """One run as its directory showed it at one moment; `read_run` looks again.

    Only what is large or slow to find out waits until it is asked for, and is as it is then: the
    predictions, the log and the bytes.
    """

    id: str
    folder: Path
    plan: Plan
    state: State
    queued: str  # when it joined the queue, in digits that sort
    failure: str | None  # why it failed, in a sentence
    notice: str | None  # what happened on the way that the user should know, as of a failing GPU
    card: Card | None  # the card of the result, once the run is finished
    progress_lines: bytes = field(repr=False)  # progress.jsonl, read in `progress` if at all

    @property
    def active(self) -> bool:
        """Whether it has something before it, if only to stop, without anybody's doing."""
        return self.state in ("queued", "running", "stopping")

    @cached_property
    def progress(self) -> list[dict[str, Any]]:
        """The progress lines in order: epoch, epochs, step, steps, loss, lr, images_per_second,
        eta_seconds, and at the end of an epoch validation_loss and validation_accuracy, with
        validation_kinds where pictures by people were held out.

        A resumed run writes again what it had not saved; the later line counts.
        """
        progress: list[dict[str, Any]] = []
        for text in self.progress_lines.decode(errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # cut short by a crash
                continue
            while progress and progress[-1]["step"] >= line["step"]:
                progress.pop()
            progress.append({**line, "epochs": self.plan.recipe.epochs})
        return progress

    def predictions(self) -> NDArray[np.uint8]:
        """What the model said of each validation image after each epoch, uint8 (epochs, N)."""
        files = sorted((self.folder / "predictions").glob("*.npy"))
        return np.stack([np.load(file) for file in files]) if files else np.zeros((0, 0), np.uint8)

    def log(self) -> str:
        """What its process printed."""
        return (_content(self.folder / "log.txt") or b"").decode(errors="replace")

    @property
    def weights(self) -> Path:
        """The file of its result, which is there once it is finished."""
        return self.folder / f"{self.id}.safetensors"

    def bytes(self) -> int:
        """What the run takes on the disk."""
        sizes = 0
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):  # replaced or deleted meanwhile
                sizes += path.stat().st_size
        return sizes

    def summary(self) -> dict[str, Any]:
        """The run in one row, as `runs --json` prints it."""
        last = self.progress[-1] if self.progress else {"epoch": 0, "eta_seconds": None}
        validated = [
            line["validation_accuracy"] for line in self.progress if "validation_accuracy" in line
        ]
        return {
            "id": self.id,
            "state": self.state,
            "model": self.plan.model,
            "data": self.plan.data,
            "device": self.plan.device,
            "epoch": last["epoch"],
            "epochs": self.plan.recipe.epochs,
            "validation_accuracy": max(validated, default=None),
            "test_accuracy": self.card.test.accuracy if self.card and self.card.test else None,
            "eta_seconds": last["eta_seconds"],
            "bytes": self.bytes(),
            "failure": self.failure,
        }


def runs_folder() -> Path:
    """Where the runs are: FMNIST_RUNS, else runs/ in the project."""
    return Path(os.environ.get("FMNIST_RUNS") or PROJECT / "runs")


def read_run(run_id: str) -> Run:
    """The run of that id at this moment; raises RunError where there is none, or a damaged one."""
    folder = runs_folder() / run_id
    try:
        if run_id.startswith(".") or folder.parent != runs_folder():
            raise FileNotFoundError
        return _read(folder)
    except OSError:
        raise RunError(f"There is no run {run_id!r}.") from None
    except (UserFacingError, ValueError, TypeError, KeyError):
        raise RunError(f"The plan or the card of run {run_id!r} is damaged.") from None


def all_runs() -> list[Run]:
    """Every run, newest first."""
    return sorted(_runs_with("plan.json"), key=lambda run: run.id, reverse=True)


def queued_runs() -> list[Run]:
    """The runs that wait for their device, the longest-queued first; no other run is read."""
    waiting = (run for run in _runs_with("queued") if run.state == "queued")
    return sorted(waiting, key=lambda run: run.queued)


def _runs_with(name: str) -> Iterator[Run]:
    for path in runs_folder().glob(f"[!.]*/{name}"):
        with suppress(RunError):  # deleted meanwhile, or by hand and only in part
            yield read_run(path.parent.name)


def _read(folder: Path) -> Run:
    """The run, looked at in an order that makes it none that never was, whatever is done meanwhile.

    The lock comes first, since its holder has left all that it has to say when it lets go: a run
    that holds it shows nothing of an end, another shows the whole of its last. Then all names at
    once: of `stop` and `queued`, one may be taking the other's place. The plan comes last, since it
    goes only with the run; so the run was there all the while.
    """
    holds_lock = is_held(folder / "lock")
    names = os.listdir(folder)

    def content(name: str) -> bytes | None:
        return _content(folder / name) if name in names else None

    def text(name: str) -> str | None:
        found = content(name)
        return None if found is None else found.decode()

    card = None if holds_lock else text(f"{folder.name}.json")
    return Run(
        id=folder.name,
        folder=folder,
        state=_state(folder.name, holds_lock, names),
        queued=text("queued") or "",
        failure=None if holds_lock else text("failure.txt"),
        notice=text("notice.txt"),
        card=Card.from_json(card) if card else None,
        progress_lines=content("progress.jsonl") or b"",
        plan=Plan.from_json(json.loads((folder / "plan.json").read_text())),
    )


def _state(run_id: str, holds_lock: bool, names: Sequence[str]) -> State:
    if holds_lock:
        return "stopping" if "stop" in names else "running"
    if f"{run_id}.json" in names:
        return "finished"
    if "failure.txt" in names:
        return "failed"
    if "stop" in names:
        return "stopped"
    return "queued" if "queued" in names else "interrupted"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
