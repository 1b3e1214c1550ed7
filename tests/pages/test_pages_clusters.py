"""The train page where a cluster carries the runs out."""

import pytest
from opening import open_page, texts

from fmnist.models.recipe import Recipe
from fmnist.runs import launchers, queue
from fmnist.runs.launchers.job import Job, Standing, Task
from fmnist.runs.run import Plan, read_run, runs_folder

PLAN = Plan("softmax", Recipe(epochs=2), "drawn", "cpu", limit=200)


class Cluster:
    """One in which every job waits."""

    def submit(self, task: Task) -> Job:
        return Job("ray", "job_7", "here")

    def standings(self, at: str) -> dict[str, Standing]:
        return {"job_7": "waiting"}


@pytest.fixture(autouse=True)
def _by_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    runs_folder().mkdir(parents=True)
    monkeypatch.setenv("FMNIST_LAUNCHER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:9")
    launchers._refusals.clear()
    launchers._answers.clear()


def test_a_run_that_waits_at_a_cluster_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launchers, "_cluster", lambda launcher: Cluster())
    queue.start(PLAN)
    app = open_page("train")
    assert not app.exception
    assert r"Ray job job\_7" in texts(app)
    assert not app.warning


def test_what_stands_against_handing_runs_over_is_said_and_they_stay() -> None:
    run = queue.start(PLAN)
    app = open_page("train")
    assert not app.exception
    (warning,) = app.warning
    assert "There is no Ray cluster at" in warning.value
    assert "127.0.0.1" in warning.value
    assert read_run(run.id).state == "queued"
