"""Names as people type them: on one line, all of it to be seen, and no formula."""

from unicodedata import category, normalize

JOINER = "\u200d"
"""Makes one emoji of several."""
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
"""Categories of Unicode whose characters can't be seen: control, format, blanks."""


def on_one_line(words: str) -> str:
    """Words as people read them, with one blank wherever there is something that can't be seen."""
    seen = (c if c == JOINER or category(c) not in UNSEEN else " " for c in normalize("NFC", words))
    return " ".join("".join(seen).split())


def no_formula(words: str) -> str:
    """Words on one line, which no spreadsheet takes for a formula."""
    return on_one_line(words).lstrip("=+-@ ")
