import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import brought
import numpy as np
import pytest
import torch
from strangers import one_who_sees_bags
from waiting import end_all, wait

from fmnist import PROJECT
from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import people, splits
from fmnist.data.splits import Split
from fmnist.machine.errors import UserFacingError
from fmnist.machine.locks import is_held
from fmnist.models import MODELS, building, inference
from fmnist.models.chain import Chain
from fmnist.models.layers import parameter_count
from fmnist.models.recipe import Recipe
from fmnist.runs import queue, results, worker
from fmnist.runs import run as run_module
from fmnist.runs.run import BUILT, Plan, Run, RunError, _content, all_runs, read_run, runs_folder
from fmnist.training.loop import train
from fmnist.weights import ensembles, shelf
from fmnist.weights.card import Card, Seed, WeightsError
from fmnist.weights.shelf import Weights

SHORT = Plan("fcnn", Recipe(epochs=2, batch_size=64), "drawn", "cpu", limit=500)
LONG = replace(SHORT, recipe=Recipe(epochs=1000, batch_size=32))


@pytest.fixture(autouse=True)
def _stop_everything() -> Iterator[None]:
    yield
    end_all(wait)


def process_of(run: Run) -> int:
    found = subprocess.run(["pgrep", "-f", run.id], capture_output=True, text=True)
    return int(found.stdout.split()[0])


@pytest.fixture
def carried_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[Plan], Run]:
    """Carries out runs in this process, for tests of what comes of them and not of processes."""

    def carry_out(plan: Plan) -> Run:
        monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
        run = queue.start(plan)
        (run.folder / "queued").unlink()
        worker.execute(run)
        return read_run(run.id)

    return carry_out


@pytest.mark.slow
def test_a_network_that_was_built_is_trained_kept_and_loaded_like_any_other(carried_out) -> None:
    kinds = ("Convolution", "ReLU", "Pool", "Residual", "GRU", "Dropout", "Dense")
    layers = building.chain([building.brick(kind) for kind in kinds])
    plan = replace(SHORT, model=BUILT, layers=layers, recipe=replace(SHORT.recipe, epochs=1))
    run = carried_out(plan)
    assert run.state == "finished", run.log()
    assert run.plan == replace(plan, device="cpu")
    assert run.card.architecture is None
    assert run.card.layers == layers
    assert run.card.parameters == parameter_count(Chain(layers))
    card = results.keep([run.id], "mine")
    model, _ = shelf.load(card.name)
    test = splits.load("test", "drawn")
    logits = inference.infer(model, test.images, torch.device("cpu"))
    assert evaluation.accuracy(Evaluation("mine", logits, test.labels)) == card.test.accuracy


def test_a_plan_of_no_layers_and_no_architecture_is_refused() -> None:
    with pytest.raises(UserFacingError, match="no model 'built'"):
        replace(SHORT, model=BUILT)


def test_a_run_outlives_its_starter_and_trains_to_its_end() -> None:
    script = (
        "from fmnist.models.recipe import Recipe\n"
        "from fmnist.runs import queue\n"
        "from fmnist.runs.run import Plan\n"
        "plan = Plan('fcnn', Recipe(epochs=2, batch_size=64), 'drawn', 'cpu', limit=500)\n"
        "print(queue.start(plan).id)"
    )
    starter = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True
    )
    run = list(queue.watch(starter.stdout.strip()))[-1]
    assert run.state == "finished", run.failure
    last, validated = run.progress[-1], [line for line in run.progress if "validation_loss" in line]
    assert last["step"] == last["steps"] == 16
    assert [line["epoch"] for line in validated] == [1, 2]
    card = run.card
    assert card.test.n == 1000
    assert card.validation.accuracy == max(line["validation_accuracy"] for line in validated)
    assert card.recipe == SHORT.recipe.to_json()
    assert results.keep([run.id], "mine").name == "mine"
    assert shelf.load("mine")[1].test == card.test


def test_a_teacher_that_knows_real_garments_does_not_teach_drawn_ones(
    carried_out: Callable[[Plan], Run],
) -> None:
    run = carried_out(replace(SHORT, recipe=replace(SHORT.recipe, teacher="fcnn-small")))
    assert run.plan.recipe.teacher is None
    assert run.card.recipe["teacher"] is None
    assert run.notice == "fcnn-small knows no drawn garments: the labels are learned."


