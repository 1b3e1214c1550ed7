"""Trainings that are killed or run out of disk, in forked processes; test_runs_killed.py reads it.

Prints one JSON object a line. A process of its own, because forking is safe only before torch has
started threads.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from fmnist.data import splits
from fmnist.data.splits import DRAWN, SPLITS
from fmnist.models import MODELS, ModelSpec
from fmnist.models.fcnn import FullyConnected
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, run, worker
from fmnist.runs.run import Plan, Run, read_run
from fmnist.weights import card, shelf
from fmnist.weights.strangers import formats

RECIPE = Recipe(epochs=4, batch_size=20, lr=3e-3, precision="float32")
SPEC = ModelSpec("tiny", "Tiny", "fcnn", "784-16-10", lambda: FullyConnected([16], 0.2), RECIPE)
for module in (run, worker, card, shelf, formats):
    module.MODELS = {**MODELS, "tiny": SPEC}
PLAN = Plan("tiny", RECIPE, "drawn", "cpu", limit=300)


def prepare() -> None:
    """Everything that the children need, made once before they are forked."""
    torch.set_num_threads(1)
    DRAWN.update(train=(300, 1), validation=(100, 2), test=(100, 3))
    splits.load = lru_cache(splits.load)
    for split in SPLITS:
        splits.load(split, "drawn", 300 if split == "train" else None)


def fork(work: Callable[[], None]) -> int:
    """Do the work in a child, whose exit status says whether it came to its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def new_run() -> Run:
    return read_run(queue._make(PLAN, queued=False))


def die_in_save(nth: int, after: bool) -> None:
    """Kill this process in its nth replacing of a file, just before or just after."""
    replace, calls = os.replace, iter(range(1, 10_000))

    def deadly(*arguments: Any) -> None:
        call = next(calls)
        if call == nth and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*arguments)
        if call == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = deadly


def killed(seed: int, seconds: float) -> dict[str, Any]:
    """One run killed at a moment drawn from the seed, looked at, resumed and finished."""
    rng = random.Random(seed)
    run, in_save = new_run(), seed % 3 == 0

    def work() -> None:
        if in_save:
            die_in_save(rng.randint(1, 8), rng.random() < 0.5)
        worker.execute(run)

    child = fork(work)
    if not in_save:
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    dead = read_run(run.id)
    result = {
        "seed": seed,
        "in_save": in_save,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "state": dead.state,
        "progress": dead.progress[-1]["step"] if dead.progress else 0,
        "checkpoint": worker.load_checkpoint(run).step,
    }
    os.waitpid(fork(lambda: worker.execute(run)), 0)
    done = read_run(run.id)
    return {
        **result,
        "end": done.state,
        "sha256": done.card.sha256 if done.card else None,
        "steps": [line["step"] for line in done.progress],
        "epochs": len(done.predictions()),
    }


def limited(bytes_a_file: int) -> dict[str, Any]:
    """A run whose second checkpoint finds no room, then resumed with room."""
    run = new_run()

    def work() -> None:
        fit_whole, saves = worker.save_checkpoint, iter(range(10_000))

        def save(*arguments: Any) -> None:
            if next(saves) == 1:
                resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, resource.RLIM_INFINITY))
            fit_whole(*arguments)

        worker.save_checkpoint = save
        sys.argv = ["worker", run.id]
        worker.main()

    os.waitpid(fork(work), 0)
    failed = read_run(run.id)
    result = {
        "state": failed.state,
        "failure": failed.failure,
        "checkpoint": worker.load_checkpoint(run).step,
        "rests": [path.name for path in run.folder.glob(".new-*")],
    }
    (run.folder / "failure.txt").unlink()
    os.waitpid(fork(lambda: worker.execute(run)), 0)
    done = read_run(run.id)
    return {**result, "end": done.state, "sha256": done.card.sha256 if done.card else None}


def main() -> None:
    prepare()
    reference, started = new_run(), time.perf_counter()
    os.waitpid(fork(lambda: worker.execute(reference)), 0)
    seconds = time.perf_counter() - started
    print(json.dumps({"sha256": read_run(reference.id).card.sha256}), flush=True)
    for seed in range(int(sys.argv[1])):
        print(json.dumps(killed(seed, seconds)), flush=True)
    print(json.dumps(limited(20_000)), flush=True)


if __name__ == "__main__":
    main()
