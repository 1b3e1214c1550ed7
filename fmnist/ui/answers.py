"""What models say of pictures: ten probabilities of one, or a table of many."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.data.splits import CLASSES
from fmnist.machine import templates
from fmnist.pictures.encode import data_url, reduced
from fmnist.pictures.intake import Intake
from fmnist.pictures.reading import PictureError
from fmnist.ui.figures import ACCENT, MUTED
from fmnist.ui.parts.classify import KINDS, Taken
from fmnist.ui.state import models
from fmnist.weights.card import Card
from fmnist.weights.shelf import Answer

THUMBNAIL = 56
_KIND_NAMES = {kind: name for name, kind in KINDS.items()}
_BARS = templates.template(Path(__file__).with_name("bars.html.j2"))


def choose_others(card: Card) -> list[Card]:
    """The models that are to answer beside this one."""
    others = {
        name: other
        for name, other in models.choices().items()
        if name != card.name and other.any_picture
    }
    names = st.multiselect(
        "Ask others too",
        list(others),
        placeholder="Choose models",
        key="others",
        bind="query-params",
    )
    return [others[name] for name in names]


def ask(card: Card, taken: Sequence[Taken], device: torch.device) -> tuple[Answer, torch.device]:
    """What the model says of each picture, and the device that computed it.

    The probabilities of what is no picture are NaN.
    """
    good = [row for row, (_, picture) in enumerate(taken) if isinstance(picture, Intake)]
    probabilities = np.full((len(taken), len(CLASSES)), np.nan, np.float32)
    doubts = [""] * len(taken)
    if not good:
        return Answer(probabilities, tuple(doubts)), device
    pictures = [picture for _, picture in taken if isinstance(picture, Intake)]
    pixels = np.stack([picture.pixels for picture in pictures])
    kinds = [picture.kind for picture in pictures]
    (probabilities[good], said), used = models.answer(card, pixels, device, kinds)
    for row, doubt in zip(good, said, strict=True):
        doubts[row] = doubt
    return Answer(probabilities, tuple(doubts)), used


def remarks(picture: Intake, doubt: str) -> list[str]:
    """What a person should know of the answer."""
    return [*picture.warnings, *filter(None, [doubt])]


def show(probabilities: Sequence[NDArray[np.float32]], names: Sequence[str]) -> None:
    """What each model says of one picture, its probabilities (10,); the first one in words."""
    best = int(probabilities[0].argmax())
    st.markdown(f"### {CLASSES[best]}")
    st.caption(f"with probability {probabilities[0][best]:.1%}")
    # Not a chart: it would take longer to draw than all that lies between stroke and answer.
    st.html(bars(np.stack(probabilities), names))


def bars(probabilities: NDArray[np.float32], names: Sequence[str]) -> str:
    """Probabilities (M, 10) as an HTML table: a row a class, a column a model."""
    best = probabilities.argmax(1)
    return _BARS.render(
        names=names,
        rows=[
            (name, list(zip(probabilities[:, label].tolist(), best == label, strict=True)))
            for label, name in enumerate(CLASSES)
        ],
        accent=ACCENT,
        muted=MUTED,
    )


def table(taken: Sequence[Taken], answer: Answer) -> int:
    """Many pictures with their answers, to choose from and to download; returns the row chosen."""
    rows = [
        _row(name, picture, probabilities, doubt)
        for (name, picture), probabilities, doubt in zip(
            taken, answer.probabilities, answer.doubts, strict=True
        )
    ]
    shown = st.dataframe(
        rows,
        hide_index=True,
        placeholder="",
        column_config={
            "Upload": st.column_config.ImageColumn(width="small"),
            "Model sees": st.column_config.ImageColumn(width="small"),
            "Probability": st.column_config.NumberColumn(format="percent"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="answers",
    )
    st.download_button(
        "Download answers as CSV",
        as_csv(taken, answer),
        "answers.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    chosen = shown.selection.rows
    return chosen[0] if chosen and chosen[0] < len(taken) else 0


def _row(
    name: str, picture: Intake | PictureError, probabilities: NDArray[np.float32], doubt: str
) -> dict[str, object]:
    if isinstance(picture, PictureError):
        return {"File": name, "Remarks": str(picture)}
    _, upload = picture.steps[0]
    return {
        "Upload": data_url(reduced(upload, THUMBNAIL)),
        "Model sees": data_url(picture.pixels, THUMBNAIL),
        "File": name,
        "Answer": CLASSES[probabilities.argmax()],
        "Probability": probabilities.max(),
        "Taken in as": _KIND_NAMES[picture.kind],
        "Remarks": " ".join(remarks(picture, doubt)),
    }


def as_csv(taken: Sequence[Taken], answer: Answer) -> str:
    """A line a picture: file, kind, answer, the ten probabilities, remarks."""
    lines: list[dict[str, str]] = []
    for (name, picture), probabilities, doubt in zip(
        taken, answer.probabilities, answer.doubts, strict=True
    ):
        if isinstance(picture, PictureError):
            lines.append({"file": name, "remarks": str(picture)})
            continue
        said = [f"{probability:.6f}" for probability in probabilities]
        lines.append(
            {
                "file": name,
                "kind": picture.kind,
                "answer": CLASSES[probabilities.argmax()],
                **dict(zip(CLASSES, said, strict=True)),
                "remarks": " ".join(remarks(picture, doubt)),
            }
        )
    columns = ["file", "kind", "answer", *CLASSES, "remarks"]
    return pd.DataFrame(lines, columns=columns).to_csv(index=False, lineterminator="\n")
