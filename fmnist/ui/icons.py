"""Streamlit's font of icons, cut down to those that are named: of four thousand, some hundred."""

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit

from fmnist import PROJECT
from fmnist.machine import files

FONT = re.compile(r"/MaterialSymbols[^/]*\.woff2$")
"""How the address of the font ends."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
"""A page writes an icon's name, which the font draws as one sign."""
STREAMLIT = Path(streamlit.__file__).parent
STREAMLITS = re.compile(r":material/(\w+):"), (STREAMLIT / "elements", STREAMLIT / "static")
# In the studio's own code a name may stand apart from where it becomes an icon.
OWN = re.compile(r"""["'/](\w+)["':]"""), (PROJECT / "pages", PROJECT / "fmnist")
"""How the icons are named that may be drawn, and where."""
CODE = {".py", ".js"}


def prepare() -> None:
    """Cut the font before a browser asks for it: a second, in which nobody would be answered."""
    for font in (STREAMLIT / "static/static/media").glob("MaterialSymbols*.woff2"):
        only_named(font.read_bytes())


def only_named(font: bytes) -> bytes:
    """The font, as WOFF2, with no other icons; cut once, and kept."""
    own = sorted(_named(*OWN))
    of = f"{streamlit.__version__} {' '.join(own)} ".encode() + font
    name = f"icons {files.digest(np.frombuffer(of, np.uint8))}"
    return files.cached(name, lambda: np.frombuffer(_cut(font, own), np.uint8)).tobytes()


def _named(way: re.Pattern[str], roots: Sequence[Path]) -> set[str]:
    """The icons that code may draw, and some other words."""
    code = (file for root in roots for file in root.rglob("*") if file.suffix in CODE)
    return {name for file in code for name in way.findall(file.read_text(encoding="utf-8"))}


def _cut(font: bytes, own: Sequence[str]) -> bytes:
    # A third of a second, and needed once.
    from fontTools import subset
    from fontTools.ttLib import TTFont

    whole = TTFont(BytesIO(font))
    named = {*own, *_named(*STREAMLITS)} & {*whole.getGlyphOrder()}
    cut = subset.Subsetter(subset.Options(layout_features=["*"], layout_closure=False))
    cut.populate(glyphs=named, text=LETTERS)
    cut.subset(whole)
    whole.flavor = "woff2"
    small = BytesIO()
    whole.save(small)
    return small.getvalue()
