"""Labels that are likely wrong and garments that are there twice, for people to decide on."""

import streamlit as st

from fmnist.analysis import suspects
from fmnist.ui import leaderboard, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import suspects as parts

source, device = page(
    "Suspects",
    "Labels that are likely wrong, and garments that are there twice. You decide which are; then "
    "see what that does to the leaderboard.",
)

parts.recall_decisions(source)
doubted = widgets.choice("Suspects", ["Wrong labels", "Duplicates"], key="doubted")
if doubted == "Wrong labels":
    doubts, how = parts.wrong_labels(source, device)
    verdicts = "Agree, the label is wrong", "Disagree, it may stand"
else:
    doubts, how = parts.duplicates(source)
    verdicts = "Agree, the same garment", "Disagree, two garments"

if doubts:
    st.header(f"{len(doubts):,} suspects")
    doubt = parts.review(doubts, *verdicts)
    if doubted == "Wrong labels":
        with st.expander("What every model says of it"):
            widgets.model_answers(doubt.images[0], doubt.suspect.split, device)
    st.caption(how)
else:
    st.info("There are no suspects here. Choose another split, or other suspects.")

st.header("Your decisions")
decided = parts.decisions()
agreed = sum(decided.values())
st.markdown(
    f"{len(decided)} decided: you agreed with {agreed} and disagreed with {len(decided) - agreed}. "
    "They stay in this browser; save them to go on in another."
)
parts.save_decisions(source)

st.header("Leaderboard")
confirmed = suspects.confirmed(decided, "test")
if st.toggle(
    f"Score without the {len(confirmed)} test images you agreed to leave out",
    key="without",
    bind="query-params",
):
    parts.leaderboard(source, device)
    st.caption(
        "Wrong labels are left out, and of two duplicates the one in the test set. Suspects were "
        "proposed by one model, so leaving them out favours models that err as it does."
    )
else:
    leaderboard.brief()
