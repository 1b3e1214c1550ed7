"""A sweep's trials are runs; it goes on after a kill, and from several processes at once."""

import errno
import fcntl
import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from fmnist import PROJECT
from fmnist.__main__ import main
from fmnist.machine.errors import UserFacingError
from fmnist.machine.locks import held
from fmnist.models import MODELS
from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.run import Plan, Run, RunError, read_run
from fmnist.sweeps import driver
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import Dimension
from fmnist.sweeps.sweep import Sweep, begin, best_of, carry_out, read_sweep

SCRIPT = "import sys; from fmnist.sweeps import sweep as s; [*s.carry_out(s.read_sweep('mine'))]"


def asked(**changes: object) -> Sweep:
    values = {
        "name": "mine",
        "model": "softmax",
        "recipe": MODELS["softmax"].recipe,
        "space": (Dimension.parse("lr", "1e-4..1e-1:log"), Dimension.parse("epochs", "1,2")),
        "trials": 3,
        "data": "drawn",
        "device": "cpu",
        "limit": 200,
    }
    return begin(Sweep(**{**values, **changes}))  # type: ignore[arg-type]


@pytest.fixture
def drivers() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def drive() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=PROJECT)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_every_trial_is_a_run_and_the_best_is_the_best_of_the_runs() -> None:
    sweep = asked(trials=2)
    done = list(carry_out(sweep))
    assert [trial.number for trial in done] == [0, 1]
    assert done == sweep.tried()
    for trial in done:
        run = read_run(trial.run or "")
        assert run.plan.recipe.lr == trial.values["lr"]
        assert run.plan.recipe.epochs == trial.values["epochs"]
        assert run.best == trial.accuracy
        assert run.plan.title == f"mine {trial.number}"
    best = best_of(done)
    assert best
    assert best.accuracy == max(trial.accuracy or 0 for trial in done)
    assert list(carry_out(sweep)) == []
    assert sweeps.names() == ["mine"]
    assert read_sweep("mine") == sweep


@pytest.mark.slow
def test_after_a_kill_a_sweep_goes_on_and_no_trial_is_lost(
    drivers: list[subprocess.Popen[bytes]],
) -> None:
    sweep = asked(trials=2, space=(Dimension.parse("lr", "0.001,0.01"),))
    drivers.append(drive())
    deadline = time.monotonic() + 120
    while not any(trial.run for trial in sweep.tried()) and time.monotonic() < deadline:
        time.sleep(0.05)
    drivers[0].send_signal(signal.SIGKILL)
    drivers[0].wait()
    assert [trial.state for trial in sweep.tried()] == ["running"]
    list(carry_out(sweep))
    assert [trial.state for trial in sweep.tried()] == ["complete"] * 2
    assert len({trial.run for trial in sweep.tried()}) == 2


@pytest.mark.slow
def test_two_processes_share_a_sweep_and_try_nothing_twice(
    drivers: list[subprocess.Popen[bytes]],
) -> None:
    sweep = asked(trials=4, space=(Dimension.parse("lr", "1e-4..1e-1:log"),))
    drivers += [drive(), drive()]
    assert [process.wait(180) for process in drivers] == [0, 0]
    assert [trial.state for trial in sweep.tried()] == ["complete"] * 4
    assert len({trial.run for trial in sweep.tried()}) == 4


def test_a_sweep_that_was_to_stop_goes_on_for_who_carries_it_out_again() -> None:
    sweep = asked(trials=1)
    sweeps.stop(sweep)
    with sweeps.carrying_out(sweep):
        assert not sweep.stopping
        sweeps.stop(sweep)
        assert sweep.stopping


@pytest.mark.slow
def test_a_sweep_counts_as_carried_out_from_its_start_to_its_end() -> None:
    sweep = asked(trials=1)
    assert not sweep.carried_out
    driver.start(sweep)
    assert sweep.carried_out
    deadline = time.monotonic() + 120
    while sweep.carried_out and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [trial.state for trial in sweep.tried()] == ["complete"]


