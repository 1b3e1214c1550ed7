"""Pictures as something a browser can show."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def data_url(picture: NDArray[np.uint8], edge: int = 0) -> str:
    """A picture uint8 (H, W) or (H, W, 3) as a PNG in a URL.

    A small one is enlarged, pixel by pixel, as far as `edge` allows.
    """
    factor = max(1, edge // max(picture.shape[:2]))
    png = io.BytesIO()
    Image.fromarray(picture.repeat(factor, 0).repeat(factor, 1)).save(png, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def reduced(picture: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    """A picture uint8 (H, W) or (H, W, 3), its longest edge no longer than `edge`."""
    image = Image.fromarray(picture)
    image.thumbnail((edge, edge))
    return np.asarray(image)
