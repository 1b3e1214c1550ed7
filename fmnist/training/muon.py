"""Muon: momentum whose update of a matrix is made orthogonal (Jordan et al. 2024).

torch's own Muon refuses the filters of a convolution, which are matrices of rows as long as what
a filter sees. What is no matrix, and the layer that gives the logits, is left to Adam.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from fmnist.machine.devices import accelerates_bfloat16

MOMENTUM = 0.95
BETAS = (0.9, 0.999)
ROUNDS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration that brings the singular values near 1, from the same source."""


class Muon(torch.optim.Optimizer):
    """Groups of parameters with `matrix` true are updated by Muon, the others by Adam."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "matrix": True})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter by its gradient."""
        for group in self.param_groups:
            update = self._orthogonal if group["matrix"] else self._adaptive
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(group["lr"] * update(parameter, parameter.grad))

    def _orthogonal(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].mul_(MOMENTUM).add_(gradient)
        matrix = gradient.add(momentum, alpha=MOMENTUM).flatten(1)
        rows, columns = matrix.shape
        update: Tensor = orthogonal(matrix) * max(1, rows / columns) ** 0.5
        return update.view_as(parameter)

    def _adaptive(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = (torch.zeros_like(parameter) for _ in range(2))
        state["step"] += 1
        mean = state["mean"].lerp_(gradient, 1 - BETAS[0])
        square = state["square"].lerp_(gradient.square(), 1 - BETAS[1])
        unbiased = [1 - beta ** state["step"].item() for beta in BETAS]
        step: Tensor = mean / unbiased[0] / ((square / unbiased[1]).sqrt() + 1e-8)
        return step


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix (M, N) with singular values near 1 and the singular vectors of the given one."""
    wide = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    # Emulated, bfloat16 would take a fifth of a training.
    number = torch.bfloat16 if accelerates_bfloat16(wide.device) else torch.float32
    wide = wide.to(number) / (wide.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    result = wide if len(matrix) <= matrix.shape[1] else wide.T
    return torch.as_tensor(result, dtype=matrix.dtype)
