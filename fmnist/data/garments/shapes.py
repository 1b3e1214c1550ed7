"""What a drawn garment is made of: areas and lines in a unit square, cloth patterns, light."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Points = NDArray[np.float64]
Field = NDArray[np.float32]
Weave = Literal["stripes", "checks", "dots", "mottled"]
View = Literal["shop", "spread", "top", "pair"]
_SAMPLES = 8  # points a spline segment


@dataclass(frozen=True)
class Pattern:
    """A printed or woven pattern: the share of light that is left at each point.

    `period` is in units of the garment's longest edge, `angle` in radians, `contrast` in 0..1.
    """

    kind: Weave
    period: float
    angle: float
    contrast: float
    phase: float

    def tone(self, x: Field, y: Field) -> Field:
        """Light in [1 - contrast, 1] at the points x (1, W) and y (H, 1), as float32 (H, W)."""
        k = 2 * math.pi / self.period
        cos, sin = k * math.cos(self.angle), k * math.sin(self.angle)
        across = np.sin(x * cos + y * sin + self.phase)
        if self.kind == "stripes":
            dark = np.where(across > 0.2, 1.0, 0.0)
        else:
            along = np.sin(y * cos - x * sin + self.phase)
            if self.kind == "checks":
                dark = np.where(across > 0.3, 0.5, 0.0) + np.where(along > 0.3, 0.5, 0.0)
            elif self.kind == "dots":
                dark = np.where(across * along > 0.45, 1.0, 0.0)
            else:
                blots = np.sin(0.6 * k * (x + y) + 2.4 * along)
                blots = blots + np.sin(0.5 * k * (x - y) - 2 * across)
                dark = np.clip(0.5 + blots, 0, 1)
        return np.asarray(1 - self.contrast * dark, np.float32)


@dataclass(frozen=True)
class Part:
    """A filled area: polygon float64 (K, 2), shade in 0..1 (0 is the black ground).

    `edge` says whether a line drawing shows its border; parts without one only carry shade.
    """

    points: Points
    shade: float
    pattern: Pattern | None = None
    edge: bool = True


@dataclass(frozen=True)
class Line:
    """A seam, lace, zip, strap or button: polyline float64 (K, 2), shade in 0..1, its width."""

    points: Points
    shade: float
    width: float


Shape = Part | Line


@dataclass(frozen=True)
class Light:
    """How light falls on the garment: a linear slope across it, soft folds, bright edges.

    Edges are bright because the dataset's photographs are sharpened and then negated.
    """

    slope: tuple[float, float]
    fold: tuple[float, float]  # wave vector in radians a unit
    depth: float
    phase: float
    rim: float  # percent of unsharp masking

    def field(self, x: Field, y: Field) -> Field:
        """Gain around 1 at the points x (1, W) and y (H, 1), as float32 (H, W)."""
        across = self.fold[0] * x + self.fold[1] * y + self.phase
        wave = np.sin(across + np.sin(4 * y + self.phase)) * np.sin(0.37 * across + 3 * y)
        slope = self.slope[0] * (x - 0.5) + self.slope[1] * (y - 0.5)
        return np.asarray(1 + slope + self.depth * wave, np.float32)


@dataclass(frozen=True)
class Garment:
    """One garment: its label (0-9), how it is seen, and its shapes in painting order.

    The shapes lie in the unit square; the longest edge spans it and the other is centred.
    """

    label: int
    view: View
    shapes: tuple[Shape, ...]
    light: Light


# Geometry


def curve(*points: Sequence[float]) -> Points:
    """Catmull-Rom spline through the points (n of them), as (8 (n - 1) + 1, 2)."""
    p = np.array(points, float)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    windows = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], 1)
    return np.concatenate([(_BASIS @ windows).reshape(-1, 2), p[-2:-1]])


def loop(*points: Sequence[float]) -> Points:
    """Closed Catmull-Rom spline through the points (n of them), as (8 n, 2)."""
    p = np.array(points, float)
    windows = np.stack([np.roll(p, k, 0) for k in (1, 0, -1, -2)], 1)
    return np.asarray((_BASIS @ windows).reshape(-1, 2))


_T = np.arange(_SAMPLES) / _SAMPLES
_BASIS = np.stack([_T**0, _T, _T**2, _T**3], 1) @ (
    0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], float)
)


def rounded(radius: float, *corners: Sequence[float]) -> Points:
    """Polygon with its corners rounded off over `radius` along each edge."""
    p = np.array(corners, float)
    t = np.linspace(0, 1, 5)[:, None, None]

    def toward(q: Points) -> Points:
        step = q - p
        share = radius / np.maximum(np.hypot(step[:, 0], step[:, 1]), 2 * radius)
        return np.asarray(p + step * share[:, None])

    before, after = toward(np.roll(p, 1, 0)), toward(np.roll(p, -1, 0))
    arc = (1 - t) ** 2 * before + 2 * t * (1 - t) * p + t**2 * after
    return np.asarray(arc.swapaxes(0, 1).reshape(-1, 2))


def ribbon(line: Points, start: float, end: float | None = None) -> Points:
    """Polygon around a line, `start` wide at its first point and `end` (or as wide) at its last."""
    along = np.gradient(line, axis=0)
    normal = along[:, ::-1] * (-1, 1) / np.hypot(*along.T)[:, None]
    half = np.linspace(start, start if end is None else end, len(line))[:, None] / 2
    return np.concatenate([line + half * normal, (line - half * normal)[::-1]])


def ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def path(*strands: Points | Sequence[Sequence[float]]) -> Points:
    """Strands end to end; where two meet is a corner."""
    return np.concatenate([np.asarray(s, float) for s in strands])


def mirror(points: Points) -> Points:
    return np.asarray(points * (-1, 1))


def symmetric(right: Points, left: Points | None = None) -> Points:
    """Closed outline from its right half, top to bottom, and the left one (default: the same)."""
    return np.concatenate([right, mirror(right if left is None else left)[::-1]])


def matrix(turn: float, shear: float = 0) -> Points:
    """For points @ matrix: shear, then turn by `turn` radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    return np.asarray(np.array([[1, 0], [shear, 1]]) @ np.array([[cos, sin], [-sin, cos]]))


