"""Shoes, drawn from a generator: from the side, from above and in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fmnist.data.garments.clothes import Cloth
from fmnist.data.garments.shapes import (
    Line,
    Part,
    Points,
    Shape,
    curve,
    ellipse,
    loop,
    matrix,
    mirror,
    moved,
    path,
    pick,
    ribbon,
)

# Shoes from the side: the toe at x = 0, the heel at x = 1, the ground at y = 0.


def _arched(lift: float, thick: float) -> Points:
    """The line under the foot, toe to heel; `lift` is the heel's height, `thick` the sole's."""
    rise = lift - thick
    return curve(
        (0.0, -thick - 0.02),
        (0.1, -thick),
        (0.32, -thick),
        (0.55, -thick - 0.35 * rise),
        (0.76, -thick - 0.9 * rise),
        (0.97, -thick - rise),
    )


def _heel(rng: np.random.Generator, lift: float) -> Points:
    """A heel from the arch down to the ground: block, cone or stiletto."""
    top, foot = rng.uniform(0.16, 0.24), pick(rng, (0.04, 0.08, 0.15))
    right = 0.95 - rng.uniform(0, 0.04)
    return path(
        curve((0.97, -lift), (right + 0.01, -lift / 2), (right, 0)),
        curve((right - foot, 0), (right - foot - 0.01, -lift * 0.5), (0.97 - top, -lift * 0.9)),
    )


def sandal(rng: np.random.Generator, cloth: Cloth) -> list[Shape]:
    u = rng.uniform
    kind = pick(rng, ("flip-flop", "slide", "flat", "flat", "heel", "heel", "wedge"))
    thick = u(0.035, 0.06)
    lift = u(0.28, 0.5) if kind == "heel" else u(0.15, 0.32) if kind == "wedge" else thick
    if kind in ("flip-flop", "slide", "flat"):
        thick = lift = u(0.05, 0.1)
    insole = _arched(lift, thick)
    width = u(0.03, 0.06)
    shapes: list[Shape] = []

    def strap(*points: Sequence[float], wide: float = width) -> None:
        shapes.append(cloth.part(ribbon(curve(*points), wide)))

    def on(x: float) -> tuple[float, float]:
        """The point of the insole at x."""
        return x, float(np.interp(x, insole[:, 0], insole[:, 1]))

    high = lift + u(0.2, 0.32)
    if kind == "flip-flop":
        toe, peak = u(0.2, 0.28), u(0.13, 0.2)
        strap((toe, -lift), (toe + 0.12, -lift - peak), (0.66, -lift), wide=width * 1.2)
        strap((toe, -lift), (toe + 0.18, -lift - peak * 0.7), (0.55, -lift))
    elif kind == "slide":
        rise = u(0.17, 0.24)
        up = [(0.22, -lift - 0.5 * rise), (0.4, -lift - rise), (0.58, -lift - 1.15 * rise)]
        shapes.append(cloth.part(curve((0.15, -lift), *up, (0.7, -lift))))
        if rng.random() < 0.5:  # two straps
            gap = curve((0.42, -lift), (0.4, -lift - 0.5 * rise), (0.42, -lift - rise))
            shapes.append(Line(gap, 0.1, 0.03))
    else:
        ball, wide = u(0.06, 0.12), u(0.06, 0.13)
        band = curve(on(ball), (ball + 0.12, -thick - u(0.12, 0.17)), on(ball + 0.27))
        shapes.append(cloth.part(ribbon(band, wide)))
        if rng.random() < 0.6:
            strap(on(ball + 0.17), (0.4, -thick - u(0.14, 0.2)), on(0.52))
        if rng.random() < 0.5:  # along the foot, or up from its arch
            strap((ball + 0.16, -thick - 0.12), (0.45, -lift - 0.12), (0.7, -high + 0.02))
        else:
            strap(on(0.62), (0.65, -lift - 0.1), (0.69, -high + 0.02))
        strap((0.95, -lift), (0.93, -high), wide=u(0.04, 0.1))  # the heel counter
        for k in range(int(rng.integers(1, 3))):  # around the ankle
            y = -high + 0.1 * k
            strap((0.95, y), (0.82, y - 0.05), (0.68, y + 0.03))
    if kind == "wedge":
        ground = [(0.97, 0), (0.1, 0), (0.0, -thick * 0.6)]
        shapes.append(cloth.trim(path(insole, ground)))
    elif kind == "heel":
        shapes.append(cloth.part(_heel(rng, lift), 0.9))
        shapes.append(cloth.part(ribbon(insole, thick), 0.8))
    else:
        bottom = curve((1.0, -thick), (0.96, 0), (0.5, -0.005), (0.06, 0), (0.0, -thick - 0.02))
        shapes.append(cloth.trim(path(insole, bottom)))
    return shapes


def sneaker(rng: np.random.Generator, cloth: Cloth) -> list[Shape]:
    u = rng.uniform
    high = rng.random() < 0.07
    h = u(0.5, 0.62) if high else u(0.33, 0.47)
    sole, toe, throat = u(0.05, 0.1), u(0.13, 0.19), u(0.42, 0.5)
    vamp = curve(
        (0.02, -sole * 0.8),
        (0.03, -toe * 0.8),
        (0.13, -toe * 1.08),
        (0.3, -toe - (0.15 if high else 0.32) * (h - toe)),
        (throat, -h * (0.68 if high else 0.86)),
        (throat + 0.07, -h * 1.02),
    )
    dip = -h * (0.92 if high else 0.79)
    collar = curve((throat + 0.07, -h * 1.02), (0.7, dip), (0.83, dip), (0.95, -h))
    back = curve((0.95, -h), (0.985, -h * 0.55), (0.97, -sole))
    shapes: list[Shape] = [cloth.part(path(vamp, collar, back))]
    if rng.random() < 0.5:  # toe cap and heel counter
        cap = path(vamp[4:22], curve((0.2, -toe * 0.9), (0.2, -sole)), [(0.02, -sole)])
        counter = path(back, curve((0.8, -sole), (0.84, -h * 0.5), (0.86, -h * 0.8)))
        shapes += [cloth.trim(cap), cloth.trim(counter)]
    if rng.random() < 0.85:  # laces on their eyestay
        slope = np.array([0.07, 0.06])
        stay = ribbon(vamp[22:36] + 0.5 * slope, 0.09)
        shapes.append(cloth.part(stay, u(0.75, 1.15)))
        for k in np.linspace(23, 35, int(rng.integers(3, 6))).astype(int):
            lace = np.array([vamp[k] + (0, -0.004), vamp[k] + slope])
            shapes.append(Line(lace, min(1, cloth.accent + 0.15), 0.018))
    mark = rng.random()
    if mark < 0.35:  # slanted stripes
        for x in np.linspace(0.5, 0.66, int(rng.integers(1, 4))):
            stripe = np.array([(x - 0.03, -sole), (x + 0.06, -h * 0.72)])
            shapes.append(Line(stripe, cloth.accent, u(0.02, 0.035)))
    elif mark < 0.6:  # a swoosh along the side
        swoosh = curve((0.36, -sole - 0.1), (0.48, -sole - 0.03), (0.86, -h * 0.66))
        shapes.append(cloth.trim(ribbon(swoosh, 0.05, 0.01)))
    rubber = pick(rng, (0.95, cloth.shade * 0.5, cloth.shade * 0.6, cloth.accent))
    rim = curve((0.99, -sole * 1.25), (0.5, -sole * 0.85), (0.0, -sole * 1.1))
    ground = curve((0.0, -sole * 1.1), (0.0, -sole * 0.4), (0.05, 0))
    shapes.append(Part(path(rim, ground, curve((0.94, 0), (1, -sole * 0.4), rim[0])), rubber))
    if rng.random() < 0.4:
        shapes.append(Line(rim[2:-2] + np.array([0, sole * 0.55]), rubber * 0.6, 0.014))
    return shapes


def boot(rng: np.random.Generator, cloth: Cloth) -> list[Shape]:
    u = rng.uniform
    heeled = rng.random() < 0.6
    thick = u(0.03, 0.05) if heeled else u(0.05, 0.1)
    lift = u(0.14, 0.34) if heeled else thick + u(0.0, 0.02)
    height = lift + u(0.5, 0.72)
    front = u(0.44, 0.56)  # where the shaft begins
    insole = _arched(lift, thick)
    vamp = curve(
        (0.0, -thick - 0.02),
        (0.015, -thick - 0.1),
        (0.12, -thick - u(0.13, 0.17)),
        (0.31, -thick - u(0.2, 0.25) - 0.15 * lift),
        (front - 0.02, -0.55 * height - 0.06),
        (front + u(0.0, 0.05), -height),
    )
    top = (0.94, -height - u(-0.05, 0.04))
    back = curve(top, (0.92, -0.55 * (height + lift)), (0.97, -lift - 0.12), (0.97, -lift))
    shapes: list[Shape] = []
    if heeled:
        shapes.append(cloth.part(_heel(rng, lift), 0.75))
    shapes.append(cloth.part(path(vamp, back, insole[::-1])))
    rim = vamp[-1]
    style = pick(rng, ("chelsea", "laces", "zip", "strap", "plain"))
    if style == "chelsea":
        left, right = np.interp((0.6, 0.78), (rim[0], top[0]), (rim[1], top[1]))
        gore = [(0.6, left), (0.78, right), (0.74, -lift - 0.3), (0.66, -lift - 0.3)]
        shapes.append(cloth.trim(np.array(gore)))
    elif style == "laces":
        slope = np.array([0.13, 0.05])
        for k in np.linspace(20, 38, int(rng.integers(4, 7))).astype(int):
            shapes.append(Line(np.array([vamp[k], vamp[k] + slope]), cloth.accent, 0.02))
        shapes.append(cloth.line(vamp[18:40] + slope))
    elif style == "zip":
        shapes.append(cloth.line(curve((0.68, rim[1]), (0.7, -lift - 0.3), (0.66, -lift)), 0.02))
    elif style == "strap":
        y = -lift - u(0.2, 0.32)
        x = float(np.interp(-y, -vamp[:, 1], vamp[:, 0]))
        strap = curve((x, y + 0.03), (0.7, y), (0.94, y - 0.03))
        shapes.append(cloth.trim(ribbon(strap, 0.05)))
    if rng.random() < 0.35:  # a cuff at the top
        cuff = [rim, top, (0.93, top[1] + 0.1), (rim[0] - 0.01, rim[1] + 0.1)]
        shapes.append(cloth.part(np.array(cuff), u(0.7, 1.2)))
    if heeled:
        shapes.append(cloth.part(ribbon(insole, thick), 0.6))
    else:
        rubber = pick(rng, (cloth.shade * 0.5, cloth.shade * 0.5, cloth.accent))
        ground = [(0.98, 0), (0.7, 0), (0.69, -0.02), (0.6, -0.02), (0.58, 0), (0.05, 0)]
        shapes.append(Part(path(insole, [(0.99, -lift)], ground), rubber))
    return shapes


def from_above(rng: np.random.Generator, cloth: Cloth, label: int) -> list[Shape]:
    """A left sandal or sneaker seen from above, toe up; the foot is one long."""
    u = rng.uniform
    wide, heel = u(0.17, 0.21), u(0.12, 0.15)
    foot = loop(
        (0.03, 0), (wide, 0.14), (wide, 0.36), (heel, 0.66), (heel, 0.9), (0, 1),
        (-heel, 0.9), (-heel, 0.66), (-wide * 0.95, 0.36), (-wide * 0.8, 0.14),
    )  # fmt: skip
    if label == 7:
        hole = ellipse(0, 0.74, heel * 0.75, u(0.16, 0.2))
        shapes: list[Shape] = [cloth.part(foot), Part(hole, cloth.inside * 0.6)]
        cap = u(0.16, 0.22)
        shapes.append(cloth.line(curve((-wide, cap + 0.05), (0, cap), (wide, cap + 0.05))))
        for y in np.linspace(0.3, 0.54, int(rng.integers(3, 6))):
            lace = np.array([(-0.08, y), (0.08, y + u(-0.01, 0.01))])
            shapes.append(Line(lace, min(1, cloth.accent + 0.15), 0.02))
        return shapes
    shapes = [cloth.trim(foot)]
    width = u(0.03, 0.06)
    if rng.random() < 0.6:  # flip-flop: a Y from between the toes
        toe = (u(-0.05, 0.0), u(0.14, 0.2))
        ends = ((wide * 0.95, 0.46), (-wide * 0.95, 0.46))
        straps = [curve(toe, (0.5 * x, 0.28), (x, y)) for x, y in ends]
    else:
        ys = np.linspace(u(0.16, 0.24), u(0.45, 0.8), int(rng.integers(2, 4)))
        straps = [curve((-wide, y), (0, y - 0.03), (wide, y)) for y in ys]
    return shapes + [cloth.part(ribbon(s, width)) for s in straps]


def pair(rng: np.random.Generator, cloth: Cloth, label: int) -> list[Shape]:
    """Both shoes: side by side from above, or from the side with one behind the other."""
    u = rng.uniform
    if label == 9 or (label == 7 and rng.random() < 0.3):
        shoe = boot(rng, cloth) if label == 9 else sneaker(rng, cloth)
        return moved(shoe, np.eye(2), u(0.2, 0.35), -u(0.1, 0.2)) + shoe
    left = moved(from_above(rng, cloth, label), matrix(u(-0.12, 0.12)), -u(0.24, 0.3))
    return [*left, *(replace(s, points=mirror(s.points)) for s in left)]
