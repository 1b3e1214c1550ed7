"""Models that visitors bring, each for as long as its session lasts."""

from dataclasses import replace
from itertools import chain, count

import streamlit as st
import torch
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fmnist.analysis.evaluation import Evaluation
from fmnist.classroom.runs import room_of
from fmnist.data.splits import Source
from fmnist.ui.language import Spinner
from fmnist.ui.state.dataset import split
from fmnist.ui.state.models import choices, failures, logits, progress_bar, uploads
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError, measured
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers.graphs import GraphError


@st.cache_resource(
    show_spinner=Spinner("Finding out how it reads pixels …"),
    max_entries=8,
    hash_funcs={UploadedFile: lambda file: file.file_id},
)
def opened(file: UploadedFile, beside: UploadedFile | None = None) -> Weights | WeightsError:
    """The model in an uploaded file, and its card; or why there is none.

    `beside` is the file that an ONNX model keeps weights in.
    """
    other = beside.getvalue() if beside else None
    try:
        return shelf.open(file.getvalue(), file.name, report=progress_bar(), beside=other)
    except WeightsError as error:  # to be said again, not found out again
        return error


def remember(weights: Weights, name: str, source: Source, device: torch.device) -> Weights:
    """Take a model among this session's under a name, or give it another; returns it so named.

    A name that is taken gets a number. Measured where the real dataset is here; raises GraphError
    where it fails at that, or has failed before.
    """
    sha256 = weights.card.sha256
    if sha256 in failures():
        raise GraphError(failures()[sha256])
    here = next((known for known in uploads().values() if known.card.sha256 == sha256), None)
    if here is None:
        classroom = weights.card.classroom or room_of(sha256)
        here = Weights(weights.model, replace(weights.card, classroom=classroom))
    uploads().pop(here.card.name, None)
    taken = choices()
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    card = replace(here.card, name=next(free for free in numbered if free not in taken))
    uploads()[card.name] = Weights(here.model, card)
    if source == "real" and not card.test:  # figures on drawn garments would stand beside real ones
        try:
            answers = logits(card, "test", source, device)
        except GraphError:
            del uploads()[card.name]
            raise
        e = Evaluation(card.name, answers, split("test", source).labels)
        figures = measured(e, card.sure)
        uploads()[card.name] = Weights(here.model, replace(card, test=figures))
    return uploads()[card.name]


def keep(weights: Weights) -> None:
    """Save an upload of this session for everybody, under its name; raises WeightsError."""
    shelf.keep(weights, weights.card.name)
    del uploads()[weights.card.name]
