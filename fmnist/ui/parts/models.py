"""The parts of the models page: to bring a model, to take one home, to read an architecture."""

from functools import lru_cache

import streamlit as st
import torch

from fmnist.data.splits import Source
from fmnist.export import code
from fmnist.models import FAMILIES, MODELS
from fmnist.models.layers import layers, parameter_count
from fmnist.ui import take_home
from fmnist.ui.state import models, uploads
from fmnist.ui.widgets import choose_weights, plain
from fmnist.weights import shelf
from fmnist.weights.card import Card, WeightsError
from fmnist.weights.shelf import LONGEST_NAME
from fmnist.weights.strangers import formats
from fmnist.weights.strangers.formats import SUFFIXES
from fmnist.weights.strangers.graphs import GraphError
from fmnist.weights.strangers.outside import OutsideError


def load_weights(source: Source, device: torch.device) -> None:
    """An uploader whose file joins this session's models, and a button that keeps it."""
    file = st.file_uploader(
        "A .safetensors file; .pt, .pth or .ckpt with a state_dict; .keras or .h5; .onnx or "
        ".tflite; or predictions for the test images, .csv, .npz or .npy",
        [suffix.lstrip(".") for suffix in SUFFIXES],
        max_upload_size=formats.largest() // 2**20,
    )
    if not file:
        return
    weights = uploads.opened(file)
    if isinstance(weights, OutsideError):
        beside = st.file_uploader(
            f"The file that {plain(file.name)} keeps weights in, such as {plain(file.name)}.data",
            max_upload_size=formats.largest() // 2**20,
            key=f"beside {file.file_id}",
        )
        weights = uploads.opened(file, beside) if beside else weights
    if isinstance(weights, WeightsError):
        st.error(str(weights))
        return
    card = weights.card
    article = "an" if card.title.startswith("ONNX") else "a"
    verb = "fits" if card.architecture else "has" if card.layers else f"is {article}"
    fits = f"{file.name} {verb} {card.title}."
    if card.doubt:
        st.warning(f"{fits} {card.doubt}")
        if card.order and st.checkbox("Put its classes in that order", key=f"order {file.file_id}"):
            weights = shelf.reordered(weights)
            card = weights.card
        elif not st.checkbox("Take it among the models all the same", key=f"take {file.file_id}"):
            return
    kept = next((saved for saved in shelf.cards() if saved.sha256 == card.sha256), None)
    if kept:
        st.success(f"{fits} It is among everybody's models as {plain(kept.both_names)}.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", card.name, key=f"name of {file.file_id}")
        wanted = st.button("Keep", help="Save it here, so that everybody finds it.")
    try:
        weights = uploads.remember(weights, name.strip() or card.name, source, device)
    except GraphError as error:
        st.error(f"{file.name} {error}")
        return
    card = weights.card
    reading = f"It {card.reading}. " if card.reading else ""
    where = "every page" if card.any_picture else "the pages about test images"
    st.success(
        f"{fits} {reading}Until you leave, it is among the models on {where} as {plain(card.name)}."
    )
    if wanted:
        try:
            uploads.keep(weights)
        except (WeightsError, OSError) as error:
            st.error(str(error))
        else:
            st.rerun()


def one_model(device: torch.device) -> None:
    """One model, to be chosen: to take home, and to rename or remove where somebody kept it."""
    if told := st.session_state.pop("told of kept", None):
        st.success(told)
    card = choose_weights()
    if card is None:
        return
    measured = f", {card.on_real.accuracy:.2%} of the test images right" if card.on_real else ""
    st.markdown(f"**{plain(card.both_names)}**: {card.title}{measured}.")
    if card.any_picture:
        take_home.model(lambda: models.opened(card, device), card.name, card.name)
    else:
        st.caption("Its predictions alone are here, so there is no model to take home.")
    if shelf.kept(card.name):
        with st.container(horizontal=True):
            with st.popover("Rename", icon=":material/edit:"):
                _rename(card)
            if st.button("Remove", icon=":material/delete:"):
                _confirm_removal(card)


def _rename(card: Card) -> None:
    with st.form(f"rename {card.name}", border=False):
        label = st.text_input("Name", card.label, max_chars=LONGEST_NAME)
        st.caption(f"Links and the command line still call it {card.name}.")
        if st.form_submit_button("Rename"):
            try:
                renamed = shelf.rename(card.name, label)
            except (WeightsError, OSError) as error:
                st.error(str(error))
                return
            _tell(f"It is called {plain(renamed.label)} now.")


@st.dialog("Remove it for good?")
def _confirm_removal(card: Card) -> None:
    st.markdown(
        f"**{plain(card.both_names)}** is deleted for everybody: its weights, "
        f"{card.bytes / 1e6:.1f} MB, and what was measured of them. Take it home before, if you "
        "may want it again."
    )
    with st.container(horizontal=True):
        if st.button("Remove for good", type="primary"):
            try:
                shelf.remove(card.name)
            except (WeightsError, OSError) as error:
                st.error(str(error))
                return
            _tell(f"{plain(card.both_names)} is removed.")
        if st.button("Keep it"):
            st.rerun()


def _tell(sentence: str) -> None:
    """Say it when the page has run anew."""
    st.session_state["told of kept"] = sentence
    st.rerun()


def architecture() -> None:
    """One architecture, to be chosen: what it is, its layers and its recipe."""
    name = st.selectbox(
        "Architecture",
        MODELS,
        format_func=lambda name: f"{MODELS[name].title} ({name})",
        key="architecture",
        bind="query-params",
    )
    spec, (rows, parameters) = MODELS[name], _layers(name)
    st.markdown(f"{spec.summary} {FAMILIES[spec.family]}, {parameters:,} parameters.")
    structure, recipe = st.columns([3, 2], gap="large")
    with structure:
        st.subheader("Layers")
        st.dataframe(
            rows,
            hide_index=True,
            column_config={"Parameters": st.column_config.NumberColumn(format="localized")},
        )
    with recipe:
        st.subheader("Recipe")
        st.table(
            {
                key: ", ".join(value) or "none" if isinstance(value, list) else str(value)
                for key, value in spec.recipe.to_json().items()
            }
        )
    take_home.script(code.script(name, spec.recipe), name, "of architecture")


@lru_cache
def _layers(name: str) -> tuple[list[dict[str, object]], int]:
    """The layers of an architecture as rows of a table, and its parameters."""
    untrained = MODELS[name].build()
    return layers(untrained), parameter_count(untrained)
