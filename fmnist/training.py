"""Training as a generator: it yields its progress, so anything can print, plot or record it."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from fmnist import parallel
from fmnist.augment import AUGMENTATIONS, alternating, augment
from fmnist.data import CLASSES, Split
from fmnist.devices import accelerates_bfloat16
from fmnist.evaluation import infer
from fmnist.muon import Muon

Precision = Literal["float32", "bfloat16"]
Schedule = Literal["one-cycle", "cosine"]
Optimizer = Literal["adamw", "muon"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)

RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "batch_size": (1, 8192),
    "lr": (1e-6, 10.0),
    "weight_decay": (0.0, 1.0),
    "label_smoothing": (0.0, 0.5),
    "everyday": (0.0, 10.0),
    "seed": (0, 2**31 - 1),
}
"""What each number of a recipe may be."""

REPORTS_PER_EPOCH = 20
WARM_UP = 0.2
"""Share of a one-cycle schedule that the learning rate rises for."""
ADAM_SHARE = 0.1
"""Muon's learning rate times this is that of what Muon leaves to Adam."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a model is trained; raises ValueError when out of range."""

    epochs: int = 10
    batch_size: int = 256
    lr: float = 2e-3  # the peak of the schedule
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = ("flip", "shift")
    everyday: float = 0.0  # pictures as people draw and photograph, for each training image
    teacher: str | None = None  # weights whose answers are learned instead of the labels
    optimizer: Optimizer = "adamw"
    schedule: Schedule = "one-cycle"
    precision: Precision = "bfloat16"  # float32 is used where the device would only emulate it
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be {low} to {high}.")
        options = {
            "augment": AUGMENTATIONS,
            "optimizer": OPTIMIZERS,
            "schedule": SCHEDULES,
            "precision": PRECISIONS,
        }
        for name, known in options.items():
            chosen = getattr(self, name)
            if not set([chosen] if isinstance(chosen, str) else chosen) <= set(known):
                raise ValueError(f"{name} is {chosen!r}; choose from {', '.join(known)}.")

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON values; `from_json` is its inverse."""
        return {**asdict(self), "augment": list(self.augment)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Recipe":
        """A recipe from `to_json`'s values; names it doesn't know are refused."""
        unknown = values.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"Unknown recipe fields {sorted(unknown)}.")
        return cls(**{**values, "augment": tuple(values.get("augment", ()))})


@dataclass(frozen=True)
class Validation:
    """How the model did on the validation images after an epoch."""

    loss: float
    accuracy: float
    predictions: NDArray[np.uint8]  # (N,)


@dataclass(frozen=True)
class Progress:
    """Where a training stands; `step` of `steps` counts over all epochs, `epoch` from 1."""

    epoch: int
    step: int
    steps: int
    loss: float  # mean over the steps since the last report
    lr: float
    images_per_second: float
    eta_seconds: float
    validation: Validation | None = None  # on the last report of an epoch


@dataclass
class State:
    """All that a training needs to go on from where it stands, and what it has found best."""

    step: int = 0
    model: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_accuracy: float = -1.0
    best_epoch: int = 0
    taught: Tensor | None = None  # what the teacher answered: another may have its name by now
    seconds: float = 0.0  # spent training, without what the caller did between reports


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The rate of step `step` of `steps`: a linear rise (one-cycle), then a cosine to zero."""
    rise = WARM_UP * steps if recipe.schedule == "one-cycle" else 0.0
    if step < rise:
        return recipe.lr * (step + 1) / (rise + 1)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1.0, steps - rise)))


