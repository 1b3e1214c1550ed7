"""The ways a picture comes in on the classify page: drawn, uploaded, photographed, exemplary."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fmnist.data import garments
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES, Source
from fmnist.pictures import intake, reading
from fmnist.pictures.encode import data_url, reduced
from fmnist.pictures.intake import SIDE, Intake, Kind
from fmnist.pictures.person import PARTS, Part
from fmnist.pictures.reading import PictureError
from fmnist.ui import language, widgets
from fmnist.ui.components.canvas import EDGE, Invitation, canvas
from fmnist.ui.components.capture import capture
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.state import dataset
from fmnist.words import Words, _, said

Taken = tuple[str, Intake | PictureError]
Choice = Kind | Literal["auto"]
KINDS: dict[str, Choice] = {
    Words("Automatic"): "auto",
    Words("Sketch"): "sketch",
    Words("Shop picture"): "shop",
    Words("Photo"): "photo",
    Words("Dataset image"): "dataset",
}
EXAMPLES_SEED = 1
PICTURES = ["png", "jpg", "jpeg", "jfif", "webp", "gif", "bmp", "tif", "tiff"]
LARGEST = 16  # MiB a picture
EMPTY, TEST_IMAGE = Words("Empty canvas"), Words("Test image")
OUTLINES: dict[str, int] = {
    Words("Outline of {name}", name=name): label for label, name in enumerate(CLASSES)
}
OUTLINE_MARGIN = 0.1  # of the canvas
SOON = 0.5  # seconds; a bar for less would only flicker


def choose_kind() -> Choice:
    """What the picture is to be taken for; "auto" leaves it to the intake."""
    kinds = list(KINDS)
    return KINDS[widgets.select(_("Take it in as"), kinds, kinds[0], key="kind")]


def choose_part(way: str) -> Part:
    """What to ask about where a person is in the picture, which can be in some ways only."""
    if way not in (UPLOAD, CAMERA):
        return "upper"
    parts: list[Part] = list(PARTS)
    language.understand("part", parts, _of_person)
    # Not a bar, which would be cut off where the column is narrow.
    part: Part = st.pills(
        _("Of a person, ask about the"),
        parts,
        default=parts[0],
        required=True,
        wrap=True,
        format_func=_of_person,
        key="part",
        bind="query-params",
    )
    return part


def _of_person(part: Part) -> str:
    name = said(PARTS[part])
    return name[0].upper() + name[1:]


def draw(kind: Choice, source: Source, first: str = EMPTY) -> list[Taken]:
    """A canvas to draw on, at first empty or with something else; nothing while it is empty."""
    surface, below = st.container(), st.container(horizontal=True, vertical_alignment="bottom")
    with below:
        start = widgets.select(_("Start from"), [EMPTY, *OUTLINES, TEST_IMAGE], first, key="start")
    if start == EMPTY:
        with surface:
            return draw_freely("sketch" if kind == "auto" else kind)
    if start in OUTLINES:
        name, ground = start, _outline(OUTLINES[start])
    else:
        test = dataset.split("test", source)
        row = below.number_input(_("Number"), 0, len(test) - 1, key="image", bind="query-params")
        name = Words("Test image {row:,}, {label}", row=row, label=CLASSES[test.labels[row]])
        ground = test.images[row]
    if kind == "auto":
        kind = "dataset" if start == TEST_IMAGE else "sketch"
    with surface:
        return _on_canvas(name, ground, kind) or [(name, intake.from_any(ground, kind))]


def draw_freely(kind: Kind = "sketch") -> list[Taken]:
    """A canvas that is empty but for an invitation; nothing while it is empty."""
    outline = Invitation(_("Draw a T-shirt here"), _outline(0))
    return _on_canvas(Words("Your drawing"), np.zeros((SIDE,) * 2, np.uint8), kind, outline)


def _on_canvas(
    name: str, ground: NDArray[np.uint8], kind: Kind, invitation: Invitation | None = None
) -> list[Taken]:
    """What is drawn on a ground, taken in; nothing where nothing is drawn."""
    try:
        drawn = canvas(
            ground,
            key=f"canvas {name}",
            label=_("Canvas to draw on: {name}", name=name),
            invitation=invitation,
        )
    except PictureError as error:
        return [(name, error)]
    if drawn is None:
        return []
    if kind == "dataset":  # the grid is known, and strokes across it would hide it
        drawn = np.asarray(Image.fromarray(drawn).reduce(EDGE // SIDE))
    if not invitation:
        name = Words("{name}, changed", name=name)
    return [(name, intake.from_any(drawn, kind))]


def upload(kind: Choice, part: Part) -> list[Taken]:
    """The uploaded pictures by file name, each taken in or with what is wrong with it."""
    files = st.file_uploader(
        _("Pictures of one garment each"),
        PICTURES,
        accept_multiple_files=True,
        max_upload_size=LARGEST,
        key="upload",
    )
    bar, started = st.empty(), time.perf_counter()
    taken: list[Taken] = []
    for done, file in enumerate(files):
        if time.perf_counter() - started > SOON:
            bar.progress(
                done / len(files),
                _("{done} of {all} pictures taken in", done=done, all=len(files)),
            )
        taken.append((file.name, take(file, kind, part)))
    bar.empty()
    return taken


def camera(kind: Choice, part: Part) -> list[Taken]:
    """The picture taken with the camera, if there is one; else by the phone's own."""
    if _is_secure(st.context.url):
        photo = st.camera_input(_("A garment on a plain ground works best"), key="camera")
    else:
        st.info(
            _(
                "Browsers give their camera to pages that come over HTTPS only, and this one "
                "doesn't; `make room` serves it so. A phone can take the picture with its own "
                "camera:"
            )
        )
        photo = st.file_uploader(
            _("A garment on a plain ground works best"),
            PICTURES,
            max_upload_size=LARGEST,
            key="phone",
        )
        capture("phone")
    return [(CAMERA, take(photo, kind, part))] if photo else []


