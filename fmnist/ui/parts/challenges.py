"""The parts of the challenges page: three of them, and the room's list of the best."""

from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from PIL import Image

from fmnist.classroom.runs import seal
from fmnist.data.splits import CLASSES, Source
from fmnist.machine.errors import UserFacingError
from fmnist.pictures.intake import SIDE, Intake
from fmnist.pictures.reading import PictureError
from fmnist.ui import answers, widgets
from fmnist.ui.components.canvas import EDGE, canvas
from fmnist.ui.markdown import plain
from fmnist.ui.parts import classify
from fmnist.ui.state import best, classroom, dataset, models
from fmnist.ui.state.best import Result
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.words import Words, _, said

PIXELS, AGREE, SMALL = Words("Fewest pixels"), Words("All agree"), Words("Smallest network")
NOTICEABLE = 4
"""Grey levels by which a pixel differs that counts as changed."""
WANTED = 0.9


@st.fragment
def fewest_pixels(source: Source, device: torch.device) -> None:
    """A test garment to draw on until a model names it otherwise, with as few pixels as can be."""
    st.markdown(
        _(
            "Draw on the garment until the model gives it another name. Who changes the fewest "
            "pixels is the best."
        )
    )
    test = dataset.split("test", source)
    with st.container(horizontal=True):
        card = widgets.need_weights(lambda card: card.any_picture)
        row = st.number_input(
            _("Test garment"),
            0,
            len(test) - 1,
            key="garment",
            bind="query-params",
            width=160,
            help=_("Each model and each garment has a list of its own."),
        )
    verdict = st.container()  # a phone shows it beside the canvas, and the bars below
    bring, see = st.columns(2, gap="large")
    ground = test.images[row]
    with bring:
        try:
            drawn = canvas(
                ground, key=f"challenge {row}", label=_("Canvas to draw on: the garment")
            )
        except PictureError as error:
            st.error(said(error))
            return
    pixels = ground if drawn is None else np.asarray(Image.fromarray(drawn).reduce(EDGE // SIDE))
    count = changed(ground, pixels)
    both = np.stack([ground, pixels])
    before, after = models.answer(card, both, device, ["dataset"] * 2)[0].probabilities
    first, then = (CLASSES[int(each.argmax())] for each in (before, after))
    challenge = f"{PIXELS} {card.sha256} {row}"
    with see:
        answers.show([before, after], [_("before"), _("now")])
    if first == then:
        verdict.markdown(
            _(
                "It still says {then}, with {n} pixel changed.",
                "It still says {then}, with {n} pixels changed.",
                then=then,
                n=count,
            )
        )
        with see:
            _list(challenge)
        return
    verdict.success(
        _(
            "It said {first} and now says {then}, with {n} pixel changed.",
            "It said {first} and now says {then}, with {n} pixels changed.",
            first=first,
            then=then,
            n=count,
        )
    )
    reached = Words("{n} pixel, {then}", "{n} pixels, {then}", n=count, then=then)
    with see:
        _enter(challenge, count, reached)


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> int:
    """How many pixels differ so that it counts."""
    return int((np.abs(after.astype(int) - before) >= NOTICEABLE).sum())


@st.fragment
def all_agree(device: torch.device) -> None:
    """A canvas, and what every model says of the drawing."""
    st.markdown(
        _(
            "Draw a garment that every model gives the same name. The surer the least sure of "
            "them is, the better."
        )
    )
    bring, see = st.columns(2, gap="large")
    with bring:
        taken = classify.draw_freely()
    pictures = [picture for name, picture in taken if isinstance(picture, Intake)]
    if not pictures:
        with see:
            _list(AGREE)
        return
    rows: list[dict[str, Any]] = []
    for card in models.choices(lambda card: card.any_picture).values():
        pixels, kinds = pictures[0].pixels[None], [pictures[0].kind]
        (probabilities,) = models.answer(card, pixels, device, kinds)[0].probabilities
        label = int(probabilities.argmax())
        rows.append(
            {
                Words("Model"): card.label,
                Words("Answer"): CLASSES[label],
                Words("Sure"): float(probabilities[label]),
            }
        )
    if not rows:
        see.info(_("There are no trained models yet. Train one on the Train page."))
        return
    names = [row["Answer"] for row in rows]
    name = max(set(names), key=names.count)
    agreeing = names.count(name)
    with see:
        st.markdown(
            _("{count} of {all} models say {name}.", count=agreeing, all=len(rows), name=name)
        )
        sure = st.column_config.NumberColumn(format="percent")
        widgets.table(rows, columns={"Sure": sure})
        least = min(row["Sure"] for row in rows)
        if agreeing == len(rows):
            st.success(_("All agree, and the least sure of them is {least:.0%} sure.", least=least))
            reached = Words("{name}, {least:.1%} sure at the least", name=name, least=least)
            _enter(AGREE, 1 - least, reached)
        else:
            _list(AGREE)


def smallest(source: Source) -> None:
    """The networks here that name at least so many test garments right, the smallest first.

    Where garments are drawn, those that learned drawn ones count as well; those of a room whose
    test accuracies are sealed don't.
    """
    drawn = source == "drawn"
    rows: list[dict[str, Any]] = [
        {
            Words("Model"): card.label,
            Words("Parameters"): card.parameters,
            Words("Test accuracy"): 100 * figures.accuracy,
            **({Words("On"): _on(card)} if drawn else {}),
            Words("Made"): card.title,
        }
        for card in map(seal, shelf.cards())
        if (figures := card.test if drawn else card.on_real)
        and card.parameters
        and figures.accuracy >= WANTED
    ]
    st.markdown(
        _(
            "Build or train a network that names at least {wanted:.0%} of the test garments "
            "right, with as few parameters as you can, and keep it among the models. This is the "
            "list, the best one first:",
            wanted=WANTED,
        )
    )
    widgets.table(
        sorted(rows, key=lambda row: row["Parameters"]),
        {"Parameters": "{:,}", "Test accuracy": "{:.2f} %"},
    )
    st.page_link("pages/build_it.py", label=_("Build a network"), icon=":material/construction:")


def _on(card: Card) -> Words:
    return Words("Fashion-MNIST") if card.on_real else Words("Drawn garments")


def _enter(challenge: str, score: float, words: Words) -> None:
    """A name to put on the list with a result, and the list."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(_("Your name"), max_chars=best.LONGEST_NAME, key="challenger")
        if st.button(_("Put it on the list"), disabled=not name.strip()):
            try:
                best.enter(challenge, Result(score, words, name), _room())
            except UserFacingError as error:
                st.error(said(error))
    _list(challenge)


def _room() -> str | None:
    ticket = classroom.ticket()
    return ticket.code if ticket else None


def _list(challenge: str) -> None:
    results = best.of(challenge, _room())
    whose = _("The best in this room") if _room() else _("The best on this machine")
    st.markdown(f"**{whose}**")
    if not results:
        st.caption(_("Nobody is on this list yet."))
    for place, result in enumerate(results, 1):
        st.markdown(f"{place}\\. {plain(result.name)}: {said(result.words)}")
