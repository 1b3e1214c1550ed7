"""A room's pages as its teacher and its members see them."""

import base64
import io
import os
import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch
from opening import open_page, texts
from PIL import Image
from streamlit.testing.v1 import AppTest

from fmnist import PROJECT
from fmnist.analysis import robustness
from fmnist.analysis.robustness import Success
from fmnist.classroom import contest, guesses, room, runs, sketches
from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket
from fmnist.data import garments, splits
from fmnist.data.splits import CLASSES
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, worker
from fmnist.runs.run import Plan, Run, all_runs, read_run
from fmnist.ui.components import ticket as component
from fmnist.ui.parts import challenges, wall
from fmnist.ui.parts import room as room_parts
from fmnist.ui.state import analysis, best, classroom, pace
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.words import Words

PLAN = Plan("fcnn-small", Recipe(epochs=1), "drawn", "cpu", limit=100)
EVIL = "<img src=x> **b**"


@pytest.fixture(autouse=True)
def _from_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest has no connection that would come from anywhere."""
    monkeypatch.setattr(classroom, "address", lambda: "here")


@pytest.fixture
def finished(pupil: Ticket, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    run = runs.start(PLAN, "my first net", pupil)
    (run.folder / "queued").unlink()
    worker.execute(run)
    return read_run(run.id)


class Anew(Exception):
    """Stands in for the page's running anew."""


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What of a page runs again by itself."""
    fragment, found = st.fragment, list[Callable[[], None]]()

    def noted(function: Callable[..., None], run_every: float | None = None) -> Callable[..., None]:
        def first(*arguments: object) -> None:
            if run_every:
                found.append(partial(function, *arguments))
            fragment(function, run_every=run_every)(*arguments)

        return first

    monkeypatch.setattr(st, "fragment", noted)
    return found


def later(ticks: list[Callable[[], None]]) -> AppTest:
    """What a page shows by itself after a while, without its other parts."""

    def script(ticks: list) -> None:
        for tick in ticks:
            tick()

    app = AppTest.from_function(script, kwargs={"ticks": ticks}).run()
    assert not app.exception
    return app


def enter(name: str, ticket: Ticket | None, **query: str) -> AppTest:
    """A page in a browser that has that ticket."""
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["ticket of the room"] = ticket
    app.run()
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py")
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def write(app: AppTest, label: str, text: str) -> None:
    next(box for box in app.text_input if box.label == label).set_value(text)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_a_teacher_opens_a_room_and_is_shown_the_secret_once() -> None:
    app = open_page("room")
    write(app, "Name of the room", "Class 7b")
    press(app, "Open it")
    ticket = app.session_state["ticket of the room"]
    shown = room.as_shown(ticket.secret)
    assert room.admit(ticket).title == "Class 7b"
    assert shown in texts(app)
    press(app, "I have it")
    assert shown not in texts(app)
    press(app, "Leave the room")
    write(app, "Code of your room", ticket.code)
    write(app, "Its secret", shown)
    press(app, "Come back")
    assert app.session_state["ticket of the room"] == ticket
    assert shown not in texts(app)


def test_the_secret_of_a_room_that_was_left_is_not_shown_in_another(teacher: Ticket) -> None:
    app = open_page("room")
    write(app, "Name of the room", "Mine")
    press(app, "Open it")
    secret = room.as_shown(app.session_state["ticket of the room"].secret)
    press(app, "Leave the room")
    app.session_state["ticket of the room"] = room.join(teacher.code, "Bo", "here")
    app.run()
    assert "You are **Bo**" in texts(app)
    assert secret not in texts(app)
    assert "The secret of this room" not in texts(app)


def test_a_pupil_joins_by_the_link_of_the_code_and_sees_the_question(teacher: Ticket) -> None:
    app = open_page("room", join=teacher.code)
    write(app, "Your nickname", "Ana")
    press(app, "Join")
    assert "You are **Ana**" in texts(app)
    room.ask(teacher, "Draw a bag.")
    app.run()
    assert "**Round 1:** Draw a bag." in texts(app)


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("../..", "Ana", "five letters and digits"),
        ("ABCDE", "Ana", "There is no room ABCDE"),
        ("", "", "five letters and digits"),
    ],
)
def test_who_can_not_join_is_told_why(code: str, name: str, words: str) -> None:
    app = open_page("room")
    write(app, "Code of the room", code)
    write(app, "Your nickname", name)
    press(app, "Join")
    assert words in app.error[0].value
    assert app.session_state["ticket of the room"] is None


@pytest.mark.parametrize("page", ["wall", "sketches", "guess", "contest"])
def test_a_page_of_the_room_sends_whoever_is_in_none_to_the_room_page(
    teacher: Ticket, page: str
) -> None:
    for ticket in (None, Ticket(teacher.code, teacher.person, "A" * 16)):
        app = enter(page, ticket)
        assert "You are in no room" in texts(app)
    assert "That is not the secret" in texts(app)


def test_who_was_sent_out_is_told(teacher: Ticket, pupil: Ticket) -> None:
    app = enter("room", pupil)
    room.remove(teacher, pupil.person)
    app.run()
    assert "not in this room any more" in texts(app)
    assert not app.exception


def test_the_teacher_asks_sends_out_reveals_and_closes(teacher: Ticket, pupil: Ticket) -> None:
    app = enter("room", teacher)
    app.text_area[0].set_value("Draw a bag.")
    press(app, "Begin round 1")
    assert room.admit(pupil).question == "Draw a bag."
    press(app, "Reveal now")
    assert room.admit(teacher).revealed
    app.selectbox(key="member").select(pupil.person).run()
    press(app, "Send out")
    assert not room.admit(teacher).members
    press(app, "Close it for good")
    assert not room.is_open(teacher.code)
    assert "Join a room" in [head.value for head in app.header]


def test_the_teachers_page_follows_who_joins_and_who_hands_in(
    teacher: Ticket, ticks: list[Callable[[], None]]
) -> None:
    enter("room", teacher)
    pupil = room.join(teacher.code, "Ana", "here")
    contest.hand_in(pupil, "net", Words("Run"), 0.9, 0.8)
    app = later(ticks)
    assert "1 joined" in [head.value for head in app.header]
    assert app.selectbox(key="member").options == ["Ana"]
    assert "1 handed in." in texts(app)


def test_who_was_chosen_to_be_sent_out_stays_chosen_while_people_come_and_go(
    teacher: Ticket, pupil: Ticket
) -> None:
    room.note_presence(pupil)
    app = enter("room", teacher)
    app.selectbox(key="member").select(pupil.person).run()
    room.join(teacher.code, "Bo", "here")
    os.utime(room.folder_of(pupil.code, "seen") / pupil.person, (0, 0))
    app.run()
    assert app.selectbox(key="member").options == ["Ana", "Bo"]
    assert "Away: Ana, Bo" in texts(app)
    press(app, "Send out")
    assert [member.name for member in room.admit(teacher).members.values()] == ["Bo"]


def draw(app: AppTest) -> None:
    """A stroke on the page's canvas."""
    picture = Image.new("L", (280, 280))
    picture.paste(255, (90, 60, 190, 240))
    content = io.BytesIO()
    picture.save(content, "PNG")
    sent = {"strokes": [], "picture": base64.b64encode(content.getvalue()).decode()}
    app.session_state["kept drawings"] = {"canvas Your drawing": sent}


