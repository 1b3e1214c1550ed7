import dataclasses
import io

import numpy as np
import pytest
import torch
from strangers import one_who_sees_bags
from torch import nn

from fmnist.analysis.evaluation import Evaluation, accuracy, probabilities
from fmnist.data import garments
from fmnist.data.people import Taken
from fmnist.data.splits import Split
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.inference import infer, infer_mirrored
from fmnist.models.recipe import Recipe
from fmnist.training import distillation, loop
from fmnist.training.loop import (
    PROGRESS_PER_EPOCH,
    Checkpoint,
    People,
    Progress,
    learning_rate,
    train,
)

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, batch_size=16, lr=1e-3, precision="float32")


@pytest.fixture(scope="module")
def splits() -> tuple[Split, Split]:
    return Split(*garments.draw(200, seed=1)), Split(*garments.draw(60, seed=2))


def trained(
    splits: tuple[Split, Split], recipe: Recipe = RECIPE
) -> tuple[nn.Module, list[Progress]]:
    model = MODELS["fcnn"].seeded(recipe.seed)
    return model, list(train(model, splits, recipe, CPU))


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(splits) -> None:
    losses = [[r.loss for r in trained(splits)[1]] for _ in range(2)]
    other = [r.loss for r in trained(splits, dataclasses.replace(RECIPE, seed=1))[1]]
    assert losses[0] == losses[1]
    assert losses[0] != other


def test_where_the_epoch_is_known_training_ends_with_it_as_it_stood_there_on_the_way_to_the_last(
    splits,
) -> None:
    whole, state = MODELS["fcnn"].seeded(0), Checkpoint()
    ends = (r for r in train(whole, splits, RECIPE, CPU, state) if r.validation)
    assert next(ends).epoch == 1
    assert next(ends).epoch == 2
    expected = {name: tensor.clone() for name, tensor in state.model.items()}

    # Those of the first would be kept if validation chose.
    training, unlearned = splits[0], Split(splits[1].images, (splits[1].labels + 1) % 10)
    short = MODELS["fcnn"].seeded(0)
    reports = list(train(short, (training, unlearned), RECIPE, CPU, until=2))
    assert (reports[-1].epoch, reports[-1].step) == (2, reports[-1].steps)
    assert all(torch.equal(expected[name], t) for name, t in short.state_dict().items())


@pytest.mark.parametrize(
    ("optimizer", "lr"), [("adamw", 1e-3), pytest.param("muon", 0.02, marks=pytest.mark.slow)]
)
def test_training_learns_the_drawn_garments(splits, optimizer, lr) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=8, optimizer=optimizer, lr=lr)
    _, reports = trained(splits, recipe)
    assert reports[-1].loss < reports[0].loss / 2
    assert reports[-1].validation.accuracy > 0.6


def watched(model: nn.Module) -> list[torch.Tensor]:
    """The batches that a model is shown in training."""
    seen: list[torch.Tensor] = []
    model.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0]) if module.training else None
    )
    return seen


def test_two_epochs_show_every_image_from_both_sides(splits) -> None:
    model = MODELS["fcnn"].seeded(0)
    seen = watched(model)
    recipe = dataclasses.replace(RECIPE, epochs=2, augment=("flip",))
    list(train(model, splits, recipe, CPU))
    shown = (torch.cat(seen)[:, 0] * 255).round().byte().numpy()
    both = np.concatenate([splits[0].images, splits[0].images[:, :, ::-1]])
    assert sorted(map(bytes, shown)) == sorted(map(bytes, both))


def test_reports_come_regularly_and_validate_at_the_end_of_each_epoch(splits) -> None:
    _, reports = trained(splits)
    per_epoch = 13  # 200 images in batches of 16
    assert all(report.steps == 3 * per_epoch for report in reports)
    assert [r.step for r in reports] == sorted({r.step for r in reports})
    ends = [report for report in reports if report.validation]
    assert [(r.epoch, r.step) for r in ends] == [(1, 13), (2, 26), (3, 39)]
    assert len(reports) <= 3 * (PROGRESS_PER_EPOCH + 1)
    assert reports[-1].eta_seconds == 0
    assert all(r.images_per_second > 0 for r in reports)


