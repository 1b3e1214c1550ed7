"""Learning what another model answers instead of the labels (Hinton, Vinyals, Dean 2015)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmnist import evaluation, weights


def answers(
    teacher: str, images: NDArray[np.uint8], device: torch.device, bfloat16: bool
) -> Tensor:
    """The probabilities float32 (N, 10) that the weights `teacher` give images uint8 (N, 28, 28).

    An image and its mirror image are asked about together, so that both are learned alike. Raises
    WeightsError where there are no such weights.
    """
    model, _ = weights.load(teacher)
    if bfloat16:
        model.to(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        logits = evaluation.infer_mirrored(model, images, device)
    return torch.tensor(evaluation.probabilities(logits))
