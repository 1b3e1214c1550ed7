"""Watch it learn: a finished run epoch by epoch, by a drawing, its filters and a map."""

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import nn

from fmnist.analysis import embedding, evaluation, explain
from fmnist.analysis.inside import Floats
from fmnist.data.splits import CLASSES
from fmnist.models import inference
from fmnist.models.layers import Classifier
from fmnist.pictures.encode import data_url
from fmnist.pictures.intake import Intake
from fmnist.runs import epochs
from fmnist.runs.run import Run, read_run
from fmnist.ui import answers, figures, widgets
from fmnist.ui.components.layers import coloured
from fmnist.ui.language import Spinner
from fmnist.ui.parts import classify
from fmnist.ui.state import dataset
from fmnist.words import Words, _, said

GARMENTS = 400
"""Validation garments on the map."""
CPU = torch.device("cpu")
MOST_FILTERS, A_ROW, EDGE = 64, 8, 280


def watch(run: Run) -> None:
    """A fold with a slider over the epochs of a run, once it is opened."""
    numbers = epochs.kept(run)
    if len(numbers) < 2:
        return
    fold = st.expander(
        _("Watch it learn"), icon=":material/movie:", key="watch", bind="query-params"
    )
    if fold.open:
        with fold:
            _watch(run, numbers)


@st.fragment
def _watch(run: Run, numbers: list[int]) -> None:
    epoch = st.select_slider(
        _("Weights after epoch"), numbers, numbers[-1], key=f"watched {run.id}"
    )
    bring, see = st.columns(2, gap="large")
    with bring:
        taken = classify.draw("auto", run.plan.data, first=classify.TEST_IMAGE)
    pictures = [picture for name, picture in taken if isinstance(picture, Intake)]
    learned = _models(run.id, tuple(numbers))
    with see:
        if pictures:
            probabilities = _said(learned, pictures[0].pixels)
            title = _("after epoch {epoch}", epoch=epoch)
            answers.show([probabilities[numbers.index(epoch)]], [title])
            st.markdown(said(in_words(probabilities, numbers)))
    left, right = st.columns(2, gap="large")
    with left:
        _filters(learned[epoch])
    with right:
        _map(run, tuple(numbers), epoch)


@st.cache_resource(show_spinner=False, max_entries=4)
def _models(run_id: str, numbers: tuple[int, ...]) -> dict[int, Classifier]:
    run = read_run(run_id)
    return {number: epochs.model(run, number) for number in numbers}


def _said(learned: dict[int, Classifier], pixels: NDArray[np.uint8]) -> Floats:
    """What the model of each epoch says of pixels uint8 (28, 28): probabilities (E, 10)."""
    logits = [inference.infer(model, pixels[None], CPU) for model in learned.values()]
    return evaluation.probabilities(np.concatenate(logits))


def in_words(probabilities: Floats, numbers: list[int]) -> Words:
    """From which epoch on the last answer is given, by probabilities (E, 10) of these epochs."""
    answers = probabilities.argmax(1)
    last = CLASSES[answers[-1]]
    others = np.flatnonzero(answers != answers[-1])
    if not len(others):
        return Words("It says {last} from epoch {first} on.", last=last, first=numbers[0])
    before = int(others[-1])
    return Words(
        "After epoch {before} it still says {earlier}, and {last} from epoch {first} on.",
        before=numbers[before],
        earlier=CLASSES[answers[before]],
        last=last,
        first=numbers[before + 1],
    )


def _filters(model: Classifier) -> None:
    """The filters of the first convolution, or the weights of the first layer's units."""
    st.markdown(f"**{_('What its first layer looks for')}**")
    weights = first_filters(model)
    if weights is None:
        st.caption(_("Its first layer has no filters that make a picture."))
        return
    count, height, width = weights.shape
    sheet = np.zeros((-(-count // A_ROW) * A_ROW, height + 1, width + 1), np.float32)
    sheet[:count, :height, :width] = weights
    rows = sheet.reshape(-1, A_ROW, height + 1, width + 1).swapaxes(1, 2)
    picture = coloured(rows.reshape(-1, A_ROW * (width + 1)))
    alt = _("{count} filters: orange is above zero, blue below", count=count)
    st.image(data_url(picture, EDGE), alt=alt)


def first_filters(model: Classifier) -> Floats | None:
    """At most so many filters (N, h, w) of the first layer that has weights for pixels."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            found = layer.weight[:MOST_FILTERS].mean(1)
        elif isinstance(layer, nn.Linear) and layer.in_features == 28 * 28:
            found = layer.weight[:MOST_FILTERS].reshape(-1, 28, 28)
        elif isinstance(layer, nn.Linear | nn.RNNBase):
            return None
        else:
            continue
        array: Floats = found.detach().float().numpy()
        return array
    return None


def _map(run: Run, numbers: tuple[int, ...], epoch: int) -> None:
    places = _places(run.id, numbers)
    labels = dataset.split("validation", run.plan.data).labels[: places.shape[1]]
    figure = figures.places(places[numbers.index(epoch)], labels, float(np.abs(places).max()))
    st.markdown(f"**{_('Where it puts validation garments')}**")
    widgets.chart(
        figure, f"places {run.id}", _("Garments by features after epoch {epoch}", epoch=epoch)
    )


@st.cache_resource(show_spinner=Spinner("Placing garments epoch by epoch …"), max_entries=4)
def _places(run_id: str, numbers: tuple[int, ...]) -> Floats:
    """Where each epoch's features place garments (E, N, 2), by the directions of the last."""
    images = dataset.split("validation", read_run(run_id).plan.data).images[:GARMENTS]
    features = [
        explain.embed(model, images, CPU).astype(np.float32)
        for model in _models(run_id, numbers).values()
    ]
    return embedding.along_the_last(features)
