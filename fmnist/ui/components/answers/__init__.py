"""Pictures with their answers, one below the other, to choose one: whole on any width."""

from collections.abc import Sequence
from typing import TypedDict

from fmnist.ui import components

_component = components.component("answers")


class Row(TypedDict):
    """A picture by its name: a thumbnail and what the model sees as addresses, and what it says.

    `error` says why there is no answer; then all else is empty.
    """

    name: str
    picture: str
    seen: str
    answer: str
    confidence: str
    remark: str
    error: str


def answer_list(rows: Sequence[Row], *, key: str, label: str) -> int | None:
    """Show rows; returns the place of the chosen one, or None while that is the first good one."""
    result = _component(
        key=key,
        data={"rows": list(rows), "label": label},
        default={"picked": None},
        on_picked_change=lambda: None,
    )
    picked = result.get("picked")
    good = isinstance(picked, int) and 0 <= picked < len(rows) and not rows[picked]["error"]
    return picked if good else None
