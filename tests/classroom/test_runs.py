"""Runs of a room: their names, whose they are, whose turn it is, and what is sealed."""

import io
from dataclasses import replace
from zipfile import ZipFile

import pytest

from fmnist.classroom import room, runs
from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket
from fmnist.export import package
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, worker
from fmnist.runs.run import Plan, Run, all_runs, queued_runs, read_run
from fmnist.weights import ensembles, shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import Weights

SHORT = Plan("fcnn-small", Recipe(epochs=1), "drawn", "cpu", limit=100)


@pytest.fixture
def ana(teacher: Ticket) -> Ticket:
    return room.join(teacher.code, "Ana", "here")


@pytest.fixture
def bo(teacher: Ticket) -> Ticket:
    return room.join(teacher.code, "Bo", "here")


@pytest.fixture
def unlaunched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs wait for a device that none of them gets."""
    monkeypatch.setattr(queue, "dispatch", lambda: None)


@pytest.fixture
def finished(ana: Ticket, small: None, unlaunched: None) -> Run:
    run = runs.start(SHORT, "my first net", ana)
    (run.folder / "queued").unlink()
    worker.execute(run)
    return read_run(run.id)


@pytest.mark.usefixtures("unlaunched")
def test_a_run_has_a_name_and_an_owner_for_whoever_reads_it(ana: Ticket, bo: Ticket) -> None:
    run = runs.start(SHORT, "  my first\nnet ", ana)
    assert run.label == "my first net"
    assert runs.owner_name(run) == "Ana"
    other = runs.start(SHORT, "my first net", bo)
    again = runs.start(SHORT, "my first net", bo)
    assert runs.labels([run, other, again]) == {
        run.id: "my first net · Ana",
        other.id: f"my first net · Bo · {other.id}",
        again.id: f"my first net · Bo · {again.id}",
    }
    assert read_run(run.id).summary()["title"] == "my first net"


@pytest.mark.usefixtures("unlaunched")
def test_outside_of_a_room_a_run_goes_by_its_id_unless_it_is_named(ana: Ticket) -> None:
    unnamed, named = runs.start(SHORT, "", None), runs.start(SHORT, "mine", None)
    assert runs.labels([unnamed, named]) == {unnamed.id: unnamed.id, named.id: "mine"}
    runs.start(SHORT, "in the room", ana)
    assert {run.id for run in runs.seen_by(None)} == {unnamed.id, named.id}
    assert [run.label for run in runs.seen_by(ana)] == ["in the room"]
    assert runs.may_steer(unnamed, None)
    assert runs.may_steer(unnamed, ana)


@pytest.mark.usefixtures("unlaunched")
def test_once_its_room_is_closed_a_run_is_everybodys(teacher: Ticket, ana: Ticket) -> None:
    run = runs.start(SHORT, "my first net", ana)
    assert not runs.may_steer(run, None)
    assert runs.seen_by(None) == []
    room.close(teacher)
    assert [seen.id for seen in runs.seen_by(None)] == [run.id]
    runs.steer(queue.stop, run.id, None)
    assert read_run(run.id).state == "stopped"


@pytest.mark.usefixtures("unlaunched")
def test_in_a_room_a_run_needs_a_name_of_some_length(ana: Ticket) -> None:
    for title, words in (("", "a name"), (" \u200b", "a name"), ("a" * 41, "up to 40")):
        with pytest.raises(RoomError, match=words):
            runs.start(SHORT, title, ana)
    assert all_runs() == []


@pytest.mark.usefixtures("unlaunched")
def test_only_its_owner_and_the_teacher_steer_a_run(
    teacher: Ticket, ana: Ticket, bo: Ticket
) -> None:
    first, second = (runs.start(SHORT, "net", ana) for _ in range(2))
    elsewhere = room.open_room("Another", "there")
    forged = Ticket(ana.code, ana.person, "A" * 16)
    for nobody in (bo, None, elsewhere, forged):
        for action in (queue.stop, queue.resume, queue.delete):
            with pytest.raises(RoomError, match="Only Ana or the teacher can do that"):
                runs.steer(action, first.id, nobody)
    assert read_run(first.id).state == "queued"
    runs.steer(queue.stop, first.id, ana)
    runs.steer(queue.stop, second.id, teacher)
    runs.steer(queue.delete, first.id, teacher)
    assert [run.state for run in runs.seen_by(ana)] == ["stopped"]


@pytest.mark.usefixtures("unlaunched")
def test_nobodys_second_run_comes_before_anothers_first(ana: Ticket, bo: Ticket) -> None:
    of_ana = [runs.start(SHORT, f"ana {number}", ana).id for number in range(4)]
    of_bo = [runs.start(SHORT, f"bo {number}", bo).id for number in range(2)]
    alone = queue.start(SHORT).id
    order = [run.id for run in queued_runs()]
    assert order == [of_ana[0], of_bo[0], alone, of_ana[1], of_bo[1], of_ana[2], of_ana[3]]


def test_a_turn_that_was_taken_counts_also_when_its_run_is_deleted(
    ana: Ticket, bo: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []

    def launch(run: Run, *locks: int) -> None:
        (run.folder / "queued").unlink()
        began.append(run.label)

    monkeypatch.setattr(queue, "_launch", launch)
    for number in range(3):
        run = runs.start(SHORT, f"ana {number}", ana)
        (run.folder / "stop").touch()
        queue.delete(run.id)
    with monkeypatch.context() as waiting:
        waiting.setattr(queue, "dispatch", lambda: None)
        runs.start(SHORT, "ana 3", ana)
        runs.start(SHORT, "bo 0", bo)
    queue.dispatch()
    assert began[-2:] == ["bo 0", "ana 3"]


@pytest.mark.usefixtures("unlaunched")
def test_one_person_queues_ten_runs_and_another_still_can(
    ana: Ticket, bo: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(queue.MOST_WAITING):
        run = runs.start(SHORT, f"net {number}", ana)
    with pytest.raises(queue.RunError, match="10 of your runs"):
        runs.start(SHORT, "one more", ana)
    runs.start(SHORT, "net", bo)
    runs.steer(queue.stop, run.id, ana)
    runs.start(SHORT, "one more", ana)
    with pytest.raises(queue.RunError, match="10 of your runs"):
        runs.steer(queue.resume, run.id, ana)
    (run.folder / "checkpoint.pt").write_bytes(bytes(2000))
    monkeypatch.setenv("FMNIST_RUNS_MAX_GB", "1e-4")
    with pytest.raises(queue.RunError, match="one person's may take"):
        runs.start(SHORT, "too much", ana)
    runs.start(SHORT, "another", bo)


def test_test_figures_are_sealed_until_the_teacher_reveals_them(
    teacher: Ticket, ana: Ticket, finished: Run
) -> None:
    kept = runs.keep(finished.id, "anas", ana)
    brought = replace(kept, classroom=runs.room_of(kept.sha256))
    for card in (finished.card, kept, shelf.load("anas").card, brought):
        assert card.test
        sealed = runs.seal(card)
        assert (sealed.test, sealed.mirrored, sealed.seeds) == (None, None, None)
        assert sealed.knows == ("train", "validation")
        assert sealed.any_picture
        assert sealed.validation == card.validation
    room.reveal(teacher)
    assert runs.seal(kept) == kept
    assert "test" in runs.seal(kept).knows


def test_an_ensemble_with_a_model_of_a_room_is_of_that_room_also_when_it_is_brought_back(
    ana: Ticket, finished: Run
) -> None:
    members = shelf.load(finished.weights), shelf.load("softmax")
    together = ensembles.joined(members, "together")
    kept = shelf.keep(together, "together")
    assert kept.classroom == ana.code
    brought = shelf.open(
        (shelf.own_folder() / "together.safetensors").read_bytes(), "theirs.safetensors"
    )
    assert brought.card.classroom is None
    assert runs.room_of(brought.card.sha256) == ana.code


def test_what_is_taken_home_of_a_sealed_run_says_nothing_of_test(
    teacher: Ticket, finished: Run
) -> None:
    model, card = shelf.load(finished.weights)

    def text(card: Card) -> str:
        with ZipFile(io.BytesIO(package.packed(Weights(model, card)))) as zipped:
            names = [name for name in zipped.namelist() if name.endswith((".md", ".json", ".py"))]
            return "".join(zipped.read(name).decode() for name in names)

    accuracy = f"{100 * card.test.accuracy:.2f}"
    assert accuracy in text(card)
    sealed = text(runs.seal(card))
    assert accuracy not in sealed
    assert str(card.test.accuracy) not in sealed


def test_a_card_of_no_room_or_of_a_closed_one_is_not_sealed(teacher: Ticket, finished: Run) -> None:
    plain = Card("plain", "fcnn", 0)
    assert runs.seal(plain) == plain
    assert runs.room_of("0" * 64) is None
    room.close(teacher)
    assert runs.seal(finished.card) == finished.card
    assert runs.owner_name(finished) == "Somebody of a room that is closed"


def test_only_its_owner_and_the_teacher_keep_a_runs_result(bo: Ticket, finished: Run) -> None:
    with pytest.raises(RoomError, match="Only Ana"):
        runs.keep(finished.id, "bos", bo)
    assert "bos" not in {card.name for card in shelf.cards()}
