"""What is kept of every epoch of a run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fmnist.data import splits
from fmnist.models import inference
from fmnist.models.recipe import Recipe
from fmnist.runs import epochs, queue, worker
from fmnist.runs.run import Plan, Run, read_run
from fmnist.training.loop import Checkpoint

PLAN = Plan("fcnn-small", Recipe(epochs=3, batch_size=64), "drawn", "cpu", limit=200)


def carried_out(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    run = queue.start(plan)
    (run.folder / "queued").unlink()
    worker.execute(run)
    return read_run(run.id)


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_a_kept_epoch_says_of_the_validation_images_what_was_written_down_then(
    averaging: float, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carried_out(replace(PLAN, recipe=replace(PLAN.recipe, averaging=averaging)), monkeypatch)
    assert epochs.kept(run) == [1, 2, 3]
    images = splits.load("validation", "drawn").images
    for epoch, said in zip(epochs.kept(run), run.predictions(), strict=True):
        logits = inference.infer(epochs.model(run, epoch), images, torch.device("cpu"))
        # Half precision may turn an answer that hangs in the balance.
        assert (logits.argmax(1) == said).mean() > 0.97


def test_an_epochs_weights_are_there_before_a_resumed_run_would_go_on_behind_it(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_at_checkpoints = []
    save = worker.save_checkpoint

    def look(run: Run, state: Checkpoint) -> None:
        kept_at_checkpoints.append((state.step, len(epochs.kept(run))))
        save(run, state)

    monkeypatch.setattr(worker, "save_checkpoint", look)
    run = carried_out(PLAN, monkeypatch)
    per_epoch = run.progress[-1]["steps"] // 3
    assert {step: kept for step, kept in kept_at_checkpoints if step % per_epoch == 0} == {
        per_epoch: 1,
        2 * per_epoch: 2,
        3 * per_epoch: 3,
    }


def test_of_a_run_that_is_too_large_the_first_and_the_last_epoch_are_kept(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "MOST_BYTES", 1000)
    run = carried_out(PLAN, monkeypatch)
    assert epochs.kept(run) == [1, 3]
    taken = sum(path.stat().st_size for path in (run.folder / "epochs").iterdir())
    assert taken < 2 * 2 * 120_000
    assert np.isfinite(epochs.model(run, 3).head.weight.detach().numpy()).all()
