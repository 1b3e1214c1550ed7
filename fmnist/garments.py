"""Drawn garments: labelled vector drawings of the ten Fashion-MNIST classes.

A garment is a list of shapes in a unit square, x to the right and y down, painted in order. From
the same shapes come the dataset look (a grey garment on black that fills 28 pixels) and a line
drawing as a person would sketch it. Every shape, proportion and shade is drawn from the generator
that the caller passes, so a seed names a picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

T = TypeVar("T")
Points = NDArray[np.float64]
Field = NDArray[np.float32]
Weave = Literal["stripes", "checks", "dots", "mottled"]
Style = Literal["filled", "outline", "silhouette"]
View = Literal["shop", "spread", "top", "pair"]

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

_SUPERSAMPLE = 4
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


def garment(label: int, rng: np.random.Generator, view: View | Literal["any"] = "shop") -> Garment:
    """Draw a garment of class `label` (0-9).

    `view` is one of `VIEWS[label]`; "any" takes the shop view three times in four. Raises
    ValueError for another label or view.
    """
    if not 0 <= label < len(_DRAW):
        raise ValueError(f"label {label} is not in 0..{len(_DRAW) - 1}")
    if view == "any":
        others = VIEWS[label][1:]
        view = _pick(rng, others) if others and rng.random() < 0.25 else "shop"
    if view not in VIEWS[label]:
        raise ValueError(f"class {label} has no view {view!r}, only {', '.join(VIEWS[label])}")
    cloth = _Cloth.choose(rng, label)
    if view == "shop":
        shapes = _DRAW[label](rng, cloth)
    elif view == "spread":
        shapes = _LIMBS[label](rng, cloth, rng.uniform(0.2, 1.25))
    elif view == "top":
        shapes = _from_above(rng, cloth, label)
    else:
        shapes = _pair(rng, cloth, label)
    turn, shear = rng.normal(0, 0.025), rng.normal(0, 0.02)
    light = Light(
        slope=(rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25)),
        fold=(rng.uniform(10, 25), rng.uniform(-8, 8)),
        depth=rng.uniform(0, 0.04 if label in (5, 7, 8, 9) else 0.12),
        phase=rng.uniform(0, 6.3),
        rim=rng.uniform(20, 120),
    )
    return Garment(label, view, _framed(shapes, _matrix(turn, shear=shear)), light)


def render(
    g: Garment, size: int = 28, style: Style = "filled", stroke: float = 0.04
) -> NDArray[np.uint8]:
    """Render to uint8 (size, size), anti-aliased, on black; the longest edge spans the frame.

    "filled" is the dataset look, "outline" a white line drawing with strokes of `stroke` times
    the size, "silhouette" the flat white shape. Raises ValueError for another style.
    """
    canvas = Image.new("L", (size * _SUPERSAMPLE,) * 2)
    if style == "outline":
        _sketch(g.shapes, canvas, stroke)
    elif style in ("filled", "silhouette"):
        _paint(g.shapes, canvas, flat=style == "silhouette")
    else:
        raise ValueError(f"style {style!r} is not filled, outline or silhouette")
    image = canvas.reduce(_SUPERSAMPLE)
    if style == "filled":
        lit = np.clip(np.asarray(image) * g.light.field(*_grid(size)), 0, 255)
        rim = ImageFilter.UnsharpMask(size / 28, round(g.light.rim), 0)
        image = Image.fromarray(lit.astype(np.uint8)).filter(rim)
    return np.array(image)


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


# Rendering


def _grid(size: int) -> tuple[Field, Field]:
    """Pixel centres in the unit square: x (1, size) and y (size, 1)."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centres[None], centres[:, None]


def _paint(shapes: Sequence[Shape], canvas: Image.Image, flat: bool) -> None:
    scale = canvas.width
    pen = ImageDraw.Draw(canvas)
    for shape in shapes:
        shade = 255 if flat else round(255 * min(shape.shade, 1))
        # PIL's pixel (0, 0) is centred on the integer, ours on the half.
        xy = (shape.points * scale - 0.5).ravel().tolist()
        if isinstance(shape, Line):
            pen.line(xy, fill=shade, width=max(1, round(shape.width * scale)), joint="curve")
        elif shape.pattern is None or flat:
            pen.polygon(xy, fill=shade)
        else:
            mask = Image.new("1", canvas.size)
            ImageDraw.Draw(mask).polygon(xy, fill=1)
            tone = (shade * shape.pattern.tone(*_grid(scale))).astype(np.uint8)
            canvas.paste(Image.fromarray(tone), mask=mask)


def _sketch(shapes: Sequence[Shape], canvas: Image.Image, stroke: float) -> None:
    pen = ImageDraw.Draw(canvas)
    width = max(1, round(stroke * canvas.width))
    scale = canvas.width - width  # the stroke's outer half stays inside the frame
    for shape in shapes:
        xy = (shape.points * scale + width / 2 - 0.5).ravel().tolist()
        if isinstance(shape, Part):
            if not shape.edge:
                continue
            pen.polygon(xy, fill=0)  # hides what lies behind
            xy += xy[:4]
        pen.line(xy, fill=255, width=width, joint="curve")


# Geometry


def _curve(*points: Sequence[float]) -> Points:
    """Catmull-Rom spline through the points (n of them), as (8 (n - 1) + 1, 2)."""
    p = np.array(points, float)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    windows = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]], 1)
    return np.concatenate([(_BASIS @ windows).reshape(-1, 2), p[-2:-1]])


def _loop(*points: Sequence[float]) -> Points:
    """Closed Catmull-Rom spline through the points (n of them), as (8 n, 2)."""
    p = np.array(points, float)
    windows = np.stack([np.roll(p, k, 0) for k in (1, 0, -1, -2)], 1)
    return np.asarray((_BASIS @ windows).reshape(-1, 2))


