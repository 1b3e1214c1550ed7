"""The parts of the page that builds networks: the bricks, what they make, and its training."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import streamlit as st
import torch

from fmnist.classroom import runs
from fmnist.data.splits import Source
from fmnist.export import code
from fmnist.machine.errors import UserFacingError
from fmnist.models import building
from fmnist.models.building import KINDS, Brick, Laid
from fmnist.models.chain import Layer
from fmnist.models.recipe import Recipe
from fmnist.runs.run import BUILT, Plan
from fmnist.ui.components import memory, order
from fmnist.ui.parts.train import edit_recipe, name_run
from fmnist.ui.state import classroom, dataset
from fmnist.words import Words, _, said

EPOCHS, IMAGES = 3, 10_000
BEGINNINGS: Mapping[str, tuple[str, ...]] = {
    Words("Convolutions"): (
        "Convolution",
        "ReLU",
        "Pool",
        "Convolution",
        "ReLU",
        "Pool",
        "Dense",
        "ReLU",
    ),
    Words("Residual"): ("Convolution", "ReLU", "Pool", "Residual", "Pool", "Dense", "ReLU"),
    Words("Fully connected"): ("Dense", "ReLU", "Dropout"),
    Words("Recurrent"): ("LSTM",),
    Words("Nothing"): (),
}
NETWORK = "network"
SENTENCE = 250  # pixels beside which a phone has no room for buttons; they go below then
TITLES = {
    "channels": Words("Maps"),
    "size": Words("Kernel size"),
    "stride": Words("Stride"),
    "units": Words("Units"),
    "percent": Words("Per cent"),
    "ways": Words("Ways"),
}
Bricks = dict[int, Brick]
"""Bricks by a number of their own, in their order."""


def bricks() -> Bricks:
    """What this visitor has put together so far."""
    if "bricks laid" not in st.session_state:
        _begin("Convolutions")
    found: Bricks = st.session_state["bricks laid"]
    return found


def _begin(beginning: str) -> None:
    _lay(_beginning(beginning))


def _beginning(name: str) -> list[Brick]:
    return [building.brick(kind) for kind in BEGINNINGS[name]]


def _lay(network: Sequence[Brick]) -> None:
    st.session_state["bricks laid"] = _numbered(network)


def _numbered(network: Sequence[Brick]) -> Bricks:
    numbers: count[int] = st.session_state.setdefault("brick numbers", count())
    return {next(numbers): dict(brick) for brick in network}


def recall() -> None:
    """Go on from what was built in this browser before; it keeps all that is built from now."""
    own = bricks()
    for number, brick in own.items():  # as the boxes say, before any of them is drawn
        for name in KINDS[brick["kind"]]:
            brick[name] = st.session_state.get(f"{name} of {number}", brick[name])
    network, first = list(own.values()), _beginning("Convolutions")
    # What everybody begins with is not somebody's own: what was built before takes its place.
    kept = {} if network == first else {NETWORK: network}
    memory.remember(NETWORK, kept, lambda: kept, taken)
    if kept.get(NETWORK, first) != network:
        _lay(kept.get(NETWORK, first))


def taken(before: Any) -> dict[str, list[Brick]]:
    """The network in what a browser remembers, if it is one."""
    network = before.get(NETWORK) if isinstance(before, dict) else None
    if not isinstance(network, list) or len(network) > building.MOST:
        return {}
    return {NETWORK: network} if all(map(_is_brick, network)) else {}


def _is_brick(thing: Any) -> bool:
    if not isinstance(thing, dict) or thing.get("kind") not in list(KINDS):
        return False
    options = KINDS[thing["kind"]]
    return thing.keys() == {"kind", *options} and all(
        type(thing[name]) is int and option.low <= thing[name] <= option.high
        for name, option in options.items()
    )


def add() -> None:
    """Boxes to begin with another network, and to add a layer at the end."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(_("Layer"), list(KINDS), format_func=said, key="added", width=220)
        full = len(bricks()) >= building.MOST
        st.button(_("Add"), icon=":material/add:", on_click=_add, args=(kind,), disabled=full)
        beginning = st.selectbox(
            _("Begin with"), list(BEGINNINGS), format_func=said, key="beginning", width=220
        )
        st.button(_("Begin anew"), on_click=_begin, args=(beginning,))


def _add(kind: str) -> None:
    bricks().update(_numbered([building.brick(kind)]))


