"""The lessons, and that each of their links opens what it says."""

import pytest
from opening import open_page, texts
from shipped import SHIPPED
from streamlit.testing.v1 import AppTest

from fmnist import PROJECT, words
from fmnist.data import splits
from fmnist.ui import lessons
from fmnist.ui.lessons import Link
from fmnist.weights import shelf

LESSONS = lessons.lessons()
LINKS = [
    pytest.param(link, id=f"{lesson.name}: {link.label}")
    for lesson in LESSONS
    for step in lesson.steps
    for link in step.links
]
ONLY_IN_THE_LINK = {"layer", "map", "learn"}
"""What no widget holds; pages take it out of the link where it isn't known."""


@pytest.mark.parametrize("link", LINKS)
def test_a_link_of_a_lesson_opens_the_page_in_the_state_that_it_names(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", SHIPPED)
    app = open_page(link.page, **link.query)
    assert not app.exception
    assert not app.error
    assert not app.toast  # it would say that the link asks for what isn't there
    proposed = {box.key.split()[0]: box.value for box in [*app.number_input, *app.multiselect]}
    for key, asked in link.query.items():
        if key in ONLY_IN_THE_LINK:
            assert app.query_params[key] == asked
        elif link.page != "train":
            assert str(app.session_state[key]).lower() == asked.lower(), key
        elif key == "augment":
            assert ",".join(proposed[key]) == asked
        elif key == "images":
            assert proposed[key] == min(int(asked), len(splits.load("train", "drawn")))
        else:
            assert proposed[key] == float(asked), key


def test_a_link_to_train_proposes_its_recipe() -> None:
    app = open_page("train", learn="cnn", epochs="15", images="120", augment="flip,shift")
    assert not app.exception
    boxes = {box.label: box.value for box in app.number_input}
    assert (boxes["Epochs"], boxes["Training images"]) == (15, 120)
    (augment,) = [box.value for box in app.multiselect if box.label == "Augmentation"]
    assert augment == ["flip", "shift"]


@pytest.mark.parametrize("asked", [{"learn": "nothing"}, {"learn": "cnn", "epochs": "many"},
                                   {"learn": "cnn", "lr": "99"}])  # fmt: skip
def test_a_link_to_train_that_proposes_nonsense_is_told(asked: dict[str, str]) -> None:
    app = open_page("train", **asked)
    assert not app.exception
    assert "a recipe" in app.toast[0].value


def test_the_overview_lists_every_lesson_with_its_time() -> None:
    app = open_page("lessons")
    shown = texts(app)
    for lesson in LESSONS:
        assert f"{lesson.minutes} minutes. Steps done: 0 of {len(lesson.steps)}." in shown
    assert len(app.get("page_link")) == len(LESSONS)


def go(app: AppTest, page: str, **query: str) -> None:
    app.query_params.clear()
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception


def test_an_answer_is_shown_after_a_prediction_and_a_look_and_not_before() -> None:
    lesson = LESSONS[0]
    step = lesson.steps[0]
    (link,) = step.links
    answer = step.answer.splitlines()[0]
    app = open_page("lessons", lesson=lesson.name)
    assert answer not in texts(app)
    assert "Choose what you think first" in texts(app)
    assert "on the drawn garments they differ" in texts(app)
    app.radio[0].set_value(step.right).run()
    assert answer not in texts(app)
    assert "come back here for the answer" in texts(app)
    go(app, link.page)  # in another state than the link's
    go(app, "lessons", lesson=lesson.name)
    assert answer not in texts(app)
    go(app, link.page, **link.query)
    assert next(each.proto.label for each in app.get("page_link")) == "Back to the lesson"
    go(app, "lessons", lesson=lesson.name)
    assert app.radio[0].value == step.right
    assert answer in texts(app)
    assert "You predicted it" in app.success[0].value
    go(app, "lessons")
    assert f"Steps done: 1 of {len(lesson.steps)}." in texts(app)


def test_a_step_is_done_in_another_language_too_whichever_way_the_page_came_to_its_state() -> None:
    (lesson,) = [each for each in LESSONS if each.name == "labels"]
    link = lesson.steps[0].links[0]
    for asked in (link.query, {"doubted": "Falsche Labels"}):
        app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
        app.session_state["chosen language"] = "de"
        with words.reading("de"):  # AppTest names options here, where nobody reads a page
            go(app.run(), link.page, **asked)
            go(app, "lessons")
            shown = texts(app)
        assert f"Fertige Schritte: 1 von {len(lesson.steps)}." in shown


def test_a_prediction_stays_when_the_language_changes() -> None:
    lesson = LESSONS[0]
    app = open_page("lessons", lesson=lesson.name)
    app.radio[0].set_value(1).run()
    app.session_state["chosen language"] = "de"
    app.run()
    with words.reading("de"):
        first = lessons.lessons()[0].steps[0]
        assert app.radio[0].value == 1
        assert tuple(app.radio[0].options) == first.options


def test_a_wrong_prediction_is_told_what_is_right() -> None:
    lesson = LESSONS[0]
    step = lesson.steps[0]
    app = open_page("lessons", lesson=lesson.name)
    app.radio[0].set_value(0).run()
    go(app, step.links[0].page, **step.links[0].query)
    go(app, "lessons", lesson=lesson.name)
    told = [line.strip() for line in app.info[-1].value.splitlines()]
    assert told == [
        f"You predicted: {step.options[0]}",
        f"It is: {step.options[step.right]}",
    ]


def test_a_link_to_a_lesson_that_is_not_there_shows_all() -> None:
    app = open_page("lessons", lesson="none")
    assert not app.exception
    assert len(app.get("page_link")) == len(LESSONS)
