"""Runs that are killed at any moment, or meet a full disk, end as if nothing had happened."""

import json
import os
import subprocess
import sys

import pytest

from fmnist import PROJECT

pytestmark = pytest.mark.slow
STEPS_PER_EPOCH, EPOCHS = 15, 4
KILLS = 50


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What became of a run that never was killed, of so many that were, and of a full disk."""
    environment = {
        **os.environ,
        "FMNIST_RUNS": str(tmp_path_factory.mktemp("runs")),
        "PYTHONPATH": str(PROJECT),
    }
    script = PROJECT / "tests" / "killed.py"
    done = subprocess.run(
        [sys.executable, str(script), str(KILLS)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_kills_hit_saves_and_other_moments(results: list[dict]) -> None:
    kills = results[1:-1]
    assert len(kills) == KILLS
    hits = [kill["in_save"] for kill in kills if kill["signal"] == 9]  # a run may have ended before
    assert min(hits.count(True), hits.count(False)) >= len(kills) // 3


def test_no_kill_leaves_an_unreadable_state(results: list[dict]) -> None:
    for kill in results[1:-1]:
        assert kill["state"] in ("interrupted", "finished"), kill


def test_a_kill_costs_at_most_one_checkpoint_interval(results: list[dict]) -> None:
    for kill in results[1:-1]:
        assert 0 <= kill["progress"] - kill["checkpoint"] <= STEPS_PER_EPOCH, kill


def test_every_killed_run_ends_with_the_weights_of_one_that_never_was(results: list[dict]) -> None:
    reference = results[0]["sha256"]
    for kill in results[1:-1]:
        assert (kill["end"], kill["sha256"]) == ("finished", reference), kill
        assert kill["steps"] == list(range(1, STEPS_PER_EPOCH * EPOCHS + 1))
        assert kill["epochs"] == EPOCHS


def test_a_full_disk_is_said_and_leaves_the_checkpoint_before(results: list[dict]) -> None:
    limited = results[-1]
    assert limited["state"] == "failed"
    assert "could not be written" in limited["failure"]
    assert limited["checkpoint"] == STEPS_PER_EPOCH
    assert limited["rests"] == []
    assert (limited["end"], limited["sha256"]) == ("finished", results[0]["sha256"])
