"""One training in several processes: where this one stands, and its part of a batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from torch import Tensor, distributed
from torch.distributed.nn.functional import all_reduce

T = TypeVar("T")
_total: ContextVar[int | None] = ContextVar("total", default=None)


def place() -> tuple[int, int]:
    """This process's rank in its group, and how many there are."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def agreed(choice: T) -> T:
    """The first process's choice, in every process of the group."""
    if place()[1] == 1:
        return choice
    choices = [choice]
    distributed.broadcast_object_list(choices, src=0)
    return choices[0]


def summed(values: Tensor) -> Tensor:
    """The sum of every process's values; its gradient reaches all of them."""
    total: Tensor = all_reduce(values)  # type: ignore[no-untyped-call]
    return total


def part(total: int) -> slice:
    """The rows of a batch of `total` images that are this process's."""
    rank, processes = place()
    return slice(total * rank // processes, total * (rank + 1) // processes)


@contextmanager
def part_of_batch(total: int) -> Iterator[None]:
    """Within it, what models are given is this process's part of a batch of `total` images."""
    token = _total.set(total)
    try:
        yield
    finally:
        _total.reset(token)


def batch() -> tuple[slice, int] | None:
    """This process's rows of the whole batch, and its size; None outside of `part_of_batch`."""
    total = _total.get()
    return None if total is None else (part(total), total)


def rand(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """As torch.rand for values of a batch, of which this process may hold a part only.

    It is drawn for the whole batch then, so that several processes draw exactly what one would.
    """
    mine, total = batch() or (slice(None), shape[0])
    return torch.rand((total, *shape[1:]), device=device)[mine]
