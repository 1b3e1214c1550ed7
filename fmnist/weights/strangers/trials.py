"""Which of several models a file holds, and how it reads pixels: what validation images say."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import fashion, splits
from fmnist.data.fashion import DataError
from fmnist.data.splits import CLASSES, Split
from fmnist.models import inference
from fmnist.models.chain import Border, Chain
from fmnist.models.inference import ProgressCallback
from fmnist.models.layers import TRAIN_MEAN, TRAIN_STD, Classifier
from fmnist.words import Words, listed

_USUAL = {
    "0..1": (0.0, 1.0),
    "0..255": (0.0, 1 / 255),
    Words("standardised"): (TRAIN_MEAN, TRAIN_STD),
    "-1..1": (0.5, 0.5),
}
_UPRIGHT = _USUAL | {
    Words("standardised as MNIST is"): (0.1307, 0.3081),
    "-0.5..0.5": (0.5, 1.0),
}
READINGS: Mapping[str, tuple[float, float]] = _UPRIGHT | {
    Words("{reading}, dark on white", reading=name): (1 - mean, -std)
    for name, (mean, std) in _UPRIGHT.items()
}
"""Every way to read pixels that is tried, with the mean and the standard deviation that do it."""
TRIED_ON = 2000
"""Validation images that the last choice is made on; the many tries before see a part of them."""
GLANCE = 32
"""Images that are enough to tell a network from one that is wired wrong."""
GLANCED = ("0..1", "standardised", "-1..1", "0..255")
"""Readings unlike enough that a network which reads another one does well with one of them."""
GLANCED_DARK = ("0..1, dark on white",)
"""And of those who take black for white, which the most usual candidates alone are tried with."""
MOST_DARK = 8
"""How many those are."""
WORK = 2 * 10**10
"""Multiplications of a round of tries, a second or so; the most promising come first."""
AS_GOOD = 0.005
"""A difference in accuracy that says little on so few images."""
STAGES = 10
"""Rounds of tries, of which some may be left out."""
TWINS = 3
"""How many twins of the best are tried on all images."""
LEADERS = 6
"""How many candidates go on to the next round."""
BEHIND = 0.1
"""By how much less accurate on few images nothing is that does as well on all of them."""
USUAL_ONES = 2
"""How many of the most usual come with them to the last one."""
HANDICAP, TWIN = 0.02, 0.01
"""By how much more accurate what is unusual has to be, for each unit of its cost: on few images,
and on many. A network that learned with ReLU can do half a point better with LeakyReLU."""
SURE = 0.25
"""What a nat of loss weighs against accuracy: of two that are as often right, the one whose doubts
are where they should be is more likely what was trained."""
SHARPER = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)
"""By what logits are multiplied: a softmax or a loss of another kind lies between them and ours."""
REMEMBERED = 0.1
"""What it weighs, 0 to 1, that normalisations are given other values than those they remember."""
CUT = 0.2
"""What it weighs that an answer is never positive, as that of a network which learned with a ReLU
behind it: that class is dead, and is never said."""
LIFT = 0.2
"""By how much another order of the classes has to be more accurate to be worth a word."""
NAMES_NONE, DOUBTFUL, USUAL = 0.4, 0.6, 0.8
"""Accuracies below which a model names no garments, is probably not what it was taken for, and may
be something else if it was taken for anything: a linear layer alone learns to name more."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model that a file may hold: how to build it, what it is, and how unusual that would be.

    `variants` are candidates that differ in what matters less, tried where this one does well;
    `twins` do nearly as well where this one is wrong by little, and are tried where it wins.
    """

    build: Callable[[], Classifier]
    architecture: str | None = None
    taken_for: Words | None = None
    cost: float = 0.0
    readings: Sequence[str] = tuple(READINGS)
    variants: Callable[[], Iterable["Candidate"]] = tuple
    twins: Callable[[], Iterable["Candidate"]] = tuple


class Found(NamedTuple):
    """The best candidate, built and reading pixels as it should, and what is odd about it.

    `order` is the answer that each class has where they stand in another order.
    """

    model: Classifier
    candidate: Candidate
    reads: str
    doubt: Words | None
    order: tuple[int, ...] | None


class _Trial(NamedTuple):
    """How a candidate with a reading did."""

    candidate: Candidate
    reads: str
    accuracy: float
    loss: float
    lifted: float  # the accuracy in the best order of the classes, which is
    order: tuple[int, ...]  # the answer that each class has
    doubts: float  # the loss in the order that counts, were it as sure as it should be
    strange: float  # how far normalisations are from what they remember, 0 to 1
    cut: bool  # whether some answers alone are never positive

    @property
    def reordered(self) -> bool:
        return _reordered(self.accuracy, self.lifted)

    @property
    def promise(self) -> float:
        return max(self.accuracy, self.lifted - LIFT)

    @property
    def cost(self) -> float:
        return self.candidate.cost + (self.reads not in _USUAL)

    def worth(self, handicap: float) -> float:
        """The promise, less what speaks against it: a handicap for each unit of what is unusual."""
        against = SURE * self.doubts + REMEMBERED * self.strange + CUT * self.cut
        return self.promise - against - handicap * self.cost


def validation() -> Split | None:
    """The images that decide; None without the real dataset."""
    if not fashion.available():
        return None
    try:
        return _first_of(fashion.folder())
    except DataError:
        return None


@lru_cache(maxsize=1)
def _first_of(folder: Path) -> Split:
    """The first images of validation, of the dataset in that folder."""
    return splits.load("validation", "real", TRIED_ON)


def read_as(model: Classifier, reads: str) -> None:
    """Make a model read pixels in one of the `READINGS`."""
    mean, std = READINGS[reads]
    model.standardize.load_state_dict({"mean": torch.tensor(mean), "std": torch.tensor(std)})
    for layer in model.modules():
        if isinstance(layer, Border):
            layer.black = model.standardize(torch.tensor(0.0))


def best(
    candidates: Iterable[Candidate], split: Split, report: ProgressCallback = lambda done: None
) -> Found | None:
    """The candidate and the reading that do best; None where none answers with finite numbers.

    Candidates come the most usual first, and of those that do as well the most usual is taken.
    """
    few, more, some = (_part(split, count * GLANCE) for count in (1, 4, 10))
    candidates = list(candidates)
    glances = [
        (one, [reads for reads in one.readings if reads in GLANCED + GLANCED_DARK])
        if place < MOST_DARK
        else (one, [reads for reads in one.readings if reads in GLANCED])
        for place, one in enumerate(candidates)
    ]
    trials = _tried(glances, few, _stage(report, 0), 3 * WORK)
    varied: set[Candidate] = set()
    for stage in (1, 2):  # what differs from the leaders, then what differs from that
        # All on the same images, or what did well on few of them by luck would stay ahead.
        ways = dict.fromkeys((trial.candidate, trial.reads) for trial in _leaders(trials))
        fresh = [(one, reads) for one, reads in ways if one not in varied]
        varied |= {one for one, _ in fresh}
        ways |= dict.fromkeys(
            (variant, _read(variant, reads)) for one, reads in fresh for variant in one.variants()
        )
        trials = _tried([(one, [reads]) for one, reads in ways], more, _stage(report, stage))
    ahead = [(trial.candidate, [trial.reads]) for trial in _leaders(trials)]
    trials = _tried(ahead, some, _stage(report, 3))
    tried = {(trial.candidate, trial.reads) for trial in trials}
    grown: list[_Trial] = []
    for stage in (4, 5, 6):  # one thing at a time differs from what does best, until nothing helps
        trials.sort(key=lambda trial: -trial.worth(TWIN))
        # By reading, since what suits one of them may not suit another.
        by_reading = {trial.reads: trial for trial in reversed(trials)}
        three = sorted(by_reading.values(), key=lambda trial: -trial.worth(TWIN))[:3]
        leaders = [trial for trial in three if trial not in grown]
        grown += leaders
        near = [(t.candidate, reads) for t in leaders for reads in t.candidate.readings]
        near += [
            (variant, _read(variant, t.reads))
            for t in leaders
            for variant in t.candidate.variants()
        ]
        fresh = [way for way in dict.fromkeys(near) if way not in tried]
        tried |= set(fresh)
        one_by_one = [(one, [reads]) for one, reads in fresh]
        most = 3 * WORK if stage == 4 else WORK
        trials += _tried(one_by_one, some, _stage(report, stage), most)
    trials.sort(key=lambda trial: -trial.worth(TWIN))
    # On so few images what is usual may stand behind many that differ from it in little.
    usual = sorted(trials, key=lambda trial: -trial.worth(HANDICAP))[:USUAL_ONES]
    ways = dict.fromkeys(
        (t.candidate, t.reads)
        for t in [*usual, *trials[:LEADERS]]
        if t.promise > trials[0].promise - BEHIND
    )
    # What the registry has the shapes of may not have been tried with the reading that was found.
    known = [(one, trials[0].reads) for one in candidates if one.architecture and trials]
    last = [(one, [reads]) for one, reads in dict.fromkeys(known) | ways]
    trials = _tried(last, split, _stage(report, 7), 2 * WORK)
    if not trials:
        return None
    finest = max(trials, key=lambda trial: trial.worth(TWIN))
    twins = [(one, [finest.reads]) for one in finest.candidate.twins()]
    near_by = sorted(_tried(twins, some, _stage(report, 8), 4 * WORK), key=lambda t: -t.worth(0))
    last = [(trial.candidate, [trial.reads]) for trial in near_by[:TWINS]]
    better = _tried(last, split, _stage(report, 9), 3 * WORK)
    better = [trial for trial in better if trial.worth(0) > finest.worth(0) + TWIN]
    trials += better
    finest = max(better, key=lambda trial: trial.worth(0), default=finest)
    report(1.0)
    good = finest.worth(0) - AS_GOOD
    alike = [t for t in trials if t.candidate is finest.candidate and t.worth(0) > good]
    alike.append(finest)  # not even near itself where its loss is more than a float can hold
    # Shown pixels 255 times too bright, many a network names as many right, but is far too sure.
    found = min(alike, key=lambda trial: (trial.cost, trial.loss))
    model = found.candidate.build()
    read_as(model, found.reads)
    order = found.order if found.reordered else None
    return Found(model, found.candidate, found.reads, _doubt(found, len(split)), order)


def _read(candidate: Candidate, reads: str) -> str:
    """A reading, or the first that a candidate has where it isn't among them."""
    return reads if reads in candidate.readings else candidate.readings[0]


