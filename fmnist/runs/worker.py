"""The process of one training run: `python -m fmnist.runs.worker ID [RUN_LOCK DEVICE_LOCK]`.

The two locks are open file descriptors that came with the process; queue.py says what they mean.
On a cluster none come, and the process takes the run's lock itself; under torchrun, the first does.
"""

import io
import json
import os
import pickle
import platform
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import distributed

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Certainty
from fmnist.data import splits
from fmnist.data.splits import Split
from fmnist.machine import devices, parallel
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held
from fmnist.models import inference
from fmnist.models.layers import Classifier, parameter_count
from fmnist.runs import epochs, queue, results
from fmnist.runs.run import Plan, Run, as_it_ends, read_run
from fmnist.training.loop import Checkpoint, People, Progress, train
from fmnist.weights import shelf
from fmnist.weights.card import DATASET, Card, WeightsError
from fmnist.weights.measuring import asked
from fmnist.weights.shelf import Weights
from fmnist.words import Words, kept

if TYPE_CHECKING:
    from fmnist.data.people import Taken

NICENESS = 10
CHECKPOINT_SECONDS = 20.0
IMAGINED = Words(
    "FMNIST_PICTURES names no folder of pictures by people, so the model learns from imagined "
    "ones only; docs/pictures.md says where the others can be had."
)

LEARNED = Words(
    "It learns the validation images too, so how many of them it names right measures nothing."
)


def main() -> None:
    """Carry out the run that the arguments name; what stands against it is left in its folder."""
    run_id, *locks = sys.argv[1:]
    os.nice(max(0, NICENESS - os.nice(0)))  # whoever dispatched it may be nice already
    run = read_run(run_id)
    together = not locks and "TORCHELASTIC_RUN_ID" in os.environ
    # A device that isn't there is said by `execute`.
    with (
        _group(run.plan.device == "cuda" and torch.cuda.is_available())
        if together
        else nullcontext()
    ):
        first = _first()
        with nullcontext() if locks or not first else held(run.folder / "lock", not run.job):
            if parallel.agreed(_is_to_do(run)):
                _carry_out(run, together)
        for lock in locks:
            os.close(int(lock))
    if first and (trouble := queue.dispatch()):
        print(trouble, file=sys.stderr)


def _is_to_do(run: Run) -> bool:
    """Whether there is something left, now that nobody else carries the run out."""
    ended = (run.folder / name for name in ("stop", f"{run.id}.json"))
    return not any(path.exists() for path in ended)


def _carry_out(run: Run, together: bool) -> None:
    try:
        (run.folder / "queued").unlink(missing_ok=True)
        execute_or_fail(run)
    except Exception:  # the page shows a sentence, the log has the traceback
        if together:
            os._exit(1)  # torchrun ends the others, who would wait for this one


def execute_or_fail(run: Run) -> None:
    """As `execute`; what breaks it off is left in the run's folder in a sentence, and raised."""
    try:
        execute(run)
    except Exception as error:
        fail(run, _reason(error))
        raise
    note_end(run)


def _reason(error: Exception) -> Words:
    if isinstance(error, UserFacingError):
        return error.words
    if isinstance(error, OSError):
        return Words(
            "The run's files could not be written: {reason}. Mend that and resume.",
            reason=error.strerror,
        )
    return Words("Training broke off: {kind}: {error}", kind=type(error).__name__, error=error)


def in_group(plan: Plan) -> str:
    """Carry out a run in this process and its peers, as torchrun started them; all get its id.

    Raises what `queue.start` and `execute` do.
    """
    cuda = devices.choose(plan.device).type == "cuda"
    with _group(cuda), queue.occupied(plan) if _first() else nullcontext("") as made:
        run_id = parallel.agreed(made)
        execute_or_fail(read_run(run_id))
    return run_id


@contextmanager
def _group(cuda: bool) -> Iterator[None]:
    """Within it, this process and those that torchrun started beside it are one."""
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # The first may have to wait for its device as long as another training takes.
    distributed.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(days=30))
    try:
        yield
    finally:
        distributed.destroy_process_group()
        os.environ.pop("TORCHELASTIC_RUN_ID")  # what is started from here is in no group


