"""A map of garments: thumbnails to pan and zoom, and to choose one by one or by lasso."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streamlit.runtime import get_instance

from fmnist.analysis.embedding import fit_square
from fmnist.data.splits import CLASSES
from fmnist.ui import components
from fmnist.words import Words, _, said

SHEET_COLUMNS = 100
GROUPINGS = CLASS, ANSWER, ERROR = Words("Class"), Words("Answer"), Words("Error")
"""What colours the garments."""

_component = components.component("map")


def garment_map(
    sheet: bytes,
    positions: NDArray[np.float32],
    labels: NDArray[np.uint8],
    answers: NDArray[np.uint8],
    confidence: NDArray[np.float32],
    grouping: str,
    *,
    key: str,
    name: str,
    chosen: NDArray[np.int64],
    picked: int | None,
    on_choose: Callable[[], None],
    on_pick: Callable[[], None],
) -> None:
    """Show garments at their positions (N, 2), those at the rows `chosen` before all others.

    `sheet` holds their thumbnails as `thumbnails` makes it, `grouping` is one of GROUPINGS. `name`
    says what is shown: where the map was moved to and what a visitor chose
    holds for no other. `taken_rows` and `taken_row` tell the choice.
    """
    groups: dict[str, NDArray[Any]] = {
        CLASS: labels,
        ANSWER: answers,
        ERROR: answers != labels,
    }
    group = groups[grouping]
    classes = [said(name) for name in CLASSES]
    _component(
        key=key,
        data={
            "sheet": _address(sheet),
            "columns": SHEET_COLUMNS,
            "positions": _packed(fit_square(positions)),
            "labels": _packed(labels),
            "answers": _packed(answers),
            "percents": _packed(np.round(100 * confidence).astype(np.uint8)),
            "group": _packed(group.astype(np.uint8)),
            "grouping": grouping,
            "groups": [_("Right"), _("Wrong")] if grouping == ERROR else classes,
            "colours": "error" if grouping == ERROR else "classes",
            "classes": classes,
            "chosen": _packed(chosen.astype(np.uint32)),
            "picked": -1 if picked is None else picked,
            "name": name,
            "label": _(
                "Map of {garments} garments. Arrow keys move it, plus and minus zoom, Space "
                "chooses the garment in the middle, Enter all in view, Escape none.",
                garments=len(labels),
            ),
            "words": {
                "tools": _("Map tools"),
                "move": _("Move"),
                "lasso": _("Lasso"),
                "box": _("Box"),
                "in": _("Zoom in"),
                "out": _("Zoom out"),
                "fit": _("Whole"),
                "clear": _("Clear"),
                "only": _("Show only"),
                "answer": _("Answer: {answer}, {percent} %"),
                "garment": _("Garment {row}"),
                "chosen": _("Garments chosen: {count}"),
            },
            "titles": {
                "move": _("Drag to move; M"),
                "lasso": _("Draw around garments to choose them; L"),
                "box": _("Drag a box over garments to choose them; B"),
                "in": _("Zoom in; +"),
                "out": _("Zoom out; -"),
                "fit": _("Show the whole map; 0"),
                "clear": _("Choose none; Escape"),
            },
        },
        on_picked_change=on_pick,
        on_chosen_change=on_choose,
    )


def taken_rows(choice: object, count: int) -> NDArray[np.int64]:
    """The browser's word for the rows in a lasso or a box, of `count` garments."""
    rows = choice if isinstance(choice, list) else []
    return np.array([row for row in rows if row in range(count)], np.int64)


def taken_row(choice: object, count: int) -> int | None:
    """The browser's word for one garment of `count`."""
    return choice if isinstance(choice, int) and 0 <= choice < count else None


def _address(sheet: bytes) -> str:
    """Where the browser fetches the sheet, relative to a page.

    It travels once, apart from what changes with every choice, as st.image's pictures do.
    """
    return get_instance().media_file_mgr.add(sheet, "image/webp", "map").lstrip("/")


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()
