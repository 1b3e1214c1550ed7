"""Buttons that save what a page shows: a table as CSV, garments as a picture."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.pictures.encode import atlas, png

ENLARGED = 3


def csv_button(label: str, rows: Sequence[Mapping[Any, Any]], filename: str, key: str) -> None:
    """A button that saves rows, all with the keys of the first, as a CSV with those as its head."""
    _button(label, rows, lambda: csv_text(rows).encode(), filename, key, "text/csv", "table")


def png_button(label: str, images: NDArray[np.uint8], filename: str, key: str) -> None:
    """A button that saves images uint8 (N, 28, 28) side by side as one PNG."""
    _button(label, images, lambda: contact_sheet(images), filename, key, "image/png", "image")


def _button(
    label: str,
    things: Sequence[object] | NDArray[np.uint8],
    content: Callable[[], bytes],
    filename: str,
    key: str,
    mime: str,
    icon: str,
) -> None:
    st.download_button(
        label,
        content,
        filename,
        mime,
        key=key,
        on_click="ignore",
        icon=f":material/{icon}:",
        disabled=len(things) == 0,
    )


def csv_text(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Rows as CSV (RFC 4180), the keys of the first above them; what is NaN is left blank."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(
        {head: "" if value != value else value for head, value in row.items()} for row in rows
    )
    return text.getvalue()


def contact_sheet(images: NDArray[np.uint8]) -> bytes:
    """Images uint8 (N, 28, 28), enlarged and about as many across as down, as one PNG."""
    columns = math.ceil(math.sqrt(len(images)))
    return png(atlas(images, columns), ENLARGED)
