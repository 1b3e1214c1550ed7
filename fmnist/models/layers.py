"""What every model shares: the input contract and the split into features and head."""

from typing import Any, ClassVar

import safetensors.torch
import torch
from torch import Tensor, nn

from fmnist.machine import parallel
from fmnist.words import Words

SIDE = 28
"""Pixels along an edge of every image."""
TRAIN_MEAN, TRAIN_STD = 0.2860, 0.3530
"""Mean and standard deviation of the published training pixels, scaled to [0, 1]."""


MOMENTUM = 0.1
"""Weight of a batch in the means and variances that batch normalisation remembers."""


class Standardize(nn.Module):
    """Pixels in [0, 1] to zero mean and unit variance; buffers, so it travels with the weights."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(TRAIN_MEAN))
        self.register_buffer("std", torch.tensor(TRAIN_STD))

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.std


class Dropout(nn.Module):
    """Drops values with a probability while it learns, and strengthens the others to make up."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return values
        kept = parallel.rand(values.shape, device=values.device) >= self.probability
        return values * kept / (1 - self.probability)


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation over the whole batch, also where a process holds a part of it."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__(channels, eps, MOMENTUM)

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or parallel.place()[1] == 1:
            normalized: Tensor = super().forward(values)
            return normalized
        axes = [axis for axis in range(values.ndim) if axis != 1]
        along = (-1, *[1] * (values.ndim - 2))
        values = values.to(self.weight.dtype)
        count = parallel.summed(values.new_tensor([values[:, 0].numel()]))
        mean = parallel.summed(values.sum(axes)) / count
        centred = values - mean.view(along)
        variance = parallel.summed(centred.square().sum(axes)) / count
        self._remember(mean.detach(), (variance * count / (count - 1)).detach())
        scale = self.weight / (variance + self.eps).sqrt()
        return centred * scale.view(along) + self.bias.view(along)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        for name, seen in (("running_mean", mean), ("running_var", variance)):
            self.get_buffer(name).lerp_(seen, MOMENTUM)
        self.get_buffer("num_batches_tracked").add_(1)


class BatchNorm1d(_BatchNorm, nn.BatchNorm1d):
    """Of values (N, C)."""


class BatchNorm2d(_BatchNorm, nn.BatchNorm2d):
    """Of images (N, C, H, W)."""


class Classifier(nn.Module):
    """Images float (N, 1, 28, 28) in [0, 1] to logits (N, 10), by way of a feature vector.

    A model assigns `standardize`, `body` and `head`, or overrides `features` where what comes
    before the head is no plain chain.
    """

    opaque: str | None = None
    """What it is where only its answers can be seen: no gradients, no parameters, no layers."""
    suffix: ClassVar[str] = ".safetensors"
    """What the name of the file that it is saved as ends in."""
    standardize: nn.Module
    body: nn.Module
    head: nn.Module

    def features(self, images: Tensor) -> Tensor:
        """The embedding (N, D) that the head reads."""
        embedding: Tensor = self.body(self.standardize(images))
        return embedding

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(images))
        return logits

    def packed(self, architecture: str | None) -> bytes:
        """The content of the file that it is saved as."""
        tensors = {key: tensor.contiguous().cpu() for key, tensor in self.state_dict().items()}
        return safetensors.torch.save(tensors, self.remarks(architecture))

    def remarks(self, architecture: str | None) -> dict[str, str]:
        """What its file says of how to build it."""
        return {"architecture": str(architecture)}


def layers(model: nn.Module) -> list[dict[str, Any]]:
    """One row a layer, in order: name, kind, the shape it hands on for one image, parameters."""
    rows: dict[str, dict[str, Any]] = {}

    def record(name: str, layer: nn.Module, output: Any) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        rows[name] = {
            Words("Layer"): name,
            Words("Kind"): type(layer).__name__,
            Words("Output"): " x ".join(str(size) for size in tensor.shape[1:]),
            Words("Parameters"): parameter_count(layer),
        }

    hooks = [
        layer.register_forward_hook(lambda layer, _, output, name=name: record(name, layer, output))
        for name, layer in model.named_modules()
        if not list(layer.children())
    ]
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 1, 28, 28))
    for hook in hooks:
        hook.remove()
    return list(rows.values())


def parameter_count(model: nn.Module) -> int:
    """Trainable numbers in the model."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
