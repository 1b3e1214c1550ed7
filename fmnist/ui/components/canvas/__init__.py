"""A canvas to draw on in greys: brush, line, filled shape, eraser, undo, redo and clear.

It lives in the browser and waits for no server. When the pen is lifted it sends its strokes, which
are kept for the day the page is opened again, and the picture of them, which is read like any
stranger's file.
"""

import base64
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.pictures import reading
from fmnist.pictures.encode import data_url
from fmnist.pictures.reading import PictureError
from fmnist.ui import components
from fmnist.words import _

EDGE = 280  # pixels a side, ten for each that a model sees
MOST_CHARACTERS = 500_000  # of base64; noise in every pixel takes fewer

_component = components.component("canvas")


class Invitation(NamedTuple):
    """Words, and a picture uint8 (N, N) seen faintly, that stand there until the first stroke."""

    words: str
    outline: NDArray[np.uint8]


def canvas(
    ground: NDArray[np.uint8], *, key: str, label: str, invitation: Invitation | None = None
) -> NDArray[np.uint8] | None:
    """Show a square picture uint8 (N, N) to draw on; each key has a drawing of its own.

    Returns what is there, uint8 (EDGE, EDGE), or None while nothing is drawn. Raises PictureError
    for a drawing that isn't one.
    """
    kept = st.session_state.setdefault("kept drawings", {})
    if key not in st.session_state:  # the page is opened, maybe not for the first time
        st.session_state["canvas opened with"] = kept.get(key, {})
    opened: dict[str, Any] = st.session_state["canvas opened with"]
    titles = {
        "undo": _("Undo (Ctrl+Z)"),
        "redo": _("Redo (Ctrl+Shift+Z)"),
        "clear": _("Clear (Delete)"),
    }
    result = _component(
        key=key,
        # Tuples: to see that a list or a dictionary is no table, Streamlit imports pandas, 60 MiB.
        data={
            "name": key,
            "label": label,
            "ground": data_url(ground),
            "invitation": invitation.words if invitation else "",
            "outline": data_url(invitation.outline) if invitation else "",
            "strokes": tuple(opened.get("strokes", ())),
            "words": tuple(words().items()),
            "titles": tuple(titles.items()),
        },
        default={"drawing": opened},
        on_drawing_change=lambda: None,
    )
    picture = decode(result.get("drawing"))
    kept[key] = result.get("drawing")
    return picture


def words() -> dict[str, str]:
    """What the markup and the script name."""
    return {
        "tool": _("Tool"),
        "brush": _("Brush"),
        "line": _("Straight line"),
        "shape": _("Filled shape"),
        "eraser": _("Eraser"),
        "history": _("History"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "clear": _("Clear"),
        "width": _("Width"),
        "thin": _("Thin"),
        "medium": _("Medium"),
        "thick": _("Thick"),
        "shade": _("Shade"),
        "white": _("White"),
        "light grey": _("Light grey"),
        "grey": _("Grey"),
        "dark grey": _("Dark grey"),
        "black": _("Black"),
        "done": _("{action}. Strokes: {count}"),
    }


def decode(drawing: object) -> NDArray[np.uint8] | None:
    """What a browser says was drawn, uint8 (EDGE, EDGE); None where that is nothing.

    Raises PictureError, in a sentence for people, for anything else.
    """
    try:
        if not isinstance(drawing, dict) or not isinstance(drawing.get("strokes", []), list):
            raise PictureError
        content = drawing.get("picture")
        if content is None:
            return None
        if not isinstance(content, str) or len(content) > MOST_CHARACTERS:
            raise PictureError
        picture = reading.read(base64.b64decode(content, validate=True))
        if picture.size != (EDGE, EDGE):
            raise PictureError
    except (PictureError, ValueError):
        raise PictureError("It did not arrive whole; draw one more stroke.") from None
    return np.asarray(picture.convert("L"))
