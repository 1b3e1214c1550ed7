import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from waiting import end_all
from waiting import wait_for_cluster as wait

from fmnist.models.recipe import Recipe
from fmnist.runs import launchers, queue
from fmnist.runs.launchers import slurm
from fmnist.runs.run import Plan, read_run, runs_folder

LONG = Plan("softmax", Recipe(epochs=60, batch_size=10), "drawn", "cpu", limit=300)


@pytest.fixture
def by_submitit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs are handed to submitit, which needs no SLURM so."""
    monkeypatch.setenv("FMNIST_LAUNCHER", "slurm")
    monkeypatch.setenv("FMNIST_SUBMITIT", "local")
    monkeypatch.setattr(launchers, "A_WHILE", 0.0)
    runs_folder().mkdir(parents=True)
    yield
    end_all(wait)


def child(process: str) -> str:
    """The one process that another has started."""
    found = subprocess.run(["pgrep", "-P", process], capture_output=True, text=True)
    return found.stdout.strip()


@pytest.mark.slow
@pytest.mark.usefixtures("by_submitit")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # submitit lets go of what it started
def test_a_run_that_is_pre_empted_goes_on_and_ends_as_one_that_never_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost, whole = queue.start(LONG), queue.start(LONG)
    lost = wait(lost.id, lambda run: len(run.progress) > 10)
    assert lost.job
    assert lost.where == f"SLURM job {lost.job.id} on {os.uname().nodename}"
    task = child(child(lost.job.id))  # of a shell, and of what stands for SLURM
    os.kill(int(task), signal.SIGUSR2)  # as SLURM announces the end of a job
    lost, whole = (wait(run.id, lambda run: not run.active) for run in (lost, whole))
    assert "Requeued" in "".join(
        path.read_text() for path in (lost.folder / "submitit").glob("*_log.*")
    )
    assert (lost.state, whole.state) == ("finished", "finished")
    assert lost.card
    assert whole.card
    assert lost.card.sha256 == whole.card.sha256
    steps = [line["step"] for line in lost.progress]
    assert steps == sorted(set(steps))


def all_of(process: int) -> list[int]:
    """A process, those that it has started, and theirs."""
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True)
    return [process, *(each for child in found.stdout.split() for each in all_of(int(child)))]


@pytest.mark.parametrize(
    ("launch", "count"),
    [
        ([], 1),
        pytest.param(
            ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"],
            2,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_job_that_is_given_some_grace_goes_on_until_it_is_killed(
    launch: list[str], count: int, tmp_path: Path
) -> None:
    script = tmp_path / "work.py"
    script.write_text(
        "import os, pathlib, sys, time\n"
        "folder, rank = pathlib.Path(sys.argv[1]), os.environ.get('RANK', '0')\n"
        "(folder / f'begun-{rank}').touch()\n"
        "while not (folder / 'go').exists(): time.sleep(0.05)\n"
        "(folder / f'done-{rank}').touch()\n"
    )
    command = slurm.Command(
        shlex.join(["exec", sys.executable, *launch, str(script), str(tmp_path)])
    )
    with ThreadPoolExecutor() as pool:
        ends = pool.submit(command)
        deadline = time.monotonic() + 120
        while len([*tmp_path.glob("begun-*")]) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert command.process
        for process in all_of(command.process.pid):
            os.kill(process, signal.SIGTERM)
        time.sleep(0.5)
        (tmp_path / "go").touch()
        ends.result(120)  # raises where it failed
    assert len([*tmp_path.glob("done-*")]) == count


def of(folder: Path, **programs: str) -> str:
    """A PATH with programs that answer so."""
    for name, script in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_every_state_of_a_job_is_one_that_waits_or_one_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = "printf '1|PENDING\\n2|RUNNING\\n3|COMPLETING\\n4|CONFIGURING\\n5|REQUEUED\\n'"
    monkeypatch.setenv("PATH", of(tmp_path, squeue=listed))
    assert slurm.standings("slurm") == {
        "1": "waiting",
        "2": "running",
        "3": "running",
        "4": "running",
        "5": "waiting",
    }


def test_what_sbatch_says_against_a_run_is_said_and_the_run_stays_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMNIST_LAUNCHER", "slurm")
    refusal = "echo 'sbatch: error: invalid partition specified: fast' >&2; exit 1"
    monkeypatch.setenv("PATH", of(tmp_path, srun="true", sbatch=refusal))
    runs_folder().mkdir(parents=True)
    run = queue.start(replace(LONG, limit=100))
    assert "invalid partition specified: fast" in str(queue.dispatch())
    run = read_run(run.id)
    assert (run.state, run.job) == ("queued", None)


def test_a_job_asks_for_being_requeued_for_its_threads_and_for_its_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMNIST_LAUNCHER", "slurm")
    monkeypatch.setenv("FMNIST_GPUS_PER_RUN", "2")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("SLURM_CONF", "/etc/ours.conf")
    monkeypatch.setenv("SBATCH_PARTITION", "fast")
    monkeypatch.setenv("SLURM_JOB_ID", "7")  # of the job that hands this one over
    told = f'echo "$SLURM_CONF" "$SBATCH_PARTITION" "$SLURM_JOB_ID" > {tmp_path}/told'
    taken = f'cp "$1" {tmp_path}/script; {told}; echo Submitted batch job 12'
    monkeypatch.setenv("PATH", of(tmp_path, srun="true", sbatch=taken, squeue="echo '12|PENDING'"))
    runs_folder().mkdir(parents=True)
    run = read_run(queue.start(replace(LONG, device="auto")).id)
    script = (tmp_path / "script").read_text()
    for line in ("requeue", "cpus-per-task=3", "gpus-per-node=2", f"job-name={run.id}"):
        assert f"#SBATCH --{line}\n" in script
    assert (tmp_path / "told").read_text().split() == ["/etc/ours.conf", "fast"]
    assert "SBATCH_PARTITION" in os.environ
    assert (run.state, run.where) == ("queued", "SLURM job 12")
