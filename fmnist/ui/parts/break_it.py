"""The parts of the page that breaks models: a garment spoiled or attacked, and whole models."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import attacks, intervals, robustness
from fmnist.analysis.attacks import Search
from fmnist.analysis.robustness import ATTACKS, DISTORTIONS, Success
from fmnist.data.splits import CLASSES, Source
from fmnist.models.layers import Classifier
from fmnist.pictures.encode import overlay
from fmnist.pictures.intake import Intake
from fmnist.ui import answers, figures, links, widgets
from fmnist.ui.components import patch
from fmnist.ui.downloads import csv_button
from fmnist.ui.markdown import plain
from fmnist.ui.state import analysis, dataset, models
from fmnist.ui.widgets import choice
from fmnist.weights import shelf
from fmnist.weights.card import OPAQUE, Card
from fmnist.words import Words, _, said

SPOIL, FGSM, PGD, PIXELS = Words("Sliders"), Words("FGSM"), Words("PGD"), Words("A few pixels")
ANY = Words("Any other class")
NONE = Words("No other")
EDGE = 108
MOST_PIXELS = 40
STRENGTHS = (4, 8, 16, 32)
BEFORE_AND_AFTER = Words("Before and after adversarial training")
ABOVE = Words("The models above")


class Broken(NamedTuple):
    """A garment uint8 (28, 28) after what was done to it, and what that was, in words."""

    image: NDArray[np.uint8]
    sentence: Words


def choose_other(card: Card) -> Card | None:
    """Another model that is asked about the same, or none."""
    choices = models.choices(lambda other: other.any_picture and other.name != card.name)
    names = [NONE, *choices]
    start = next((name for name in ("cnn", "fcnn") if name in choices), names[-1])
    return choices.get(widgets.select(_("Another model"), names, start, key="other"))


def break_one(card: Card, picture: Intake, label: int, device: torch.device) -> Broken:
    """The controls of one way to break a garment that a model names as the class of that label."""
    shows_gradients = card.family not in OPAQUE
    ways = [SPOIL, *([FGSM, PGD] if shows_gradients else []), PIXELS]
    links.look_into(_("Break it by"), "attack", ways)
    # Not a bar, which would be cut off where the column is narrow.
    way = st.pills(
        _("Break it by"),
        ways,
        format_func=said,
        default=ways[0],
        required=True,
        wrap=True,
        key="attack",
        bind="query-params",
    )
    if not shows_gradients:
        st.caption(
            _(
                "Only the answers of {model} can be seen, so there is no gradient to attack it by.",
                model=plain(card.label),
            )
        )
    if way == SPOIL:
        return _spoil(picture.pixels)
    towards = _choose_target(label)
    if way == PIXELS:
        most = st.slider(
            _("Pixels, at the most"), 1, MOST_PIXELS, 12, key="pixels", bind="query-params"
        )
        return _search(card, picture.pixels, label, towards, most, device)
    strength = st.slider(
        _("Strength, in grey levels of 255"), 1, 64, 8, key="strength", bind="query-params"
    )
    return _attack(card, picture.pixels, label, towards, way, strength, device)


def _choose_target(label: int) -> int | None:
    name = widgets.select(_("Towards"), [ANY, *CLASSES], ANY, key="towards")
    if name == CLASSES[label]:
        st.caption(_("It says {name} already, so any other class counts.", name=CLASSES[label]))
        return None
    return None if name == ANY else CLASSES.index(name)


def _spoil(pixels: NDArray[np.uint8]) -> Broken:
    left, right = st.columns(2)
    with left:
        noise = _slider(_("Noise"), 0, 128, "noise")
        blur = _slider(_("Blur"), 0.0, 4.0, "blur", 0.25)
        turn = _slider(_("Turn"), -180, 180, "turn")
        contrast = _slider(_("Less contrast, in per cent"), 0, 100, "contrast")
    with right:
        across = _slider(_("Shift to the right"), -14, 14, "across")
        down = _slider(_("Shift down"), -14, 14, "down")
        edge = _slider(_("Edge of the grey patch"), 0, 24, "patch")
        top = st.slider(_("Patch, from the top"), 0, 27, 10, key="top", bind="query-params")
        side = st.slider(_("Patch, from the left"), 0, 27, 10, key="side", bind="query-params")
    image, rng = pixels, np.random.default_rng(robustness.SEED)
    image = robustness.moved(image, across, down)
    image = robustness.turned(image, turn)
    for kind, strength in (("blur", blur), ("contrast", contrast), ("noise", noise)):
        image = DISTORTIONS[kind].spoil(image[None], strength, rng)[0]
    if edge:
        _drag(image, int(edge), (top, side))
    image = robustness.covered(image, int(edge), top, side)
    return Broken(image, Words("Move a slider, and see how far the answer holds."))


def _drag(image: NDArray[np.uint8], edge: int, corner: tuple[int, int]) -> None:
    """The garment with its patch, to be dragged; the two sliders are the keyboard's way."""

    def move() -> None:
        place = patch.taken(st.session_state["dragged patch"].get("corner"))
        if place:
            st.session_state["top"], st.session_state["side"] = place

    label = _("The garment with the grey patch, which can be dragged")
    patch.patch(image, edge, corner, key="dragged patch", label=label, on_move=move)
    st.caption(_("Drag the patch, or move it by its sliders."))


