"""A map of garments: thumbnails to pan and zoom, and to choose one by one or by lasso."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streamlit.runtime import get_instance

from fmnist.analysis.embedding import fit_square
from fmnist.data.splits import CLASSES
from fmnist.ui import components

SHEET_COLUMNS = 100

_component = components.component("map")


@dataclass(frozen=True)
class Chosen:
    """What a visitor chose on a map: one row, and the rows of a lasso or a box."""

    picked: int | None
    rows: NDArray[np.int64]


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
) -> Chosen:
    """Show garments at their positions (N, 2); returns what is chosen.

    `sheet` holds their thumbnails as `thumbnails` makes it. `grouping` is what colours them: Class,
    Answer or Error. `name` says what is shown: a choice made on another map is forgotten.
    """
    group = {"Class": labels, "Answer": answers, "Error": answers != labels}[grouping]
    result = _component(
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
            "name": name,
            "label": (
                f"Map of {len(labels)} garments. Arrow keys move it, plus and minus zoom, Space "
                "chooses the garment in the middle, Enter all in view, Escape none."
            ),
        },
        default={"picked": None, "chosen": None},
        on_picked_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    picked, rows = _of(result.get("picked"), name, "row"), _of(result.get("chosen"), name, "rows")
    return Chosen(
        picked if isinstance(picked, int) and 0 <= picked < len(labels) else None,
        np.array([row for row in rows or [] if row in range(len(labels))], np.int64),
    )


def _address(sheet: bytes) -> str:
    """Where the browser fetches the sheet, relative to a page.

    It travels once, apart from what changes with every choice, as st.image's pictures do.
    """
    return get_instance().media_file_mgr.add(sheet, "image/webp", "map").lstrip("/")


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _of(choice: Any, name: str, field: str) -> Any:
    """The browser's word, if it is about this map."""
    return choice.get(field) if isinstance(choice, dict) and choice.get("name") == name else None
