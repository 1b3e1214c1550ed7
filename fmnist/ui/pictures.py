"""The ways a picture comes in on the classify page: drawn, uploaded, photographed, exemplary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit_drawable_canvas import st_canvas

from fmnist import garments, intake
from fmnist.data import CLASSES
from fmnist.intake import Intake, PictureError
from fmnist.ui.sprite import sprite

CANVAS = 280
BRUSHES = {"Thin": 6, "Medium": 12, "Thick": 22}
EXAMPLES_SEED = 1
PICTURES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]


def draw() -> Intake | None:
    """A canvas to draw on, white on black; None while it is empty."""
    if "canvas" not in st.session_state:  # the page is opened, maybe not for the first time
        _redraw(st.session_state.get("strokes", []))
    surface = st.container()
    brush = st.segmented_control(
        "Brush", list(BRUSHES), default="Medium", required=True, key="brush"
    )
    with surface:
        canvas = st_canvas(
            stroke_width=BRUSHES[brush],
            stroke_color="#ffffff",
            background_color="#000000",
            width=CANVAS,
            height=CANVAS,
            initial_drawing=st.session_state["drawing"],
            return_image_data=True,
            key="canvas",
        )
    objects = (canvas.json_data or {}).get("objects") or []
    st.session_state["strokes"] = objects
    with st.container(horizontal=True):
        st.button("Undo", disabled=not objects, on_click=_redraw, args=(objects[:-1],))
        st.button("Clear", disabled=not objects, on_click=_redraw, args=([],))
    if not objects:
        return None
    try:
        # Strokes that came back are there before the browser has sent their picture again.
        content = canvas.image_bytes or st.session_state.get("drawn", b"")
        st.session_state["drawn"] = content
        picture = intake.read(content)  # the browser's word, read like any stranger's file
    except (PictureError, ValueError):
        st.error("The drawing did not arrive whole. Draw one more stroke.")
        return None
    return intake.from_sketch(picture)


def _redraw(objects: list[Any]) -> None:
    """Let the canvas begin again from these strokes; the number tells it that it should."""
    number = st.session_state.get("drawing", {}).get("number", 0) + 1
    st.session_state["drawing"] = {"objects": objects, "number": number}


def upload() -> list[tuple[str, Intake | PictureError]]:
    """The uploaded pictures by file name, each taken in or with what is wrong with it."""
    files = st.file_uploader(
        "Pictures of one garment each", PICTURES, accept_multiple_files=True, key="upload"
    )
    return [(file.name, take(file.getvalue())) for file in files]


def camera() -> list[tuple[str, Intake | PictureError]]:
    """The picture taken with the camera, if there is one."""
    photo = st.camera_input("A garment on a plain ground works best", key="camera")
    return [("Camera", take(photo.getvalue()))] if photo else []


def examples() -> tuple[str, Intake]:
    """Ten drawn garments to choose from; the first is chosen to begin with."""
    images = _examples()
    picked = sprite(
        np.stack([intake.from_any(image, "dataset").pixels for image in images]),
        CLASSES,
        key="examples",
        label="Ten drawn garments; arrow keys choose one",
        wall="examples",
        tile=64,
    )
    return f"A drawn {CLASSES[picked or 0]}", intake.from_any(images[picked or 0], "dataset")


@st.cache_data(show_spinner=False)
def take(content: bytes) -> Intake | PictureError:
    """A stranger's file taken in, or what is wrong with it in a sentence."""
    try:
        return intake.from_any(intake.read(content))
    except PictureError as error:
        return error


@st.cache_data(show_spinner=False)
def _examples() -> Sequence[NDArray[np.uint8]]:
    rng = np.random.default_rng(EXAMPLES_SEED)
    return [garments.render(garments.garment(label, rng)) for label in range(len(CLASSES))]