def test_a_teacher_that_knows_the_garments_teaches_them(
    carried_out: Callable[[Plan], Run],
) -> None:
    """One that calls everything a bag makes bags of everything."""
    card = Card("elder", "fcnn", 0, data="drawn")
    shelf.save(Weights(one_who_sees_bags(), card), shelf.own_folder())
    run = carried_out(replace(SHORT, recipe=replace(SHORT.recipe, teacher="elder")))
    assert run.notice is None
    named = np.sum(run.card.test.confusion, 0)
    assert named.tolist() == [0] * 8 + [1000, 0]


def test_without_a_folder_of_pictures_a_run_trains_on_imagined_ones_and_says_so(
    carried_out: Callable[[Plan], Run],
) -> None:
    recipe = replace(SHORT.recipe, epochs=1, people=1.0, start="fcnn")
    run = carried_out(replace(SHORT, recipe=recipe))
    assert "fcnn knows no drawn garments" in run.notice
    assert "imagined ones only" in run.notice
    assert run.plan.recipe.start is None
    assert run.card.sources is None
    assert run.card.certainty is None


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of pictures by people is named."""
    brought.take_in_here(monkeypatch)
    monkeypatch.setenv("FMNIST_PICTURES", str(brought.fill(tmp_path / "pictures")))


@pytest.mark.slow
@pytest.mark.usefixtures("pictures")
def test_what_people_drew_and_took_is_trained_on_and_named_on_the_card(
    carried_out: Callable[[Plan], Run],
) -> None:
    run = carried_out(replace(SHORT, recipe=replace(SHORT.recipe, people=1.0)))
    assert run.notice is None
    quick_draw, products = run.card.sources
    assert "CC BY 4.0" in quick_draw
    assert "no licence" in products
    assert run.card.certainty.keys() == {"sketch", "dataset"}  # no garment of the shop is held out
    assert run.card.certainty["dataset"].temperature == run.card.temperature
    assert run.progress[-1]["validation_kinds"].keys() == {"drawings"}


@pytest.mark.slow
@pytest.mark.usefixtures("pictures")
def test_where_so_few_pictures_are_brought_that_none_is_held_out_a_run_ends_all_the_same(
    carried_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_is_held_out", lambda group: False)
    run = carried_out(replace(SHORT, recipe=replace(SHORT.recipe, epochs=1, people=1.0)))
    assert (run.state, run.card.certainty) == ("finished", None)


@pytest.mark.slow
def test_a_run_begins_with_the_weights_that_its_recipe_names(
    carried_out: Callable[[Plan], Run],
) -> None:
    card = Card("elder", "fcnn", 0, data="drawn")
    elder = carried_out(replace(SHORT, recipe=replace(SHORT.recipe, epochs=6)))
    shelf.save(
        Weights(shelf.load(elder.folder / f"{elder.id}.safetensors").model, card),
        shelf.own_folder(),
    )
    brief = replace(SHORT.recipe, epochs=1, lr=1e-6)
    fresh, known = (
        carried_out(replace(SHORT, recipe=replace(brief, start=start))) for start in (None, "elder")
    )
    assert known.card.test.accuracy == pytest.approx(elder.card.test.accuracy, abs=0.01)
    assert known.card.test.accuracy > fresh.card.test.accuracy + 0.2


def test_what_validation_chose_is_repeated_on_its_images_too_to_the_same_epoch(
    carried_out: Callable[[Plan], Run],
) -> None:
    carried_out(replace(SHORT, name="chosen"))
    best = shelf.load("chosen")
    chosen = best.card
    again = replace(SHORT, repeats=chosen, name="again")
    with pytest.raises(RunError, match="trained in another way"):
        queue.start(replace(again, recipe=replace(SHORT.recipe, lr=0.5)))
    shelf.remove("chosen")  # what is repeated is what it was when that was asked for
    run = carried_out(again)
    assert "learns the validation images too" in run.notice
    assert (run.best, run.card.validation, run.card.knows) == (None, None, ("train", "test"))
    assert (run.card.best_epoch, run.card.repeats) == (chosen.best_epoch, "chosen")
    assert (run.card.temperature, run.card.energy_limit) == (
        chosen.temperature,
        chosen.energy_limit,
    )
    assert [seed.validation for seed in shelf.load("again").card.seeds] == [None]

    training, validation = splits.load("train", "drawn", 500), splits.load("validation", "drawn")
    pairs = zip(vars(training).values(), vars(validation).values(), strict=True)
    both = Split(*map(np.concatenate, pairs))
    model = MODELS["fcnn"].seeded(0)
    reports = train(model, (both, both), SHORT.recipe, torch.device("cpu"))
    for report in reports:
        if report.validation and report.epoch == chosen.best_epoch:
            break
    expected = model.state_dict()
    kept = shelf.load("again").model.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in expected.items())

    with pytest.raises(RunError, match="again repeats chosen itself"):
        queue.start(replace(again, repeats=shelf.load("again").card, name="once more"))
    with pytest.raises(WeightsError, match=r"again has learned.*Take chosen"):
        ensembles.joined([shelf.load("again"), best], "both")


def test_a_teacher_that_is_not_there_is_refused_before_the_training() -> None:
    plan = replace(SHORT, recipe=replace(SHORT.recipe, teacher="nobody"))
    with pytest.raises(WeightsError, match="no weights 'nobody'"):
        queue.start(plan)
    assert all_runs() == []


@pytest.mark.slow
def test_of_runs_with_several_seeds_the_best_on_validation_is_kept_with_every_seeds_figures(
    carried_out: Callable[[Plan], Run],
) -> None:
    plans = [replace(SHORT, recipe=replace(SHORT.recipe, seed=seed)) for seed in range(3)]
    started = [carried_out(plan) for plan in plans]
    cards = [run.card for run in started]
    kept = results.keep([run.id for run in started], "best")
    assert kept.validation.accuracy == max(card.validation.accuracy for card in cards)
    assert shelf.load("best")[1].seeds == [
        Seed(seed, card.validation.accuracy, card.test.accuracy, card.mirrored)
        for seed, card in enumerate(cards)
    ]
    with pytest.raises(RunError, match="a seed of its own"):
        results.keep([started[0].id, started[0].id], "twice")
    with pytest.raises(WeightsError, match="weights named best already"):
        results.keep([started[1].id], "best")
    longer = carried_out(replace(SHORT, recipe=replace(SHORT.recipe, epochs=1)))
    with pytest.raises(RunError, match="differ in more than their seed"):
        results.keep([started[0].id, longer.id], "mixed")


def test_a_name_that_another_took_meanwhile_is_said_and_nothing_is_lost(
    carried_out: Callable[[Plan], Run],
) -> None:
    taken = carried_out(SHORT)
    results.keep([taken.id], "free")
    shelf.rename("free", "mine")  # its file is called otherwise
    with pytest.raises(WeightsError, match="named mine already"):
        queue.start(replace(SHORT, name="mine"))

    run = queue.start(replace(SHORT, name="theirs", recipe=replace(SHORT.recipe, seed=1)))
    results.keep([taken.id], "theirs")
    (run.folder / "queued").unlink()
    worker.execute(run)
    run = read_run(run.id)
    assert "not kept as theirs" in run.notice
    assert not results.is_kept(run.plan, run.card)
    assert shelf.load(run.weights).card.test == run.card.test


def test_a_run_that_was_killed_once_it_was_kept_is_no_other_under_its_name(
    carried_out: Callable[[Plan], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> Card:
        raise KeyboardInterrupt

    plan, save = replace(SHORT, name="mine"), shelf.save

    def save_until_killed(weights: Weights, folder: Path) -> Card:
        return killed() if folder.is_relative_to(runs_folder()) else save(weights, folder)

    with monkeypatch.context() as patch:
        patch.setattr(shelf, "save", save_until_killed)
        with pytest.raises(KeyboardInterrupt):
            carried_out(plan)
    (run,) = all_runs()
    assert run.card is None
    worker.execute(run)
    run = read_run(run.id)
    assert results.is_kept(run.plan, run.card)
    assert run.notice is None


@pytest.mark.parametrize("text", ["5GB", "nan", "0", "-1"])
def test_a_limit_that_is_none_is_said(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMNIST_RUNS_MAX_GB", text)
    with pytest.raises(RunError, match="give a number of gigabytes"):
        queue.start(SHORT)


@pytest.mark.parametrize(("nice", "more"), [(0, 10), (10, 0), (19, 0)])
def test_a_run_is_as_nice_whoever_dispatched_it(
    nice: int, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def begin(by: int) -> int:
        asked.append(by)
        if len(asked) > 1:
            raise KeyboardInterrupt
        return nice

    monkeypatch.setattr(os, "nice", begin)
    monkeypatch.setattr(sys, "argv", ["worker", "a-run"])
    with pytest.raises(KeyboardInterrupt):
        worker.main()
    assert asked == [0, more]


@pytest.mark.slow
def test_stopped_and_killed_a_run_ends_as_one_that_never_was_and_the_queue_moves_on() -> None:
    plan = replace(SHORT, recipe=Recipe(epochs=15, batch_size=16))
    first, second = queue.start(plan), queue.start(plan)
    assert second.state == "queued"

    wait(first.id, lambda run: len(run.progress) > 5)
    queue.stop(first.id)
    stopped = wait(first.id, lambda run: run.state == "stopped")
    assert 0 < stopped.progress[-1]["step"] < stopped.progress[-1]["steps"]
    queue.resume(first.id)
    wait(second.id, lambda run: run.state == "finished")

    seen = len(stopped.progress)
    wait(first.id, lambda run: len(run.progress) > seen + 5)
    os.kill(process_of(first), signal.SIGKILL)
    wait(first.id, lambda run: run.state == "interrupted")
    with (first.folder / "progress.jsonl").open("a") as lines:
        lines.write('{"step": 1, "ep')  # what a crash in the middle of a line leaves
    queue.resume(first.id)
    done = wait(first.id, lambda run: run.state == "finished")

    assert done.card.sha256 == read_run(second.id).card.sha256
    steps = [line["step"] for line in done.progress]
    assert steps == sorted(set(steps))


def test_thirty_starts_at_once_run_one_and_queue_the_rest() -> None:
    with ThreadPoolExecutor(30) as pool:
        started = list(pool.map(queue.start, [LONG] * 30))
    assert len({run.id for run in started}) == len(all_runs()) == 30
    states = [run.state for run in all_runs()]
    assert (states.count("running"), states.count("queued")) == (1, 29)


def test_a_failing_run_leaves_a_sentence_and_its_log() -> None:
    run = queue.start(replace(SHORT, data="real"))
    failed = wait(run.id, lambda run: run.state == "failed")
    assert "is missing" in failed.failure
    assert "Traceback" in (failed.folder / "log.txt").read_text()


@pytest.mark.slow
def test_a_checkpoint_cut_short_and_wrong_wishes_are_refused_in_words() -> None:
    run = queue.start(LONG)
    for refused in (queue.resume, queue.delete, lambda run_id: results.keep([run_id], "mine")):
        with pytest.raises(RunError, match="is running"):
            refused(run.id)
    wait(run.id, lambda run: (run.folder / "checkpoint.pt").exists())
    queue.stop(run.id)
    run = wait(run.id, lambda run: run.state == "stopped")
    with pytest.raises(RunError, match="nothing to stop"):
        queue.stop(run.id)
    checkpoint = run.folder / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    queue.resume(run.id)
    failed = wait(run.id, lambda run: run.state == "failed")
    assert "checkpoint.pt is damaged" in failed.failure
    queue.delete(run.id)
    assert all_runs() == []


@pytest.mark.slow
def test_starts_from_two_processes_run_one_and_lose_none() -> None:
    script = (
        "from fmnist.models.recipe import Recipe\n"
        "from fmnist.runs import queue\n"
        "from fmnist.runs.run import Plan\n"
        "plan = Plan('fcnn', Recipe(epochs=1000), 'drawn', 'cpu', limit=500)\n"
        "for _ in range(15): queue.start(plan)"
    )
    starters = [subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT) for _ in range(2)]
    assert [starter.wait() for starter in starters] == [0, 0]
    states = [run.state for run in all_runs()]
    assert (states.count("running"), states.count("queued")) == (1, 29)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that waits for its device, and doesn't get it."""
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    return queue.start(SHORT)


def test_a_run_is_of_one_moment_until_it_is_read_again(waiting: Run) -> None:
    (waiting.folder / "progress.jsonl").write_text('\n{"step": 1}\n{"step": 2}\n{"step": 2}')
    before = read_run(waiting.id)
    queue.stop(waiting.id)
    (waiting.folder / "progress.jsonl").write_text("")
    assert (before.state, before.active) == ("queued", True)
    assert [line["step"] for line in before.progress] == [1, 2]
    now = read_run(waiting.id)
    assert (now.state, now.active, now.progress) == ("stopped", False, [])


def test_progress_is_the_same_however_often_it_was_read_while_it_grew(waiting: Run) -> None:
    steps = [1, 2, 3, 4, 3, 4, 5]  # resumed, it writes again what it had not saved
    lines = b"".join(b'{"step": %d}\n' % step for step in steps)
    for end in [*range(len(lines) + 1), 20]:
        grown = replace(waiting, progress_lines=lines[:end])
        afresh = replace(grown, folder=waiting.folder / str(end))
        assert grown.progress == afresh.progress
    whole = replace(waiting, progress_lines=lines)
    assert [line["step"] for line in whole.progress] == [1, 2, 3, 4, 5]


def test_a_run_that_ends_while_it_is_read_shows_nothing_of_an_end(
    waiting: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(lock: Path) -> bool:
        (waiting.folder / f"{waiting.id}.json").write_text(Card(waiting.id, "fcnn", 0).to_json())
        (waiting.folder / "failure.txt").write_text("The name was taken.")
        return True  # as was so until now

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "is_held", end)
        seen = read_run(waiting.id)
    assert (seen.state, seen.card, seen.failure) == ("running", None, None)
    seen = read_run(waiting.id)
    assert (seen.state, seen.card.name) == ("finished", waiting.id)


