"""The command line: `python -m fmnist VERB`, with the verbs of `_parser`."""

import argparse
import gc
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import fashion, splits
from fmnist.data.fashion import DataError
from fmnist.data.splits import CLASSES, SOURCES, Source, Split, SplitName
from fmnist.machine import devices
from fmnist.machine.devices import PREFERENCES
from fmnist.machine.errors import UserFacingError
from fmnist.machine.files import write_whole
from fmnist.models import MODELS, inference
from fmnist.models.recipe import Recipe
from fmnist.pictures import intake, reading
from fmnist.pictures.intake import Kind
from fmnist.pictures.reading import PictureError
from fmnist.report.page import report
from fmnist.runs import queue, results, tracking, worker
from fmnist.runs.run import Plan, Run, all_runs, read_run
from fmnist.sweeps import space
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import Dimension
from fmnist.sweeps.sweep import PRUNERS, Sweep, Trial
from fmnist.weights import ensembles, shelf
from fmnist.weights.card import FAMILIES, WeightsError
from fmnist.weights.measuring import asked
from fmnist.weights.shelf import DEFAULT, Weights
from fmnist.weights.strangers.graphs import GraphError

KINDS = ("auto", "sketch", "shop", "photo", "dataset")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status.

    That is 0 for success, 1 for failure, 2 for wrong usage and 130 for Ctrl-C.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be in no encoding
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status: int = options.verb(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read it, such as head, has enough. What is left would be told of at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except GraphError as error:
        print(f"fmnist: The model {error}", file=sys.stderr)
        return 1
    except (UserFacingError, OSError) as error:
        print(f"fmnist: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def show_data(options: argparse.Namespace) -> int:
    """Say where the dataset is and how each file does; download what is missing."""
    print(f"Fashion-MNIST in {fashion.folder()}")
    problem = None
    try:
        fashion.download()
    except DataError as error:
        problem = str(error)
    states = list(fashion.check())
    for file, wrong in states:
        print(f"  {wrong or f'{file.name} is right (MD5 {file.md5})'}")
    if problem:
        print(f"{problem}\nUntil then everything works on drawn garments.", file=sys.stderr)
    return int(any(wrong for _, wrong in states))


def show_models(options: argparse.Namespace) -> int:
    """List every architecture and every weights file."""
    rows = shelf.listing()
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    print(f"{'name':<16}{'family':<18}{'parameters':>12}{'size':>10}{'validation':>12}{'test':>9}")
    for row in rows:
        size = f"{row['bytes'] / 1e3:,.0f} kB" if row["bytes"] else "-"
        numbers = "-" if row["parameters"] is None else f"{row['parameters']:,}"
        print(
            f"{row['name']:<16}{FAMILIES[row['family']]:<18}{numbers:>12}{size:>10}"
            f"{_percent(row['validation_accuracy']):>12}{_percent(row['test_accuracy']):>9}"
        )
    return 0


def train(options: argparse.Namespace) -> int:
    """Make a run of the model's recipe, with the given changes, and watch it to its end."""
    asked = {name: getattr(options, name) for name in ("epochs", "batch_size", "lr", "seed")}
    changes = {name: value for name, value in asked.items() if value is not None}
    recipe = MODELS[options.model].recipe
    repeats = _load(options.repeats).card if options.repeats else None
    if repeats and repeats.recipe:
        recipe = Recipe.from_json(repeats.recipe)
    plan = Plan(
        model=options.model,
        recipe=replace(recipe, **changes),
        data=_source(options.data),
        device=options.device,
        limit=options.limit,
        repeats=repeats,
        name=options.name,
    )
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return _train_in_group(plan)
    run = queue.start(plan)
    print(f"Run {run.id} in {run.folder}")
    _dispatch()
    return _watch(run.id, stop_on_interrupt=True)


def _train_in_group(plan: Plan) -> int:
    """What each process of torchrun does; the first one says how it went."""
    run_id = worker.in_group(plan)
    if os.environ["RANK"] == "0":
        return _watch(run_id, stop_on_interrupt=False)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Measure weights on a split."""
    weights = _load(options.weights)
    result, split = _measured(weights, options.split, _source(options.data))
    matrix = evaluation.confusion(result)
    if options.json:
        values = {
            "weights": options.weights,
            "split": options.split,
            "n": len(split),
            "accuracy": evaluation.accuracy(result),
            "loss": evaluation.loss(result) if weights.card.sure else None,
            "confusion": matrix.tolist(),
        }
        print(json.dumps(values))
        return 0
    right = int((result.predictions == split.labels).sum())
    print(f"{weights.card.name} on {options.split}: {right:,} of {len(split):,} right, ", end="")
    loss = f"; cross-entropy {evaluation.loss(result):.4f}" if weights.card.sure else ""
    print(f"{evaluation.accuracy(result):.2%}{loss}")
    print(f"{'':<14}{'precision':>10}{'recall':>10}{'F1':>10}")
    for name, row in zip(CLASSES, evaluation.per_class(matrix), strict=True):
        print(f"{name:<14}{row.precision:>10.1%}{row.recall:>10.1%}{row.f1:>10.1%}")
    return 0


def make_report(options: argparse.Namespace) -> int:
    """Write what was measured of weights, with their worst errors, into one HTML file."""
    weights = _load(options.weights)
    path = options.out or Path(f"{weights.card.name}-report.html")
    _check_new(path)
    source = _source(options.data)
    result, split = _measured(weights, options.split, source)
    write_whole(path, report(weights.card, result, split, options.split, source).encode())
    print(path)
    return 0


def _check_new(path: Path) -> None:
    """Raise UserFacingError where no file can be made under that name."""
    if path.is_dir():
        raise UserFacingError("{folder} is a folder. Name a file in it with --out.", folder=path)
    if path.exists():
        raise UserFacingError(
            "{file} is there already. Delete it, or name another file with --out.", file=path
        )
    if not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise UserFacingError(
            "There is no folder {folder} in which {file} could be written. Make it, or name "
            "another file with --out.",
            folder=path.parent,
            file=path.name,
        )


def _measured(weights: Weights, split_name: SplitName, source: Source) -> tuple[Evaluation, Split]:
    """The answers of weights to a split, and the split; raises WeightsError if it was learned."""
    if weights.card.repeats and split_name == "validation":
        raise WeightsError(
            "{name} has learned the validation images; ask it about test.", name=weights.card.label
        )
    split = splits.load(split_name, source)
    logits, _ = devices.or_cpu(
        partial(inference.infer, weights.model, split.images), devices.choose(), notify=_complain
    )
    return Evaluation(weights.card.name, logits, split.labels), split


def _load(name: str) -> Weights:
    """Weights, with a word on how a stranger's read pixels."""
    weights = shelf.load(name)
    if weights.card.reading:
        print(f"{weights.card.name} {weights.card.reading}.", file=sys.stderr)
    for remark in filter(None, [weights.card.guess, weights.card.doubt]):
        print(remark, file=sys.stderr)
    return weights


def classify(options: argparse.Namespace) -> int:
    """Name the garment in each picture; a file that can't be read never stops the others."""
    try:
        weights = _load(options.weights)
    except WeightsError as error:
        print(f"fmnist: {error}", file=sys.stderr)
        return 2
    failures = 0
    for path in _pictures(options.images):
        answer = _answer(path, weights, options.kind)
        failures += "error" in answer
        print(json.dumps(answer) if options.json else _in_words(answer), flush=True)
    return int(failures > 0)


def _answer(path: Path, weights: Weights, kind: Kind | Literal["auto"]) -> dict[str, Any]:
    try:
        taken = intake.from_any(reading.read(path.read_bytes()), kind)
    except PictureError as error:
        return {"path": str(path), "error": str(error)}
    except OSError as error:
        return {"path": str(path), "error": f"This file can't be read ({error.strerror})."}
    try:
        answer, _ = devices.or_cpu(
            partial(weights.answer, taken.pixels[None], kinds=[taken.kind]),
            devices.choose(),
            notify=_complain,
        )
    except GraphError as error:
        return {"path": str(path), "error": f"The model {error}"}
    probabilities = answer.probabilities[0]
    label = int(probabilities.argmax())
    return {
        "path": str(path),
        "label": label,
        "class": CLASSES[label],
        "probability": float(probabilities[label]),
        "probabilities": dict(zip(CLASSES, probabilities.tolist(), strict=True)),
        "kind": taken.kind,
        "warnings": [*taken.warnings, *filter(None, answer.doubts)],
    }


def _in_words(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['path']}: {answer['error']}"
    first = f"{answer['path']}: {answer['class']} ({answer['probability']:.0%}, {answer['kind']})"
    return "\n  ".join([first, *answer["warnings"]])


def show_runs(options: argparse.Namespace) -> int:
    """List the runs, newest first, and start what is queued and can start."""
    _dispatch()
    rows = [run.summary() for run in all_runs()]
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(
            f"{row['id']:<40}{row['state']:<12}{row['model']:<16}"
            f"{row['epoch']:>4}/{row['epochs']:<4}{_percent(row['validation_accuracy']):>9}"
            f"  {row['title'] or ''}  {row['where'] or ''}".rstrip()
        )
    return 0


def _dispatch() -> None:
    """Start the runs whose turn it is; what stands against that is said."""
    if trouble := queue.dispatch():
        print(trouble, file=sys.stderr)


def stop_run(options: argparse.Namespace) -> int:
    """Ask a run to stop."""
    queue.stop(options.id)
    return 0


def resume_run(options: argparse.Namespace) -> int:
    """Queue a run again, from its checkpoint."""
    queue.resume(options.id)
    _dispatch()
    return 0


def keep_runs(options: argparse.Namespace) -> int:
    """Keep a finished run among the weights, or the best of several with different seeds."""
    card = results.keep(options.ids, options.name)
    print(f"{card.name}: {_percent(card.test.accuracy if card.test else None)} on test")
    return 0


def join(options: argparse.Namespace) -> int:
    """Keep an ensemble of weights among the weights, measured where the real dataset is here."""
    shelf.free_label(options.name)  # before anything is asked
    weights = ensembles.joined([_load(name) for name in options.weights], options.name)
    if _source(None) == "real":  # figures on drawn garments would stand beside real ones
        data = splits.load("validation", "real"), splits.load("test", "real")
        card, _ = devices.or_cpu(partial(asked, weights, data), devices.choose(), notify=_complain)
        weights = weights._replace(card=card)
    card = shelf.keep(weights, options.name)
    print(f"{card.name}: {_percent(card.test.accuracy if card.test else None)} on test")
    return 0


def export_runs(options: argparse.Namespace) -> int:
    """Write runs for another tool: those named, or all that have progress."""
    named = [read_run(run_id) for run_id in options.ids]
    runs = named or [run for run in all_runs() if run.progress]
    tracking.export(runs, options.to, options.out)
    print(f"{len(runs)} runs in {options.out}")
    return 0


def watch_run(options: argparse.Namespace) -> int:
    """Follow a run to its end; Ctrl-C leaves it going."""
    return _watch(options.id, stop_on_interrupt=False)


def _watch(run_id: str, stop_on_interrupt: bool) -> int:
    run = read_run(run_id)
    bar = tqdm(unit="step", bar_format="{l_bar}{bar}| {postfix}", dynamic_ncols=True)
    validated = 0
    try:
        for run in queue.watch(run_id):
            validated = _show(run, bar, validated)
    except KeyboardInterrupt:
        bar.close()
        if not stop_on_interrupt:
            return 0
        queue.stop(run_id)
        print(f"\nStopping. Go on with: python -m fmnist runs resume {run_id}")
        return 1
    bar.close()
    if run.notice:
        print(run.notice)
    if run.card and run.card.test:
        print(
            f"Best epoch {run.card.best_epoch}, test accuracy {run.card.test.accuracy:.2%}: ",
            end="",
        )
        print(run.plan.name if results.is_kept(run.plan, run.card) else run.weights)
        return 0
    print(f"{run.state}{': ' + run.failure if run.failure else ''}", file=sys.stderr)
    return 1


def _show(run: Run, bar: "tqdm[Any]", validated: int) -> int:
    """Bring the bar up to date and print the epochs that ended; returns how many have."""
    if not run.progress:
        bar.set_postfix_str(run.state)
        return validated
    last = run.progress[-1]
    epochs = [line for line in run.progress if "validation_accuracy" in line]
    for ended in epochs[validated:]:
        bar.write(
            f"epoch {ended['epoch']:>3}: loss {ended['loss']:.4f}, "
            f"validation accuracy {ended['validation_accuracy']:.2%}"
        )
    bar.total, bar.n = last["steps"], last["step"]
    accuracy = f", accuracy {epochs[-1]['validation_accuracy']:.2%}" if epochs else ""
    bar.set_postfix_str(
        f"loss {last['loss']:.3f}{accuracy}, {last['images_per_second']:,.0f} images/s, "
        f"{tqdm.format_interval(last['eta_seconds'])} left"
    )
    return len(epochs)


def sweep(options: argparse.Namespace) -> int:
    """Try recipes of a model until all are tried; the same command goes on with it."""
    asked = {field: getattr(options, field) for field in space.FIELDS}
    wanted = Sweep(
        name=options.name or f"{options.model}-{time.strftime('%Y%m%d-%H%M%S')}",
        model=options.model,
        recipe=MODELS[options.model].recipe,
        space=tuple(Dimension.parse(field, text) for field, text in asked.items() if text),
        trials=options.trials,
        data=_source(options.data),
        device=options.device,
        limit=options.limit,
        pruner=options.pruner,
    )
    begun = sweeps.begin(wanted)
    print(f"Sweep {begun.name}: {begun.tries} trials. Ctrl-C leaves it; --name goes on with it.")
    try:
        with sweeps.carrying_out(begun):
            for trial in sweeps.carry_out(begun):
                print(_in_a_line(trial), flush=True)
    except KeyboardInterrupt:
        print(f"Left. The run that trains goes on; go on with --name {begun.name}.")
        return 1
    best = sweeps.best_of(begun.tried())
    print(f"Best: {_in_a_line(best)}" if best else "No trial came to its end.")
    return int(best is None)


def show_sweeps(options: argparse.Namespace) -> int:
    """List every sweep, the newest first, with how far it is and its best trial."""
    rows = []
    for name in sweeps.names():
        try:
            found = sweeps.read_sweep(name)
            trials = found.tried()
        except UserFacingError as error:
            print(f"fmnist: {error}", file=sys.stderr)
            continue
        best = sweeps.best_of(trials)
        rows.append(
            {
                "name": found.name,
                "model": found.model,
                "trials": found.tries,
                "ended": sum(trial.state != "running" for trial in trials),
                "best": best._asdict() if best else None,
            }
        )
        if not options.json:
            done = f"{rows[-1]['ended']} of {found.tries}"
            print(f"{found.name}: {found.model}, {done} trials", end="")
            print(f"; best {_in_a_line(best)}" if best else "")
    if options.json:
        print(json.dumps(rows, indent=1))
    return 0


def _in_a_line(trial: Trial) -> str:
    values = ", ".join(
        f"{field} {value:.4g}" if isinstance(value, float) else f"{field} {value}"
        for field, value in trial.values.items()
    )
    return f"trial {trial.number}: {values}: {_percent(trial.accuracy)}, {trial.state}, {trial.run}"


def _source(asked: Source | None) -> Source:
    """The data asked for; by default the real dataset where it can be had, else drawn garments."""
    if asked:
        return asked
    if not fashion.available() and not fashion.chosen_by_user():
        try:
            fashion.download()
        except DataError as error:
            print(f"{error}\nUsing drawn garments instead.", file=sys.stderr)
    return splits.default_source()


def _pictures(arguments: Sequence[Path]) -> Iterator[Path]:
    """The files asked for, in order; a folder stands for the files in it."""
    for path in arguments:
        yield from sorted(path.iterdir()) if path.is_dir() else [path]


def _complain(notice: str) -> None:
    print(notice, file=sys.stderr)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fmnist", description="Fashion-MNIST Studio")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("data", help="find, verify and download the dataset")
    verb.set_defaults(verb=show_data)

    verb = verbs.add_parser("models", help="list every architecture and weights file")
    verb.add_argument("--json", action="store_true")
    verb.set_defaults(verb=show_models)

    verb = verbs.add_parser("train", help="train a model with its recipe, as a run")
    verb.add_argument("model", choices=MODELS, metavar="MODEL", help=", ".join(MODELS))
    verb.add_argument("--epochs", type=int, metavar="N")
    verb.add_argument("--batch-size", type=int, metavar="N")
    verb.add_argument("--lr", type=float, metavar="F", help="peak learning rate")
    verb.add_argument("--seed", type=int, metavar="N")
    verb.add_argument("--device", choices=PREFERENCES, default="auto")
    verb.add_argument("--data", choices=SOURCES)
    verb.add_argument("--limit", type=int, metavar="N", help="train on N images only")
    verb.add_argument(
        "--repeats", metavar="WEIGHTS", help="as they were trained, on the validation images too"
    )
    verb.add_argument("--name", help="keep the result among the weights under this name")
    verb.set_defaults(verb=train)

    verb = verbs.add_parser("sweep", help="try recipes of a model, each as a run")
    verb.add_argument("model", choices=MODELS, metavar="MODEL")
    for field in space.FIELDS:
        verb.add_argument(f"--{field.replace('_', '-')}", dest=field, metavar="RANGE")
    verb.add_argument("--trials", type=int, default=20, metavar="N")
    verb.add_argument(
        "--pruner", choices=PRUNERS, default="median", help="what ends bad ones early"
    )
    verb.add_argument("--device", choices=PREFERENCES, default="auto")
    verb.add_argument("--data", choices=SOURCES)
    verb.add_argument("--limit", type=int, metavar="N", help="train on N images only")
    verb.add_argument("--name", help="goes on with the sweep of that name where there is one")
    verb.epilog = "A RANGE is 3..20, 1e-4..1e-2:log, 128,256 or adamw,muon."
    verb.set_defaults(verb=sweep)

    verb = verbs.add_parser("sweeps", help="list sweeps with their best trial")
    verb.add_argument("--json", action="store_true")
    verb.set_defaults(verb=show_sweeps)

    verb = verbs.add_parser("evaluate", help="measure weights on a split")
    verb.add_argument("weights", metavar="WEIGHTS", help="a shipped name or a path")
    verb.add_argument("--split", choices=("test", "validation"), default="test")
    verb.add_argument("--data", choices=SOURCES)
    verb.add_argument("--json", action="store_true")
    verb.set_defaults(verb=evaluate)

    verb = verbs.add_parser("report", help="write one HTML file about weights and their errors")
    verb.add_argument("weights", metavar="WEIGHTS", help="a shipped name or a path")
    verb.add_argument("--split", choices=("test", "validation"), default="test")
    verb.add_argument("--data", choices=SOURCES)
    verb.add_argument(
        "--out", type=Path, metavar="FILE", help="a new file; without it, NAME-report.html here"
    )
    verb.set_defaults(verb=make_report)

    verb = verbs.add_parser("join", help="keep an ensemble of weights, which answer by their mean")
    verb.add_argument(
        "weights", nargs="+", metavar="WEIGHTS", help="names of weights, or paths: two or more"
    )
    verb.add_argument("--name", required=True)
    verb.set_defaults(verb=join)

    verb = verbs.add_parser("classify", help="name the garment in pictures")
    verb.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    verb.add_argument(
        "--weights",
        default=DEFAULT,
        metavar="WEIGHTS",
        help="a shipped name or a path",
    )
    verb.add_argument("--kind", choices=KINDS, default="auto")
    verb.add_argument("--json", action="store_true")
    verb.set_defaults(verb=classify)

    verb = verbs.add_parser("runs", help="list training runs; stop, resume or watch one")
    verb.add_argument("--json", action="store_true")
    verb.set_defaults(verb=show_runs)
    actions = verb.add_subparsers(metavar="ACTION")
    for name, function in (("stop", stop_run), ("resume", resume_run), ("watch", watch_run)):
        action = actions.add_parser(name, help=function.__doc__)
        action.add_argument("id", metavar="ID")
        action.set_defaults(verb=function)
    action = actions.add_parser("keep", help=keep_runs.__doc__)
    action.add_argument("ids", nargs="+", metavar="ID")
    action.add_argument("--name", required=True)
    action.set_defaults(verb=keep_runs)
    action = actions.add_parser("export", help=export_runs.__doc__)
    action.add_argument("ids", nargs="*", metavar="ID")
    action.add_argument("--to", choices=tracking.TOOLS, required=True)
    action.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    action.set_defaults(verb=export_runs)
    return parser


if __name__ == "__main__":
    gc.freeze()  # what was imported stays, and isn't looked through again
    sys.exit(main())
