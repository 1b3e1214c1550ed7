import re
from pathlib import Path

import pytest

from fmnist.ui import lessons, navigation
from fmnist.ui.lessons import FOLDER, Lesson
from fmnist.words import ENGLISH, LANGUAGES, reading

LESSONS = lessons.lessons()
OTHERS = [language for language in LANGUAGES if language != ENGLISH]
EXAMPLE = """---
title: One
minutes: 5
aim: See.
---

## Look

Some words.

[Open a page](dataset?split=train&class=T-shirt%2Ftop)
[And another](map)

### Predict
What is it?
- [ ] This
- [x] That

### Answer
That.

Because.
"""


def test_there_are_eight_lessons_and_each_file_is_one() -> None:
    assert len(LESSONS) == 8
    files = {path.stem for path in FOLDER.glob("*.md") if not Path(path.stem).suffix}
    assert files == {lesson.name for lesson in LESSONS}


def test_a_file_is_read_as_steps_with_links_a_question_and_an_answer() -> None:
    lesson = lessons.parse("one", EXAMPLE)
    (step,) = lesson.steps
    assert (lesson.title, lesson.minutes, lesson.aim) == ("One", 5, "See.")
    assert (step.title, step.text, step.question) == ("Look", "Some words.", "What is it?")
    assert [link.page for link in step.links] == ["dataset", "map"]
    assert step.links[0].query == {"split": "train", "class": "T-shirt/top"}
    assert step.links[1].query == {}
    assert (step.options, step.right, step.answer) == (("This", "That"), 1, "That.\n\nBecause.")


@pytest.mark.parametrize(
    "broken",
    [
        EXAMPLE.replace("[x]", "[ ]"),
        EXAMPLE.replace("- [ ]", "- [x]"),
        EXAMPLE.replace("### Answer", "Answer"),
        EXAMPLE.replace("---\n", ""),
    ],
    ids=["nothing right", "two right", "no answer", "no head"],
)
def test_a_file_that_is_no_lesson_is_refused(broken: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, each has words of its own
        lessons.parse("broken", broken)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_takes_five_to_ten_minutes_and_each_step_opens_a_page(lesson: Lesson) -> None:
    pages = {place.name for places in navigation.PLACES.values() for place in places}
    assert 5 <= lesson.minutes <= 10
    assert lesson.steps
    for step in lesson.steps:
        assert step.links
        assert {link.page for link in step.links} <= pages
        assert len(step.options) == len(set(step.options)) >= 2
        # The sheet shows the words as they are.
        assert not re.search(r"[*`<>\[\]]", step.text + step.question + step.answer)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_is_translated_step_by_step_with_the_same_links(
    lesson: Lesson, language: str
) -> None:
    theirs = lessons.parse(lesson.name, (FOLDER / f"{lesson.name}.{language}.md").read_text())
    assert theirs.minutes == lesson.minutes
    assert theirs.title != lesson.title
    assert theirs.aim != lesson.aim
    for step, other in zip(lesson.steps, theirs.steps, strict=True):
        assert [link[1:] for link in other.links] == [link[1:] for link in step.links]
        assert (other.right, len(other.options)) == (step.right, len(step.options))
        assert len(set(other.options)) == len(other.options)
        assert bool(other.text) == bool(step.text)
        figures = [re.findall(r"\d+", each.answer) for each in (step, other)]
        assert figures[0] == figures[1]
        for part in ("question", "answer"):
            assert getattr(other, part) != getattr(step, part)
        assert {link.label for link in other.links}.isdisjoint(link.label for link in step.links)
        assert not re.search(r"[*`<>\[\]]", other.text + other.question + other.answer)


@pytest.mark.parametrize("language", OTHERS)
def test_lessons_and_sheet_are_in_the_language_of_who_reads_them(language: str) -> None:
    with reading(language):
        (first, *_), sheet = lessons.lessons(), lessons.teachers_sheet()
    assert first.aim != LESSONS[0].aim
    assert first.aim in sheet
    assert f'<html lang="{language}">' in sheet
    assert LESSONS[0].aim not in sheet


def test_the_teachers_sheet_has_every_aim_time_and_answer() -> None:
    sheet = lessons.teachers_sheet()
    for lesson in LESSONS:
        for words in (lesson.title, lesson.aim, f"{lesson.minutes} minutes."):
            assert words in sheet.replace("&#39;", "'")
        for step in lesson.steps:
            assert f"{step.options[step.right]} ✓" in sheet.replace("&#39;", "'")
    assert "@media print" in sheet
    assert str(sum(lesson.minutes for lesson in LESSONS)) in sheet
    assert "http" not in sheet  # it needs nothing else
