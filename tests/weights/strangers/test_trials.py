import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import Split
from fmnist.models.chain import Chain
from fmnist.weights.strangers import trials
from fmnist.weights.strangers.trials import Candidate
from fmnist.words import Words

RANDOM = np.random.default_rng(0)
SPLIT = Split(RANDOM.integers(0, 256, (400, 28, 28), np.uint8), np.arange(400) % 10)
FLAT = {"kind": "Flatten"}
LAST = {"kind": "Linear", "in_features": 784, "out_features": 10}


def templates() -> dict[str, Tensor]:
    """A linear layer that knows every picture of the split by heart, nearly."""
    pixels = torch.tensor(SPLIT.images).flatten(1) / 255
    wanted = nn.functional.one_hot(torch.tensor(SPLIT.labels), 10).float()
    weight = torch.linalg.lstsq(pixels - pixels.mean(0), wanted - 0.1).solution.T
    return {"weight": 8 * weight.contiguous(), "bias": -8 * weight @ pixels.mean(0)}


def candidate(*layers: dict[str, object], cost: float = 0.0, **about: object) -> Candidate:
    filled = [templates() if layer is LAST else {} for layer in layers]
    return Candidate(lambda: Chain(layers, filled).eval(), cost=cost, readings=("0..1",), **about)


def test_of_two_that_are_as_often_right_the_one_whose_doubts_are_right_is_taken() -> None:
    """As often right, for a bounded activation behind them changes no order, but less sure."""
    plain = candidate(FLAT, LAST, cost=0.5)
    bounded = candidate(FLAT, LAST, {"kind": "Sigmoid"})
    found = trials.best([bounded, plain], SPLIT)
    assert found
    assert found.candidate is plain


def test_what_normalisations_remember_tells_how_pixels_were_read() -> None:
    """The same answers in both orders of the pixels but for what a normalisation remembers."""
    model = Chain(
        [FLAT, {"kind": "BatchNorm", "channels": 784, "images": False}, LAST],
        [{}, {"running_mean": torch.full((784,), 0.5), "running_var": torch.full((784,), 1 / 12)},
         templates()],
    ).eval()  # fmt: skip
    strange = {}
    for reads in ("0..1", "0..255", "-1..1"):
        trials.read_as(model, reads)
        with trials._memories(model) as found, torch.inference_mode():
            model(torch.tensor(SPLIT.images)[:, None] / 255)
        (strange[reads],) = found
    assert strange["0..1"] < 0.05
    assert min(strange["0..255"], strange["-1..1"]) > 0.3
    assert not any(layer._forward_pre_hooks for layer in model.modules())


@pytest.mark.parametrize("taken_for", [None, Words("ReLU")])
def test_fewer_right_than_most_have_is_doubted_where_the_wiring_was_guessed(
    taken_for: Words | None,
) -> None:
    """Of a graph the wiring is known, whatever it has learned."""
    labels = SPLIT.labels.copy()
    labels[::3] = RANDOM.permutation(labels[::3])
    split = Split(SPLIT.images, labels)
    found = trials.best([candidate(FLAT, LAST, taken_for=taken_for)], split)
    assert found
    assert bool(found.doubt) == bool(taken_for)


def test_answers_as_large_as_floats_can_be_are_judged_all_the_same() -> None:
    huge = {"weight": torch.full((10, 784), 2e35), "bias": torch.zeros(10)}
    huge["weight"][::2] *= -1
    found = trials.best(
        [Candidate(lambda: Chain([FLAT, LAST], [{}, huge]).eval(), readings=("0..1",))], SPLIT
    )
    assert found
    assert found.doubt


def test_the_most_usual_ways_are_tried_with_dark_garments_from_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else another way that does well enough upright can stay ahead of the right one."""
    ways = [Candidate(candidate(FLAT, LAST).build) for _ in range(trials.MOST_DARK + 1)]
    first: list[list[str]] = []

    def record(wanted: list[tuple[Candidate, list[str]]], *_: object) -> list[object]:
        first.extend([] if first else [readings for _, readings in wanted])
        return []

    monkeypatch.setattr(trials, "_tried", record)
    assert trials.best(ways, SPLIT) is None
    assert "0..1, dark on white" in first[0]
    assert set(first[-1]) == set(trials.GLANCED)


@pytest.mark.parametrize(("shown", "dead"), [(10, True), (9, False)])
def test_an_answer_that_is_never_given_is_odd_where_images_of_that_class_are_shown(
    shown: int, dead: bool
) -> None:
    labels = np.arange(40, dtype=np.uint8) % shown
    logits = np.where(np.eye(10)[labels] > 0, 3.0, -3.0).astype(np.float32)
    logits[:, 9] = -3.0
    trial = trials._judged(candidate(FLAT, LAST), "0..1", Evaluation("", logits, labels), 0.0)
    assert trial.cut == dead
