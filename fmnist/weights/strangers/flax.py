"""Weights by the names that Flax gives them, kernels and scales, in the form of a state dict."""

import re
from collections.abc import Mapping

from torch import Tensor

from fmnist.weights.strangers import stacks
from fmnist.weights.strangers.stacks import StackError

_COLLECTION = re.compile(r"^(params|batch_stats)\.")


def is_kernel(name: str) -> bool:
    """Whether Flax would call a layer's matrix or filters so, in a nest that was made flat."""
    return re.search(r"(^|[./])kernel$", name) is not None


def state_dict(tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """The tensors as those of torch's layers; None where none has Flax's name of a kernel.

    Raises StackError for tensors that belong to no layer of a plain stack.
    """
    if not any(map(is_kernel, tensors)):
        return None
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        path, _, leaf = name.replace("/", ".").rpartition(".")
        parts.setdefault(_COLLECTION.sub("", path), {})[leaf] = tensor
    groups = []
    for path in sorted(parts, key=_in_order):
        leaves = parts[path]
        known = ("kernel", "bias") if "kernel" in leaves else ("scale", "bias", "mean", "var")
        if not leaves.keys() <= set(known):
            raise StackError("{name} is no layer of a plain stack", name=path)
        groups.append((path, [leaves[leaf] for leaf in known if leaf in leaves]))
    return stacks.from_keras(groups)


def _in_order(path: str) -> list[tuple[int, str]]:
    """What sorts names by the numbers in them: Conv_2 stands before Conv_10."""
    return [(int(n), "") if n else (0, word) for n, word in re.findall(r"(\d+)|(\D+)", path)]
