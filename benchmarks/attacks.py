"""How often attacks on the test garments succeed, before and after adversarial training.

    python -m benchmarks.attacks [BEFORE AFTER]

prints the table of the page Break it at several strengths, in Markdown.
"""

import sys

from fmnist.analysis import intervals, robustness
from fmnist.analysis.robustness import Success
from fmnist.data import splits
from fmnist.machine import devices
from fmnist.models import inference
from fmnist.weights import shelf

STRENGTHS = (4, 8, 16)


def fooled(attacked: str, by: str, strength: int) -> Success:
    """Of the garments that one model names right, how many the gradient of another changes."""
    test, device = splits.load("test", splits.default_source()), devices.choose()
    model, source = shelf.load(attacked).model, shelf.load(by).model
    answers = inference.infer(model, test.images, device).argmax(1)
    rows = robustness.sample_of_right(answers, test.labels)
    counts = robustness.success(
        model, source.to(device), test.images[rows], test.labels[rows], strength, lambda done: None
    )
    return Success(*counts.tolist())


def _share(count: int, total: int) -> str:
    low, high = intervals.share(count, total)
    return f"{count / total:.1%} ({low:.1%} to {high:.1%})"


def main(*names: str) -> None:
    print("| grey levels | attacked | by the gradient of | untargeted | targeted |")
    print("|---|---|---|---|---|")
    for strength in STRENGTHS:
        for attacked in names:
            for by in names:
                found = fooled(attacked, by, strength)
                shares = [_share(count, found.n) for count in (found.untargeted, found.targeted)]
                print(f"| {strength} | {attacked} | {by} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:] or (shelf.BEFORE, shelf.ADVERSARIAL))
