"""Augmentation of whole batches on their own device; images are float (N, 1, 28, 28) in [0, 1]."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

MAX_SHIFT = 2
"""Pixels that a garment may move in each direction."""
ERASED = (0.02, 0.25)
"""Least and most of an image that is erased."""


def alternating(sides: Tensor, epoch: int) -> Tensor:
    """Which of N images are mirrored in an epoch, bool (N,), where `sides` is so for epoch 0.

    Every other epoch shows an image's other side, so that two epochs show both (Jordan 2024).
    """
    return sides ^ bool(epoch % 2)


def flip(images: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror left to right the images for which `mirrored`, bool (N,), is true."""
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def shift(images: Tensor, generator: Generator) -> Tensor:
    """Move each image by up to `MAX_SHIFT` pixels each way; what enters the frame is black."""
    padded = functional.pad(images[:, 0], [MAX_SHIFT] * 4)
    offsets = torch.randint(0, 2 * MAX_SHIFT + 1, (2, len(images), 1), generator=generator)
    rows, columns = (offsets + torch.arange(28)).to(images.device)
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]][:, None]


def erase(images: Tensor, generator: Generator) -> Tensor:
    """Put noise over a rectangle of half of the images (Zhong et al. 2017)."""
    count = len(images)
    erased = torch.rand(count, generator=generator) < 0.5
    area = 28**2 * torch.empty(count).uniform_(*ERASED, generator=generator)
    stretch = torch.empty(count).uniform_(-1, 1, generator=generator).exp()
    sizes = torch.stack([(area * stretch).sqrt(), (area / stretch).sqrt()])
    inside = erased[:, None, None] & _rectangles(sizes, generator)
    noise = torch.rand(images.shape, generator=generator).to(images.device)
    return torch.where(inside[:, None].to(images.device), noise, images)


def mix(
    images: Tensor, targets: Tensor, share: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Put a rectangle of another image into that share of the images, and as much of its target.

    The targets are the probabilities to learn, (N, 10). How much is taken is uniform (CutMix, Yun
    et al. 2019).
    """
    count = len(images)
    mixed = torch.rand(count, generator=generator) < share
    side = 28 * torch.rand(count, generator=generator).sqrt()
    inside = mixed[:, None, None] & _rectangles(torch.stack([side, side]), generator)
    taken = inside.double().mean((1, 2)).float()[:, None].to(images.device)
    # A batch is in a random order, so that its neighbour is any other image.
    images = torch.where(inside[:, None].to(images.device), images.roll(1, 0), images)
    return images, torch.lerp(targets, targets.roll(1, 0), taken)


def _rectangles(sizes: Tensor, generator: Generator) -> Tensor:
    """A rectangle anywhere in each of N images, bool (N, 28, 28), by heights and widths (2, N)."""
    axis, inside = torch.arange(28), torch.ones(sizes.shape[1], 28, 28, dtype=torch.bool)
    heights, widths = sizes.round().clamp(1, 28)[..., None]
    for size, along in ((heights, (-1, 28, 1)), (widths, (-1, 1, 28))):
        start = (torch.rand(size.shape, generator=generator) * (29 - size)).floor()
        inside &= ((axis >= start) & (axis < start + size)).view(along)
    return inside


RANDOM: Mapping[str, Callable[[Tensor, Generator], Tensor]] = {"shift": shift, "erase": erase}


def augment(images: Tensor, names: Sequence[str], mirrored: Tensor, generator: Generator) -> Tensor:
    """Apply the named augmentations in order: flip to those `mirrored`, bool (N,), all others
    with randomness from the CPU `generator`.
    """
    for name in names:
        images = flip(images, mirrored) if name == "flip" else RANDOM[name](images, generator)
    return images
