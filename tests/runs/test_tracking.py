"""What was exported is read back with the tools that it is for."""

import builtins
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fmnist.__main__ import main
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.runs import queue, tracking, worker
from fmnist.runs.run import Plan, Run, read_run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, small: None) -> Run:
    """A finished run of three epochs that people call "my first net"."""
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    recipe = MODELS["softmax"].recipe
    plan = Plan("softmax", recipe, "drawn", "cpu", limit=100, title="my first net")
    made = queue.start(plan)
    (made.folder / "queued").unlink()
    worker.execute(made)
    return read_run(made.id)


def figures(run: Run, name: str) -> dict[int, float]:
    return {line["step"]: line[name] for line in run.progress if name in line}


def test_tensorboard_reads_every_figure_at_its_step(run: Run, tmp_path: Path) -> None:
    for _ in range(2):  # the second export takes the place of the first
        assert main(["runs", "export", run.id, "--to", "tensorboard", "--out", str(tmp_path)]) == 0
    read = EventAccumulator(str(tmp_path / run.id))
    read.Reload()
    for name in ("loss", "lr", "images_per_second", "validation_loss", "validation_accuracy"):
        found = {event.step: event.value for event in read.Scalars(name)}
        assert found == pytest.approx(figures(run, name))
    (best,) = read.Scalars("best_validation_accuracy")
    assert best.value == pytest.approx(run.best)
    assert "_hparams_/session_start_info" in read.summary_metadata


@pytest.mark.slow
def test_mlflow_reads_every_figure_and_the_recipe_and_keeps_a_run_once(
    run: Run, tmp_path: Path
) -> None:
    lines = run.progress_lines or (run.folder / "progress.jsonl").read_bytes()
    half = b"".join(lines.splitlines(keepends=True)[:3])
    tracking.export([replace(run, state="running", progress_lines=half)], "mlflow", tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(tracking.EXPERIMENT)
    assert experiment
    (begun,) = client.search_runs([experiment.experiment_id])
    client.set_tag(begun.info.run_id, "mlflow.note.content", "somebody's note")
    for _ in range(2):
        tracking.export([run], "mlflow", tmp_path)
    (read,) = client.search_runs([experiment.experiment_id])
    assert read.info.run_name == "my first net"
    assert read.info.status == "FINISHED"
    assert read.data.params["lr"] == str(run.plan.recipe.lr)
    assert read.data.params["model"] == "softmax"
    for name in ("loss", "lr", "validation_accuracy"):
        history = client.get_metric_history(read.info.run_id, name)
        assert {metric.step: metric.value for metric in history} == figures(run, name)
        assert len(history) == len(figures(run, name))
    assert read.data.tags["mlflow.note.content"] == "somebody's note"
    assert run.card
    assert run.card.test
    assert read.data.metrics["test_accuracy"] == run.card.test.accuracy


def test_pandas_reads_a_table_of_each_run_and_one_of_all(run: Run, tmp_path: Path) -> None:
    assert main(["runs", "export", "--to", "csv", "--out", str(tmp_path / "new" / "folder")]) == 0
    lines = pd.read_csv(tmp_path / "new" / "folder" / f"{run.id}.csv").set_index("step")
    for name in ("epoch", "loss", "lr", "validation_loss", "validation_accuracy"):
        assert lines[name].dropna().to_dict() == figures(run, name)
    (row,) = pd.read_csv(tmp_path / "new" / "folder" / "runs.csv").to_dict("records")
    assert (row["id"], row["title"], row["epochs"]) == (
        run.id,
        "my first net",
        run.plan.recipe.epochs,
    )
    assert row["best_validation_accuracy"] == run.best


def test_a_run_that_is_exported_joins_those_exported_before(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "runs.csv"
    table.write_text("id,epochs,of another time\nearlier,3,yes\n")
    for _ in range(2):
        tracking.export([run], "csv", tmp_path)
        rows = pd.read_csv(table).set_index("id")
        assert list(rows.index) == ["earlier", run.id]
        assert rows.loc["earlier", "of another time"] == "yes"
        assert rows.loc[run.id, "epochs"] == run.plan.recipe.epochs


def test_a_table_that_a_spreadsheet_saved_with_notes_keeps_every_row(
    run: Run, tmp_path: Path
) -> None:
    table = tmp_path / "runs.csv"
    table.write_bytes(b"\xef\xbb\xbfid,note\r\nearlier,good\r\n,a remark\r\n,another\r\n")
    tracking.export([run], "csv", tmp_path)
    rows = pd.read_csv(table)
    assert list(rows["note"].dropna()) == ["good", "a remark", "another"]
    assert list(rows["id"].dropna()) == ["earlier", run.id]


@pytest.mark.parametrize(
    "content",
    [
        b"id;epochs\nearlier;3\n",
        "id,note\nearlier,für später\n".encode("latin-1"),
        "id,epochs\nearlier,3\n".encode("utf-16"),
    ],
)
def test_a_table_that_can_not_be_read_is_named_and_left_as_it_is(
    content: bytes, run: Run, tmp_path: Path
) -> None:
    table = tmp_path / "runs.csv"
    table.write_bytes(content)
    with pytest.raises(UserFacingError, match=r"runs\.csv can't be read"):
        tracking.export([run], "csv", tmp_path)
    assert table.read_bytes() == content


def test_of_two_exports_at_once_neither_loses_a_row(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = tracking._rows
    other = threading.Thread(
        target=tracking.export, args=([replace(run, id="other")], "csv", tmp_path)
    )

    def while_another_exports(path: Path) -> Any:
        monkeypatch.setattr(tracking, "_rows", read)
        found = read(path)
        other.start()
        other.join(0.5)  # time enough to write what is about to be replaced
        return found

    monkeypatch.setattr(tracking, "_rows", while_another_exports)
    tracking.export([run], "csv", tmp_path)
    other.join()
    assert list(pd.read_csv(tmp_path / "runs.csv")["id"]) == [run.id, "other"]


def test_figures_of_kinds_of_pictures_are_told_apart_by_a_slash() -> None:
    line = {"epoch": 1, "step": 9, "loss": 0.5, "validation_kinds": {"photos": 0.9}}
    assert dict(tracking._measured(line)) == {"loss": 0.5, "validation_kinds/photos": 0.9}


def test_a_run_without_progress_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (run.folder / "progress.jsonl").unlink()
    assert main(["runs", "export", run.id, "--to", "csv", "--out", str(tmp_path)]) == 1
    assert "has no progress yet" in capsys.readouterr().err


@pytest.mark.parametrize("tool", ["tensorboard", "mlflow"])
def test_a_tool_that_is_not_installed_is_named_with_what_installs_it(
    tool: tracking.Tool, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any, **more: Mapping[str, Any]) -> Any:
        if name.split(".")[0] == tool or name == "torch.utils.tensorboard":
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserFacingError, match=f"{tool} is not installed"):
        tracking.export([run], tool, tmp_path)
