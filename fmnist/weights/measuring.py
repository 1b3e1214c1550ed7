"""What a model's card says of it once it was asked about the validation and the test images."""

from dataclasses import replace

import torch

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import Split
from fmnist.models import inference
from fmnist.weights.card import Card, measured
from fmnist.weights.shelf import Weights


def asked(weights: Weights, data: tuple[Split, Split], device: torch.device) -> Card:
    """The card with what the model answers to (validation, test), and to mirror images of test."""
    model, card = weights
    on_validation, on_test = (
        Evaluation(card.name, inference.infer(model, split.images, device), split.labels)
        for split in data
    )
    _, test = data
    mirrored = inference.infer_mirrored(model, test.images, device)
    return replace(
        with_figures(card, on_validation, on_test),
        mirrored=evaluation.accuracy(Evaluation(card.name, mirrored, test.labels)),
    )


def with_figures(card: Card, on_validation: Evaluation, on_test: Evaluation) -> Card:
    """The card with the figures of two evaluations, and how sure to be by the first."""
    return replace(
        card,
        validation=measured(on_validation),
        test=measured(on_test),
        temperature=evaluation.fit_temperature(on_validation),
        energy_limit=evaluation.fit_energy_limit(on_validation),
    )