def test_a_sketch_is_given_only_when_its_owner_says_so(pupil: Ticket) -> None:
    app = enter("room", None)
    app.session_state["ticket of the room"] = pupil
    draw(app)
    app.run()
    assert not app.exception
    assert sketches.count(pupil) == 0
    assert "Once you give it, everybody in the room sees it" in texts(app)
    press(app, "Give it to the room")
    assert "Say what you drew" in app.error[0].value
    app.button_group(key="drawn").set_value("Bag")
    press(app, "Give it to the room")
    (given,) = sketches.of_room(pupil)
    assert CLASSES[given.drawn] == "Bag"
    assert given.person == pupil.person


def test_the_sketches_are_seen_counted_and_deleted_by_their_owner(
    teacher: Ticket, pupil: Ticket
) -> None:
    images, drawn = garments.draw(3, seed=1)
    for image, label in zip(images, drawn, strict=True):
        sketches.give(pupil, image, int(label), 0, 0.5, "cnn")
    bo = room.join(teacher.code, "Bo", "here")
    app = enter("sketches", bo, model="fcnn")
    assert "By Ana" in texts(app)
    assert "of 3** as who drew them does" in texts(app)
    assert "Delete it" not in labels(app)
    for ticket in (pupil, teacher):
        press(enter("sketches", ticket, model="fcnn"), "Delete it")
    assert sketches.count(teacher) == 1


