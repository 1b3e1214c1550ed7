"""Words and numbers in several languages, and what a catalogue has to hold."""

import copy
import json
import pickle
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.words import Message, catalogue, in_step, messages
from fmnist import words
from fmnist.machine.errors import UserFacingError
from fmnist.words import ENGLISH, LANGUAGES, Words, _, kept, listed, number, recalled, said

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
MESSAGES = messages()


def placeholders(text: str) -> list[tuple[str, str, str]]:
    """What is put into a message: the name, its form, and how it is converted, in any order."""
    plotly = text.count("%{")
    found = [
        (name, form or "", how or "")
        for before, name, form, how in string.Formatter().parse(text.replace("%{", "{"))
        if name is not None
    ]
    return sorted([*found, ("%", str(plotly), "")])


@pytest.fixture
def german() -> Iterator[None]:
    with words.reading("de"):
        yield


def test_there_is_german_beside_english() -> None:
    assert LANGUAGES == ("en", "de")


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_with_its_values_and_none_is_left_over(language: str) -> None:
    known = catalogue(language)
    lacking = []
    for one, many, file, line in MESSAGES:
        entry = known.get((one, many) if many else one)
        forms = (
            [entry.string] if entry and isinstance(entry.string, str) else entry and entry.string
        )
        if not forms or not all(forms):
            lacking.append(f"{file}:{line}: {one}")
            continue
        for form in forms:
            wanted = [placeholders(english) for english in filter(None, (one, many))]
            assert placeholders(form) in wanted, f"{file}:{line}: {form}"
    assert not lacking
    said_here = {message.one for message in MESSAGES}
    ids = [entry.id if isinstance(entry.id, str) else entry.id[0] for entry in known if entry.id]
    assert [one for one in ids if one not in said_here] == []


def test_a_message_is_said_with_its_values_as_the_language_writes_them(german: None) -> None:
    assert _("{shown:,} of {all:,} images, {order}.", shown=1000, all=9999, order="hm") == (
        "1.000 von 9.999 Bildern, hm."
    )
    assert number(0.9241, ".2%") == "92,41\u00a0%"
    assert number(np.float32(-12345.5), "+,.1f") == "-12.345,5"
    assert words.decimal_and_group() == ",."


def test_without_a_reader_all_is_english() -> None:
    assert _("{shown:,} of {all:,} images, {order}.", shown=1000, all=9, order="hm") == (
        "1,000 of 9 images, hm."
    )
    assert number(0.9241, ".2%") == "92.41%"
    assert words.decimal_and_group() == ".,"


def test_words_are_english_as_a_text_and_said_in_the_readers_language() -> None:
    shirt = Words("{true} named {predicted}", true=Words("Shirt"), predicted=Words("Dress"))
    assert shirt == "Shirt named Dress"
    assert json.dumps({"words": shirt}) == '{"words": "Shirt named Dress"}'
    with words.reading("de"):
        assert said(shirt) == "Hemd als Kleid"
        assert f"{shirt}" == "Shirt named Dress"


@pytest.mark.parametrize(
    ("count", "one", "other"), [(1, "1 layer", "1 Schicht"), (2, "2 layers", "2 Schichten")]
)
def test_one_is_told_from_many(count: int, one: str, other: str) -> None:
    layers = Words("{parts} layer", "{parts} layers", n=count, parts=count)
    assert layers == one
    with words.reading("de"):
        assert said(layers) == other


def test_what_has_no_translation_stays_english(german: None) -> None:
    assert _("Nobody has said this of {what}.", what=1.5) == "Nobody has said this of 1,5."


def test_what_is_no_message_is_said_as_it_is(german: None) -> None:
    assert said("Shirt") == "Shirt"  # whoever calls a model so
    assert said(7) == "7"


ERROR = UserFacingError("{file} can't be read ({reason}).", file="a.pt", reason=Words("wrong"))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_an_error_keeps_its_words_on_the_way_from_another_process(way: object) -> None:
    arrived = way(ERROR)  # type: ignore[operator]
    assert str(arrived) == "a.pt can't be read (wrong)."
    with words.reading("de"):
        assert said(arrived) == "a.pt kann nicht gelesen werden (falsch)."
        assert said(UserFacingError("In {file}: {error}", file="b", error=arrived)).startswith(
            "In b: a"
        )


def test_braces_of_others_are_no_placeholders() -> None:
    assert (
        str(UserFacingError("{file}: {error}", file="{x}", error=KeyError("{y}"))) == "{x}: '{y}'"
    )
    assert Words("{not a placeholder}") == "{not a placeholder}"


def test_a_file_keeps_words_readable_and_they_are_said_in_any_language() -> None:
    notices = [
        Words(
            "{model} knows no {data} garments: the labels are learned.",
            model="cnn",
            data=Words("drawn"),
        ),
        Words("Training broke off: {kind}: {error}", kind="X", error="two\nlines"),
        Words("{people:,} people", people=np.int64(1200)),
    ]
    text = "\n".join(map(kept, notices))
    assert text.splitlines()[::2] == [
        "cnn knows no drawn garments: the labels are learned.",
        "Training broke off: X: two lines",
        "1,200 people",
    ]
    back = recalled(text)
    assert back == " ".join(notices)
    with words.reading("de"):
        assert said(back).startswith("cnn kennt solche Kleidungsstücke nicht (gezeichnet): ")
        assert said(back).endswith(" 1.200 people")


@pytest.mark.parametrize("text", ["The disk was full.", "7", "{", '{"message": 1}', "[]"])
def test_what_somebody_wrote_into_such_a_file_is_said_as_it_is(text: str) -> None:
    assert recalled(text) == text


def test_a_catalogue_is_brought_into_step(tmp_path: Path) -> None:
    fresh = in_step(
        catalogue("de"), [Message("Shirt", "", "a.py", 1), Message("New", "", "b.py", 2)]
    )
    assert {entry.id: entry.string for entry in fresh if entry.id} == {"Shirt": "Hemd", "New": None}
    begun = in_step(catalogue("fr", tmp_path), [Message("{n} a", "{n} b", "a.py", 1)])
    assert [entry.id for entry in begun if entry.id] == [("{n} a", "{n} b")]


def test_words_in_a_row_are_said_one_by_one(german: None) -> None:
    assert said(listed([Words("Shirt"), "x"])) == "Hemd, x"
