import pytest

from fmnist.machine.names import no_formula, on_one_line

HEART, FAMILY = "\u2764\ufe0f", "\U0001f468\u200d\U0001f469\u200d\U0001f467"
BURNING, KEYCAP = "\u2764\ufe0f\u200d\U0001f525", "1\ufe0f\u20e3"
VARIANT = "\u845b\U000e0100"
"""A character of Chinese in one of its forms."""


@pytest.mark.parametrize(
    "unseen",
    [
        "\u034f",
        "\u115f",
        "\u1160",
        "\u2065",
        "\u2800",
        "\u3164",
        "\uffa0",
        "\u200b",
        "\u200d",
        "\u200d\u200d",
        "\ufe0f",
        "\ufe0f\u200d",
        "\u3164\ufe0f",
        "\U000e0100",
    ],
    ids=ascii,
)
def test_what_nobody_sees_is_no_name_and_a_blank_in_one(unseen: str) -> None:
    assert on_one_line(unseen) == ""
    assert on_one_line(f"{unseen}Anna {unseen} B") == "Anna B"


def test_marks_that_have_nothing_to_do_are_gone() -> None:
    assert on_one_line("Anna\u200d") == "Anna"
    assert on_one_line(f"{HEART}\ufe0f") == HEART
    assert on_one_line(f"{FAMILY}\u200d\u200d") == FAMILY


@pytest.mark.parametrize("emoji", [HEART, FAMILY, BURNING, KEYCAP, VARIANT], ids=ascii)
def test_an_emoji_of_several_characters_stays_whole(emoji: str) -> None:
    assert on_one_line(f"{emoji} Anna{emoji}{emoji}") == f"{emoji} Anna{emoji}{emoji}"


@pytest.mark.parametrize("begun", ["=", "=\ufe0f=", "\u200d=", "@\u200d+", "\u3164="], ids=ascii)
def test_nothing_begins_as_a_formula(begun: str) -> None:
    assert no_formula(f"{begun}1+1") == "1+1"
    assert no_formula(begun) == ""