def test_what_the_differences_hang_on_is_told_once_there_are_enough_trials() -> None:
    sweep = asked(space=(Dimension.parse("lr", "0.1..1"), Dimension.parse("weight_decay", "0..1")))
    study, places = sweeps._study(sweep), (0.1, 0.9, 0.3, 0.7, 0.5)
    spans = {name: FloatDistribution(0, 1) for name in ("lr", "weight_decay")}
    for place, other in itertools.product(places, places):
        told = {"lr": place, "weight_decay": other}
        study.add_trial(create_trial(value=place, params=told, distributions=spans))
        if len(study.trials) == 4:
            assert sweep.importance() == {}
    shares = sweep.importance()
    assert shares["lr"] > 0.9
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_nobody_takes_over_a_trial_that_is_being_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep = asked(trials=1)
    start, other = queue.start, threading.Thread(target=lambda: list(carry_out(sweep)))

    def slowly(plan: Plan) -> Run:
        other.start()
        other.join(1)  # time enough to take over what has no follower
        return start(plan)

    monkeypatch.setattr(queue, "start", slowly)
    list(carry_out(sweep))
    other.join()
    assert [trial.state for trial in sweep.tried()] == ["complete"]


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_a_hopeless_trial_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: True)
    sweep = asked(trials=1, space=(Dimension.parse("epochs", "1000"),))
    (trial,) = carry_out(sweep)
    assert trial.state == "pruned"
    assert read_run(trial.run or "").state == "stopped"


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_followed_from_two_machines_that_share_no_locks_a_trial_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep, watch = asked(trials=1), queue.watch

    def watched_elsewhere(run_id: str) -> Iterator[Run]:
        with monkeypatch.context() as patch:
            patch.setattr(queue, "watch", watch)
            sweeps._follow(sweeps._study(sweep), 0)
        yield from watch(run_id)

    monkeypatch.setattr(queue, "watch", watched_elsewhere)
    (trial,) = carry_out(sweep)
    assert trial.state == "complete"
    assert sweep.tried() == [trial]


def test_in_a_folder_that_locks_no_files_a_sweep_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UserFacingError, match="No files can be locked in"):
        asked()
    assert sweeps.names() == []


@pytest.mark.parametrize("glued", [b"", b'{"op_code":0}\n'])
def test_half_a_line_in_its_journal_breaks_no_sweep(glued: bytes) -> None:
    sweep = asked()
    study = sweeps._study(sweep)
    study.tell(study.ask(), 0.5)
    with (sweep.folder / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code":4,"wor' + glued)
    assert [trial.accuracy for trial in sweep.tried()] == [0.5]
    for known, accuracy in ((study, 0.6), (sweeps._study(sweep), 0.7)):
        known.tell(known.ask(), accuracy)
    assert [trial.accuracy for trial in sweep.tried()] == [0.5, 0.6, 0.7]


def test_a_look_at_a_sweep_writes_nothing_and_waits_for_nobody() -> None:
    sweep = asked()

    def files() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in sweep.folder.iterdir()}

    before = files()
    with held(sweep.folder / "journal.lock"):
        assert sweeps.names() == ["mine"]
        assert not sweep.carried_out
        assert sweep.tried() == []
        assert sweep.importance() == {}
    assert files() == before


@pytest.mark.parametrize("content", [b"", b"{}", b'{"name": "mi'])
@pytest.mark.parametrize("file", ["sweep.json", "journal.log"])
def test_a_damaged_sweep_is_named_and_hides_no_other(
    file: str, content: bytes, capsys: pytest.CaptureFixture
) -> None:
    damaged = asked().folder / file
    asked(name="other")
    damaged.write_bytes(content + b"\n")
    assert main(["sweeps"]) == 0
    told = capsys.readouterr()
    assert told.out == "other: softmax, 0 of 3 trials\n"
    assert f"{damaged} is damaged" in told.err


def test_a_trial_that_got_no_run_is_none_and_the_sweep_says_why_it_broke_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(plan: Plan) -> Run:
        raise RunError("The disk is full.")

    monkeypatch.setattr(queue, "start", refuse)
    sweep = asked(trials=1)
    for _ in range(2):
        with pytest.raises(RunError), sweeps.carrying_out(sweep):
            list(carry_out(sweep))
        assert sweep.tried() == []
        assert sweep.failure == "The disk is full."
    with sweeps.carrying_out(sweep):
        assert sweep.failure is None


def test_no_recipe_is_tried_twice_and_none_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Recipe] = []

    def start(plan: Plan) -> SimpleNamespace:
        made.append(plan.recipe)
        return SimpleNamespace(id=str(len(made)))

    monkeypatch.setattr(queue, "start", start)
    space = (Dimension.parse("optimizer", "adamw,muon,adamw"), Dimension.parse("epochs", "1..6"))
    sweep = asked(trials=20, space=space)
    study = sweeps._study(sweep)
    while len(made) < 20 and (number := sweeps._ask(sweep, study)) is not None:
        study.tell(number, made[-1].epochs / 6)
    assert {(recipe.optimizer, recipe.epochs) for recipe in made} == set(
        itertools.product(("adamw", "muon"), range(1, 7))
    )
    assert len(made) == sweep.tries == len(sweep.tried()) == 12


def test_another_sweep_under_the_same_name_is_refused() -> None:
    asked()
    with pytest.raises(UserFacingError, match="another sweep named mine"):
        asked(trials=4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "../x"}, "can't name a sweep"),
        ({"space": ()}, "at least one field"),
        ({"trials": 0}, "1 to 10,000"),
        ({"limit": 0}, "at least one image"),
    ],
)
def test_what_is_no_sweep_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserFacingError, match=sentence):
        asked(**changes)
    assert not sweeps.names()
