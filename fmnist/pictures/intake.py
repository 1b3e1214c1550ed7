"""Any picture -> the 28x28 uint8 that a Fashion-MNIST model sees: a grey garment on black.

A picture is one of four kinds. A *dataset* image gets its own 28x28 grid back. A *sketch* has its
outline closed and filled. A *shop* picture (plain ground) follows the steps by which Zalando made
the dataset (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747, section 2): trim the ground within 5 %
of the corner colour, longest edge to 28 by subsampling, sharpen, centre, negate, 8-bit grey.
A *photo* is first cut out of its background with GrabCut (Rother, Kolmogorov, Blake 2004). Where a
person is in either of them, it is one garment they wear that is cut out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from types import MappingProxyType
from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from fmnist.pictures import person
from fmnist.pictures.grabcut import in_front
from fmnist.pictures.person import PARTS, Part
from fmnist.pictures.reading import MAX_EDGE, Picture, PictureError, eight_bit
from fmnist.words import Words

Mask = npt.NDArray[np.bool_]  # (H, W)
Float = npt.NDArray[np.float32]
Kind = Literal["sketch", "shop", "photo", "dataset"]

KINDS: Mapping[Kind, Words] = MappingProxyType(
    {
        "sketch": Words("sketch"),
        "shop": Words("shop"),
        "photo": Words("photo"),
        "dataset": Words("dataset"),
    }
)
"""What a picture is taken for, in words."""
SIDE = 28
WORK_EDGE = 320  # photos and shop pictures are cut out at this size,
GRABCUT_EDGE = 160  # GrabCut runs at this one,
SKETCH_EDGE = 400  # and drawings, whose lines are thin, at this one
CATALOGUE_EDGE = 73  # Zalando's thumbnails were 51 x 73
FUZZ = 13  # Zalando's 5 % of 255
FAINT = 8  # grey levels; less contrast than this is an empty picture
LEAST_GARMENT = 0.01  # of a picture
UNEXPLAINED = 0.02  # of the variance: what JPEG does to an enlarged dataset image
HALF_INK = 96  # of 255
LINE = 1.25  # least stroke width at 28 pixels
DRAWN_EDGE = 112  # drawings are closed and filled at four times 28,
REACHES = (0, 4, 8, 16, 24, 32)  # with gaps up to twice these bridged
MID_GREY = 150  # the median garment of Fashion-MNIST has a mean of 152
FILTERS = (
    Image.Resampling.NEAREST,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


class Square(NamedTuple):
    """The part of a picture that became the 28x28, in shares of the picture's longest edge.

    It may reach beyond the picture.
    """

    left: float
    top: float
    edge: float


@dataclass(frozen=True, eq=False)
class Intake:
    """What happened to a picture.

    steps: (name, uint8 picture (H, W) or (H, W, 3)), from first to last
    pixels: uint8 (28, 28), a grey garment on black
    kind: what the picture was taken for
    warnings: sentences for people
    square: where `pixels` lies in the first step's picture; None where that is not known
    parts: what a person in the picture can be asked about, the one that was asked about first
    """

    steps: tuple[tuple[Words, Picture], ...]
    pixels: Picture
    kind: Kind
    warnings: tuple[Words, ...]
    square: Square | None = None
    parts: tuple[Part, ...] = ()


class _Trail:
    """The steps and warnings gathered on the way to an Intake."""

    def __init__(self, first: Picture) -> None:
        self.steps: list[tuple[Words, Picture]] = [(Words("Your picture"), first)]
        self.warnings: list[Words] = []
        self.square: Square | None = None
        self.parts: tuple[Part, ...] = ()

    def step(self, name: Words, picture: Picture) -> None:
        self.steps.append((name, picture))

    def warn(self, sentence: Words) -> None:
        self.warnings.append(sentence)

    def crop(self, mask: Mask) -> tuple[slice, slice]:
        """The mask's extent, which is about to become the 28x28: noted in the first picture."""
        rows, columns = _extent(mask)
        height, width = rows.stop - rows.start, columns.stop - columns.start
        edge = max(height, width)
        left, top = columns.start + (width - edge) / 2, rows.start + (height - edge) / 2
        longest = max(mask.shape)
        self.square = Square(left / longest, top / longest, edge / longest)
        return rows, columns

    def end(self, pixels: Picture, kind: Kind) -> Intake:
        self.step(Words("What the model sees"), pixels)
        said = tuple(self.warnings)
        return Intake(tuple(self.steps), pixels, kind, said, self.square, self.parts)


