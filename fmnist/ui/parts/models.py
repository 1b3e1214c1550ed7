"""The parts of the models page: one to bring a model of one's own, one to read an architecture."""

import streamlit as st
import torch

from fmnist.data.splits import Source
from fmnist.models import FAMILIES, MODELS
from fmnist.models.layers import layers, parameter_count
from fmnist.ui.state import uploads
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.strangers import formats
from fmnist.weights.strangers.formats import SUFFIXES
from fmnist.weights.strangers.onnx import OnnxError


def load_weights(source: Source, device: torch.device) -> None:
    """An uploader whose file joins this session's models, and a button that keeps it."""
    file = st.file_uploader(
        "A .safetensors file; .pt, .pth or .ckpt with a state_dict; .keras or .h5; or .onnx",
        [suffix.lstrip(".") for suffix in SUFFIXES],
        max_upload_size=formats.largest() // 2**20,
    )
    if not file:
        return
    weights = uploads.opened(file)
    if isinstance(weights, WeightsError):
        st.error(str(weights))
        return
    card = weights.card
    verb = "fits" if card.architecture else "has" if card.layers else "is an"
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
        st.success(f"{fits} It is among everybody's models as {kept.name}.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", shelf.as_name(card.name), key=f"name of {file.file_id}")
        wanted = st.button("Keep", help="Save it here, so that everybody finds it by its name.")
    try:
        weights = uploads.remember(weights, name.strip() or card.name, source, device)
    except OnnxError as error:
        st.error(f"{file.name} {error}")
        return
    card = weights.card
    reading = f"It {card.reading}. " if card.reading else ""
    st.success(
        f"{fits} {reading}Until you leave, it is among the models on every page as {card.name}."
    )
    if wanted:
        try:
            uploads.keep(weights)
        except (WeightsError, OSError) as error:
            st.error(str(error))
        else:
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
    spec = MODELS[name]
    untrained = spec.build()
    st.markdown(
        f"{spec.summary} {FAMILIES[spec.family]}, {parameter_count(untrained):,} parameters."
    )
    structure, recipe = st.columns([3, 2], gap="large")
    with structure:
        st.subheader("Layers")
        st.dataframe(
            layers(untrained),
            hide_index=True,
            column_config={"Parameters": st.column_config.NumberColumn(format="localized")},
        )
    with recipe:
        st.subheader("Recipe")
        st.table(
            {
                key: ", ".join(value) if isinstance(value, list) else str(value)
                for key, value in spec.recipe.to_json().items()
            }
        )