_T = np.arange(_SAMPLES) / _SAMPLES
_BASIS = np.stack([_T**0, _T, _T**2, _T**3], 1) @ (
    0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], float)
)


def _rounded(radius: float, *corners: Sequence[float]) -> Points:
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


def _ribbon(line: Points, start: float, end: float | None = None) -> Points:
    """Polygon around a line, `start` wide at its first point and `end` (or as wide) at its last."""
    along = np.gradient(line, axis=0)
    normal = along[:, ::-1] * (-1, 1) / np.hypot(*along.T)[:, None]
    half = np.linspace(start, start if end is None else end, len(line))[:, None] / 2
    return np.concatenate([line + half * normal, (line - half * normal)[::-1]])


def _ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def _path(*strands: Points | Sequence[Sequence[float]]) -> Points:
    """Strands end to end; where two meet is a corner."""
    return np.concatenate([np.asarray(s, float) for s in strands])


def _mirror(points: Points) -> Points:
    return np.asarray(points * (-1, 1))


def _symmetric(right: Points, left: Points | None = None) -> Points:
    """Closed outline from its right half, top to bottom, and the left one (default: the same)."""
    return np.concatenate([right, _mirror(right if left is None else left)[::-1]])


def _matrix(turn: float, shear: float = 0) -> Points:
    """For points @ matrix: shear, then turn by `turn` radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    return np.asarray(np.array([[1, 0], [shear, 1]]) @ np.array([[cos, sin], [-sin, cos]]))


def _moved(shapes: Sequence[Shape], matrix: Points, x: float = 0, y: float = 0) -> list[Shape]:
    return [replace(s, points=s.points @ matrix + (x, y)) for s in shapes]


def _framed(shapes: Sequence[Shape], matrix: Points) -> tuple[Shape, ...]:
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


def _pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


@dataclass(frozen=True)
class _Cloth:
    """The shades of one garment: the cloth, its trimmings, its seams and the inside."""

    shade: float
    accent: float
    seam: float
    inside: float
    pattern: Pattern | None

    @staticmethod
    def choose(rng: np.random.Generator, label: int) -> _Cloth:
        # As in the dataset, most garments are bright and about one in five is dark.
        dark = rng.random() < 0.22
        shade = rng.uniform(0.3, 0.5) if dark else rng.uniform(0.6, 0.94)
        accent = shade + rng.uniform(0.2, 0.45) * (1 if shade < 0.6 else -1)
        pattern = None
        if rng.random() < _PATTERNED[label]:
            weaves: tuple[Weave, ...] = ("stripes", "checks", "dots", "mottled", "mottled")
            pattern = Pattern(
                _pick(rng, weaves),
                period=rng.uniform(0.06, 0.16),
                angle=_pick(rng, (math.pi / 2, math.pi / 2, 0, 0.8)),
                contrast=rng.uniform(0.2, 0.6),
                phase=rng.uniform(0, 6.3),
            )
        seam = rng.uniform(0.55, 0.8) if rng.random() < 0.7 else rng.uniform(1.15, 1.35)
        return _Cloth(shade, accent, shade * seam, shade * rng.uniform(0.45, 0.9), pattern)

    def part(self, points: Points, gain: float = 1) -> Part:
        return Part(points, self.shade * gain, self.pattern)

    def trim(self, points: Points, edge: bool = True) -> Part:
        return Part(points, self.accent, None, edge)

    def line(self, points: Points, width: float = 0.014) -> Line:
        return Line(points, self.seam, width)


# The share of each class that has a pattern, by label.
_PATTERNED = (0.3, 0.1, 0.22, 0.25, 0.1, 0.05, 0.4, 0.05, 0.15, 0.05)


# Garments for the upper body. The front neck-shoulder point is at y = 0; `out` is by how many
# radians the sleeves are held out (short ones half as far), which also foreshortens them.


@dataclass(frozen=True)
class _Cut:
    """Half-widths, heights and lengths of a garment for the upper body, in its own units."""

    neck: float  # half-width of the opening
    drop: float  # depth of the opening in front
    shoulder: float
    slope: float  # how far the shoulder falls
    armhole: float  # y of the armpit
    chest: float
    waist: float
    hem: float
    length: float
    sleeve: float = 0  # 0 for none
    cuff: float = 0.1  # width of the sleeve's end
    spread: float = 0.05  # radians between sleeve and body, or from the vertical when short
    pointed: bool = False  # V neck
    tail: float = 0.01  # how far the hem curves down in the middle
    waist_y: float = 0.55
    stand: float = 0  # height of the collar behind the neck

    def neckline(self) -> Points:
        """From the middle of the front to the right shoulder."""
        if self.pointed:
            return np.array([(0, self.drop), (self.neck, 0.0)])
        return _curve((0, self.drop), (0.75 * self.neck, 0.7 * self.drop), (self.neck, 0))

    def sleeve_corners(self) -> Points:
        """The sleeve's shoulder, outer and inner cuff and armpit, as (4, 2)."""
        angle = self.spread
        if self.sleeve > 0.4:  # hangs beside the body, clear of its widest point
            reach = max(self.chest, self.waist, self.hem) + self.cuff - self.shoulder
            angle += math.asin(min(max(reach / self.sleeve, 0), 0.9))
        sin, cos = math.sin(angle), math.cos(angle)
        outer = np.array([self.shoulder + self.sleeve * sin, self.slope + self.sleeve * cos])
        # A wider cuff would cross the body, and crossing outlines leave holes when filled.
        cuff = min(self.cuff, (outer[0] - self.chest - 0.015) / cos)
        inner = outer + cuff * np.array([-cos, sin])
        armpit = (self.chest, self.armhole)
        return np.array([(self.shoulder, self.slope), outer, inner, armpit])

    def half(self) -> Points:
        """Right half of the outline, from the neckline down to the hem."""
        top, outer, inner, armpit = self.sleeve_corners()
        if self.sleeve:
            out = 0.055 if self.sleeve > 0.4 else 0.02  # the round of the shoulder
            round_off = 0.8 * top + 0.2 * outer + (out, 0)
            elbow = 0.45 * top + 0.55 * outer + (0.8 * out, 0)
            arm = _path(
                _curve(top, round_off, elbow, outer), _curve(inner, (inner + armpit) / 2, armpit)
            )
        else:
            bite = (self.shoulder - 0.02, 0.6 * self.armhole + 0.4 * self.slope)
            arm = _curve(top, bite, armpit)
        side = _curve(armpit, (self.waist, self.waist_y), (self.hem, self.length))
        end = [(0.5 * self.hem, self.length + 0.75 * self.tail), (0, self.length + self.tail)]
        return _path(self.neckline(), arm, side, end)

    def armholes(self) -> list[Points]:
        top, _, _, armpit = self.sleeve_corners()
        seam = _curve(top, (0.9 * min(top[0], armpit[0]), (top[1] + armpit[1]) / 2), armpit)
        return [seam, _mirror(seam)]

    def cuffs(self, share: float) -> list[Points]:
        """The last `share` of both sleeves, as areas."""
        top, outer, inner, armpit = self.sleeve_corners()
        band = np.array(
            [outer, inner, inner + share * (armpit - inner), outer + share * (top - outer)]
        )
        return [band, _mirror(band)]

    def collar_band(self, width: float) -> Points:
        line = self.neckline()
        return _ribbon(_path(_mirror(line)[::-1], line[1:]), width)


