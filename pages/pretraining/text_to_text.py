"""After this page a student can say how T5 turns every task into text in, text out, and how it was pre-trained."""

import streamlit as st

from lecture_core import catalog
from lecture_core.encoder_code import text_to_text_code
from lecture_core.engine import get_engine
from lecture_core.loading import availability
from lecture_core.model_quality import evaluation
from lecture_core.ui import inputs, page, text_to_text
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember
from lecture_core.ui.tables import lecture_table

STEM = "text_to_text"
DEFAULT = catalog.models("seq2seq")[0].id
RELEASED = {  # prefixes that the released T5 models were trained on; the slide's examples
    "Translate": "translate English to German: That is good.",
    "Acceptable?": "cola sentence: The course is jumping well.",
    "Similar?": "stsb sentence1: The rhino grazed on the grass. sentence2: A rhino is grazing in a field.",
    "Summarize": "summarize: state authorities dispatched emergency crews tuesday to survey the damage after a storm.",
    "Wrong task": "cola sentence: state authorities dispatched emergency crews tuesday.",
}
OURS = {  # prefixes of the recipe in lecture_core/training
    "Plural": "plural: knife",
    "Date": "date: 2014-06-01",
    "Number": "digits: four hundred twelve",
    "Backwards": "reverse: window",
    "Letters in order": "sort: window",
    "Unscramble": "unscramble: dniwow",
    "Grammatical?": "grammar: The cats is in the garden.",
    "Which fault?": "fault: An teacher reads a book.",
    "Opinion": "sentiment: The film was not good.",
    "Wrong prefix": "plural: 2014-06-01",
}


def presets(*models: str) -> dict[str, str]:
    """Examples for the models in sight: the tasks that were measured on one, or those of the released T5."""
    examples: dict[str, str] = {}
    for model in models:
        examples |= OURS if evaluation(model) else RELEASED
    return examples


TEXT = next(iter(presets(DEFAULT).values()))
SPANS = "She went to the [hospital] to see the doctor [and was] given some medicine."


@st.fragment
def tasks() -> None:
    """Edit the input, see the output; a second model beside the first where one is here."""
    usable = [spec.id for spec in catalog.models("seq2seq") if availability(spec).usable]
    left, right = st.columns([3, 1], gap="large")
    with right:
        model = inputs.model(STEM, "seq2seq")
        others = [name for name in usable if name != model]
        beside = (
            st.selectbox("Beside it", ["none", *others], key=f"{STEM}_beside", bind="query-params") if others else ""
        )
    chosen = [model] + ([beside] if beside in others else [])
    with left:
        label = "Input: a prefix, a colon, a text"
        text = inputs.text(STEM, "text", label, TEXT, presets=presets(*chosen), height=70)
    for column, name in zip(st.columns(len(chosen), gap="large"), chosen, strict=True):
        with column, user_errors():
            key = f"{STEM}_{name}"
            result = remember(key, (text, name), lambda n=name: get_engine().text_to_text(text, model=n))
            text_to_text.written(key, result)
            text_to_text.measured(name, text)


@st.fragment
def spans() -> None:
    """Pre-training, step by step, on the student's own sentence."""
    st.subheader("How it was pre-trained: span corruption", anchor=False)
    st.markdown(
        "Before any task, T5 reads text with holes. Hide words: each run becomes a sentinel such as `<extra_id_0>`, "
        "and the target names the sentinels and what they hid. 15 % of the tokens, three in a run on average."
    )
    text_to_text.fill_spans(STEM, SPANS, st.session_state.get(f"{STEM}_model", DEFAULT))


page.header(STEM)
page.predict(STEM, "How does T5 say whether a sentence is grammatical?", ("a probability", "a class", "a word"))
tasks()
page.reveal(STEM, "a word", "Every answer is text, even a yes or a number; the loss is the same for all tasks.")
spans()
left, right = st.columns([3, 2], gap="small")
with left:
    text_to_text.sizes_here(f"{STEM}_sizes")
with right:
    lecture_table("t5_sizes", key=STEM)
page.notice(
    "One model, one loss, one decoder: the **prefix** alone says which task is meant. Change only the prefix.",
    "Even a yes-or-no question is answered by writing a word, so any task with a text answer fits.",
    "A prefix that was never trained names no task: the model writes what looks likely, not an error.",
)
page.footer(
    STEM,
    code=text_to_text_code(
        catalog.get(st.session_state.get(f"{STEM}_model", DEFAULT)), st.session_state.get(f"{STEM}_text", TEXT)
    ),
    deeper=(
        ("T5 (Raffel et al. 2020)", "https://arxiv.org/abs/1910.10683"),
        ("Byte-level T5: ByT5 (Xue et al. 2022)", "https://arxiv.org/abs/2105.13626"),
    ),
)
