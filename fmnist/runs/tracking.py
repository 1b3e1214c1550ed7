"""Runs in the forms that other tools keep them in: TensorBoard, MLflow and CSV."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held
from fmnist.runs.run import Run, RunError

Tool = Literal["tensorboard", "mlflow", "csv"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
EXPERIMENT = "Fashion-MNIST Studio"
PLACES = ("epoch", "epochs", "step", "steps", "eta_seconds")
"""What a progress line says of where it stands; all else in it is measured there."""


def export(runs: Sequence[Run], tool: Tool, folder: Path) -> None:
    """Write the runs, each with its recipe and every progress line, into a folder for the tool.

    A run that the folder has already is written anew, and under MLflow gets what it lacks. Raises
    UserFacingError where the tool isn't installed or the table of all runs can't be read, and
    OSError.
    """
    writers: Mapping[Tool, Callable[[Run, Path], None]] = {
        "tensorboard": _to_tensorboard,
        "mlflow": _to_mlflow,
        "csv": _to_csv,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for run in runs:
        if not run.progress:
            raise RunError("Run {run} has no progress yet; there is nothing to export.", run=run.id)
        try:
            writers[tool](run, folder)
        except ImportError:
            raise UserFacingError(
                "{tool} is not installed here: pip install -r requirements-tracking.txt.",
                tool=tool,
            ) from None
    if tool == "csv":
        _join_table(runs, folder / "runs.csv")


def _measured(line: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures of a progress line, each by its name; those of kinds of pictures with a slash."""
    for name, value in line.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{kind}", figure) for kind, figure in value.items())
        elif name not in PLACES and value is not None:
            yield name, value


def _settings(run: Run) -> dict[str, Any]:
    """What the run was asked for, flat."""
    plan = run.plan
    recipe = plan.recipe.to_json()
    return {
        "id": run.id,
        "title": plan.title or "",
        "model": plan.model,
        "data": plan.data,
        "device": plan.device,
        "limit": plan.limit or "",
        "repeats": plan.repeats.name if plan.repeats else "",
        **recipe,
        "augment": "+".join(recipe["augment"]),
    }


def _results(run: Run) -> dict[str, float]:
    """What came of it: the best validation accuracy, and the test accuracy of a finished one."""
    found = {"best_validation_accuracy": run.best}
    if run.card and run.card.test:
        found["test_accuracy"] = run.card.test.accuracy
    return {name: value for name, value in found.items() if value is not None}


def _to_csv(run: Run, folder: Path) -> None:
    lines = [
        {name: line[name] for name in ("epoch", "step")} | dict(_measured(line))
        for line in run.progress
    ]
    _write_table(folder / f"{run.id}.csv", lines)


def _join_table(runs: Sequence[Run], path: Path) -> None:
    """Have a table tell of the runs, too, each in the place of its earlier row."""
    new = {run.id: _settings(run) | _results(run) for run in runs}
    with held(path.with_name(f".{path.name}.lock"), needed=False):
        rows = [new.pop(row["id"], row) for row in _rows(path)]
        _write_table(path, [*rows, *new.values()])


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table that was exported before; none where there is no table."""
    if not path.exists():
        return []
    with (
        suppress(UnicodeDecodeError, csv.Error),
        path.open(newline="", encoding="utf-8-sig") as file,  # Excel begins with a BOM
    ):
        table = csv.DictReader(file)
        if "id" in (table.fieldnames or ()):
            return list(table)
    raise UserFacingError(
        "{file} can't be read as a table with a column id, so nothing was added to it. Save it "
        "with commas and as UTF-8, or move it away, and export again.",
        file=path,
    )


def _write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that need not have the same columns, which stand in the order of their first mention."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, table.getvalue().encode())


def _to_tensorboard(run: Run, folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    place = folder / run.id
    for earlier in place.glob("events.out.tfevents.*"):
        earlier.unlink()
    with SummaryWriter(str(place)) as writer:
        for line in run.progress:
            for name, value in _measured(line):
                writer.add_scalar(name, value, line["step"])
        writer.add_hparams(_settings(run), _results(run), run_name=".")


def _to_mlflow(run: Run, folder: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
    known = client.get_experiment_by_name(EXPERIMENT)
    experiment = (
        known.experiment_id
        if known
        else client.create_experiment(EXPERIMENT, (folder.resolve() / "artifacts").as_uri())
    )
    # What is there already stays, with what people wrote beside it, and is not logged twice.
    before = client.search_runs([experiment], f"tags.run = '{run.id}'")
    if before:
        made = before[0].info.run_id
    else:
        made = client.create_run(experiment, run_name=run.label, tags={"run": run.id}).info.run_id
        settings = [Param(name, str(value)) for name, value in _settings(run).items()]
        client.log_batch(made, params=settings)
    metrics = [
        Metric(name, value, 0, line["step"])
        for line in run.progress
        for name, value in _measured(line)
    ]
    last = run.progress[-1]["step"]
    metrics += [Metric(name, value, 0, last) for name, value in _results(run).items()]
    for begin in range(0, len(metrics), 1000):  # as many as MLflow takes at once
        client.log_batch(made, metrics[begin : begin + 1000])
    client.log_batch(made, tags=[RunTag("state", run.state)])
    client.set_terminated(made, "FINISHED" if run.state == "finished" else "KILLED")
