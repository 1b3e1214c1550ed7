import json
import os
import subprocess
import sys

import pytest
import torch
from in_group import STEPS, losses

from fmnist import PROJECT
from fmnist.machine import parallel
from fmnist.models import MODELS
from fmnist.models.layers import Dropout
from fmnist.runs.run import all_runs

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_two_processes_reach_the_losses_of_one_on_the_same_batches() -> None:
    script = PROJECT / "tests" / "in_group.py"
    done = subprocess.run([*TORCHRUN, str(script)], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    of_two = json.loads(done.stdout)
    for name in MODELS:
        of_one = losses(name)
        assert len(of_one) == STEPS
        assert of_two[name] == pytest.approx(of_one, rel=1e-6)


@pytest.mark.slow
def test_torchrun_makes_one_run_of_a_training() -> None:
    verb = ["-m", "fmnist", "train", "fcnn", "--data", "drawn", "--limit", "300", "--epochs", "2"]
    environment = {**ENVIRONMENT, "FMNIST_RUNS": os.environ["FMNIST_RUNS"]}
    done = subprocess.run(
        [*TORCHRUN, *verb], cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (run,) = all_runs()
    assert run.state == "finished"
    assert run.card.test.n == 1000
    steps = [line["step"] for line in run.progress]
    assert steps == sorted(set(steps))
    assert run.predictions().shape == (2, 500)


def test_dropout_of_parts_is_that_of_the_whole_batch(monkeypatch) -> None:
    dropout = Dropout(0.4).train()
    values = torch.rand(9, 50) + 1
    torch.manual_seed(0)
    whole = dropout(values)
    parts = []
    for rank in range(2):
        monkeypatch.setattr(parallel, "place", lambda rank=rank: (rank, 2))
        torch.manual_seed(0)
        with parallel.part_of_batch(9):
            parts.append(dropout(values[parallel.part(9)]))
    assert torch.equal(torch.cat(parts), whole)
    assert 0.3 < (whole == 0).float().mean() < 0.5
    assert torch.equal(dropout.eval()(values), values)
