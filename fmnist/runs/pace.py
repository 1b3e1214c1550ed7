"""How fast this machine trains: what an earlier run showed, else a short measurement."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from statistics import median
from typing import NamedTuple, Self

import numpy as np
import torch

from fmnist.data.splits import Split
from fmnist.models import ModelSpec
from fmnist.models.recipe import Optimizer, Precision, Recipe
from fmnist.runs.run import Plan, Run, spec
from fmnist.training.loop import train

BATCHES, LONGEST = 20, 4.0
"""Measured are so many batches, or those of so many seconds."""
ASKED = 3
"""So many images are answered while one is learned from: there is nothing to go back through."""


class Work(NamedTuple):
    """What the time for an image hangs on."""

    model: str
    device: str
    batch_size: int
    augment: tuple[str, ...]
    optimizer: Optimizer
    precision: Precision
    adversarial: bool
    layers: str  # as JSON, where the network was built

    @classmethod
    def of(cls, plan: Plan) -> Self:
        recipe = plan.recipe
        return cls(
            plan.model,
            plan.device,
            recipe.batch_size,
            tuple(recipe.augment),
            recipe.optimizer,
            recipe.precision,
            recipe.adversarial > 0,
            json.dumps(plan.layers),
        )

    @property
    def spec(self) -> ModelSpec:
        """What is trained."""
        return spec(self.model, json.loads(self.layers))


def seen(work: Work, runs: Iterable[Run]) -> float | None:
    """Images a second of the first of some runs that worked likewise; None where none did."""
    for run in runs:
        if Work.of(run.plan) == work and len(run.progress) > 1:
            return float(median(line["images_per_second"] for line in run.progress))
    return None


def _speeds(runs: Iterable[Run]) -> Callable[[Work], float | None]:
    """What `seen` says of each kind of work, found among all the runs in one go."""
    alike: dict[Work, list[Run]] = {}
    for run in runs:
        alike.setdefault(Work.of(run.plan), []).append(run)
    return cache(lambda work: seen(work, alike.get(work, ())))


class Turn(NamedTuple):
    """Where a run stands in the queue of its device, and about when it begins."""

    place: int  # 1 for the next
    of: int
    seconds: float | None  # until then; None while that can't be told


def turns(
    known: Sequence[Run],
    waiting: Sequence[Run],
    sizes: Callable[[Plan], tuple[int, int] | None],
) -> dict[str, Turn]:
    """The turn of each run that waits, by its id; all runs are known, and their order is given.

    `sizes` are how many images a plan learns from and how many are held out, None where they aren't
    here.
    """
    devices, speeds = {run.plan.device for run in waiting}, _speeds(known)
    left: dict[str, float | None] = dict.fromkeys(devices, 0.0)

    def add(device: str, more: float | None) -> None:
        before = left[device]
        left[device] = None if before is None or more is None else before + more

    for run in known:
        if run.state in ("running", "stopping") and run.plan.device in devices:
            add(run.plan.device, run.progress[-1]["eta_seconds"] if run.progress else None)
    found: dict[str, Turn] = {}
    for device in devices:
        queue = [run for run in waiting if run.plan.device == device]
        for place, run in enumerate(queue, 1):
            found[run.id] = Turn(place, len(queue), left[device])
            speed, size = speeds(Work.of(run.plan)), sizes(run.plan)
            add(device, seconds(run.plan, *size, speed) if speed and size else None)
    return found


def measure(work: Work, report: Callable[[float], object]) -> float:
    """Images a second, found by training on noise for a few seconds; `report` hears the share."""
    rng = np.random.default_rng(0)
    count = BATCHES * work.batch_size
    noise = rng.integers(0, 256, (count, 28, 28), np.uint8)
    split = Split(noise, rng.integers(0, 10, count, np.uint8))
    recipe = Recipe(
        epochs=1,
        batch_size=work.batch_size,
        augment=work.augment,
        optimizer=work.optimizer,
        precision=work.precision,
        adversarial=0.1 if work.adversarial else 0.0,
    )
    model, began, speeds = work.spec.seeded(0), time.perf_counter(), list[float]()
    for progress in train(model, (split, split), recipe, torch.device(work.device)):
        speeds.append(progress.images_per_second)
        report(len(speeds) / BATCHES)
        late = time.perf_counter() - began > LONGEST and len(speeds) > 1
        if late or len(speeds) == BATCHES - 1:  # the last would be followed by a validation
            break
    return median(speeds[1:])  # the first has what is done once


def seconds(plan: Plan, images: int, held_out: int, speed: float) -> float:
    """About how long a plan takes at so many images a second, in seconds.

    It learns from so many `images` of the dataset, with what its recipe adds to each, and answers
    those held out after every epoch. What repeats other weights learns those held out as well,
    and ends with the epoch that was the best.
    """
    recipe, epochs = plan.recipe, plan.recipe.epochs
    if plan.repeats:
        images, epochs = images + held_out, plan.repeats.best_epoch or epochs
    learned = images * (1 + recipe.everyday + recipe.people)
    return epochs * (learned + held_out / ASKED) / speed
