"""After this page a student knows what the lecture covers, what runs here and where to start.

Draws without a model: no torch, no chart.
"""

import streamlit as st

from lecture_core import catalog, outline
from lecture_core.engine import get_engine
from lecture_core.loading import availability
from lecture_core.model_cards import ROLES, card
from lecture_core.outline import PAGES, PARTS, PageRow, Part
from lecture_core.provenance import Kind
from lecture_core.quantities import count, megabytes
from lecture_core.ui import results

ABOUT: dict[Part, str] = {
    "pretraining": "How a model learns from plain text, by guessing what was hidden or replaced.",
    "prompting": "How a trained model takes on a task that it only reads in its prompt.",
    "scaling": "How the loss falls with parameters, tokens and compute.",
    "reference": "The published numbers with their sources, and the models with what they can do.",
}
MEANINGS: dict[Kind, str] = {
    "live": "Computed on this machine, now or for an earlier request.",
    "recorded": "An earlier run of ours, with the command that repeats it.",
    "published": "From a paper, with its citation.",
}


def page_card(row: PageRow) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.page_link(row.path, label=f":primary[**{row.title}**]", icon=row.icon)
        st.markdown(row.promise)
        st.caption(f"Lecture: {row.lecture}")


def part(name: Part, title: str) -> None:
    rows = [row for row in PAGES if row.part == name]
    about, cards = st.columns([1, 3], gap="medium")
    about.subheader(title, anchor=False)
    about.markdown(ABOUT[name])
    for pair in (rows[i : i + 2] for i in range(0, len(rows), 2)):
        for column, row in zip(cards.columns(len(pair)), pair, strict=True):
            with column:
                page_card(row)


def badges() -> None:
    for column, (kind, meaning) in zip(st.columns(3), MEANINGS.items(), strict=True):
        with column, st.container(gap="xsmall"):
            results.badge(kind)
            st.markdown(meaning)


def models_here() -> None:
    status = get_engine().status()
    st.markdown(f"**{status.device.upper()}, {status.dtype}.** {status.reason}")
    here = [spec for spec in catalog.models() if availability(spec).usable]
    if here:
        st.markdown("\n".join(f"- {line(spec)}" for spec in here))
    else:
        st.markdown("No model is on this machine yet. The scaling and reference pages work without one.")
    st.caption(f"The catalog has {len(catalog.models()) - len(here)} more. The operator brings one with:")
    st.code("python -m lecture_core.catalog pull bert-base-uncased", language=None, wrap_lines=True)


def line(spec: catalog.ModelSpec) -> str:
    size = f"{count(spec.parameters)} parameters, {megabytes(card(spec.id).float32_bytes)} of memory in float32"
    return f"**{spec.title}** {ROLES[spec.role].job}. :small[:gray[{size}]]"


st.title(outline.page("home").title, anchor=False)
st.markdown(
    f"**{outline.page('home').promise}** The slides of *Pre-training and large language models* as experiments: "
    "guess what a model will do, run it, compare with the published numbers. Every page opens with a result."
)
for name, title in PARTS.items():
    if name != "overview":
        part(name, title)

st.subheader("Where a number comes from", anchor=False)
badges()

left, right = st.columns(2, gap="large")
with left:
    st.subheader("In class, in five minutes", anchor=False)
    st.markdown(
        "1. Open a page and read out **Predict**; take a show of hands.\n"
        "2. Click the class's guess. The result is already there.\n"
        "3. Change one thing: a word, a model, a slider.\n"
        "4. Hold it against the published numbers on the page.\n"
        "5. **Copy link to this view** brings every student to the same state."
    )
    st.caption("The menu at the top right switches between light and dark. Ctrl and + enlarges for the last row.")
with right:
    st.subheader("What runs here", anchor=False)
    models_here()
