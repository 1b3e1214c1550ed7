"""Pictures people really drew and took, from a folder, to train on beside the imagined ones.

FMNIST_PICTURES names the folder; docs/pictures.md says what lies in it and where each set can be
had. Every picture passes through the app's own `intake`, several times and each time as somebody
else might have brought it: with another pen, on other paper, smaller, off-centre, cropped. What
comes out is kept on disk by the content of its file. An eighth of the pictures, all of one
drawing, photo, design or product together, is never trained on.
"""

import gzip
import hashlib
import io
import json
import multiprocessing
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmnist.data import everyday
from fmnist.data.splits import CLASSES
from fmnist.machine import files
from fmnist.machine.errors import UserFacingError
from fmnist.pictures import intake, reading
from fmnist.pictures.intake import SIDE
from fmnist.pictures.person import Part as Worn
from fmnist.pictures.reading import PictureError

Picture = NDArray[np.uint8]  # (H, W) or (H, W, 3)
Rng = np.random.Generator
Part = Literal["train", "validation"]

KINDS = ("drawings", "careful", "photos", "shop")
"""Quick sketches; icons and outlines; photos by phone; product pictures, most of them worn."""
INTAKES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"sketch": ("drawings", "careful"), "shop": ("shop",), "photo": ("photos",)}
)
"""What `intake` takes most pictures of these kinds for."""
VERSION = 2
"""Of the renderings below; another one makes them anew."""
HELD_OUT = 8  # one of so many groups is for validation
SHOWN = 2  # renderings of a picture that validation asks about
ALIKE = 0.7
"""How far a class counts that a picture may be called, too: a T-shirt Shirt. Were it as far as what
it is called, Shirt would be right of nearly every top, and so it would call T-shirts."""
NEIGHBOURS = 10  # shop pictures whose numbers are so near are often one product in other colours
ALL_OF_THEM = 0.25  # of the pictures of a person are asked about as a whole
CHUNK = 200  # pictures a process takes in at a time
DAMAGES = (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile, zlib.error)
SHOES_AND_BAGS = {CLASSES.index(name) for name in ("Sandal", "Sneaker", "Ankle boot", "Bag")}


