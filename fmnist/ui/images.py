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
    content = png(picture, max(1, edge // max(picture.shape[:2])))
    return "data:image/png;base64," + base64.b64encode(content).decode()


def png(picture: NDArray[np.uint8], factor: int = 1) -> bytes:
    """A picture uint8 (H, W) or (H, W, 3) as a PNG, each pixel a square of `factor` pixels."""
    content = io.BytesIO()
    enlarged = picture.repeat(factor, 0).repeat(factor, 1)
    Image.fromarray(enlarged).save(content, "PNG", compress_level=1)
    return content.getvalue()
