"""How long training takes: to known accuracies, one of them against a notebook's, for every model.

    python -m benchmarks.training_speed [SEEDS]

The notebook's recipe is the common one of two convolutions and three linear layers: Adam at 1e-3,
batches of 20 from a DataLoader over PIL images, 50 epochs. Some of its epochs are timed and the
rest extrapolated. Ours is `OURS`. Both train on the same images in the same process, in turn; ours
counts its validations too. Then come, by the shortest recipes known to reach them, the seconds to
93 and 94 % on test, where a model is asked about an image and its mirror image; and images a second
for every registered model, with what share its training has of the multiplications that the same
cores do in one large product of matrices in bfloat16.
"""

import statistics
import sys
import time
from dataclasses import replace

import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision.transforms import ToTensor

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import SPLITS, Split
from fmnist.models import MODELS, inference
from fmnist.models.layers import Classifier
from fmnist.models.recipe import Precision, Recipe
from fmnist.training.loop import train

CPU = torch.device("cpu")
GOAL = 0.9166
NOTEBOOK_EPOCHS, TIMED_EPOCHS = 50, 2
OURS = (
    "cnn",
    Recipe(epochs=6, lr=5e-3, weight_decay=0.05, label_smoothing=0.05, augment=("flip",)),
)
_SHORT = Recipe(epochs=1, lr=0.03, weight_decay=0.02, label_smoothing=0.05, optimizer="muon")
SOONEST: dict[float, tuple[str, Recipe]] = {
    0.93: ("residual-100k", replace(_SHORT, epochs=10, augment=("flip",))),
    0.94: ("residual-300k", replace(_SHORT, epochs=20, augment=("flip", "shift"))),
}
"""By the accuracy that is wanted, the model and the recipe that reach it soonest."""
STEPS, BATCH = 12, 256
WIDE = 4096
"""Rows and columns of matrices that are large enough for a processor to be as fast as it can."""


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """The images as a notebook reads them: one PIL image at a time."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.transform = ToTensor()

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.split.images[row])
        return self.transform(picture), int(self.split.labels[row])


def notebook(split: Split, seed: int) -> float:
    """Seconds that an epoch takes by the notebook's recipe."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 512), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = DataLoader(Pictures(split), batch_size=20, shuffle=True)
    start = time.perf_counter()
    for _ in range(TIMED_EPOCHS):
        for images, labels in batches:
            optimizer.zero_grad()
            torch.autograd.backward(functional.cross_entropy(model(images), labels))
            optimizer.step()
    return (time.perf_counter() - start) / TIMED_EPOCHS


def trained(
    name: str, recipe: Recipe, splits: tuple[Split, Split], seed: int
) -> tuple[Classifier, float]:
    """A model by a recipe, and the seconds that it took."""
    model = MODELS[name].seeded(seed)
    start = time.perf_counter()
    for _ in train(model, splits, replace(recipe, seed=seed), CPU):
        pass
    return model, time.perf_counter() - start


def compare(training: Split, validation: Split, test: Split, seeds: int) -> None:
    """Print the time to the goal by both recipes, and their ratio, for every seed."""
    epochs = OURS[1].epochs
    print(f"to {GOAL:.2%} on test: the notebook's {NOTEBOOK_EPOCHS} epochs, of which")
    print(f"{TIMED_EPOCHS} are timed and the rest extrapolated, and {epochs} epochs of ours")
    print(f"{'seed':<6}{'notebook':>12}{'ours':>10}{'our test':>12}{'ratio':>10}")
    ratios = []
    for seed in range(seeds):
        theirs = notebook(training, seed) * NOTEBOOK_EPOCHS
        model, seconds = trained(*OURS, (training, validation), seed)
        logits = inference.infer(model, test.images, CPU)
        accuracy = evaluation.accuracy(Evaluation("", logits, test.labels))
        reached = accuracy >= GOAL
        ratios.append(theirs / seconds if reached else 0.0)
        ratio = f"{ratios[-1]:.1f}" if reached else "missed"
        print(
            f"{seed:<6}{theirs:>10.0f} s{seconds:>8.1f} s{accuracy:>12.2%}{ratio:>10}", flush=True
        )
    print(f"median ratio {statistics.median(ratios):.1f}\n")


