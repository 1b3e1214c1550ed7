"""Show me the code: one PyTorch script, and a notebook, of an architecture and its recipe."""

import ast
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fmnist import models
from fmnist.data import splits
from fmnist.data.splits import CHOSEN_BY, CLASSES
from fmnist.export.sources import Sources, names_in, tree
from fmnist.machine import templates
from fmnist.models import MODELS, ModelSpec, chain
from fmnist.models.chain import Layer
from fmnist.models.recipe import Recipe
from fmnist.training import adversarial, augment, loop, muon, optimizer
from fmnist.weights import shelf

CELL = "# %%"
ALWAYS = ("import gzip", "from pathlib import Path", "import numpy as np")
RUNTIME = "import onnxruntime"
AVERAGES = ("AveragedModel", "get_ema_multi_avg_fn")

_SCRIPT = templates.template(Path(__file__).with_name("train.py.j2"))


def script(
    architecture: str,
    recipe: Recipe,
    limit: int | None = None,
    run: str = "",
    drawn: bool = False,
    repeats: str | None = None,
) -> str:
    """A script that trains as a run of that recipe does, on so many images, without this project.

    It names the run, and says what of the recipe it leaves out. Its cells begin with `CELL`.
    """
    left_out = [*_left_out(recipe, drawn, repeats)]
    if recipe.teacher and any(c.name == recipe.teacher and c.opaque for c in shelf.cards()):
        left_out.append(
            f"Left out: what {recipe.teacher} answers, a graph that somebody brought. The labels "
            "are learned."
        )
        recipe = replace(recipe, teacher=None)
    return _script(architecture, recipe, limit, run, tuple(left_out))


@lru_cache(maxsize=64)
def _script(
    architecture: str, recipe: Recipe, limit: int | None, run: str, left_out: tuple[str, ...]
) -> str:
    build = _build(architecture)
    sources = Sources()
    network = sources.take(names_in(build), models)
    needed = [
        *(["alternating"] if "flip" in recipe.augment else []),
        *recipe.augment,
        *(["mix"] if recipe.mixing else []),
    ]
    training = [sources.take(needed, augment)]
    if recipe.optimizer == "muon":
        training.append(sources.take(["Muon"], muon))
    if recipe.adversarial:
        training.append(sources.take(["against"], adversarial))
    if recipe.precision == "bfloat16":
        training.append(sources.take(["accelerates_bfloat16"], loop))
    used = ["math", "torch", "nn", "Tensor", *(AVERAGES if recipe.averaging else ())]
    sources.take(used, loop)  # by the template
    spec = MODELS[architecture]
    text = _SCRIPT.render(
        name=architecture,
        title=spec.title,
        summary=spec.summary,
        recipe=recipe,
        run=run,
        limit=limit,
        remarks=left_out,
        imports=_sorted([*sources.imports, *ALWAYS, *([RUNTIME] if recipe.teacher else [])]),
        network=network,
        build=build,
        training="\n\n\n".join(filter(None, training)),
        random=recipe.mixing or set(recipe.augment) - {"flip"},
        classes=CLASSES,
        split_seed=CHOSEN_BY,
        held_out=splits.VALIDATION_PER_CLASS,
        warm_up=loop.WARM_UP,
        adam_share=optimizer.ADAM_SHARE,
    )
    return text.rstrip() + "\n"


def network(layers: Sequence[Layer]) -> str:
    """The layers of a chain as a network in PyTorch's own words, with what classes it needs."""
    sources, lines = Sources(), []
    texts = [sources.take(["Standardize"], chain)]
    for layer in layers:
        if plain := _in_torchs_words(layer):
            lines.append(f"    {plain},")
            continue
        options = {name: value for name, value in layer.items() if name != "kind"}
        made = type(chain.built(layer))
        kind = made.__name__
        if made.__module__.startswith("torch."):
            kind = f"nn.{kind}"
        else:
            texts.append(sources.take([kind], chain))
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        lines.append(f"    {kind}({given}),")
    sources.take(["torch", "nn"], chain)
    body = "\n".join(["model = nn.Sequential(", "    Standardize(),", *lines, ")"])
    parts = ["\n".join(_sorted(sources.imports)).strip(), *filter(None, texts), body]
    return "\n\n\n".join(parts) + "\n"


