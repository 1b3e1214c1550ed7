"""A sweep is a directory beside the runs; its trials are runs, and Optuna chooses their recipes.

    FMNIST_RUNS/.sweeps/NAME/sweep.json    what was asked for
                             journal.log   Optuna's: every trial, its values and what came of it
                             journal.lock  held while a line is added to it
                             ask.lock      held while a trial is asked for or taken over
                             N.lock        held by whoever follows trial N
                             by-WHOM.lock  held by a process that carries the sweep out
                             stop          present once somebody asked it to stop
                             failure.txt   why it broke off, in a sentence

Several processes, on several machines, can carry out one sweep: each asks for a trial of its own,
and takes over those whose follower has gone. (Akiba et al. 2019, "Optuna".)
"""

import json
import math
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from fmnist.data.splits import Source
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held, held_if_free, is_held, lock, open_lock
from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.run import Plan, Run, RunError, read_run, runs_folder
from fmnist.sweeps.space import Dimension, Value
from fmnist.weights.shelf import NAME
from fmnist.words import Words, kept, recalled

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import BaseTrial, FrozenTrial
    from optuna.trial import Trial as Asked

WARM_UP = 5
"""Trials, and epochs of a trial, before one is compared with the others; and trials before it is
said what their differences hang on."""
Pruner = Literal["median", "hyperband", "none"]
PRUNERS: tuple[Pruner, ...] = get_args(Pruner)
State = Literal["running", "complete", "pruned", "failed"]


class Trial(NamedTuple):
    """One recipe that was tried: its values, its run, and its best validation accuracy, 0 to 1."""

    number: int
    values: dict[str, Value]
    run: str | None
    state: State
    accuracy: float | None


@dataclass(frozen=True)
class Sweep:
    """What is swept: a model and its recipe, of which some fields are tried out."""

    name: str
    model: str
    recipe: Recipe
    space: tuple[Dimension, ...]
    trials: int
    data: Source
    device: str = "auto"
    limit: int | None = None
    pruner: Pruner = "median"

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UserFacingError(
                "{name!r} can't name a sweep: use up to 64 letters, digits, dots, dashes and "
                "underscores, and begin with a letter or a digit.",
                name=self.name,
            )
        if not self.space:
            raise UserFacingError("A sweep needs at least one field with a range or a list.")
        if not 1 <= self.trials <= 10_000:
            raise UserFacingError("The trials of a sweep are 1 to 10,000.")
        # What can't be planned is refused now, not trial by trial.
        Plan(self.model, self.recipe, self.data, self.device, self.limit)

    @property
    def folder(self) -> Path:
        return _folder() / self.name

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "recipe": self.recipe.to_json(),
            "space": [dimension.to_json() for dimension in self.space],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Sweep":
        recipe = Recipe.from_json(values["recipe"])
        space = tuple(map(Dimension.from_json, values["space"]))
        return cls(**{**values, "recipe": recipe, "space": space})

    @property
    def tries(self) -> int:
        """How many recipes it tries: as many as were asked for, or as there are."""
        return int(min(self.trials, math.prod(dimension.count for dimension in self.space)))

    def suggested(self, trial: "BaseTrial") -> Recipe:
        """The recipe that a trial is to try."""
        recipe = self.recipe
        for dimension in self.space:
            recipe = dimension.put(recipe, dimension.suggest(trial))
        return recipe

    @property
    def stopping(self) -> bool:
        """Whether somebody asked it to stop."""
        return (self.folder / "stop").exists()

    @property
    def carried_out(self) -> bool:
        """Whether some process carries it out, or is about to."""
        return any(map(is_held, self.folder.glob("by-*.lock")))

    @property
    def failure(self) -> Words | None:
        """Why it broke off, in a sentence, if nobody has gone on with it since."""
        try:
            return recalled((self.folder / "failure.txt").read_text())
        except FileNotFoundError:
            return None

    def tried(self) -> list[Trial]:
        """Every trial so far, in the order in which they were asked for.

        One that got no run, as where the disk was full, was never tried.
        """
        trials = map(_trial, _study(self).get_trials(deepcopy=False))
        return [trial for trial in trials if trial.run or trial.state != "failed"]

    def importance(self) -> dict[str, float]:
        """How much of the differences each field explains, of sum 1; empty while it can't be told.

        Functional ANOVA over a random forest (Hutter, Hoos, Leyton-Brown 2014).
        """
        import optuna

        study = _study(self)
        if sum(trial.accuracy is not None for trial in map(_trial, study.trials)) < WARM_UP:
            return {}
        try:
            return dict(optuna.importance.get_param_importances(study))
        except (ValueError, RuntimeError):  # all of them are alike
            return {}


