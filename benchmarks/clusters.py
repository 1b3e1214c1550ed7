"""Runs on clusters: lost nodes, pre-emption, many runs, several hosts.

    python -m benchmarks.clusters ray      two nodes of Ray on this machine, of which one is killed
    python -m benchmarks.clusters slurm    two nodes of SLURM on this machine, and a job requeued
    python -m benchmarks.clusters folder   what a thousand runs cost, and a hundred nodes
    python -m benchmarks.clusters hosts    torchrun over two network namespaces, one host lost

Each run's weights are compared with those that the same plan reaches when nothing is lost.
`slurm` and `hosts` want root, and Debian's slurm-wlm and iproute2.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from fmnist import PROJECT
from fmnist.models.recipe import Recipe
from fmnist.runs import launchers, queue
from fmnist.runs.launchers.job import Job, Standing, Task
from fmnist.runs.run import Plan, Run, all_runs, queued_runs, read_run, runs_of

PLAN = Plan("softmax", Recipe(epochs=150, batch_size=16), "drawn", "cpu", limit=400)
LONGER = replace(PLAN, recipe=replace(PLAN.recipe, epochs=400))
RUNS = 20
PATIENCE = 900.0
GRACE = 5
"""Seconds that a pre-empted job has left, where it has any."""
LOST_AT = 4
"""Once so many runs have ended, a node goes."""
MANY, NODES, HELD = 1000, 100, 0.5
VERB = [
    "train",
    "softmax",
    "--data",
    "drawn",
    "--limit",
    "400",
    "--epochs",
    "400",
    "--device",
    "cpu",
]


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def until(so: Callable[[], bool], what: str) -> None:
    """Look after the queue until it is so."""
    end = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > end:
            raise SystemExit(f"Waited in vain: {what}")
        if trouble := queue.dispatch():
            say(trouble)
        time.sleep(1.0)


def plans(count: int, seeds: int, plan: Plan = PLAN) -> list[Plan]:
    return [replace(plan, recipe=replace(plan.recipe, seed=n % seeds)) for n in range(count)]


def states() -> str:
    found = Counter(run.state for run in all_runs())
    return ", ".join(f"{count} {state}" for state, count in sorted(found.items()))


@contextmanager
def folder_of(launcher: str) -> Iterator[Path]:
    """A folder of runs of its own, which that launcher starts."""
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"FMNIST_RUNS": name, "FMNIST_LAUNCHER": launcher}
        yield Path(name)


def local_weights(seeds: int, plan: Plan = PLAN) -> dict[int, str]:
    """The SHA-256 of the weights of each seed, as the local launcher makes them."""
    with folder_of("local"):
        made = [queue.start(each).id for each in plans(seeds, seeds, plan)]
        until(lambda: all(read_run(run).state == "finished" for run in made), "local runs")
        found = {}
        for run in map(read_run, made):
            assert run.card
            assert run.card.sha256
            found[run.plan.recipe.seed] = run.card.sha256
    say(f"{seeds} seeds trained by the local launcher")
    return found


def compare(made: list[str], expected: dict[int, str]) -> None:
    runs = [read_run(run) for run in made]
    same = sum(
        run.card is not None and run.card.sha256 == expected[run.plan.recipe.seed] for run in runs
    )
    whole = sum(
        [line["step"] for line in run.progress] == sorted({line["step"] for line in run.progress})
        for run in runs
    )
    say(f"{same} of {len(runs)} have the local launcher's weights bit for bit")
    say(f"{whole} of {len(runs)} have every progress line once")
    if same != len(runs):
        raise SystemExit(1)


# Ray


def ray() -> None:
    """Twenty runs on two nodes, of which one is killed in the middle."""
    from ray.cluster_utils import Cluster

    expected = local_weights(4)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    small: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    cluster = Cluster(True, head_node_args={**small, "include_dashboard": True})
    assert cluster.head_node
    doomed = cluster.add_node(**small)
    os.environ["RAY_ADDRESS"] = f"http://{cluster.head_node.webui_url}"
    say(f"Ray with two nodes at {os.environ['RAY_ADDRESS']}")
    try:
        with folder_of("ray"):
            made = [queue.start(plan).id for plan in plans(RUNS, 4)]
            say(states())
            until(lambda: _ended(made) >= LOST_AT and _both_train(), "some ends")
            say(f"{states()}; killing a node")
            cluster.remove_node(doomed, allow_graceful=False)
            until(lambda: "interrupted" in states(), "a run that lost its node")
            (lost,) = (run for run in all_runs() if run.state == "interrupted")
            at = lost.progress[-1]["step"] if lost.progress else 0
            say(f"{states()}; {lost.id} had come to step {at}: {lost.where}; resuming it")
            queue.resume(lost.id)
            cluster.add_node(**small)
            until(lambda: _ended(made) == RUNS, "all ends")
            say(states())
            compare(made, expected)
    finally:
        cluster.shutdown()


def _ended(made: list[str]) -> int:
    return sum(read_run(run).state == "finished" for run in made)


def _both_train() -> bool:
    """Whether two runs are in their middle, so that the node that goes has one."""
    return sum(run.state == "running" and len(run.progress) > 2 for run in all_runs()) == 2


# SLURM


def slurm() -> None:
    """Runs that lose their nodes: to a higher partition, at once or with grace, and by hand."""
    expected = local_weights(2, LONGER)
    with tempfile.TemporaryDirectory() as name, _slurm_of_two(Path(name)), folder_of("slurm"):
        made = list[str]()
        for partition, lose in (("hasty", _pre_empt), ("patient", _pre_empt), ("hasty", _requeue)):
            os.environ["SBATCH_PARTITION"] = partition
            made += [queue.start(plan).id for plan in plans(2, 2, LONGER)]
            until(_both_train, "two that train")
            lost = [run for run in all_runs() if run.state == "running"]
            say(f"{partition}: {', '.join(f'{run.where} at step {_step(run)}' for run in lost)}")
            lose(lost)
            for run in lost:
                assert run.job
                say(f"{read_run(run.id).state}: {_of_slurm(run.job.id)}")
        until(lambda: _ended(made) == len(made), "all ends")
        say(states())
        compare(made, expected)


def _pre_empt(lost: list[Run]) -> None:
    """Two jobs of the higher partition take both nodes for a while."""
    say("two jobs of the higher partition come")
    command = ["sbatch", "--partition=high", "--output=/dev/null", "--wrap=sleep 20"]
    jobs = [subprocess.check_output([*command, "--parsable"], text=True).strip() for _ in lost]
    until(lambda: all("RUNNING" in _of_slurm(job) for job in jobs), "the higher jobs")
    say(states())
    until(lambda: all("COMPLETED" in _of_slurm(job) for job in jobs), "their ends")


def _requeue(lost: list[Run]) -> None:
    for run in lost:
        assert run.job
        subprocess.run(["scontrol", "requeue", run.job.id], check=True)
    until(lambda: all(read_run(run.id).state == "queued" for run in lost), "those queued again")


def _of_slurm(job: str) -> str:
    """How SLURM says a job stands, and how often it was queued again."""
    told = subprocess.check_output(["scontrol", "show", "job", job], text=True)
    return " ".join(word for word in told.split() if word.startswith(("JobState=", "Restarts=")))


def _step(run: Run) -> int:
    return int(run.progress[-1]["step"]) if run.progress else 0


@contextmanager
def _slurm_of_two(folder: Path) -> Iterator[None]:
    """A controller and two nodes of SLURM on this machine, with munge beside them.

    Jobs of the partition `high` take the nodes from those of the others.
    """
    folder.chmod(0o755)
    host, socket = os.uname().nodename, folder / "munge" / "socket"
    nodes = [f"NodeName=n{n} NodeHostname={host} Port={16820 + n} CPUs=1" for n in (1, 2)]
    lines = [
        "ClusterName=studio",
        f"SlurmctldHost={host}",
        "SlurmUser=root",
        "SlurmctldPort=16817",
        f"AuthInfo=socket={socket}",
        f"StateSaveLocation={folder}/state",
        f"SlurmdSpoolDir={folder}/%n",
        f"SlurmctldPidFile={folder}/slurmctld.pid",
        f"SlurmdPidFile={folder}/%n.pid",
        "ProctrackType=proctrack/pgid",
        "TaskPlugin=task/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core",
        "MpiDefault=none",
        "ReturnToService=2",
        "KillWait=5",
        *nodes,
        "PreemptType=preempt/partition_prio",
        "PreemptMode=REQUEUE",
        "PartitionName=hasty Nodes=n1,n2 PriorityTier=1 GraceTime=0",
        f"PartitionName=patient Nodes=n1,n2 PriorityTier=1 GraceTime={GRACE}",
        "PartitionName=high Nodes=n1,n2 PriorityTier=2",
    ]
    (folder / "state").mkdir()
    (folder / "munge").mkdir()
    shutil.chown(folder / "munge", "munge")
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    files = [f"--{name}={folder}/munge/{name}" for name in ("socket", "pid-file", "log-file")]
    munged = ["runuser", "-u", "munge", "--", "munged", "--foreground", "--force", *files]
    daemons = [
        [*munged, f"--seed-file={folder}/munge/seed"],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", "n1"],
        ["slurmd", "-D", "-N", "n2"],
    ]
    with (folder / "log.txt").open("ab") as log:
        started = []
        for daemon in daemons:
            started.append(subprocess.Popen(daemon, stdout=log, stderr=log))
            time.sleep(2.0)
    try:
        subprocess.run(["sinfo"], check=True)
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


# A thousand runs


def folder() -> None:
    """What looking costs with a thousand runs that have ended, and with a thousand that wait."""
    with tempfile.TemporaryDirectory() as name:
        finished = _one_finished(Path(name))
        card = (finished / f"{finished.name}.json").read_text()
        with folder_of("local") as runs:
            for n in range(MANY):
                _copy(finished, runs, n, ended=True)
            _first("first listing of ended runs")
            _time("listing them again", lambda: len(_listed()))
            _time("all_runs", lambda: len(all_runs()))
            _time("runs_of", lambda: len(runs_of(lambda code: code is None)))
            _time("queued_runs", lambda: len(queued_runs()))
            _time("dispatch", lambda: queue.dispatch() is None)
            for note in runs.glob("*/ended.json"):
                note.unlink()
            _first("first listing of runs of an older version")
            _time("listing them again", lambda: len(_listed()))
        with folder_of("ray") as runs:
            for n in range(MANY):
                _copy(finished, runs, n, ended=False)
            _first("first listing of waiting runs")
            _time("listing them again", lambda: len(_listed()))
            _time("queued_runs", lambda: len(queued_runs()))
            _simulate(card)


def _listed() -> list[dict[str, Any]]:
    """What `runs` and the list of the train page show."""
    return [run.summary() for run in all_runs()]


def _first(what: str) -> None:
    """The same in processes that have listed nothing yet, as the command line's."""
    code = (
        "import gc, time; from benchmarks.clusters import _listed; gc.freeze()\n"
        "wall, cpu = time.perf_counter(), time.process_time(); runs = len(_listed())\n"
        "print(time.perf_counter() - wall, time.process_time() - cpu, runs)"
    )
    walls, cpus = list[float](), list[float]()
    for _ in range(3):
        told = subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT, text=True)
        wall, cpu, runs = map(float, told.split())
        walls.append(1000 * wall)
        cpus.append(1000 * cpu)
    say(f"{what}: {median(walls):.0f} ms, {median(cpus):.0f} of them the CPU's ({runs:.0f})")