def _is_secure(address: str | None) -> bool:
    """Whether browsers give a page at that address the camera."""
    parts = urlsplit(address or "https:")
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def example(kind: Choice) -> Taken:
    """Ten drawn garments to choose from; the first is chosen to begin with."""
    images = _examples()
    picked = garment_wall(
        np.stack([intake.from_any(image, "dataset").pixels for image in images]),
        [said(name) for name in CLASSES],
        key="examples",
        label=_("Ten drawn garments; arrow keys choose one"),
        name="examples",
        tile=64,
    )
    kind = "dataset" if kind == "auto" else kind
    name = Words("A drawn {label}", label=CLASSES[picked or 0])
    return name, intake.from_any(images[picked or 0], kind)


UPLOAD, CAMERA = Words("Upload"), Words("Camera")
WAYS: dict[str, Callable[[Choice, Part, Source], list[Taken]]] = {
    Words("Draw"): lambda kind, part, source: draw(kind, source),
    UPLOAD: lambda kind, part, source: upload(kind, part),
    CAMERA: lambda kind, part, source: camera(kind, part),
    Words("Examples"): lambda kind, part, source: [example(kind)],
}


def original(picture: Intake) -> None:
    """The picture as it came, large."""
    came = picture.steps[0][1]
    st.image(data_url(came), width="stretch", alt=_("Your picture"))


def shown(name: str, picture: Intake) -> str:
    """What the model sees, in words: a picture's name, and what of a person was asked about."""
    if not picture.parts:
        return said(name)
    return _("{name}, the {part}", name=name, part=PARTS[picture.parts[0]])


def steps(picture: Intake) -> None:
    """A fold with what the intake did to a picture, step by step."""
    fold = st.expander(_("What happened to your picture"), key="steps", on_change="rerun")
    if fold.open:
        columns = fold.columns(len(picture.steps))
        for column, (step, image) in zip(columns, picture.steps, strict=True):
            column.image(data_url(image, 140), caption=said(step), width="stretch")


@st.cache_data(
    show_spinner=False,
    max_entries=500,
    hash_funcs={UploadedFile: lambda file: file.file_id},
)
def take(file: UploadedFile, kind: Choice, part: Part) -> Intake | PictureError:
    """A stranger's file taken in, its steps made small; or what is wrong with it."""
    try:
        taken = intake.from_any(reading.read(file.getvalue()), kind, part)
    except PictureError as error:
        return error
    return replace(taken, steps=tuple((name, reduced(step, EDGE)) for name, step in taken.steps))


@st.cache_data(show_spinner=False)
def _outline(label: int) -> NDArray[np.uint8]:
    """A garment as a line drawing, finer than a screen shows it."""
    garment = garments.garment(label, np.random.default_rng(EXAMPLES_SEED))
    margin = round(2 * EDGE * OUTLINE_MARGIN)
    return np.pad(drawing.render(garment, 2 * (EDGE - margin), "outline"), margin)


@st.cache_data(show_spinner=False)
def _examples() -> Sequence[NDArray[np.uint8]]:
    rng = np.random.default_rng(EXAMPLES_SEED)
    return [drawing.render(garments.garment(label, rng)) for label in range(len(CLASSES))]
