"""Training as a generator: it yields its progress, so anything can print, plot or record it."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist.data.splits import CLASSES, Split
from fmnist.machine import parallel
from fmnist.machine.devices import accelerates_bfloat16
from fmnist.machine.errors import UserFacingError
from fmnist.models.inference import infer
from fmnist.models.recipe import Recipe
from fmnist.training import distillation
from fmnist.training.adversarial import against
from fmnist.training.augment import alternating, augment, mix
from fmnist.training.optimizer import of_recipe

if TYPE_CHECKING:  # only some recipes need OpenCV
    from fmnist.data.people import Taken

PROGRESS_PER_EPOCH = 20
WARM_UP = 0.2
"""Share of a one-cycle schedule that the learning rate rises for."""


@dataclass(frozen=True)
class Validation:
    """How the model did on the validation images after an epoch."""

    loss: float
    accuracy: float
    predictions: NDArray[np.uint8]  # (N,)
    kinds: Mapping[str, float] = field(default_factory=dict)
    """The share named right of the held-out pictures by people, by kind."""

    @property
    def score(self) -> float:
        """What the best epoch is chosen by: the mean over all kinds, the dataset being one."""
        return fmean([self.accuracy, *self.kinds.values()])


class People(NamedTuple):
    """Pictures that people really drew and took: to train on, and held out from that."""

    training: "Taken"
    held_out: "Taken"


@dataclass(frozen=True)
class Progress:
    """Where a training stands; `step` of `steps` counts over all epochs, `epoch` from 1."""

    epoch: int
    step: int
    steps: int
    loss: float  # mean over the steps since the last one
    lr: float
    images_per_second: float
    eta_seconds: float
    validation: Validation | None = None  # on the last of an epoch


@dataclass
class Checkpoint:
    """All that a training needs to go on from where it stands, and what it has found best."""

    step: int = 0
    model: dict[str, Tensor] = field(default_factory=dict)
    mean: dict[str, Any] = field(default_factory=dict)  # that of the weights, if there is one
    optimizer: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_accuracy: float = -1.0  # the score: the mean over all kinds of pictures
    best_epoch: int = 0
    taught: Tensor | None = None  # what the teacher answered: another may have its name by now
    seconds: float = 0.0  # spent training, without what the caller did meanwhile
    people: int = 0  # how many pictures by people are among what it trains on

    def note(
        self,
        step: int,
        epoch: int,
        model: nn.Module,
        mean: AveragedModel | None,
        optimizer: torch.optim.Optimizer,
        result: Validation | None,
    ) -> None:
        """Take down where the training stands after a step, and the best weights so far."""
        self.step = step
        self.model, self.optimizer = model.state_dict(), optimizer.state_dict()
        self.mean = mean.state_dict() if mean else {}
        if result and result.score > self.best_accuracy:
            self.best_accuracy, self.best_epoch = result.score, epoch
            judged = mean.module.state_dict() if mean else self.model
            self.best = {name: tensor.clone() for name, tensor in judged.items()}


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
    resume: Checkpoint | None = None,
    teacher: nn.Module | None = None,
    people: People | None = None,
    until: int | None = None,
) -> Iterator[Progress]:
    """Train in place on the (train, validation) splits; the best-on-validation weights are kept.

    With `until` those of that epoch are, whatever they score, and training ends with it.

    Yields `PROGRESS_PER_EPOCH` times an epoch, the last time with the validation figures. All
    randomness is a function of the seed and the step, so a run that goes on from a `Checkpoint`
    ends exactly as one that was never interrupted. A `resume` that is given is updated before every
    progress; a caller may save it then. In a process group each process computes its part of every
    batch, and all of them yield the same. Of `people`, as many are trained on as the recipe wants.
    Raises UserFacingError where the recipe names a teacher that is neither given nor has answered
    before, where a `resume` began with other pictures by people than those given, and where a
    batch is one image and the model normalises over batches.
    """
    training, validation = data
    state = resume or Checkpoint()
    most = round(recipe.people * len(training))
    taken = people.training.some(most, recipe.seed) if people and most else None
    held_out = people.held_out.garments() if people and most else None
    _check_people(state, 0 if taken is None else len(taken))
    bfloat16 = recipe.precision == "bfloat16" and accelerates_bfloat16(device)
    model.to(device)
    optimizer, mean = of_recipe(model, recipe), _mean(model, recipe)
    if state.step:
        model.load_state_dict(state.model)
        if mean:
            mean.load_state_dict(state.mean)
        optimizer.load_state_dict(state.optimizer)
    if recipe.teacher and state.taught is None:
        if teacher is None:
            raise UserFacingError(
                "The teacher {teacher} isn't here to answer.", teacher=recipe.teacher
            )
        state.taught = distillation.answers(teacher, training.images, device, bfloat16)
    batches = _Batches(training, recipe, state.taught, taken, device)
    _check_batches(model, batches)
    learn = _learner(model, optimizer, recipe, device, bfloat16)
    steps = len(batches) * (until or recipe.epochs)
    progress_every = max(1, len(batches) // PROGRESS_PER_EPOCH)
    losses, images, since = [], 0, time.perf_counter()

    for step in range(state.step, steps):
        batch = batches.at(step)
        rate = learning_rate(recipe, step, len(batches) * recipe.epochs)
        losses.append(learn(step, rate, batch))
        images += batch.total
        if mean:
            mean.update_parameters(model)
        epoch, place = divmod(step, len(batches))
        ends_epoch = place == len(batches) - 1
        if not ends_epoch and (place + 1) % progress_every:
            continue
        loss = _mean_over_processes(losses)
        speed = images / (time.perf_counter() - since)
        judged = mean.module if mean else model
        result = _validate(judged, validation, held_out, device) if ends_epoch else None
        chosen = result if until in (None, epoch + 1) else None
        state.note(step + 1, epoch + 1, model, mean, optimizer, chosen)
        state.seconds += time.perf_counter() - since
        eta = state.seconds / state.step * (steps - state.step)
        yield Progress(epoch + 1, step + 1, steps, loss, rate, speed, eta, result)
        losses, images, since = [], 0, time.perf_counter()

    model.load_state_dict(state.best)
    model.to(memory_format=torch.contiguous_format)


def _check_people(state: Checkpoint, count: int) -> None:
    """Note how many pictures by people there are; raise where a training began with others."""
    if state.step and state.people != count:
        raise UserFacingError(
            "The training began with {people:,} pictures by people, and now there are {count:,}. "
            "Set FMNIST_PICTURES as it was then, or start anew.",
            people=state.people,
            count=count,
        )
    state.people = count


def _check_batches(model: nn.Module, batches: "_Batches") -> None:
    """Raise where a layer would have to normalise the values of one image by themselves."""
    if batches.smallest == 1 and any(isinstance(m, nn.BatchNorm1d) for m in model.modules()):
        raise UserFacingError(
            "The model normalises over each batch, so it learns from two images at once at the "
            "least. Choose a larger batch size, or more images."
        )


class _Batch(NamedTuple):
    """This process's part of a batch: n images of a `total`."""

    images: Tensor  # augmented, (n, 1, 28, 28)
    targets: Tensor  # the probabilities to learn, (n, 10)
    sets: Tensor | None  # (n, 10), the weights of what is right where any has one; see `_aims`
    total: int


