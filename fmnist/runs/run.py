"""A training run is a directory and a process of its own; this module reads it, `queue` steers it.

    FMNIST_RUNS/ID/plan.json        what was asked for
                   queued           present while the run waits for its device
                   job.json         what a cluster was given to carry the run out, if one was
                   node             the machine whose process began or went on with it last
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
                   ended.json       all of the above that a list of runs shows, once it has ended
    FMNIST_RUNS/turns.json          in which order each person's last run got its device

The state is derived from these files and the lock, which the kernel releases when the process
ends, however it ends; so no state can outlive what it tells of. Of a run that a cluster was given
and whose lock is free, the cluster says whether it lives. Nothing compares the clocks of machines.

ended.json is the last that a run's process writes and the last that goes when the run is resumed:
while it is there nothing else need be looked at, so a list of a thousand runs is quick. A run that
was killed has none, nor has one of an older version; these are read file by file.
"""

import heapq
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from fmnist import PROJECT
from fmnist.data.splits import SOURCES, Source
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import version
from fmnist.machine.locks import is_held
from fmnist.models import MODELS, ModelSpec
from fmnist.models.chain import Chain, Layer
from fmnist.models.recipe import Recipe
from fmnist.runs import launchers
from fmnist.runs.launchers.job import Job
from fmnist.weights.card import Card
from fmnist.words import Words, kept, recalled

BUILT = "built"
"""What stands for the name of an architecture where the plan has the layers themselves."""
Version = tuple[int, int, int]
State = Literal["queued", "running", "stopping", "stopped", "interrupted", "failed", "finished"]
IN_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "queued": Words("queued"),
        "running": Words("running"),
        "stopping": Words("stopping"),
        "stopped": Words("stopped"),
        "interrupted": Words("interrupted"),
        "failed": Words("failed"),
        "finished": Words("finished"),
    }
)
"""States as sentences name them."""


def spec(model: str, layers: list[Layer] | None) -> ModelSpec:
    """The architecture of that name, or the one that has these layers."""
    if layers is None:
        return MODELS[model]
    title = Words("Built layer by layer")
    summary = Words("A network that was built here, layer by layer.")
    return ModelSpec(BUILT, title, "cnn", summary, partial(Chain, layers), Recipe())


class Outcome(NamedTuple):
    """What takes long to find out of a run, as its process noted it at the end."""

    best: float | None
    last: Mapping[str, Any]
    bytes: int


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
    repeats: Card | None = None  # of weights: as they were trained, on the validation images too
    name: str | None = None  # keep the result among the weights under this name
    origin: str = Words("the command line")  # where the recipe came from
    layers: list[Layer] | None = None  # those of a network that was built
    title: str | None = None  # what people call the run
    classroom: str | None = None  # the code of the one it was started in
    person: str | None = None  # who of that classroom started it

    @property
    def spec(self) -> ModelSpec:
        """What is trained, and how to make it."""
        return spec(self.model, self.layers)

    def __post_init__(self) -> None:
        if self.model not in MODELS and (self.model != BUILT or not self.layers):
            raise UserFacingError(
                "There is no model {model!r}: choose from {known}.",
                model=self.model,
                known=", ".join(MODELS),
            )
        if self.data not in SOURCES:
            raise UserFacingError(
                "There is no data {data!r}: choose real or drawn.", data=self.data
            )
        if self.limit is not None and self.limit < 1:
            raise UserFacingError("The limit must be at least one image.")

    @property
    def owner(self) -> str:
        """In whose turn it trains; all who are in no classroom are one."""
        return f"{self.classroom}/{self.person}" if self.classroom else ""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Plan":
        recipe, origin = Recipe.from_json(values["recipe"]), recalled(values["origin"])
        chosen = values.get("repeats")
        repeats = Card.from_values(chosen) if chosen else None
        return cls(**{**values, "recipe": recipe, "origin": origin, "repeats": repeats})

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"origin": kept(self.origin)}