@pytest.mark.parametrize(
    ("count", "sizes"), [(33, [16, 17]), (34, [16, 16, 2]), (3, [3]), (1, [1])]
)
def test_a_last_image_that_is_left_over_joins_the_batch_before(
    splits, count: int, sizes: list[int]
) -> None:
    few = Split(splits[0].images[:count], splits[0].labels[:count])
    model = MODELS["fcnn"].seeded(0)
    seen = watched(model)
    recipe = dataclasses.replace(RECIPE, epochs=1, augment=())
    reports = list(train(model, (few, splits[1]), recipe, CPU))
    assert [len(batch) for batch in seen] == sizes
    shown = (torch.cat(seen)[:, 0] * 255).round().byte().numpy()
    assert sorted(map(bytes, shown)) == sorted(map(bytes, few.images))
    assert reports[-1].steps == len(sizes)


@pytest.mark.parametrize(("count", "batch_size"), [(1, 16), (5, 1)])
def test_a_model_that_normalises_batches_is_not_given_one_image(
    splits, count: int, batch_size: int
) -> None:
    few = Split(splits[0].images[:count], splits[0].labels[:count])
    recipe = dataclasses.replace(RECIPE, batch_size=batch_size)
    normalised = MODELS["fcnn-normalized"].seeded(0)
    with pytest.raises(UserFacingError, match="from two images at once"):
        next(train(normalised, (few, splits[1]), recipe, CPU))
    assert next(train(MODELS["fcnn"].seeded(0), (few, splits[1]), recipe, CPU)).step


def test_the_speed_counts_the_images_that_were_there(splits, monkeypatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(loop.time, "perf_counter", lambda: float(next(ticks)))
    recipe = dataclasses.replace(RECIPE, batch_size=4000, epochs=1)
    (report,) = trained(splits, recipe)[1]
    assert report.images_per_second == len(splits[0])  # in what the clock took for a second


def test_the_validation_figures_are_those_of_a_second_measurement(splits) -> None:
    model, reports = trained(splits, dataclasses.replace(RECIPE, epochs=1))
    logits = infer(model, splits[1].images, CPU)
    validation = reports[-1].validation
    assert validation.accuracy == pytest.approx(accuracy(Evaluation("m", logits, splits[1].labels)))
    assert (validation.predictions == logits.argmax(1)).all()


def test_the_weights_of_the_best_epoch_are_kept(splits) -> None:
    state = Checkpoint()
    model = MODELS["fcnn"].seeded(0)
    recipe = dataclasses.replace(RECIPE, epochs=6, lr=0.05)  # so high that accuracy jumps about
    history = [
        r.validation.accuracy for r in train(model, splits, recipe, CPU, state) if r.validation
    ]
    assert state.best_accuracy == max(history)
    assert state.best_epoch == 1 + history.index(max(history))
    kept = accuracy(Evaluation("m", infer(model, splits[1].images, CPU), splits[1].labels))
    assert kept == pytest.approx(max(history))


def test_what_is_kept_and_judged_is_the_running_mean_of_the_weights(splits) -> None:
    seen, model = [], MODELS["softmax"].seeded(0)
    # Before each step, and therefore after each but the last.
    model.register_forward_pre_hook(
        lambda module, _: (
            seen.append(module.head.weight.detach().clone()) if module.training else None
        )
    )
    recipe = dataclasses.replace(RECIPE, epochs=1, averaging=0.8)
    reports = train(model, splits, recipe, CPU)
    *_, (end, last) = [(report, model.head.weight.detach().clone()) for report in reports]
    after = [*seen[1:], last]
    expected = after[0]
    for weights in after[1:]:
        expected = 0.8 * expected + 0.2 * weights
    assert torch.allclose(model.head.weight, expected, atol=1e-6)
    assert not torch.allclose(model.head.weight, after[-1], atol=1e-4)
    logits = infer(model, splits[1].images, CPU)
    judged = accuracy(Evaluation("m", logits, splits[1].labels))
    assert judged == pytest.approx(end.validation.accuracy)


@pytest.mark.parametrize(
    "stop_after",
    [1, *(pytest.param(step, marks=pytest.mark.slow) for step in (13, 20))],
)
@pytest.mark.parametrize(
    ("optimizer", "averaging"),
    [("adamw", 0.0), pytest.param("muon", 0.0, marks=pytest.mark.slow), ("muon", 0.9)],
)
def test_a_training_that_goes_on_ends_as_one_that_was_never_interrupted(
    splits, optimizer, averaging, stop_after
) -> None:
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer, averaging=averaging)
    uninterrupted, _ = trained(splits, recipe)
    state = Checkpoint()
    for progress in train(MODELS["fcnn"].seeded(0), splits, recipe, CPU, state):
        if progress.step >= stop_after:
            break
    saved = io.BytesIO()
    torch.save(vars(state), saved)
    loaded = Checkpoint(**torch.load(io.BytesIO(saved.getvalue()), weights_only=True))
    resumed = MODELS["fcnn"].seeded(99)
    first = next(reports := train(resumed, splits, recipe, CPU, loaded))
    assert first.step > state.step
    list(reports)
    expected = uninterrupted.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in resumed.state_dict().items())


