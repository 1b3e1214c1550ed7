"""Labels that are likely wrong and garments that are there twice, for people to decide on."""

import streamlit as st

from fmnist.analysis import suspects
from fmnist.ui import leaderboard, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import suspects as parts
from fmnist.words import Words, _

source, device = page(
    _("Suspects"),
    _(
        "Labels that are likely wrong, and garments that are there twice. You decide which are; "
        "then see what that does to the leaderboard."
    ),
)

parts.recall_decisions(source)
WRONG, TWICE = Words("Wrong labels"), Words("Duplicates")
doubted = widgets.choice(_("Suspects"), [WRONG, TWICE], key="doubted")
if doubted == WRONG:
    doubts, how = parts.wrong_labels(source, device)
    verdicts = _("Agree, the label is wrong"), _("Disagree, it may stand")
else:
    doubts, how = parts.duplicates(source)
    verdicts = _("Agree, the same garment"), _("Disagree, two garments")

if doubts:
    st.header(_("{n:,} suspect", "{n:,} suspects", n=len(doubts)))
    doubt = parts.review(doubts, *verdicts)
    if doubted == WRONG:
        with st.expander(_("What every model says of it")):
            widgets.model_answers(doubt.images[0], doubt.suspect.split, device)
    st.caption(how)
else:
    st.info(_("There are no suspects here. Choose another split, or other suspects."))

st.header(_("Your decisions"))
decided = parts.decisions()
agreed = sum(decided.values())
st.markdown(
    _(
        "{decided} decided: you agreed with {agreed} and disagreed with {disagreed}. They stay in "
        "this browser; save them to go on in another.",
        decided=len(decided),
        agreed=agreed,
        disagreed=len(decided) - agreed,
    )
)
parts.save_decisions(source)

st.header(_("Leaderboard"))
confirmed = suspects.confirmed(decided, "test")
if st.toggle(
    _(
        "Score without the {n} test image you agreed to leave out",
        "Score without the {n} test images you agreed to leave out",
        n=len(confirmed),
    ),
    key="without",
    bind="query-params",
):
    parts.leaderboard(source, device)
    st.caption(
        _(
            "Wrong labels are left out, and of two duplicates the one in the test set. Suspects "
            "were proposed by one model, so leaving them out favours models that err as it does."
        )
    )
else:
    leaderboard.brief()
