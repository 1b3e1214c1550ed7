import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


class Dashboard(BaseHTTPRequestHandler):
    """What a Ray cluster answers that has one job, named by its port."""

    def do_GET(self) -> None:
        port = self.server.server_address[1]
        job = {"type": "SUBMISSION", "submission_id": f"job-{port}", "status": "RUNNING"}
        jobs = [{**job, "entrypoint": "true"}]
        told = jobs if "/api/jobs" in self.path else {"version": "4", "ray_version": "2.60.0"}
        content = json.dumps(told | {"ray_commit": ""} if isinstance(told, dict) else told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def two_clusters() -> Iterator[list[str]]:
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Dashboard) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_address[1]}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_job_is_asked_for_at_its_own_cluster_whichever_is_named_by_now(
    two_clusters: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = two_clusters
    monkeypatch.setenv("RAY_ADDRESS", second)
    for address in two_clusters:
        job = f"job-{address.rpartition(':')[2]}"
        assert dict(ray_jobs.standings(address)) == {job: "running"}
    assert ray_jobs.FIRST_OF_ALL not in os.environ


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