def begin(sweep: Sweep) -> Sweep:
    """Make a sweep, or go on with the one of that name.

    Raises UserFacingError where that one is another, and RunError where nothing can be written.
    """
    path = sweep.folder / "sweep.json"
    try:
        sweep.folder.mkdir(parents=True, exist_ok=True)
        with held(sweep.folder / "ask.lock"):
            if not path.exists():
                _make_study(sweep)
                write_whole(path, json.dumps(sweep.to_json(), indent=1).encode())
    except OSError as error:
        raise RunError(
            "The folder of the runs can't be written: {reason}.", reason=error.strerror
        ) from None
    if read_sweep(sweep.name) != sweep:
        raise UserFacingError(
            "There is another sweep named {name}. Give this one another name, or ask for the same "
            "to go on with it.",
            name=sweep.name,
        )
    return sweep


def read_sweep(name: str) -> Sweep:
    """The sweep of that name; raises UserFacingError where there is none, or a damaged one."""
    path = _folder() / name / "sweep.json"
    if not NAME.fullmatch(name) or not path.exists():
        raise UserFacingError("There is no sweep {name!r}.", name=name)
    try:
        return Sweep.from_json(json.loads(path.read_text()))
    except (UserFacingError, ValueError, KeyError, TypeError):
        raise _damaged(path) from None


def names() -> list[str]:
    """Those of all sweeps, the newest first; one that is damaged is among them."""
    paths = sorted(_folder().glob("*/sweep.json"), key=lambda path: -path.stat().st_mtime)
    return [path.parent.name for path in paths]


def stop(sweep: Sweep) -> None:
    """Ask for no more trials; those that train end as they would."""
    (sweep.folder / "stop").touch()


@contextmanager
def carrying_out(sweep: Sweep) -> Iterator[int]:
    """Within it the sweep counts as carried out, and for as long as anybody has the descriptor.

    That it was to stop is taken back, and why it broke off. Raises LockError, and OSError.
    """
    path = sweep.folder / f"by-{socket.gethostname()}-{secrets.token_hex(3)}.lock"
    descriptor = open_lock(path)
    try:
        lock(descriptor, path)
        for name in ("stop", "failure.txt"):
            (sweep.folder / name).unlink(missing_ok=True)
        yield descriptor
    finally:
        os.close(descriptor)


def carry_out(sweep: Sweep) -> Iterator[Trial]:
    """Try recipe after recipe until all are tried; yields each trial of this process as it ends.

    It can be broken off at any moment and begun again, here or on another machine. What breaks it
    off is left in its folder in a sentence, and raised.
    """
    try:
        yield from _carry_out(sweep)
    except Exception as error:
        with suppress(OSError):
            write_whole(sweep.folder / "failure.txt", kept(_reason(error)).encode())
        raise


def _reason(error: Exception) -> Words:
    if isinstance(error, UserFacingError):
        return error.words
    if isinstance(error, OSError):
        return Words(
            "The sweep's files could not be written: {reason}. Mend that and go on.",
            reason=error.strerror,
        )
    return Words("The sweep broke off: {kind}: {error}", kind=type(error).__name__, error=error)


def _carry_out(sweep: Sweep) -> Iterator[Trial]:
    study = _study(sweep)
    while True:
        number = _take_over(sweep, study)
        if number is None:
            number = _ask(sweep, study)
        if number is None:
            return
        with held_if_free(_follower(sweep, number)) as free:
            if free:
                yield _follow(study, number)


def _take_over(sweep: Sweep, study: "Study") -> int | None:
    """A trial whose follower has gone, if there is one."""
    from optuna.trial import TrialState

    # A trial that is being asked for runs already, though it has neither a run nor a follower yet.
    with held(sweep.folder / "ask.lock"):
        for frozen in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            with held_if_free(_follower(sweep, frozen.number)) as free:
                if free:
                    return frozen.number
    return None


def _ask(sweep: Sweep, study: "Study") -> int | None:
    """A new trial with its run; None where there are as many as there are to be."""
    from optuna.trial import TrialState

    with held(sweep.folder / "ask.lock"):
        asked = [trial for trial in map(_trial, study.get_trials(deepcopy=False)) if trial.run]
        if len(asked) >= sweep.tries or sweep.stopping:
            return None
        trial, recipe = _untried(sweep, study, [trial.values for trial in asked])
        title = f"{sweep.name} {trial.number}"
        plan = Plan(
            sweep.model, recipe, sweep.data, sweep.device, sweep.limit, origin=title, title=title
        )
        try:
            run = queue.start(plan)
        except UserFacingError:
            study.tell(trial, state=TrialState.FAIL)
            raise
        trial.set_user_attr("run", run.id)
        return trial.number


