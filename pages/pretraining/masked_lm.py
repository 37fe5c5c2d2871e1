"""After this page a student can say what a masked LM is trained to do and read its answer as a distribution."""

import streamlit as st

from lecture_core import catalog
from lecture_core.encoder_code import fill_mask_code
from lecture_core.engine import get_engine
from lecture_core.engine.results import TEMPERATURES, FillMaskResult
from lecture_core.ui import inputs, mask_contrast, mask_filling, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember
from lecture_core.ui.tables import lecture_table

STEM = "masked_lm"
LECTURE = (
    "Natural language [MASK] (NLP) is an [MASK] subfield of linguistics, computer science, and artificial [MASK] "
    "concerned with the interactions [MASK] computers and human [MASK]"
)
LECTURE_ANSWERS = ("processing", "interdisciplinary", "intelligence", "between", "language")
PRESETS = {
    "The lecture's sentence": LECTURE,
    "At the doctor's": "She went to the [MASK] to see the doctor.",
    "Capital": "The capital of France is [MASK].",
    "Both sides": "The [MASK] barked at the mailman.",
    "Two senses": "He deposited the money in the [MASK].",
}


def try_it() -> tuple[str, str]:
    """Ask for text and model."""
    left, right = st.columns([3, 1], gap="large")
    with left:
        label = "Your sentence, with [MASK] or ___ where a word is missing"
        text = inputs.text(STEM, "text", label, LECTURE, presets=PRESETS)
    with right:
        return text, inputs.model(STEM, "masked_lm")


def ask(text: str, model: str, words: list[str]) -> FillMaskResult:
    """Run the model once for a text; other words need a new run, other temperatures do not."""
    asked = (*LECTURE_ANSWERS, *words) if text == LECTURE else tuple(words)
    engine = get_engine()
    return remember(STEM, (text, model, asked), lambda: engine.fill_mask(text, model=model, top_k=6, candidates=asked))


def one_mask(result: FillMaskResult, index: int, text: str, words: list[str], temperature: float) -> None:
    """Show the selected mask beside the lecture's answer and the visitor's words."""
    mask, title = result.masks[index], f"**Mask {index + 1} of {len(result.masks)}**"
    if text == LECTURE:
        answer, found = LECTURE_ANSWERS[index], mask.asked[len(LECTURE_ANSWERS) :]
        asked = [(answer, mask.asked[index]), *zip(words, found, strict=True)]
        title += f" · the lecture's answer: {answer}"
    else:
        asked = list(zip(words, mask.asked, strict=True))
    mask_filling.candidates(STEM, title, mask, asked, temperature)


def words_and_temperature() -> tuple[list[str], float]:
    """Ask which words to look for, and for the temperature."""
    left, right = st.columns(2)
    hint = "hospital, school"
    words = left.text_input("Ask for words", key=f"{STEM}_asked", placeholder=hint, bind="query-params", max_chars=80)
    heat = right.select_slider("Temperature", TEMPERATURES, 1.0, key=f"{STEM}_temperature", bind="query-params")
    return mask_filling.own_words(words or ""), heat


@st.fragment
def lab() -> None:
    """Input, strip and bars; the temperature redraws stored logits without the model."""
    text, model = try_it()
    above = st.container()
    words, temperature = words_and_temperature()
    with above, user_errors():
        result = ask(text, model, words)
        index = mask_filling.strip(STEM, result, model, temperature, words)
        st.caption(
            "Under each mask: the model's first choice. Click a mask to see the rest, click a word to hide it, "
            "drag a word onto a mask to ask for it there."
        )
        left, right = st.columns([3, 2], gap="large")
        with left:
            one_mask(result, index, text, words, temperature)
            mask_filling.one_after_another(STEM, result, model)
            mask_filling.beside(STEM, text, model, index, temperature)
            results.caption(result.provenance)
            page.reveal(STEM, result.masks[0].candidates[0].token, "That is the model's first choice at mask 1.")
        with right:
            lecture_table("roberta", key=STEM, columns=("model", "setting", "mnli_m", "sst2"))


page.header(STEM)
page.predict(STEM, "Which word does the model expect at the first mask?", ("processing", "learning", "science"))
lab()
mask_contrast.further_views(STEM, LECTURE)
page.notice(
    "The answer is a distribution over the whole vocabulary, not one word.",
    "Words on **both** sides of a mask change it: hide a neighbour and see which ones matter.",
    "A small model knows grammar before facts: compare “between” with a capital city.",
)
page.footer(
    STEM,
    code=fill_mask_code(
        catalog.get(st.session_state.get(f"{STEM}_model", "minilm-mlm")),
        st.session_state.get(f"{STEM}_text", LECTURE).replace("___", "[MASK]"),
        st.session_state.get(f"{STEM}_temperature", 1.0),
    ),
    deeper=(
        ("BERT (Devlin et al. 2019)", "https://arxiv.org/abs/1810.04805"),
        ("RoBERTa (Liu et al. 2019)", "https://arxiv.org/abs/1907.11692"),
        ("Inside a transformer: Transformer Explainer", "https://poloclub.github.io/transformer-explainer/"),
    ),
)
