import errno
import fcntl
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fmnist import PROJECT
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held
from fmnist.models.recipe import Recipe
from fmnist.runs import launchers, queue, worker
from fmnist.runs.launchers.job import Job, Standing, Task
from fmnist.runs.run import Plan, Run, RunError, all_runs, queued_runs, read_run, runs_folder

SHORT = Plan("softmax", Recipe(epochs=2, batch_size=50), "drawn", "auto", limit=200)


@dataclass
class Cluster:
    """What a cluster says of its jobs, and whether it can be asked."""

    jobs: dict[str, Standing] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    is_there: bool = True

    def submit(self, task: Task) -> Job:
        if not self.is_there:
            raise UserFacingError("There is no cluster.")
        self.tasks.append(task)
        job = f"job-{len(self.tasks)}"
        self.jobs[job] = "waiting"
        return Job("ray", job, "here")

    def standings(self, at: str) -> dict[str, Standing]:
        if not self.is_there:
            raise UserFacingError("There is no cluster.")
        return self.jobs


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """One that is asked anew each time, and the launcher of this test."""
    made = Cluster()
    runs_folder().mkdir(parents=True)
    monkeypatch.setenv("FMNIST_LAUNCHER", "ray")
    monkeypatch.setattr(launchers, "_cluster", lambda launcher: made)
    monkeypatch.setattr(launchers, "A_WHILE", 0.0)
    monkeypatch.setattr(launchers, "LONGER", 0.0)
    return made


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is one that locks no files."""

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def in_a_job(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run after its process, as a node begins it, has come to its end here."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["worker", run.id])
        patch.setattr(worker.os, "nice", lambda more: 0)
        worker.main()
    return read_run(run.id)


def test_a_run_waits_at_the_cluster_and_is_handed_over_once(cluster: Cluster) -> None:
    run = queue.start(SHORT)
    for _ in range(3):
        assert queue.dispatch() is None
    assert [task.name for task in cluster.tasks] == [run.id]
    run = read_run(run.id)
    assert (run.state, run.where) == ("queued", "Ray job job-1")
    assert run.summary()["where"] == "Ray job job-1"
    assert json.loads((run.folder / "job.json").read_text())["id"] == "job-1"


@pytest.mark.usefixtures("small")
def test_its_process_takes_the_lock_trains_and_says_on_which_node(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue.start(SHORT)
    monkeypatch.setattr(worker.socket, "gethostname", lambda: "node7")
    states = []
    write_progress = worker.write_progress

    def watched(run: Run, progress: object) -> None:
        write_progress(run, progress)
        states.append(read_run(run.id).state)

    monkeypatch.setattr(worker, "write_progress", watched)
    done = in_a_job(run, monkeypatch)
    assert set(states) == {"running"}
    assert (done.state, done.where) == ("finished", "Ray job job-1 on node7")
    assert not (done.folder / "queued").exists()


@pytest.mark.parametrize(
    ("standing", "state"), [("waiting", "queued"), ("running", "running"), ("gone", "interrupted")]
)
def test_of_a_run_whose_lock_is_free_the_cluster_says_whether_it_lives(
    cluster: Cluster, standing: Standing, state: str
) -> None:
    run = queue.start(SHORT)
    (run.folder / "queued").unlink()  # as its process does
    cluster.jobs["job-1"] = standing
    assert read_run(run.id).state == state


def test_a_job_that_another_machine_handed_over_after_the_cluster_was_asked_is_not_gone(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Counter[str]()

    def standings(at: str) -> dict[str, Standing]:
        asked[at] += 1
        return dict(cluster.jobs)

    monkeypatch.setattr(cluster, "standings", standings)
    monkeypatch.setattr(launchers, "A_WHILE", 1000.0)
    one, other = Job("ray", "one", "here"), Job("ray", "other", "here")
    cluster.jobs["one"] = "running"
    assert launchers.standing(one) == "running"
    cluster.jobs["other"] = "waiting"
    del cluster.jobs["one"]
    assert [launchers.standing(other) for _ in range(2)] == ["waiting"] * 2
    assert launchers.standing(one) == "gone"
    assert asked == {"here": 2}


def test_what_a_lost_process_left_is_not_said_of_a_run_that_another_finished(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    run = queue.start(SHORT)
    (run.folder / "failure.txt").write_text("RuntimeError: a process was lost")
    done = in_a_job(run, monkeypatch)
    assert (done.state, done.failure) == ("finished", None)


def test_a_run_that_lost_its_node_is_resumed_by_another_job(cluster: Cluster) -> None:
    run = queue.start(SHORT)
    (run.folder / "queued").unlink()
    del cluster.jobs["job-1"]
    assert read_run(run.id).state == "interrupted"
    queue.resume(run.id)
    run = read_run(run.id)
    assert (run.state, run.job) == ("queued", Job("ray", "job-2", "here"))


def test_a_job_that_ended_before_its_run_began_leaves_it_interrupted(cluster: Cluster) -> None:
    run = queue.start(SHORT)
    del cluster.jobs["job-1"]
    queue.dispatch()
    assert read_run(run.id).state == "interrupted"
    assert len(cluster.tasks) == 1


def test_a_job_that_the_cluster_had_no_room_for_in_time_is_handed_over_again(
    cluster: Cluster,
) -> None:
    run = queue.start(SHORT)
    cluster.jobs["job-1"] = "late"
    queue.dispatch()
    run = read_run(run.id)
    assert (run.state, run.job and run.job.id) == ("queued", "job-2")


def test_stopped_while_it_waits_it_is_stopped_and_its_job_has_nothing_to_do(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue.start(SHORT)
    queue.stop(run.id)
    assert read_run(run.id).state == "stopped"
    assert in_a_job(run, monkeypatch).progress == []


def test_resumed_while_its_job_waits_it_is_not_handed_over_twice(cluster: Cluster) -> None:
    run = queue.start(SHORT)
    queue.stop(run.id)
    queue.resume(run.id)
    assert read_run(run.id).state == "queued"
    assert len(cluster.tasks) == 1


@pytest.mark.usefixtures("small")
def test_a_second_job_of_a_run_that_has_ended_does_nothing(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = in_a_job(queue.start(SHORT), monkeypatch)
    assert run.state == "finished"
    again: list[Run] = []
    monkeypatch.setattr(worker, "execute", again.append)
    in_a_job(run, monkeypatch)
    assert again == []


def test_without_a_cluster_runs_stay_queued_and_are_handed_over_when_it_is_there(
    cluster: Cluster,
) -> None:
    cluster.is_there = False
    run = queue.start(SHORT)
    assert queue.dispatch() == "There is no cluster."
    run = read_run(run.id)
    assert (run.state, run.job) == ("queued", None)
    cluster.is_there = True
    assert queue.dispatch() is None
    assert read_run(run.id).job


def test_a_run_whose_cluster_cannot_be_asked_counts_as_alive_until_it_is_to_stop(
    cluster: Cluster,
) -> None:
    run = queue.start(SHORT)
    (run.folder / "queued").unlink()
    cluster.is_there = False
    assert read_run(run.id).state == "running"
    queue.stop(run.id)
    assert read_run(run.id).state == "stopped"


def test_nobodys_second_run_waits_at_the_cluster_before_anothers_first(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "WAITING_THERE", 2)
    cluster.is_there = False
    people = [queue.start(replace(SHORT, classroom="ABC", person=who)) for who in "aaab"]
    cluster.is_there = True
    queue.dispatch()
    assert [task.name for task in cluster.tasks] == [people[0].id, people[3].id]


def test_a_cluster_is_handed_more_as_those_that_wait_begin(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "WAITING_THERE", 2)
    runs = [queue.start(SHORT) for _ in range(4)]
    assert len(cluster.tasks) == 2
    with held(runs[0].folder / "lock"):
        (runs[0].folder / "queued").unlink()
        cluster.jobs["job-1"] = "running"
        queue.dispatch()
        assert len(cluster.tasks) == 3


def test_a_full_folder_is_said_and_hands_nothing_over(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.is_there = False
    run = queue.start(SHORT)
    cluster.is_there = True

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(queue, "write_new", full)
        patch.setattr(queue, "write_whole", full)
        assert "No space left" in str(queue.dispatch())
        with pytest.raises(RunError, match="No space left"):
            queue.start(SHORT)
    assert cluster.tasks == []
    assert [run.id for run in all_runs()] == [run.id]
    assert queue.dispatch() is None
    assert read_run(run.id).job


@pytest.mark.usefixtures("small", "without_locks")
def test_in_a_folder_that_locks_no_files_a_cluster_carries_runs_out(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue.start(SHORT)
    assert [task.name for task in cluster.tasks] == [run.id]
    cluster.jobs["job-1"] = "running"
    (run.folder / "queued").unlink()
    assert read_run(run.id).state == "running"
    assert in_a_job(run, monkeypatch).state == "finished"


@pytest.mark.usefixtures("without_locks")
def test_of_machines_that_dispatch_at_once_without_locks_one_hands_a_run_over(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.is_there = False
    runs = [queue.start(SHORT) for _ in range(3)]
    cluster.is_there = True
    submit = cluster.submit

    def while_another_dispatches(task: Task) -> Job:
        if len(cluster.tasks) < len(runs):
            assert queue.dispatch() is None
            assert {run.state for run in all_runs()} == {"queued"}
        return submit(task)

    monkeypatch.setattr(cluster, "submit", while_another_dispatches)
    assert queue.dispatch() is None
    assert sorted(task.name for task in cluster.tasks) == sorted(run.id for run in runs)
    assert all(run.job and run.job.id for run in all_runs())


def test_a_run_that_was_being_handed_over_by_who_has_gone_is_interrupted_and_resumed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.is_there = False
    run = queue.start(SHORT)
    (run.folder / "job.json").write_text(json.dumps(launchers.to_be()._asdict()))
    cluster.is_there = True
    queue.dispatch()
    assert (read_run(run.id).state, read_run(run.id).where) == ("queued", None)
    monkeypatch.setattr(launchers, "HANDING_OVER", 0.0)
    queue.dispatch()
    assert read_run(run.id).state == "interrupted"
    assert cluster.tasks == []
    queue.resume(run.id)
    assert [task.name for task in cluster.tasks] == [run.id]


def test_a_folder_that_has_gone_is_said_and_not_made_anew(cluster: Cluster) -> None:
    runs_folder().rmdir()
    assert "not there" in str(queue.dispatch())
    with pytest.raises(RunError, match="not there"):
        queue.start(SHORT)
    assert not runs_folder().exists()


def test_an_unknown_launcher_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMNIST_LAUNCHER", "teapot")
    with pytest.raises(UserFacingError, match="choose from local, ray, slurm"):
        queue.start(SHORT)
    assert "teapot" in str(queue.dispatch())
    assert all_runs() == []


def test_a_run_whose_turn_comes_while_another_is_queued_stands_in_nobodys_way(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.is_there = False
    queue.start(SHORT)

    def gone(path: Path) -> str:
        raise FileNotFoundError(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", gone)
        queue._queue(runs_folder())
    assert int((runs_folder() / "queued").read_text()) > 0


def test_a_machine_whose_clock_is_behind_queues_behind_those_that_wait(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.is_there = False
    first = queue.start(SHORT)
    monkeypatch.setattr(queue.time, "time_ns", lambda: 1)
    second, third = queue.start(SHORT), queue.start(SHORT)
    assert [run.id for run in queued_runs()] == [first.id, second.id, third.id]


def test_a_cluster_trains_on_gpus_if_its_runs_are_given_any(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserFacingError, match="FMNIST_GPUS_PER_RUN"):
        queue.start(replace(SHORT, device="cuda"))
    monkeypatch.setenv("FMNIST_GPUS_PER_RUN", "4")
    assert queue.start(SHORT).plan.device == "cuda"
    assert queue.start(replace(SHORT, device="cpu")).plan.device == "cpu"
    on_gpus, on_cpu = cluster.tasks
    assert (on_gpus.gpus, on_cpu.gpus) == (4, 0)
    assert "--nproc-per-node=4 -m fmnist.runs.worker" in on_gpus.line
    assert "torch.distributed" not in on_cpu.line
    monkeypatch.setenv("FMNIST_GPUS_PER_RUN", "some")
    with pytest.raises(UserFacingError, match="whole number"):
        queue.start(SHORT)


def test_the_line_for_a_node_names_the_folder_and_as_many_threads_everywhere(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    queue.start(SHORT)
    (task,) = cluster.tasks
    assert task.cpus == 3
    assert f"FMNIST_RUNS={runs_folder().resolve()}" in task.line
    assert "OMP_NUM_THREADS=3" in task.line


@pytest.mark.parametrize(("launcher", "package"), [("ray", "Ray"), ("slurm", "submitit")])
def test_an_engine_that_is_not_installed_is_said(
    launcher: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs_folder().mkdir(parents=True)
    monkeypatch.setenv("FMNIST_LAUNCHER", launcher)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    for name in ("ray", "ray.job_submission", "submitit"):
        monkeypatch.setitem(sys.modules, name, None)
    run = queue.start(SHORT)
    trouble = str(queue.dispatch())
    assert f"{package} is not installed" in trouble
    assert f"requirements-{launcher}.txt" in trouble
    assert read_run(run.id).state == "queued"


def test_ended_runs_are_read_once_and_again_when_a_file_of_theirs_changes(
    cluster: Cluster,
) -> None:
    run = queue.start(SHORT)
    queue.stop(run.id)
    first = read_run(run.id)
    assert read_run(run.id) is first
    write_whole(run.folder / "notice.txt", b"The GPU failed.")
    assert read_run(run.id).notice == "The GPU failed."


@pytest.mark.slow
def test_no_engine_is_loaded_unless_it_is_chosen() -> None:
    script = (
        "from fmnist.runs import queue; import sys; queue.dispatch()\n"
        "print({'ray', 'submitit'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr
