"""How fast this machine trains: from earlier runs that worked likewise, or measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fmnist.models.recipe import Recipe
from fmnist.runs import pace
from fmnist.runs.pace import Turn, Work
from fmnist.runs.run import Plan, Run
from fmnist.weights.card import Card

PLAN = Plan("fcnn-small", Recipe(batch_size=8), "drawn", "cpu")


def run(plan: Plan, *speeds: float) -> Run:
    lines = [json.dumps({"step": step, "images_per_second": s}) for step, s in enumerate(speeds)]
    return Run("a", Path(), plan, "finished", "", None, None, None, "\n".join(lines).encode())


@pytest.mark.parametrize(
    ("other", "speed"),
    [
        (replace(PLAN, recipe=replace(PLAN.recipe, epochs=99, lr=0.5), limit=7), 20.0),
        (replace(PLAN, recipe=replace(PLAN.recipe, batch_size=16)), None),
        (replace(PLAN, recipe=replace(PLAN.recipe, adversarial=0.1)), None),
        (replace(PLAN, model="fcnn"), None),
        (replace(PLAN, device="cuda"), None),
    ],
)
def test_a_run_tells_the_speed_of_plans_that_do_the_same_with_each_image(
    other: Plan, speed: float | None
) -> None:
    assert pace.seen(Work.of(PLAN), [run(other, 1.0, 20.0, 30.0)]) == speed


def test_a_run_that_has_hardly_begun_tells_no_speed() -> None:
    assert pace.seen(Work.of(PLAN), [run(PLAN, 5.0)]) is None


def test_a_speed_is_measured_by_training_and_says_how_far_it_is() -> None:
    heard: list[float] = []
    assert pace.measure(Work.of(PLAN), heard.append) > 0
    assert heard == sorted(heard)
    assert 0 < heard[-1] < 1


def test_a_plan_takes_longer_by_what_it_learns_beside_the_images() -> None:
    once = pace.seconds(PLAN, 6000, 3000, 1000.0)
    assert once == PLAN.recipe.epochs * (6 + 1)
    added = replace(PLAN, recipe=replace(PLAN.recipe, everyday=0.5, people=0.5))
    assert pace.seconds(added, 6000, 3000, 1000.0) == PLAN.recipe.epochs * (12 + 1)


def test_a_repetition_learns_the_validation_images_too_and_ends_with_the_best_epoch() -> None:
    repeated = replace(PLAN, repeats=Card("mine", "fcnn-small", 0, best_epoch=7))
    assert pace.seconds(repeated, 6000, 3000, 1000.0) == 7 * (9 + 1)


def test_whose_turn_comes_when_is_the_sum_of_those_before() -> None:
    plan = replace(PLAN, recipe=replace(PLAN.recipe, epochs=2))
    lines = b'{"step": 1, "images_per_second": 100, "eta_seconds": 8.0}\n'
    lines += b'{"step": 2, "images_per_second": 100, "eta_seconds": 7.0}'
    began = replace(run(plan), state="running", progress_lines=lines)
    first, second = (replace(run(plan), id=name, state="queued") for name in "bc")
    other = replace(run(replace(plan, device="cuda")), id="d", state="queued")
    waiting = [first, other, second]
    # 100 images and a third of the 30 held out, twice, at 100 a second.
    assert pace.turns([began, *waiting], waiting, lambda plan: (100, 30)) == {
        "b": Turn(1, 2, 7.0),
        "c": Turn(2, 2, pytest.approx(7.0 + 2 * 1.1)),
        "d": Turn(1, 1, 0.0),
    }


def test_behind_a_run_of_unknown_speed_nobody_knows_when_the_turn_comes() -> None:
    first, second = (replace(run(PLAN), id=name, state="queued") for name in "bc")
    found = pace.turns([first, second], [first, second], lambda plan: (100, 30))
    assert found == {"b": Turn(1, 2, 0.0), "c": Turn(2, 2, None)}
