"""Why? What a model's answer hangs on in a picture, and which training garments it finds alike."""

from collections import Counter
from typing import NamedTuple

import cv2
import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import explain
from fmnist.analysis.explain import Occlusion
from fmnist.data.splits import CLASSES, Source
from fmnist.machine import files
from fmnist.models.layers import Classifier
from fmnist.pictures.encode import overlay
from fmnist.pictures.intake import Intake, Square
from fmnist.ui import widgets
from fmnist.ui.language import Spinner
from fmnist.ui.state import dataset, models
from fmnist.weights.card import Card
from fmnist.words import Words, _, said

NEIGHBOURS = 5
EDGE, NEIGHBOUR_EDGE = 196, 84
WAYS = {
    Words("Covering"): Words(
        "Covering: orange where it is less sure with that part covered, blue where surer."
    ),
    Words("Saliency"): Words(
        "Saliency: the pixels that move its answer most when they change a little."
    ),
    "Grad-CAM": Words("Grad-CAM: where its last filters found what speaks for the answer."),
}
COVERING, SALIENCY, GRAD_CAM = WAYS


class Evidence(NamedTuple):
    """A model's probabilities (10,) for an image, and what each way of asking why has found.

    `maps` are float32 (28, 28), by their name in `WAYS`.
    """

    probabilities: NDArray[np.float32]
    occlusion: Occlusion
    maps: dict[str, NDArray[np.float32]]

    @property
    def label(self) -> int:
        return int(self.probabilities.argmax())


def why(
    card: Card,
    pixels: NDArray[np.uint8],
    device: torch.device,
    source: Source,
    taken: Intake | None = None,
    training_row: int | None = None,
) -> None:
    """A fold that says, once it is opened, why the model answers as it does to uint8 (28, 28).

    `taken` is where a user's picture became the image, so that it can be shown on that as well;
    `training_row` is the image's own row where it is one of the training split, which then is not
    among its neighbours. Whether the fold is open is in the link.
    """
    fold = st.expander(_("Why?"), icon=":material/help:", key="why", bind="query-params")
    if not fold.open:
        return
    asked = f"{card.sha256} {files.digest(pixels)} {taken.kind if taken else ''}"
    with fold, widgets.fresh("why", asked):
        found = _evidence(card, pixels, device, taken.kind if taken else "dataset")
        st.markdown(said(explain.reason(pixels, found.probabilities, found.label, found.occlusion)))
        widgets.side_by_side(
            [(said(WAYS[way]), overlay(pixels, heat)) for way, heat in found.maps.items()],
            EDGE,
        )
        if SALIENCY not in found.maps:
            st.caption(_("Only its answers can be seen, so saliency and Grad-CAM are left out."))
        if taken and taken.square and taken.kind != "dataset":
            picture = taken.steps[0][1]
            st.markdown(_("**The same on your picture**"))
            widgets.side_by_side(
                [
                    (said(way), placed(heat, picture, taken.square))
                    for way, heat in found.maps.items()
                ],
                EDGE,
            )
        _neighbours(card, pixels, found.label, device, source, training_row)


@models.answering
@st.cache_data(
    show_spinner=Spinner("Looking for the reason …"), max_entries=500, hash_funcs=models.ANSWERS
)
def _evidence(card: Card, pixels: NDArray[np.uint8], device: torch.device, kind: str) -> Evidence:
    answer, _ = models.answer(card, pixels[None], device, [kind])
    temperature = card.certainty_of(kind).temperature
    (probabilities,) = answer.probabilities
    label = int(probabilities.argmax())

    def look(model: Classifier, device: torch.device) -> Evidence:
        occlusion = explain.occlusion(model, pixels, label, temperature)
        maps = {
            COVERING: occlusion.drop,
            SALIENCY: explain.saliency(model, pixels, label),
            GRAD_CAM: explain.grad_cam(model, pixels, label),
        }
        found = {way: heat for way, heat in maps.items() if heat is not None}
        return Evidence(probabilities, occlusion, found)

    evidence, _ = models.ask(card, device, look)
    return evidence


def placed(
    heat: NDArray[np.float32], picture: NDArray[np.uint8], square: Square
) -> NDArray[np.uint8]:
    """A picture, no larger than it is shown, with heat (28, 28) where its 28x28 lies."""
    longest = min(EDGE, max(picture.shape[:2]))
    shrink = longest / max(picture.shape[:2])
    shown = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    height, width = shown.shape[:2]
    scale = square.edge * longest / 28
    # A pixel's middle lies half a pixel from its corner, in both pictures.
    place = np.array(
        [
            [scale, 0, square.left * longest + (scale - 1) / 2],
            [0, scale, square.top * longest + (scale - 1) / 2],
        ]
    )
    over = cv2.warpAffine(heat, place, (width, height)).astype(np.float32)
    return overlay(shown.astype(np.uint8), over)


@models.answering
def _neighbours(
    card: Card,
    pixels: NDArray[np.uint8],
    label: int,
    device: torch.device,
    source: Source,
    training_row: int | None,
) -> None:
    """The nearest training garments in the model's features, and whether their labels agree."""
    training = dataset.split("train", source)
    features = models.embeddings(card, "train", source, device)
    own, _used = models.ask(
        card, device, lambda model, device: explain.embed(model, pixels[None], device)
    )
    rows, _distances = explain.nearest(own[0], features, NEIGHBOURS + 1)
    rows = rows[rows != training_row][:NEIGHBOURS]
    names = [CLASSES[label] for label in training.labels[rows]]
    agreeing = names.count(CLASSES[label])
    others = Counter(name for name in names if name != CLASSES[label])
    rest = ", ".join(f"{count} {said(name)}" for name, count in others.most_common())
    agreement = _(
        "Of the {all} training garments that it finds most alike, {n} is labelled {label}, as it "
        "says",
        "Of the {all} training garments that it finds most alike, {n} are labelled {label}, as it "
        "says",
        all=len(rows),
        n=agreeing,
        label=CLASSES[label],
    )
    st.markdown(agreement + (_("; the others: {rest}.", rest=rest) if rest else "."))
    widgets.side_by_side(zip(map(said, names), training.images[rows], strict=True), NEIGHBOUR_EDGE)
