"""Pictures as something a browser can show: PNG, data URL, atlas."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def atlas(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Images uint8 (N, 28, 28) side by side, row after row: uint8 (rows*28, columns*28)."""
    rows = -(-len(images) // columns)
    sheet = np.zeros((rows * columns, 28, 28), np.uint8)
    sheet[: len(images)] = images
    return sheet.reshape(rows, columns, 28, 28).swapaxes(1, 2).reshape(rows * 28, columns * 28)


WARM, COOL = np.array([[255, 110, 20], [40, 130, 255]], np.float32)


def overlay(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture uint8 (H, W) or (H, W, 3) with heat (H, W) over it as colour: uint8 (H, W, 3).

    The hottest pixel is all orange, heat below zero blue, and where it is zero the picture stays.
    """
    strength = np.abs(heat) / max(float(np.abs(heat).max()), 1e-9)
    colour = np.where(heat[..., None] > 0, WARM, COOL)
    below = picture if picture.ndim == 3 else picture[..., None]
    mixed: NDArray[np.uint8] = (below + strength[..., None] * (colour - below)).astype(np.uint8)
    return mixed


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


def reduced(picture: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    """A picture uint8 (H, W) or (H, W, 3), its longest edge no longer than `edge`."""
    image = Image.fromarray(picture)
    image.thumbnail((edge, edge))
    return np.asarray(image)
