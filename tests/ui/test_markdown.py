"""Text of people's own as Markdown: it is read back as it was written, and asks for nothing."""

import re

import pytest

from fmnist.ui.markdown import JOINER, plain

TEXTS = (
    "My net",
    "a*b_c`d`[e](f) $5 and $6 | ~~x~~ :red[y] :smile: #1 <b> &lt;b&gt; C:\\nets",
    "www.evil.example/login",
    "see HTTPS://evil.example",
    "somebody@evil.example",
    "- a list",
    "12. of August",
    "1.",
    "20260101-my-run",
    "1.png",
    "+1",
)


@pytest.mark.parametrize("text", TEXTS)
def test_what_marks_something_up_is_escaped_and_what_would_be_a_link_is_parted(text: str) -> None:
    marked = plain(text)
    assert re.sub(r"\\([!-/:-@[-`{-~])", r"\1", marked).replace(JOINER, "") == text
    assert not re.search(r"(?<!\\)[*_`\[\]<>$|~:#&]", re.sub(r"\\\\", "", marked))
    assert not re.search(r"(?i)www\.|://|@\w|^\s*([-+]|\d+[.)](\s|$))", marked)


def test_a_text_of_several_lines_stands_on_one() -> None:
    assert plain("a\n- b\n\n# c") == "a - b \\# c"
