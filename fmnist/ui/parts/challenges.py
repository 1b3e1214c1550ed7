"""The parts of the challenges page: three of them, and the room's list of the best."""

from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from PIL import Image

from fmnist.data.splits import CLASSES, Source
from fmnist.pictures.intake import SIDE, Intake
from fmnist.pictures.reading import PictureError
from fmnist.ui import answers, widgets
from fmnist.ui.components.canvas import EDGE, canvas
from fmnist.ui.parts import classify
from fmnist.ui.state import best, dataset, models
from fmnist.ui.state.best import Result
from fmnist.ui.widgets import plain
from fmnist.weights import shelf

PIXELS, AGREE, SMALL = "Fewest pixels", "All agree", "Smallest network"
NOTICEABLE = 4
"""Grey levels by which a pixel differs that counts as changed."""
WANTED = 0.9


@st.fragment
def fewest_pixels(source: Source, device: torch.device) -> None:
    """A test garment to draw on until a model names it otherwise, with as few pixels as can be."""
    card = widgets.need_weights(lambda card: card.any_picture)
    test = dataset.split("test", source)
    row = st.number_input("Test garment", 0, len(test) - 1, key="garment", bind="query-params")
    bring, see = st.columns(2, gap="large")
    ground = test.images[row]
    with bring:
        try:
            drawn = canvas(ground, key=f"challenge {row}", label="Canvas to draw on: the garment")
        except PictureError as error:
            st.error(str(error))
            return
    pixels = ground if drawn is None else np.asarray(Image.fromarray(drawn).reduce(EDGE // SIDE))
    count = changed(ground, pixels)
    answer, _ = models.answer(card, np.stack([ground, pixels]), device, ["dataset"] * 2)
    before, after = answer.probabilities
    said, says = (CLASSES[int(each.argmax())] for each in (before, after))
    with see:
        answers.show([before, after], ["before", "now"])
        if said == says:
            st.markdown(f"It still says {says}, with {count} pixels changed.")
            return
        st.success(f"It said {said} and now says {says}, with {count} pixels changed.")
        challenge = f"{PIXELS} {card.sha256} {row}"
        _enter(challenge, count, f"{count} pixels, {says}")


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> int:
    """How many pixels differ so that it counts."""
    return int((np.abs(after.astype(int) - before) >= NOTICEABLE).sum())


@st.fragment
def all_agree(device: torch.device) -> None:
    """A canvas, and what every model says of the drawing."""
    bring, see = st.columns(2, gap="large")
    with bring:
        taken = classify.draw_freely()
    pictures = [picture for _, picture in taken if isinstance(picture, Intake)]
    if not pictures:
        see.caption("Draw a garment that every model gives the same name.")
        return
    rows: list[dict[str, Any]] = []
    for card in models.choices(lambda card: card.any_picture).values():
        answer, _ = models.answer(card, pictures[0].pixels[None], device, [pictures[0].kind])
        (probabilities,) = answer.probabilities
        label = int(probabilities.argmax())
        rows.append(
            {"Model": card.label, "Answer": CLASSES[label], "Sure": float(probabilities[label])}
        )
    names = [row["Answer"] for row in rows]
    name = max(set(names), key=names.count)
    agreeing = names.count(name)
    with see:
        st.markdown(f"{agreeing} of {len(rows)} models say {name}.")
        st.dataframe(
            rows,
            hide_index=True,
            column_config={"Sure": st.column_config.NumberColumn(format="percent")},
        )
        least = min(row["Sure"] for row in rows)
        if agreeing == len(rows):
            st.success(f"All agree, and the least sure of them is {least:.0%} sure.")
            _enter(AGREE, 1 - least, f"{name}, {least:.1%} sure at the least")


def smallest() -> None:
    """The networks here that name at least so many test garments right, the smallest first."""
    rows: list[dict[str, Any]] = [
        {
            "Model": card.label,
            "Parameters": card.parameters,
            "Test accuracy": 100 * card.on_real.accuracy,
            "Made": card.title,
        }
        for card in shelf.cards()
        if card.on_real and card.parameters and card.on_real.accuracy >= WANTED
    ]
    st.markdown(
        f"Build or train a network that names more than {WANTED:.0%} of the test garments right, "
        "with as few parameters as you can, and keep it among the models. These are here:"
    )
    st.dataframe(
        sorted(rows, key=lambda row: row["Parameters"]),
        hide_index=True,
        column_config={"Test accuracy": st.column_config.NumberColumn(format="%.2f %%")},
    )
    st.page_link("pages/build_it.py", label="Build a network", icon=":material/construction:")


def _enter(challenge: str, score: float, words: str) -> None:
    """A name to put on the room's list with a result, and the list."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Your name", max_chars=best.LONGEST_NAME, key="challenger")
        if st.button("Put it on the room's list", disabled=not name.strip()):
            best.enter(challenge, Result(score, words, name))
    _list(challenge)


def _list(challenge: str) -> None:
    results = best.of(challenge)
    if results:
        st.markdown("**The best in this room**")
    for place, result in enumerate(results, 1):
        st.markdown(f"{place}\\. {plain(result.name)}: {result.words}")
