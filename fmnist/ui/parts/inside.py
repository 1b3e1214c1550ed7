"""The parts of the inside page: the layers at work, and what a recurrent one holds as it reads."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import nn

from fmnist.analysis import inside
from fmnist.analysis.inside import Place, Stage
from fmnist.data.splits import CLASSES
from fmnist.models import building
from fmnist.models.layers import Classifier, parameter_count
from fmnist.ui import links, widgets
from fmnist.ui.components import layers as board
from fmnist.ui.components.layers import Row
from fmnist.ui.components.reader import Line, reader
from fmnist.ui.markdown import plain
from fmnist.ui.state import models
from fmnist.weights.card import OPAQUE, Card
from fmnist.words import Words, _, listed, said

A_FEW = 16
"""How many maps of a layer are shown while it isn't the chosen one."""
TITLES = {
    "Standardize": Words("Standardised pixels"),
    "Conv2d": Words("Convolution"),
    "BatchNorm2d": Words("Batch normalisation"),
    "BatchNorm1d": Words("Batch normalisation"),
    "MaxPool2d": Words("Greatest of each window"),
    "AdaptiveMaxPool2d": Words("Greatest of each map"),
    "AdaptiveAvgPool2d": Words("Mean of each map"),
    "GlobalPool": Words("One value of each map"),
    "Pool": Words("One value of each window"),
    "PixelUnshuffle": Words("Four maps of every other pixel"),
    "ZeroPad2d": Words("A frame of zeros"),
    "Residual": Words("What came in plus what was found"),
    "Reader": Words("Mean of the steps, weighed by attention"),
    "Affine": Words("Scaled and shifted"),
}
"""What layers are called here where their class has no name that people know."""
DOWN, UP = Words("From the top"), Words("From the bottom")
WAYS = {
    (False, False): Words("downwards"),
    (False, True): Words("upwards"),
    (True, False): Words("to the right"),
    (True, True): Words("to the left"),
}
"""How a layer reads, by whether it reads columns, and backwards."""
ATTENTION = {
    False: Words("Attention to the rows"),
    True: Words("Attention to the columns, the left one on top"),
}


class Look(NamedTuple):
    """What is seen inside a model that looks at one picture."""

    found: list[Stage]
    path: dict[str, Place]


def may_be_seen(card: Card) -> bool:
    """Whether a model shows more than its answers; where it doesn't, a sentence says so."""
    if card.members:
        st.info(
            _(
                "{model} is several networks, each with an inside of its own. Choose one of them.",
                model=plain(card.label),
            )
        )
        return False
    if card.family not in OPAQUE:
        return True
    st.info(
        _(
            "{model} is a model of which only the answers can be seen, so there is no inside to "
            "show. Choose a model with layers.",
            model=plain(card.label),
        )
    )
    return False


@models.answering
def look(card: Card, pixels: NDArray[np.uint8], device: torch.device) -> Look:
    """What every layer makes of pixels uint8 (28, 28), and what speaks most for the answer."""

    def question(model: Classifier, device: torch.device) -> Look:
        found = inside.stages(model, pixels)
        return Look(found, inside.path(found, int(found[-1].given.argmax())))

    seen: Look = models.ask(card, device, question)[0]
    return seen


def layers(card: Card, seen: Look) -> None:
    """Every layer's maps, one of them large with its units; which one is in the link."""
    st.header(_("Layer by layer"))
    found = seen.found
    stage, number = _chosen(found)
    rows = [_row(each, each is stage, seen.path.get(each.name)) for each in found]
    board.layers(
        rows,
        key=f"layers of {card.sha256}",
        label=_("The layers of {model} and what each makes of the picture", model=card.label),
        chosen=(stage.name, number),
        chosen_map=stage.maps[number],
        origin=inside.origin(stage, number, inside.fed_by(found, stage.name)),
        path=seen.path,
        meaning=said(CLASSES[number]) if stage is found[-1] else "",
        on_choose=lambda: _take(f"layers of {card.sha256}"),
    )


@models.answering
def steps(card: Card, seen: Look, pixels: NDArray[np.uint8], device: torch.device) -> None:
    """What a recurrent network would say after each row, and what it holds; nothing for others."""
    readings = inside.readings(seen.found)
    if not readings:
        return
    st.header(_("Row by row"))
    both = any(reading.backwards for reading in readings)
    way = widgets.choice(_("Reads"), [DOWN, UP], key="reads") if both else DOWN
    from_end = way == UP
    logits = models.ask(
        card, device, lambda model, device: inside.after_each_step(model, pixels, from_end)
    )[0]
    if logits is None:
        st.caption(_("This network has a weight for every step, so it answers at the end alone."))
        return
    probabilities = card.probabilities(logits)
    st.markdown(said(inside.in_words(probabilities, from_end)))
    lines = [
        *(
            Line(said(ATTENTION[columns]), weights[:, None])
            for columns, weights in inside.attention(seen.found).items()
        ),
        *(_line(reading) for reading in readings),
    ]
    columns = {reading.columns for reading in readings}
    reader(pixels, probabilities, lines, from_end, columns, key=f"reader of {card.sha256}")
    if True in columns:
        st.caption(
            _("It reads rows and columns at once: with each step it knows one more of both.")
        )
    st.caption(
        _(
            "The head moves over the rows, and the bars are what the network would say if the "
            "garment ended there."
        )
    )


def _line(reading: inside.Reading) -> Line:
    way = WAYS[reading.columns, reading.backwards]
    title = _("State of recurrent layer {number}, {way}", number=reading.layer, way=way)
    return Line(title, reading.states)


def _chosen(found: Sequence[Stage]) -> tuple[Stage, int]:
    """The layer and the number of the map that the link asks for; else a first filter's."""
    by_name = {stage.name: stage for stage in found}
    with_filters = (stage for stage in found if isinstance(stage.layer, nn.Conv2d | nn.Linear))
    usual = next(with_filters, found[0])
    asked = st.query_params.get("layer")
    if asked and asked not in by_name:
        # Another model's layer: the link of the model before.
        st.query_params.pop("layer")
        st.query_params.pop("map", None)
    stage = by_name.get(asked or "", usual)
    number = links.number(st.query_params.get("map", "")) or 1
    return stage, min(number, len(stage.maps)) - 1


def _take(key: str) -> None:
    choice = board.taken(st.session_state[key].get("chosen"))
    if choice:
        name, number = choice
        st.query_params["layer"] = name
        st.query_params["map"] = str(number + 1)


def _row(stage: Stage, whole: bool, on_path: Place | None) -> Row:
    maps = stage.maps
    shown = list(range(len(maps) if whole else min(len(maps), A_FEW)))
    if on_path and on_path[0] not in shown:
        shown.append(on_path[0])
    kind = type(stage.layer).__name__.replace("Convolution", "Conv2d")
    title = TITLES.get(kind, kind)
    if isinstance(stage.layer, nn.Conv2d):
        title = listed([title, listed(map(str, stage.layer.kernel_size), " x ")], " ")
    shape = building.words(tuple(stage.given.shape[1:]))
    count = parameter_count(stage.layer)
    if count:
        shape = Words("{shape}, {count:,} parameters", shape=shape, count=count)
    filters = None
    if isinstance(stage.layer, nn.Conv2d) and stage.layer.weight.shape[1] == 1:
        filters = stage.layer.weight[:, 0].detach().cpu().numpy()[shown]
    return Row(stage.name, said(title), said(shape), len(maps), shown, maps[shown], filters)