def _stage(report: ProgressCallback, stage: int) -> ProgressCallback:
    """Tells of all that is to be tried how much is done, by the share of one stage that is."""
    return lambda done: report((stage + done) / STAGES)


def _tried(
    wanted: Sequence[tuple[Candidate, Sequence[str]]],
    split: Split,
    report: ProgressCallback,
    most: int = WORK,
) -> list[_Trial]:
    """How candidates do with readings, as many as the work allows but the first in any case.

    The same file then has the same end on a busy machine as on an idle one.
    """
    trials: list[_Trial] = []
    work = 0
    for place, (candidate, readings) in enumerate(wanted):
        report(place / len(wanted))
        try:
            model = candidate.build()
        except ValueError:  # what no network can be
            continue
        work += len(readings) * len(split) * (model.work if isinstance(model, Chain) else 0)
        if trials and work > most:
            break
        for reads in readings:
            read_as(model, reads)
            with _memories(model) as strange:
                logits = inference.infer(model, split.images, torch.device("cpu"))
            if np.isfinite(logits).all():
                e = Evaluation("", logits, split.labels)
                trials.append(_judged(candidate, reads, e, float(np.mean(strange or [0.0]))))
    return trials


def doubted(e: Evaluation) -> tuple[Words | None, tuple[int, ...] | None]:
    """What is odd about answers to the test images, and the order in which classes seem to stand.

    As in `Found`.
    """
    accuracy, (lifted, order) = evaluation.accuracy(e), _best_order(e)
    did = Words("{accuracy:.1%} of {images:,} test images", accuracy=accuracy, images=len(e.labels))
    if _reordered(accuracy, lifted):
        return _in_another_order(did, lifted, order), order
    if accuracy < DOUBTFUL:
        doubt = Words(
            "It names {did} right. Its rows may stand in another order than the published test "
            "images, as a loader that shuffles gives them.",
            did=did,
        )
        return doubt, None
    return None, None


