"""Weights by names of one's own, W1 and b1, in the form of a state dict: matrices and vectors."""

import re
from collections.abc import Mapping

from torch import Tensor

from fmnist.models.layers import SIDE


def paired(tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Linear layers from the pixels on, each a matrix and, if any has, the vector added behind it.

    Of several vectors that fit it is that with the matrix's number, W2 and b2, else the first. A
    matrix is turned where the first one has a row for each pixel, as `x @ W + b` wants it. None
    where the tensors have the names of torch's layers, or are anything else than such pairs.
    """
    if any(name.rpartition(".")[2] in ("weight", "bias") for name in tensors):
        return None
    flat = [(_number(name), tensor.squeeze()) for name, tensor in tensors.items()]
    matrices = [(number, tensor) for number, tensor in flat if tensor.ndim == 2]
    vectors = [(number, tensor) for number, tensor in flat if tensor.ndim == 1]
    first = next((matrix for _, matrix in matrices if SIDE**2 in matrix.shape), None)
    if first is None or len(flat) != len(matrices) + len(vectors):
        return None
    if len(vectors) not in (0, len(matrices)):
        return None
    layers, biased = {}, bool(vectors)
    for place, (number, matrix) in enumerate(matrices):
        weight = matrix.T.contiguous() if first.shape[0] == SIDE**2 else matrix
        layers[f"{place}.weight"] = weight
        if biased:
            fitting = [i for i, (_, vector) in enumerate(vectors) if len(vector) == len(weight)]
            if not fitting:
                return None
            at = next((i for i in fitting if vectors[i][0] == number), fitting[0])
            layers[f"{place}.bias"] = vectors.pop(at)[1]
    return layers


def _number(name: str) -> list[str]:
    """The numbers in a name, which matrix and vector of one layer share."""
    return re.findall(r"\d+", name)
