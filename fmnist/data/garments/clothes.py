"""Clothes and bags, drawn from a generator: cut, cloth, seams, prints, buttons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from fmnist.data.garments.shapes import (
    Line,
    Part,
    Pattern,
    Points,
    Shape,
    Weave,
    both,
    box,
    curve,
    ellipse,
    mirror,
    path,
    pick,
    ribbon,
    rounded,
    symmetric,
)


@dataclass(frozen=True)
class Cloth:
    """The shades of one garment: the cloth, its trimmings, its seams and the inside."""

    shade: float
    accent: float
    seam: float
    inside: float
    pattern: Pattern | None

    @staticmethod
    def choose(rng: np.random.Generator, label: int) -> Cloth:
        # As in the dataset, most garments are bright and about one in five is dark.
        dark = rng.random() < 0.22
        shade = rng.uniform(0.3, 0.5) if dark else rng.uniform(0.6, 0.94)
        accent = shade + rng.uniform(0.2, 0.45) * (1 if shade < 0.6 else -1)
        pattern = None
        if rng.random() < _PATTERNED[label]:
            weaves: tuple[Weave, ...] = ("stripes", "checks", "dots", "mottled", "mottled")
            pattern = Pattern(
                pick(rng, weaves),
                period=rng.uniform(0.06, 0.16),
                angle=pick(rng, (math.pi / 2, math.pi / 2, 0, 0.8)),
                contrast=rng.uniform(0.2, 0.6),
                phase=rng.uniform(0, 6.3),
            )
        seam = rng.uniform(0.55, 0.8) if rng.random() < 0.7 else rng.uniform(1.15, 1.35)
        return Cloth(shade, accent, shade * seam, shade * rng.uniform(0.45, 0.9), pattern)

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
        return curve((0, self.drop), (0.75 * self.neck, 0.7 * self.drop), (self.neck, 0))

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
            arm = path(
                curve(top, round_off, elbow, outer), curve(inner, (inner + armpit) / 2, armpit)
            )
        else:
            bite = (self.shoulder - 0.02, 0.6 * self.armhole + 0.4 * self.slope)
            arm = curve(top, bite, armpit)
        side = curve(armpit, (self.waist, self.waist_y), (self.hem, self.length))
        end = [(0.5 * self.hem, self.length + 0.75 * self.tail), (0, self.length + self.tail)]
        return path(self.neckline(), arm, side, end)

    def armholes(self) -> list[Points]:
        top, _, _, armpit = self.sleeve_corners()
        seam = curve(top, (0.9 * min(top[0], armpit[0]), (top[1] + armpit[1]) / 2), armpit)
        return [seam, mirror(seam)]

    def cuffs(self, share: float) -> list[Points]:
        """The last `share` of both sleeves, as areas."""
        top, outer, inner, armpit = self.sleeve_corners()
        band = np.array(
            [outer, inner, inner + share * (armpit - inner), outer + share * (top - outer)]
        )
        return [band, mirror(band)]

    def collar_band(self, width: float) -> Points:
        line = self.neckline()
        return ribbon(path(mirror(line)[::-1], line[1:]), width)


def body(rng: np.random.Generator, cloth: Cloth, cut: _Cut) -> list[Shape]:
    """Silhouette with its neck opening, and sometimes sleeves of another shade and their seams."""
    neck, behind = cut.neckline(), 0.8 * cut.neck
    rim = [(behind, -cut.stand), (-behind, -cut.stand)] if cut.stand else [(0, 0.25 * cut.drop)]
    back = path(mirror(neck)[::-1], neck, rim)
    shapes: list[Shape] = [Part(back, cloth.inside)]
    shapes.append(cloth.part(symmetric(cut.half())))
    if cut.sleeve:
        if rng.random() < 0.15:
            sleeve = cut.sleeve_corners()
            shapes += [cloth.trim(s, edge=False) for s in (sleeve, mirror(sleeve))]
        if rng.random() < 0.6:
            shapes += [cloth.line(s) for s in cut.armholes()]
    return shapes


def hood(neck: float, cloth: Cloth) -> list[Shape]:
    rim = symmetric(curve((0, -0.1), (neck, -0.075), (neck + 0.05, 0.035), (0, 0.16)))
    gap = symmetric(curve((0, -0.04), (0.7 * neck, -0.025), (0.6 * neck, 0.045), (0, 0.11)))
    return [cloth.part(rim, 0.9), Part(gap, cloth.inside)]


def _print(rng: np.random.Generator, cloth: Cloth) -> list[Shape]:
    """A picture or lettering on the chest."""
    x, y = rng.normal(0, 0.01), rng.uniform(0.26, 0.38)
    kind = rng.integers(4)
    if kind == 0:
        r = rng.uniform(0.06, 0.11)
        return [cloth.trim(ellipse(x, y, r, r)), cloth.part(ellipse(x, y, r / 2, r / 2))]
    if kind == 1:
        w, h = rng.uniform(0.08, 0.13), rng.uniform(0.06, 0.14)
        corners = ((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h))
        return [cloth.trim(rounded(0.02, *corners))]
    if kind == 2:  # lines of lettering
        rows = []
        for k in range(int(rng.integers(1, 4))):
            w = rng.uniform(0.05, 0.14)
            rows.append(Line(np.array([(-w, y + 0.06 * k), (w, y + 0.06 * k)]), cloth.accent, 0.03))
        return list(rows)
    w = rng.uniform(0.03, 0.06)  # a small badge on the heart
    return [cloth.trim(ellipse(0.11, 0.24, w / 2, w / 2))]


def _buttons(rng: np.random.Generator, cloth: Cloth, top: float, end: float) -> list[Shape]:
    """Placket down the front with buttons."""
    x = rng.uniform(0.0, 0.012)
    placket = np.array([(x, top), (x, end)])
    shapes: list[Shape] = [Line(placket, cloth.shade * rng.uniform(0.6, 0.95), 0.02)]
    shade = pick(rng, (cloth.accent, cloth.seam))
    for y in np.linspace(top + 0.06, end - 0.08, int(rng.integers(4, 8))):
        shapes.append(Part(ellipse(x, y, 0.013, 0.013), shade))
    return shapes


def tshirt(rng: np.random.Generator, cloth: Cloth, out: float = 0) -> list[Shape]:
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
    shapes = body(rng, cloth, cut)
    if rng.random() < 0.6:
        shapes.append(cloth.part(cut.collar_band(0.025), u(0.7, 0.9)))
    if rng.random() < (0.15 if cloth.pattern else 0.45):
        shapes += _print(rng, cloth)
    return shapes


def pullover(rng: np.random.Generator, cloth: Cloth, out: float = 0) -> list[Shape]:
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
    shapes = body(rng, cloth, cut)
    top = rng.random()
    if top < 0.2:  # polo neck
        h, w = u(0.05, 0.1), cut.neck
        roll = rounded(0.02, (-w, -h), (w, -h), (w + 0.01, 0.03), (-w - 0.01, 0.03))
        shapes.append(cloth.part(roll, u(0.8, 0.95)))
    elif top < 0.38:
        shapes += hood(cut.neck, cloth)
        shapes += both(cloth.line(np.array([(0.03, 0.1), (0.04, u(0.2, 0.3))])))
        pocket = [(0.09, 0.58), (0.17, 0.74), (0.17, 0.8)]
        shapes.append(cloth.part(symmetric(np.array(pocket)), 0.9))
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


def dress(rng: np.random.Generator, cloth: Cloth, out: float = 0) -> list[Shape]:
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
        hem=pick(rng, (chest + u(-0.02, 0.03), u(0.17, 0.23), u(0.22, 0.32))),
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
    shapes = body(rng, cloth, cut)
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


def coat(rng: np.random.Generator, cloth: Cloth, out: float = 0) -> list[Shape]:
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
    shapes = body(rng, cloth, cut)
    end, deep = cut.length + cut.tail, u(0.2, 0.42)  # where the lapels meet
    neck = cut.neck
    style = pick(rng, ("zip", "zip", "lapels", "lapels", "hood", "open"))
    if style == "open":  # the fronts hang apart over the lining
        part = u(0.03, 0.07)
        front = [
            (0, -cut.stand),
            (neck * 0.8, -cut.stand),
            (part, deep),
            (part * u(0.8, 1.6), end),
            (0, end),
        ]
        shapes.append(Part(symmetric(np.array(front)), cloth.inside * 0.7))
    elif style == "lapels":
        vee = Part(symmetric(np.array([(0, 0), (neck, 0), (0.01, deep)])), cloth.inside * 0.8)
        shapes += [vee, *_buttons(rng, cloth, deep, end)]
    else:
        zipper = np.array([(0, cut.drop), (0, end)])
        shapes.append(
            Line(zipper, pick(rng, (cloth.accent, cloth.seam, cloth.shade * 0.85)), u(0.012, 0.024))
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
        shapes += both(cloth.part(np.array(lapel), u(0.75, 1.1)))
    elif style == "hood":
        shapes += hood(cut.neck, cloth)
    else:  # a stand-up or turned-down collar
        wide = u(0.02, 0.05)
        collar = [(0.005, cut.drop + 0.03), (neck * 0.8, -cut.stand), (neck + wide, 0.06)]
        shapes += both(cloth.part(np.array(collar), u(0.7, 1.1)))
    pocket_y = u(0.52, 0.62) * cut.length
    if rng.random() < 0.75:
        w, fall = u(0.06, 0.09), u(-0.02, 0.08)
        slit = np.array([(0.08, pocket_y + fall), (0.08 + w, pocket_y)])
        shapes += both(cloth.line(slit, 0.02))
    if style == "zip" and rng.random() < 0.35:  # quilting
        for y in np.linspace(0.18, cut.length - 0.1, int(rng.integers(4, 8))):
            shapes.append(cloth.line(curve((-cut.waist, y), (0, y + 0.02), (cut.waist, y))))
    if rng.random() < 0.4:
        shapes += [cloth.part(c, 0.8) for c in cut.cuffs(0.07)]
    return shapes


def shirt(rng: np.random.Generator, cloth: Cloth, out: float = 0) -> list[Shape]:
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
    shapes = body(rng, cloth, cut)
    end = cut.length + 0.9 * cut.tail
    if not blouse or rng.random() < 0.6:
        shapes += _buttons(rng, cloth, cut.drop, end)
    if blouse:
        shapes.append(cloth.part(cut.collar_band(0.03), 0.8))
    else:
        point = u(0.06, 0.12)
        collar = [(0, cut.drop + 0.01), (0.8 * cut.neck, -cut.stand), (cut.neck + 0.02, 0.01)]
        shapes += both(cloth.part(np.array([*collar, (point, point + 0.04)]), u(0.8, 1.15)))
    if rng.random() < 0.4:  # breast pockets
        y, w = u(0.22, 0.28), u(0.035, 0.05)
        corners = [(0.12 - w, y), (0.12 + w, y), (0.12 + w, y + 0.09), (0.12, y + 0.11)]
        pocket = cloth.part(np.array([*corners, (0.12 - w, y + 0.09)]), 0.88)
        shapes += both(pocket) if rng.random() < 0.5 else [pocket]
    if not short and rng.random() < 0.7:
        shapes += [cloth.part(c, 0.85) for c in cut.cuffs(0.1)]
    return shapes


def trouser(rng: np.random.Generator, cloth: Cloth, out: float = 0) -> list[Shape]:
    u = rng.uniform
    waist, hip, crotch = u(0.12, 0.16), u(0.16, 0.2), u(0.25, 0.32)
    ankle = pick(rng, (u(0.07, 0.09), u(0.09, 0.12), u(0.12, 0.15)))  # slim, straight, flared
    knee = (ankle + u(0.09, 0.12)) / 2
    stance = u(0.0, 0.05)
    apart = 0.2 * out

    def leg(bend: float, lift: float) -> Points:
        """Right half: `bend` moves the knee outward, `lift` draws up the foot."""
        inside, end = 0.02 + stance + bend + 0.5 * apart, 1 - lift
        foot = 0.02 + stance - bend * 0.3 + apart
        outer = curve((waist, 0), (hip, 0.2), (inside + knee, 0.6), (foot + ankle, end))
        inner = curve((foot, end), (inside, 0.6), (0.006, crotch))
        return path([(0, 0.012)], outer, inner)

    bends = (u(-0.005, 0.02), u(-0.005, 0.02))
    lift = 0.0
    if rng.random() < 0.15:
        bends, lift = (u(0.03, 0.09), bends[1]), u(0.02, 0.08)
    if rng.random() < 0.5:
        right, left = leg(bends[0], lift), leg(bends[1], 0)
    else:
        right, left = leg(bends[1], 0), leg(bends[0], lift)
    shapes: list[Shape] = [cloth.part(symmetric(right, left))]
    band = [(-waist, 0), (0, 0.012), (waist, 0), (waist + 0.008, 0.045), (0, 0.055)]
    shapes.append(cloth.part(np.array([*band, (-waist - 0.008, 0.045)]), u(0.75, 1.1)))
    shapes.append(cloth.line(curve((0, 0.05), (0.01, 0.15), (0.006, crotch))))
    if rng.random() < 0.7:
        pocket = curve((waist * 0.5, 0.05), (waist * 0.8, 0.11), (hip * 0.97, 0.14))
        shapes += both(cloth.line(pocket))
    if rng.random() < 0.4:  # creases, or light on the thighs
        x = 0.02 + stance + knee / 2
        crease = curve((hip * 0.55, 0.2), (x + 0.5 * apart, 0.55), (x + apart, 0.9))
        shapes += both(Line(crease, cloth.shade * pick(rng, (0.8, 1.15)), u(0.01, 0.03)))
    return shapes


def bag(rng: np.random.Generator, cloth: Cloth) -> list[Shape]:
    u = rng.uniform
    kind = pick(rng, ("handbag", "handbag", "tote", "clutch", "shoulder", "bowling"))
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
        handle = curve((-arc, 0.08), (-x, y), (0, -rise), (x, y), (arc, 0.08))
        if rng.random() < 0.5:  # the far handle
            behind.append(Line(handle * (0.85, 1.12), cloth.seam, wide))
        behind.append(
            Line(handle, cloth.accent if rng.random() < 0.4 else cloth.shade * 0.85, wide)
        )
    elif kind == "shoulder":
        if rng.random() < 0.5:  # the strap stands up
            peak = u(0.4, 0.8)
            x, y = 0.7 * top, -0.7 * peak
            strap = curve((-top, 0.06), (-x, y), (0, -peak), (x, y), (top, 0.06))
            behind.append(Line(strap, cloth.seam, wide * 0.7))
        else:  # or hangs beside the bag
            strap = curve((top, 0.02), (top + 0.09, 0.1), (low + 0.07, h * 0.8), (low, h * 0.95))
            behind += both(Line(strap, cloth.seam, wide))
    if kind == "bowling":
        body = symmetric(
            path(curve((0, 0), (0.6 * w, 0.02), (0.92 * w, 0.22), (w, h - 0.03)), [(0, h)])
        )
    else:
        body = rounded(u(0.02, 0.12), (-top, 0), (top, 0), (low, h), (-low, h))
    shapes: list[Shape] = [*behind, cloth.part(body)]
    detail = rng.random()
    if kind in ("clutch", "shoulder") or (kind == "handbag" and detail < 0.4):  # flap and clasp
        y, tip = h * u(0.3, 0.6), u(0.0, 0.12)
        flap = [(-top, 0.0), (top, 0.0), (top * 0.98, y), (0, y + tip), (-top * 0.98, y)]
        shapes.append(cloth.part(rounded(0.04, *flap), u(0.8, 1.12)))
        shapes.append(cloth.trim(rounded(0.01, *box(0, y + tip * 0.6, 0.035, 0.03))))
    elif kind == "bowling" or detail < 0.6:  # a zip along the top
        x, y = 0.6 * top, u(0.06, 0.14)
        shapes.append(cloth.line(curve((-x, y + 0.02), (0, y), (x, y + 0.02)), 0.02))
    elif detail < 0.8:  # another shade below
        y = h * u(0.55, 0.7)
        x = top + (low - top) * y / h
        shapes.append(cloth.trim(rounded(0.02, (-x, y), (x, y), (low, h), (-low, h))))
    if kind in ("tote", "handbag") and rng.random() < 0.5:  # the handle's ends on the front
        tab = np.array([(arc, 0.0), (arc, h * u(0.15, 0.35))])
        shapes += both(Line(tab, cloth.seam, wide))
    return shapes