def test_training_leaves_the_global_random_state_alone(splits) -> None:
    before = torch.random.get_rng_state()
    trained(splits, dataclasses.replace(RECIPE, epochs=1))
    assert torch.equal(before, torch.random.get_rng_state())


def test_bfloat16_reaches_what_float32_does(splits) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=8)
    reached = [
        max(r.validation.accuracy for r in trained(splits, changed)[1] if r.validation)
        for changed in (recipe, dataclasses.replace(recipe, precision="bfloat16"))
    ]
    assert abs(reached[0] - reached[1]) < 0.1


def test_one_cycle_rises_to_the_peak_then_falls_to_nothing() -> None:
    rates = [learning_rate(Recipe(lr=0.1), step, 100) for step in range(100)]
    peak = int(np.argmax(rates))
    assert rates[peak] == pytest.approx(0.1)
    assert peak == 20
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[-1] < 1e-4


def test_cosine_starts_at_its_peak() -> None:
    recipe = Recipe(lr=0.1, schedule="cosine")
    assert learning_rate(recipe, 0, 100) == 0.1
    assert learning_rate(recipe, 50, 100) == pytest.approx(0.05)


def test_a_recipe_comes_back_from_json_unchanged() -> None:
    for spec in MODELS.values():
        assert Recipe.from_json(spec.recipe.to_json()) == spec.recipe


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"weight_decay": -1.0},
        {"label_smoothing": 0.9},
        {"augment": ("spin",)},
        {"seed": -1},
        {"schedule": "step"},
        {"optimizer": "magic"},
        {"precision": "float8"},
    ],
    ids=str,
)
def test_a_recipe_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(
        UserFacingError, match=next(iter(wrong)) if "augment" not in wrong else "spin"
    ):
        Recipe(**wrong)


def test_an_unknown_recipe_field_is_refused() -> None:
    with pytest.raises(UserFacingError, match="momentum"):
        Recipe.from_json({"momentum": 0.9})


def test_a_teachers_answers_are_learned_instead_of_the_labels(splits) -> None:
    """A teacher that calls everything a bag makes bags of everything."""
    recipe, model = dataclasses.replace(RECIPE, teacher="bags"), MODELS["fcnn"].seeded(0)
    list(train(model, splits, recipe, CPU, teacher=one_who_sees_bags()))
    assert (infer(model, splits[1].images, CPU).argmax(1) == 8).all()


def test_a_training_goes_on_with_what_its_teacher_answered(splits) -> None:
    """Its weights may be others, or gone, by then."""
    recipe, state = dataclasses.replace(RECIPE, teacher="bags"), Checkpoint()
    next(train(MODELS["fcnn"].seeded(0), splits, recipe, CPU, state, one_who_sees_bags()))
    list(train(resumed := MODELS["fcnn"].seeded(0), splits, recipe, CPU, state))
    assert (infer(resumed, splits[1].images, CPU).argmax(1) == 8).all()


def test_a_training_without_the_teacher_that_it_wants_is_refused(splits) -> None:
    recipe = dataclasses.replace(RECIPE, teacher="bags")
    with pytest.raises(UserFacingError, match="bags"):
        next(train(MODELS["fcnn"].seeded(0), splits, recipe, CPU))


@pytest.mark.parametrize(("bfloat16", "tolerance"), [(False, 1e-5), (True, 1e-2)])
def test_a_teacher_answers_an_image_and_its_mirror_image_alike(splits, bfloat16, tolerance) -> None:
    images = splits[0].images
    teacher = MODELS["cnn"].seeded(0)
    with torch.no_grad():
        teacher.head.weight.mul_(30)  # an untrained one finds all classes nearly alike
    answers = distillation.answers(teacher, images, CPU, bfloat16)
    mirrored = distillation.answers(teacher, images[:, :, ::-1].copy(), CPU, bfloat16)
    torch.testing.assert_close(answers, mirrored)
    expected = probabilities(infer_mirrored(teacher, images, CPU))
    assert np.ptp(expected, 1).mean() > 0.2
    np.testing.assert_allclose(answers, expected, atol=tolerance)


