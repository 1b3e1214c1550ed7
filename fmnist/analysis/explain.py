"""Why a model says what it says: where it looks in an image, and which images it finds alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.analysis import evaluation
from fmnist.data.splits import CLASSES
from fmnist.models import chain, inference
from fmnist.models.inference import ProgressCallback
from fmnist.models.layers import Classifier
from fmnist.words import Words

NOISY_COPIES, NOISE = 25, 0.1
"""How many copies saliency is averaged over, and the noise on them, of pixels in [0, 1]."""
PATCH, STRIDE = 8, 2
"""Edge of the square that occlusion covers, and how far it moves on, in pixels."""
SLIGHT = 0.1
"""A fall in probability that is not worth calling a reason."""
REGIONS = (
    (Words("top left"), Words("top"), Words("top right")),
    (Words("left side"), Words("middle"), Words("right side")),
    (Words("bottom left"), Words("bottom"), Words("bottom right")),
)
CHUNK = 5_000
PASSING: tuple[type[nn.Module], ...] = (nn.BatchNorm2d, *chain.ACTIVATIONS.values())
"""Layers after a convolution that leave each thing it found at its place."""

# It belongs to the whole process, so only one thread at a time may throw it and put it back.
_CUDNN_SWITCH = Lock()


class Occlusion(NamedTuple):
    """What covering parts of an image does to a model's answer.

    `drop` float32 (28, 28) is by how much the probability of the class falls where a pixel is
    covered, in the mean of the squares over it; `place` is the centre (row, column) of the square
    that costs most, and `covered` float32 (10,) are the probabilities without it.
    """

    drop: NDArray[np.float32]
    place: tuple[float, float]
    covered: NDArray[np.float32]


@contextmanager
def differentiable() -> Iterator[None]:
    """Within it gradients go through cuDNN's recurrent layers, too, which else have none."""
    with _CUDNN_SWITCH, torch.backends.cudnn.flags(enabled=False):
        yield


def gradient(model: Classifier, pixels: NDArray[np.float32], label: int) -> NDArray[np.float32]:
    """How the logit of a class changes with each pixel: float32 (N, 28, 28) for pixels in [0, 1].

    The gradient of Simonyan et al. 2013, with its sign.
    """
    inputs = torch.tensor(pixels, device=inference.device_of(model))[:, None].requires_grad_()
    with differentiable():
        (gradients,) = torch.autograd.grad(model(inputs)[:, label].sum(), inputs)
    return _numpy(gradients[:, 0])


def saliency(model: Classifier, image: NDArray[np.uint8], label: int) -> NDArray[np.float32] | None:
    """How much each pixel of an image uint8 (28, 28) can move a class's logit: float32 (28, 28).

    The magnitude of the gradient, averaged over noisy copies (SmoothGrad, Smilkov et al. 2017)
    since that of the image alone flickers from pixel to pixel. None for a model without gradients.
    """
    if model.opaque:
        return None
    noise = np.random.default_rng(0).normal(0, NOISE, (NOISY_COPIES, 28, 28))
    noisy = (image / 255 + noise).astype(np.float32)
    magnitude: NDArray[np.float32] = np.abs(gradient(model, noisy, label).mean(0))
    return magnitude


def grad_cam(model: Classifier, image: NDArray[np.uint8], label: int) -> NDArray[np.float32] | None:
    """Where the last convolution found what speaks for a class: float32 (28, 28), 0 and above.

    Grad-CAM (Selvaraju et al. 2017) of an image uint8 (28, 28); None for a model without
    convolutions.
    """
    body = getattr(model, "body", None)
    if not isinstance(body, nn.Sequential):
        return None
    convolutional = [
        index
        for index, layer in enumerate(body)
        if any(isinstance(part, nn.Conv2d) for part in layer.modules())
    ]
    if not convolutional:
        return None
    after = convolutional[-1] + 1
    # What it found is what these let pass.
    while after < len(body) and isinstance(body[after], PASSING):
        after += 1
    pixels = torch.tensor(image, device=inference.device_of(model))[None, None].float() / 255
    with torch.no_grad():
        maps = body[:after](model.standardize(pixels))
    maps.requires_grad_()
    with differentiable():
        logit = model.head(body[after:](maps))[0, label]
        (gradients,) = torch.autograd.grad(logit, maps)
    with torch.no_grad():
        importance = gradients.mean((2, 3), keepdim=True)
        evidence = (importance * maps).sum(1, keepdim=True).relu()
        enlarged = nn.functional.interpolate(evidence, (28, 28), mode="bilinear")
    return _numpy(enlarged[0, 0])


