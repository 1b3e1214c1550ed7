"""Drawn garments: labelled vector drawings of the ten Fashion-MNIST classes.

A garment is a list of shapes in a unit square, x to the right and y down, painted in order. From
the same shapes come the dataset look (a grey garment on black that fills 28 pixels) and a line
drawing as a person would sketch it. Every shape, proportion and shade is drawn from the generator
that the caller passes, so a seed names a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmnist.data.garments.clothes import Cloth, bag, coat, dress, pullover, shirt, trouser, tshirt
from fmnist.data.garments.drawing import render
from fmnist.data.garments.shapes import Garment, Light, Shape, View, framed, matrix, pick
from fmnist.data.garments.shoes import boot, from_above, pair, sandal, sneaker

# The ways each class can be seen, by label. "shop" is the dataset's: shoes from the side with the
# toe to the left, everything else from the front, sleeves hanging. The others are how people draw
# and photograph: sleeves and legs held out, footwear from above and in pairs.
_WORN: tuple[View, ...] = ("shop", "spread")
_SHOE: tuple[View, ...] = ("shop", "top", "pair")
VIEWS: tuple[tuple[View, ...], ...] = (
    *[_WORN] * 5,
    _SHOE,
    _WORN,
    _SHOE,
    ("shop",),
    ("shop", "pair"),
)


def garment(label: int, rng: np.random.Generator, view: View | Literal["any"] = "shop") -> Garment:
    """Draw a garment of class `label` (0-9).

    `view` is one of `VIEWS[label]`; "any" takes the shop view three times in four. Raises
    ValueError for another label or view.
    """
    if not 0 <= label < len(_DRAW):
        raise ValueError(f"label {label} is not in 0..{len(_DRAW) - 1}")
    if view == "any":
        others = VIEWS[label][1:]
        view = pick(rng, others) if others and rng.random() < 0.25 else "shop"
    if view not in VIEWS[label]:
        raise ValueError(f"class {label} has no view {view!r}, only {', '.join(VIEWS[label])}")
    cloth = Cloth.choose(rng, label)
    if view == "shop":
        shapes = _DRAW[label](rng, cloth)
    elif view == "spread":
        shapes = _LIMBS[label](rng, cloth, rng.uniform(0.2, 1.25))
    elif view == "top":
        shapes = from_above(rng, cloth, label)
    else:
        shapes = pair(rng, cloth, label)
    turn, shear = rng.normal(0, 0.025), rng.normal(0, 0.02)
    light = Light(
        slope=(rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25)),
        fold=(rng.uniform(10, 25), rng.uniform(-8, 8)),
        depth=rng.uniform(0, 0.04 if label in (5, 7, 8, 9) else 0.12),
        phase=rng.uniform(0, 6.3),
        rim=rng.uniform(20, 120),
    )
    return Garment(label, view, framed(shapes, matrix(turn, shear=shear)), light)


def draw(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a stand-in for the dataset: images uint8 (count, 28, 28) and labels uint8 (count,).

    Classes are balanced to within one and in random order; (count, seed) names the pictures.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.uint8) % len(_DRAW))
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:] = render(garment(int(label), rng))
    return images, labels


_DRAW: tuple[Callable[[np.random.Generator, Cloth], list[Shape]], ...] = (
    tshirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, boot,
)  # fmt: skip

_LIMBS: Mapping[int, Callable[[np.random.Generator, Cloth, float], list[Shape]]] = {
    0: tshirt,
    1: trouser,
    2: pullover,
    3: dress,
    4: coat,
    6: shirt,
}