@pytest.mark.parametrize("look", [is_held, os.scandir, _content])
def test_a_run_steered_while_it_is_read_is_as_before_or_after(
    waiting: Run, monkeypatch: pytest.MonkeyPatch, look: Callable[[Path], object]
) -> None:
    (waiting.folder / "notice.txt").write_text("The GPU failed.")

    def read_while(steer: Callable[[str], object]) -> Run:
        steers = [steer]

        def look_and_steer(path: Path) -> object:
            seen = look(path)
            if steers:
                steers.pop()(waiting.id)
            return seen

        owner = os if look is os.scandir else run_module
        with monkeypatch.context() as patch:
            patch.setattr(owner, look.__name__, look_and_steer)
            return read_run(waiting.id)

    assert read_while(queue.stop).state in ("queued", "stopped")
    (waiting.folder / "failure.txt").write_text("The disk was full.")
    assert read_while(queue.resume).state in ("failed", "queued")
    queue.stop(waiting.id)
    with pytest.raises(RunError, match="There is no run"):
        read_while(queue.delete)


def test_a_damaged_card_is_said_and_hurts_no_other_run(waiting: Run) -> None:
    other = queue.start(SHORT)
    (waiting.folder / f"{waiting.id}.json").write_text("{}")
    with pytest.raises(RunError, match=r"card of run '.*' is damaged"):
        read_run(waiting.id)
    assert [run.id for run in all_runs()] == [other.id]


