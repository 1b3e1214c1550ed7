"""Augmentation of whole batches on their own device; images are float (N, 1, 28, 28) in [0, 1]."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

MAX_SHIFT = 2
"""Pixels that a garment may move in each direction."""


def flip(images: Tensor, generator: Generator) -> Tensor:
    """Mirror half of the images left to right."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    return torch.where(mirrored.to(images.device), images.flip(-1), images)


def shift(images: Tensor, generator: Generator) -> Tensor:
    """Move each image by up to `MAX_SHIFT` pixels each way; what enters the frame is black."""
    padded = functional.pad(images[:, 0], [MAX_SHIFT] * 4)
    offsets = torch.randint(0, 2 * MAX_SHIFT + 1, (2, len(images), 1), generator=generator)
    rows, columns = (offsets + torch.arange(28)).to(images.device)
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]][:, None]


def sketch(images: Tensor, generator: Generator) -> Tensor:
    """Redraw half of the images as people's drawings arrive after intake.

    The silhouette is bent a little, its outline drawn in white and its inside filled evenly, most
    often at intake's mid grey; a few creases inside stay as thin lines.
    """
    count, device = len(images), images.device

    def uniform(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)).to(device)

    bent = _bend(images, generator)
    body = (functional.avg_pool2d(bent, 3, 1, 1) > uniform(0.04, 0.2)).float()
    closed = _shrink(_grow(body))  # no cracks between dark parts, but no gap between legs either
    body = torch.where(uniform(0, 1) < 0.3, closed, body)
    line = torch.where(uniform(0, 1) < 0.5, body - _shrink(body), _grow(body) - _shrink(body))
    creases = (bent - functional.avg_pool2d(bent, 5, 1, 2)).abs() * body
    creases = (creases > uniform(0.08, 0.5)).float() * uniform(0, 1)
    style = uniform(0, 1)
    fill = torch.where(style < 0.7, uniform(0.5, 0.68), torch.where(style < 0.85, 0.0, 1.0))
    drawn = torch.maximum(torch.maximum(line, fill * body), creases)
    soft = functional.avg_pool2d(drawn, 3, 1, 1)
    drawn = torch.lerp(drawn, soft, uniform(0, 0.8))
    chosen = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    return torch.where(chosen.to(device), drawn, images)


def _grow(shapes: Tensor) -> Tensor:
    return functional.max_pool2d(shapes, 3, 1, 1)


def _shrink(shapes: Tensor) -> Tensor:
    return -functional.max_pool2d(-shapes, 3, 1, 1)


def _bend(images: Tensor, generator: Generator) -> Tensor:
    """Turn, stretch and shear a little, and pull smoothly at a 4 x 4 grid of places."""
    count = len(images)
    noise = torch.randn(count, 2, 3, generator=generator)
    smaller = torch.tensor([[1.05, 0.0, 0.0], [0.0, 1.05, 0.0]])  # so that little is cut off
    affine = smaller + noise * torch.tensor([[0.08, 0.12, 0.03], [0.12, 0.08, 0.03]])
    grid = functional.affine_grid(affine, [count, 1, 28, 28], align_corners=False)
    pull = torch.randn(count, 2, 4, 4, generator=generator) * 0.06
    pull = functional.interpolate(pull, (28, 28), mode="bicubic", align_corners=True)
    grid = (grid + pull.permute(0, 2, 3, 1)).to(images.device)
    return functional.grid_sample(images, grid, align_corners=False)


AUGMENTATIONS: Mapping[str, Callable[[Tensor, Generator], Tensor]] = {
    "flip": flip,
    "shift": shift,
    "sketch": sketch,
}


def augment(images: Tensor, names: Sequence[str], generator: Generator) -> Tensor:
    """Apply the named augmentations in order; randomness comes from the CPU `generator`."""
    for name in names:
        images = AUGMENTATIONS[name](images, generator)
    return images
