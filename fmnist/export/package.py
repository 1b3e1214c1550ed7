"""Take it home: a model as a zip of its files, its card, and a script that needs nothing else."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from fmnist.analysis import evaluation
from fmnist.data.splits import CLASSES
from fmnist.export import code
from fmnist.export.graph import OPSET, to_onnx
from fmnist.machine import templates
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.layers import Classifier
from fmnist.models.recipe import Recipe
from fmnist.weights.card import Card
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers.graphs import Graph

_README, _CLASSIFY = (
    templates.template(Path(__file__).with_name(name))
    for name in ("README.md.j2", "classify.py.j2")
)


def packed(weights: Weights) -> bytes:
    """A model's zip, with all its files in a folder of its name.

    Raises UserFacingError where ONNX Runtime doesn't answer as the network does, and for
    predictions, of which no model is here.
    """
    if not weights.card.any_picture:
        raise UserFacingError("Its predictions alone are here, so there is no model to take home.")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _files(weights):
            archive.writestr(f"{weights.card.name}/{name}", data)
    return content.getvalue()


def _files(weights: Weights) -> Iterator[tuple[str, bytes | str]]:
    model, card = weights
    yield f"model{model.suffix if model.opaque else '.onnx'}", to_onnx(model)
    if not model.opaque:
        yield "model.safetensors", model.packed(card.architecture)
        state = io.BytesIO()
        torch.save({name: tensor.cpu() for name, tensor in model.state_dict().items()}, state)
        yield "model.pt", state.getvalue()
    yield "classify.py", classify_script(weights)
    yield "README.md", model_card(weights)
    if text := training_script(card):
        yield "train.py", text
        yield "train.ipynb", code.notebook(text)


def training_script(card: Card) -> str | None:
    """The script that trains such a model; None where nobody knows how it was trained."""
    if card.architecture is None or card.recipe is None:
        return None
    drawn = card.data == "drawn"
    recipe = Recipe.from_json(card.recipe)
    return code.script(card.architecture, recipe, card.limit, drawn=drawn, repeats=card.repeats)


def classify_script(weights: Weights) -> str:
    """A script that names the garment in pictures by model.onnx beside it."""
    model, card = weights
    return _CLASSIFY.render(
        opaque=model.opaque,
        runtime=_runtime(model),
        form=model.form if isinstance(model, Graph) else None,
        output=repr(model.form.output) if isinstance(model, Graph) else None,
        integers=isinstance(model, Graph) and model.integers,
        probabilities=isinstance(model, Graph) and model.probabilities,
        reads={key: float(value) for key, value in model.standardize.state_dict().items()},
        temperature=card.temperature,
        classes=list(CLASSES),
    )


def model_card(weights: Weights) -> str:
    """A README.md as the Hugging Face Hub reads it, with what was measured."""
    model, card = weights
    measured = [("test", card.on_real), ("validation", card.on_real and card.validation)]
    matrix = np.array(card.test.confusion) if card.test else None
    return _README.render(
        card=card,
        label=json.dumps(card.label, ensure_ascii=False),
        opaque=model.opaque,
        runtime=_runtime(model),
        file=f"model{model.suffix}",
        opset=OPSET,
        summary=MODELS[card.architecture].summary if card.architecture else None,
        classes=CLASSES,
        figures=[(split, figures) for split, figures in measured if figures],
        test=card.test,
        by_class=[]
        if matrix is None
        else list(zip(CLASSES, evaluation.per_class(matrix), strict=True)),
        recipe=[(k, _plain(v)) for k, v in card.recipe.items() if v not in (None, 0.0)]
        if card.recipe
        else None,
        has_code=training_script(card) is not None,
    )


def _runtime(model: Classifier) -> str:
    """The package that runs a model's file."""
    return "ai-edge-litert" if model.opaque == "tflite" else "onnxruntime"


def _plain(value: object) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
