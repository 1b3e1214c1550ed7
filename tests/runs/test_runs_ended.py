"""What a run's process notes at its end stands for all of its files, until the run goes on."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fmnist.machine.locks import held
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, worker
from fmnist.runs import run as run_module
from fmnist.runs.run import Plan, Run, RunError, all_runs, read_run
from fmnist.words import Words

pytestmark = pytest.mark.usefixtures("small")
SHORT = Plan("softmax", Recipe(epochs=3, batch_size=50), "drawn", "cpu", limit=200)


@pytest.fixture
def carried_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[Plan], Run]:
    """Carries out runs in this process, as their own would."""
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)

    def carry_out(plan: Plan) -> Run:
        run = queue.start(plan)
        return again(run)

    return carry_out


def again(run: Run) -> Run:
    with held(run.folder / "lock"):
        worker._carry_out(run, together=False)
    return read_run(run.id)


def finished(carry_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch) -> Run:
    return carry_out(replace(SHORT, title="mine", origin=Words("run {run}", run="before")))


def stopped(carry_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch) -> Run:
    write_progress = worker.write_progress

    def then_stop(run: Run, progress: worker.Progress) -> None:
        write_progress(run, progress)
        (run.folder / "stop").touch()

    with monkeypatch.context() as patch:
        patch.setattr(worker, "write_progress", then_stop)
        return carry_out(replace(SHORT, recipe=replace(SHORT.recipe, people=1.0)))


def failed(carry_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch) -> Run:
    return carry_out(replace(SHORT, data="real"))


@pytest.mark.parametrize("end", [finished, stopped, failed])
def test_the_note_says_of_a_run_what_its_files_say(
    end: Callable[..., Run], carried_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = end(carried_out, monkeypatch).id
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "_looked_at", None)  # at its files
        noted = read_run(run_id)
        assert noted.state == end.__name__
        shown = noted.summary()
        assert [run.summary() for run in all_runs()] == [shown]
    (noted.folder / "ended.json").unlink()
    read = read_run(run_id)
    for part in ("plan", "card", "notice", "failure", "progress", "node", "best", "last"):
        assert getattr(noted, part) == getattr(read, part)
    assert shown == read.summary()
    assert noted.failure is None or noted.failure.values == read.failure.values


def test_resumed_it_is_read_anew_and_noted_anew(
    carried_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stopped(carried_out, monkeypatch)
    queue.resume(run.id)
    assert read_run(run.id).state == "queued"
    done = again(run)
    assert (done.state, done.last["epoch"], done.outcome is not None) == ("finished", 3, True)


def test_a_process_that_is_begun_by_hand_takes_the_note_away(
    carried_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = failed(carried_out, monkeypatch)
    states = []
    monkeypatch.setattr(worker, "pictures_by_people", lambda run: states.append(read_run(run.id)))
    with held(run.folder / "lock"):
        worker._carry_out(run, together=False)
    assert [run.state for run in states] == ["running"]


def test_a_note_of_another_version_is_passed_over(carried_out: Callable[[Plan], Run]) -> None:
    run = carried_out(SHORT)
    for text in ("{}", "[]", '{"plan": {"loss": NaN}}', ""):
        (run.folder / "ended.json").unlink()
        (run.folder / "ended.json").write_text(text)
        assert (read_run(run.id).state, read_run(run.id).outcome) == ("finished", None)


def test_a_note_that_finds_no_room_is_not_missed(
    carried_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole = worker.write_whole

    def full(path: Path, content: bytes) -> None:
        if path.name == "ended.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_whole(path, content)

    monkeypatch.setattr(worker, "write_whole", full)
    run = carried_out(SHORT)
    assert (run.state, run.outcome, run.failure) == ("finished", None, None)


def test_a_run_that_is_deleted_is_gone_though_its_end_was_noted(
    carried_out: Callable[[Plan], Run],
) -> None:
    run = carried_out(SHORT)
    queue.delete(run.id)
    with pytest.raises(RunError, match="There is no run"):
        read_run(run.id)
    assert all_runs() == []
    assert run.progress == []
