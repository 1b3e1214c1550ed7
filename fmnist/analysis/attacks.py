"""Attacks: pictures that look the same to people and are made to be named wrong.

Strengths are in grey levels of 0 to 255, and what comes out are pictures of as many greys as any
file has, so that what is said of them holds for the file.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from fmnist.analysis.explain import differentiable
from fmnist.models import inference
from fmnist.models.inference import ProgressCallback
from fmnist.models.layers import Classifier

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]

STEPS = 20
"""Steps of PGD."""
REACH = 2.5
"""How far all steps of PGD could go together, in strengths: more than it may, so it can turn."""
BATCH = 250
SEED = 0


class Search(NamedTuple):
    """What a search by pixels came to: the picture, which pixels changed, how often it asked."""

    image: Images
    """uint8 (28, 28)"""
    changed: list[tuple[int, int]]
    asked: int
    fooled: bool


def gradient(model: Classifier, pixels: NDArray[np.float32], labels: Labels) -> NDArray[np.float32]:
    """How the loss, cross-entropy with labels (N,), changes with pixels in [0, 1] (N, 28, 28)."""
    return _losses_and_gradient(model, pixels, labels)[1]


def _losses_and_gradient(
    model: Classifier, pixels: NDArray[np.float32], labels: Labels
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Each image's loss (N,) and its gradient (N, 28, 28).

    In double precision after the logits, since a sure model's gradient would vanish in single.
    """
    inputs = torch.tensor(pixels, device=inference.device_of(model))[:, None].requires_grad_()
    wanted = torch.tensor(labels.astype(np.int64), device=inputs.device)
    with differentiable(), torch.enable_grad():
        losses = functional.cross_entropy(model(inputs).double(), wanted, reduction="none")
        (found,) = torch.autograd.grad(losses.sum(), inputs)
    return losses.detach().cpu().numpy(), found[:, 0].cpu().numpy()


def fgsm(
    model: Classifier, images: Images, labels: Labels, strength: int, towards: Labels | None = None
) -> Images:
    """Images uint8 (N, 28, 28), each pixel one step of that strength against the labels (N,).

    The fast gradient sign method (Goodfellow, Shlens, Szegedy 2015). With `towards`, classes (N,),
    it is a step towards being named so.
    """
    aims, sign = (labels, 1) if towards is None else (towards, -1)
    parts = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        slope = gradient(model, _pixels(part), aims[start : start + BATCH])
        moved = part + sign * strength * np.sign(slope)
        parts.append(moved.clip(0, 255).astype(np.uint8))
    return np.concatenate(parts)


def pgd(
    model: Classifier,
    images: Images,
    labels: Labels,
    strength: int,
    towards: Labels | None = None,
    steps: int = STEPS,
    report: ProgressCallback = lambda done: None,
) -> Images:
    """Images uint8 (N, 28, 28), no pixel moved by more than the strength, found by many steps.

    Projected gradient descent from a random place (Madry et al. 2018). Each is the one among its
    steps that the model is most wrong about; with `towards`, most convinced by.
    """
    parts = []
    for start in range(0, len(images), BATCH):
        here = slice(start, start + BATCH)
        aims = labels[here] if towards is None else towards[here]
        part = _descend(model, images[here], aims, strength, steps, towards is not None)
        parts.append(part)
        report(min(1.0, (start + BATCH) / len(images)))
    return np.concatenate(parts)


def _descend(
    model: Classifier, images: Images, aims: Labels, strength: int, steps: int, targeted: bool
) -> Images:
    """In whole grey levels all along, so that what is found is what a file can hold."""
    sign, rng = -1 if targeted else 1, np.random.default_rng(SEED)
    whole, step = images.astype(np.int64), max(1, round(REACH * strength / steps))
    low, high = np.maximum(whole - strength, 0), np.minimum(whole + strength, 255)
    moved = (whole + rng.integers(-strength, strength + 1, whole.shape)).clip(low, high)
    best, most = images.copy(), np.full(len(images), -np.inf)
    for _ in range(steps + 1):  # where the last step led is looked at, too
        losses, slope = _losses_and_gradient(model, _pixels(moved), aims)
        better = sign * losses > most
        best[better], most[better] = moved[better].astype(np.uint8), (sign * losses)[better]
        moved = (moved + sign * step * np.sign(slope).astype(np.int64)).clip(low, high)
    return best


def few_pixels(
    model: Classifier,
    image: Images,
    label: int,
    most: int,
    towards: int | None = None,
    report: ProgressCallback = lambda done: None,
) -> Search:
    """Change pixels of an image uint8 (28, 28), one after the other, until it is named otherwise.

    A greedy search (after Narodytska, Kasiviswanathan 2017): every pixel is tried as black or
    white, whichever is farther, and the one is kept that the label loses most by, or the class
    `towards` gains. It needs answers alone. It ends after `most` pixels.
    """
    here, changed, asked = image.copy(), list[tuple[int, int]](), 0
    device = inference.device_of(model)
    while len(changed) < most:
        report(len(changed) / most)
        free = np.array([p for p in range(image.size) if divmod(p, 28) not in changed])
        tried = np.repeat(here[None], len(free), axis=0)
        farther = np.where(here.ravel()[free] < 128, 255, 0)
        tried[np.arange(len(free)), free // 28, free % 28] = farther
        logits = inference.infer(model, tried, device)
        asked += len(free)
        aim = label if towards is None else towards
        others = np.delete(logits, aim, axis=1).max(1)
        gained = logits[:, aim] - others
        best = int((-gained if towards is None else gained).argmax())
        here = tried[best]
        row, column = divmod(int(free[best]), 28)
        changed.append((row, column))
        said = int(logits[best].argmax())
        if said != label if towards is None else said == towards:
            return Search(here, changed, asked, fooled=True)
    return Search(here, changed, asked, fooled=False)


def other_classes(labels: Labels) -> Labels:
    """Another class (N,) for each label (N,), drawn from a seed: what to attack towards."""
    rng = np.random.default_rng(SEED)
    moved: Labels = ((labels + rng.integers(1, 10, len(labels))) % 10).astype(np.uint8)
    return moved


def changes(images: Images, attacked: Images) -> NDArray[np.float32]:
    """By how much each pixel was moved, in grey levels, float32 with its sign."""
    return attacked.astype(np.float32) - images


def _pixels(images: NDArray[np.integer]) -> NDArray[np.float32]:
    return (images / 255).astype(np.float32)