def _body(rng: np.random.Generator, cloth: _Cloth, cut: _Cut) -> list[Shape]:
    """Silhouette with its neck opening, and sometimes sleeves of another shade and their seams."""
    neck, behind = cut.neckline(), 0.8 * cut.neck
    rim = [(behind, -cut.stand), (-behind, -cut.stand)] if cut.stand else [(0, 0.25 * cut.drop)]
    back = _path(_mirror(neck)[::-1], neck, rim)
    shapes: list[Shape] = [Part(back, cloth.inside)]
    shapes.append(cloth.part(_symmetric(cut.half())))
    if cut.sleeve:
        if rng.random() < 0.15:
            sleeve = cut.sleeve_corners()
            shapes += [cloth.trim(s, edge=False) for s in (sleeve, _mirror(sleeve))]
        if rng.random() < 0.6:
            shapes += [cloth.line(s) for s in cut.armholes()]
    return shapes


def _hood(neck: float, cloth: _Cloth) -> list[Shape]:
    rim = _symmetric(_curve((0, -0.1), (neck, -0.075), (neck + 0.05, 0.035), (0, 0.16)))
    gap = _symmetric(_curve((0, -0.04), (0.7 * neck, -0.025), (0.6 * neck, 0.045), (0, 0.11)))
    return [cloth.part(rim, 0.9), Part(gap, cloth.inside)]


def _print(rng: np.random.Generator, cloth: _Cloth) -> list[Shape]:
    """A picture or lettering on the chest."""
    x, y = rng.normal(0, 0.01), rng.uniform(0.26, 0.38)
    kind = rng.integers(4)
    if kind == 0:
        r = rng.uniform(0.06, 0.11)
        return [cloth.trim(_ellipse(x, y, r, r)), cloth.part(_ellipse(x, y, r / 2, r / 2))]
    if kind == 1:
        w, h = rng.uniform(0.08, 0.13), rng.uniform(0.06, 0.14)
        corners = ((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h))
        return [cloth.trim(_rounded(0.02, *corners))]
    if kind == 2:  # lines of lettering
        rows = []
        for k in range(int(rng.integers(1, 4))):
            w = rng.uniform(0.05, 0.14)
            rows.append(Line(np.array([(-w, y + 0.06 * k), (w, y + 0.06 * k)]), cloth.accent, 0.03))
        return list(rows)
    w = rng.uniform(0.03, 0.06)  # a small badge on the heart
    return [cloth.trim(_ellipse(0.11, 0.24, w / 2, w / 2))]


def _buttons(rng: np.random.Generator, cloth: _Cloth, top: float, end: float) -> list[Shape]:
    """Placket down the front with buttons."""
    x = rng.uniform(0.0, 0.012)
    placket = np.array([(x, top), (x, end)])
    shapes: list[Shape] = [Line(placket, cloth.shade * rng.uniform(0.6, 0.95), 0.02)]
    shade = _pick(rng, (cloth.accent, cloth.seam))
    for y in np.linspace(top + 0.06, end - 0.08, int(rng.integers(4, 8))):
        shapes.append(Part(_ellipse(x, y, 0.013, 0.013), shade))
    return shapes


def _both(*shapes: Shape) -> list[Shape]:
    """The shapes and their mirror images."""
    return [*shapes, *(replace(s, points=_mirror(s.points)) for s in shapes)]


