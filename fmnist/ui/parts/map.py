"""The parts of the map page."""

import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import CLASSES, Source, Split, SplitName
from fmnist.machine import files
from fmnist.pictures.encode import atlas
from fmnist.ui import garments
from fmnist.ui.components.map import SHEET_COLUMNS
from fmnist.ui.state import dataset


@st.cache_resource(show_spinner=False, max_entries=8)
def thumbnails(split_name: SplitName, source: Source) -> bytes:
    """A split's garments on one sheet, SHEET_COLUMNS a row.

    WebP at this quality is half the size of a PNG, and 30 browsers may ask for it at once.
    """
    content = io.BytesIO()
    sheet = atlas(dataset.split(split_name, source).images, SHEET_COLUMNS)
    Image.fromarray(sheet).save(content, "WEBP", quality=80)
    return content.getvalue()


def gallery(
    split: Split,
    split_name: SplitName,
    answers: Evaluation,
    confidence: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> None:
    """The chosen rows of a split: how many of which class, their images, and both to download."""
    predictions = answers.predictions
    counts = np.bincount(split.labels[rows], minlength=len(CLASSES))
    of_classes = [
        f"**{counts[label]:,}** {CLASSES[label]}"
        for label in np.argsort(-counts, kind="stable")
        if counts[label]
    ]
    right = (predictions == split.labels)[rows].mean()
    st.markdown(f"{', '.join(of_classes)}. {answers.model} names {right:.1%} of them right.")
    garments.gallery(
        split.images[rows],
        [f"{CLASSES[split.labels[row]]} named {CLASSES[predictions[row]]}, {row}" for row in rows],
        [
            {
                "split": split_name,
                "row": row,
                "label": CLASSES[split.labels[row]],
                "answer": CLASSES[predictions[row]],
                "confidence": confidence[row],
            }
            for row in rows
        ],
        key="chosen",
        name=f"{split_name} {files.digest(rows)}",
        what="chosen garments",
        filename="garments",
        height=420,
        tile=48,
    )
