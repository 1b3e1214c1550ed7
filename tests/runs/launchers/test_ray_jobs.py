import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from waiting import wait_for_cluster as wait

from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.launchers import ray_jobs
from fmnist.runs.run import Plan, read_run, runs_folder

PLAN = Plan("softmax", Recipe(epochs=60, batch_size=10), "drawn", "cpu", limit=300)


@pytest.fixture
def by_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs are handed to a Ray cluster of one node on this machine."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": True}
    cluster = Cluster(True, head_node_args=small)
    monkeypatch.setenv("FMNIST_LAUNCHER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", f"http://{cluster.head_node.webui_url}")
    runs_folder().mkdir(parents=True)
    yield
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("by_ray")
@pytest.mark.filterwarnings("ignore")  # those of Ray
def test_a_run_whose_job_is_lost_is_resumed_to_the_weights_of_one_that_never_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = queue.start(PLAN)
    lost = wait(lost.id, lambda run: len(run.progress) > 10)
    assert lost.job
    ray_jobs._client(lost.job.at).stop_job(lost.job.id)
    wait(lost.id, lambda run: run.state == "interrupted")
    queue.resume(lost.id)
    done = wait(lost.id, lambda run: not run.active)
    assert done.state == "finished"
    assert done.job
    assert done.job.id != lost.job.id
    assert str(done.where).endswith(f"on {os.uname().nodename}")
    monkeypatch.setenv("FMNIST_LAUNCHER", "local")
    whole = wait(queue.start(PLAN).id, lambda run: not run.active)
    assert done.card
    assert whole.card
    assert done.card.sha256 == whole.card.sha256


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://no-such-host.invalid", "ftp:"])
def test_where_there_is_no_cluster_it_is_said_and_the_run_stays_queued(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMNIST_LAUNCHER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", address)
    runs_folder().mkdir(parents=True)
    run = queue.start(replace(PLAN, limit=100))
    assert f"There is no Ray cluster at {address}" in str(queue.dispatch())
    run = read_run(run.id)
    assert (run.state, run.job) == ("queued", None)
