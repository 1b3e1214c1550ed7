import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from fmnist.analysis import attacks
from fmnist.data import garments
from fmnist.models import MODELS
from fmnist.models.inference import infer
from fmnist.models.layers import Classifier
from fmnist.weights import shelf

CPU = torch.device("cpu")
IMAGES, LABELS = garments.draw(30, seed=5)


def built(name: str) -> Classifier:
    model = MODELS[name].seeded(0).eval()
    assert isinstance(model, Classifier)
    return model


def loss(model: Classifier, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        exact = model.head.weight.dtype
        logits = model(torch.tensor(images, dtype=exact)[:, None]).double()
    wanted = torch.tensor(labels.astype(np.int64))
    return functional.cross_entropy(logits, wanted, reduction="none").numpy()


@pytest.mark.parametrize("name", ["softmax", "lenet-5", "gru"])
def test_the_gradient_of_the_loss_agrees_with_finite_differences(name: str) -> None:
    model, step = built(name), 1e-5
    # Of noise, as of an even ground a pool has several greatest values, and no one slope.
    pixels = np.random.default_rng(1).uniform(size=(1, 28, 28)).astype(np.float32)
    found = attacks.gradient(model, pixels, LABELS[:1])[0]
    exact = copy.deepcopy(model).double()
    for row, column in np.random.default_rng(0).integers(0, 28, (30, 2)):
        moved = np.repeat(pixels.astype(np.float64), 2, axis=0)
        moved[:, row, column] += (step, -step)
        above, below = loss(exact, moved, np.repeat(LABELS[:1], 2))
        assert found[row, column] == pytest.approx((above - below) / (2 * step), abs=1e-5)


def test_each_image_has_the_gradient_that_it_has_alone() -> None:
    model, pixels = built("lenet-5"), (IMAGES[:3] / 255).astype(np.float32)
    together = attacks.gradient(model, pixels, LABELS[:3])
    alone = [attacks.gradient(model, pixels[i : i + 1], LABELS[i : i + 1])[0] for i in range(3)]
    assert np.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("towards", [None, 4])
def test_fgsm_of_a_linear_model_is_that_in_closed_form(towards: int | None) -> None:
    model, strength = built("softmax"), 12
    with torch.no_grad():
        said = model(torch.tensor(IMAGES)[:, None].float() / 255).softmax(1)
        aims = LABELS if towards is None else np.full(len(LABELS), towards, np.uint8)
        wanted = torch.eye(10)[torch.tensor(aims).long()]
        # The gradient of the cross-entropy by a pixel is (said - wanted) times its weights.
        uphill = ((said - wanted) @ model.head.weight).sign().reshape(-1, 28, 28).numpy()
    sign = 1 if towards is None else -1
    closed = (IMAGES + sign * strength * uphill).clip(0, 255)
    given = None if towards is None else aims
    assert (attacks.fgsm(model, IMAGES, LABELS, strength, given) == closed).mean() > 0.999


def test_fgsm_moves_no_pixel_of_a_model_that_is_sure_beyond_single_precision_to_nowhere() -> None:
    model = built("softmax")
    with torch.no_grad():
        model.head.weight *= 60  # the probability of its answer is 1 in single precision
    labels = infer(model, IMAGES, CPU).argmax(1).astype(np.uint8)
    moved = attacks.changes(IMAGES, attacks.fgsm(model, IMAGES, labels, 10))
    assert (np.abs(moved).max((1, 2)) == 10).all()


@pytest.mark.parametrize("name", ["lenet-5", "gru"])
def test_pgd_stays_within_its_strength_and_finds_worse_than_fgsm(name: str) -> None:
    model, strength = built(name), 8
    one = attacks.fgsm(model, IMAGES, LABELS, strength)
    many = attacks.pgd(model, IMAGES, LABELS, strength)
    assert many.dtype == np.uint8
    assert np.abs(attacks.changes(IMAGES, many)).max() <= strength
    before, after_one, after_many = (
        loss(model, images / 255, LABELS).mean() for images in (IMAGES, one, many)
    )
    assert before < after_one <= after_many + 1e-6


def test_pgd_towards_a_class_makes_that_class_likelier_and_often_the_answer() -> None:
    model = shelf.load("cnn").model
    aims = attacks.other_classes(LABELS)
    assert (aims != LABELS).all()
    assert aims.max() < 10
    moved = attacks.pgd(model, IMAGES, LABELS, 16, aims)
    assert (loss(model, moved / 255, aims) < loss(model, IMAGES / 255, aims)).all()
    before = (infer(model, IMAGES, CPU).argmax(1) == aims).sum()
    assert (infer(model, moved, CPU).argmax(1) == aims).sum() > before


def test_pgd_of_a_linear_model_reaches_the_corner_that_is_worst() -> None:
    model, strength = built("softmax"), 6
    # Of two classes alone: the loss rises with the difference of their logits.
    with torch.no_grad():
        model.head.weight[2:] = 0
        model.head.bias[2:] = -100
        slope = (model.head.weight[1] - model.head.weight[0]).sign().reshape(28, 28).numpy()
    labels = np.zeros(len(IMAGES), np.uint8)
    worst = (IMAGES + strength * slope).clip(0, 255)
    found = attacks.pgd(model, IMAGES, labels, strength, steps=40)
    assert (found == worst).mean() > 0.99


# A few pixels


def test_the_search_changes_the_pixels_of_a_linear_model_that_count_most() -> None:
    model = built("softmax")
    image, label = IMAGES[0], int(infer(model, IMAGES[:1], CPU).argmax())
    search = attacks.few_pixels(model, image, label, most=30)
    assert search.fooled
    assert infer(model, search.image[None], CPU).argmax() != label
    assert len(search.changed) == len(set(search.changed)) == (search.image != image).sum()
    assert search.asked == sum(784 - n for n in range(len(search.changed)))
    # The first one is the best of all single changes, each tried here alone.
    margins = []
    for place in range(784):
        tried = image.ravel().copy()
        tried[place] = 255 if tried[place] < 128 else 0
        logits = infer(model, tried.reshape(1, 28, 28), CPU)[0]
        margins.append(logits[label] - np.delete(logits, label).max())
    assert margins[28 * search.changed[0][0] + search.changed[0][1]] == pytest.approx(min(margins))


def test_the_search_towards_a_class_ends_at_it_and_one_of_no_pixels_changes_nothing() -> None:
    model = built("softmax")
    label = int(infer(model, IMAGES[:1], CPU).argmax())
    towards = (label + 1) % 10
    search = attacks.few_pixels(model, IMAGES[0], label, most=60, towards=towards)
    assert search.fooled
    assert infer(model, search.image[None], CPU).argmax() == towards
    none = attacks.few_pixels(model, IMAGES[0], label, most=0)
    assert not none.fooled
    assert (none.image == IMAGES[0]).all()
