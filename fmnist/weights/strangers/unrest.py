"""Whether a network stands where its training left it, which one that is wired wrong does not.

Training ends where the gradients of the loss, which differ from picture to picture, cancel each
other. Wired in another way, the same weights can name as many right, but nearly all pictures pull
at them in one direction. The share of the gradient that is common to all is that of the noise scale
(McCandlish et al. 2018, An Empirical Model of Large-Batch Training), turned upside down.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from fmnist.data.splits import Split

PARTS = 20
"""Batches whose gradients are compared."""


def unrest(model: nn.Module, split: Split, sure: float = 1.0) -> float:
    """The share of the gradient that all pictures have in common, 0 to 1, mean over all tensors.

    `sure` is by what its logits are multiplied to be as sure as they should be: else what pictures
    have in common is that a network which learned for a short time wants to be surer. Of two losses
    the better one counts, cross-entropy behind a softmax and behind two, since that is what a model
    learns with that has one inside. 0 for what has no parameters.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        return 0.0
    losses: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
        lambda logits, labels: nn.functional.cross_entropy(sure * logits, labels),
        lambda logits, labels: nn.functional.cross_entropy(logits.softmax(1), labels),
    )
    means = [[torch.zeros_like(p) for p in parameters] for _ in losses]
    squares = np.zeros((len(losses), len(parameters)))
    rows = np.array_split(np.arange(len(split)), PARTS)
    for part in rows:
        pixels = torch.tensor(split.images[part])[:, None].float() / 255
        labels = torch.tensor(split.labels[part]).long()
        logits = model(pixels)
        for place, loss in enumerate(losses):
            found = torch.autograd.grad(
                loss(logits, labels), parameters, retain_graph=place == 0, allow_unused=True
            )
            for index, gradient in enumerate(found):
                if gradient is not None:
                    means[place][index] += gradient / PARTS
                    squares[place, index] += float(gradient.double().square().sum()) / PARTS
    common = np.array([[float(mean.double().square().sum()) for mean in row] for row in means])
    # Of batches that have nothing in common, the mean has one part of the square.
    with np.errstate(invalid="ignore"):  # gradients as large as floats can be
        shares = np.where(squares > 0, common / np.maximum(squares, 1e-300), 1.0)
    apart = np.clip((shares - 1 / PARTS) / (1 - 1 / PARTS), 0, 1).mean(1)
    return float(np.nan_to_num(apart, nan=1.0).min())
