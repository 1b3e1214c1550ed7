"""The draw-and-classify page that one writes first; sketch_latency measures the app beside it.

With BARE_PAGE_CANVAS=ours it has the app's canvas instead of the library's.
"""

import os

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from fmnist.analysis import evaluation
from fmnist.data.splits import CLASSES
from fmnist.machine import devices
from fmnist.models import inference
from fmnist.ui.components.canvas import canvas
from fmnist.weights import shelf

opened = st.cache_resource(shelf.load)
model, card = opened(os.environ["BARE_PAGE_WEIGHTS"])

st.title("Draw a garment")
if os.environ.get("BARE_PAGE_CANVAS") == "ours":
    drawn = canvas(np.zeros((28, 28), np.uint8), key="canvas", label="Canvas")
else:
    drawn = st_canvas(
        stroke_width=12,
        stroke_color="#ffffff",
        background_color="#000000",
        width=280,
        height=280,
        return_image_data=True,
        key="canvas",
    ).image_data
if drawn is not None:
    small = Image.fromarray(drawn).convert("L").resize((28, 28))
    logits = inference.infer(model, np.asarray(small)[None], devices.choose())
    shares = evaluation.probabilities(logits, card.temperature)[0]
    st.image(small, width=280)
    st.bar_chart({"class": CLASSES, "probability": shares}, x="class", y="probability")
    lines = (f"{name}: {share:.6f}" for name, share in zip(CLASSES, shares, strict=True))
    st.html(f'<p class="bars">{"<br>".join(lines)}</p>')
