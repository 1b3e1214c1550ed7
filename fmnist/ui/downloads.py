"""Buttons to take along what a page shows: a table as CSV, garments as a picture."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.pictures.encode import atlas, png

ENLARGED = 3


def csv_button(label: str, rows: Sequence[Mapping[str, Any]], filename: str, key: str) -> None:
    """A button that saves rows, all with the keys of the first, as a CSV with those as its head."""
    st.download_button(
        label,
        lambda: csv_text(rows).encode(),
        filename,
        "text/csv",
        key=key,
        on_click="ignore",
        icon=":material/table:",
        disabled=len(rows) == 0,
    )


def png_button(label: str, images: NDArray[np.uint8], filename: str, key: str) -> None:
    """A button that saves images uint8 (N, 28, 28) side by side as one PNG."""
    st.download_button(
        label,
        lambda: contact_sheet(images),
        filename,
        "image/png",
        key=key,
        on_click="ignore",
        icon=":material/image:",
        disabled=len(images) == 0,
    )


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV (RFC 4180), the keys of the first above them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def contact_sheet(images: NDArray[np.uint8]) -> bytes:
    """Images uint8 (N, 28, 28), enlarged and about as many across as down, as one PNG."""
    columns = math.ceil(math.sqrt(len(images)))
    return png(atlas(images, columns), ENLARGED)