def _rgb(picture: Image.Image | Picture) -> Picture:
    """A picture as uint8 (H, W, 3); a transparent one is laid on the ground that shows it best."""
    if isinstance(picture, Image.Image):
        picture = np.asarray(eight_bit(picture))
    if picture.ndim == 2:
        picture = picture[:, :, None].repeat(3, axis=2)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise PictureError("This is not an 8-bit grey or colour picture; convert it to one first.")
    if picture.size == 0:
        raise PictureError("This picture has no pixels; choose another one.")
    if picture.shape[2] == 4:
        colour, alpha = picture[:, :, :3].astype(np.float32), picture[:, :, 3:] / np.float32(255)
        light = float((colour * alpha).sum() / max(3 * alpha.sum(), 1)) > 127
        picture = (colour * alpha + (0 if light else 255) * (1 - alpha)).round().astype(np.uint8)
    return np.ascontiguousarray(_fit(picture, MAX_EDGE))


# ---------------------------------------------------------------- the ways in


def from_sketch(picture: Image.Image | Picture) -> Intake:
    """Take in a drawing, such as the RGBA of a canvas; see from_any."""
    return from_any(picture, "sketch")


def from_photo(picture: Image.Image | Picture, part: Part = "upper") -> Intake:
    """Take in a camera picture; see from_any."""
    return from_any(picture, "photo", part)


def from_any(
    picture: Image.Image | Picture, kind: Kind | Literal["auto"] = "auto", part: Part = "upper"
) -> Intake:
    """Take in a PIL picture, or uint8 (H, W), (H, W, 3) or (H, W, 4), as the kind it is said to be.

    "auto" tells the four kinds apart. `part` is what to ask about where a person is in a photo or
    shop picture; where that is out of sight, it is the first that is in sight. Raises PictureError
    for an array of another shape or type.
    """
    rgb = _rgb(picture)
    trail = _Trail(rgb)
    if isinstance(picture, Image.Image) and picture.info.get("animated"):
        trail.warn(
            Words("The picture is animated or has several pages, so only the first was used.")
        )
    grey = _grey(rgb)
    if np.ptp(rgb, axis=(0, 1)).max() < FAINT:
        trail.warn(Words("The picture is empty; draw or show one garment."))
        return trail.end(np.zeros((SIDE, SIDE), np.uint8), "sketch" if kind == "auto" else kind)
    if kind in ("auto", "dataset"):
        original = _dataset_original(rgb, grey)
        if original is not None or kind == "dataset":
            if grey.shape[0] == grey.shape[1]:
                trail.square = Square(0, 0, 1)
            return trail.end(_squeeze(grey) if original is None else original, "dataset")
    if kind in ("auto", "sketch"):
        ink = _ink(_fit(grey, SKETCH_EDGE))
        if kind == "sketch" or _is_line_drawing(ink):
            return trail.end(_drawn(ink, trail), "sketch")
    small = _fit(rgb, WORK_EDGE)
    figure = None if kind == "photo" else _on_plain_ground(small)
    if kind == "auto":
        kind = "photo" if figure is None else "shop"
    worn = _worn(small, figure, part, trail)
    if worn is not None:
        ground = ~worn if figure is None else ~figure
        return trail.end(_cut_out(small, worn, ground, kind == "shop", trail), kind)
    mask = _grabcut(small) if figure is None else figure
    _warn_of_skin(small, trail)
    return trail.end(_cut_out(small, mask, ~mask, kind == "shop", trail), kind)


