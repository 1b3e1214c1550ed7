"""What finished runs become: weights by name, with the figures of all their seeds."""

from collections.abc import Sequence
from dataclasses import replace

from fmnist.runs.run import Run, RunError, read_run
from fmnist.weights import shelf
from fmnist.weights.card import Card, Seed
from fmnist.weights.shelf import Weights


def keep(run_ids: Sequence[str], name: str) -> Card:
    """Save a finished run's result among the weights under a new name; every page then shows it.

    Of several runs that differ in their seed only, it is the best on validation, and its card has
    the figures of all. Raises RunError where they differ in more or share a seed, and WeightsError
    where the name is taken.
    """
    chosen = [read_run(run_id) for run_id in run_ids]
    first = chosen[0].plan
    for run in chosen:
        recipe = replace(run.plan.recipe, seed=first.recipe.seed)
        if replace(run.plan, recipe=recipe, name=first.name, origin=first.origin) != first:
            raise RunError(f"{run.id} and {chosen[0].id} differ in more than their seed.")
    if len({run.plan.recipe.seed for run in chosen}) < len(chosen):
        raise RunError("Each of the runs needs a seed of its own.")
    results = [_result(run) for run in chosen]
    seeds = [
        _seed(run.plan.recipe.seed, result.card)
        for run, result in zip(chosen, results, strict=True)
    ]
    best = results[max(range(len(seeds)), key=lambda place: seeds[place].validation)]
    return shelf.keep(best._replace(card=replace(best.card, seeds=seeds)), name)


def _result(run: Run) -> Weights:
    if run.card is None:
        raise RunError(f"Run {run.id} is {run.state}; only a finished one has weights to keep.")
    return shelf.load(run.folder / f"{run.id}.safetensors")


def _seed(seed: int, card: Card) -> Seed:
    if card.validation is None or card.test is None:
        raise RunError(f"The card of run {card.name} has no figures.")
    return Seed(seed, card.validation.accuracy, card.test.accuracy, card.mirrored)