def edit() -> list[Laid]:
    """Every layer with its numbers, its shape and what does not fit, and buttons to move it."""
    own = bricks()
    order.order(
        {number: said(Words(brick["kind"])) for number, brick in own.items()},
        key="order of layers",
        label=_("The layers in their order"),
        on_order=_arrange,
    )
    st.caption(_("Drag a layer to another place, or move it by its buttons."))
    laid = building.lay(list(own.values()))
    for (number, brick), placed in zip(own.items(), laid, strict=False):
        with st.container(border=True, gap="xsmall", key=f"brick-{number}"):
            _row(number, brick, placed)
    with st.container(border=True, gap="xsmall", key="brick-answers"):
        _head(Words("The ten answers"), laid[-1])
    return laid


def _row(number: int, brick: Brick, placed: Laid) -> None:
    options, title = KINDS[brick["kind"]], Words(brick["kind"])
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        gap="xsmall",
    ):
        with st.container(width=SENTENCE):
            _head(title, placed)
        with st.container(horizontal=True, width="content", gap="xsmall"):
            _button("arrow_upward", _("Up"), number, _move, -1)
            _button("arrow_downward", _("Down"), number, _move, 1)
            _button("delete", _("Remove"), number, _remove)
    if not options:
        return
    with st.container(horizontal=True, gap="xsmall"):
        for name, option in options.items():
            st.number_input(
                said(TITLES[name]),
                option.low,
                option.high,
                brick[name],
                key=f"{name} of {number}",
                width=130,
            )


def _head(title: Words, placed: Laid) -> None:
    if placed.shape is None:
        st.markdown(f"**{said(title)}**")
        say = st.caption if placed.problem == building.WAITS else st.error
        say(said(placed.problem))
        return
    given = building.words(placed.shape)
    hands_on = Words("**{title}** hands on {given}", title=title, given=given)
    if placed.parameters:
        hands_on = Words("{shape}, {count:,} parameters", shape=hands_on, count=placed.parameters)
    st.markdown(said(hands_on))


def _button(icon: str, label: str, number: int, act: Callable[..., None], *more: Any) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{icon} {number}",
        on_click=act,
        args=(number, *more),
        type="tertiary",
        width="content",
    )


def _move(number: int, by: int) -> None:
    numbers = list(bricks())
    if number not in numbers:  # a second click, on what the first took away
        return
    place = numbers.index(number)
    other = place + by
    if 0 <= other < len(numbers):
        numbers[place], numbers[other] = numbers[other], numbers[place]
        _put(numbers)


def _arrange() -> None:
    numbers = order.taken(st.session_state["order of layers"].get("order"), bricks())
    if numbers:
        _put(numbers)


def _put(numbers: list[int]) -> None:
    """The same bricks in another order."""
    st.session_state["bricks laid"] = {number: bricks()[number] for number in numbers}


def _remove(number: int) -> None:
    bricks().pop(number, None)


def layers(laid: list[Laid]) -> list[Layer] | None:
    """The layers of the chain, with how much it takes; None, with a sentence, where none fits."""
    try:
        made = building.chain([each.brick for each in laid[:-1]])
    except UserFacingError:
        st.warning(_("It can be trained once every layer fits."))
        return None
    count = sum(each.parameters for each in laid)
    st.markdown(_("**{count:,} parameters** in all.", count=count))
    return made


def show_code(made: list[Layer]) -> None:
    """A fold with the network as it is written in PyTorch."""
    label, icon = _("The code of this network"), ":material/code:"
    fold = st.expander(label, icon=icon, key="code", on_change="rerun")
    if fold.open:
        fold.code(code.network(made), language="python")


def train(made: list[Layer], source: Source, device: torch.device) -> None:
    """A recipe, a name and a button; the training is a run like any other."""
    available = len(dataset.split("train", source))
    recipe, limit = edit_recipe(Recipe(epochs=EPOCHS), IMAGES, available, [], "built")
    ticket = classroom.ticket()
    title = name_run(ticket)
    if st.button(_("Start training"), type="primary", width="stretch"):
        plan = Plan(
            BUILT,
            recipe,
            source,
            device.type,
            limit,
            origin=Words("the Build it page"),
            layers=made,
        )
        try:
            run = runs.start(plan, title, ticket)
        except (UserFacingError, OSError) as error:
            st.error(said(error))
        else:
            st.switch_page("pages/train.py", query_params={"run": run.id})
