"""Models that visitors bring, each for as long as its session lasts."""

from dataclasses import replace
from itertools import chain, count

import streamlit as st
import torch

from fmnist.data.splits import Source
from fmnist.ui.state.models import choices, evaluate_once, failures, progress_bar, uploads
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError, measured
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers.onnx import OnnxError


def opened(file_id: str, content: bytes, filename: str) -> Weights:
    """The model in an uploaded file, and its card; raises WeightsError."""
    found = _opened(file_id, content, filename)
    if isinstance(found, WeightsError):
        raise found
    return found


@st.cache_resource(show_spinner="Finding out how it reads pixels …", max_entries=8)
def _opened(file_id: str, _content: bytes, _filename: str) -> Weights | WeightsError:
    try:
        return shelf.open(_content, _filename)
    except WeightsError as error:  # to be said again, not found out again
        return error


def remember(weights: Weights, name: str, source: Source, device: torch.device) -> Weights:
    """Take a model among this session's under a name, or give it another; returns it so named.

    A name that is taken gets a number. Measured where the real dataset is here; raises OnnxError
    where it fails at that, or has failed before.
    """
    sha256 = weights.card.sha256
    if sha256 in failures():
        raise OnnxError(failures()[sha256])
    here = next((known for known in uploads().values() if known.card.sha256 == sha256), weights)
    uploads().pop(here.card.name, None)
    taken = choices()
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    card = replace(here.card, name=next(free for free in numbered if free not in taken))
    uploads()[card.name] = Weights(here.model, card)
    if source == "real" and not card.test:  # figures on drawn garments would stand beside real ones
        try:
            answers = evaluate_once(card.sha256, "test", source, card, device, progress_bar())
        except OnnxError:
            del uploads()[card.name]
            raise
        uploads()[card.name] = Weights(here.model, replace(card, test=measured(answers)))
    return uploads()[card.name]


def keep(weights: Weights) -> None:
    """Save an upload of this session for everybody, under its name; raises WeightsError."""
    shelf.keep(weights, weights.card.name)
    del uploads()[weights.card.name]
