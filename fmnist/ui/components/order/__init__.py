"""Names in a row, to be dragged into another order by mouse or finger."""

from collections.abc import Callable, Collection, Mapping

from fmnist.ui import components

_component = components.component("order")


def order(names: Mapping[int, str], *, key: str, label: str, on_order: Callable[[], None]) -> None:
    """Show names by their numbers, in their order; `on_order` learns by `taken` of another one."""
    _component(
        key=key, data={"names": list(names.items()), "label": label}, on_order_change=on_order
    )


def taken(word: object, numbers: Collection[int]) -> list[int] | None:
    """The browser's word for an order of those numbers, if it is one."""
    if isinstance(word, list) and all(type(number) is int for number in word):
        return word if sorted(word) == sorted(numbers) else None
    return None
