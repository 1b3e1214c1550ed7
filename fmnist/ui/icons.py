"""Streamlit's font of icons, cut down to those that are named: of four thousand, some hundred."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import streamlit

from fmnist import PROJECT

FONT = re.compile(r"/MaterialSymbols[^/]*\.woff2$")
"""How the address of the font ends."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
"""A page writes an icon's name, which the font draws as one sign."""
STREAMLIT = Path(streamlit.__file__).parent
NAMED = {
    # In the studio's own code a name may stand apart from where it becomes an icon.
    re.compile(r"""["'/](\w+)["':]"""): [PROJECT / "app.py", PROJECT / "pages", PROJECT / "fmnist"],
    re.compile(r":material/(\w+):"): [STREAMLIT / "elements", STREAMLIT / "static"],
}
"""How the icons are named that may be drawn, and where."""
CODE = {".py", ".js"}


@cache
def named() -> frozenset[str]:
    """The icons that the studio or Streamlit itself may draw, and some other words."""
    return frozenset(
        name
        for way, roots in NAMED.items()
        for root in roots
        for file in (root, *root.rglob("*"))
        if file.suffix in CODE
        for name in way.findall(file.read_text(encoding="utf-8"))
    )


def only_named(font: bytes) -> bytes:
    """The font, as WOFF2, with no other icons."""
    # A third of a second, for which the server's start needn't wait.
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=["*"], layout_closure=False)
    cut = subset.Subsetter(options)
    whole = TTFont(BytesIO(font))
    cut.populate(glyphs=named() & set(whole.getGlyphOrder()), text=LETTERS)
    cut.subset(whole)
    whole.flavor = "woff2"
    small = BytesIO()
    whole.save(small)
    return small.getvalue()
