"""One training in several processes: where this one stands, and its share of a batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from torch import Tensor, distributed
from torch.distributed.nn.functional import all_reduce

T = TypeVar("T")
_share: ContextVar[tuple[int, int] | None] = ContextVar("share", default=None)


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


@contextmanager
def share_of_batch(first: int, total: int) -> Iterator[None]:
    """Within it, what models are given starts at row `first` of a batch of `total` images."""
    token = _share.set((first, total))
    try:
        yield
    finally:
        _share.reset(token)


def share() -> tuple[int, int] | None:
    """The first row and the size of the whole batch; None outside of `share_of_batch`."""
    return _share.get()
