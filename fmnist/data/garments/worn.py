"""Drawn people who wear a drawn garment, in a room: what a camera in a class sees."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fmnist.data import garments
from fmnist.data.garments.drawing import render

Picture = NDArray[np.uint8]  # (H, W, 3)
Mask = NDArray[np.bool_]  # (H, W)
Rng = np.random.Generator
Shade = tuple[float, float, float]

TORSO = 3.2  # a top's height, in heads,
LONG = 4.6  # that of a dress or coat,
LEGS = 4.2  # and that of trousers
COMPLEXIONS = ((241, 207, 182), (224, 178, 142), (198, 146, 106), (156, 104, 70), (112, 74, 52))
HAIRS = ((40, 30, 26), (74, 50, 34), (120, 84, 50), (176, 140, 92), (90, 88, 90))
LONG_ONES = (3, 4)  # labels of Dress and Coat
TROUSER, BAG = 1, 8
WORN = (0, TROUSER, 2, 3, 4, 6)  # labels of what is worn on trunk or legs


class Worn(NamedTuple):
    """A picture of a person, and where what they wear of a class shows in it."""

    picture: Picture
    garment: Mask


def person(label: int, rng: Rng, height: int = 320) -> Worn:
    """Someone who wears a garment of that class, from head to knee or nearer.

    The class is one of `WORN`, or `BAG`, which hangs from a hand or a shoulder.
    """
    width = int(height * rng.uniform(0.75, 1.3))
    picture: Picture = room(rng, height, width)
    head = height / (rng.uniform(6.0, 7.2) if label == BAG else rng.uniform(4.6, 6.2))
    middle, top = width / 2 + rng.normal(0, width / 30), head * rng.uniform(0.15, 0.4)
    skin = COMPLEXIONS[rng.integers(len(COMPLEXIONS))]
    chin = top + head
    trunk = label if label not in (TROUSER, BAG) else int(rng.choice((0, 2, 6)))
    legs = _cloth(picture, TROUSER, rng, (middle, chin + 2.9 * head, LEGS * head), _shade(rng))
    _neck_and_hands(picture, skin, (middle, chin), head)
    long = LONG if trunk in LONG_ONES else TORSO
    worn = _cloth(picture, trunk, rng, (middle, chin + 0.22 * head, long * head), _shade(rng))
    bag = _bag(picture, rng, (middle, chin), head) if label == BAG else np.zeros_like(worn)
    _face(picture, skin, HAIRS[rng.integers(len(HAIRS))], (middle, top), head)
    noise = rng.normal(0, 2.5, picture.shape)
    seen = (picture * rng.uniform(0.85, 1.05) + noise).clip(0, 255).astype(np.uint8)
    return Worn(seen, {TROUSER: legs & ~worn, BAG: bag}.get(label, worn))


def room(rng: Rng, height: int, width: int) -> Picture:
    """A wall, plain, papered or with shelves and pictures on it, in uneven light."""
    wall = np.full((height, width, 3), rng.uniform(120, 235) + rng.normal(0, 9, 3), np.float32)
    kind = rng.random()
    if kind < 0.35:
        stripes = np.sin(np.arange(width) / rng.uniform(3, 9))[None, :, None]
        wall += rng.uniform(3, 10) * stripes
    elif kind < 0.75:
        for _ in range(rng.integers(2, 7)):
            corner = rng.integers(0, (width, height))
            edge = rng.integers(height // 10, height // 3, 2)
            shade = rng.uniform(40, 220, 3).tolist()
            cv2.rectangle(wall, corner.tolist(), (corner + edge).tolist(), shade, -1)
    across = np.linspace(-0.5, 0.5, width)[None, :, None]
    return np.asarray((wall * (1 + rng.normal(0, 0.1) * across)).clip(0, 255), np.uint8)


def _shade(rng: Rng) -> Shade:
    """A dye: what it leaves of red, green and blue."""
    red, green, blue = rng.uniform(0.25, 1.0, 3)
    return red, green, blue


def _cloth(
    picture: Picture, label: int, rng: Rng, place: tuple[float, float, float], dye: Shade
) -> Mask:
    """Lay a drawn garment on the picture: its middle, its top and its height in pixels."""
    middle, top, height = place
    tone = render(garments.garment(label, rng), max(8, round(height)))
    rows, columns = np.flatnonzero(tone.any(1)), np.flatnonzero(tone.any(0))
    tone = tone[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = round(tone.shape[1] * height / len(tone))
    size = width, round(height)
    tone = np.asarray(cv2.resize(tone, size, interpolation=cv2.INTER_AREA), np.uint8)
    start = round(middle - width / 2)
    left, end = max(start, 0), min(start + width, picture.shape[1])
    rows_in = picture[round(top) : round(top) + len(tone), left:end]
    tone = tone[: len(rows_in), left - start : end - start]
    shown = tone > 30
    rows_in[shown] = (tone[shown][:, None] * np.array(dye)).astype(np.uint8)
    mask = np.zeros(picture.shape[:2], bool)
    mask[round(top) : round(top) + len(tone), left:end] = shown
    return mask


def _bag(picture: Picture, rng: Rng, chin: tuple[float, float], head: float) -> Mask:
    """A bag in a hand, or beside the hip on a strap from the shoulder."""
    middle, below = chin
    side, dye = rng.choice((-1, 1)), _shade(rng)
    across = middle + side * rng.uniform(1.05, 1.35) * head
    hangs = rng.random() < 0.5
    top = below + (rng.uniform(1.8, 2.4) if hangs else 3.1) * head
    if hangs:
        shoulder = round(middle + side * 0.55 * head), round(below + 0.35 * head)
        end = round(across), round(top + 0.3 * head)
        tone = [round(120 * value) for value in dye]
        cv2.line(picture, shoulder, end, tone, max(2, round(head / 16)), cv2.LINE_AA)
    return _cloth(picture, BAG, rng, (across, top, rng.uniform(1.2, 1.8) * head), dye)


def _neck_and_hands(picture: Picture, skin: Shade, chin: tuple[float, float], head: float) -> None:
    middle, below = chin
    _oval(picture, (middle, below + 0.1 * head), (0.2 * head, 0.4 * head), skin, 0.82)
    for side in (-1, 1):
        hand = middle + side * 1.15 * head, below + 3.1 * head
        _oval(picture, hand, (0.16 * head, 0.26 * head), skin)


def _face(
    picture: Picture, skin: Shade, hair: Shade, place: tuple[float, float], head: float
) -> None:
    """A head of that height: hair, and a face with the light and dark that a face has."""
    middle, top = place

    def at(across: float, down: float) -> tuple[float, float]:
        return middle + across * head, top + down * head

    def size(across: float, down: float) -> tuple[float, float]:
        return across * head, down * head

    _oval(picture, at(0, 0.42), size(0.4, 0.44), hair)
    _oval(picture, at(0, 0.56), size(0.33, 0.44), skin)
    for side in (-1, 1):
        _oval(picture, at(side * 0.17, 0.62), size(0.1, 0.08), skin, 1.2)
        _oval(picture, at(side * 0.14, 0.455), size(0.095, 0.065), skin, 0.6)
        _oval(picture, at(side * 0.14, 0.4), size(0.11, 0.026), skin, 0.25)
        _oval(picture, at(side * 0.14, 0.468), size(0.055, 0.026), skin, 1.5)
        _oval(picture, at(side * 0.14, 0.468), size(0.03, 0.03), (30, 24, 20))
        _oval(picture, at(side * 0.05, 0.67), size(0.035, 0.02), skin, 0.5)
    _oval(picture, at(0, 0.58), size(0.045, 0.1), skin, 1.2)
    _oval(picture, at(0, 0.79), size(0.12, 0.034), skin, 0.5)
    _oval(picture, at(0, 0.86), size(0.1, 0.03), skin, 1.15)


def _oval(
    picture: Picture,
    centre: tuple[float, float],
    axes: tuple[float, float],
    shade: Shade,
    light: float = 1.0,
) -> None:
    """A filled ellipse, to an eighth of a pixel."""
    eighths = [round(8 * value) for value in (*centre, *axes)]
    tone = [min(255.0, light * value) for value in shade]
    cv2.ellipse(
        picture, (eighths[0], eighths[1]), (eighths[2], eighths[3]), 0, 0, 360, tone, -1,
        cv2.LINE_AA, 3,
    )  # fmt: skip
