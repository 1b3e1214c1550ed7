"""Garments as people draw and photograph them, to train on beside Fashion-MNIST's shop pictures.

Half of the pictures are line drawings of `garments` and of the dataset's own contours, scribbled
as people scribble: bent, simplified, broken and doubled lines, some of them filled. The others are
garments as they look once they are cut out of a photo, turned, creased, badly lit, with a piece
missing or a piece of the background kept, or cut off a drawn person. Drawings pass through
`intake`, so that a model sees in training what it will see of a sketch. A few pictures are none of
the ten classes, so that a model learns to be unsure of them (outlier exposure: Hendrycks, Mazeika,
Dietterich, arXiv:1812.04606).
"""

import multiprocessing
import os
import string
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fmnist.data import garments
from fmnist.data.garments import VIEWS, drawing
from fmnist.data.garments.shapes import Garment, Light, Line, Part, Points, Shape, View
from fmnist.data.garments.worn import TROUSER, WORN, person
from fmnist.data.splits import CLASSES, Split
from fmnist.machine import files
from fmnist.pictures import intake
from fmnist.pictures.intake import SIDE

Image = NDArray[np.uint8]  # (H, W)
Rng = np.random.Generator

NONE = len(CLASSES)
"""The label of what is none of the ten classes."""

SHOES = (CLASSES.index("Sneaker"), CLASSES.index("Ankle boot"))
OUTLIERS = 0.08  # share of the pictures that are none of the ten
PAPER = 128  # pixels a side that drawings are made on
MARGIN = 0.18  # of the paper, kept free so that nothing is cut off
LENS = 84  # pixels a side that photographed garments are bent at
NO_LIGHT = Light((0, 0), (0, 0), 0, 0, 0)
SUBPIXEL = 3  # binary places of a point's pixel
PERSON = 200  # pixels, the height of a picture of someone who wears a garment
CHUNK = 500  # pictures a process makes at a time
VERSION = 1
"""Of the pictures below; another one makes them anew."""


def add_to(split: Split, count: int, seed: int) -> Split:
    """The split with `count` everyday pictures after it: its own garments, drawn ones, and `NONE`.

    The pictures are a function of the split, the count and the seed. They are made by all cores,
    and kept on disk, so that a training that goes on need not wait for them again.
    """
    if not count:
        return split
    source = np.random.default_rng((seed, count)).integers(len(split), size=count)
    chunks = [
        _Chunk(split.images[source[at : at + CHUNK]], split.labels[source[at : at + CHUNK]],
               (seed, at))
        for at in range(0, count, CHUNK)
    ]  # fmt: skip
    of = "-".join(files.digest(array) for array in (split.images, split.labels))
    made = files.cached(f"everyday-{VERSION}-{of}-{count}-{seed}", partial(_made, chunks))
    labels = [labels for _, labels in map(_labelled, chunks)]
    return split + Split(made, np.concatenate(labels))