def _slider(
    label: str, low: float, high: float, key: str, step: float | None = None
) -> int | float:
    none = type(low)(0)
    value: int | float = st.slider(label, low, high, none, step, key=key, bind="query-params")
    return value


@models.answering
@st.cache_data(show_spinner=False, max_entries=500, hash_funcs=models.ANSWERS)
def _attack(
    card: Card,
    pixels: NDArray[np.uint8],
    label: int,
    towards: int | None,
    way: str,
    strength: int,
    device: torch.device,
) -> Broken:
    labels = np.array([label], np.uint8)
    aims = None if towards is None else np.array([towards], np.uint8)
    method = attacks.fgsm if way == FGSM else attacks.pgd

    def question(model: Classifier, device: torch.device) -> NDArray[np.uint8]:
        return method(model, pixels[None], labels, strength, aims)

    (image,), _ = models.ask(card, device, question)
    return Broken(
        image,
        Words(
            "No pixel is moved by more than {strength} of 255 grey levels, by the gradient of "
            "{model}.",
            strength=strength,
            model=plain(card.label),
        ),
    )


@models.answering
@st.cache_data(show_spinner=False, max_entries=500, hash_funcs=models.ANSWERS)
def _search(
    card: Card,
    pixels: NDArray[np.uint8],
    label: int,
    towards: int | None,
    most: int,
    device: torch.device,
) -> Broken:
    bar, sentence = st.empty(), _("Trying every pixel …")

    def question(model: Classifier, device: torch.device) -> Search:
        def report(done: float) -> None:
            bar.progress(done, sentence)

        return attacks.few_pixels(model, pixels, label, most, towards, report)

    found, _device = models.ask(card, device, question)
    bar.empty()
    end = Words("That fools it.") if found.fooled else Words("That does not fool it.")
    return Broken(
        found.image,
        Words(
            "{n} pixel is changed, by asking {model} about {asked:,} pictures. {end}",
            "{n} pixels are changed, by asking {model} about {asked:,} pictures. {end}",
            n=len(found.changed),
            model=plain(card.label),
            asked=found.asked,
            end=end,
        ),
    )


def outcome(
    card: Card, other: Card | None, picture: Intake, broken: Broken, device: torch.device
) -> None:
    """The garment before and after, what changed, and what the models say of both."""
    st.markdown(said(broken.sentence))
    change = attacks.changes(picture.pixels, broken.image)
    black = np.zeros((28, 28), np.uint8)
    widgets.side_by_side(
        [
            (_("Before"), picture.pixels),
            (_("What changes: orange is brighter, blue darker"), overlay(black, change)),
            (_("After"), broken.image),
        ],
        EDGE,
    )
    before, after = (_say(card, image, picture, device) for image in (picture.pixels, broken.image))
    moved = (broken.image != picture.pixels).any()
    if moved:
        _of_the_model(card, before, after)
    shown = [before, after]
    names = [_("{model}, before", model=card.label), _("{model}, after", model=card.label)]
    if other:
        others = [_say(other, image, picture, device) for image in (picture.pixels, broken.image)]
        if moved:
            _of_another(other, *others)
        shown.append(others[1])
        names.append(_("{model}, after", model=other.label))
    answers.show(shown, names)