def train(
    model: nn.Module,
    data: tuple[Split, Split],
    recipe: Recipe,
    device: torch.device,
    resume: State | None = None,
) -> Iterator[Progress]:
    """Train in place on the (train, validation) splits; the best-on-validation weights are kept.

    Reports `REPORTS_PER_EPOCH` times an epoch, the last time with the validation figures. All
    randomness is a function of the seed and the step, so a run that goes on from a `State` ends
    exactly as one that was never interrupted. A `resume` that is given is updated before every
    report; a caller may save it then. In a process group each process computes its part of every
    batch, and all of them report the same.
    """
    training, validation = data
    if recipe.everyday:
        # Here, since only these recipes need OpenCV.
        from fmnist import everyday

        count = round(recipe.everyday * len(training))
        training = everyday.add_to(training, count, recipe.seed)
    state = resume or State()
    model.to(device)
    bfloat16 = recipe.precision == "bfloat16" and accelerates_bfloat16(device)
    if bfloat16:
        model.to(memory_format=torch.channels_last)
    optimizer = _optimizer(model, recipe)
    if state.step:
        model.load_state_dict(state.model)
        optimizer.load_state_dict(state.optimizer)
    rank, processes = parallel.place()
    replica = DistributedDataParallel(model) if processes > 1 else model

    images = torch.tensor(training.images, device=device)
    targets = _smoothed(training.labels, recipe.label_smoothing).to(device)
    if recipe.teacher and state.taught is None:
        # Here, since weights know the recipes that made them.
        from fmnist import distillation

        state.taught = distillation.answers(recipe.teacher, data[0].images, device, bfloat16)
    if state.taught is not None:
        targets[: len(state.taught)] = state.taught
    per_epoch = math.ceil(len(training) / recipe.batch_size)
    steps = per_epoch * recipe.epochs
    report_every = max(1, per_epoch // REPORTS_PER_EPOCH)
    # The orders of the epochs take the generators before this one.
    sides = torch.rand(len(training), generator=_generator(recipe.seed, -1 - recipe.epochs)) < 0.5
    sides = sides.to(device)
    begin, losses, since = state.step, [], time.perf_counter()

    for step in range(state.step, steps):
        epoch, place = divmod(step, per_epoch)
        if place == 0 or step == begin:
            order = torch.randperm(len(training), generator=_generator(recipe.seed, -1 - epoch))
        batch = order[place * recipe.batch_size : (place + 1) * recipe.batch_size].to(device)
        rate = learning_rate(recipe, step, steps)
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        model.train()
        first, last = (len(batch) * (rank + side) // processes for side in (0, 1))
        with (
            _seeded(recipe.seed, step, device),
            parallel.share_of_batch(first, len(batch)),
            torch.autocast(device.type, torch.bfloat16, enabled=bfloat16),
        ):
            inputs = images[batch][:, None].float() / 255
            mirrored = alternating(sides[batch], epoch)
            inputs = augment(inputs, recipe.augment, mirrored, _generator(recipe.seed, step))[
                first:last
            ]
            if bfloat16:
                inputs = inputs.contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(
                replica(inputs).float(), targets[batch[first:last]], reduction="sum"
            ) / len(batch)
        optimizer.zero_grad()
        torch.autograd.backward(loss * processes)  # the processes' gradients are averaged
        optimizer.step()
        losses.append(loss.detach())

        ends_epoch = place == per_epoch - 1
        if not ends_epoch and (place + 1) % report_every:
            continue
        total_loss = torch.stack(losses).mean()
        if processes > 1:
            distributed.all_reduce(total_loss)
        seen = len(losses) * recipe.batch_size
        speed = seen / (time.perf_counter() - since)
        result = _validate(model, validation, device) if ends_epoch else None
        state.step = step + 1
        state.model, state.optimizer = model.state_dict(), optimizer.state_dict()
        if result and result.accuracy > state.best_accuracy:
            state.best_accuracy, state.best_epoch = result.accuracy, epoch + 1
            state.best = {name: tensor.clone() for name, tensor in state.model.items()}
        state.seconds += time.perf_counter() - since
        eta = state.seconds / state.step * (steps - state.step)
        yield Progress(epoch + 1, step + 1, steps, total_loss.item(), rate, speed, eta, result)
        losses, since = [], time.perf_counter()

    model.load_state_dict(state.best)
    model.to(memory_format=torch.contiguous_format)


def _smoothed(labels: NDArray[np.uint8], smoothing: float) -> Tensor:
    """The probabilities (N, 10) to learn for labels (N,); for none of the ten, all alike."""
    classes = len(CLASSES)
    certain = torch.cat([torch.eye(classes), torch.full((1, classes), 1 / classes)])
    return (1 - smoothing) * certain[torch.tensor(labels).long()] + smoothing / classes


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer; it decays matrices and filters, but neither biases nor scales."""
    head = {id(parameter) for parameter in model.get_submodule("head").parameters()}
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    spared = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    if recipe.optimizer == "adamw":
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
    inner = [parameter for parameter in decayed if id(parameter) not in head]
    outer = [parameter for parameter in decayed if id(parameter) in head]
    adam = {"matrix": False, "share": ADAM_SHARE}
    groups = [
        {"params": inner, "weight_decay": recipe.weight_decay},
        {"params": outer, "weight_decay": recipe.weight_decay, **adam},
        {"params": spared, "weight_decay": 0.0, **adam},
    ]
    return Muon(groups, lr=recipe.lr)


def _validate(model: nn.Module, validation: Split, device: torch.device) -> Validation:
    logits = torch.tensor(infer(model, validation.images, device))
    labels = torch.tensor(validation.labels, dtype=torch.long)
    predictions = logits.argmax(1)
    return Validation(
        loss=functional.cross_entropy(logits, labels).item(),
        accuracy=(predictions == labels).double().mean().item(),
        predictions=predictions.numpy().astype(np.uint8),
    )


def _generator(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed << 32) + step)


@contextmanager
def _seeded(seed: int, step: int, device: torch.device) -> Iterator[None]:
    """Draw dropout from (seed, step) and leave the process's random state as it was."""
    cuda = [torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(cuda, device_type="cuda"):
        torch.manual_seed((seed << 32) + step)
        yield
