"""A run as a job of a Ray cluster; RAY_ADDRESS says which, as http://HOST:8265, or the one here.

The job is one process on whichever node has room (Moritz et al. 2018, "Ray"). A node that is lost
takes its jobs with it: their runs are interrupted, and resumed as any other.
"""

import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fmnist.machine.errors import UserFacingError
from fmnist.runs.launchers.job import Job, Standing, Task

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

PATIENCE = 3.0
"""Seconds that a cluster has to answer a call for a connection."""
FIRST_OF_ALL = "RAY_API_SERVER_ADDRESS"
"""What Ray goes by before all else."""
LATE = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
"""What Ray says of a job that found no room in RAY_JOB_START_TIMEOUT_SECONDS."""
_naming = Lock()
STANDINGS: Mapping[str, Standing] = {"PENDING": "waiting", "RUNNING": "running"}


def submit(task: Task) -> Job:
    """Hand a task over to the cluster of RAY_ADDRESS; raises UserFacingError in its trouble."""
    address = os.environ.get("RAY_ADDRESS") or "auto"
    with _asked(address):
        client = _client(address)
        job = client.submit_job(
            entrypoint=task.line,
            submission_id=f"{task.name}-{secrets.token_hex(3)}",
            entrypoint_num_cpus=task.cpus,
            entrypoint_num_gpus=task.gpus or None,
        )
        return Job("ray", job, client.get_address())


def standings(at: str) -> Mapping[str, Standing]:
    """How the jobs of a cluster stand that wait or run, or came too late."""
    with _asked(at):
        return {
            job.submission_id: "late" if job.error_type == LATE else STANDINGS[job.status]
            for job in _client(at).list_jobs()
            if job.submission_id and (job.error_type == LATE or job.status in STANDINGS)
        }


@lru_cache
def _client(address: str) -> "JobSubmissionClient":
    from ray.job_submission import JobSubmissionClient

    # Ray would rather go by RAY_ADDRESS, which may name another cluster by now than that of a job.
    with _naming:
        os.environ[FIRST_OF_ALL] = address
        try:
            return JobSubmissionClient(address)
        finally:
            del os.environ[FIRST_OF_ALL]


@contextmanager
def _asked(address: str) -> Iterator[None]:
    """Within it, what goes wrong with a cluster becomes a sentence."""
    try:
        if address.startswith("http"):  # Ray itself would wait for minutes
            parts = urlsplit(address)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            socket.create_connection((parts.hostname or "", port), PATIENCE).close()
        yield
    except ImportError:
        raise UserFacingError(
            "FMNIST_LAUNCHER is ray, and Ray is not installed: pip install -r requirements-ray.txt."
        ) from None
    except (OSError, ValueError, RuntimeError) as error:  # those of requests are an OSError
        raise UserFacingError(
            "There is no Ray cluster at {address}: {reason}. Start one, or name it in RAY_ADDRESS "
            "as http://HOST:8265. The runs stay queued until then.",
            address=address,
            reason=str(error).partition("\n")[0].rstrip("."),
        ) from None
