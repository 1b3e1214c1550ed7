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

SHEET_COLUMNS = 100

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

    `sheet` holds their thumbnails as `thumbnails` makes it. `grouping` is what colours them: Class,
    Answer or Error. `name` says what is shown: where the map was moved to and what a visitor chose
    holds for no other. `taken_rows` and `taken_row` tell the choice.
    """
    group = {"Class": labels, "Answer": answers, "Error": answers != labels}[grouping]
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
            "groups": ["Right", "Wrong"] if grouping == "Error" else CLASSES,
            "colours": "error" if grouping == "Error" else "classes",
            "classes": CLASSES,
            "chosen": _packed(chosen.astype(np.uint32)),
            "picked": -1 if picked is None else picked,
            "name": name,
            "label": (
                f"Map of {len(labels)} garments. Arrow keys move it, plus and minus zoom, Space "
                "chooses the garment in the middle, Enter all in view, Escape none."
            ),
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