class _Chunk(NamedTuple):
    """What one process makes at a time: a picture for each image (N, 28, 28), labels (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    seed: tuple[int, int]


def _made(chunks: Sequence[_Chunk]) -> NDArray[np.uint8]:
    """The pictures (N, 28, 28) of all chunks."""
    # Forked children would share torch's threads, and none of them would run.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as processes:
        return np.concatenate(list(processes.map(_pictures, chunks)))


def _pictures(chunk: _Chunk) -> NDArray[np.uint8]:
    rng, labels = _labelled(chunk)
    return np.stack(
        [
            outlier(rng) if label == NONE else picture(image, int(label), rng)
            for image, label in zip(chunk.images, labels, strict=True)
        ]
    )


def _labelled(chunk: _Chunk) -> tuple[Rng, NDArray[np.uint8]]:
    """What the labels of a chunk become, and the randomness that its pictures take after that."""
    rng = np.random.default_rng(chunk.seed)
    none = rng.random(len(chunk.labels)) < OUTLIERS
    return rng, np.where(none, NONE, chunk.labels).astype(np.uint8)


def picture(image: Image, label: int, rng: Rng) -> Image:
    """An everyday picture uint8 (28, 28) of an image (28, 28) of the dataset, or of its class."""
    kind = rng.random()
    if kind < 0.45:
        # Shoes are drawn from the side, whichever way they are photographed.
        view = "shop" if label in SHOES and rng.random() < 0.6 else _pick_view(label, rng)
        return intake.from_sketch(scribble(garments.garment(label, rng, view), rng)).pixels
    if kind < 0.6:
        return intake.from_sketch(scribble(traced(image, label), rng)).pixels
    if kind < 0.65 and label in WORN:
        seen = person(label, rng, PERSON).picture
        return intake.from_photo(seen, "lower" if label == TROUSER else "upper").pixels
    if kind < 0.75:
        view = _pick_view(label, rng)
        image = drawing.render(garments.garment(label, rng, view), LENS)
    return photographed(image, rng)


def _pick_view(label: int, rng: Rng) -> View:
    views = VIEWS[label]
    return views[int(rng.integers(len(views)))]


# ---------------------------------------------------------------- drawings


def traced(image: Image, label: int) -> Garment:
    """A dataset image (28, 28) as a drawing: its outline, and the borders of its light parts."""
    large = cv2.GaussianBlur(
        cv2.resize(image, (224, 224), interpolation=cv2.INTER_CUBIC), (0, 0), 4
    )
    garment = large > 24
    shades = np.percentile(large[garment], (35, 70)) if garment.any() else ()
    shapes: list[Shape] = []
    for level in (24, *shades):
        contours, _ = cv2.findContours(
            (large > level).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
        )
        least = 0.002 if level == 24 else 0.01
        for contour in contours:
            if cv2.contourArea(contour) < least * large.size:
                continue
            points = cv2.approxPolyDP(contour, 1.5, True)[:, 0].astype(np.float64) / 224
            shapes.append(Part(points, 1.0) if level == 24 else Line(_closed(points), 1.0, 0.01))
    return Garment(label, "shop", tuple(shapes), NO_LIGHT)


def scribble(garment: Garment, rng: Rng) -> Image:
    """A person's drawing uint8 (128, 128) of the garment, white on black."""
    paper = np.zeros((PAPER, PAPER), np.uint8)
    if not garment.shapes:
        return paper
    outline = np.concatenate([shape.points for shape in garment.shapes])
    hand = _hand(rng, *np.maximum(np.ptp(outline, axis=0), 0.1))
    areas = [_area(shape) for shape in garment.shapes]
    detail = rng.random() ** 0.5  # how much of what could be left out is drawn
    width = round(PAPER * float(np.exp(rng.uniform(np.log(0.01), np.log(0.055)))))
    see_through = rng.random() < 0.25
    fill = int(rng.choice((0, 0, 0, 0, 0, 0, int(rng.integers(60, 256)), 255)))
    missing = rng.uniform(0, 0.35) if rng.random() < 0.35 else 0.0
    doubled = rng.random() < 0.2
    for shape, area in zip(garment.shapes, areas, strict=True):
        if area < 0.15 * max(areas) and rng.random() > detail:
            continue
        if isinstance(shape, Part) and not shape.edge:
            continue
        points = _closed(shape.points) if isinstance(shape, Part) else shape.points
        points = hand(points) + rng.normal(0, 0.012, 2)
        if isinstance(shape, Part) and (fill or not see_through):
            cv2.fillPoly(paper, [_pixels(points)], fill, cv2.LINE_8, SUBPIXEL)
        gap = rng.uniform(0, missing)
        _stroke(paper, points, max(1, width), gap, rng)
        if doubled:
            _stroke(paper, points + rng.normal(0, 0.012, 2), max(1, width), gap, rng)
    if fill and rng.random() < 0.5:  # coloured in with the pen, not to the last spot
        _scratch_out(paper, max(1, width), rng)
    return paper


def _hand(rng: Rng, width: float, height: float) -> Callable[[Points], Points]:
    """How one person bends, stretches, turns and simplifies the lines of one drawing.

    It takes points of the unit square and returns denser ones around the origin. Whatever is drawn
    comes out more nearly square than its width and height: trousers too wide, shoes too high.
    """
    turn = rng.normal(0, 0.3 if rng.random() < 0.2 else 0.08)
    cos, sin = np.cos(turn), np.sin(turn)
    sideways = (height / width) ** rng.uniform(0, 0.85) * np.exp(rng.normal(0, 0.2))
    matrix = np.diag([sideways, 1]) / max(sideways * width, height)
    matrix = matrix @ np.array([[1, 0], [rng.normal(0, 0.08), 1]])
    matrix = rng.uniform(0.7, 1.0) * matrix @ np.array([[cos, sin], [-sin, cos]])
    sloppy = rng.uniform(0.005, 0.04)
    waves = [(rng.normal(0, 4, 2), rng.uniform(0, 6.3), rng.normal(0, sloppy, 2)) for _ in range(3)]
    crude = rng.uniform(0, 0.03) if rng.random() < 0.5 else 0.0

    def draw(points: Points) -> Points:
        if crude:
            polygon = cv2.approxPolyDP(points.astype(np.float32)[:, None], crude, False)
            points = polygon[:, 0].astype(np.float64)
        points = _densified(points) - 0.5
        bends = [np.sin(points @ wave + phase)[:, None] * way for wave, phase, way in waves]
        return np.asarray((points + sum(bends)) @ matrix)

    return draw


