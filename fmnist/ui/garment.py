"""One garment large: what it is, what each model says of it, and why."""

import streamlit as st
import torch

from fmnist import weights
from fmnist.data import CLASSES, Source, SplitName
from fmnist.ui import answers, cache, widgets
from fmnist.ui.images import data_url
from fmnist.ui.why import why


def garment(
    card: weights.Card, split_name: SplitName, row: int, source: Source, device: torch.device
) -> None:
    """A row of a split, with the answer of one model at length and those of all in short."""
    split = cache.split(split_name, source)
    image, label = split.images[row], CLASSES[split.labels[row]]
    picture, said, others = st.columns([5, 6, 8], gap="medium")
    with picture:
        st.image(data_url(image, 280), width=280, alt=f"Garment {row}, {label}")
        st.caption(f"Garment {row:,} of the {split_name} split, labelled {label}.")
        widgets.draw_on(split_name, row)
    with said:
        answer = cache.answer(card, image[None], device)
        st.caption(f"{card.name} says")
        answers.show(list(answer.shares), [card.name])
    with others:
        st.caption("Every model")
        widgets.model_answers(image, list(cache.choices().values()), device)
    training_row = row if split_name == "train" else None
    why(card, image, device, source, training_row=training_row)
