"""What a browser says was drawn, believed only where it is a picture of the right size."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fmnist.pictures.reading import PictureError
from fmnist.ui.components.canvas import EDGE, decode


def sent(picture: Image.Image, form: str = "PNG") -> str:
    content = io.BytesIO()
    picture.save(content, form)
    return base64.b64encode(content.getvalue()).decode()


GREYS = np.random.default_rng(0).integers(0, 256, (EDGE, EDGE), dtype=np.uint8)
DRAWN = sent(Image.fromarray(GREYS).convert("RGBA"))


def test_a_drawing_comes_back_pixel_by_pixel() -> None:
    assert (decode({"strokes": [], "picture": DRAWN}) == GREYS).all()


@pytest.mark.parametrize("nothing", [{}, {"strokes": [], "picture": None}])
def test_without_a_stroke_there_is_no_picture(nothing: object) -> None:
    assert decode(nothing) is None


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "text",
        ["list"],
        {"strokes": "many", "picture": DRAWN},
        {"picture": 7},
        {"picture": ["list"]},
        {"picture": ""},
        {"picture": "no base64!"},
        {"picture": "é"},
        {"picture": "data:image/png;base64," + DRAWN},
        {"picture": DRAWN[: len(DRAWN) // 8 * 4]},
        {"picture": sent(Image.new("RGB", (EDGE, EDGE + 1)))},
        {"picture": sent(Image.new("L", (28, 28)))},
        {"picture": base64.b64encode(b"I am a text").decode()},
        {"picture": "A" * 10_000_000},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_anything_else_is_refused_in_a_sentence(wrong: Any) -> None:
    with pytest.raises(PictureError, match=r"^It did not arrive whole; draw one more stroke\.$"):
        decode(wrong)
