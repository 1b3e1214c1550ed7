"""A person in a picture: the face says where garments are worn, GrabCut cuts one of them out.

Faces are found by a cascade of local binary patterns that scikit-image ships (Liao, Zhu, Lei,
Zhang, Li 2007; Viola, Jones 2001), and what is found counts only where it has a skin's tones.
"""

from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fmnist.pictures.grabcut import in_front
from fmnist.words import Words

Picture = NDArray[np.uint8]  # (H, W, 3)
Mask = NDArray[np.bool_]  # (H, W)
Part = Literal["upper", "lower", "shoes", "bag", "whole"]

PARTS: dict[Part, Words] = {
    "upper": Words("upper garment"),
    "lower": Words("lower garment"),
    "shoes": Words("shoes"),
    "bag": Words("bag"),
    "whole": Words("whole figure"),
}
"""What a person in a picture can be asked about, in words."""
SKIN = ((25, 135, 77), (255, 180, 127))  # YCrCb, light and dark (Chai and Ngan 1999, widened)
SMALLEST = 24  # pixels a side of a face: what the cascade was trained at
HALF_SKIN = 0.5  # of what is within a face
TONES = (70, 9, 9)  # how far in YCrCb a person's skin is from the middle of the face
REGIONS: dict[Part, tuple[float, float, float]] = {
    "upper": (0.1, 3.3, 2.6),
    "lower": (3.0, 8.5, 2.0),
    "shoes": (7.2, 10.0, 2.2),
    "bag": (1.2, 6.5, 3.4),
}
"""Where a part is, in edges of the face: from and to below the chin, and to either side of it."""
CORES: dict[Part, tuple[float, float, float]] = {"upper": (0.9, 2.6, 0.7), "lower": (4.2, 5.4, 0.6)}
"""Where it surely is."""
BODY = ((0.9, 2.6, 0.5), (3.6, 5.4, 0.5))  # where there is what a person wears, and no bag
HANGING = ((3.6, 1.0), (1.3, 0.6))
"""Where a bag's middle is, below the chin and to a side: mean and deviation in edges of a face."""
SHADES = 32  # of each of a colour's three values, told apart where a bag is looked for
STRAP, HANDLE = 0.12, 0.6  # half of a strap's width, a handle's height: in edges of the face
OWN = 2.5  # times as frequent is a bag's colour where it may hang as everywhere else
LOWEST = 2 / 3  # of a picture's height: what is below a face there is no garment one can see
LEAST = 0.5  # edges of the face that have to be seen of a part


class Face(NamedTuple):
    """A square that holds a face from brow to chin, in pixels of its picture."""

    left: int
    top: int
    edge: int

    def below(self, region: tuple[float, float, float], picture: Picture) -> tuple[slice, slice]:
        """The rows and columns of a region that lie within the picture."""
        start, end, aside = (round(self.edge * share) for share in region)
        chin, middle = self.top + self.edge, self.left + self.edge // 2
        height, width = picture.shape[:2]
        rows = slice(min(chin + start, height), min(chin + end, height))
        return rows, slice(max(middle - aside, 0), min(middle + aside, width))


def find(rgb: Picture) -> Face | None:
    """The largest face in a picture; None where there is none."""
    edge = min(rgb.shape[:2])
    if edge < SMALLEST or not skin(rgb).any():
        return None
    found = _cascade().detect_multi_scale(
        rgb, scale_factor=1.15, step_ratio=1, min_size=(SMALLEST,) * 2, max_size=(edge,) * 2
    )
    faces = [Face(box["c"], box["r"], box["width"]) for box in found]
    faces = [
        face
        for face in faces
        if face.top + face.edge < LOWEST * len(rgb) and skin(_within(rgb, face)).mean() > HALF_SKIN
    ]
    return max(faces, key=lambda face: face.edge, default=None)


def parts(rgb: Picture, face: Face) -> list[Part]:
    """Which parts of a person the picture shows."""
    seen = {part: face.below(region, rgb)[0] for part, region in REGIONS.items()}
    shown = [part for part, rows in seen.items() if rows.stop - rows.start > LEAST * face.edge]
    return [*shown, "whole"]