def _time(what: str, act: Callable[[], object]) -> None:
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        result = act()
        seconds.append(time.perf_counter() - began)
    say(f"{what}: {1000 * median(seconds):.0f} ms ({result})")


def _one_finished(kept: Path) -> Path:
    """The folder of a run as long as a usual one, 20 epochs with ten lines in each."""
    with folder_of("local"):
        plan = replace(PLAN, recipe=Recipe(epochs=20, batch_size=40))
        run = queue.start(plan)
        until(lambda: read_run(run.id).state == "finished", "a run")
        shutil.copytree(run.folder, kept / run.id)
    say(f"a run has {sum(1 for _ in (kept / run.id).rglob('*'))} files")
    return kept / run.id


def _copy(finished: Path, runs: Path, n: int, ended: bool) -> None:
    """The n-th of many runs: ended with losses of its own, or waiting with its plan."""
    run = runs / f"20261127-{n:06}-softmax-{n:06x}"
    if ended:
        shutil.copytree(finished, run)
        (run / f"{finished.name}.json").rename(run / f"{run.name}.json")
        progress = run / "progress.jsonl"
        progress.write_text(progress.read_text().replace('"loss": ', f'"loss": {n + 1}'))
        note = run / "ended.json"
        note.write_text(note.read_text().replace(finished.name, run.name))
        return
    run.mkdir()
    shutil.copy(finished / "plan.json", run)
    (run / "queued").write_text(f"{n + 1:020}")
    (run / "lock").touch()


