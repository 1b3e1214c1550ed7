"""Weights by names of one's own, W1 and b1, in the form of a state dict: matrices and vectors."""

from collections.abc import Mapping

from torch import Tensor

from fmnist.models.layers import SIDE


def paired(tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Linear layers from the pixels on, each a matrix and, if any has, the vector added behind it.

    A matrix is turned where the first one has a row for each pixel, as `x @ W + b` wants it. None
    where the tensors have the names of torch's layers, or are anything else than such pairs.
    """
    if any(name.rpartition(".")[2] in ("weight", "bias") for name in tensors):
        return None
    flat = [tensor.squeeze() for tensor in tensors.values()]
    matrices = [tensor for tensor in flat if tensor.ndim == 2]
    vectors = [tensor for tensor in flat if tensor.ndim == 1]
    first = next((matrix for matrix in matrices if SIDE**2 in matrix.shape), None)
    if first is None or len(flat) != len(matrices) + len(vectors):
        return None
    if len(vectors) not in (0, len(matrices)):
        return None
    layers, biased = {}, bool(vectors)
    for place, matrix in enumerate(matrices):
        weight = matrix.T.contiguous() if first.shape[0] == SIDE**2 else matrix
        layers[f"{place}.weight"] = weight
        if biased:
            at = next((i for i, v in enumerate(vectors) if len(v) == len(weight)), None)
            if at is None:
                return None
            layers[f"{place}.bias"] = vectors.pop(at)
    return layers