def execute(run: Run) -> None:
    """Train from where the checkpoint stands until done or asked to stop; then measure once.

    In a process group every process computes and the first alone writes. Raises UserFacingError
    where data, teacher or checkpoint can't be used, and OSError where a file can't be written.
    """
    if _first():
        for name in ("ended.json", "failure.txt"):  # of a process of which this takes up the work
            (run.folder / name).unlink(missing_ok=True)
        write_whole(run.folder / "node", socket.gethostname().encode())
    people, sources = pictures_by_people(run)
    training = splits.load("train", run.plan.data, run.plan.limit)
    validation = splits.load("validation", run.plan.data)
    if run.plan.repeats:
        training += validation
        notify(run, LEARNED)
    device = devices.choose(run.plan.device)

    def fitted(device: torch.device) -> tuple[Classifier, Checkpoint | None]:
        return fit(run, (training, validation), device, people)

    if parallel.place()[1] > 1:  # whose processes talk by way of their GPUs
        model, state = fitted(device)
    else:
        (model, state), device = devices.or_cpu(fitted, device, lambda notice: notify(run, notice))
    if state is None or not _first():
        return
    test = splits.load("test", run.plan.data)
    card = measure(run, model, state, (validation, test), device)
    if people:
        card = replace(card, sources=sources)
    if run.plan.repeats:
        card = _as_sure_as(run.plan.repeats, card)
    elif people and len(people.held_out):
        sure = certainty(Weights(model, card), people.held_out, validation, device)
        card = replace(card, certainty=sure)
    # Kept before the run is finished, so that no kill comes in between.
    refusal = _keep(run, Weights(model, card))
    card = shelf.save(Weights(model, card), run.folder)
    # A process that was killed may have kept it before.
    if refusal and not results.is_kept(run.plan, card):
        notify(run, refusal)


def _as_sure_as(chosen: Card, card: Card) -> Card:
    """The card without what the images of validation say of a model that has learned them."""
    return replace(
        card,
        validation=None,
        temperature=chosen.temperature,
        energy_limit=chosen.energy_limit,
        certainty=chosen.certainty,
    )


def _keep(run: Run, weights: Weights) -> Words | None:
    """Keep the result among the weights, if that is asked for; what stands against it.

    Not by `results.keep`: for others this run isn't finished while its process lives.
    """
    if not run.plan.name:
        return None
    seeds = [results.figures(run.plan.recipe.seed, weights.card)]
    try:
        shelf.keep(Weights(weights.model, replace(weights.card, seeds=seeds)), run.plan.name)
    except WeightsError as error:
        return Words(
            "The weights were not kept as {name}: {error}", name=run.plan.name, error=error
        )
    return None


def pictures_by_people(run: Run) -> tuple[People | None, list[str]]:
    """The pictures that people drew and took, and whose they are; none unless the recipe asks.

    Where FMNIST_PICTURES names no folder the run's notice says so. Raises UserFacingError where
    there is nothing in it, or something is damaged.
    """
    if not run.plan.recipe.people:
        return None, []
    # Here, since only these recipes need OpenCV.
    from fmnist.data import people

    folder = people.folder()
    if folder is None:
        notify(run, IMAGINED)
        return None, []
    loaded = People(people.load(folder, "train"), people.load(folder, "validation"))
    return loaded, people.origins(folder)


def certainty(
    weights: Weights, held_out: "Taken", validation: Split, device: torch.device
) -> dict[str, Certainty]:
    """How sure to be of each kind of intake, by the answers to what was held out.

    Images of the dataset count beside what shows none of the ten, whatever its kind.
    """
    model, card = weights
    logits = inference.infer(model, held_out.images, device)
    right, none = held_out.right(logits), np.logical_not(held_out.accepted.any(axis=1))
    sure = {
        kind: evaluation.fit_certainty(logits[mask], right[mask], none[mask])
        for kind, mask in held_out.by_intake().items()
        if (mask & ~none).any()
    }
    garments = inference.infer(model, validation.images, device)
    of_dataset = evaluation.fit_certainty(
        np.concatenate([garments, logits[none]]),
        np.concatenate([garments.argmax(1) == validation.labels, right[none]]),
        np.repeat([False, True], [len(garments), none.sum()]),
    )
    return {**sure, DATASET: replace(of_dataset, temperature=card.temperature)}


