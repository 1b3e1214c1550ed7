"""What a browser says was drawn, believed only where it is a picture of the right size."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fmnist.pictures.reading import PictureError
from fmnist.ui.components import canvas
from fmnist.ui.components.canvas import EDGE, decode

FOLDER = Path(canvas.__file__).parent
PAGE, SCRIPT = ((FOLDER / name).read_text() for name in ("canvas.html", "canvas.js"))


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


def test_the_browser_draws_at_the_size_that_is_believed() -> None:
    assert f"const EDGE = {EDGE};" in SCRIPT
    assert f'<canvas width="{3 * EDGE}" height="{3 * EDGE}"' in PAGE


BUTTONS = [
    dict(re.findall(r'([\w-]+)="(.*?)"', attributes))
    for attributes in re.findall(r"<button(.*?)>", PAGE, re.DOTALL)
]


def test_the_toolbar_offers_every_tool_width_and_shade() -> None:
    offered = [(button["data-set"], button["data-value"]) for button in BUTTONS[:4] + BUTTONS[7:]]
    assert offered == [
        *(("tool", name) for name in ("brush", "line", "shape", "eraser")),
        *(("width", str(pixels)) for pixels in (6, 12, 22)),
        *(("shade", str(grey)) for grey in (255, 192, 128, 64, 0)),
    ]
    assert [button["data-do"] for button in BUTTONS[4:7]] == ["undo", "redo", "clear"]


def test_a_button_shows_what_it_sets() -> None:
    for pixels in re.findall(r'data-set="width"\s+data-value="(\d+)"', PAGE):
        assert f'class="dot" style="width: {pixels}px; height: {pixels}px"' in PAGE
    for grey in re.findall(r'data-set="shade"\s+data-value="(\d+)"', PAGE):
        assert f'class="swatch" style="background: rgb({grey} {grey} {grey})"' in PAGE


def test_each_button_has_a_name_and_a_key_of_its_own() -> None:
    for fact in ("data-label", "aria-keyshortcuts"):
        assert len({button[fact] for button in BUTTONS}) == len(BUTTONS)


def test_the_markup_names_only_words_that_come_with_it() -> None:
    named = set(re.findall(r'data-label="(.*?)"', PAGE))
    assert named | {"done"} == canvas.words().keys()
