"""Learning what another model answers instead of the labels (Hinton, Vinyals, Dean 2015)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fmnist.analysis import evaluation
from fmnist.models import inference


def answers(
    teacher: nn.Module, images: NDArray[np.uint8], device: torch.device, bfloat16: bool
) -> Tensor:
    """The probabilities float32 (N, 10) that the teacher gives images uint8 (N, 28, 28).

    An image and its mirror image are asked about together, so that both are learned alike.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        logits = inference.infer_mirrored(teacher, images, device)
    return torch.tensor(evaluation.probabilities(logits))
