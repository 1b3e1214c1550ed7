"""Who starts a run where: this machine, or a cluster that shares the folder of the runs with it.

FMNIST_LAUNCHER chooses: `local`, `ray` or `slurm`. A cluster is given a job, and the run's folder
says so in job.json; the run's process takes its lock by itself, wherever it starts. While the lock
is free, because the job waits or because the folder shares no locks, the cluster is asked.
"""

import os
import secrets
import shlex
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from fmnist import PROJECT
from fmnist.machine import devices
from fmnist.machine.errors import UserFacingError
from fmnist.runs.launchers.job import Job, Standing, Task
from fmnist.words import Words

LAUNCHERS = ("local", "ray", "slurm")
A_WHILE, LONGER = 2.0, 10.0
"""Seconds for which the answer of a cluster counts, and for which one that fails isn't asked."""
HANDING_OVER = 60.0
"""Seconds after which whoever was handing a run over must have gone."""


class Cluster(Protocol):
    """What the module of a cluster has; each of these raises UserFacingError in its trouble."""

    def submit(self, task: Task) -> Job:
        """Hand a task over."""

    def standings(self, at: str) -> Mapping[str, Standing]:
        """How the jobs stand that the cluster knows, by what it calls them; others are gone."""


_refusals: dict[tuple[str, str], tuple[float, UserFacingError]] = {}
"""By launcher and address: until when a cluster in trouble is left alone, and what it is."""
_answers: dict[tuple[str, str], tuple[float, float, Mapping[str, Standing] | None]] = {}
"""By launcher and address: when a cluster was asked, until when that counts, and the answer."""
_heard_of: dict[Job, float] = {}
"""When a job was first seen here, on this machine's own clock."""


def chosen() -> str:
    """Who starts runs here; raises UserFacingError where FMNIST_LAUNCHER names nobody."""
    name = os.environ.get("FMNIST_LAUNCHER") or "local"
    if name not in LAUNCHERS:
        raise UserFacingError(
            "FMNIST_LAUNCHER is {name!r}, and there is no such launcher: choose from {known}.",
            name=name,
            known=", ".join(LAUNCHERS),
        )
    return name


def on_cluster() -> bool:
    """Whether runs are started by a cluster; raises what `chosen` does."""
    return chosen() != "local"


def device(asked: str) -> str:
    """The device that a run asked so for trains on, cpu or cuda.

    A cluster may have GPUs where this machine has none. Raises UserFacingError where there is none.
    """
    if not on_cluster():
        return devices.choose(asked).type
    if asked == "auto":
        asked = os.environ.get("FMNIST_DEVICE") or "auto"
    if asked == "cuda" and not _gpus():
        raise UserFacingError(
            "A run on the cluster is given no GPU: set FMNIST_GPUS_PER_RUN to 1 or more."
        )
    return "cuda" if _gpus() and asked != "cpu" else "cpu"


def to_be() -> Job:
    """What stands for a job while it is being handed over; no two are the same."""
    return Job(chosen(), "", f"{socket.gethostname()} {secrets.token_hex(4)}")


def submit(run_id: str, folder: Path, device: str) -> Job:
    """Hand a run over to the cluster; raises UserFacingError where that can't be done."""
    launcher, gpus = chosen(), _gpus() if device == "cuda" else 0
    key = (launcher, os.environ.get("RAY_ADDRESS", ""))
    until, refusal = _refusals.get(key, (0.0, None))
    if refusal and time.monotonic() < until:
        raise UserFacingError(refusal.words)
    line = _line(run_id, folder, gpus)
    try:
        job = _cluster(launcher).submit(Task(run_id, line, folder, _threads(), gpus))
    except UserFacingError as error:
        _refusals[key] = (time.monotonic() + LONGER, error)
        raise
    return job


def standing(job: Job) -> Standing | None:
    """How a job stands; None where its cluster can't be asked."""
    seen, now = _heard_of.setdefault(job, time.monotonic()), time.monotonic()
    if not job.id:
        return "waiting" if now - seen < HANDING_OVER else "gone"
    key = (job.launcher, job.at)
    asked, until, answer = _answers.get(key, (0.0, 0.0, None))
    # What was answered before a job was heard of, which another process handed over, knows it not.
    too_early = answer is not None and job.id not in answer and asked < seen
    if now >= until or too_early:
        try:
            answer = _cluster(job.launcher).standings(job.at)
        except UserFacingError:
            answer = None
        wait = LONGER if answer is None else A_WHILE
        _answers[key] = (now, time.monotonic() + wait, answer)
    return None if answer is None else answer.get(job.id, "gone")


def where(job: Job | None, node: str | None) -> Words | None:
    """Where a run is or was carried out, as far as that is known."""
    if job is None or not job.id:
        if node in (None, socket.gethostname()):
            return Words("this machine")
        return Words("{node}", node=node)
    called = _cluster_words(job)
    return called if node is None else Words("{job} on {node}", job=called, node=node)


def _cluster_words(job: Job) -> Words:
    if job.launcher == "ray":
        return Words("Ray job {job}", job=job.id)
    return Words("SLURM job {job}", job=job.id)


def _cluster(launcher: str) -> Cluster:
    """The module that knows a cluster; its engine is loaded by nobody else."""
    if launcher == "ray":
        from fmnist.runs.launchers import ray_jobs

        return ray_jobs
    from fmnist.runs.launchers import slurm

    return slurm


def _gpus() -> int:
    """How many GPUs each run is given on a cluster."""
    text = os.environ.get("FMNIST_GPUS_PER_RUN") or "0"
    if not text.isdecimal():
        raise UserFacingError("FMNIST_GPUS_PER_RUN is {text!r}; give a whole number.", text=text)
    return int(text)


def _threads() -> int:
    """How many threads, and so CPUs, a run on a cluster has; the same wherever it goes on."""
    text = os.environ.get("OMP_NUM_THREADS") or "1"
    return int(text) if text.isdecimal() else 1


def _line(run_id: str, folder: Path, gpus: int) -> str:
    """What a shell on a node is to do; several GPUs are one process each, under torchrun."""
    worker = ["-m", "fmnist.runs.worker", run_id]
    if gpus > 1:
        worker = [
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={gpus}",
            *worker,
        ]
    known = {name: value for name, value in os.environ.items() if name.startswith("FMNIST_")}
    known |= {"FMNIST_RUNS": str(folder.parent.resolve()), "OMP_NUM_THREADS": str(_threads())}
    given = [f"{name}={value}" for name, value in known.items()]
    command = shlex.join(["env", *given, sys.executable, *worker])
    log = shlex.quote(str(folder.resolve() / "log.txt"))
    return f"cd {shlex.quote(str(PROJECT))} && exec {command} >> {log} 2>&1"
