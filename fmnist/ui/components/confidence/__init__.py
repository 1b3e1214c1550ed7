"""How sure a model is of images, interval by interval: bars to choose from."""

from collections.abc import Callable, Sequence

from fmnist.analysis.selection import EVERY, Interval
from fmnist.ui import components
from fmnist.words import _

_component = components.component("confidence")


def confidence(
    intervals: Sequence[Interval],
    *,
    key: str,
    chosen: tuple[int, int],
    on_choose: Callable[[], None],
) -> None:
    """Show a bar for each interval; `taken` tells which was chosen, or that all are again."""
    _component(
        key=key,
        data={
            "intervals": [
                interval._asdict()
                | {
                    "title": _(
                        "{low} to {high} % sure: {right} right, {wrong} wrong",
                        **interval._asdict(),
                    )
                }
                for interval in intervals
            ],
            "label": _("How sure the model is, in per cent"),
            "chosen": chosen,
            "every": EVERY,
        },
        on_chosen_change=on_choose,
    )


def taken(choice: object) -> tuple[int, int] | None:
    """The browser's word for an interval in per cent, if it is one."""
    low, high = EVERY
    if not isinstance(choice, list) or len(choice) != 2:
        return None
    if not all(isinstance(end, int) and low <= end <= high for end in choice):
        return None
    return choice[0], choice[1]