@dataclass(frozen=True)
class Run:
    """One run as its directory showed it at one moment; `read_run` looks again.

    Only what is large or slow to find out waits until it is asked for, and is as it is then: the
    predictions, the log and the bytes, which are counted once.
    """

    id: str
    folder: Path
    plan: Plan
    state: State
    queued: str  # when it joined the queue, in digits that sort
    failure: Words | None  # why it failed, in a sentence
    notice: Words | None  # what happened on the way that the user should know, as of a failing GPU
    card: Card | None  # the card of the result, once the run is finished
    progress_lines: bytes | None = field(repr=False)  # progress.jsonl; None if that can wait
    job: Job | None = None  # what a cluster was given to carry it out
    node: str | None = None  # the machine whose process began or went on with it last
    outcome: Outcome | None = None  # where its process noted it

    @property
    def label(self) -> str:
        """What people call it; one that nobody named goes by its id."""
        return self.plan.title or self.id

    @cached_property
    def best(self) -> float | None:
        """The highest validation accuracy so far, 0 to 1; None if it learns those images."""
        if self.plan.repeats:
            return None
        if self.outcome:
            return self.outcome.best
        validated = (line.get("validation_accuracy") for line in self.progress)
        return max((accuracy for accuracy in validated if accuracy is not None), default=None)

    @cached_property
    def last(self) -> Mapping[str, Any]:
        """What the last progress line says of epoch and eta_seconds."""
        if self.outcome:
            return self.outcome.last
        line = self.progress[-1] if self.progress else {"epoch": 0, "eta_seconds": None}
        return {name: line[name] for name in ("epoch", "eta_seconds")}

    @property
    def where(self) -> Words | None:
        """Where it is or was carried out; None while nobody has begun with it."""
        if self.state == "queued":  # the node is that of an earlier time
            return launchers.where(self.job, None) if self.job and self.job.id else None
        return launchers.where(self.job, self.node)

    @property
    def active(self) -> bool:
        """Whether it has something before it, if only to stop, without anybody's doing."""
        return self.state in ("queued", "running", "stopping")

    @property
    def progress(self) -> list[dict[str, Any]]:
        """The progress lines in order: epoch, epochs, step, steps, loss, lr, images_per_second,
        eta_seconds, and at the end of an epoch validation_loss and validation_accuracy, with
        validation_kinds where pictures by people were held out.

        A resumed run writes again what it had not saved; the later line counts.
        """
        lines = self.progress_lines
        if lines is None:
            lines = _content(self.folder / "progress.jsonl") or b""
        return _parsed(self.folder, lines, self.plan.recipe.epochs)

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
        return self._bytes

    @cached_property
    def _bytes(self) -> int:
        return self.outcome.bytes if self.outcome else _size(self.folder)

    def summary(self) -> dict[str, Any]:
        """The run in one row, as `runs --json` prints it."""
        return {
            "id": self.id,
            "title": self.plan.title,
            "classroom": self.plan.classroom,
            "person": self.plan.person,
            "state": self.state,
            "model": self.plan.model,
            "data": self.plan.data,
            "device": self.plan.device,
            "where": self.where,
            "epoch": self.last["epoch"],
            "epochs": self.plan.recipe.epochs,
            "validation_accuracy": self.best,
            "test_accuracy": self.card.test.accuracy if self.card and self.card.test else None,
            "eta_seconds": self.last["eta_seconds"],
            "bytes": self.bytes(),
            "failure": self.failure,
        }

    def to_json(self) -> dict[str, Any]:
        """What ended.json holds of a run that has ended; `from_json` is the inverse."""
        return {
            "plan": self.plan.to_json(),
            "state": self.state,
            "failure": self.failure and kept(self.failure),
            "notice": self.notice and kept(self.notice),
            "card": self.card and asdict(self.card),
            "job": self.job,
            "node": self.node,
            "outcome": Outcome(self.best, self.last, self.bytes()),
        }

    @classmethod
    def from_json(cls, folder: Path, values: dict[str, Any]) -> "Run":
        failure, notice, job = values["failure"], values["notice"], values["job"]
        return cls(
            id=folder.name,
            folder=folder,
            plan=Plan.from_json(values["plan"]),
            state=values["state"],
            queued="",
            failure=failure and recalled(failure),
            notice=notice and recalled(notice),
            card=values["card"] and Card.from_values(values["card"]),
            progress_lines=None,
            job=job and Job(*job),
            node=values["node"],
            outcome=Outcome(*values["outcome"]),
        )


def _size(folder: str | Path) -> int:
    """What all that is in a folder takes on the disk, in bytes."""
    size = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:  # deleted meanwhile
        for entry in entries:
            with suppress(FileNotFoundError):  # replaced meanwhile
                size += entry.stat().st_size + (_size(entry.path) if entry.is_dir() else 0)
    return size


@lru_cache(maxsize=256)
def _parsed_before(folder: Path) -> list[tuple[bytes, Sequence[dict[str, Any]]]]:
    """Whole lines of a run's progress and what they say, to be replaced as it grows."""
    return [(b"", ())]