def _of_the_model(card: Card, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
    model = plain(card.label)
    first, then = (CLASSES[int(each.argmax())] for each in (before, after))
    if first == then:
        st.markdown(_("**{model} still says {then}.**", model=model, then=then))
    else:
        changed = _(
            "**{model} said {first} and now says {then}.**", model=model, first=first, then=then
        )
        st.markdown(changed)


def _of_another(other: Card, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
    model = plain(other.label)
    first, then = (CLASSES[int(each.argmax())] for each in (before, after))
    if first == then:
        holds = _("{model} still says {then}: it does not fall for it.", model=model, then=then)
        st.markdown(holds)
    else:
        st.markdown(
            _(
                "{model} said {first} and now says {then}: it falls for it, too.",
                model=model,
                first=first,
                then=then,
            )
        )


def _say(
    card: Card, image: NDArray[np.uint8], picture: Intake, device: torch.device
) -> NDArray[np.float32]:
    answer, _ = models.answer(card, image[None], device, [picture.kind])
    probabilities: NDArray[np.float32] = answer.probabilities[0]
    return probabilities


def curves(cards: Sequence[Card], source: Source, device: torch.device) -> None:
    """How the accuracy of models falls with the strength of one way to break garments."""
    titles: dict[str, str] = {way.title: kind for kind, way in DISTORTIONS.items()}
    titles |= {title: kind for kind, (title, strengths) in ATTACKS.items()}
    kind = titles[widgets.select(_("Strength of"), list(titles), "Noise", key="curve")]
    cards = _unsealed(cards)
    if kind in ATTACKS:
        cards = _with_gradients(cards)
    if not cards:
        return
    lines, rows = {}, []
    strengths = robustness.strengths(kind)
    unit = DISTORTIONS[kind].unit if kind in DISTORTIONS else robustness.GREY_LEVELS
    for card in cards:
        job = analysis.robustness_curve(card, kind, source, device)
        right = job.result(_("Asking {model} …", model=plain(card.label))).tolist()
        total = min(robustness.IMAGES, len(dataset.split("test", source)))
        bounds = [intervals.share(count, total) for count in right]
        lines[card.label] = (strengths, [count / total for count in right], bounds)
        rows += [
            {
                Words("Model"): card.label,
                Words("Strength"): strength,
                Words("Named right"): count,
                Words("Of"): total,
            }
            for strength, count in zip(strengths, right, strict=True)
        ]
    widgets.chart(figures.robustness(lines, said(unit)), "robustness", _("Accuracy by strength"))
    st.caption(
        _(
            "Of {total:,} test garments. The bars are 95 % intervals: 95 times in 100 they hold "
            "the share among all garments of this kind.",
            total=total,
        )
    )
    csv_button(_("Table as CSV"), rows, f"robustness-{kind}.csv", "robustness csv")


def _unsealed(cards: Sequence[Card]) -> Sequence[Card]:
    for card in cards:
        if "test" not in card.knows:
            st.caption(
                _(
                    "{model} is asked about no test garments before its room's teacher reveals "
                    "the test accuracies.",
                    model=plain(card.label),
                )
            )
    return [card for card in cards if "test" in card.knows]


def _with_gradients(cards: Sequence[Card]) -> list[Card]:
    for card in cards:
        if card.family in OPAQUE:
            model = plain(card.label)
            st.caption(_("{model} shows no gradient, so it has no curve here.", model=model))
    return [card for card in cards if card.family not in OPAQUE]


def success(cards: Sequence[Card], source: Source, device: torch.device) -> None:
    """How often attacks succeed: white-box by a model's own gradient, black-box by another's.

    Of the models given, or of two that ship and differ in adversarial training only.
    """
    cards = _unsealed(_choose_attacked(cards))
    strength = choice(
        _("Strength, in grey levels of 255"), STRENGTHS, key="by_strength", default=STRENGTHS[1]
    )
    rows = []
    for card in cards:
        for by in cards:
            if by.family in OPAQUE:
                continue
            job = analysis.attack_success(card, by, strength, source, device)
            told = job.result(_("Attacking {model} …", model=plain(card.label)))
            result = Success(*told.tolist())
            rows.append(
                {
                    Words("Attacked"): card.label,
                    Words("By the gradient of"): by.label,
                    Words("Attack"): Words("white-box") if card is by else Words("black-box"),
                    Words("Named otherwise"): _share(result.untargeted, result.n),
                    Words("Named as meant"): _share(result.targeted, result.n),
                    Words("Garments"): result.n,
                }
            )
    widgets.table(rows)
    st.caption(
        _(
            "PGD of {steps} steps on garments that the attacked model names right, with the "
            "interval of each share. Untargeted, any other name counts; targeted, only the one "
            "that was drawn for the garment. To compare models of your own, train one of two "
            "alike ones with Adversarial on the Train page, keep both, and choose them above.",
            steps=robustness.STEPS,
        )
    )
    csv_button(_("Table as CSV"), rows, f"attacks-{strength}.csv", "attacks csv")


def _choose_attacked(given: Sequence[Card]) -> Sequence[Card]:
    known = models.choices()
    pair = [known[name] for name in (shelf.BEFORE, shelf.ADVERSARIAL) if name in known]
    if len(pair) < 2:
        return given
    chosen = choice(_("Models to attack"), [BEFORE_AND_AFTER, ABOVE], key="attacked")
    return pair if chosen == BEFORE_AND_AFTER else given


def _share(count: int, total: int) -> str:
    if not total:
        return ""
    low, high = intervals.share(count, total)
    return Words("{share:.1%} ({low:.1%} to {high:.1%})", share=count / total, low=low, high=high)