def fit(
    run: Run,
    data: tuple[Split, Split],
    device: torch.device,
    people: People | None = None,
) -> tuple[Classifier, Checkpoint | None]:
    """The model trained on (training, validation), with its final state; None if asked to stop.

    Raises what `execute` does.
    """
    recipe = run.plan.recipe
    model = run.plan.spec.seeded(recipe.seed)
    state = load_checkpoint(run)
    teacher = None
    if recipe.teacher and state.taught is None:
        teacher = shelf.load(recipe.teacher).model
    if recipe.start and not state.step:
        shelf.begin(model, recipe.start)
    repeats = run.plan.repeats
    until = repeats.best_epoch if repeats else None
    saved = time.monotonic()
    for progress in train(model, data, recipe, device, state, teacher, people, until):
        asked = (run.folder / "stop").exists() and progress.step < progress.steps
        stopping = parallel.agreed(asked)
        if _first():
            write_progress(run, progress)
            if progress.validation:  # before the checkpoint, behind which no resumed run goes back
                epochs.keep(run, state, progress.epoch)
            if stopping or progress.validation or time.monotonic() - saved > CHECKPOINT_SECONDS:
                save_checkpoint(run, state)
                saved = time.monotonic()
        if stopping:
            return model, None
    return model, state


def measure(
    run: Run,
    model: Classifier,
    state: Checkpoint,
    data: tuple[Split, Split],
    device: torch.device,
) -> Card:
    """The card of a trained model, with what it does on (validation, test)."""
    card = Card(
        name=run.id,
        architecture=None if run.plan.layers else run.plan.model,
        layers=run.plan.layers,
        parameters=parameter_count(model),
        data=run.plan.data,
        recipe=run.plan.recipe.to_json(),
        limit=run.plan.limit,
        repeats=run.plan.repeats.name if run.plan.repeats else None,
        best_epoch=state.best_epoch,
        seconds=round(state.seconds, 1),
        device=devices.describe(device),
        versions={"python": platform.python_version(), "torch": torch.__version__},
        classroom=run.plan.classroom,
    )
    return asked(Weights(model, card), data, device)


def write_progress(run: Run, progress: Progress) -> None:
    """Append a progress line; at the end of an epoch, write its predictions before.

    Raises OSError, as every writing here.
    """
    if progress.validation:
        content = io.BytesIO()
        np.save(content, progress.validation.predictions)
        write_whole(run.folder / "predictions" / f"{progress.epoch:04}.npy", content.getvalue())
    with (run.folder / "progress.jsonl").open("ab") as lines:
        # The line before may have been cut short by a crash, so each begins on a line of its own.
        lines.write(b"\n" + json.dumps(progress_line(progress)).encode())


def progress_line(progress: Progress) -> dict[str, Any]:
    """What a line of progress.jsonl holds."""
    values = asdict(progress)
    validation = values.pop("validation")
    if validation:
        values["validation_loss"] = validation["loss"]
        values["validation_accuracy"] = validation["accuracy"]
        if validation["kinds"]:
            values["validation_kinds"] = validation["kinds"]
    return values


def save_checkpoint(run: Run, state: Checkpoint) -> None:
    """Write the whole state to checkpoint.pt in one step; raises OSError."""
    content = io.BytesIO()
    torch.save(vars(state), content)
    write_whole(run.folder / "checkpoint.pt", content.getvalue())


def load_checkpoint(run: Run) -> Checkpoint:
    """The state of checkpoint.pt; a fresh one where there is none yet.

    Raises UserFacingError where it is damaged.
    """
    path = run.folder / "checkpoint.pt"
    if not path.exists():
        return Checkpoint()
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserFacingError(
            "checkpoint.pt is damaged, so the run can't go on from it. Start it again."
        ) from error


def notify(run: Run, notice: Words) -> None:
    """Add a sentence to what the user should know of the run; raises OSError."""
    path = run.folder / "notice.txt"
    known = path.read_text() if path.exists() else ""
    if _first() and notice not in known:
        write_whole(path, f"{known}\n{kept(notice)}".strip().encode())


def fail(run: Run, reason: Words) -> None:
    """Leave the reason for people and the traceback in the log; raises OSError."""
    traceback.print_exc()
    write_whole(run.folder / "failure.txt", kept(reason).encode())
    note_end(run)


def note_end(run: Run) -> None:
    """Leave in one file what a list shows of the run, which this process is about to let go of.

    Where it can't be written the run is read file by file.
    """
    if not _first():
        return
    with suppress(OSError):
        ended = as_it_ends(run.id)
        if ended.state in ("stopped", "failed", "finished"):
            write_whole(run.folder / "ended.json", json.dumps(ended.to_json()).encode())


def _first() -> bool:
    """Whether this process is the one of its group that writes."""
    return parallel.place()[0] == 0


if __name__ == "__main__":
    main()