def _parsed(folder: Path, lines: bytes, epochs: int) -> list[dict[str, Any]]:
    """Progress lines, each parsed once: who watches many runs asks for them again and again."""
    (before, said), whole = _parsed_before(folder)[0], lines.rfind(b"\n") + 1
    if not lines.startswith(before):
        before, said = b"", ()
    progress = _continued(said, lines[len(before) : whole], epochs)
    _parsed_before(folder)[0] = (lines[:whole], progress)
    return _continued(progress, lines[whole:], epochs)


def _continued(before: Sequence[dict[str, Any]], lines: bytes, epochs: int) -> list[dict[str, Any]]:
    """What progress lines say after others."""
    progress = list(before)
    for text in lines.decode(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # cut short by a crash
            continue
        while progress and progress[-1]["step"] >= line["step"]:
            progress.pop()
        progress.append({**line, "epochs": epochs})
    return progress


def runs_folder() -> Path:
    """Where the runs are: FMNIST_RUNS, else runs/ in the project."""
    return Path(os.environ.get("FMNIST_RUNS") or PROJECT / "runs")


def read_run(run_id: str) -> Run:
    """The run of that id at this moment; raises RunError where there is none, or a damaged one."""
    folder = runs_folder() / run_id
    if run_id.startswith(".") or folder.parent != runs_folder():
        raise _no_run(run_id)
    return _read(folder)


def all_runs() -> list[Run]:
    """Every run, newest first."""
    return sorted(_runs_with("plan.json"), key=lambda run: run.id, reverse=True)


def runs_of(belongs: Callable[[str | None], bool]) -> list[Run]:
    """The runs whose classroom, or None, is one that belongs, newest first; no other is read."""
    found = []
    for folder in _folders_with("plan.json"):
        with suppress(RunError, OSError, UserFacingError, ValueError, TypeError, KeyError):
            ended = _ended(folder)
            plan = ended.plan if ended else _plan(folder / "plan.json")
            if belongs(plan.classroom):
                found.append(ended or _read(folder))
    return sorted(found, key=lambda run: run.id, reverse=True)


def queued_runs() -> list[Run]:
    """The runs that wait for their device in the order of their turns; no other run is read.

    Each time it is the turn of the person whose last turn is the longest ago, or has not been yet,
    and of that person's runs, of the longest-queued.
    """
    waiting = [run for run in _runs_with("queued") if run.state == "queued"]
    waiting.sort(key=lambda run: run.queued)
    of_owner: dict[str, list[Run]] = {}
    for run in waiting:
        of_owner.setdefault(run.plan.owner, []).append(run)
    turns = read_turns()
    latest = max(turns.values(), default=0)
    next_turns = [(turns.get(owner, 0), runs[0].queued, owner) for owner, runs in of_owner.items()]
    heapq.heapify(next_turns)
    order = list[Run]()
    for turn in range(latest + 1, latest + 1 + len(waiting)):
        _, _, owner = heapq.heappop(next_turns)
        order.append(of_owner[owner].pop(0))
        if of_owner[owner]:
            heapq.heappush(next_turns, (turn, of_owner[owner][0].queued, owner))
    return order


def read_turns() -> dict[str, int]:
    """Numbers that rise with each turn, of each person's last; nothing if they can't be read."""
    try:
        turns: dict[str, int] = json.loads((runs_folder() / "turns.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return turns


def _runs_with(name: str) -> Iterator[Run]:
    for folder in _folders_with(name):
        with suppress(RunError):  # deleted meanwhile, or by hand and only in part
            yield _read(folder)


def _folders_with(name: str) -> Iterator[Path]:
    """The runs' folders that have such a file; whatever else is there is passed over."""
    folder = runs_folder()
    with suppress(FileNotFoundError, NotADirectoryError):
        for run in os.listdir(folder):
            if not run.startswith(".") and os.path.exists(f"{folder}/{run}/{name}"):
                yield folder / run


def as_it_ends(run_id: str) -> Run:
    """The run as it is going to be read once its process, which asks, lets go of its lock."""
    folder = runs_folder() / run_id
    return _seen(folder, os.listdir(folder), holds_lock=False, standing=None)


def _read(folder: Path) -> Run:
    """The run in that folder at this moment; raises RunError where there is none."""
    try:
        return _ended(folder) or _looked_at(folder)
    except OSError:
        raise _no_run(folder.name) from None
    except (UserFacingError, ValueError, TypeError, KeyError):
        raise RunError("The plan or the card of run {run!r} is damaged.", run=folder.name) from None


def _no_run(run_id: str) -> RunError:
    return RunError("There is no run {run!r}.", run=run_id)


def _ended(folder: Path) -> Run | None:
    """A run by what its process noted at its end; None where it didn't or the run goes on."""
    note = folder / "ended.json"
    try:
        return _noted(note, version(note))
    except FileNotFoundError:
        return None


@lru_cache(maxsize=10_000)
def _noted(note: Path, version: Version) -> Run | None:
    try:
        return Run.from_json(note.parent, orjson.loads(note.read_bytes()))
    except (UserFacingError, ValueError, TypeError, KeyError):  # infinite figures, another version
        return None


def _looked_at(folder: Path) -> Run:
    """The run, looked at in an order that makes it none that never was, whatever is done meanwhile.

    The lock comes first, and the cluster, since whoever carries the run out has left all that it
    has to say when it ends: a run that holds the lock shows nothing of an end, another shows the
    whole of its last. Then all names at once: of `stop` and `queued`, one may be taking the other's
    place. The plan comes last, since it goes only with the run; so the run was there all the while.
    """
    if is_held(folder / "lock"):
        return _seen(folder, os.listdir(folder), holds_lock=True, standing=None)
    versions = _versions(folder)
    names = {name for name, _ in versions}
    job = _job(folder) if "job.json" in names and f"{folder.name}.json" not in names else None
    if job is None:
        return _seen_free(folder, versions, None)
    standing = launchers.standing(job) or "unheard"
    return _seen_free(folder, _versions(folder), standing)


@lru_cache(maxsize=2048)
def _seen_before(folder: Path) -> list[tuple[object, Run]]:
    """A run as it was seen last, behind what it was seen by, to be replaced."""
    return []


def _seen_free(
    folder: Path, versions: tuple[tuple[str, Version], ...], standing: str | None
) -> Run:
    """A run that nobody writes, read once for as long as its files are the same."""
    by, before = (versions, standing), _seen_before(folder)
    for seen_by, run in before:
        if seen_by == by:
            return run
    run = _seen(folder, [name for name, _ in versions], holds_lock=False, standing=standing)
    before[:] = [(by, run)]
    return run


def _versions(folder: Path) -> tuple[tuple[str, Version], ...]:
    """All names in a run's folder, and what changes whenever one of them is replaced."""
    with os.scandir(folder) as entries:
        return tuple(sorted((entry.name, _version(entry)) for entry in entries))


def _version(entry: os.DirEntry[str]) -> Version:
    try:
        found = entry.stat()
    except FileNotFoundError:  # gone meanwhile
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _seen(folder: Path, names: Sequence[str], holds_lock: bool, standing: str | None) -> Run:
    def content(name: str) -> bytes | None:
        return _content(folder / name) if name in names else None

    def text(name: str) -> str | None:
        found = content(name)
        return None if found is None else found.decode()

    def words(name: str) -> Words | None:
        found = text(name)
        return None if found is None else recalled(found)

    card = None if holds_lock else text(f"{folder.name}.json")
    return Run(
        id=folder.name,
        folder=folder,
        state=_state(folder.name, holds_lock, standing, names),
        queued=text("queued") or "",
        failure=None if holds_lock else words("failure.txt"),
        notice=words("notice.txt"),
        card=Card.from_json(card) if card else None,
        job=_job(folder) if "job.json" in names else None,
        node=text("node"),
        progress_lines=content("progress.jsonl") or b"",
        plan=_plan(folder / "plan.json"),
    )


def _job(folder: Path) -> Job | None:
    found = _content(folder / "job.json")
    if found == b"":  # it is being written
        return Job("", "", "")
    return None if found is None else Job(**json.loads(found))


def _plan(path: Path) -> Plan:
    return _plan_as_of(path, version(path))


@lru_cache(maxsize=2048)
def _plan_as_of(path: Path, version: Version) -> Plan:
    return Plan.from_json(json.loads(path.read_text()))


def _state(run_id: str, holds_lock: bool, standing: str | None, names: Sequence[str]) -> State:
    """The state by the lock, the names and how the run's job stands at its cluster, if it has one.

    Where the cluster can't be asked the run counts as alive, so that nobody carries it out twice,
    unless it was to stop.
    """
    if holds_lock:
        return "stopping" if "stop" in names else "running"
    if f"{run_id}.json" in names:
        return "finished"
    if "failure.txt" in names:
        return "failed"
    if "stop" in names:
        return "stopping" if standing == "running" else "stopped"
    if "queued" in names or standing == "waiting":
        return "queued"
    return "running" if standing in ("running", "unheard") else "interrupted"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
