"""Pages in another language than English: nothing of theirs stays English."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pandas as pd
import pytest
from opening import open_page, texts
from streamlit.testing.v1 import AppTest

from benchmarks.words import catalogue
from fmnist import PROJECT, words
from fmnist.classroom import contest, guesses, room, runs, sketches
from fmnist.classroom.room import TEACHER, Ticket
from fmnist.data import garments
from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.run import Plan
from fmnist.ui.parts.room import QUESTIONS, asked
from fmnist.ui.state import classroom
from fmnist.words import Words

EMPTY: Mapping[str, str] = MappingProxyType({})

PAGES = sorted(path.stem for path in (PROJECT / "pages").glob("*.py"))
MESSAGES = [
    message
    for entry in catalogue("de")
    for message in ([entry.id] if isinstance(entry.id, str) else entry.id)
    if message and message != entry.string
]
"""What is written otherwise in German."""
ENGLISH = {*MESSAGES}
FILLED = [
    re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
    for message in MESSAGES
    if len(parts := re.split(r"{[^{}]*}", message)) > 1
    and re.search(r"[a-z]{2,} [a-z]{2,}", " ".join(parts))
]
"""Sentences of theirs with whatever is put into them."""
SHOWS_MORE = [
    ("inside", {"model": "gru"}),
    ("inside", {"model": "cnn", "layer": "body.3"}),
    ("break_it", {"attack": "PGD", "towards": "Bag"}),
    ("break_it", {"attack": "A few pixels", "pixels": "2"}),
    ("break_it", {"other": "cnn", "curves": "true", "curve": "Blur"}),
    ("break_it", {"model": "fcnn", "other": "No other", "success": "true"}),
    ("lessons", {"lesson": "data"}),
    ("challenges", {"challenge": "All agree"}),
    ("challenges", {"challenge": "Smallest network"}),
]


def open_in_german(
    name: str, query: Mapping[str, str] = EMPTY, ticket: Ticket | None = None
) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["chosen language"] = "de"
    if ticket:
        app.session_state[classroom.KEY] = ticket
    with words.reading("de"):  # AppTest names options here, where nobody reads a page
        app.run()
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{name}.py").run()


def english_on(app: AppTest) -> set[str]:
    """What is written in English on a page."""
    said = {*shown(app.main), *shown(app.sidebar)}
    return said & ENGLISH | {text for text in said for each in FILLED if each.fullmatch(text)}


def shown(element: object) -> Iterator[str]:
    """Every text of an element and of those in it: labels, options, heads and cells of tables."""
    for child in getattr(element, "children", {}).values():
        yield from shown(child)
    proto = getattr(element, "proto", None)
    for part in (proto, getattr(proto, "popover", None), getattr(proto, "expandable", None)):
        for field in ("label", "help", "body", "placeholder", "text", "alt", "caption"):
            if isinstance(said := getattr(part, field, None), str):
                yield said
    for option in getattr(proto, "options", ()):
        yield option if isinstance(option, str) else option.content
    table = getattr(element, "value", None)
    if isinstance(table, pd.DataFrame):
        yield from map(str, [*table.columns, *table.to_numpy().flat])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_in_german_and_nothing_on_it_is_english(name: str) -> None:
    app = open_in_german(name)
    assert not app.exception
    assert "gezeichnete Kleidungsstücke, nicht Fashion-MNIST" in texts(app)
    assert "Gerät" in {*shown(app.sidebar)}
    assert english_on(app) == set()


@pytest.mark.parametrize(("name", "query"), SHOWS_MORE)
def test_what_a_page_shows_when_it_is_asked_is_german_too(name: str, query: dict[str, str]) -> None:
    app = open_in_german(name, query)
    assert not app.exception
    assert english_on(app) == set()


def test_a_room_and_its_pages_are_german_for_teacher_and_pupil(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    monkeypatch.setattr(classroom, "address", lambda: "here")
    teacher = room.open_room("7b", "here")
    pupil = room.join(teacher.code, "Ana", "here")
    room.ask(teacher, "Zeichne eine Tasche.")
    contest.hand_in(pupil, "Netz", Words("Run"), 0.9, 0.8)
    runs.start(Plan("fcnn-small", Recipe(epochs=1), "drawn", "cpu", limit=100), "Netz", pupil)
    images, drawn = garments.draw(2, seed=1)
    for image, label in zip(images, drawn, strict=True):
        sketches.give(pupil, image, int(label), 0, 0.5, "cnn")
    for place in range(guesses.A_SET):
        guesses.guess(pupil, "drawn", place, 0)
    for ticket in (teacher, pupil):
        for name in ("room", "wall", "sketches", "guess", "contest", "train"):
            app = open_in_german(name, ticket=ticket)
            assert not app.exception
            assert english_on(app) == set(), name
    room.reveal(teacher)
    app = open_in_german("contest", ticket=pupil)
    assert app.dataframe[0].value["Was"].tolist() == ["Lauf"]
    assert english_on(open_in_german("room", ticket=teacher)) == set()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_that_the_studio_proposes_is_each_readers_own_language(question: Words) -> None:
    teacher = room.open_room("7b", "here")
    for taught in words.LANGUAGES:
        with words.reading(taught):
            begun = room.ask(teacher, words.said(question))
        for read in words.LANGUAGES:
            with words.reading(read):
                assert asked(begun) == words.said(question)


def test_a_german_pupil_is_asked_in_german_what_an_english_teacher_took_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classroom, "address", lambda: "here")
    teacher = room.open_room("7b", "here")
    pupil = room.join(teacher.code, "Ben", "here")
    room.ask(teacher, QUESTIONS[0])
    assert "**Runde 1:** Zeichne ein Kleidungsstück" in texts(open_in_german("room", ticket=pupil))
    room.ask(teacher, "Draw a bag.")
    assert "**Runde 2:** Draw a bag." in texts(open_in_german("room", ticket=pupil))


def test_what_stands_against_something_is_said_in_german() -> None:
    teacher = room.open_room("7b", "here")
    app = open_in_german("wall", ticket=Ticket(teacher.code, TEACHER, "A" * 16))
    assert "Das ist nicht das Geheimwort" in texts(app)
    assert english_on(app) == set()


def test_numbers_are_written_as_in_german() -> None:
    app = open_in_german("scores")
    assert "benennt" in texts(app)
    assert any(metric.value.endswith("\u00a0%") and "," in metric.value for metric in app.metric)


def test_what_is_english_on_a_page_would_be_found() -> None:
    app = open_page("train")
    assert {"Train", "Recipe", "Quick", "Peak learning rate"} <= english_on(app)
    assert any(text.startswith("Trains for about") for text in english_on(open_page("train")))