class _Batches:
    """The training images and what is to be learned of each, by the step that sees them.

    The answers of a teacher, float32 (N, 10), stand in for the labels where there are any.
    """

    def __init__(
        self,
        training: Split,
        recipe: Recipe,
        taught: Tensor | None,
        taken: "Taken | None",
        device: torch.device,
    ) -> None:
        self._recipe, self._device = recipe, device
        if recipe.everyday:
            # Here, since only these recipes need OpenCV.
            from fmnist.data import everyday

            count = round(recipe.everyday * len(training))
            training = everyday.add_to(training, count, recipe.seed)
        self._sets = None
        if taken is not None:
            of_labels = np.zeros((len(training), len(CLASSES)), np.float32)
            self._sets = torch.tensor(np.concatenate([of_labels, taken.accepted]), device=device)
            training += Split(taken.images, np.full(len(taken), len(CLASSES), np.uint8))
        self._images = torch.tensor(training.images, device=device)
        self._targets = _smoothed(training.labels, recipe.label_smoothing).to(device)
        if taught is not None:
            self._targets[: len(taught)] = taught
        # The orders of the epochs take the generators before this one.
        last = _generator(recipe.seed, -1 - recipe.epochs)
        self._sides = (torch.rand(len(training), generator=last) < 0.5).to(device)
        self._epoch, self._order = -1, list[Tensor]()

    def __len__(self) -> int:
        """How many make an epoch; a last image that is left over joins the batch before."""
        whole, left = divmod(len(self._images), self._recipe.batch_size)
        return max(1, whole + (left > 1))

    @property
    def smallest(self) -> int:
        """How many images the smallest has."""
        whole, left = divmod(len(self._images), self._recipe.batch_size)
        return left if left > 1 or not whole else self._recipe.batch_size

    def at(self, step: int) -> _Batch:
        """What this process learns in that step."""
        epoch, place = divmod(step, len(self))
        seed, size = self._recipe.seed, self._recipe.batch_size
        if epoch != self._epoch:
            shuffled = torch.randperm(len(self._images), generator=_generator(seed, -1 - epoch))
            ends = list(range(size, size * len(self), size))
            self._epoch, self._order = epoch, list(shuffled.tensor_split(ends))
        batch = self._order[place].to(self._device)
        images = self._images[batch][:, None].float() / 255
        mirrored = alternating(self._sides[batch], epoch)
        chance = _generator(seed, step)
        images = augment(images, self._recipe.augment, mirrored, chance)
        targets = self._targets[batch]
        sets = None if self._sets is None else self._sets[batch]
        if share := self._recipe.mixing:
            # Of a set of classes there is no part.
            by_label = slice(None) if sets is None else ~sets.any(1)
            images[by_label], targets[by_label] = mix(
                images[by_label], targets[by_label], share, chance
            )
        part = parallel.part(len(batch))
        images = images[part].contiguous(memory_format=torch.channels_last)
        return _Batch(images, targets[part], None if sets is None else sets[part], len(batch))


