"""A stranger's bytes -> an upright picture, or a sentence that says why not."""

import io
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fmnist.machine.errors import UserFacingError

Picture = npt.NDArray[np.uint8]  # (H, W) grey or (H, W, 3) RGB
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 50_000_000  # the largest phone cameras
LARGE = 12_000_000  # pixels; of more, one picture is decoded at a time, which takes to 600 MB
MAX_EDGE = 2048  # holds a dataset image enlarged 20 times on a canvas over three times its size
DRAFT_EDGE = 750  # a JPEG is decoded at 1/2, 1/4 or 1/8 if its shorter edge stays above this
ORIENTATION = ExifTags.Base.Orientation
_TURN = Lock()


class PictureError(UserFacingError):
    """A picture that can't be used; the message is one sentence for people."""


# ---------------------------------------------------------------- reading untrusted files


def read(source: bytes | Path | BinaryIO) -> Image.Image:
    """Decode an upload into an upright L, RGB or RGBA picture of at most MAX_EDGE pixels a side.

    Raises PictureError for what is no picture, is damaged, or has more than 50 million pixels,
    which is known from the header, before a pixel is decoded.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_large()
            # A phone's JPEG may hold a second, small one (MPO); that is no animation.
            several = getattr(picture, "is_animated", False) and picture.format != "MPO"
            picture.draft(None, (DRAFT_EDGE, DRAFT_EDGE))
            with _TURN if picture.width * picture.height > LARGE else nullcontext():
                decoded = eight_bit(picture)
                decoded.thumbnail((MAX_EDGE, MAX_EDGE), Image.Resampling.BOX)
            # What else it says of itself would be written anew, where that can be.
            decoded.info = {"animated": several}
            # Asked after decoding, since a TIFF turns itself.
            decoded.getexif()[ORIENTATION] = _orientation(picture)
            decoded = ImageOps.exif_transpose(decoded)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except UnidentifiedImageError:
        raise PictureError(
            "This file is not a picture that can be opened here; save it as PNG or JPEG."
        ) from None
    except Exception:  # on damaged files Pillow's decoders raise nearly any type
        raise PictureError(
            "This picture is damaged or incomplete; save or download it again and retry."
        ) from None
    return decoded


def _orientation(picture: Image.Image) -> object:
    """How a picture lies, by its EXIF; upright where that is damaged, as browsers show it."""
    try:
        return picture.getexif().get(ORIENTATION, 1)
    except Exception:  # of damaged EXIF Pillow raises nearly any type, too
        return 1


def _too_large() -> PictureError:
    return PictureError(
        "This picture has over {millions} million pixels; make it smaller first.",
        millions=MAX_PIXELS // 1_000_000,
    )


def eight_bit(picture: Image.Image) -> Image.Image:
    """Any Pillow mode -> L, RGB or RGBA."""
    if picture.mode[0] in "IF":
        # In place, since a picture may have many millions of pixels.
        values = np.array(picture, np.float32)
        np.nan_to_num(values, copy=False, posinf=0, neginf=0).clip(0, out=values)
        # By custom floats run to 1 and integers are 16-bit; larger ones set their own scale.
        values *= 255 / max(values.max(), 1.0 if picture.mode == "F" else 65535.0)
        return Image.fromarray(values.round(out=values).astype(np.uint8))
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