def _in_torchs_words(layer: Layer) -> str:
    """A layer of which torch has the very class; nothing for one that pads unevenly, or another."""
    if layer["kind"] == "BatchNorm":
        eps = f", eps={layer['eps']!r}" if "eps" in layer else ""
        return f"nn.BatchNorm{2 if layer['images'] else 1}d({layer['channels']}{eps})"
    if layer["kind"] == "Conv2d":
        left, right, top, bottom = layer.get("padding", (0, 0, 0, 0))
        if left != right or top != bottom:
            return ""
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
        options = {"kernel_size": layer["size"], **layer, "padding": [top, left]}
        given = {name: _one(options[name]) for name in ("kernel_size", *usual) if name in options}
        more = [f"{name}={value!r}" for name, value in given.items() if value != usual.get(name)]
        return f"nn.Conv2d({', '.join([str(layer['inputs']), str(layer['outputs']), *more])})"
    if layer["kind"] == "Pool" and not any(layer["padding"]):
        kind, size, stride = ("Avg" if layer["mean"] else "Max"), layer["size"], layer["stride"]
        more = [] if stride == size else [f"stride={_one(stride)!r}"]
        return f"nn.{kind}Pool2d({', '.join([repr(_one(size)), *more])})"
    return ""


def _one(sizes: Any) -> Any:
    """Two equal sizes as one."""
    if isinstance(sizes, bool | int):
        return sizes
    down, across = sizes
    return down if down == across else (down, across)


@lru_cache(maxsize=64)
def notebook(text: str) -> str:
    """A script as a Jupyter notebook, a cell for each of the script's."""
    cells: list[dict[str, Any]] = []
    for part in text.split(f"\n{CELL}"):
        head, _, body = part.removeprefix(CELL).partition("\n")
        lines = body.strip("\n").splitlines()
        if head.strip():
            lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
        cells.append(_cell("markdown" if head.strip() else "code", "\n".join(lines)))
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    document = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text.splitlines(True)}
    return cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []}


def _left_out(recipe: Recipe, drawn: bool, repeats: str | None) -> Iterator[str]:
    if drawn:
        yield "The run learned drawn garments; here they are those of Fashion-MNIST."
    if recipe.everyday:
        yield (
            f"Left out: {recipe.everyday:g} garments for each training image as people draw and "
            "photograph them, made from those, so it will know pictures less well."
        )
    if recipe.people:
        yield "Left out: the pictures that people really drew and took, which it learns from too."
    if repeats:
        yield f"Left out: the validation images, which it learned too, to the epoch of {repeats}."


def _sorted(imports: Iterable[str]) -> list[str]:
    """Import statements as is usual: what comes with Python first, and a blank line after that."""
    ours: list[str] = []
    theirs: list[str] = []
    for line in sorted(imports, key=lambda line: (line.startswith("from"), line)):
        root = line.split()[1].split(".")[0]
        (ours if root in sys.stdlib_module_names else theirs).append(line)
    return [*ours, "", *theirs]


def _build(architecture: str) -> str:
    """The expression that builds an architecture, as it is written in the registry."""
    parameters = [field.name for field in fields(ModelSpec)]
    for call in ast.walk(tree(inspect.getsource(models))):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == ModelSpec.__name__:
            given = dict(zip(parameters, call.args, strict=False))
            given |= {word.arg: word.value for word in call.keywords if word.arg}
            if ast.literal_eval(given["name"]) == architecture:
                build = given["network"]
                return (
                    ast.unparse(build.body)
                    if isinstance(build, ast.Lambda)
                    else f"{ast.unparse(build)}()"
                )
    raise LookupError(architecture)