def _densified(points: Points) -> Points:
    """The polyline (N, 2) with a point every 0.03, so that it can be bent."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], max(2, int(along[-1] / 0.03) + 1))
    return np.stack([np.interp(at, along, axis) for axis in points.T], 1)


def _closed(points: Points) -> Points:
    return np.concatenate([points, points[:1]])


def _area(shape: Shape) -> float:
    return cv2.contourArea(shape.points.astype(np.float32)) if isinstance(shape, Part) else 0.0


def _pixels(points: Points) -> NDArray[np.int32]:
    """Points around the origin as fixed-point pixels of the paper."""
    pixels = points * PAPER * (1 - 2 * MARGIN) + PAPER / 2
    return np.asarray(pixels * 2**SUBPIXEL, np.int32)


def _stroke(paper: Image, points: Points, width: int, gap: float, rng: Rng) -> None:
    """A line of which the share `gap`, somewhere, isn't there."""
    start = int(rng.integers(len(points)))
    stop = start + round(gap * len(points))
    for piece in (points[: start + 1], points[stop:]):
        if len(piece) > 1:
            cv2.polylines(paper, [_pixels(piece)], False, 255, width, cv2.LINE_AA, SUBPIXEL)


def _scratch_out(paper: Image, width: int, rng: Rng) -> None:
    """Leave bare stripes in what was filled, as between the strokes of a pen."""
    bare = np.zeros_like(paper)
    far, slant = 2 * PAPER, int(rng.integers(-PAPER, PAPER))
    for x in range(-PAPER, far, int(width + rng.integers(3, 14))):
        cv2.line(bare, (x, 0), (x + slant, PAPER), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    inside = cv2.erode(paper, np.ones((2 * width + 1,) * 2, np.uint8))
    paper[(bare > 127) & (inside > 0)] = 0


# ---------------------------------------------------------------- photos


def photographed(image: Image, rng: Rng) -> Image:
    """The garment of an image (H, W) as uint8 (28, 28), as if cut out of a snapshot of it."""
    large = cv2.resize(image, (LENS, LENS), interpolation=cv2.INTER_CUBIC)
    light = _bent(large.astype(np.uint8), rng)
    mask = cv2.morphologyEx((light > 16).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7))) > 0
    tone = _relit(np.float32(1 / 255) * light, rng)
    if rng.random() < 0.3:
        mask &= ~_blob(rng)  # a piece was taken for background,
    if rng.random() < 0.3:  # or the other way round
        spill = _blob(rng) & ~mask
        tone[spill] = rng.uniform(0.1, 1.0)
        mask |= spill
    if not mask.any():
        return image if image.shape == (SIDE,) * 2 else intake.framed(image)
    return intake.framed((tone * mask * 255).astype(np.uint8))


def _bent(image: Image, rng: Rng) -> Image:
    """Turned, stretched, seen at a slant and creased."""
    turn = rng.normal(0, 0.5 if rng.random() < 0.15 else 0.12)
    stretch = np.exp(rng.normal(0, 0.1))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.diag([stretch, 1 / stretch]) @ np.array([[cos, sin], [-sin, cos]])
    axis = np.linspace(-0.62, 0.62, LENS)
    points = np.stack(np.meshgrid(axis, axis), -1)
    slant = 1 + points @ rng.normal(0, 0.12, 2)
    source = points @ matrix / slant[..., None]
    for _ in range(3):
        wave, phase, way = rng.normal(0, 5, 2), rng.uniform(0, 6.3), rng.normal(0, 0.014, 2)
        source += np.sin(points @ wave + phase)[..., None] * way
    pixels = ((source + 0.5) * LENS - 0.5).astype(np.float32)
    return cv2.remap(image, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR).astype(np.uint8)


