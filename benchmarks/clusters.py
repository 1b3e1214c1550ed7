"""Runs on clusters: lost nodes, pre-emption, many runs, several hosts.

    python -m benchmarks.clusters ray      two nodes of Ray on this machine, of which one is killed
    python -m benchmarks.clusters slurm    two nodes of SLURM on this machine, and a job requeued
    python -m benchmarks.clusters folder   what a thousand runs cost, and a hundred nodes
    python -m benchmarks.clusters hosts    torchrun over two network namespaces, one host lost

`ray` and `slurm` compare each run's weights with those that the same plan reaches without a cluster.
`slurm` and `hosts` want root, and Debian's slurm-wlm and iproute2.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from fmnist import PROJECT
from fmnist.models.recipe import Recipe
from fmnist.runs import launchers, queue
from fmnist.runs.launchers import Job, Standing, Task
from fmnist.runs.run import Plan, Run, all_runs, queued_runs, read_run, runs_of

PLAN = Plan("softmax", Recipe(epochs=150, batch_size=16), "drawn", "cpu", limit=400)
SEEDS = 4
RUNS = 20
PATIENCE = 900.0
LOST_AT = 4
"""Once so many runs have ended, a node goes."""


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def until(so: Callable[[], bool], what: str) -> None:
    """Look after the queue until it is so."""
    end = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > end:
            raise SystemExit(f"Waited in vain: {what}")
        if trouble := queue.dispatch():
            say(trouble)
        time.sleep(1.0)


def plans(count: int) -> list[Plan]:
    return [replace(PLAN, recipe=replace(PLAN.recipe, seed=n % SEEDS)) for n in range(count)]


def states() -> str:
    found = Counter(run.state for run in all_runs())
    return ", ".join(f"{count} {state}" for state, count in sorted(found.items()))


@contextmanager
def folder_of(launcher: str) -> Iterator[Path]:
    """A folder of runs of its own, which that launcher starts."""
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"FMNIST_RUNS": name, "FMNIST_LAUNCHER": launcher}
        yield Path(name)


def local_weights() -> dict[int, str]:
    """The SHA-256 of the weights of each seed, as the local launcher makes them."""
    with folder_of("local"):
        made = [queue.start(plan).id for plan in plans(SEEDS)]
        until(lambda: all(read_run(run).state == "finished" for run in made), "local runs")
        found = {}
        for run in map(read_run, made):
            assert run.card
            assert run.card.sha256
            found[run.plan.recipe.seed] = run.card.sha256
    say(f"{SEEDS} seeds trained by the local launcher")
    return found


def compare(made: list[str], expected: dict[int, str]) -> None:
    runs = [read_run(run) for run in made]
    same = sum(
        run.card is not None and run.card.sha256 == expected[run.plan.recipe.seed] for run in runs
    )
    whole = sum(
        [line["step"] for line in run.progress] == sorted({line["step"] for line in run.progress})
        for run in runs
    )
    say(f"{same} of {len(runs)} have the local launcher's weights bit for bit")
    say(f"{whole} of {len(runs)} have every progress line once")
    if same != len(runs):
        raise SystemExit(1)


# Ray


def ray() -> None:
    """Twenty runs on two nodes, of which one is killed in the middle."""
    from ray.cluster_utils import Cluster

    expected = local_weights()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    small = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    cluster = Cluster(True, head_node_args={**small, "include_dashboard": True})
    doomed = cluster.add_node(**small)
    os.environ["RAY_ADDRESS"] = f"http://{cluster.head_node.webui_url}"
    say(f"Ray with two nodes at {os.environ['RAY_ADDRESS']}")
    try:
        with folder_of("ray"):
            made = [queue.start(plan).id for plan in plans(RUNS)]
            say(states())
            until(lambda: _ended(made) >= LOST_AT and _on(doomed.node_ip_address), "some ends")
            say(f"{states()}; killing a node")
            cluster.remove_node(doomed, allow_graceful=False)
            until(lambda: "interrupted" in states(), "a run that lost its node")
            (lost,) = (run for run in all_runs() if run.state == "interrupted")
            at = lost.progress[-1]["step"] if lost.progress else 0
            say(f"{states()}; {lost.id} had come to step {at}: {lost.where}; resuming it")
            queue.resume(lost.id)
            cluster.add_node(**small)
            until(lambda: _ended(made) == RUNS, "all ends")
            say(states())
            compare(made, expected)
    finally:
        cluster.shutdown()


def _ended(made: list[str]) -> int:
    return sum(read_run(run).state == "finished" for run in made)


def _on(_node: str) -> bool:
    """Whether two runs are in the middle, so that the node that goes has one."""
    return sum(run.state == "running" and len(run.progress) > 2 for run in all_runs()) == 2


if __name__ == "__main__":
    {"ray": ray}[sys.argv[1]]()
