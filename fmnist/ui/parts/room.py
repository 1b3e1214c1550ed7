"""The parts of the room page: the way in, what the teacher does, and how a sketch is given."""

import io
import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from urllib.parse import urlsplit

import numpy as np
import segno
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.classroom import contest, sketches
from fmnist.classroom import room as rooms
from fmnist.classroom.room import LONGEST_NAME, LONGEST_QUESTION, LONGEST_TITLE, Room, Ticket
from fmnist.data.splits import CLASSES
from fmnist.machine.errors import UserFacingError
from fmnist.pictures.intake import Intake
from fmnist.ui import answers, navigation
from fmnist.ui.markdown import plain
from fmnist.ui.parts import classify
from fmnist.ui.state import classroom, models, trouble
from fmnist.weights.card import Card
from fmnist.words import LANGUAGES, Words, _, reading, said

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SCALE, QUIET = 8, 2  # pixels a module, modules around them
STEPS = (
    Words("**Open it.** Scan the code with the camera, or type the address."),
    Words(
        "**Pass the warning.** The machine on which this runs made its certificate itself, so your "
        "browser says that the connection is not private. Choose *Advanced* or *Show details*, "
        "then *Proceed* or *Visit this website*. Whoever wants to be sure compares the "
        "fingerprint below."
    ),
    Words(
        "**Allow the camera** when Classify asks for it. Pictures go to this machine and nowhere "
        "else."
    ),
)
SCAN = Words("A code to scan, which leads to this room")
QUESTIONS = (
    Words("Draw a garment that the model names right."),
    Words("Draw a garment that you know and the model doesn't."),
    Words("Guess twenty garments on the Guess page. Are you better than the model?"),
    Words("Train a net on the Train page. Whose is the best in ten minutes?"),
    Words("Hand in your best model. It counts on images that nobody has looked at."),
)
WAYS_ON = {
    "wall": "cast",
    "sketches": "gesture",
    "guess": "quiz",
    "train": "model_training",
    "contest": "trophy",
}
FORGETS = {
    True: Words(
        "This browser forgets the room. Without the secret you can't come back as its teacher."
    ),
    False: Words("This browser forgets who you are here. What you gave and your runs stay."),
}
"""What leaving does, by whether one teaches."""
TO_SHOW = "ticket to show"
"""Of the session: that of a room just opened, until its secret is written down."""
FOLLOWED = 5.0
"""Seconds after which a page has what others did in the room."""


def invitation(path: str = "") -> None:
    """The address as a code and steps; where the app is not served to a room, how it would be.

    The code leads to a path there.
    """
    served = address()
    if not served:
        st.info(_("This app is not served to a room. On its machine, start it with `make room`."))
        return
    fingerprint = os.environ.get("FMNIST_FINGERPRINT")
    code, words = st.columns([2, 3], gap="large")
    code.image(qr_code(f"{served}{path}"), width="stretch", alt=said(SCAN))
    with words:
        st.header(served, anchor=False)
        for number, step in enumerate(_steps(served, bool(fingerprint)), 1):
            st.markdown(f"{number}. {said(step)}")
        if fingerprint:
            st.caption(_("SHA-256 fingerprint: {fingerprint}", fingerprint=fingerprint))


def _steps(served: str, own_certificate: bool) -> Sequence[Words]:
    """Those that a phone asks for: a warning of an own certificate, a camera over HTTPS alone."""
    if own_certificate:
        return STEPS
    return (STEPS[0], STEPS[2]) if served.startswith("https:") else STEPS[:1]


def address() -> str:
    """Where phones find this app: as it is served to a room, else as this browser does.

    Nothing where this browser is on the app's own machine and so has an address of no use to them.
    """
    if served := os.environ.get("FMNIST_ROOM"):
        return served
    here = (st.context.url or "").rpartition("/")[0]
    return "" if urlsplit(here).hostname in (None, *LOOPBACK) else here


def qr_code(address: str) -> str:
    """An address as a QR code in SVG."""
    picture = io.BytesIO()
    segno.make(address, error="m").save(
        picture, "svg", scale=SCALE, border=QUIET, light="white", xmldecl=False
    )
    return picture.getvalue().decode()


def way_in(room: Room) -> str:
    """The path at which somebody joins the room, its code being filled in."""
    return f"/room?join={room.code}"


def as_now(ticket: Ticket) -> Room:
    """The room at this moment, for what follows it; who is in it no more is told by the page."""
    try:
        room = rooms.admit(ticket)
    except UserFacingError:
        st.rerun()
    rooms.note_presence(ticket)
    return room