def _tshirt(rng: np.random.Generator, cloth: _Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    chest = u(0.21, 0.27)
    cut = _Cut(
        neck=u(0.09, 0.14),
        drop=u(0.06, 0.14),
        shoulder=chest - u(-0.02, 0.03),
        slope=u(0.03, 0.07),
        armhole=u(0.22, 0.29),
        chest=chest,
        waist=chest - u(0.0, 0.03),
        hem=chest + u(-0.015, 0.025),
        length=u(0.86, 1.0),
        sleeve=u(0.2, 0.34),
        cuff=u(0.11, 0.14),
        spread=u(0.4, 0.75) + out / 2,
        pointed=rng.random() < 0.2,
    )
    if rng.random() < 0.16:  # a tank top
        neck = cut.chest * u(0.5, 0.62)
        cut = replace(
            cut, sleeve=0, neck=neck, shoulder=neck + u(0.03, 0.08), slope=0.01, drop=u(0.14, 0.24)
        )
    shapes = _body(rng, cloth, cut)
    if rng.random() < 0.6:
        shapes.append(cloth.part(cut.collar_band(0.025), u(0.7, 0.9)))
    if rng.random() < (0.15 if cloth.pattern else 0.45):
        shapes += _print(rng, cloth)
    return shapes


def _pullover(rng: np.random.Generator, cloth: _Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    chest = u(0.195, 0.25)
    cut = _Cut(
        neck=u(0.08, 0.12),
        drop=u(0.04, 0.08),
        shoulder=chest + u(-0.01, 0.025),
        slope=u(0.035, 0.07),
        armhole=u(0.25, 0.33),
        chest=chest,
        waist=chest - u(0.0, 0.02),
        hem=chest - u(-0.01, 0.03),
        length=u(0.8, 0.94),
        sleeve=u(0.72, 0.86) * (1 - u(0.15, 0.45) * out),
        cuff=u(0.08, 0.12) * (1 + u(0, 1.4) * out),
        spread=u(0.0, 0.04) + out,
        pointed=rng.random() < 0.15,
    )
    if rng.random() < 0.08:
        cut = replace(cut, drop=u(0.1, 0.18))
    shapes = _body(rng, cloth, cut)
    top = rng.random()
    if top < 0.2:  # polo neck
        h, w = u(0.05, 0.1), cut.neck
        roll = _rounded(0.02, (-w, -h), (w, -h), (w + 0.01, 0.03), (-w - 0.01, 0.03))
        shapes.append(cloth.part(roll, u(0.8, 0.95)))
    elif top < 0.38:
        shapes += _hood(cut.neck, cloth)
        shapes += _both(cloth.line(np.array([(0.03, 0.1), (0.04, u(0.2, 0.3))])))
        pocket = [(0.09, 0.58), (0.17, 0.74), (0.17, 0.8)]
        shapes.append(cloth.part(_symmetric(np.array(pocket)), 0.9))
    else:
        shapes.append(cloth.part(cut.collar_band(0.035), u(0.75, 0.95)))
    if rng.random() < 0.7:  # ribbing
        gain = u(0.7, 0.92)
        shapes += [cloth.part(c, gain) for c in cut.cuffs(0.08)]
        y, w = cut.length, cut.hem
        hem = [(-w, y - 0.06), (w, y - 0.06), (w, y), (0, y + cut.tail), (-w, y)]
        shapes.append(cloth.part(np.array(hem), gain))
    if top > 0.38 and rng.random() < (0.1 if cloth.pattern else 0.3):
        shapes += _print(rng, cloth)
    return shapes


def _dress(rng: np.random.Generator, cloth: _Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    chest = u(0.13, 0.17)
    waist = chest - u(0.0, 0.035)
    cut = _Cut(
        neck=u(0.06, 0.1),
        drop=u(0.04, 0.12),
        shoulder=chest - u(-0.01, 0.02),
        slope=u(0.02, 0.04),
        armhole=u(0.15, 0.2),
        chest=chest,
        waist=waist,
        hem=_pick(rng, (chest + u(-0.02, 0.03), u(0.17, 0.23), u(0.22, 0.32))),
        length=1,
        waist_y=u(0.33, 0.42),
        pointed=rng.random() < 0.25,
        tail=u(0, 0.03),
    )
    sleeves = rng.random()
    if sleeves < 0.35:  # short
        cut = replace(cut, sleeve=u(0.1, 0.17), cuff=u(0.08, 0.1), spread=u(0.3, 0.8) + out / 2)
    elif sleeves < 0.55:  # long, beside a narrow skirt
        hem = min(cut.hem, 0.19)
        cut = replace(cut, sleeve=u(0.5, 0.6), cuff=0.065, hem=hem, spread=u(0.02, 0.1) + out)
    elif sleeves < 0.75:  # straps
        neck = chest * u(0.5, 0.7)
        cut = replace(
            cut, neck=neck, shoulder=neck + u(0.015, 0.03), slope=0.005, drop=u(0.1, 0.16)
        )
    shapes = _body(rng, cloth, cut)
    y = cut.waist_y
    style = rng.random()
    if style < 0.35:  # a belt or a seam at the waist
        belt = [(-waist, y - 0.015), (waist, y - 0.015), (waist, y + 0.02), (-waist, y + 0.02)]
        shapes.append(cloth.trim(np.array(belt)))
    elif style < 0.6:
        shapes.append(cloth.line(np.array([(-waist, y), (waist, y)])))
    if cut.hem > 0.19 and rng.random() < 0.7:  # folds of the skirt
        for k in np.linspace(-0.6, 0.6, int(rng.integers(2, 5))):
            fold = [(k * waist * 0.9, y + u(0.05, 0.15)), (k * cut.hem, 0.98)]
            shapes.append(Line(np.array(fold), cloth.shade * u(0.75, 0.9), 0.02))
    return shapes


def _coat(rng: np.random.Generator, cloth: _Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    chest = u(0.19, 0.23)
    long = rng.random() < 0.25
    cut = _Cut(
        neck=u(0.07, 0.1),
        drop=u(0.03, 0.06),
        shoulder=chest + u(-0.005, 0.025),
        slope=u(0.035, 0.07),
        armhole=u(0.24, 0.3),
        chest=chest,
        waist=chest - u(0.0, 0.04),
        hem=chest + (u(0.0, 0.05) if long else u(-0.03, 0.02)),
        length=u(1.0, 1.15) if long else u(0.82, 0.96),
        sleeve=u(0.76, 0.88) * (1 - u(0.15, 0.45) * out),
        cuff=u(0.09, 0.115) * (1 + u(0, 1.4) * out),
        spread=u(0.0, 0.03) + out,
        stand=u(0.02, 0.06),
    )
    shapes = _body(rng, cloth, cut)
    end, deep = cut.length + cut.tail, u(0.2, 0.42)  # where the lapels meet
    neck = cut.neck
    style = _pick(rng, ("zip", "zip", "lapels", "lapels", "hood", "open"))
    if style == "open":  # the fronts hang apart over the lining
        part = u(0.03, 0.07)
        front = [
            (0, -cut.stand),
            (neck * 0.8, -cut.stand),
            (part, deep),
            (part * u(0.8, 1.6), end),
            (0, end),
        ]
        shapes.append(Part(_symmetric(np.array(front)), cloth.inside * 0.7))
    elif style == "lapels":
        vee = Part(_symmetric(np.array([(0, 0), (neck, 0), (0.01, deep)])), cloth.inside * 0.8)
        shapes += [vee, *_buttons(rng, cloth, deep, end)]
    else:
        zipper = np.array([(0, cut.drop), (0, end)])
        shapes.append(
            Line(
                zipper, _pick(rng, (cloth.accent, cloth.seam, cloth.shade * 0.85)), u(0.012, 0.024)
            )
        )
    if style in ("lapels", "open"):
        out = u(0.1, 0.15)
        lapel = [
            (neck * 0.8, -cut.stand),
            (out, 0.1),
            (out - 0.025, 0.13),
            (out, 0.16),
            (0.015, deep),
        ]
        shapes += _both(cloth.part(np.array(lapel), u(0.75, 1.1)))
    elif style == "hood":
        shapes += _hood(cut.neck, cloth)
    else:  # a stand-up or turned-down collar
        wide = u(0.02, 0.05)
        collar = [(0.005, cut.drop + 0.03), (neck * 0.8, -cut.stand), (neck + wide, 0.06)]
        shapes += _both(cloth.part(np.array(collar), u(0.7, 1.1)))
    pocket_y = u(0.52, 0.62) * cut.length
    if rng.random() < 0.75:
        w, fall = u(0.06, 0.09), u(-0.02, 0.08)
        slit = np.array([(0.08, pocket_y + fall), (0.08 + w, pocket_y)])
        shapes += _both(cloth.line(slit, 0.02))
    if style == "zip" and rng.random() < 0.35:  # quilting
        for y in np.linspace(0.18, cut.length - 0.1, int(rng.integers(4, 8))):
            shapes.append(cloth.line(_curve((-cut.waist, y), (0, y + 0.02), (cut.waist, y))))
    if rng.random() < 0.4:
        shapes += [cloth.part(c, 0.8) for c in cut.cuffs(0.07)]
    return shapes


def _shirt(rng: np.random.Generator, cloth: _Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    chest = u(0.2, 0.26)
    short = rng.random() < 0.3
    blouse = rng.random() < 0.25
    cut = _Cut(
        neck=u(0.07, 0.1),
        drop=u(0.1, 0.22) if blouse else u(0.04, 0.07),
        shoulder=chest - u(-0.01, 0.03),
        slope=u(0.04, 0.07),
        armhole=u(0.23, 0.3),
        chest=chest,
        waist=chest - u(0.0, 0.03),
        hem=chest + u(-0.02, 0.03),
        length=u(0.84, 0.98),
        sleeve=u(0.22, 0.34) if short else u(0.7, 0.82) * (1 - u(0.15, 0.45) * out),
        cuff=u(0.11, 0.15) if short else u(0.07, 0.11),
        spread=u(0.35, 0.65) + out / 2 if short else u(0.0, 0.05) + out,
        pointed=blouse,
        stand=0 if blouse else u(0.015, 0.04),
        tail=u(0.0, 0.05),
    )
    shapes = _body(rng, cloth, cut)
    end = cut.length + 0.9 * cut.tail
    if not blouse or rng.random() < 0.6:
        shapes += _buttons(rng, cloth, cut.drop, end)
    if blouse:
        shapes.append(cloth.part(cut.collar_band(0.03), 0.8))
    else:
        point = u(0.06, 0.12)
        collar = [(0, cut.drop + 0.01), (0.8 * cut.neck, -cut.stand), (cut.neck + 0.02, 0.01)]
        shapes += _both(cloth.part(np.array([*collar, (point, point + 0.04)]), u(0.8, 1.15)))
    if rng.random() < 0.4:  # breast pockets
        y, w = u(0.22, 0.28), u(0.035, 0.05)
        corners = [(0.12 - w, y), (0.12 + w, y), (0.12 + w, y + 0.09), (0.12, y + 0.11)]
        pocket = cloth.part(np.array([*corners, (0.12 - w, y + 0.09)]), 0.88)
        shapes += _both(pocket) if rng.random() < 0.5 else [pocket]
    if not short and rng.random() < 0.7:
        shapes += [cloth.part(c, 0.85) for c in cut.cuffs(0.1)]
    return shapes


def _trouser(rng: np.random.Generator, cloth: _Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    waist, hip, crotch = u(0.12, 0.16), u(0.16, 0.2), u(0.25, 0.32)
    ankle = _pick(rng, (u(0.07, 0.09), u(0.09, 0.12), u(0.12, 0.15)))  # slim, straight, flared
    knee = (ankle + u(0.09, 0.12)) / 2
    stance = u(0.0, 0.05)
    apart = 0.2 * out

    def leg(bend: float, lift: float) -> Points:
        """Right half: `bend` moves the knee outward, `lift` draws up the foot."""
        inside, end = 0.02 + stance + bend + 0.5 * apart, 1 - lift
        foot = 0.02 + stance - bend * 0.3 + apart
        outer = _curve((waist, 0), (hip, 0.2), (inside + knee, 0.6), (foot + ankle, end))
        inner = _curve((foot, end), (inside, 0.6), (0.006, crotch))
        return _path([(0, 0.012)], outer, inner)

    bends = (u(-0.005, 0.02), u(-0.005, 0.02))
    lift = 0.0
    if rng.random() < 0.15:
        bends, lift = (u(0.03, 0.09), bends[1]), u(0.02, 0.08)
    if rng.random() < 0.5:
        right, left = leg(bends[0], lift), leg(bends[1], 0)
    else:
        right, left = leg(bends[1], 0), leg(bends[0], lift)
    shapes: list[Shape] = [cloth.part(_symmetric(right, left))]
    band = [(-waist, 0), (0, 0.012), (waist, 0), (waist + 0.008, 0.045), (0, 0.055)]
    shapes.append(cloth.part(np.array([*band, (-waist - 0.008, 0.045)]), u(0.75, 1.1)))
    shapes.append(cloth.line(_curve((0, 0.05), (0.01, 0.15), (0.006, crotch))))
    if rng.random() < 0.7:
        pocket = _curve((waist * 0.5, 0.05), (waist * 0.8, 0.11), (hip * 0.97, 0.14))
        shapes += _both(cloth.line(pocket))
    if rng.random() < 0.4:  # creases, or light on the thighs
        x = 0.02 + stance + knee / 2
        crease = _curve((hip * 0.55, 0.2), (x + 0.5 * apart, 0.55), (x + apart, 0.9))
        shapes += _both(Line(crease, cloth.shade * _pick(rng, (0.8, 1.15)), u(0.01, 0.03)))
    return shapes


# Shoes from the side: the toe at x = 0, the heel at x = 1, the ground at y = 0.


def _arched(lift: float, thick: float) -> Points:
    """The line under the foot, toe to heel; `lift` is the heel's height, `thick` the sole's."""
    rise = lift - thick
    return _curve(
        (0.0, -thick - 0.02),
        (0.1, -thick),
        (0.32, -thick),
        (0.55, -thick - 0.35 * rise),
        (0.76, -thick - 0.9 * rise),
        (0.97, -thick - rise),
    )


def _heel(rng: np.random.Generator, lift: float) -> Points:
    """A heel from the arch down to the ground: block, cone or stiletto."""
    top, foot = rng.uniform(0.16, 0.24), _pick(rng, (0.04, 0.08, 0.15))
    right = 0.95 - rng.uniform(0, 0.04)
    return _path(
        _curve((0.97, -lift), (right + 0.01, -lift / 2), (right, 0)),
        _curve((right - foot, 0), (right - foot - 0.01, -lift * 0.5), (0.97 - top, -lift * 0.9)),
    )


def _sandal(rng: np.random.Generator, cloth: _Cloth) -> list[Shape]:
    u = rng.uniform
    kind = _pick(rng, ("flip-flop", "slide", "flat", "flat", "heel", "heel", "wedge"))
    thick = u(0.035, 0.06)
    lift = u(0.28, 0.5) if kind == "heel" else u(0.15, 0.32) if kind == "wedge" else thick
    if kind in ("flip-flop", "slide", "flat"):
        thick = lift = u(0.05, 0.1)
    insole = _arched(lift, thick)
    width = u(0.03, 0.06)
    shapes: list[Shape] = []

    def strap(*points: Sequence[float], wide: float = width) -> None:
        shapes.append(cloth.part(_ribbon(_curve(*points), wide)))

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
        shapes.append(cloth.part(_curve((0.15, -lift), *up, (0.7, -lift))))
        if rng.random() < 0.5:  # two straps
            gap = _curve((0.42, -lift), (0.4, -lift - 0.5 * rise), (0.42, -lift - rise))
            shapes.append(Line(gap, 0.1, 0.03))
    else:
        ball, wide = u(0.06, 0.12), u(0.06, 0.13)
        band = _curve(on(ball), (ball + 0.12, -thick - u(0.12, 0.17)), on(ball + 0.27))
        shapes.append(cloth.part(_ribbon(band, wide)))
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
        shapes.append(cloth.trim(_path(insole, ground)))
    elif kind == "heel":
        shapes.append(cloth.part(_heel(rng, lift), 0.9))
        shapes.append(cloth.part(_ribbon(insole, thick), 0.8))
    else:
        bottom = _curve((1.0, -thick), (0.96, 0), (0.5, -0.005), (0.06, 0), (0.0, -thick - 0.02))
        shapes.append(cloth.trim(_path(insole, bottom)))
    return shapes


def _sneaker(rng: np.random.Generator, cloth: _Cloth) -> list[Shape]:
    u = rng.uniform
    high = rng.random() < 0.07
    h = u(0.5, 0.62) if high else u(0.33, 0.47)
    sole, toe, throat = u(0.05, 0.1), u(0.13, 0.19), u(0.42, 0.5)
    vamp = _curve(
        (0.02, -sole * 0.8),
        (0.03, -toe * 0.8),
        (0.13, -toe * 1.08),
        (0.3, -toe - (0.15 if high else 0.32) * (h - toe)),
        (throat, -h * (0.68 if high else 0.86)),
        (throat + 0.07, -h * 1.02),
    )
    dip = -h * (0.92 if high else 0.79)
    collar = _curve((throat + 0.07, -h * 1.02), (0.7, dip), (0.83, dip), (0.95, -h))
    back = _curve((0.95, -h), (0.985, -h * 0.55), (0.97, -sole))
    shapes: list[Shape] = [cloth.part(_path(vamp, collar, back))]
    if rng.random() < 0.5:  # toe cap and heel counter
        cap = _path(vamp[4:22], _curve((0.2, -toe * 0.9), (0.2, -sole)), [(0.02, -sole)])
        counter = _path(back, _curve((0.8, -sole), (0.84, -h * 0.5), (0.86, -h * 0.8)))
        shapes += [cloth.trim(cap), cloth.trim(counter)]
    if rng.random() < 0.85:  # laces on their eyestay
        slope = np.array([0.07, 0.06])
        stay = _ribbon(vamp[22:36] + 0.5 * slope, 0.09)
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
        swoosh = _curve((0.36, -sole - 0.1), (0.48, -sole - 0.03), (0.86, -h * 0.66))
        shapes.append(cloth.trim(_ribbon(swoosh, 0.05, 0.01)))
    rubber = _pick(rng, (0.95, cloth.shade * 0.5, cloth.shade * 0.6, cloth.accent))
    rim = _curve((0.99, -sole * 1.25), (0.5, -sole * 0.85), (0.0, -sole * 1.1))
    ground = _curve((0.0, -sole * 1.1), (0.0, -sole * 0.4), (0.05, 0))
    shapes.append(Part(_path(rim, ground, _curve((0.94, 0), (1, -sole * 0.4), rim[0])), rubber))
    if rng.random() < 0.4:
        shapes.append(Line(rim[2:-2] + np.array([0, sole * 0.55]), rubber * 0.6, 0.014))
    return shapes


def _boot(rng: np.random.Generator, cloth: _Cloth) -> list[Shape]:
    u = rng.uniform
    heeled = rng.random() < 0.6
    thick = u(0.03, 0.05) if heeled else u(0.05, 0.1)
    lift = u(0.14, 0.34) if heeled else thick + u(0.0, 0.02)
    height = lift + u(0.5, 0.72)
    front = u(0.44, 0.56)  # where the shaft begins
    insole = _arched(lift, thick)
    vamp = _curve(
        (0.0, -thick - 0.02),
        (0.015, -thick - 0.1),
        (0.12, -thick - u(0.13, 0.17)),
        (0.31, -thick - u(0.2, 0.25) - 0.15 * lift),
        (front - 0.02, -0.55 * height - 0.06),
        (front + u(0.0, 0.05), -height),
    )
    top = (0.94, -height - u(-0.05, 0.04))
    back = _curve(top, (0.92, -0.55 * (height + lift)), (0.97, -lift - 0.12), (0.97, -lift))
    shapes: list[Shape] = []
    if heeled:
        shapes.append(cloth.part(_heel(rng, lift), 0.75))
    shapes.append(cloth.part(_path(vamp, back, insole[::-1])))
    rim = vamp[-1]
    style = _pick(rng, ("chelsea", "laces", "zip", "strap", "plain"))
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
        shapes.append(cloth.line(_curve((0.68, rim[1]), (0.7, -lift - 0.3), (0.66, -lift)), 0.02))
    elif style == "strap":
        y = -lift - u(0.2, 0.32)
        x = float(np.interp(-y, -vamp[:, 1], vamp[:, 0]))
        strap = _curve((x, y + 0.03), (0.7, y), (0.94, y - 0.03))
        shapes.append(cloth.trim(_ribbon(strap, 0.05)))
    if rng.random() < 0.35:  # a cuff at the top
        cuff = [rim, top, (0.93, top[1] + 0.1), (rim[0] - 0.01, rim[1] + 0.1)]
        shapes.append(cloth.part(np.array(cuff), u(0.7, 1.2)))
    if heeled:
        shapes.append(cloth.part(_ribbon(insole, thick), 0.6))
    else:
        rubber = _pick(rng, (cloth.shade * 0.5, cloth.shade * 0.5, cloth.accent))
        ground = [(0.98, 0), (0.7, 0), (0.69, -0.02), (0.6, -0.02), (0.58, 0), (0.05, 0)]
        shapes.append(Part(_path(insole, [(0.99, -lift)], ground), rubber))
    return shapes


def _from_above(rng: np.random.Generator, cloth: _Cloth, label: int) -> list[Shape]:
    """A left sandal or sneaker seen from above, toe up; the foot is one long."""
    u = rng.uniform
    wide, heel = u(0.17, 0.21), u(0.12, 0.15)
    foot = _loop(
        (0.03, 0), (wide, 0.14), (wide, 0.36), (heel, 0.66), (heel, 0.9), (0, 1),
        (-heel, 0.9), (-heel, 0.66), (-wide * 0.95, 0.36), (-wide * 0.8, 0.14),
    )  # fmt: skip
    if label == 7:
        hole = _ellipse(0, 0.74, heel * 0.75, u(0.16, 0.2))
        shapes: list[Shape] = [cloth.part(foot), Part(hole, cloth.inside * 0.6)]
        cap = u(0.16, 0.22)
        shapes.append(cloth.line(_curve((-wide, cap + 0.05), (0, cap), (wide, cap + 0.05))))
        for y in np.linspace(0.3, 0.54, int(rng.integers(3, 6))):
            lace = np.array([(-0.08, y), (0.08, y + u(-0.01, 0.01))])
            shapes.append(Line(lace, min(1, cloth.accent + 0.15), 0.02))
        return shapes
    shapes = [cloth.trim(foot)]
    width = u(0.03, 0.06)
    if rng.random() < 0.6:  # flip-flop: a Y from between the toes
        toe = (u(-0.05, 0.0), u(0.14, 0.2))
        ends = ((wide * 0.95, 0.46), (-wide * 0.95, 0.46))
        straps = [_curve(toe, (0.5 * x, 0.28), (x, y)) for x, y in ends]
    else:
        ys = np.linspace(u(0.16, 0.24), u(0.45, 0.8), int(rng.integers(2, 4)))
        straps = [_curve((-wide, y), (0, y - 0.03), (wide, y)) for y in ys]
    return shapes + [cloth.part(_ribbon(s, width)) for s in straps]


def _pair(rng: np.random.Generator, cloth: _Cloth, label: int) -> list[Shape]:
    """Both shoes: side by side from above, or from the side with one behind the other."""
    u = rng.uniform
    if label == 9 or (label == 7 and rng.random() < 0.3):
        shoe = _DRAW[label](rng, cloth)
        return _moved(shoe, np.eye(2), u(0.2, 0.35), -u(0.1, 0.2)) + shoe
    left = _moved(_from_above(rng, cloth, label), _matrix(u(-0.12, 0.12)), -u(0.24, 0.3))
    return [*left, *(replace(s, points=_mirror(s.points)) for s in left)]


def _bag(rng: np.random.Generator, cloth: _Cloth) -> list[Shape]:
    u = rng.uniform
    kind = _pick(rng, ("handbag", "handbag", "tote", "clutch", "shoulder", "bowling"))
    w, h = {
        "handbag": (u(0.42, 0.5), u(0.5, 0.75)),
        "tote": (u(0.36, 0.46), u(0.7, 0.9)),
        "clutch": (u(0.48, 0.5), u(0.5, 0.72)),
        "shoulder": (u(0.4, 0.48), u(0.45, 0.7)),
        "bowling": (u(0.46, 0.5), u(0.5, 0.62)),
    }[kind]
    low, top = w, w * (u(0.92, 1) if kind in ("clutch", "shoulder") else u(0.72, 1))
    if kind == "tote" or rng.random() < 0.3:  # widens toward the top
        low, top = top, low
    wide = u(0.02, 0.045)
    behind: list[Shape] = []
    arc = u(0.5, 0.75) * top
    rise = {"handbag": u(0.22, 0.4), "tote": u(0.3, 0.55), "bowling": u(0.15, 0.3)}.get(kind, 0)
    if rise:
        x, y = 0.8 * arc, -0.75 * rise
        handle = _curve((-arc, 0.08), (-x, y), (0, -rise), (x, y), (arc, 0.08))
        if rng.random() < 0.5:  # the far handle
            behind.append(Line(handle * (0.85, 1.12), cloth.seam, wide))
        behind.append(
            Line(handle, cloth.accent if rng.random() < 0.4 else cloth.shade * 0.85, wide)
        )
    elif kind == "shoulder":
        if rng.random() < 0.5:  # the strap stands up
            peak = u(0.4, 0.8)
            x, y = 0.7 * top, -0.7 * peak
            strap = _curve((-top, 0.06), (-x, y), (0, -peak), (x, y), (top, 0.06))
            behind.append(Line(strap, cloth.seam, wide * 0.7))
        else:  # or hangs beside the bag
            strap = _curve((top, 0.02), (top + 0.09, 0.1), (low + 0.07, h * 0.8), (low, h * 0.95))
            behind += _both(Line(strap, cloth.seam, wide))
    if kind == "bowling":
        body = _symmetric(
            _path(_curve((0, 0), (0.6 * w, 0.02), (0.92 * w, 0.22), (w, h - 0.03)), [(0, h)])
        )
    else:
        body = _rounded(u(0.02, 0.12), (-top, 0), (top, 0), (low, h), (-low, h))
    shapes: list[Shape] = [*behind, cloth.part(body)]
    detail = rng.random()
    if kind in ("clutch", "shoulder") or (kind == "handbag" and detail < 0.4):  # flap and clasp
        y, tip = h * u(0.3, 0.6), u(0.0, 0.12)
        flap = [(-top, 0.0), (top, 0.0), (top * 0.98, y), (0, y + tip), (-top * 0.98, y)]
        shapes.append(cloth.part(_rounded(0.04, *flap), u(0.8, 1.12)))
        shapes.append(cloth.trim(_rounded(0.01, *_box(0, y + tip * 0.6, 0.035, 0.03))))
    elif kind == "bowling" or detail < 0.6:  # a zip along the top
        x, y = 0.6 * top, u(0.06, 0.14)
        shapes.append(cloth.line(_curve((-x, y + 0.02), (0, y), (x, y + 0.02)), 0.02))
    elif detail < 0.8:  # another shade below
        y = h * u(0.55, 0.7)
        x = top + (low - top) * y / h
        shapes.append(cloth.trim(_rounded(0.02, (-x, y), (x, y), (low, h), (-low, h))))
    if kind in ("tote", "handbag") and rng.random() < 0.5:  # the handle's ends on the front
        tab = np.array([(arc, 0.0), (arc, h * u(0.15, 0.35))])
        shapes += _both(Line(tab, cloth.seam, wide))
    return shapes


def _box(x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
    """Corners of an upright rectangle around (x, y)."""
    return [(x - rx, y - ry), (x + rx, y - ry), (x + rx, y + ry), (x - rx, y + ry)]


_DRAW: tuple[Callable[[np.random.Generator, _Cloth], list[Shape]], ...] = (
    _tshirt, _trouser, _pullover, _dress, _coat, _sandal, _shirt, _sneaker, _bag, _boot,
)  # fmt: skip

_LIMBS: Mapping[int, Callable[[np.random.Generator, _Cloth, float], list[Shape]]] = {
    0: _tshirt,
    1: _trouser,
    2: _pullover,
    3: _dress,
    4: _coat,
    6: _shirt,
}