@dataclass(frozen=True)
class Taken:
    """Pictures as a model sees them.

    images: uint8 (N, 28, 28)
    accepted: float32 (N, 10), above 0 the classes that count as right: 1 for the one it is called,
    ALIKE for others; none of them for none of the ten
    kinds: uint8 (N,), rows of KINDS
    """

    images: NDArray[np.uint8]
    accepted: NDArray[np.float32]
    kinds: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: NDArray[Any]) -> "Taken":
        return Taken(self.images[rows], self.accepted[rows], self.kinds[rows])

    def some(self, most: int, seed: int) -> "Taken":
        """All of them, or that many drawn by the seed."""
        return self[np.random.default_rng(seed).permutation(len(self))[:most]]

    def garments(self) -> "Taken":
        """Those that show one of the ten."""
        return self[np.flatnonzero(self.accepted.any(1))]

    def others(self) -> "Taken":
        """Those that are none of the ten."""
        return self[np.flatnonzero(~self.accepted.any(1))]

    def right(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which (N,) have an answer, by logits (N, 10), that is among the accepted ones."""
        named: NDArray[np.bool_] = self.accepted[np.arange(len(self)), logits.argmax(1)] > 0
        return named

    def right_by_kind(self, logits: NDArray[np.float32]) -> dict[str, float]:
        """The share that is right of every kind that is here."""
        named = self.right(logits)
        return {
            kind: float(named[here].mean())
            for row, kind in enumerate(KINDS)
            if (here := self.kinds == row).any()
        }

    def by_intake(self) -> dict[str, NDArray[np.bool_]]:
        """Masks (N,) of the kinds that are here, by what `intake` takes most of them for."""
        masks = {
            kind: np.isin(self.kinds, [KINDS.index(name) for name in names])
            for kind, names in INTAKES.items()
        }
        return {kind: mask for kind, mask in masks.items() if mask.any()}


class Original(NamedTuple):
    """A picture of the folder: a file's bytes or Quick, Draw! strokes."""

    content: Any
    accepted: tuple[int, ...] | None
    group: str  # what is told apart by it is nobody else's drawing, photo, design or product


class Source(NamedTuple):
    """A file of the folder and how its pictures are taken in."""

    origin: str  # with the licence, as a card names it
    file: str
    kind: str
    take: Callable[[Original, Rng, int], Picture]
    garments: int  # renderings of each picture that shows one of the ten,
    others: int  # and of each that doesn't
    times: int = 1  # that each rendering is among those to train on


def folder() -> Path | None:
    """The folder of pictures; None where FMNIST_PICTURES names none."""
    named = os.environ.get("FMNIST_PICTURES")
    return Path(named) if named and Path(named).is_dir() else None


def load(pictures: Path, part: Part) -> Taken:
    """The pictures of a folder that are for training, or those that are held out from it.

    Files that are not there are left out. Raises UserFacingError for one that is damaged, and
    where none is there.
    """
    here = [source for source in SOURCES if (pictures / source.file).exists()]
    if not here:
        names = ", ".join(dict.fromkeys(source.file for source in SOURCES))
        raise UserFacingError(
            "FMNIST_PICTURES is {pictures}, which holds none of {names}. docs/pictures.md says "
            "what belongs there.",
            pictures=pictures,
            names=names,
        )
    images = [np.zeros((0, SIDE, SIDE), np.uint8)]
    accepted = [np.zeros((0, len(CLASSES)), np.float32)]
    kinds = [np.zeros(0, np.uint8)]
    for source in here:
        path = pictures / source.file
        originals = _read(path)
        counts = [_renderings(source, original) for original in originals]
        each = f"{source.garments}-{source.others}"
        name = f"people-{source.take.__name__}-{_digest(path)}-{VERSION}-{each}"
        made = files.cached(name, partial(_taken_in, source, originals, counts))
        first = np.cumsum([0, *counts])
        for original, start, count in zip(originals, first, counts, strict=False):
            if _is_held_out(original.group) != (part == "validation") or not count:
                continue
            shown, times = (min(count, SHOWN), 1) if part == "validation" else (count, source.times)
            rows = np.tile(np.arange(start, start + shown), times)
            images.append(made[rows])
            accepted.append(np.tile(_weights(original.accepted), (len(rows), 1)))
            kinds.append(np.full(len(rows), KINDS.index(source.kind), np.uint8))
    return Taken(np.concatenate(images), np.concatenate(accepted), np.concatenate(kinds))


def origins(pictures: Path) -> list[str]:
    """Whose pictures a folder holds, and under which licence."""
    here = [source.origin for source in SOURCES if (pictures / source.file).exists()]
    return list(dict.fromkeys(here))


def _renderings(source: Source, original: Original) -> int:
    if original.accepted is None:
        return source.others
    if source.take is outlined and not SHOES_AND_BAGS.issuperset(original.accepted):
        return 0  # an outline of whoever wears a garment says little of the garment
    return source.garments


def _weights(accepted: tuple[int, ...] | None) -> NDArray[np.float32]:
    """How far each class counts as right (10,), by labels of which the first is what it is."""
    weights = np.zeros(len(CLASSES), np.float32)
    weights[list(accepted or ())] = ALIKE
    weights[list(accepted or ())[:1]] = 1
    return weights


def _is_held_out(group: str) -> bool:
    return hashlib.sha256(group.encode()).digest()[0] % HELD_OUT == 0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


# ---------------------------------------------------------------- reading


def _read(path: Path) -> list[Original]:
    """The pictures of a file; raises UserFacingError where it is damaged."""
    try:
        if originals := list(_originals(path)):
            return originals
        raise ValueError("it holds no picture")
    except DAMAGES as error:
        raise UserFacingError(
            "{file} can't be read ({error}). Put a whole copy there, or take it away.",
            file=path,
            error=error,
        ) from error


def _originals(path: Path) -> Iterator[Original]:
    """The pictures of a zip with a labels.json, or of lines of Quick, Draw! strokes."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                drawing = json.loads(line)
                yield Original(drawing["drawing"], _classes(drawing["accepted"]), drawing["key_id"])
        return
    with zipfile.ZipFile(path) as file:
        for name, accepted in json.loads(file.read("labels.json")).items():
            yield Original(file.read(name), _classes(accepted), _group(path.stem, name))


def _classes(accepted: list[int] | None) -> tuple[int, ...] | None:
    return None if accepted is None else tuple(accepted)


def _group(name: str, file: str) -> str:
    """What all pictures of the same thing share: a number, or the words of an icon's design."""
    _, rest = Path(file).stem.split("-", 1)
    if name == "icons":  # the designs of one set are alike, and a set begins with its name
        return rest.split("-")[0]
    if name == "shop":
        return str(int(rest.rsplit("-", 1)[-1]) // NEIGHBOURS)
    number = re.search(r"[0-9a-f-]{36}$|\d+$", rest)  # of a photo, or a drawing's key
    return number[0] if number else rest


# ---------------------------------------------------------------- taking in


def _taken_in(source: Source, originals: list[Original], counts: list[int]) -> Picture:
    """Each picture's renderings, one picture after the other: uint8 (N, 28, 28)."""
    pairs = list(zip(originals, counts, strict=True))
    jobs = [(source.take, at, pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)]
    # Forked children would share torch's threads, and none of them would run.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as processes:
        try:
            return np.concatenate(list(processes.map(_chunk, jobs)))
        except PictureError as error:
            raise UserFacingError("In {file}: {error}", file=source.file, error=error) from error


def _chunk(
    job: tuple[Callable[[Original, Rng, int], Picture], int, list[tuple[Original, int]]],
) -> Picture:
    take, start, pairs = job
    cv2.setNumThreads(1)  # each core has a process of its own
    made = [
        take(original, np.random.default_rng((start + place, variant)), variant)
        for place, (original, count) in enumerate(pairs)
        for variant in range(count)
    ]
    return np.stack(made) if made else np.zeros((0, SIDE, SIDE), np.uint8)


def sketched(original: Original, rng: Rng, variant: int) -> Picture:
    """Strokes [[xs], [ys]] in 0..255, drawn by somebody's pen on somebody's paper."""
    points = [np.array(stroke[:2], np.float64).T for stroke in original.content]
    every = np.concatenate(points)
    middle, extent = (every.min(0) + every.max(0)) / 2, max(np.ptp(every, axis=0).max(), 1.0)
    side = int(rng.integers(150, 321))
    size = side * rng.uniform(0.25, 0.9)
    pen = min(side * float(np.exp(rng.uniform(np.log(0.012), np.log(0.06)))), 0.12 * size)
    turn = rng.normal(0, 0.09)
    stretch = np.exp(rng.normal(0, 0.07))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.diag([stretch, 1 / stretch]) @ np.array([[cos, sin], [-sin, cos]]) * size / extent
    room = max(side - size - pen, 0) / 2
    centre = side / 2 + rng.uniform(-room, room, 2)
    paper = np.zeros((side, side), np.uint8)
    for stroke in points:
        pixels = ((stroke - middle) @ matrix + centre) * 2**everyday.SUBPIXEL
        cv2.polylines(
            paper, [pixels.astype(np.int32)], False, 255,
            max(1, round(pen)), cv2.LINE_AA, everyday.SUBPIXEL,
        )  # fmt: skip
    return _presented(paper, rng)


def redrawn(original: Original, rng: Rng, variant: int) -> Picture:
    """A drawing of 28x28 in faint thin lines, made as large and as black as it was drawn."""
    ink = 255 - np.asarray(reading.read(original.content).convert("L"), np.float32)
    scale = int(rng.integers(5, 9))
    large = cv2.resize(ink / max(ink.max(), 1), None, fx=scale, fy=scale,
                       interpolation=cv2.INTER_CUBIC)  # fmt: skip
    crisp = 1 / (1 + np.exp(-12 * (large - rng.uniform(0.3, 0.5))))
    crisp = np.where(large < 0.1, 0, crisp)
    return _presented(_placed((crisp * 255).astype(np.uint8), rng, 0), rng)


def designed(original: Original, rng: Rng, variant: int) -> Picture:
    """An icon, larger or smaller, dark on light or the other way round."""
    picture = np.asarray(reading.read(original.content).convert("RGB"))
    if variant == 0:
        return intake.from_any(picture).pixels
    edge = int(rng.integers(90, 260))
    picture = cv2.resize(picture, (edge, edge), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    picture = _placed(picture, rng, 255)
    if rng.random() < 0.4:
        picture = 255 - picture
    return intake.from_any(picture, "sketch" if rng.random() < 0.3 else "auto").pixels


def snapped(original: Original, rng: Rng, variant: int) -> Picture:
    """A photo, nearer or not quite as it was framed, in other light."""
    picture = np.asarray(reading.read(original.content).convert("RGB"))
    worn = _worn(original, rng)
    if rng.random() < 0.4:
        return intake.from_any(picture, part=worn).pixels
    picture = _relit(_cropped(picture, rng, 0.14), rng)
    return intake.from_any(picture, "photo" if rng.random() < 0.3 else "auto", worn).pixels


def sold(original: Original, rng: Rng, variant: int) -> Picture:
    """A product picture at some likely ratio of its edges, which the copies here have lost."""
    picture = np.asarray(reading.read(original.content).convert("RGB"))
    worn = _worn(original, rng)
    if variant == 0:
        return intake.from_any(_unsqueezed(picture, 4 / 3), part=worn).pixels
    picture = _unsqueezed(picture, float(rng.choice((1, 4 / 3, rng.uniform(0.9, 1.5)))))
    if rng.random() < 0.6:
        picture = _cropped(picture, rng, 0.12)
    picture = _relit(picture, rng)
    return intake.from_any(picture, "photo" if rng.random() < 0.03 else "auto", worn).pixels


def outlined(original: Original, rng: Rng, variant: int) -> Picture:
    """A careful drawing after a product picture: its outline and the borders of its parts."""
    picture = np.asarray(reading.read(original.content).convert("RGB"))
    picture = _unsqueezed(picture, rng.uniform(0.9, 1.35))
    steps: dict[str, Picture] = dict(intake.from_any(picture, "shop", "whole").steps)
    grey = steps.get("Grey on black")
    if grey is None or not grey.any():
        return np.zeros((SIDE, SIDE), np.uint8)
    rows, columns = np.flatnonzero(grey.any(1)), np.flatnonzero(grey.any(0))
    grey = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = int(max(grey.shape) * 1.15)
    square = _on_ground(grey, (side, side), ((side - grey.shape[0]) // 2,
                                             (side - grey.shape[1]) // 2), 0)  # fmt: skip
    if rng.random() < 0.5:
        return _presented(everyday.scribble(everyday.traced(square, 0), rng), rng)
    edge = int(rng.integers(180, 300))
    large = cv2.resize(square, (edge, edge), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), rng.uniform(1.2, 3.0)).astype(np.uint8)
    strong = rng.uniform(40, 110)
    lines = cv2.Canny(soft, 0.4 * strong, strong)
    contours, _ = cv2.findContours(
        (soft > 12).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(lines, contours, -1, 255, 1)
    lines = cv2.dilate(lines, np.ones((int(rng.integers(2, 6)),) * 2, np.uint8))
    return _presented(lines.astype(np.uint8), rng)


def _worn(original: Original, rng: Rng) -> Worn:
    """What to ask about where somebody wears it: mostly what the picture is of."""
    accepted = set(original.accepted or ())
    if not accepted or rng.random() < ALL_OF_THEM:
        return "whole"
    if accepted <= SHOES_AND_BAGS:
        return "whole" if CLASSES.index("Bag") in accepted else "shoes"
    return "lower" if accepted == {CLASSES.index("Trouser")} else "upper"


_QUICK_DRAW = "Quick, Draw! drawings by Google's players, CC BY 4.0"
_ICONS = "Icons of permissive sets (MIT, Apache 2.0, CC BY, CC0, ISC, OFL), see docs/pictures.md"
_PHOTOS = "clothing-dataset by Alexey Grigorev and contributors, CC0"
_PRODUCTS = "Fashion Product Images by Param Aggarwal (Kaggle), no licence stated"

SOURCES = (
    Source(_QUICK_DRAW, "drawings.ndjson.gz", "drawings", sketched, 6, 1),
    Source(_QUICK_DRAW, "drawings-28.zip", "drawings", redrawn, 3, 1),
    Source(_ICONS, "icons.zip", "careful", designed, 6, 3, times=2),
    Source(_PRODUCTS, "shop.zip", "careful", outlined, 2, 0, times=2),
    Source(_PRODUCTS, "shop.zip", "shop", sold, 2, 1),
    Source(_PHOTOS, "photos.zip", "photos", snapped, 6, 6),
)
"""Every set, with what makes each kind weigh about alike."""


# ---------------------------------------------------------------- pens, papers, frames


def _presented(ink: Picture, rng: Rng) -> Picture:
    """Ink, 255 where the pen pressed, taken in as drawn on the canvas, scanned or photographed."""
    way = rng.random()
    kind: Literal["sketch", "auto"] = "sketch" if rng.random() < 0.8 else "auto"
    if way < 0.4:
        return intake.from_any(ink, kind).pixels
    if way < 0.65:
        return intake.from_any(255 - ink, kind).pixels
    height, width = ink.shape
    x, y = np.linspace(-0.5, 0.5, width)[None], np.linspace(-0.5, 0.5, height)[:, None]
    light = rng.uniform(0.55, 1.0) + rng.normal(0, 0.12) * x + rng.normal(0, 0.12) * y
    pen = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), rng.uniform(0.4, 1.2))
    shade = light * (1 - rng.uniform(0.5, 0.95) * pen) + rng.normal(0, 0.015, ink.shape)
    photo = _compressed((shade * 255).clip(0, 255).astype(np.uint8), rng)
    return intake.from_any(photo, kind).pixels


def _compressed(picture: Picture, rng: Rng) -> Picture:
    """As JPEG leaves it."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=int(rng.integers(50, 95)))
    return np.asarray(Image.open(content))


def _placed(picture: Picture, rng: Rng, ground: int) -> Picture:
    """Somewhere on a ground up to two and a half times as wide."""
    height, width = picture.shape[:2]
    side = int(max(height, width) * rng.uniform(1.05, 2.5))
    top, left = (int(rng.integers(0, side - edge + 1)) for edge in (height, width))
    return _on_ground(picture, (side, side), (top, left), ground)


def _on_ground(
    picture: Picture, size: tuple[int, int], start: tuple[int, int], ground: int
) -> Picture:
    canvas = np.full((*size, *picture.shape[2:]), ground, np.uint8)
    canvas[start[0] :, start[1] :][: picture.shape[0], : picture.shape[1]] = picture
    return canvas


def _cropped(picture: Picture, rng: Rng, most: float) -> Picture:
    """Without up to that share of the picture at each of its edges."""
    height, width = picture.shape[:2]
    top, left = (int(rng.uniform(0, most) * edge) for edge in (height, width))
    bottom, right = (edge - int(rng.uniform(0, most) * edge) for edge in (height, width))
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _unsqueezed(picture: Picture, ratio: float) -> Picture:
    """So many times as high as it is."""
    height, width = picture.shape[:2]
    size = width, round(height * ratio)
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def _relit(picture: Picture, rng: Rng) -> Picture:
    """Darker or lighter; white stays white."""
    shades = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.25)) * 255
    return np.asarray(shades.round()[picture], np.uint8)