def _learner(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    device: torch.device,
    bfloat16: bool,
) -> Callable[[int, float, _Batch], Tensor]:
    """A function that takes one step and returns this process's share of the batch's loss."""
    processes = parallel.place()[1]
    replica = DistributedDataParallel(model) if processes > 1 else model

    def learn(step: int, rate: float, batch: _Batch) -> Tensor:
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        model.train()
        with (
            _seeded(recipe.seed, step, device),
            parallel.part_of_batch(batch.total),
            torch.autocast(device.type, torch.bfloat16, enabled=bfloat16),
        ):
            images = batch.images
            if recipe.adversarial:
                images = against(model, images, batch.targets, recipe.adversarial)
            logits = replica(images).float()
            aims = batch.targets
            if batch.sets is not None:
                aims = _aims(logits.detach(), aims, batch.sets, recipe.label_smoothing)
            loss = functional.cross_entropy(logits, aims, reduction="sum") / batch.total
        optimizer.zero_grad()
        torch.autograd.backward(loss * processes)  # the processes' gradients are averaged
        optimizer.step()
        return loss.detach()

    return learn


def _mean_over_processes(losses: Sequence[Tensor]) -> float:
    """The mean over some steps of the loss that the processes have together."""
    mean = torch.stack(list(losses)).mean()
    if parallel.place()[1] > 1:
        distributed.all_reduce(mean)
    return mean.item()


def _smoothed(labels: NDArray[np.uint8], smoothing: float) -> Tensor:
    """The probabilities (N, 10) to learn for labels (N,); for none of the ten, all alike."""
    classes = len(CLASSES)
    certain = torch.cat([torch.eye(classes), torch.full((1, classes), 1 / classes)])
    return (1 - smoothing) * certain[torch.tensor(labels).long()] + smoothing / classes


def _aims(logits: Tensor, targets: Tensor, sets: Tensor, smoothing: float) -> Tensor:
    """What images are to be answered with (N, 10): their targets, or one of a weighted set (N, 10).

    Where several classes count as right, the model shares among them as it likes, but for their
    weights: the gradient of the cross-entropy with that is the one of -log of the probability of
    the whole set, each class with its weight.
    """
    shares = logits.softmax(1) * sets
    shares = shares / shares.sum(1, keepdim=True).clamp_min(1e-12)
    smoothed = (1 - smoothing) * shares + smoothing / len(CLASSES)
    return torch.where(sets.any(1, keepdim=True), smoothed, targets)


def _mean(model: nn.Module, recipe: Recipe) -> AveragedModel | None:
    """The running mean of the weights, if the recipe keeps one (Polyak, Juditsky 1992)."""
    if not recipe.averaging:
        return None
    decay = get_ema_multi_avg_fn(recipe.averaging)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=decay, use_buffers=True)


def _validate(
    model: nn.Module, validation: Split, held_out: "Taken | None", device: torch.device
) -> Validation:
    logits = torch.tensor(infer(model, validation.images, device))
    labels = torch.tensor(validation.labels, dtype=torch.long)
    predictions = logits.argmax(1)
    return Validation(
        loss=functional.cross_entropy(logits, labels).item(),
        accuracy=(predictions == labels).double().mean().item(),
        predictions=predictions.numpy().astype(np.uint8),
        kinds=held_out.right_by_kind(infer(model, held_out.images, device)) if held_out else {},
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
