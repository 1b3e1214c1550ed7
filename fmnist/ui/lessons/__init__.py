"""Lessons: Markdown files with steps, each with a link, a prediction to make and the answer.

A file begins with lines of `name: value` between two of `---`. A step begins with `## `, then come
its text, its links, alone on their lines, a question after `### Predict` with a list of options, of
which `[x]` is right, and the truth after `### Answer`. Beside NAME.md, NAME.LANGUAGE.md is the
lesson in another language, with the same links.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from fmnist import words
from fmnist.machine import templates
from fmnist.ui import navigation
from fmnist.words import _, said

FOLDER = Path(__file__).parent
ORDER = (
    "data", "first-net", "overfitting", "augmentation", "confusion", "confidence", "labels",
    "attack",
)  # fmt: skip
"""The lessons by their files' names, from the first one on."""
LINK = re.compile(r"^\[(?P<label>[^\]]+)\]\((?P<page>[a-z_]+)(?:\?(?P<query>[^)]*))?\)$", re.M)
OPTION = re.compile(r"^- \[(?P<right>[ x])\] (?P<text>.+)$", re.M)
_SHEET = templates.template(FOLDER / "sheet.html.j2")


class Link(NamedTuple):
    """A page in a given state."""

    label: str
    page: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One thing to do, and what to guess before."""

    title: str
    text: str
    links: tuple[Link, ...]
    question: str
    options: tuple[str, ...]
    right: int
    answer: str


@dataclass(frozen=True)
class Lesson:
    """A lesson by its file's name; `minutes` is how long it takes a class."""

    name: str
    title: str
    minutes: int
    aim: str
    steps: tuple[Step, ...]


def lessons() -> tuple[Lesson, ...]:
    """All of them, in their order and in the reader's language."""
    return _in(words.language())


@cache
def _in(language: str) -> tuple[Lesson, ...]:
    return tuple(parse(name, _file(name, language).read_text()) for name in ORDER)


def _file(name: str, language: str) -> Path:
    """A lesson in a language; in English where nobody has translated it."""
    translated = FOLDER / f"{name}.{language}.md"
    return translated if translated.exists() else FOLDER / f"{name}.md"


def parse(name: str, text: str) -> Lesson:
    """The lesson in a file's text; raises ValueError where it isn't one."""
    _, head, body = text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in head.strip().splitlines())
    steps = tuple(_step(part) for part in body.split("\n## ")[1:])
    return Lesson(name, fields["title"], int(fields["minutes"]), fields["aim"], steps)


def _step(text: str) -> Step:
    title, rest = text.split("\n", 1)
    told, asked = rest.split("\n### Predict\n")
    question, answer = asked.split("\n### Answer\n")
    options = list(OPTION.finditer(question))
    (right,) = [place for place, option in enumerate(options) if option["right"] == "x"]
    return Step(
        title=title.strip(),
        text=LINK.sub("", told).strip(),
        links=tuple(
            Link(link["label"], link["page"], dict(parse_qsl(link["query"] or "", True)))
            for link in LINK.finditer(told)
        ),
        question=OPTION.sub("", question).strip(),
        options=tuple(option["text"].strip() for option in options),
        right=right,
        answer=answer.strip(),
    )


def teachers_sheet() -> str:
    """All lessons with their aims, times and answers, as an HTML file to print."""
    return _SHEET.render(
        _=_,
        language=words.language(),
        lessons=lessons(),
        style=(FOLDER / "sheet.css").read_text(),
        title=lambda page: said(navigation.place(page).title),
        total=sum_of_minutes(),
    )


def sum_of_minutes() -> int:
    """How long all lessons take a class."""
    return sum(lesson.minutes for lesson in lessons())
