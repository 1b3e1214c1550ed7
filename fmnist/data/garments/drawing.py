"""A garment's shapes as pixels: the dataset's look, a line drawing, a silhouette."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from fmnist.data.garments.shapes import Field, Garment, Line, Part, Shape

Style = Literal["filled", "outline", "silhouette"]

_SUPERSAMPLE = 4


def render(
    g: Garment, size: int = 28, style: Style = "filled", stroke: float = 0.04
) -> NDArray[np.uint8]:
    """Render to uint8 (size, size), anti-aliased, on black; the longest edge spans the frame.

    "filled" is the dataset look, "outline" a white line drawing with strokes of `stroke` times
    the size, "silhouette" the flat white shape. Raises ValueError for another style.
    """
    canvas = Image.new("L", (size * _SUPERSAMPLE,) * 2)
    if style == "outline":
        _sketch(g.shapes, canvas, stroke)
    elif style in ("filled", "silhouette"):
        _paint(g.shapes, canvas, flat=style == "silhouette")
    else:
        raise ValueError(f"style {style!r} is not filled, outline or silhouette")
    image = canvas.reduce(_SUPERSAMPLE)
    if style == "filled":
        lit = np.clip(np.asarray(image) * g.light.field(*grid(size)), 0, 255)
        rim = ImageFilter.UnsharpMask(size / 28, round(g.light.rim), 0)
        image = Image.fromarray(lit.astype(np.uint8)).filter(rim)
    return np.array(image)


# Rendering


def grid(size: int) -> tuple[Field, Field]:
    """Pixel centres in the unit square: x (1, size) and y (size, 1)."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centres[None], centres[:, None]


def _paint(shapes: Sequence[Shape], canvas: Image.Image, flat: bool) -> None:
    scale = canvas.width
    pen = ImageDraw.Draw(canvas)
    for shape in shapes:
        shade = 255 if flat else round(255 * min(shape.shade, 1))
        # PIL's pixel (0, 0) is centred on the integer, ours on the half.
        xy = (shape.points * scale - 0.5).ravel().tolist()
        if isinstance(shape, Line):
            pen.line(xy, fill=shade, width=max(1, round(shape.width * scale)), joint="curve")
        elif shape.pattern is None or flat:
            pen.polygon(xy, fill=shade)
        else:
            mask = Image.new("1", canvas.size)
            ImageDraw.Draw(mask).polygon(xy, fill=1)
            tone = (shade * shape.pattern.tone(*grid(scale))).astype(np.uint8)
            canvas.paste(Image.fromarray(tone), mask=mask)


def _sketch(shapes: Sequence[Shape], canvas: Image.Image, stroke: float) -> None:
    pen = ImageDraw.Draw(canvas)
    width = max(1, round(stroke * canvas.width))
    scale = canvas.width - width  # the stroke's outer half stays inside the frame
    for shape in shapes:
        xy = (shape.points * scale + width / 2 - 0.5).ravel().tolist()
        if isinstance(shape, Part):
            if not shape.edge:
                continue
            pen.polygon(xy, fill=0)  # hides what lies behind
            xy += xy[:4]
        pen.line(xy, fill=255, width=width, joint="curve")