def _judged(candidate: Candidate, reads: str, e: Evaluation, strange: float) -> _Trial:
    accuracy, (lifted, order) = evaluation.accuracy(e), _best_order(e)
    logits = e.logits[:, order] if _reordered(accuracy, lifted) else e.logits
    in_order = Evaluation("", logits, e.labels)
    doubts = min(evaluation.loss(in_order, 1 / times) for times in SHARPER)
    below, alive = (logits.min(0) < 0) & (logits.max(0) <= 0), (logits.max(1) > 0).mean()
    below &= np.isin(np.arange(len(CLASSES)), e.labels)  # of a class that isn't shown nobody knows
    return _Trial(
        candidate, reads, accuracy, evaluation.loss(e), lifted, order, doubts, strange,
        bool(below.any() and alive > LIFT),
    )  # fmt: skip


@contextlib.contextmanager
def _memories(model: nn.Module) -> Iterator[list[float]]:
    """How far normalisations are from what they remember, 0 to 1, a value whenever one is asked.

    Of what they were given in training they remember means and variances, so that the wiring and
    the pixels before them can be told from others by more than answers.
    """
    found: list[float] = []

    def compare(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        axes = [axis for axis in range(given[0].ndim) if axis != 1]
        wanted, middle = norm.get_buffer("running_var"), norm.get_buffer("running_mean")
        # Two sums are nine times as fast as torch.var_mean, and near what is remembered as exact.
        off = given[0] - middle.view(-1, *[1] * len(axes[1:]))
        mean = off.mean(axes)
        variance = off.square().mean(axes) - mean.square()
        spread = wanted + variance + 1e-6
        apart = mean.square() / spread + ((variance - wanted) / spread).square()
        found.append(float(apart.clamp(max=1).mean()))

    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(compare) for norm in norms]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _best_order(e: Evaluation) -> tuple[float, tuple[int, ...]]:
    """The accuracy in the best order of the classes, and the answer that each class has in it."""
    counts = evaluation.confusion(e)
    # 23 MB and half a second to import, and only what strangers bring needs it.
    from scipy.optimize import linear_sum_assignment

    order = linear_sum_assignment(-counts)
    lifted = float(counts[order].sum() / counts.sum())
    return lifted, tuple(int(column) for column in order[1])


