"""The process of one training run: `python -m fmnist.runs.worker ID RUN_LOCK DEVICE_LOCK`.

The two locks are open file descriptors that came with the process; queue.py says what they mean.
"""

import io
import json
import os
import pickle
import platform
import sys
import time
import traceback
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import distributed, nn

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import Split
from fmnist.machine import devices, parallel
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_whole
from fmnist.models import MODELS, inference
from fmnist.models.layers import Classifier, parameter_count
from fmnist.runs import queue, results
from fmnist.runs.run import Plan, Run, read_run
from fmnist.training.loop import Checkpoint, Progress, train
from fmnist.weights import shelf
from fmnist.weights.card import Card, WeightsError, measured
from fmnist.weights.shelf import Weights

NICENESS = 10
CHECKPOINT_SECONDS = 20.0


def main() -> None:
    run_id, *locks = sys.argv[1:]
    os.nice(NICENESS)
    run = read_run(run_id)
    (run.folder / "queued").unlink(missing_ok=True)
    try:
        execute(run)
    except UserFacingError as error:
        fail(run, str(error))
    except OSError as error:
        fail(run, f"The run's files could not be written: {error.strerror}. Mend that and resume.")
    except Exception as error:  # the page shows the sentence, the log has the traceback
        fail(run, f"Training broke off: {type(error).__name__}: {error}")
    finally:
        for lock in locks:
            os.close(int(lock))
        queue.dispatch()


def in_group(plan: Plan) -> Run:
    """Carry out a run in this process and its peers, as torchrun started them; all return it."""
    device = devices.choose(plan.device)
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        with queue.occupied(plan) if _first() else nullcontext() as made:
            run = read_run(parallel.agreed(made.id if made else ""))
            execute(run)
    finally:
        distributed.destroy_process_group()
    return run


def fail(run: Run, reason: str) -> None:
    """Leave the reason for people and the traceback in the log."""
    traceback.print_exc()
    write_whole(run.folder / "failure.txt", reason.encode())


def execute(run: Run) -> None:
    """Train from where the checkpoint stands until done or asked to stop; then measure once.

    In a process group every process computes and the first alone writes.
    """
    plan = run.plan
    training = splits.load("train", plan.data, plan.limit)
    validation = splits.load("validation", plan.data)
    (model, state), device = devices.or_cpu(
        lambda device: fit(run, (training, validation), device),
        devices.choose(plan.device),
        notify=lambda notice: write_whole(run.folder / "notice.txt", notice.encode()),
    )
    if state is None or not _first():
        return
    test = splits.load("test", plan.data)
    on_validation = answers(model, run.id, validation, device)
    on_test = answers(model, run.id, test, device)
    mirrored = inference.infer_mirrored(model, test.images, device)
    card = Card(
        name=run.id,
        architecture=plan.model,
        parameters=parameter_count(model),
        data=plan.data,
        recipe=plan.recipe.to_json(),
        best_epoch=state.best_epoch,
        validation=measured(on_validation),
        test=measured(on_test),
        temperature=evaluation.fit_temperature(on_validation),
        energy_limit=evaluation.fit_energy_limit(on_validation),
        seconds=round(state.seconds, 1),
        device=devices.describe(device),
        versions={"python": platform.python_version(), "torch": torch.__version__},
        mirrored=evaluation.accuracy(Evaluation(run.id, mirrored, test.labels)),
    )
    shelf.save(Weights(model, card), run.folder)
    if plan.name:
        try:
            results.keep([run.id], plan.name)
        except WeightsError as error:  # somebody took the name meanwhile
            print(f"{error} The result is in {run.folder}.", file=sys.stderr)


def fit(
    run: Run, splits: tuple[Split, Split], device: torch.device
) -> tuple[Classifier, Checkpoint | None]:
    """The trained model with its final state; None for the state when asked to stop."""
    recipe = run.plan.recipe
    model = MODELS[run.plan.model].seeded(recipe.seed)
    state = load_checkpoint(run)
    teacher = None
    if recipe.teacher and state.taught is None:
        teacher = shelf.load(recipe.teacher).model
    saved = time.monotonic()
    for progress in train(model, splits, recipe, device, state, teacher):
        asked = (run.folder / "stop").exists() and progress.step < progress.steps
        stopping = parallel.agreed(asked)
        if _first():
            write_report(run, progress)
            if stopping or progress.validation or time.monotonic() - saved > CHECKPOINT_SECONDS:
                save_checkpoint(run, state)
                saved = time.monotonic()
        if stopping:
            return model, None
    return model, state


def _first() -> bool:
    return parallel.place()[0] == 0


def write_report(run: Run, progress: Progress) -> None:
    """Append a line to progress.jsonl; keep the validation predictions at the end of an epoch."""
    if progress.validation:
        content = io.BytesIO()
        np.save(content, progress.validation.predictions)
        write_whole(run.folder / "predictions" / f"{progress.epoch:04}.npy", content.getvalue())
    with (run.folder / "progress.jsonl").open("ab") as lines:
        # The line before may have been cut short by a crash, so each begins on a line of its own.
        lines.write(b"\n" + json.dumps(report(progress)).encode())


def report(progress: Progress) -> dict[str, Any]:
    """One line of progress.jsonl."""
    values = asdict(progress)
    validation = values.pop("validation")
    if validation:
        values["validation_loss"] = validation["loss"]
        values["validation_accuracy"] = validation["accuracy"]
    return values


def save_checkpoint(run: Run, state: Checkpoint) -> None:
    """Write the whole state to checkpoint.pt in one step."""
    content = io.BytesIO()
    torch.save(vars(state), content)
    write_whole(run.folder / "checkpoint.pt", content.getvalue())


def load_checkpoint(run: Run) -> Checkpoint:
    """The state of checkpoint.pt; a fresh one where there is none yet."""
    path = run.folder / "checkpoint.pt"
    if not path.exists():
        return Checkpoint()
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserFacingError(
            "checkpoint.pt is damaged, so the run can't go on from it. Start it again."
        ) from error


def answers(model: nn.Module, name: str, split: Split, device: torch.device) -> Evaluation:
    """The model's logits on a split."""
    return Evaluation(name, inference.infer(model, split.images, device), split.labels)


if __name__ == "__main__":
    main()
