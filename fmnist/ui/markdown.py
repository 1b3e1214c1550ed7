"""Text of people's own within Markdown."""

import re

JOINER = "\u2060"  # is not seen, and no line is broken at it


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is, on one line."""
    text = " ".join(text.split())
    # Addresses become links where nothing marks them as such, and no escape is kept so long.
    text = re.sub(r"(?i)www(?=\.)|https?:(?=//)|@", rf"\g<0>{JOINER}", text)
    text = re.sub(r"([\\`*_\[\]<>#~:$|&])", r"\\\1", text)
    return re.sub(r"^(\d+)(?=[.)](?: |$))|^(?=[-+])", r"\1\\", text)  # which would begin a list