def enter() -> None:
    """The ways in: join by code and nickname, open a room, come back as its teacher."""
    trouble.told()
    join, begin = st.columns(2, gap="large")
    with join:
        st.header(_("Join a room"))
        with st.form("join"):
            code = st.text_input(
                _("Code of the room"), st.query_params.get("join", "")[:12], max_chars=12
            )
            name = st.text_input(_("Your nickname"), max_chars=LONGEST_NAME)
            st.caption(_("Others in the room see it. There is no account."))
            if st.form_submit_button(_("Join"), type="primary"):
                _enter(partial(rooms.join, code, name, classroom.address()))
    with begin:
        st.header(_("Open a room"))
        with st.form("open"):
            title = st.text_input(_("Name of the room"), max_chars=LONGEST_TITLE)
            if st.form_submit_button(_("Open it")):
                _enter(partial(rooms.open_room, title, classroom.address()), shown=True)
        with st.expander(_("Come back as its teacher")), st.form("return", border=False):
            code = st.text_input(_("Code of your room"), max_chars=12)
            secret = st.text_input(_("Its secret"), type="password", max_chars=40)
            if st.form_submit_button(_("Come back")):
                _enter(partial(rooms.enter, code, secret, classroom.address()))


def _enter(way: Callable[[], Ticket], shown: bool = False) -> None:
    """Go in by a way, or say why not; the secret of a room just opened is shown once."""
    try:
        ticket = way()
    except UserFacingError as error:
        st.error(plain(said(error)))
        return
    classroom.take(ticket)
    if shown:
        st.session_state[TO_SHOW] = ticket
    st.rerun()


def elsewhere(ticket: Ticket, room: Room) -> None:
    """A way out of this room for who came by a link, or the code on a wall, of another one."""
    asked = st.query_params.get("join", "")[:12].strip().upper()
    if asked in ("", room.code):
        return
    with st.container(border=True):
        st.markdown(
            _(
                "**That was the way to room {asked}.** You are still in room {code}.",
                asked=plain(asked),
                code=room.code,
            )
        )
        st.caption(said(FORGETS[ticket.teaches]))
        leave = _("Leave {code} and join {asked}", code=room.code, asked=plain(asked))
        st.button(leave, type="primary", on_click=classroom.leave)


def head(ticket: Ticket, room: Room) -> None:
    """Which room it is, who one is there, its question, and the ways on."""
    if st.session_state.get(TO_SHOW) == ticket:
        with st.container(border=True):
            shown = rooms.as_shown(ticket.secret)
            st.markdown(_("**The secret of this room: `{secret}`**", secret=shown))
            st.caption(
                _(
                    "This browser keeps it. Write it down: with it and the code you come back as "
                    "the teacher from another browser. It is shown this once."
                )
            )
            st.button(_("I have it"), on_click=_shown)
    trouble.told()
    st.markdown(_who(ticket, room))
    if not ticket.teaches:
        st.fragment(_question, run_every=FOLLOWED)(ticket)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, icon in WAYS_ON.items():
            title = said(navigation.place(name).title)
            st.page_link(f"pages/{name}.py", label=title, icon=f":material/{icon}:")
        with st.popover(_("Leave"), icon=":material/logout:"):
            st.caption(said(FORGETS[ticket.teaches]))
            st.button(_("Leave the room"), on_click=classroom.leave)


def _who(ticket: Ticket, room: Room) -> str:
    where = {"title": plain(room.title), "code": room.code}
    if ticket.teaches:
        return _("**{title}**, room **{code}**. You are the teacher.", **where)
    name = plain(room.name(ticket.person))
    return _("**{title}**, room **{code}**. You are **{name}**.", name=name, **where)


def _shown() -> None:
    st.session_state.pop(TO_SHOW, None)


def _question(ticket: Ticket) -> None:
    """The question of the round, as soon as there is another."""
    room = as_now(ticket)
    if room.question:
        question = plain(asked(room))
        told = _("**Round {round}:** {question}", round=room.round, question=question)
        st.info(told, icon=":material/campaign:")
    else:
        st.caption(_("There is no question yet. Look at the wall."))


def asked(room: Room) -> str:
    """The question of the round; one of the studio's own in the reader's language."""
    return said(_own_questions().get(room.question, room.question))


@cache
def _own_questions() -> dict[str, Words]:
    """The studio's questions by what a teacher asks with them, in whatever language."""
    found = dict[str, Words]()
    for spoken in LANGUAGES:
        with reading(spoken):
            found |= {said(question): question for question in QUESTIONS}
    return found