def moved(shapes: Sequence[Shape], matrix: Points, x: float = 0, y: float = 0) -> list[Shape]:
    return [replace(s, points=s.points @ matrix + (x, y)) for s in shapes]


def framed(shapes: Sequence[Shape], matrix: Points) -> tuple[Shape, ...]:
    """Turn the shapes, then scale and centre them: the longest edge spans the unit square."""
    ends = np.cumsum([0, *(len(s.points) for s in shapes)])
    points = np.concatenate([s.points for s in shapes]) @ matrix
    half = [s.width / 2 if isinstance(s, Line) else 0 for s in shapes]
    margin = np.repeat(half, np.diff(ends))[:, None]
    low, high = (points - margin).min(0), (points + margin).max(0)
    scale = float(1 / (high - low).max())
    points = points * scale + (0.5 - scale * (low + high) / 2)
    framed: list[Shape] = []
    for s, start, end in zip(shapes, ends, ends[1:], strict=False):
        if isinstance(s, Line):
            framed.append(Line(points[start:end], s.shade, s.width * scale))
        else:
            framed.append(Part(points[start:end], s.shade, s.pattern, s.edge))
    return tuple(framed)


# Cloth


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def both(*shapes: Shape) -> list[Shape]:
    """The shapes and their mirror images."""
    return [*shapes, *(replace(s, points=mirror(s.points)) for s in shapes)]


def box(x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
    """Corners of an upright rectangle around (x, y)."""
    return [(x - rx, y - ry), (x + rx, y - ry), (x + rx, y + ry), (x - rx, y + ry)]
