"""Learning on images that were just moved against the model (Madry et al. 2018)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fmnist.machine import parallel

STRIDE = 1.25
"""How far the one step goes, in strengths."""


def against(model: nn.Module, images: Tensor, targets: Tensor, strength: float) -> Tensor:
    """Images (n, 1, 28, 28) in [0, 1], no pixel moved by more than the strength, to be learned.

    One step along the sign of the gradient from a random place, which is enough and quick (Wong,
    Rice, Kolter 2020). `targets` (n, 10) are the probabilities to be learned. The model is asked
    as it answers, not as it learns, so nothing that it remembers of images changes.
    """
    low, high = (images - strength).clamp_min(0), (images + strength).clamp_max(1)
    chance = parallel.rand(tuple(images.shape), device=images.device)
    start = (low + chance * (high - low)).requires_grad_()
    model.eval()
    for layer in model.modules():
        if isinstance(layer, nn.RNNBase):  # on CUDA one that is evaluated has no gradient
            layer.train()
    loss = functional.cross_entropy(model(start).float(), targets, reduction="sum")
    (slope,) = torch.autograd.grad(loss, start)
    model.train()
    moved = start.detach() + STRIDE * strength * slope.sign()
    return torch.minimum(torch.maximum(moved, low), high)