def _reordered(accuracy: float, lifted: float) -> bool:
    """Whether the classes stand in another order, which makes the accuracy that one.

    A network that names digits has up to half of the garments right in some order.
    """
    return lifted - accuracy > LIFT and lifted >= DOUBTFUL


def _leaders(trials: Sequence[_Trial]) -> list[_Trial]:
    """The best trial of each of the few candidates that do best."""
    found: dict[int, _Trial] = {}
    for trial in sorted(trials, key=lambda trial: -trial.worth(HANDICAP)):
        found.setdefault(id(trial.candidate), trial)
    leaders = list(found.values())[:LEADERS]
    return [trial for trial in leaders if trial.promise > leaders[0].promise - LIFT]


def _doubt(found: _Trial, images: int) -> Words | None:
    """What is odd about a model that does so, in a sentence; None where nothing is."""
    did = Words(
        "{accuracy:.1%} of {images:,} validation images", accuracy=found.accuracy, images=images
    )
    if found.reordered:
        return _in_another_order(did, found.lifted, found.order)
    if found.accuracy < NAMES_NONE:
        # The best of a hundred ways to wire random weights has up to 35 %.
        return Words(
            "This names no garments: read in the best of all ways that fit, it has {did} right, "
            "little more than chance. It was trained for something else, or is wired in another "
            "way.",
            did=did,
        )
    if found.accuracy < DOUBTFUL:
        return Words(
            "Read in the best of all ways that fit, it has {did} right, so it is probably wired in "
            "another way.",
            did=did,
        )
    if found.accuracy < USUAL and found.candidate.taken_for:
        return Words(
            "Read in the best of all ways that fit, it has {did} right, fewer than most networks. "
            "Where it had more at its author's, its pictures were prepared in another way, or its "
            "layers are wired so: an export to ONNX says how.",
            did=did,
        )
    return None


def _in_another_order(did: Words, lifted: float, order: Sequence[int]) -> Words:
    return Words(
        "Its ten classes stand in another order: it names {did} right, and would name "
        "{lifted:.1%} if its answers meant, from the first to the tenth, {names}.",
        did=did,
        lifted=lifted,
        names=listed(CLASSES[order.index(answer)] for answer in range(len(CLASSES))),
    )


def _part(split: Split, count: int) -> Split:
    return Split(split.images[:count], split.labels[:count])
