"""Sketch, upload or photograph a garment; see what the model sees and what it says."""

import time

import numpy as np
import streamlit as st

from fmnist.intake import Intake, PictureError
from fmnist.ui import cache, pictures, widgets
from fmnist.ui.images import data_url

source, device = widgets.page(
    "Classify", "Draw a garment, or bring a picture. The answer moves with every stroke."
)

source_column, model_column = st.columns(2, vertical_alignment="bottom")
way = source_column.segmented_control(
    "Picture",
    ["Draw", "Upload", "Camera", "Examples"],
    default="Draw",
    required=True,
    key="way",
    bind="query-params",
)
with model_column:
    card = widgets.choose_weights()
if card is None:
    st.stop()

taken: list[tuple[str, Intake | PictureError]] = []
bring, see, answer = st.columns([5, 3, 4], gap="medium")
with bring:
    if way == "Draw":
        drawing = pictures.draw()
        taken += [("Your drawing", drawing)] if drawing else []
    elif way == "Upload":
        taken += pictures.upload()
    elif way == "Camera":
        taken += pictures.camera()
    if not taken:
        if way != "Examples":
            st.caption("Nothing there yet. Until then, choose one of these:")
        taken.append(pictures.examples())

good = [(name, picture) for name, picture in taken if not isinstance(picture, PictureError)]
for name, picture in taken:
    if isinstance(picture, PictureError):
        bring.error(f"{name}: {picture}")
if not good:
    st.stop()

started = time.perf_counter()
shares, used = cache.answer(card, np.stack([picture.pixels for _, picture in good]), device)
milliseconds = (time.perf_counter() - started) * 1000

chosen = 0
if len(good) > 1:
    with bring:
        chosen = widgets.choose_answer([name for name, _ in good], [p for _, p in good], shares)
name, picture = good[chosen]

with see:
    st.markdown("**What the model sees**")
    st.image(data_url(picture.pixels, 280), width="stretch", alt="28 by 28 pixels")
    st.caption(f"{name}, taken in as {picture.kind}, 28 x 28 pixels.")
    for warning in picture.warnings:
        st.warning(warning)
with answer:
    widgets.answers(shares[chosen])
    st.caption(f"{card.name} on the {used.type.upper()}, {milliseconds:.1f} ms.")

with st.expander("What happened to your picture"):
    for column, (step, image) in zip(st.columns(len(picture.steps)), picture.steps, strict=True):
        column.image(data_url(image, 140), caption=step, width="stretch")
