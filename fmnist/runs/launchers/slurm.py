"""A run as a job of SLURM, handed over by submitit; pre-empted or out of time it is queued again.

Partition, account, time limit and the like are those of sbatch's own variables (SBATCH_PARTITION).
FMNIST_SUBMITIT=local has submitit run the jobs on this machine, without SLURM.
"""

import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmnist import PROJECT
from fmnist.machine.errors import UserFacingError
from fmnist.runs.launchers.job import Job, Standing, Task

if TYPE_CHECKING:
    from submitit.core.utils import DelayedSubmission

MINUTES = 60
"""For which a job asks at a time; being exact in going on, a run may be cut anywhere."""
AGAIN = 10_000
"""How often a job may run out of its time."""
PATIENCE = 20
"""Seconds that SLURM has to list its jobs."""
WAITING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT")


class Command:
    """What submitit carries out, and carries out anew wherever the job goes on."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> None:
        # SLURM announces the end of a job to every process in it. SIGUSR2 is for submitit alone.
        # SIGTERM comes where a job that is pre-empted has some grace; if its process ended then,
        # the job would have failed, and not be queued again. So it goes on until it is killed.
        deaf = "trap '' USR2 TERM; export PET_SIGNALS_TO_HANDLE=SIGINT"  # which torchrun reads
        self.process = subprocess.Popen(["sh", "-c", f"{deaf}; {self.line}"])
        if status := self.process.wait():
            raise subprocess.CalledProcessError(status, self.line)

    def checkpoint(self) -> "DelayedSubmission":
        """End the process, whose state is in its folder, and begin anew.

        `__call__` waits for it, which this interrupts; the next process waits for its lock.
        """
        from submitit.core.utils import DelayedSubmission

        if self.process:
            self.process.kill()
        return DelayedSubmission(Command(self.line))


def submit(task: Task) -> Job:
    """Hand a task over to SLURM; raises UserFacingError where it doesn't take it."""
    try:
        import submitit
    except ImportError:
        raise UserFacingError(
            "FMNIST_LAUNCHER is slurm, and submitit is not installed: "
            "pip install -r requirements-slurm.txt."
        ) from None
    at = os.environ.get("FMNIST_SUBMITIT") or "slurm"
    setup = [f"export PYTHONPATH={shlex.quote(str(PROJECT))}"]
    wishes: dict[str, Any] = {"cpus_per_task": task.cpus, "gpus_per_node": task.gpus or None}
    wishes |= {"timeout_min": MINUTES, "name": task.name, f"{at}_setup": setup}
    if at == "slurm":
        wishes["slurm_additional_parameters"] = {"requeue": True}
        wishes["slurm_srun_args"] = [f"--cpus-per-task={task.cpus}"]
    try:
        executor = submitit.AutoExecutor(
            task.folder / "submitit", cluster=at, slurm_max_num_timeout=AGAIN
        )
        executor.update_parameters(**wishes)
        wanted = {
            name: value
            for name, value in os.environ.items()
            if name == "SLURM_CONF" or name.startswith("SBATCH_")
        }
        with submitit.helpers.clean_env():  # a job that hands over another is not its parent
            os.environ.update(wanted)
            job = executor.submit(Command(task.line)).job_id
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        raise _trouble(error) from None
    if at == "local":
        _await_name(job)
    return Job("slurm", job, at)


def standings(at: str) -> Mapping[str, Standing]:
    """How the jobs stand that SLURM has not done with."""
    if at == "local":
        return dict.fromkeys(_of_submitit(), "running")
    try:
        listed = subprocess.run(
            ["squeue", "--noheader", "--format=%A|%T"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise _trouble(error) from None
    jobs = (line.split("|") for line in listed.splitlines())
    return {job: "waiting" if state in WAITING else "running" for job, state in jobs}


def _await_name(process: str) -> None:
    """Wait until a process that has just begun has the line by which it is known."""
    with suppress(OSError):  # it has ended already
        while not Path(f"/proc/{process}/cmdline").read_bytes() and _lives(process):
            time.sleep(0.01)


def _lives(process: str) -> bool:
    return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()


def _of_submitit() -> list[str]:
    """The processes here that carry out jobs for submitit; one that has ended has no line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"submitit.local._local" in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:  # it ended meanwhile
            continue
    return found


def _trouble(error: Exception) -> UserFacingError:
    said = getattr(error, "stderr", None) or str(error)
    return UserFacingError(
        "SLURM doesn't take the run: {reason}. See that sbatch and squeue work here. The runs stay "
        "queued until then.",
        reason=" ".join(str(said).split()).rstrip("."),
    )