# ---------------------------------------------------------------- dataset images


def _dataset_original(rgb: Picture, grey: Picture) -> Picture | None:
    """The 28x28 image of which this picture is an enlargement, or None if it isn't one.

    The picture is the enlarged image itself, or a larger canvas of one shade with it on.
    """
    red, green, blue = cv2.split(rgb)
    if max(cv2.absdiff(red, green).max(), cv2.absdiff(green, blue).max()) > FUZZ:
        return None
    if grey.shape[0] == grey.shape[1] and (found := _explain(grey)) is not None:
        return found
    border = _frame(grey, 1)
    ground = int(np.median(border))
    away = np.abs(border - ground)
    if (away > FUZZ).mean() > 0.5:
        return None
    content = np.abs(grey.astype(np.int16) - ground) > away[away <= FUZZ].max()
    if not content.any():
        return None
    rows, columns = _extent(content)
    if rows.stop - rows.start >= columns.stop - columns.start:
        window = _find_window(grey, rows, columns, ground)
    else:
        window = _find_window(grey.T, columns, rows, ground)
        window = None if window is None else window.T
    return None if window is None else _explain(window)


def _find_window(grey: Picture, along: slice, across: slice, ground: int) -> Picture | None:
    """The square of a canvas that holds 28 x 28 cells, its content being longest along axis 0.

    Zalando's longest edge is 28 pixels (sometimes 27) and an odd margin goes to the top left.
    That leaves a few places for the grid, of which the one is taken where cells explain most.
    """
    places: list[tuple[float, float, int, int, int]] = []
    for cells in (28, 27):
        side = max(SIDE, round((along.stop - along.start) * SIDE / cells))
        cell = side / SIDE
        top = along.start - round((SIDE - cells) * cell)
        band = _window(grey, (top, across.start), (side, across.stop - across.start), ground)
        unexplained = _unexplained(_thinned(band))
        if unexplained > UNEXPLAINED:
            continue
        # With an even margin the content is centred; with an odd one it lies half a cell lower.
        centred = (across.start + across.stop - side) / 2
        lefts = range(ceil(centred - 0.75 * cell), floor(centred + 0.25 * cell) + 1)
        samples = ((np.arange(SIDE) + 0.5) * cell).astype(int)  # a row a cell will do
        strip = _window(grey, (top, lefts[0]), (side, side + len(lefts)), ground)[samples].T
        for shift, left in enumerate(lefts):
            loss = round(unexplained + _unexplained(strip[shift : shift + side]), 4)
            off = min(abs(left - centred), abs(left - centred + cell / 2))
            places.append((loss, off, top, left, side))
    if not places:
        return None
    *_, top, left, side = min(places)
    return _window(grey, (top, left), (side, side), ground)


