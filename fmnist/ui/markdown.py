"""Text of people's own within Markdown."""

import re


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>#~:$|])", r"\\\1", text)