def test_runs_beyond_the_quota_are_refused_until_some_are_deleted(
    waiting: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.stop(waiting.id)
    (waiting.folder / "checkpoint.pt").write_bytes(bytes(2_000_000))
    monkeypatch.setenv("FMNIST_RUNS_MAX_GB", "0.001")
    with pytest.raises(RunError, match="FMNIST_RUNS_MAX_GB"):
        queue.start(SHORT)
    (runs_folder() / ".gone-elder" / "predictions").mkdir(parents=True)  # by who was killed
    queue.delete(waiting.id)
    assert not list(runs_folder().glob(".*"))
    queue.start(SHORT)


def test_a_folder_that_can_not_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMNIST_RUNS", "/dev/null/runs")
    with pytest.raises(RunError, match="can't be written: Not a directory"):
        queue.start(SHORT)
    queue.dispatch()
    assert all_runs() == []


@pytest.mark.slow
def test_in_a_folder_that_locks_no_files_runs_are_listed_and_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        run = queue.start(SHORT)
        assert "No files can be locked in" in queue.dispatch()
        assert "No locks available" in queue.dispatch()
        assert [(run.id, run.state) for run in all_runs()] == [(run.id, "queued")]
    assert queue.dispatch() is None
    wait(run.id, lambda run: run.state == "finished")


@pytest.mark.slow
def test_a_run_deleted_by_hand_hurts_no_other() -> None:
    doomed, other = queue.start(LONG), queue.start(SHORT)
    wait(doomed.id, lambda run: bool(run.progress))
    while doomed.folder.exists():  # the run goes on writing into it
        shutil.rmtree(doomed.folder, ignore_errors=True)
    wait(other.id, lambda run: queue.dispatch() or run.state == "finished")
    with pytest.raises(RunError, match="There is no run"):
        read_run(doomed.id)


@pytest.mark.parametrize("name", ["nothing", "../outside", ".hidden", ""])
def test_a_run_that_is_not_there_is_refused_in_words(name: str) -> None:
    with pytest.raises(RunError, match="There is no run"):
        read_run(name)


def test_a_run_whose_result_could_not_be_kept_under_its_name_is_not_begun() -> None:
    for name, words in (("../up", "can't name a weights file"), ("cnn", "named cnn already")):
        with pytest.raises(WeightsError, match=words):
            queue.start(replace(SHORT, name=name))
    assert all_runs() == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model": "vgg"}, "no model 'vgg'"),
        ({"data": "cifar"}, "no data 'cifar'"),
        ({"limit": 0}, "at least one image"),
        ({"device": "tpu"}, "not a device"),
    ],
)
def test_a_plan_that_can_not_be_done_is_refused_at_once(wrong: dict, words: str) -> None:
    with pytest.raises(UserFacingError, match=words):
        queue.start(replace(SHORT, **wrong))
    assert all_runs() == []