def occlusion(
    model: Classifier, image: NDArray[np.uint8], label: int, temperature: float = 1.0
) -> Occlusion:
    """What covering each part of an image uint8 (28, 28) costs a class (Zeiler and Fergus 2014).

    The cover is black, as the ground of every image is, and not grey: on this ground a grey
    square would itself be a garment.
    """
    steps = range(0, 28 - PATCH + 1, STRIDE)
    corners = list(product(steps, steps))
    images = np.repeat(image[None], 1 + len(corners), axis=0)
    for covered, (top, left) in zip(images[1:], corners, strict=True):
        covered[top : top + PATCH, left : left + PATCH] = 0
    logits = inference.infer(model, images, inference.device_of(model))
    probabilities = evaluation.probabilities(logits, temperature)
    drops = probabilities[0, label] - probabilities[1:, label]
    total, times = np.zeros((28, 28), np.float32), np.zeros((28, 28), np.float32)
    for drop, (top, left) in zip(drops, corners, strict=True):
        total[top : top + PATCH, left : left + PATCH] += drop
        times[top : top + PATCH, left : left + PATCH] += 1
    worst = int(drops.argmax())
    top, left = corners[worst]
    centre = (PATCH - 1) / 2
    return Occlusion(total / times, (top + centre, left + centre), probabilities[1 + worst])


def reason(
    image: NDArray[np.uint8], probabilities: NDArray[np.float32], label: int, found: Occlusion
) -> Words:
    """In a sentence: which part of an image uint8 (28, 28) the answer of a class hangs on.

    `probabilities` (10,) are those of the whole image, `found` what `occlusion` made of it.
    """
    name, before, after = CLASSES[label], probabilities[label], found.covered[label]
    if before - after < SLIGHT:
        return Words(
            "No single part makes it say {name}: it is {before:.0%} sure, and whichever part is "
            "covered, at least {after:.0%}.",
            name=name,
            before=before,
            after=after,
        )
    where, instead = region(image, found.place), int(found.covered.argmax())
    if instead == label:
        return Words(
            "It says {name} mostly because of the garment's {where}: with that covered, it is "
            "{after:.0%} sure instead of {before:.0%}.",
            name=name,
            where=where,
            before=before,
            after=after,
        )
    return Words(
        "It says {name} mostly because of the garment's {where}: with that covered, it is "
        "{after:.0%} sure instead of {before:.0%}, and it would say {instead}.",
        name=name,
        where=where,
        before=before,
        after=after,
        instead=CLASSES[instead],
    )


def region(image: NDArray[np.uint8], place: tuple[float, float]) -> Words:
    """The part of the garment in an image (28, 28) where a (row, column) is, such as top left."""
    row, column = (
        int(np.clip(3 * (position - used[0] + 0.5) / (used[-1] - used[0] + 1), 0, 2))
        for position, used in zip(place, _extent(image), strict=True)
    )
    return REGIONS[row][column]


def _extent(image: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows and the columns that hold anything; all of them in an empty image."""
    rows, columns = np.nonzero(image) if image.any() else np.nonzero(image == 0)
    return np.unique(rows), np.unique(columns)


def embed(
    model: Classifier,
    images: NDArray[np.uint8],
    device: torch.device,
    report: ProgressCallback | None = None,
) -> NDArray[np.float16]:
    """The features (N, D) of images uint8 (N, 28, 28); in half precision, for they are many."""

    def halved(pixels: Tensor) -> Tensor:
        return model.features(pixels).half()

    inference.ready(model, device)
    features: NDArray[np.float16] = inference.in_batches(halved, images, device, report)
    return features


def nearest(
    feature: NDArray[np.floating], features: NDArray[np.floating], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the k features (N, D) nearest to a feature (D,), nearest first, with the distances.

    The distance is 1 minus the cosine, float32 (k,): what counts is the mix of features, not how
    strong they are. Works in chunks, so that half-precision features are never all widened.
    """
    target = feature.astype(np.float32)
    target /= max(float(np.linalg.norm(target)), 1e-12)
    parts = []
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK].astype(np.float32)
        parts.append(1 - part @ target / np.maximum(np.linalg.norm(part, axis=1), 1e-12))
    distances = np.concatenate(parts)
    rows = np.argsort(distances, kind="stable")[:k]
    return rows, distances[rows]


def _numpy(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.detach().cpu().numpy()
    return array
