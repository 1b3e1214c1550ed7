"""The parts of the models page: to bring a model, to take one home, to read an architecture."""

from collections.abc import Sequence
from functools import lru_cache

import streamlit as st
import torch

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import Source, SplitName
from fmnist.export import code
from fmnist.models import FAMILIES, MODELS
from fmnist.models.layers import layers, parameter_count
from fmnist.report.page import in_words
from fmnist.ui import take_home, widgets
from fmnist.ui.markdown import plain
from fmnist.ui.state import models, uploads
from fmnist.ui.widgets import choose_weights, labels
from fmnist.weights import ensembles, shelf
from fmnist.weights.card import Card, WeightsError
from fmnist.weights.measuring import with_figures
from fmnist.weights.shelf import LONGEST_NAME
from fmnist.weights.strangers import formats
from fmnist.weights.strangers.formats import SUFFIXES
from fmnist.weights.strangers.graphs import GraphError
from fmnist.weights.strangers.outside import OutsideError
from fmnist.words import Words, _, said


def load_weights(source: Source, device: torch.device) -> None:
    """An uploader whose file joins this session's models, and a button that keeps it."""
    file = st.file_uploader(
        _(
            "A .safetensors file; .pt, .pth or .ckpt with a state_dict; .keras or .h5; .onnx or "
            ".tflite; the weights of a network in NumPy, .npz; or predictions for the test images, "
            ".csv, .npz or .npy"
        ),
        [suffix.lstrip(".") for suffix in SUFFIXES],
        max_upload_size=formats.largest() // 2**20,
    )
    if not file:
        return
    weights = uploads.opened(file)
    if isinstance(weights, OutsideError):
        beside = st.file_uploader(
            _(
                "The file that {file} keeps weights in, such as {file}.data",
                file=plain(file.name),
            ),
            max_upload_size=formats.largest() // 2**20,
            key=f"beside {file.file_id}",
        )
        weights = uploads.opened(file, beside) if beside else weights
    if isinstance(weights, WeightsError):
        st.error(said(weights))
        return
    card = weights.card
    fits = _fits(plain(file.name), card)
    if card.doubt:
        st.warning(f"{fits} {said(card.doubt)}")
        reorder = _("Put its classes in that order")
        take = _("Take it among the models all the same")
        if card.order and st.checkbox(reorder, key=f"order {file.file_id}"):
            weights = shelf.reordered(weights)
            card = weights.card
        elif not st.checkbox(take, key=f"take {file.file_id}"):
            return
    kept = next((saved for saved in shelf.cards() if saved.sha256 == card.sha256), None)
    if kept:
        st.success(
            _(
                "{fits} It is among everybody's models as {name}.",
                fits=fits,
                name=plain(kept.both_names),
            )
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(_("Name"), card.name, key=f"name of {file.file_id}")
        wanted = st.button(_("Keep"), help=_("Save it here, so that everybody finds it."))
    try:
        weights = uploads.remember(weights, name.strip() or card.name, source, device)
    except GraphError as error:
        st.error(plain(f"{file.name} {said(error)}"))
        return
    card = weights.card
    reading = _("It {reads}.", reads=card.reading) if card.reading else ""
    until = (
        _("Until you leave, it is among the models on every page as {name}.", name=plain(card.name))
        if card.any_picture
        else _(
            "Until you leave, it is among the models on the pages about test images as {name}.",
            name=plain(card.name),
        )
    )
    st.success(" ".join(filter(None, [fits, reading, until])))
    if card.guess:
        st.caption(said(card.guess))
    if wanted:
        try:
            uploads.keep(weights)
        except (WeightsError, OSError) as error:
            st.error(said(error))
        else:
            st.rerun()


def _fits(filename: str, card: Card) -> str:
    """What a file holds, in a sentence."""
    if card.architecture:
        return _("{file} fits {model}.", file=filename, model=card.title)
    if card.members:
        return _("{file} is an ensemble of {count} models.", file=filename, count=len(card.members))
    if card.layers:
        return _("{file} has {model}.", file=filename, model=card.title)
    if card.title.startswith("ONNX"):
        return _("{file} is an {model}.", file=filename, model=card.title)
    return _("{file} is a {model}.", file=filename, model=card.title)


def one_model(device: torch.device) -> None:
    """One model, to be chosen: to take home, and to rename or remove where somebody kept it."""
    if told := st.session_state.pop("told of kept", None):
        st.success(said(told))
    card = choose_weights()
    if card is None:
        return
    if card.on_real:
        st.markdown(
            _(
                "**{name}**: {title}, {right:.2%} of the test images right.",
                name=plain(card.both_names),
                title=card.title,
                right=card.on_real.accuracy,
            )
        )
    else:
        st.markdown(f"**{plain(card.both_names)}**: {said(card.title)}.")
    if card.members:
        names = ", ".join(plain(member["name"]) for member in card.members)
        st.markdown(_("Its members are {names}.", names=names))
    if card.any_picture:
        take_home.model(lambda: models.opened(card, device), card.name, card.name)
    else:
        st.caption(_("Its predictions alone are here, so there is no model to take home."))
    if shelf.kept(card.name):
        with st.container(horizontal=True):
            with st.popover(_("Rename"), icon=":material/edit:"):
                _rename(card)
            if st.button(_("Remove"), icon=":material/delete:"):
                st.dialog(_("Remove it for good?"))(_confirm_removal)(card)


def _rename(card: Card) -> None:
    with st.form(f"rename {card.name}", border=False):
        label = st.text_input(_("Name"), card.label, max_chars=LONGEST_NAME)
        st.caption(_("Links and the command line still call it {name}.", name=card.name))
        if st.form_submit_button(_("Rename")):
            try:
                renamed = shelf.rename(card.name, label)
            except (WeightsError, OSError) as error:
                st.error(said(error))
                return
            _tell(Words("It is called {name} now.", name=plain(renamed.label)))


def _confirm_removal(card: Card) -> None:
    st.markdown(
        _(
            "**{name}** is deleted for everybody: its weights, {kilobytes:,.0f} kB, and what was "
            "measured of them. Take it home before, if you may want it again.",
            name=plain(card.both_names),
            kilobytes=card.bytes / 1e3,
        )
    )
    with st.container(horizontal=True):
        if st.button(_("Remove for good"), type="primary"):
            try:
                shelf.remove(card.name)
            except (WeightsError, OSError) as error:
                st.error(said(error))
                return
            _tell(Words("{name} is removed.", name=plain(card.both_names)))
        if st.button(_("Keep it")):
            st.rerun()


def _tell(sentence: Words) -> None:
    """Say it when the page has run anew."""
    st.session_state["told of kept"] = sentence
    st.rerun()


def several_as_one(source: Source, device: torch.device) -> None:
    """Models to be chosen, how they do as one, and a button that makes them one."""
    choices = models.choices(ensembles.may_join)
    names = widgets.several(
        _("Models that answer together"), list(choices), key="members", shown=labels(choices)
    )
    if len(names) < 2:
        st.caption(_("Choose two or more: their logits' mean is more often right than most."))
        return
    members = [choices[name] for name in names]
    answers = [models.evaluate(card, "validation", source, device) for card in members]
    best = max(answers, key=evaluation.accuracy)
    st.markdown(
        _(
            "Together they name **{together:.2%}** of the validation images right. The best of "
            "them alone, {name}, {alone:.2%}.",
            together=evaluation.accuracy(ensembles.answer_of(answers, "")),
            name=plain(choices[best.model].label),
            alone=evaluation.accuracy(best),
        )
    )
    with st.form("ensemble", border=False):
        name = st.text_input(_("Name"), _("together"), max_chars=LONGEST_NAME)
        if not st.form_submit_button(
            _("Make them one model"), help=_("Save it here, so that everybody finds it.")
        ):
            return
        try:
            weights = ensembles.joined([models.opened(card, device) for card in members], name)
            if source == "real":  # figures on drawn garments would stand beside real ones
                card = _measured(weights.card, members, device)
                weights = weights._replace(card=card)
            card = shelf.keep(weights, name)
        except (WeightsError, OSError) as error:
            st.error(said(error))
            return
    st.session_state["model"] = card.name
    _tell(Words("{name} is among everybody's models now.", name=plain(card.label)))


def _measured(card: Card, members: Sequence[Card], device: torch.device) -> Card:
    """The card of an ensemble with what its members' answers say of it; none is asked again."""

    def answers(split: SplitName) -> Evaluation:
        own = [models.evaluate(one, split, "real", device) for one in members]
        return ensembles.answer_of(own, card.name)

    return with_figures(card, answers("validation"), answers("test"))


def architecture() -> None:
    """One architecture, to be chosen: what it is, its layers and its recipe."""
    names = list(MODELS)
    name = widgets.select(_("Architecture"), names, names[0], key="architecture", shown=_titled)
    spec, (rows, parameters) = MODELS[name], _layers(name)
    st.markdown(
        _(
            "{summary} {family}, {parameters:,} parameters.",
            summary=spec.summary,
            family=FAMILIES[spec.family],
            parameters=parameters,
        )
    )
    structure, recipe = st.columns([3, 2], gap="large")
    with structure:
        st.subheader(_("Layers"))
        widgets.table(rows, {"Parameters": "{:,}"})
    with recipe:
        st.subheader(_("Recipe"))
        st.table({key: in_words(value) for key, value in spec.recipe.to_json().items()})
    take_home.script(code.script(name, spec.recipe), name, "of architecture")


def _titled(name: str) -> str:
    return f"{said(MODELS[name].title)} ({name})"


@lru_cache
def _layers(name: str) -> tuple[list[dict[str, object]], int]:
    """The layers of an architecture as rows of a table, and its parameters."""
    untrained = MODELS[name].build()
    return layers(untrained), parameter_count(untrained)