class Nodes:
    """A cluster that only keeps time: so many nodes, each with a run for some milliseconds."""

    def __init__(self, card: str) -> None:
        self.card = card
        self.waiting: list[Task] = []
        self.running: dict[str, tuple[float, Task]] = {}
        self.most = 0

    def submit(self, task: Task) -> Job:
        self.waiting.append(task)
        return Job("ray", task.name, "simulated")

    def standings(self, at: str) -> dict[str, Standing]:
        found: dict[str, Standing] = dict.fromkeys(self.running, "running")
        return found | {task.name: "waiting" for task in self.waiting}

    def go_on(self) -> int:
        """Begin and end what is due; how many have ended."""
        now = time.monotonic()
        ended = [name for name, (end, _) in self.running.items() if end <= now]
        for name in ended:
            _, task = self.running.pop(name)
            (task.folder / f"{name}.json").write_text(self.card)
        while self.waiting and len(self.running) < NODES:
            task = self.waiting.pop(0)
            (task.folder / "queued").unlink()
            self.running[task.name] = (now + HELD, task)
        self.most = max(self.most, len(self.running))
        return len(ended)


def _simulate(card: str) -> None:
    """A thousand runs on a hundred nodes that hold each for half a second."""
    nodes, ended, seconds = Nodes(card), 0, list[float]()
    launchers._cluster = lambda launcher: nodes
    launchers.A_WHILE = 0.0
    began = time.monotonic()
    while ended < MANY:
        at = time.perf_counter()
        trouble = queue.dispatch()
        seconds.append(time.perf_counter() - at)
        assert trouble is None, trouble
        ended += nodes.go_on()
    say(
        f"{MANY} runs on {NODES} nodes in {time.monotonic() - began:.1f} s, {nodes.most} at once; "
        f"dispatch {1000 * median(seconds):.0f} ms, at most {1000 * max(seconds):.0f}; {states()}"
    )