def _thinned(band: Picture) -> Picture:
    """About a hundred of its columns, which is enough to judge a fit."""
    return band[:, :: 1 + band.shape[1] // 100]


def _window(grey: Picture, start: tuple[int, int], size: tuple[int, int], ground: int) -> Picture:
    """The part of a picture at start, of the given size; ground where that lies outside."""
    window = np.full(size, ground, np.uint8)
    top, left = max(start[0], 0), max(start[1], 0)
    part = grey[top : max(0, start[0] + size[0]), left : max(0, start[1] + size[1])]
    window[top - start[0] :, left - start[1] :][: part.shape[0], : part.shape[1]] = part
    return window


@lru_cache(maxsize=64)
def _enlarger(side: int, resample: Image.Resampling) -> tuple[Float, Float]:
    """The (side, 28) matrix that enlarges by a Pillow filter, and its pseudo-inverse."""
    identity = Image.fromarray(np.eye(SIDE, dtype=np.float32))
    matrix = np.asarray(identity.resize((SIDE, side), resample), np.float64)
    inverse = np.linalg.solve(matrix.T @ matrix, matrix.T)
    return matrix.astype(np.float32), inverse.astype(np.float32)


def _product(left: Float, right: Float) -> Float:
    """The matrix product, not by numpy: its BLAS threads spin, which costs a busy server most."""
    return np.asarray(cv2.gemm(left, right, 1, None, 0))  # type: ignore[call-overload]  # no third


def _losses(band: Picture) -> list[float]:
    """For each filter the share of variance that 28 cells along axis 0 leave unexplained."""
    values = band.astype(np.float32)
    matrices = (_enlarger(len(band), resample) for resample in FILTERS)
    return [
        _loss(values, _product(enlarge, _product(reduce, values))) for enlarge, reduce in matrices
    ]


def _loss(values: Float, fit: Float) -> float:
    """The share of variance that a fit, clipped to 8 bits, leaves unexplained."""
    return float(np.square(values - fit.clip(0, 255)).mean() / max(values.var(), 1))


def _unexplained(band: Picture) -> float:
    return min(_losses(band))


def _explain(square: Picture) -> Picture | None:
    """The 28x28, on black, whose enlargement by one of FILTERS is this picture; None if none is."""
    side = len(square)
    if not SIDE <= side <= MAX_EDGE // 2:
        return None
    losses = _losses(_thinned(square))
    values = square.astype(np.float32)
    best, least = None, UNEXPLAINED
    for resample, first in zip(FILTERS, losses, strict=True):
        if first > min(UNEXPLAINED, 0.001 + 4 * min(losses)):
            continue
        enlarge, reduce = _enlarger(side, resample)
        target = values
        for _ in range(4):  # what was clipped at 0 or 255 may have been anything beyond
            original = _product(_product(reduce, target), reduce.T)
            fit = _product(_product(enlarge, original), enlarge.T)
            clipped = ((values == 0) & (fit < 0)) | ((values == 255) & (fit > 255))
            if not clipped.any():
                break
            target = np.where(clipped, fit, values)
        if (loss := _loss(values, fit)) < least:
            best, least = original, loss
    return None if best is None else _on_black(best.round().clip(0, 255).astype(np.uint8))


def _squeeze(grey: Picture) -> Picture:
    """A picture that is said to be a dataset image, but fits no grid: made square and reduced."""
    height, width = grey.shape
    side = max(height, width)
    ground = int(np.median(_frame(grey, 1)))
    start = ((height - side) // 2, (width - side) // 2)
    return _on_black(_scale(_window(grey, start, (side, side), ground), SIDE))


def _on_black(grey: Picture) -> Picture:
    return 255 - grey if np.median(_frame(grey, 1)) > 127 else grey


# ---------------------------------------------------------------- drawings


def _ink(grey: Picture) -> Picture:
    """What was drawn, dark on light or light on dark: 255 where the pen pressed fully."""
    frame = _frame(grey, 2)
    shade = np.median(frame)
    if (np.abs(frame - shade) < FAINT / 2).mean() > 0.75:
        paper = np.full_like(grey, shade)
        darker, lighter = cv2.subtract(paper, grey), cv2.subtract(grey, paper)
        contrast = darker if darker.sum() > lighter.sum() else lighter
    else:
        # Uneven paper is what is left when everything as narrow as a stroke is closed. Of the two
        # polarities the right one leaves the smoother paper.
        brush = np.ones((max(grey.shape) // 8 + 2,) * 2, np.uint8)
        closed, opened = (
            cv2.morphologyEx(grey, how, brush) for how in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN)
        )
        rough = [cv2.norm(cv2.Laplacian(paper, cv2.CV_16S)) for paper in (closed, opened)]
        contrast = cv2.absdiff(grey, closed if rough[0] < rough[1] else opened)
    drawn = contrast[contrast > FUZZ]
    full = np.percentile(drawn, 95) if drawn.size else 255
    return (contrast * (255 / full)).clip(0, 255).astype(np.uint8)


def _is_line_drawing(ink: Picture) -> bool:
    """Strokes of one tone, the largest of them thin for its length, on otherwise clean paper."""
    strokes = ink > HALF_INK
    if not strokes.any():
        return False
    largest = _largest_parts(strokes, 1)
    within = largest[_extent(largest)]
    distance = _distance(strokes)
    ridge = strokes & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)))
    paper = cv2.dilate(strokes.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    return bool(
        np.percentile(ink[ridge], 20) > 175
        and _stroke_width(largest) < max(within.shape) / 5
        and within.mean() < 0.7
        and ink[paper].sum() < 14 * paper.sum()
    )


def _drawn(ink: Picture, trail: _Trail) -> Picture:
    """Ink -> 28x28: the outline closed and filled mid-grey, its lines on top."""
    trail.step(Words("Ink found"), ink)
    strokes = _largest_parts(ink > HALF_INK, 0.01)
    if not strokes.any():
        trail.warn(Words("There is almost nothing in the picture; draw the whole garment."))
        return np.zeros((SIDE, SIDE), np.uint8)
    width = _stroke_width(strokes)
    rows, columns = trail.crop(strokes)
    long = max(strokes[rows, columns].shape)
    thicken = round(LINE * long / SIDE - width)
    if thicken > 0:  # a hairline would vanish at 28 pixels
        ink = cv2.dilate(ink, _disk(thicken + 1)).astype(np.uint8)
    ink = np.where(ink > HALF_INK / 2, ink, 0).astype(np.uint8)  # the paper's texture goes
    drawing = _scale(ink[rows, columns], DRAWN_EDGE)
    trail.step(Words("Cropped"), drawing)
    if width < long / 5:
        inside = _silhouette(drawing > HALF_INK)
        if inside.sum() < 1.5 * (drawing > HALF_INK).sum():
            trail.warn(Words("The outline could not be closed; draw the whole garment."))
        _warn_of_several(inside, trail)
        drawing = np.maximum(drawing, MID_GREY * inside.astype(np.uint8))
        trail.step(Words("Outline closed and filled"), drawing)
    return _centre(_scale(drawing, SIDE))


def _silhouette(line: Mask) -> Mask:
    """An outline and its inside, the gaps closed with the smallest brush that does it.

    It counts as closed when it fills half of its convex hull.
    """
    points = cv2.findNonZero(line.astype(np.uint8))
    hull = cv2.contourArea(cv2.convexHull(points)) if points is not None else 0
    room = np.pad(line, REACHES[-1] + 1)
    distance = _distance(~room)
    for reach in REACHES:
        inside = (_distance(_filled(distance <= reach)) > reach) | room
        if inside.sum() > hull / 2:
            break
    return inside[REACHES[-1] + 1 :, REACHES[-1] + 1 :][: line.shape[0], : line.shape[1]]


def _stroke_width(strokes: Mask) -> float:
    """The mean width: over a strip, the distance to its edge averages a quarter of its width."""
    return 4 * float(_distance(strokes)[strokes].mean())


# ---------------------------------------------------------------- shop pictures and photos


def _on_plain_ground(rgb: Picture) -> Mask | None:
    """The garment on a ground within 5 % of the frame's colour; None if the frame has no one."""
    frame = _frame(rgb, 2)
    colour = np.median(frame, axis=0)
    if (np.abs(frame - colour).max(axis=1) <= FUZZ).mean() < 0.75:
        return None
    garment = _largest_parts(_filled(np.abs(rgb - colour).max(axis=2) > FUZZ), 0.02)
    return garment if garment.mean() > LEAST_GARMENT else None


def _grabcut(rgb: Picture) -> Mask:
    """The garment in a photo, by GrabCut told only that the outermost pixels are background."""
    small = _fit(rgb, GRABCUT_EDGE)
    long = max(small.shape[:2])
    margin = max(1, long // 40)
    if min(small.shape[:2]) < 4 * margin:
        return np.ones(rgb.shape[:2], bool)
    labels = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    labels[margin:-margin, margin:-margin] = cv2.GC_PR_FGD
    cut = cv2.morphologyEx(in_front(small, labels), cv2.MORPH_OPEN, _disk(long // 40 | 1)) > 0
    cut = _mended(_largest_parts(cut, 0.4))
    return cv2.resize(cut.astype(np.uint8), rgb.shape[1::-1]) > 0


def _worn(rgb: Picture, figure: Mask | None, part: Part, trail: _Trail) -> Mask | None:
    """What of a person's garments is asked about; None where no person is, or all of them is."""
    face = person.find(rgb)
    if face is None:
        return None
    shown = person.parts(rgb, face)
    asked = part if part in shown else shown[0]
    trail.parts = (asked, *(other for other in shown if other != asked))
    if asked != part:
        trail.warn(
            Words(
                "The {part} can't be seen, so this is about the {asked}.",
                part=PARTS[part],
                asked=PARTS[asked],
            )
        )
    if asked == "whole":
        return None
    worn = _mended(_largest_parts(person.cut_out(rgb, face, asked, figure), 0.1))
    if worn.mean() < LEAST_GARMENT:
        trail.warn(
            Words(
                "The {part} can't be told from the rest, so this is about all of it.",
                part=PARTS[asked],
            )
        )
        return None
    trail.step(Words("A person, and where to look"), person.framed(rgb, face, asked))
    return worn


def _cut_out(rgb: Picture, mask: Mask, ground: Mask, shop: bool, trail: _Trail) -> Picture:
    """A garment and its mask -> 28x28: on black, cropped, longest edge 28, sharpened, centred.

    The ground may be less than all that the garment leaves.
    """
    if mask.mean() < LEAST_GARMENT:
        trail.warn(Words("No garment stands out from the background; move closer or change it."))
        mask, ground = np.ones_like(mask), np.zeros_like(mask)
    grey = _grey(rgb)
    alike = _warn_of_likeness(rgb, mask, ground, trail)
    _warn_of_several(mask, trail)
    trail.step(Words("Background removed"), rgb * mask[:, :, None])
    # Zalando's ground was white. Elsewhere what matters is that the garment stands out from black.
    on_white = shop and not alike and ground.any()
    negate = np.median(grey[ground]) > 127 if on_white else np.median(grey[mask]) < 128
    grey = np.where(mask, 255 - grey if negate else grey, 0).astype(np.uint8)
    trail.step(Words("Grey on black"), grey)
    cropped = grey[trail.crop(mask)]
    if shop:  # Zalando subsampled a thumbnail; on a noisy photo that would only add noise
        small = _scale(_scale(cropped, CATALOGUE_EDGE), SIDE, cv2.INTER_NEAREST)
    else:
        small = _scale(cropped, SIDE)
    small = _sharpen(small)
    trail.step(Words("Longest edge 28, sharpened"), small)
    return _centre(_brightened(small))


def framed(grey: Picture) -> Picture:
    """A grey garment on black (H, W) as uint8 (28, 28), the way one cut out of a photo is."""
    return _centre(_brightened(_sharpen(_scale(grey[_extent(grey > 0)], SIDE))))


def _brightened(grey: Picture) -> Picture:
    """Scaled to full white, which 99 of 100 dataset images reach."""
    return np.asarray(grey * (255 / max(1, grey.max())), np.uint8)


def _sharpen(grey: Picture) -> Picture:
    """ImageMagick's -sharpen 1x1 (radius 1, sigma 1), as Zalando ran it."""
    side, corner = np.exp(-0.5), np.exp(-1)
    kernel = -np.array([[corner, side, corner], [side, 0, side], [corner, side, corner]])
    kernel[1, 1] = 2 * (1 - kernel.sum())
    kernel /= kernel.sum()
    return cv2.filter2D(grey, -1, kernel, borderType=cv2.BORDER_CONSTANT).astype(np.uint8)


# ---------------------------------------------------------------- warnings


def _warn_of_likeness(rgb: Picture, mask: Mask, ground: Mask, trail: _Trail) -> bool:
    """Whether garment and ground have nearly the same colour."""
    if not ground.any():
        return False
    garment, behind = np.median(rgb[mask], axis=0), np.median(rgb[ground], axis=0)
    alike = bool(np.abs(garment - behind).max() < 2 * FUZZ)
    if alike:
        light = behind.mean()
        tones = (
            Words("both light")
            if light > 170
            else Words("both dark")
            if light < 85
            else Words("alike")
        )
        trail.warn(
            Words(
                "Garment and background are {tones}, so the outline is a guess; "
                "another background would help.",
                tones=tones,
            )
        )
    return alike


def _warn_of_several(mask: Mask, trail: _Trail) -> None:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    if (areas > 0.4 * areas.max(initial=0)).sum() > 1:
        trail.warn(
            Words(
                "There are several things in the picture: a pair of shoes is fine, "
                "otherwise show one garment at a time."
            )
        )


def _warn_of_skin(rgb: Picture, trail: _Trail) -> None:
    """A hand reaches in from the frame; where much of the frame is skin-coloured it is a floor."""
    skin = person.skin(rgb).astype(np.uint8)
    tones = cv2.morphologyEx(skin, cv2.MORPH_OPEN, _disk(max(skin.shape) // 30 | 1))
    frame = _frame_mask(rgb, 2)
    if not 0 < (tones[frame] > 0).mean() < 0.15:
        return
    _, labels, stats, _ = cv2.connectedComponentsWithStats(tones)
    shares = stats[np.setdiff1d(labels[frame], [0]), cv2.CC_STAT_AREA] / tones.size
    if ((shares > 0.02) & (shares < 0.25)).any():
        trail.warn(
            Words("There seems to be a hand in the picture; lay the garment down if you can.")
        )


# ---------------------------------------------------------------- small tools


def _grey(rgb: Picture) -> Picture:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def _frame_mask(picture: Picture, thickness: int) -> Mask:
    outer = np.ones(picture.shape[:2], bool)
    outer[thickness:-thickness, thickness:-thickness] = False
    return outer


def _frame(picture: Picture, thickness: int) -> Float:
    """The outermost pixels: (N,) of a grey picture, (N, 3) of a colour one."""
    return picture[_frame_mask(picture, thickness)].astype(np.float32)


def _extent(mask: Mask) -> tuple[slice, slice]:
    """The rows and columns of the bounding box of a mask that isn't empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _filled(mask: Mask) -> Mask:
    """The mask with everything that it encloses."""
    outside = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(outside, None, (0, 0), 2)
    return np.asarray(outside[1:-1, 1:-1] != 2)


def _mended(mask: Mask) -> Mask:
    """The mask without its small holes."""
    holes = _filled(mask) & ~mask
    return mask | (holes & ~_largest_parts(holes, 0.03, of=mask))


def _largest_parts(mask: Mask, share: float, of: Mask | None = None) -> Mask:
    """The connected parts with at least that share of the largest one's area (or of a mask's)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    whole = areas.max() if of is None else of.sum()
    return np.asarray((areas >= max(1, share * whole))[labels])


def _distance(mask: Mask) -> Float:
    """Each pixel's distance to the nearest one outside the mask."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3).astype(np.float32)


def _disk(diameter: int) -> Picture:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)).astype(np.uint8)


def _scale(picture: Picture, edge: int, how: int = cv2.INTER_AREA) -> Picture:
    """The picture with its longest edge that long and no edge shorter than a pixel."""
    height, width = picture.shape[:2]
    ratio = edge / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(picture, size, interpolation=how).astype(np.uint8)


def _fit(picture: Picture, edge: int) -> Picture:
    """The picture, reduced if its longest edge is longer than that."""
    return _scale(picture, edge) if max(picture.shape[:2]) > edge else picture


def _centre(grey: Picture) -> Picture:
    """On a black 28x28; as in the dataset, an odd margin goes to the top left."""
    height, width = grey.shape
    top, left = (SIDE - height + 1) // 2, (SIDE - width + 1) // 2
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[top : top + height, left : left + width] = grey
    return canvas
