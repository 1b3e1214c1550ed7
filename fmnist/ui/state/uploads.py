"""Models that visitors bring, each for as long as its session lasts."""

from dataclasses import replace
from itertools import chain, count

import streamlit as st
import torch
from torch import nn

from fmnist.data.splits import Source
from fmnist.ui.state.models import Upload, choices, evaluate_once, failures, progress_bar, uploads
from fmnist.weights import shelf
from fmnist.weights.card import Card, WeightsError, measured
from fmnist.weights.strangers.onnx import OnnxError


def opened(file_id: str, content: bytes, filename: str) -> tuple[nn.Module, Card]:
    """The model in an uploaded file, and its card; raises WeightsError."""
    found = _opened(file_id, content, filename)
    if isinstance(found, WeightsError):
        raise found
    return found


@st.cache_resource(show_spinner="Finding out how it reads pixels …", max_entries=8)
def _opened(file_id: str, _content: bytes, _filename: str) -> tuple[nn.Module, Card] | WeightsError:
    try:
        return shelf.open(_content, _filename)
    except WeightsError as error:  # to be said again, not found out again
        return error


def remember(model: nn.Module, card: Card, name: str, source: Source, device: torch.device) -> Card:
    """Take a model among this session's under a name, or give it another; returns its card.

    A name that is taken gets a number. Measured where the real dataset is here; raises OnnxError
    where it fails at that, or has failed before.
    """
    if card.sha256 in failures():
        raise OnnxError(failures()[card.sha256])
    here = next((u for u in uploads().values() if u.card.sha256 == card.sha256), None)
    if here:
        del uploads()[here.card.name]
    else:
        file = f"{card.name}{shelf.suffix(model)}"
        here = Upload(file, shelf.packed(model, card.architecture), card)
    taken = choices()
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    card = replace(here.card, name=next(free for free in numbered if free not in taken))
    uploads()[card.name] = replace(here, card=card)
    if source == "real" and not card.test:  # figures on drawn garments would stand beside real ones
        try:
            answers = evaluate_once(card.sha256, "test", source, card, device, progress_bar())
        except OnnxError:
            del uploads()[card.name]
            raise
        card = replace(card, test=measured(answers))
        uploads()[card.name] = replace(here, card=card)
    return card


def keep(model: nn.Module, card: Card) -> None:
    """Save an upload of this session for everybody, under its name; raises WeightsError."""
    shelf.keep(model, card, card.name)
    del uploads()[card.name]
