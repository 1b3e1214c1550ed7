"""Sketch, upload or photograph a garment; see what the model sees and what it says."""

import time

import streamlit as st

from fmnist.pictures.encode import data_url
from fmnist.pictures.intake import KINDS, Intake
from fmnist.ui import answers, widgets
from fmnist.ui.markdown import plain
from fmnist.ui.page import page
from fmnist.ui.parts import classify as parts
from fmnist.ui.why import why
from fmnist.ui.widgets import choice
from fmnist.weights.card import Card
from fmnist.words import _, said

source, device = page(
    _("Classify"), _("Draw a garment, or bring a picture. The answer moves with every stroke.")
)

way_column, model_column = st.columns(2, vertical_alignment="bottom")
with way_column:
    way = choice(_("Picture"), list(parts.WAYS), key="way")
with model_column:
    card = widgets.need_weights(lambda card: card.any_picture)


@st.fragment
def classify(card: Card) -> None:
    """From the picture to its answer; a stroke runs this again and nothing else."""
    above = st.container()
    bring, hear, see = st.columns([5, 5, 3], gap="medium")
    # The answer stands over the picture, where the eye is, on a phone too.
    best, sight, bars = bring.container(), see.container(), hear.container()
    with see:
        kind, part = parts.choose_kind(), parts.choose_part(way)
    with hear:
        others = answers.choose_others(card)

    with above if way == parts.UPLOAD else bring:
        taken = parts.WAYS[way](kind, part, source)

    started = time.perf_counter()
    answer, used = answers.ask(card, taken, device)
    milliseconds = (time.perf_counter() - started) * 1000

    with above:
        chosen = answers.choose(taken, answer) if len(taken) > 1 else 0
    name, picture = taken[chosen] if taken else ("", None)
    probabilities = answer.probabilities[chosen] if taken else answers.NOTHING
    with best:
        answers.best(probabilities)
    if not isinstance(picture, Intake):
        with bars:
            answers.show([probabilities], [card.label])
        if picture and len(taken) == 1:
            above.error(f"{plain(said(name))}: {said(picture)}")
        return

    if way == parts.UPLOAD:
        with best:
            parts.original(picture)
    with bars:
        asked = [answers.ask(other, [taken[chosen]], device)[0] for other in others]
        theirs = [other.probabilities[0] for other in asked]
        names = [card.label, *(other.label for other in others)]
        answers.show([probabilities, *theirs], names)
        st.caption(
            _(
                "{model} on the {device}, {milliseconds:.1f} ms.",
                model=plain(card.label),
                device=used.type.upper(),
                milliseconds=milliseconds,
            )
        )
    with sight:
        st.markdown(_("**What the model sees**"))
        st.image(data_url(picture.pixels, 280), width="stretch", alt=_("28 by 28 pixels"))
        st.caption(
            _(
                "{name}, taken in as {kind}, 28 x 28 pixels.",
                name=plain(parts.shown(name, picture)),
                kind=KINDS[picture.kind],
            )
        )
        for remark in answers.remarks(picture, answer.doubts[chosen]):
            st.warning(said(remark))

    why(card, picture.pixels, device, source, taken=picture)
    parts.steps(picture)


classify(card)
