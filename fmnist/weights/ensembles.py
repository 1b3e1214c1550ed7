"""Weights that become one: an ensemble, in one file that holds them all."""

from collections.abc import Sequence

import numpy as np

from fmnist.analysis.evaluation import Evaluation
from fmnist.models.chain import MOST_NUMBERS, Chain
from fmnist.models.ensemble import FEWEST, MOST, Ensemble, Member
from fmnist.models.layers import Classifier
from fmnist.weights import shelf
from fmnist.weights.card import ENSEMBLE, OPAQUE, Card, WeightsError
from fmnist.weights.shelf import Weights


def joined(weights: Sequence[Weights], name: str) -> Weights:
    """The ensemble of models, under a name and not measured.

    Raises WeightsError where one is an ensemble or has no layers to be seen, where they are too
    few, too many or too large, and where they are of several classrooms.
    """
    cards = [card for _, card in weights]
    _check(cards)
    try:
        model = Ensemble([_member(*one) for one in weights]).eval()
    except ValueError:
        raise WeightsError(
            "These models are too large together: all members may have {most:,} parameters.",
            most=MOST_NUMBERS,
        ) from None
    for network, (own, _) in zip(model.networks, weights, strict=True):
        network.load_state_dict(own.state_dict())
    card = Card(
        name,
        architecture=None,
        parameters=None,
        members=model.members,
        data=cards[0].data if len({card.data for card in cards}) == 1 else None,
        classroom=_classroom(cards),
    )
    return shelf.completed(Weights(model, card))


def may_join(card: Card) -> bool:
    """Whether a model is a single network of layers that validation can judge among others."""
    return card.family not in {ENSEMBLE, *OPAQUE} and card.repeats is None


def answer_of(members: Sequence[Evaluation], name: str) -> Evaluation:
    """What an ensemble says of images, by what its members say of the same ones."""
    logits = np.mean([e.logits for e in members], axis=0)
    return Evaluation(name, logits, members[0].labels)


def _check(cards: Sequence[Card]) -> None:
    """Raise WeightsError for models that are too few or too many, or can't join others."""
    if not FEWEST <= len(cards) <= MOST:
        raise WeightsError("An ensemble has {fewest} to {most} models.", fewest=FEWEST, most=MOST)
    for card in cards:
        if card.repeats is not None:
            raise WeightsError(
                "{name} has learned the validation images, by which several together are judged. "
                "Take {chosen} in its place.",
                name=card.label,
                chosen=card.repeats,
            )
        if not may_join(card):
            raise WeightsError(
                "{name} is no single network of layers, so it can't join others.", name=card.label
            )


def _member(model: Classifier, card: Card) -> Member:
    """How a member is built."""
    if isinstance(model, Chain):
        return {"name": card.label, "layers": model.layers}
    return {"name": card.label, "architecture": card.architecture}


def _classroom(cards: Sequence[Card]) -> str | None:
    """The room that may have sealed what its models do on test: then no other may say it."""
    rooms = {card.classroom for card in cards} - {None}
    if len(rooms) > 1:
        raise WeightsError("These models are of several rooms, so they don't make an ensemble.")
    return next(iter(rooms), None)