def _untried(
    sweep: Sweep, study: "Study", tried: Sequence[dict[str, Value]]
) -> tuple["Asked", Recipe]:
    """A trial of what nobody has tried yet, with its recipe; there must be such a one.

    Where the sampler repeats itself, others are drawn at random.
    """
    from optuna.trial import TrialState

    while True:
        trial = study.ask()
        recipe = sweep.suggested(trial)
        if trial.params not in tried:
            return trial, recipe
        study.tell(trial, state=TrialState.FAIL)
        study.enqueue_trial(_drawn(sweep, tried))


def _drawn(sweep: Sweep, tried: Sequence[dict[str, Value]]) -> dict[str, Value]:
    """Values at random that nobody has tried yet."""
    import optuna

    dice = optuna.create_study(sampler=optuna.samplers.RandomSampler())
    while True:
        trial = dice.ask()
        sweep.suggested(trial)
        if trial.params not in tried:
            return trial.params


def _follower(sweep: Sweep, number: int) -> Path:
    """Held by whoever follows a trial."""
    return sweep.folder / f"{number}.lock"


def _follow(study: "Study", number: int) -> Trial:
    """Tell Optuna epoch by epoch how the run of a trial does, and stop it if that is hopeless."""
    from optuna import Trial as Asked
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    frozen = study.get_trials(deepcopy=False)[number]
    if frozen.state.is_finished():
        return _trial(frozen)
    asked, known = Asked(study, frozen._trial_id), set(frozen.intermediate_values)
    run, pruned, ended = frozen.user_attrs.get("run"), False, None
    try:
        if run and read_run(run).state == "interrupted":
            queue.resume(run)
        for seen in queue.watch(run) if run else ():
            for epoch, accuracy in _validated(seen):
                if epoch not in known:
                    known.add(epoch)
                    asked.report(accuracy, epoch)
            if not pruned and seen.state == "running" and asked.should_prune():
                queue.stop(seen.id)
                pruned = True
        ended = read_run(run) if run else None
    except UpdateFinishedTrialError:  # by another machine, whose lock isn't seen here
        return _trial(study.get_trials(deepcopy=False)[number])
    except RunError:  # it ended a moment before it was to be stopped, or somebody deleted it
        with suppress(RunError):
            ended = read_run(run or "")
    if ended and ended.state == "finished":
        study.tell(number, ended.best, skip_if_finished=True)
    else:
        state = TrialState.PRUNED if pruned else TrialState.FAIL
        study.tell(number, state=state, skip_if_finished=True)
    return _trial(study.get_trials(deepcopy=False)[number])


def _validated(run: Run) -> Iterator[tuple[int, float]]:
    """The epochs that ended, with the best validation accuracy until then."""
    best = 0.0
    for line in run.progress:
        if "validation_accuracy" in line:
            best = max(best, line["validation_accuracy"])
            yield line["epoch"], best


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete one with the highest validation accuracy."""
    complete = [trial for trial in trials if trial.accuracy is not None]
    return max(complete, key=lambda trial: trial.accuracy or 0.0, default=None)


def _trial(frozen: "FrozenTrial") -> Trial:
    states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    return Trial(
        frozen.number,
        dict(frozen.params),
        frozen.user_attrs.get("run"),
        states.get(frozen.state.name, "running"),
        frozen.value if frozen.state.name == "COMPLETE" else None,
    )


def _folder() -> Path:
    return runs_folder() / ".sweeps"


def _journal(sweep: Sweep) -> Path:
    return sweep.folder / "journal.log"


def _make_study(sweep: Sweep) -> None:
    """Begin the journal of a sweep; raises OSError."""
    # Here and below, since only a sweep needs it.
    import optuna

    from fmnist.sweeps import journal

    _journal(sweep).touch()
    optuna.create_study(
        storage=journal.storage(_journal(sweep)),
        study_name=sweep.name,
        direction="maximize",
        load_if_exists=True,  # its making was broken off before
    )


def _study(sweep: Sweep) -> "Study":
    """What Optuna knows of a sweep; raises UserFacingError where its journal is damaged."""
    import optuna

    from fmnist.sweeps import journal

    pruners: dict[Pruner, optuna.pruners.BasePruner] = {
        "median": optuna.pruners.MedianPruner(WARM_UP, WARM_UP),
        "hyperband": optuna.pruners.HyperbandPruner(),
        "none": optuna.pruners.NopPruner(),
    }
    try:
        return optuna.load_study(
            storage=journal.storage(_journal(sweep)),
            study_name=sweep.name,
            # What others are trying counts as bad, so that no two try the same.
            sampler=optuna.samplers.TPESampler(constant_liar=True),
            pruner=pruners[sweep.pruner],
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        raise _damaged(_journal(sweep)) from None


def _damaged(file: Path) -> UserFacingError:
    return UserFacingError(
        "{file} is damaged or of another version, so this sweep can't be read or gone on with. Its "
        "runs are still there: delete the folder of the sweep, and begin another.",
        file=file,
    )
