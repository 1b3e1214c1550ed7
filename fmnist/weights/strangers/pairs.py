"""Weights by names of one's own, W1 and b1, in the form of a state dict: matrices and vectors."""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from fmnist.models.layers import SIDE


def paired(tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Layers from the pixels on: each a matrix, or filters of torch, and a vector if any has one.

    Of several vectors that fit it is that with the matrix's number, W2 and b2, else the first. A
    matrix is turned where the first one has a row for each pixel, as `x @ W + b` wants it. A vector
    as long as no side of a matrix, such as a loss of each epoch, is left out. None where the
    tensors have the names of torch's layers, or are anything else than such pairs.
    """
    if any(name.rpartition(".")[2] in ("weight", "bias") for name in tensors):
        return None
    flat = [
        (numbers(name), tensor if tensor.ndim == 4 else tensor.squeeze())
        for name, tensor in tensors.items()
    ]
    matrices = [(number, tensor) for number, tensor in flat if tensor.ndim in (2, 4)]
    first = next((m for _, m in matrices if _sees_pixels(m.shape)), None)
    if first is None or any(tensor.ndim not in (1, 2, 4) for _, tensor in flat):
        return None
    sides = {side for _, matrix in matrices for side in matrix.shape}
    vectors = [
        (number, tensor) for number, tensor in flat if tensor.ndim == 1 and len(tensor) in sides
    ]
    if len(vectors) not in (0, len(matrices)):
        return None
    layers, biased = {}, bool(vectors)
    for place, (number, matrix) in enumerate(matrices):
        turned = matrix.ndim == 2 and first.shape[0] == SIDE**2
        weight = matrix.T.contiguous() if turned else matrix
        layers[f"{place}.weight"] = weight
        if biased:
            fitting = [i for i, (_, vector) in enumerate(vectors) if len(vector) == len(weight)]
            if not fitting:
                return None
            at = next((i for i in fitting if vectors[i][0] == number), fitting[0])
            layers[f"{place}.bias"] = vectors.pop(at)[1]
    return layers


def _sees_pixels(shape: Sequence[int]) -> bool:
    return SIDE**2 in shape if len(shape) == 2 else shape[1] == 1


def numbers(name: str) -> list[str]:
    """The numbers in a name, which the parts of one layer share."""
    return re.findall(r"\d+", name)