def _relit(light: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    """Light in 0..1 under other light, on cloth of another shade, with folds and grain."""
    if rng.random() < 0.2:
        light = 1 - light
    light = light ** np.float32(np.exp(rng.normal(0, 0.4)))
    floor = rng.uniform(0, 0.5)
    light = floor + (1 - floor) * light
    axis = np.linspace(-0.5, 0.5, LENS, dtype=np.float32)
    x, y = axis[None], axis[:, None]
    gain = 1 + rng.normal(0, 0.25) * x + rng.normal(0, 0.25) * y
    for _ in range(2):
        k, phase = rng.normal(0, 14, 2), rng.uniform(0, 6.3)
        gain = gain + rng.uniform(0, 0.12) * np.sin(k[0] * x + k[1] * y + phase)
    grain = rng.normal(0, rng.uniform(0, 0.08), light.shape)
    return np.asarray((light * gain + grain).clip(0.02, 1), np.float32)


def _blob(rng: Rng) -> NDArray[np.bool_]:
    """A patch somewhere, more often near the edge, as a mask (84, 84)."""
    blob = np.zeros((LENS, LENS), np.uint8)
    angle, far = rng.uniform(0, 6.3), rng.uniform(0.2, 0.5)
    centre = LENS / 2 + far * LENS * np.array([np.cos(angle), np.sin(angle)])
    axes = rng.uniform(0.04, 0.18, 2) * LENS
    cv2.ellipse(
        blob, centre.astype(int).tolist(), axes.astype(int).tolist(),
        float(rng.uniform(0, 180)), 0, 360, 1, -1,
    )  # fmt: skip
    return blob > 0


# ---------------------------------------------------------------- none of the ten


def outlier(rng: Rng) -> Image:
    """What is no garment, as uint8 (28, 28): letters, doodles, noise, patterns, odd shapes."""
    kind = int(rng.integers(5))
    if kind == 0:
        return intake.from_sketch(_letter(rng)).pixels
    if kind == 1:
        return intake.from_sketch(_doodle(rng)).pixels
    if kind == 2:  # a thing of some shape and cloth
        shape = np.zeros((LENS, LENS), np.uint8)
        cv2.fillPoly(shape, [(_curl(rng) * 0.6 * LENS + LENS / 2).astype(np.int32)], 255)
        return photographed(shape, rng)
    noise = rng.random((SIDE,) * 2)
    if kind == 3:
        blurred = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.3, 4))
        noise = np.asarray((blurred - blurred.min()) / np.ptp(blurred), np.float64)
    else:
        x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
        across, along = rng.normal(0, 0.7, 2)
        noise = 0.5 + 0.5 * np.sin(across * x + along * y + rng.uniform(0, 6.3))
    return np.asarray(rng.uniform(0, 255) * noise ** rng.uniform(0.3, 3), np.uint8)


def _letter(rng: Rng) -> Image:
    """A letter, but no digit, so that digits can be asked of the model as something new."""
    paper = np.zeros((PAPER, PAPER), np.uint8)
    letter = string.ascii_letters[int(rng.integers(len(string.ascii_letters)))]
    font, width = int(rng.integers(8)), int(rng.integers(2, 10))
    cv2.putText(paper, letter, (36, 92), font, 2.6, 255, width, cv2.LINE_AA)
    return _bent(cv2.resize(paper, (LENS, LENS)).astype(np.uint8), rng)


def _doodle(rng: Rng) -> Image:
    """A few curls, closed or not."""
    paper = np.zeros((PAPER, PAPER), np.uint8)
    width = int(rng.integers(1, 9))
    for _ in range(int(rng.integers(1, 4))):
        curl = _curl(rng) * rng.uniform(0.3, 1.0) + rng.normal(0, 0.12, 2)
        _stroke(paper, curl, width, rng.uniform(0, 0.6), rng)
    return paper


def _curl(rng: Rng) -> Points:
    """A closed curve (64, 2) around the origin: an ellipse with a few harmonics."""
    angle = np.linspace(0, 2 * np.pi, 64)
    harmonics = range(1, int(rng.integers(2, 7)))
    waves = [
        np.stack([np.cos(k * angle + rng.uniform(0, 6.3)) for _ in range(2)], 1)
        * rng.normal(0, 0.4 / k**0.7, 2)
        for k in harmonics
    ]
    return np.asarray(sum(waves) / np.abs(sum(waves)).max() / 2)