def soonest(training: Split, validation: Split, test: Split, seeds: int) -> None:
    """Print the seconds to each of the higher accuracies, and what every seed reached."""
    print("seconds to an accuracy on test, asked about an image and its mirror image")
    for goal, (name, recipe) in SOONEST.items():
        seconds, reached = [], []
        for seed in range(seeds):
            model, took = trained(name, recipe, (training, validation), seed)
            logits = inference.infer_mirrored(model, test.images, CPU)
            seconds.append(took)
            reached.append(evaluation.accuracy(Evaluation("", logits, test.labels)))
        each = ", ".join(f"{accuracy:.2%}" for accuracy in reached)
        print(
            f"{goal:.0%}: {name}, {recipe.epochs} epochs, {statistics.median(seconds):.0f} s; "
            f"{statistics.mean(reached):.2%} on average ({each})",
            flush=True,
        )
    print()


def images_per_second(training: Split) -> None:
    """Print what every model trains and answers, in float32 and as its recipe asks."""
    print(f"images a second: training in batches of {BATCH}, inference of {BATCH},")
    print(f"in float32 and in the recipe's precision; medians over {STEPS} batches")
    limit = peak()
    print(f"peak: {limit / 1e9:,.0f} GFLOP/s in a product of matrices, in bfloat16")
    heads = ("training", "by recipe", "inference", "by recipe", "of peak")
    print(f"{'model':<16}" + "".join(f"{head:>12}" for head in heads))
    few = Split(training.images[: STEPS * BATCH], training.labels[: STEPS * BATCH])
    for name, spec in MODELS.items():
        precisions: tuple[Precision, ...] = ("float32", spec.recipe.precision)
        speeds = [_training_speed(name, few, precision) for precision in precisions]
        speeds += [_inference_speed(name, training, precision) for precision in precisions]
        # What a recurrent layer multiplies isn't counted.
        share = "-" if spec.family == "rnn" else f"{speeds[1] * operations(name) / limit:.1%}"
        print(
            f"{name:<16}" + "".join(f"{speed:>12,.0f}" for speed in speeds),
            f"{share:>11}",
            flush=True,
        )


def peak() -> float:
    """Floating-point operations a second in a product of large matrices in bfloat16."""
    one, other = torch.randn(2, WIDE, WIDE, dtype=torch.bfloat16)
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        one @ other
        times.append(time.perf_counter() - start)
    return float(2 * WIDE**3 / statistics.median(times))


def operations(name: str) -> float:
    """Floating-point operations that training takes for one image, forward and backward."""
    model = MODELS[name].build()
    with FlopCounterMode(display=False) as counted:
        torch.autograd.backward(model(torch.rand(BATCH, 1, 28, 28)).sum())
    return float(counted.get_total_flops() / BATCH)


def _inference_speed(name: str, training: Split, precision: Precision) -> float:
    model = MODELS[name].build().eval()
    images = training.images[:BATCH]
    times = []
    with torch.autocast(CPU.type, torch.bfloat16, enabled=precision == "bfloat16"):
        inference.infer(model, images, CPU)  # warm
        for _ in range(STEPS):
            start = time.perf_counter()
            inference.infer(model, images, CPU)
            times.append(time.perf_counter() - start)
    return len(images) / statistics.median(times)


def _training_speed(name: str, few: Split, precision: Precision) -> float:
    recipe = replace(
        MODELS[name].recipe,
        epochs=1,
        batch_size=BATCH,
        precision=precision,
        everyday=0.0,
        teacher=None,
    )
    steps = train(MODELS[name].build(), (few, few), recipe, CPU)
    return statistics.median(report.images_per_second for report in steps)


def main(seeds: int) -> None:
    training, validation, test = (splits.load(name, "real") for name in SPLITS)
    compare(training, validation, test, seeds)
    soonest(training, validation, test, seeds)
    images_per_second(training)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