def cut_out(rgb: Picture, face: Face, part: Part, figure: Mask | None) -> Mask:
    """Where a garment is that a person wears; within the figure, where that is known.

    The garment has the colours of its core, and goes as far as they do: a dress further than a
    T-shirt. Neither what is above the chin nor skin is taken for it.
    """
    if part == "bag":
        return _hanging(rgb, face, figure)
    rows, columns = face.below(REGIONS[part], rgb)
    labels = np.full(rgb.shape[:2], cv2.GC_BGD, np.uint8)
    labels[rows.start :, columns] = cv2.GC_PR_BGD
    labels[rows, columns] = cv2.GC_PR_FGD
    if figure is not None:
        labels[~figure] = cv2.GC_BGD
    own_skin = _alike(rgb, face)
    core = np.zeros_like(own_skin)
    if part in CORES:
        core[face.below(CORES[part], rgb)] = True
    if not core.any() or own_skin[core].mean() < HALF_SKIN:  # else the garment has that colour
        labels[own_skin] = cv2.GC_BGD
        core &= ~own_skin
    labels[core] = cv2.GC_FGD
    sides = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if sides.all() or not sides.any():
        return sides
    return np.asarray(in_front(rgb, labels), bool)


def _hanging(rgb: Picture, face: Face, figure: Mask | None) -> Mask:
    """The widest thing about where bags hang whose colours are no clothes', skin's or room's.

    Such colours stand out in the ratio of two histograms (Swain and Ballard 1991).
    """
    from scipy import ndimage  # a fifth of a second, which only bags need

    elsewhere = np.ones(rgb.shape[:2], bool)
    elsewhere[face.below(REGIONS["bag"], rgb)] = False
    elsewhere |= _alike(rgb, face)
    for region in BODY:
        elsewhere[face.below(region, rgb)] = True
    if figure is not None:
        elsewhere |= ~figure
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)
    here, there = _frequencies(lab, ~elsewhere), _frequencies(lab, elsewhere)
    own = (here + 1 > OWN * (there + 1)) & ~elsewhere
    if not own.any():
        return own
    labels = np.where(elsewhere, cv2.GC_BGD, np.where(own, cv2.GC_PR_FGD, cv2.GC_PR_BGD))
    cut = in_front(rgb, labels.astype(np.uint8)) > 0
    inside = ndimage.distance_transform_edt(np.pad(cut, 1))[1:-1, 1:-1]
    solid = np.asarray(inside > STRAP * face.edge)
    if not solid.any():
        return solid
    things, _ = ndimage.label(solid)
    likeliest = (solid * inside * _likely(face, cut.shape)).argmax()
    bag = things == things.flat[likeliest]
    reach = (STRAP + HANDLE) * face.edge
    return np.asarray(cut & (ndimage.distance_transform_edt(~bag) < reach))


def _likely(face: Face, shape: tuple[int, int]) -> NDArray[np.float64]:
    """How likely the middle of a bag is at each pixel (H, W), 1 where it is likeliest."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    below = (rows - face.top - face.edge) / face.edge
    aside = np.abs(columns - face.left - face.edge / 2) / face.edge
    (middle, spread), (beside, spread_beside) = HANGING
    off = ((below - middle) / spread) ** 2 + ((aside - beside) / spread_beside) ** 2
    return np.asarray(np.exp(-off / 2))


def _frequencies(lab: Picture, mask: Mask) -> NDArray[np.float32]:
    """How many pixels (H, W) within the mask have each pixel's colour or one next to it."""
    from scipy import ndimage

    counts = cv2.calcHist([lab], [0, 1, 2], mask.astype(np.uint8), [SHADES] * 3, [0, 256] * 3)
    around = ndimage.uniform_filter(counts, 3, mode="constant") * 27
    lightness, red, yellow = np.moveaxis(lab // (256 // SHADES), 2, 0)
    return np.asarray(around[lightness, red, yellow], np.float32)


def framed(rgb: Picture, face: Face, part: Part) -> Picture:
    """The picture, with what is asked about in a frame."""
    shown = rgb.copy()
    rows, columns = face.below(REGIONS[part], rgb)
    cv2.rectangle(shown, (columns.start, rows.start), (columns.stop - 1, rows.stop - 1), (255,) * 3)
    return shown


@cache
def _cascade():  # type: ignore[no-untyped-def]  # scikit-image has no types
    # A quarter of a second to import, which drawings don't need.
    import skimage
    from skimage.feature import Cascade

    return Cascade(str(Path(skimage.__file__).parent / "data/lbpcascade_frontalface_opencv.xml"))


def _within(picture: Picture, face: Face) -> Picture:
    """The middle of a face, without hair and ground."""
    aside = face.edge // 4
    return picture[face.top + aside : face.top + face.edge, face.left + aside :][
        :, : face.edge // 2
    ]


def skin(rgb: Picture) -> Mask:
    """What has the tones of anybody's skin."""
    return np.asarray(cv2.inRange(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), *SKIN) > 0)


def _alike(rgb: Picture, face: Face) -> Mask:
    """What has the tones of this person's face."""
    tones = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), np.uint8)
    middle = np.median(_within(tones, face).astype(np.float32), axis=(0, 1))
    return np.asarray((np.abs(tones - middle) < TONES).all(2))
