"""What models say of pictures: ten probabilities of one, or a table of many."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.data.splits import CLASSES
from fmnist.machine import templates
from fmnist.pictures.encode import data_url, reduced
from fmnist.pictures.intake import Intake
from fmnist.pictures.reading import PictureError
from fmnist.ui.components.answers import Row, answer_list
from fmnist.ui.downloads import csv_text
from fmnist.ui.figures import ACCENT, MUTED
from fmnist.ui.parts.classify import Taken
from fmnist.ui.state import models
from fmnist.ui.widgets import labels, several
from fmnist.weights.card import Card
from fmnist.weights.shelf import Answer
from fmnist.words import _, number, said

THUMBNAIL = 56
NOTHING = np.full(len(CLASSES), np.nan, np.float32)
"""The probabilities of what isn't there."""
_BARS = templates.template(Path(__file__).with_name("bars.html.j2"))


def choose_others(card: Card) -> list[Card]:
    """The models that are to answer beside this one."""
    others = models.choices(lambda other: other.name != card.name and other.any_picture)
    names = several(
        _("Ask others too"),
        list(others),
        key="others",
        shown=labels(others),
        placeholder=_("Choose models"),
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
    """What a person should know of the answer: words."""
    return [*picture.warnings, *filter(None, [doubt])]


def best(probabilities: NDArray[np.float32]) -> None:
    """The answer in a line that stands by the picture; the line is there while there is none."""
    line = _("What is it?")
    if not np.isnan(probabilities).any():
        name = said(CLASSES[int(probabilities.argmax())])
        line = f"{name} :small[{number(probabilities.max(), '.1%')}]"
    with st.container(key="best"):
        st.markdown(f"## {line}")


def show(probabilities: Sequence[NDArray[np.float32]], names: Sequence[str]) -> None:
    """What each model says of one picture, its probabilities (10,)."""
    # Not a chart: it would take longer to draw than all that lies between stroke and answer.
    st.html(bars(np.stack(probabilities), names))


def bars(probabilities: NDArray[np.float32], names: Sequence[str]) -> str:
    """Probabilities (M, 10) as an HTML table: a row a class, a column a model; NaN is blank."""
    largest = probabilities == probabilities.max(1, keepdims=True)
    return _BARS.render(
        names=names,
        rows=[
            (
                said(name),
                list(zip(probabilities[:, label].tolist(), largest[:, label], strict=True)),
            )
            for label, name in enumerate(CLASSES)
        ],
        accent=ACCENT,
        muted=MUTED,
        number=number,
    )


def choose(taken: Sequence[Taken], answer: Answer) -> int:
    """Many pictures with their answers, to choose from and to download; returns the place of one.

    That is the first picture that is one, until another is chosen.
    """
    rows = [
        row(name, picture, probabilities, doubt)
        for (name, picture), probabilities, doubt in zip(
            taken, answer.probabilities, answer.doubts, strict=True
        )
    ]
    # With the files in its key, a choice among others is forgotten.
    key = f"answers {[name for name, _ in taken]}"
    label = _("{pictures} pictures with their answers", pictures=len(rows))
    picked = answer_list(rows, key=key, label=label)
    st.download_button(
        _("Download answers as CSV"),
        as_csv(taken, answer),
        "answers.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    first = next((place for place, row in enumerate(rows) if not row["error"]), 0)
    return first if picked is None else picked


def row(
    name: str, picture: Intake | PictureError, probabilities: NDArray[np.float32], doubt: str
) -> Row:
    """A picture and its answer as the list shows them."""
    row = Row(name=name, picture="", seen="", answer="", confidence="", remark="", error="")
    if isinstance(picture, PictureError):
        return {**row, "error": said(picture)}
    _, upload = picture.steps[0]
    return {
        **row,
        "picture": data_url(reduced(upload, 2 * THUMBNAIL)),
        "seen": data_url(picture.pixels),
        "answer": said(CLASSES[probabilities.argmax()]),
        "confidence": number(probabilities.max(), ".1%"),
        "remark": " ".join(map(said, remarks(picture, doubt))),
    }


def as_csv(taken: Sequence[Taken], answer: Answer) -> str:
    """A line a picture: file, kind, answer, the ten probabilities, remarks."""
    blank = dict.fromkeys(["file", "kind", "answer", *CLASSES, "remarks"], "")
    lines = []
    for (name, picture), probabilities, doubt in zip(
        taken, answer.probabilities, answer.doubts, strict=True
    ):
        if isinstance(picture, PictureError):
            lines.append({**blank, "file": name, "remarks": str(picture)})
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
    return csv_text(lines)