def test_twenty_garments_are_named_and_then_compared_with_a_model(pupil: Ticket) -> None:
    test = splits.load("test", "drawn")
    app = enter("guess", pupil, model="fcnn")
    for place in range(guesses.A_SET):
        truth = int(test.labels[guesses.order(pupil, len(test))[place]])
        press(app, CLASSES[truth])
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["You, of these"] == "20 of 20"
    assert shown["The room so far"] == "100.0%"
    assert shown["People elsewhere"] == "83.5%"
    rows = guesses.order(pupil, len(test))[: guesses.A_SET]
    said, _ = shelf.load("fcnn").answer(test.images[rows], torch.device("cpu"))
    right = said.argmax(1) == test.labels[rows]
    assert shown["fcnn, of these"] == f"{right.sum()} of 20"
    named = app.dataframe[0].value["You"]
    assert all(answer.startswith("✓") for answer in named)
    assert "20 of 20 answers are right" in texts(app)
    guesses.guess(room.join(pupil.code, "Bo", "here"), "drawn", 0, 9)
    app.run()
    assert "of 21 answers are right" in texts(app)
    app.button_group(key="whose").set_value("You").run()
    assert "20 of 20 answers are right" in texts(app)
    press(app, "Twenty more")
    assert "Garment 1 of 20" in [bar.proto.text for bar in app.get("progress")]


def test_a_teacher_who_has_not_guessed_shows_what_the_room_says(
    teacher: Ticket, pupil: Ticket
) -> None:
    for place in range(3):
        guesses.guess(pupil, "drawn", place, 9)
    wish = "Show what the room says"
    assert wish not in [box.label for box in enter("guess", pupil, model="fcnn").toggle]
    app = enter("guess", teacher, model="fcnn")
    assert "Garment 1 of 20" in [bar.proto.text for bar in app.get("progress")]
    app.toggle(key="shows the room").set_value(True).run()
    assert not app.exception
    assert "of 3 answers are right" in texts(app)
    assert "You, of these" not in [metric.label for metric in app.metric]
    assert "Your twenty" not in [head.value for head in app.header]


def test_each_room_has_a_list_of_the_best_of_its_own(teacher: Ticket) -> None:
    best.enter("one", best.Result(3, Words("3"), "Ada"), teacher.code)
    best.enter("one", best.Result(5, Words("5"), "Grace"))
    assert [each.name for each in best.of("one", teacher.code)] == ["Ada"]
    assert [each.name for each in best.of("one")] == ["Grace"]
    room.close(teacher)
    assert best.of("one", teacher.code) == []
    with pytest.raises(RoomError, match="can't be written"):
        best.enter("one", best.Result(3, Words("3"), "Ada"), teacher.code)


