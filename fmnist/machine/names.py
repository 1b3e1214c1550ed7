"""Names as people type them: on one line, all of it to be seen, and no formula."""

import re
from unicodedata import category, normalize

JOINER = "\u200d"
"""Makes one emoji of several."""
SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Choose how the character before them looks."""
MARKS = JOINER + SELECTORS
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
"""Categories of Unicode whose characters can't be seen: control, format, blanks."""
FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufff8"
    "\U0001d159\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
"""Those of other categories, such as letters."""
SEEN = f"[^ {MARKS}]"
LOOSE = re.compile(
    f"(?<!{SEEN})[{SELECTORS}]|(?<!{SEEN})(?<!{SEEN}[{SELECTORS}]){JOINER}|{JOINER}(?!{SEEN})"
)
"""Selectors and joiners that choose and join nothing: a name looks the same without them."""


def on_one_line(words: str) -> str:
    """Words as people read them, with one blank wherever there is something that can't be seen."""
    plain = FILLERS.sub(" ", normalize("NFC", words))
    seen = (c if c == JOINER or category(c) not in UNSEEN else " " for c in plain)
    return " ".join(LOOSE.sub(" ", "".join(seen)).split())


def no_formula(words: str) -> str:
    """Words on one line, which no spreadsheet takes for a formula."""
    return re.sub(f"^[-=+@ {MARKS}]+", "", on_one_line(words))