def lead(ticket: Ticket, room: Room) -> None:
    """What the teacher does: ask, reveal, send out, close."""
    asking, people = st.columns(2, gap="large")
    with asking:
        st.header(_("Ask everybody"))
        proposal = st.selectbox(_("Proposals"), QUESTIONS, format_func=said, key="proposal")
        with st.form(f"ask {proposal}"):
            question = st.text_area(_("Question"), said(proposal), max_chars=LONGEST_QUESTION)
            if st.form_submit_button(
                _("Begin round {round}", round=room.round + 1), type="primary"
            ):
                trouble.done(rooms.ask, ticket, question)
                st.rerun()
        if room.question:
            question = plain(asked(room))
            st.caption(_("Round {round}: {question}", round=room.round, question=question))
        st.header(_("Contest"))
        st.fragment(_revealing, run_every=FOLLOWED)(ticket)
    with people:
        st.fragment(_members, run_every=FOLLOWED)(ticket)
        with st.popover(_("Close the room"), icon=":material/delete:"):
            st.caption(
                _(
                    "The room is deleted with its sketches, guesses, lists of the best and what "
                    "was handed in. Runs and models stay: their test accuracy can be seen, and "
                    "the runs are everybody's then."
                )
            )
            st.button(_("Close it for good"), on_click=partial(_close, ticket))


def _close(ticket: Ticket) -> None:
    if trouble.done(rooms.close, ticket):
        classroom.leave()


def _members(ticket: Ticket) -> None:
    """Who has joined by now, and a way to send one out."""
    room = as_now(ticket)
    st.header(_("{count} joined", count=len(room.members)))
    # Names alone: an option that reads otherwise than when it was chosen isn't chosen any more.
    person = st.selectbox(
        _("Member"),
        list(room.members),
        index=None,
        format_func=room.name,
        placeholder=_("Choose one to send out"),
        key="member",
    )
    here = rooms.here(room.code)
    away = [member.name for person, member in room.members.items() if person not in here]
    if away:
        st.caption(_("Away: {names}", names=plain(", ".join(away))))
    out = _("The nickname is free then. Runs and sketches stay.")
    if person and st.button(_("Send out"), help=out):
        trouble.done(rooms.remove, ticket, person)
        st.rerun()


def _revealing(ticket: Ticket) -> None:
    """How many have handed in by now, and the button that reveals."""
    if as_now(ticket).revealed:
        st.success(_("The test accuracies are revealed."))
        return
    st.markdown(
        _(
            "{count} handed in. Nobody sees a test accuracy before you reveal them.",
            count=len(contest.entries(ticket)),
        )
    )
    with st.popover(_("Reveal"), icon=":material/visibility:"):
        st.caption(
            _("Everybody sees the test accuracy of every run and model of the room, for good.")
        )
        if st.button(_("Reveal now"), type="primary"):
            trouble.done(rooms.reveal, ticket)
            st.rerun()


@st.fragment
def draw_and_give(ticket: Ticket, device: torch.device) -> None:
    """A canvas, what a model says of it, and a form to give it to the room."""
    bring, hear = st.columns(2, gap="medium")
    best = bring.container()
    with bring:
        taken = classify.draw_freely()
    card, probabilities = models.default(), answers.NOTHING
    if taken and card:
        probabilities = answers.ask(card, taken, device)[0].probabilities[0]
    with best:
        answers.best(probabilities)
    with hear:
        picture = taken[0][1] if taken else None
        if isinstance(picture, Intake) and card:
            _give(ticket, picture, probabilities, card)
        else:
            st.caption(_("Draw something. Nobody sees it before you give it to the room."))
        answers.show([probabilities], [""])


def _give(ticket: Ticket, picture: Intake, probabilities: NDArray[np.float32], card: Card) -> None:
    with st.form("give"):
        drawn = st.pills(_("What did you draw?"), CLASSES, format_func=said, wrap=True, key="drawn")
        st.caption(
            _(
                "Once you give it, everybody in the room sees it, with your nickname. You can "
                "delete it again."
            )
        )
        if not st.form_submit_button(_("Give it to the room"), type="primary"):
            return
    if drawn is None:
        st.error(_("Say what you drew: one of the ten kinds of garments."))
        return
    answer = int(probabilities.argmax())
    try:
        sketches.give(
            ticket,
            picture.pixels,
            CLASSES.index(drawn),
            answer,
            float(probabilities[answer]),
            card.name,
        )
    except UserFacingError as error:
        st.error(said(error))
    else:
        st.success(_("It is on the wall. Clear the canvas to draw another."))
