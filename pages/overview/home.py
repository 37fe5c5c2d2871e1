"""After this page a student knows what the lecture covers, what runs here and where to start.

Draws without a model: neither torch nor Plotly is imported.
"""

import streamlit as st

from lecture_core import catalog
from lecture_core.loading import availability
from lecture_core.outline import PAGES, PARTS, PageRow, Part
from lecture_core.ui import page, results

ABOUT: dict[Part, str] = {
    "pretraining": "How a model learns from plain text, by guessing what was hidden or replaced.",
    "prompting": "How a trained model takes on a task that it only reads in its prompt.",
    "scaling": "How the loss falls with parameters, tokens and compute.",
    "reference": "The published numbers, with their sources.",
}
JOBS = {
    "masked_lm": "fills masked words",
    "rtd_generator": "proposes plausible fakes",
    "rtd_discriminator": "finds replaced words",
    "causal_lm": "continues a prompt",
    "seq2seq": "turns text into text",
    "encoder": "turns text into vectors",
    "vision_language": "reads images and text",
}


def card(row: PageRow) -> None:
    with st.container(border=True, height="stretch", gap="small"):
        st.page_link(row.path, label=f"**{row.title}**", icon=row.icon)
        st.markdown(row.promise)
        st.caption(f"Lecture: {row.lecture}")


def part(name: Part, title: str) -> None:
    rows = [row for row in PAGES if row.part == name]
    about, cards = st.columns([1, 3], gap="medium")
    about.subheader(title, anchor=False)
    about.markdown(ABOUT[name])
    for pair in (rows[i : i + 2] for i in range(0, len(rows), 2)):
        for column, row in zip(cards.columns(2), pair, strict=False):
            with column:
                card(row)


def models_here() -> None:
    here = [spec for spec in catalog.models() if availability(spec).usable]
    if here:
        head = "| Model | What it does | Parameters | Memory |\n|---|---|--:|--:|\n"
        rows = (f"| {s.title} | {JOBS[s.role]} | {s.parameters / 1e6:,.0f}M | {s.memory_gb:.1f} GB |" for s in here)
        st.markdown(head + "\n".join(rows))
    else:
        st.markdown("No model is on this machine yet. Scaling and reference pages work without one.")
    more = len(catalog.models()) - len(here)
    st.caption(f"{more} larger models are in the catalog; the operator brings one with")
    st.code("python -m lecture_core.catalog pull bert-base-uncased", language=None)


def badges() -> None:
    st.markdown("Every number says where it comes from.")
    for kind, meaning in (
        ("live", "computed now, on this machine"),
        ("recorded", "an earlier run of ours, with the command that repeats it"),
        ("published", "from a paper, with its citation"),
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            results.badge(kind)
            st.markdown(meaning, width="content")


page.header("home")
st.markdown(
    "The slides of *Pre-training and large language models* as experiments. Guess what a model will do, run it, "
    "compare with the published numbers. Every page opens with a result, so there is nothing to set up."
)
for name, title in PARTS.items():
    if name != "overview":
        part(name, title)

st.divider()
left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("What runs here", anchor=False)
    models_here()
with right:
    st.subheader("Where numbers come from", anchor=False)
    badges()
    st.subheader("In class, in five minutes", anchor=False)
    st.markdown(
        "1. Open a page and read out **Predict**; take a show of hands.\n"
        "2. Click the class's guess. The result below is already there.\n"
        "3. Change one thing: a word, a model, a slider.\n"
        "4. Hold it against the table **from the lecture** beside it.\n"
        "5. **Copy link to this view** brings every student to the same state."
    )
    st.caption("The menu at the top right switches between light and dark; Ctrl and + enlarges for the last row.")