# Two hosts


def hosts() -> None:
    """One run by torchrun on two hosts; one is lost, and both go on."""
    with _two_hosts(), folder_of("local"):
        whole = _wait(_torchrun(["fmnist", *VERB]))
        assert whole == [0, 0], whole
        (reference,) = all_runs()
        say(f"two hosts: {reference.state}, {len(reference.progress)} progress lines")
        processes = _torchrun(["fmnist", *VERB])
        until(lambda: _reached(reference, 10), "some steps")
        (run,) = (run for run in all_runs() if run.id != reference.id)
        listed = subprocess.run(["ip", "netns", "pids", "studio2"], capture_output=True, text=True)
        for process in map(int, listed.stdout.split()):
            os.kill(process, signal.SIGKILL)
        say(f"second host killed at step {read_run(run.id).progress[-1]['step']}")
        _wait(processes)
        say(f"without it the run is {read_run(run.id).state}")
        (run.folder / "failure.txt").unlink(missing_ok=True)
        assert _wait(_torchrun(["fmnist.runs.worker", run.id])) == [0, 0]
        run = read_run(run.id)
        assert run.card
        assert reference.card
        same = run.card.sha256 == reference.card.sha256
        say(f"gone on with on both: {run.state}, weights {'equal' if same else 'DIFFER'}")


def _reached(other: Run, lines: int) -> bool:
    return any(run.id != other.id and len(run.progress) > lines for run in all_runs())


@contextmanager
def _two_hosts() -> Iterator[None]:
    """Two network namespaces that reach each other by a cable."""
    commands = ["ip netns add studio1", "ip netns add studio2"]
    commands += ["ip link add cable1 netns studio1 type veth peer cable2 netns studio2"]
    for n in (1, 2):
        inside = f"ip netns exec studio{n} ip"
        commands += [f"{inside} address add 10.77.0.{n}/24 dev cable{n}"]
        commands += [f"{inside} link set cable{n} up", f"{inside} link set lo up"]
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        yield
    finally:
        for n in (1, 2):
            subprocess.run(["ip", "netns", "delete", f"studio{n}"])


def _torchrun(module: list[str]) -> list[subprocess.Popen[bytes]]:
    """The same module on both hosts, one process on each."""
    started = []
    for n in (1, 2):
        group = ["--nnodes=2", "--nproc-per-node=1", f"--node-rank={n - 1}"]
        group += ["--rdzv-backend=c10d", "--rdzv-endpoint=10.77.0.1:29577", "--rdzv-id=studio"]
        group += [f"--local-addr=10.77.0.{n}", f"--rdzv-conf=is_host={int(n == 1)}"]
        command = [sys.executable, "-m", "torch.distributed.run", *group, "-m", *module]
        started.append(
            subprocess.Popen(
                ["ip", "netns", "exec", f"studio{n}", *command],
                cwd=PROJECT,
                env={**os.environ, "GLOO_SOCKET_IFNAME": f"cable{n}"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
    return started


def _wait(processes: list[subprocess.Popen[bytes]]) -> list[int]:
    return [process.wait(PATIENCE) for process in processes]


if __name__ == "__main__":
    {"ray": ray, "slurm": slurm, "folder": folder, "hosts": hosts}[sys.argv[1]]()
