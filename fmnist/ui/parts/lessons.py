"""The parts of the lessons page: all lessons to choose from, and one step by step."""

import streamlit as st

from fmnist.data.splits import Source
from fmnist.ui import history, lessons, visits
from fmnist.ui.lessons import Lesson, Step
from fmnist.words import _


def overview() -> None:
    """Every lesson with its aim, its time and how much of it is done."""
    st.session_state.pop("lesson gone on", None)
    every = lessons.lessons()
    for lesson in every:
        with st.container(border=True, gap="xsmall", key=f"card-lesson-{lesson.name}"):
            st.page_link(
                "pages/lessons.py",
                label=f"**{lesson.title}**",
                icon=":material/school:",
                query_params={"lesson": lesson.name},
            )
            st.markdown(lesson.aim)
            done = sum(_is_done(step) for step in lesson.steps)
            st.caption(
                _(
                    "{minutes} minutes. Steps done: {done} of {all}.",
                    minutes=lesson.minutes,
                    done=done,
                    all=len(lesson.steps),
                )
            )
    st.download_button(
        _("Teacher's sheet, to print"),
        lessons.teachers_sheet,
        "teachers-sheet.html",
        "text/html",
        on_click="ignore",
        icon=":material/print:",
        help=_("One file with the aim, the time and the answers of every lesson."),
    )


def chosen() -> Lesson | None:
    """The lesson that the link asks for; None where it asks for none, or for one that isn't."""
    history.show_link()
    asked = st.query_params.get("lesson")
    return next((lesson for lesson in lessons.lessons() if lesson.name == asked), None)


def show(lesson: Lesson, source: Source) -> None:
    """A lesson, step by step; other pages lead back to it until the overview is opened."""
    st.session_state["lesson gone on"] = lesson.name
    st.header(lesson.title)
    st.markdown(
        _("{aim} It takes about {minutes} minutes.", aim=lesson.aim, minutes=lesson.minutes)
    )
    if source == "drawn":
        st.caption(
            _("The answers tell figures of Fashion-MNIST; on the drawn garments they differ.")
        )
    for number, step in enumerate(lesson.steps, 1):
        _show_step(lesson, number, step)
    if all(_is_done(step) for step in lesson.steps):
        st.success(_("All steps of this lesson are done."))
    st.page_link("pages/lessons.py", label=_("All lessons"), icon=":material/list:")


def _show_step(lesson: Lesson, number: int, step: Step) -> None:
    done = _is_done(step)
    with st.container(border=True):
        mark = ":material/check_circle: " if done else ""
        st.subheader(f"{mark}{number}. {step.title}")
        if step.text:
            st.markdown(step.text)
        prediction = st.radio(
            _("**Predict.** {question}", question=step.question),
            range(len(step.options)),
            index=None,
            format_func=step.options.__getitem__,
            key=f"prediction {lesson.name} {number}",
            persist_state="session",
        )
        if prediction is None:
            st.caption(_("Choose what you think first. Then open the page and look."))
            return
        for link in step.links:
            st.page_link(
                f"pages/{link.page}.py",
                label=link.label,
                icon=":material/open_in_new:",
                query_params=dict(link.query),
            )
        if not done:
            st.caption(_("Open the page, and come back here for the answer."))
            return
        predicted, right = step.options[prediction], step.options[step.right]
        if prediction == step.right:
            st.success(_("You predicted it: {right}", right=right))
        else:
            st.info(
                _("You predicted: {predicted}  \nIt is: {right}", predicted=predicted, right=right)
            )
        st.markdown(step.answer)


def _is_done(step: Step) -> bool:
    """Whether every page of a step was opened in the state that the step asks for."""
    return all(visits.been(link.page, link.query) for link in step.links)