def test_a_run_is_named_before_its_start_and_shown_by_that_name(
    pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    app = enter("train", pupil)
    press(app, "Start training")
    assert "Give your run a name" in app.error[0].value
    write(app, "Name of the run", "my first net")
    press(app, "Start training")
    (run,) = all_runs()
    assert (run.plan.title, run.plan.person) == ("my first net", pupil.person)
    app.run()
    assert app.selectbox(key="run").options == ["my first net · Ana"]
    assert list(app.dataframe[0].value["Run"]) == ["my first net · Ana"]
    assert "Ana: " in texts(app)


def test_a_run_that_waits_says_where_it_stands_in_the_queue(
    teacher: Ticket, pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "dispatch", lambda: None)
    runs.start(PLAN, "first", pupil)
    second = runs.start(PLAN, "second", pupil)
    bos = runs.start(PLAN, "bos", room.join(teacher.code, "Bo", "here"))
    pace.turns.clear()
    for run, place in ((second, "Number 3 of 3"), (bos, "Number 2 of 3")):
        bars = enter("train", pupil, run=run.id).get("progress")
        assert any(bar.proto.text.startswith(place) for bar in bars)


def test_another_pupil_has_no_button_that_steers_a_run_and_an_outsider_does_not_see_it(
    teacher: Ticket, pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    runs.start(PLAN, "my first net", pupil)
    bo = room.join(teacher.code, "Bo", "here")
    for ticket, steers in ((bo, False), (pupil, True), (teacher, True)):
        assert ("Stop" in labels(enter("train", ticket))) == steers
    assert "No runs yet" in texts(enter("train", None))


@pytest.mark.parametrize("page", ["models", "scores", "home", "errors", "compare", "suspects"])
def test_no_page_says_how_a_run_of_the_room_does_on_test_before_it_is_revealed(
    teacher: Ticket, pupil: Ticket, finished: Run, page: str
) -> None:
    card = runs.keep(finished.id, "anas", pupil)
    asked = {"model": "anas"} if page in ("scores", "errors") else {}
    app = enter(page, pupil, **asked)
    written = texts(app) + "".join(frame.value.to_csv() for frame in app.dataframe)
    assert f"{100 * card.test.accuracy:.2f}" not in written
    for bar in app.get("button_group"):
        if bar.proto.label == "Split" and asked:
            assert "test" not in [option.content for option in bar.proto.options]
    if page == "suspects":
        app.toggle(key="without").set_value(True).run()
        assert "anas" not in "".join(frame.value.to_csv() for frame in app.dataframe)
    if asked:
        room.reveal(teacher)
        bars = enter(page, pupil, **asked).get("button_group")
        offered = [bar.proto.options for bar in bars if bar.proto.label == "Split"]
        assert "test" in [option.content for option in offered[0]]


def test_a_sealed_run_is_in_no_list_of_the_smallest_networks(
    teacher: Ticket, pupil: Ticket, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenges, "WANTED", 0.0)
    runs.keep(finished.id, "anas", pupil)

    def listed() -> list[str]:
        app = enter("challenges", pupil, challenge="Smallest network")
        return list(app.dataframe[0].value["Model"])

    assert "anas" not in listed()
    room.reveal(teacher)
    assert "anas" in listed()


def test_a_sealed_run_is_not_broken_on_test_garments(
    teacher: Ticket, pupil: Ticket, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def telling(figures: int) -> Callable[..., SimpleNamespace]:
        def ask(card: Card, *_: object) -> SimpleNamespace:
            asked.append(card.name)
            return SimpleNamespace(result=lambda sentence: np.zeros(figures, int))

        return ask

    monkeypatch.setattr(analysis, "robustness_curve", telling(len(robustness.strengths("noise"))))
    monkeypatch.setattr(analysis, "attack_success", telling(len(Success._fields)))
    runs.keep(finished.id, "anas", pupil)
    above = {"model": "anas", "other": "fcnn", "curves": "true", "success": "true"}
    app = enter("break_it", pupil, **above, attacked="The models above")
    assert set(asked) == {"fcnn"}
    assert "anas is asked about no test garments" in texts(app)
    room.reveal(teacher)
    enter("break_it", pupil, **above)
    assert set(asked) == {"anas", "fcnn"}


def test_a_network_that_was_built_in_a_room_is_a_run_of_that_room(
    pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    app = enter("build_it", pupil)
    press(app, "Start training")
    assert "Give your run a name" in app.error[0].value
    write(app, "Name of the run", "my own net")
    press(app, "Start training")
    (run,) = runs.seen_by(pupil)
    assert (run.label, run.plan.person) == ("my own net", pupil.person)


def test_a_run_of_no_room_is_shown_in_a_room_to_who_has_its_link(
    teacher: Ticket, pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    trial = runs.start(PLAN, "a trial of a sweep", None)
    app = enter("train", pupil, run=trial.id)
    assert app.selectbox(key="run").value == trial.id
    inside = runs.start(PLAN, "my first net", pupil)
    runs.start(PLAN, "outside", None)
    app = enter("train", None, run=inside.id)
    assert "my first net" not in "".join(app.selectbox(key="run").options)
    assert [toast.value for toast in app.toast] == [
        f"The link asks for what is not here: run \u201c{inside.id}\u201d. The usual is shown."
    ]


def test_who_is_in_a_room_and_scans_the_code_of_another_can_change(
    teacher: Ticket, pupil: Ticket
) -> None:
    other = room.open_room("Class 8a", "here")
    app = enter("room", pupil, join=other.code)
    assert f"the way to room {other.code}" in texts(app)
    press(app, f"Leave {teacher.code} and join {other.code}")
    write(app, "Your nickname", "Ana")
    press(app, "Join")
    assert app.session_state["ticket of the room"].code == other.code
    assert "That was the way" not in texts(enter("room", pupil, join=teacher.code))


def test_whose_room_was_closed_is_told_so(teacher: Ticket, pupil: Ticket) -> None:
    room.close(teacher)
    assert f"Room {teacher.code}, in which you were, is closed." in texts(enter("room", pupil))


def test_the_train_page_seals_a_finished_runs_test_accuracy_until_it_is_revealed(
    teacher: Ticket, pupil: Ticket, finished: Run
) -> None:
    def shown() -> str:
        app = enter("train", pupil)
        return next(metric.value for metric in app.metric if metric.label == "Test accuracy")

    assert shown() == "sealed"
    room.reveal(teacher)
    assert shown() == f"{finished.card.test.accuracy:.2%}"


def test_a_run_and_predictions_are_handed_in_and_revealed(
    teacher: Ticket, pupil: Ticket, finished: Run
) -> None:
    app = enter("contest", pupil)
    press(app, "Hand in the run")
    assert "You handed in **my first net**" in texts(app)
    bo = room.join(teacher.code, "Bo", "here")
    truth = splits.load("test", "drawn").labels
    said = truth.copy()
    said[:10] = (said[:10] + 1) % 10
    content = io.BytesIO()
    np.save(content, said)
    app = enter("contest", bo)
    app.file_uploader[0].set_value(("mine.npy", content.getvalue(), "")).run()
    press(app, "Hand in the file")
    assert "You handed in **mine**" in texts(app)
    assert "Test" not in app.dataframe[0].value
    room.reveal(teacher)
    app.run()
    assert "Hand in the file" not in labels(app)
    table = app.dataframe[0].value.set_index("Nickname")
    assert table.loc["Bo", "Test"] == pytest.approx(90)
    assert table.loc["Ana", "Test"] == pytest.approx(100 * finished.card.test.accuracy)


@pytest.mark.parametrize(
    "spoiled",
    [lambda truth, half: truth + half, lambda truth, half: truth + 1],
    ids=["half are wrong", "classes in another order"],
)
def test_the_contest_says_of_predictions_that_it_doubts_no_figure_and_no_order(
    pupil: Ticket, spoiled: Callable[..., np.ndarray]
) -> None:
    truth = splits.load("test", "drawn").labels
    content = io.BytesIO()
    np.save(content, spoiled(truth, np.arange(len(truth)) % 2) % 10)
    app = enter("contest", pupil)
    app.file_uploader[0].set_value(("mine.npy", content.getvalue(), "")).run()
    assert not app.exception
    (warned,) = [warning.value for warning in app.warning if "order" in warning.value]
    assert "sealed" in warned
    assert not re.search(r"\d", warned)
    assert not any(kind in warned for kind in CLASSES)


def test_the_contest_follows_what_is_handed_in_until_it_is_revealed(
    teacher: Ticket,
    pupil: Ticket,
    ticks: list[Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rerun() -> None:
        raise Anew

    assert "0 handed in." in texts(enter("contest", pupil))
    contest.hand_in(room.join(teacher.code, "Bo", "here"), "net", Words("Run"), 0.9, 0.8)
    assert "1 handed in." in texts(later(ticks))
    room.reveal(teacher)
    monkeypatch.setattr(st, "rerun", rerun)
    with pytest.raises(Anew):
        ticks[0]()
    ticks.clear()
    assert "The contest is over" in texts(enter("contest", pupil))
    assert not ticks


@pytest.mark.slow
def test_what_is_no_model_is_not_handed_in(pupil: Ticket) -> None:
    app = enter("contest", pupil)
    app.file_uploader[0].set_value(("mine.csv", b"no predictions\n", "")).run()
    assert not app.exception
    assert app.error
    assert contest.entries(pupil) == []


def test_the_wall_shows_runs_sketches_people_and_the_question_with_every_name_escaped(
    teacher: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    evil = room.join(teacher.code, EVIL, "here")
    runs.start(PLAN, "<script>1</script>", evil)
    images, drawn = garments.draw(1, seed=1)
    sketches.give(evil, images[0], int(drawn[0]), 0, 0.5, "cnn")
    room.ask(teacher, "Draw <b>a bag</b>.")
    markup = wall.markup(teacher, room.admit(teacher))
    assert EVIL not in markup
    assert markup.count("&lt;img src=x&gt; **b**") == 3
    assert "&lt;script&gt;1&lt;/script&gt;" in markup
    assert "Draw &lt;b&gt;a bag&lt;/b&gt;." in markup
    assert "Sketches: 1" in markup
    app = enter("wall", teacher)
    assert teacher.code in texts(app)


def test_after_the_reveal_the_wall_names_the_best_first(teacher: Ticket, pupil: Ticket) -> None:
    bo = room.join(teacher.code, "Bo", "here")
    contest.hand_in(pupil, "net", "Run", 0.9, 0.8111)
    contest.hand_in(bo, "table", "Table of classes", None, 0.8333)
    assert "81.11" not in wall.markup(teacher, room.admit(teacher))
    markup = wall.markup(teacher, room.reveal(teacher))
    assert 0 < markup.index("83.33%") < markup.index("81.11%")


def test_markup_in_a_nickname_is_shown_as_it_is_written(teacher: Ticket) -> None:
    evil = room.join(teacher.code, "**b** [x](y)", "here")
    app = enter("room", evil)
    assert r"\*\*b\*\* \[x\](y)" in texts(app)


def test_what_a_browser_kept_is_read_as_a_strangers(
    teacher: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept, known in ((str(teacher), True), (f"{teacher}x", False), ("../..", False)):
        monkeypatch.setattr(component, "kept", lambda kept=kept: kept)
        assert ("You are the teacher." in texts(open_page("room"))) == known


@pytest.mark.parametrize(
    ("served", "url", "address"),
    [
        ("https://192.168.7.7:8501", "http://localhost:8502/wall", "https://192.168.7.7:8501"),
        (None, "http://192.168.7.7:8501/wall", "http://192.168.7.7:8501"),
        (None, "https://example.org/class/studio/wall", "https://example.org/class/studio"),
        (None, "http://localhost:8501/wall", ""),
        (None, None, ""),
    ],
)
def test_the_walls_code_leads_to_where_phones_find_the_app(
    served: str | None, url: str | None, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FMNIST_ROOM", raising=False)
    if served:
        monkeypatch.setenv("FMNIST_ROOM", served)
    monkeypatch.setattr(st, "context", SimpleNamespace(url=url))
    assert room_parts.address() == address