@pytest.mark.parametrize("alike", [1.0, 0.25])
def test_a_set_is_learned_as_the_probability_of_any_of_its_classes_by_their_weights(alike) -> None:
    logits = torch.randn(6, 10, generator=torch.Generator().manual_seed(0), requires_grad=True)
    sets = torch.zeros(6, 10)
    sets[:4, [0, 6]] = torch.tensor([1.0, alike])
    targets = loop._smoothed(np.array([0, 0, 0, 0, 3, 10], np.uint8), 0.0)
    aims = loop._aims(logits.detach(), targets, sets, 0.0)
    nn.functional.cross_entropy(logits, aims, reduction="sum").backward()
    ours = logits.grad.clone()
    logits.grad = None
    mass = (logits.softmax(1) * sets)[:4].sum(1).log().sum()
    rest = nn.functional.cross_entropy(logits[4:], targets[4:], reduction="sum")
    (rest - mass).backward()
    torch.testing.assert_close(ours, logits.grad)


@pytest.fixture(scope="module")
def people() -> People:
    """Garments as if people had drawn and photographed them; every fourth is none of the ten."""

    def taken(count: int, seed: int) -> Taken:
        images, labels = garments.draw(count, seed)
        accepted = np.eye(10, dtype=np.float32)[labels]
        accepted[::4] = 0
        return Taken(images, accepted, np.arange(count, dtype=np.uint8) % 4)

    return People(taken(120, seed=3), taken(40, seed=4))


def test_pictures_by_people_are_learned_and_every_kind_chooses_the_best_epoch(
    splits, people
) -> None:
    recipe, state = dataclasses.replace(RECIPE, people=10.0, lr=0.02), Checkpoint()
    reports = list(train(MODELS["fcnn"].seeded(0), splits, recipe, CPU, state, people=people))
    validations = [report.validation for report in reports if report.validation]
    # Every fourth is none of the ten, and so are all of the first kind.
    assert all(
        validation.kinds.keys() == {"careful", "photos", "shop"} for validation in validations
    )
    assert state.best_accuracy == max(validation.score for validation in validations)
    assert state.people == 120
    assert reports[-1].steps == 3 * 20  # 320 images in batches of 16


def test_a_recipe_takes_as_many_pictures_by_people_as_it_says(splits, people) -> None:
    for share, count in ((0.0, 0), (0.25, 50), (10.0, 120)):
        state = Checkpoint()
        recipe = dataclasses.replace(RECIPE, epochs=1, people=share)
        list(train(MODELS["fcnn"].seeded(0), splits, recipe, CPU, state, people=people))
        assert state.people == count


def test_garments_are_mixed_with_garments_and_pictures_with_several_right_answers_with_nothing(
    splits, people
) -> None:
    model = MODELS["fcnn"].seeded(0)
    seen = watched(model)
    recipe = dataclasses.replace(RECIPE, epochs=1, people=10.0, mixing=1.0, augment=())
    list(train(model, splits, recipe, CPU, people=people))
    shown = {bytes(image) for image in (torch.cat(seen)[:, 0] * 255).round().byte().numpy()}
    with_a_set = people.training.accepted.any(1)
    assert {bytes(image) for image in people.training.images[with_a_set]} <= shown
    # A batch's last may stand alone and be mixed with itself.
    assert sum(bytes(image) in shown for image in splits[0].images) < 20


def test_without_pictures_by_people_a_training_is_the_one_of_a_recipe_without(splits) -> None:
    alone, wanting = (
        trained(splits, dataclasses.replace(RECIPE, people=share))[1] for share in (0.0, 1.0)
    )
    assert [report.loss for report in alone] == [report.loss for report in wanting]
    assert alone[-1].validation.kinds == {}


def test_a_training_with_people_goes_on_as_if_never_interrupted_and_with_no_others(
    splits, people
) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=2, people=0.25)
    whole, cut = MODELS["fcnn"].seeded(0), MODELS["fcnn"].seeded(0)
    list(train(whole, splits, recipe, CPU, people=people))
    state = Checkpoint()
    next(train(cut, splits, recipe, CPU, state, people=people))
    with pytest.raises(UserFacingError, match="began with 50 pictures"):
        next(train(MODELS["fcnn"].seeded(0), splits, recipe, CPU, state))
    list(train(cut, splits, recipe, CPU, state, people=people))
    assert all(
        torch.equal(value, whole.state_dict()[key]) for key, value in cut.state_dict().items()
    )
