"""What finished runs become: weights by name, with the figures of all their seeds."""

from collections.abc import Sequence
from dataclasses import replace

from fmnist.runs.run import IN_WORDS, Plan, Run, RunError, read_run
from fmnist.weights import shelf
from fmnist.weights.card import Card, Seed
from fmnist.weights.shelf import Weights


def keep(run_ids: Sequence[str], name: str) -> Card:
    """Save a finished run's result among the weights under a new name; every page then shows it.

    Of several runs that differ in their seed only, it is the best on validation, and its card has
    the figures of all. Raises RunError where one isn't finished, or they differ in more or share a
    seed, and WeightsError where the name is taken or names nothing.
    """
    runs = [read_run(run_id) for run_id in run_ids]
    _check_seeds(runs)
    seeds = [figures(run.plan.recipe.seed, _card(run)) for run in runs]
    best, _ = max(zip(runs, seeds, strict=True), key=lambda each: each[1].validation or 0.0)
    model, card = shelf.load(best.weights)
    return shelf.keep(Weights(model, replace(card, seeds=seeds)), name)


def is_kept(plan: Plan, card: Card) -> bool:
    """Whether the weights of the name that a plan asks for are those of a card."""
    return any((kept.name, kept.sha256) == (plan.name, card.sha256) for kept in shelf.cards())


def _check_seeds(runs: Sequence[Run]) -> None:
    """Raise RunError unless the seed alone tells the runs from one another."""
    first = runs[0].plan
    for run in runs:
        recipe = replace(run.plan.recipe, seed=first.recipe.seed)
        alike = replace(run.plan, recipe=recipe, name=first.name, title=first.title)
        if replace(alike, origin=first.origin) != first:
            raise RunError(
                "{run} and {other} differ in more than their seed.", run=run.id, other=runs[0].id
            )
    if len({run.plan.recipe.seed for run in runs}) < len(runs):
        raise RunError("Each of the runs needs a seed of its own.")


def _card(run: Run) -> Card:
    """The card of a finished run; raises RunError for another."""
    if run.card is None:
        raise RunError(
            "Run {run} is {state}; only a finished one has weights to keep.",
            run=run.id,
            state=IN_WORDS[run.state],
        )
    return run.card


def figures(seed: int, card: Card) -> Seed:
    """What a card says of the training of that seed; raises RunError where it wasn't measured."""
    if card.test is None:
        raise RunError("The card of run {name} has no figures.", name=card.name)
    validation = card.validation.accuracy if card.validation else None
    return Seed(seed, validation, card.test.accuracy, card.mirrored)
