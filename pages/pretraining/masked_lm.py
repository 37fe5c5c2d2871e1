"""After this page a student can say what a masked LM is trained to do and read its answer as a distribution."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core import catalog
from lecture_core.encoder_code import fill_mask_code
from lecture_core.engine import get_engine
from lecture_core.engine.results import FillMaskResult
from lecture_core.ui import inputs, mask_contrast, mask_filling, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember

STEM = "masked_lm"
LECTURE = (
    "Natural language [MASK] (NLP) is an [MASK] subfield of linguistics, computer science, and artificial [MASK] "
    "concerned with the interactions [MASK] computers and human [MASK] ..."
)
LECTURE_ANSWERS = ("processing", "interdisciplinary", "intelligence", "between", "language")
EXAMPLES = {  # title: text, guesses at its first mask
    "The lecture's sentence": (LECTURE, ("processing", "language", "science")),
    "At the doctor's": ("She went to the [MASK] to see the doctor.", ("hospital", "school", "bathroom")),
    "Capital": ("The capital of France is [MASK].", ("paris", "london", "europe")),
    "Both sides": ("The [MASK] barked at the mailman.", ("dog", "cat", "neighbour")),
    "Two senses": ("He deposited the money in the [MASK].", ("bank", "river", "safe")),
}
PRESETS = {title: text for title, (text, _) in EXAMPLES.items()}
GUESSES = dict(EXAMPLES.values())
DEEPER = (
    ("BERT (Devlin et al. 2019)", "https://arxiv.org/abs/1810.04805"),
    ("RoBERTa (Liu et al. 2019)", "https://arxiv.org/abs/1907.11692"),
    ("Inside a transformer: Transformer Explainer", "https://poloclub.github.io/transformer-explainer/"),
)


def try_it() -> tuple[str, str]:
    """Ask for text and model."""
    left, right = st.columns([3, 1], gap="large")
    with left:
        label = "Your sentence, with [MASK] or ___ where a word is missing"
        text = inputs.text(STEM, "text", label, LECTURE, presets=PRESETS)
    with right:
        return text, inputs.model(STEM, "masked_lm")


def ask(key: str, text: str, model: str, words: list[str]) -> FillMaskResult:
    """Run a model once for a text; other words need a new run, other temperatures do not."""
    asked = (*LECTURE_ANSWERS, *words) if text == LECTURE else tuple(words)
    engine = get_engine()
    return remember(key, (text, model, asked), lambda: engine.fill_mask(text, model=model, top_k=6, candidates=asked))


def one_mask(key: str, title: str, result: FillMaskResult, index: int, words: list[str], temperature: float) -> None:
    """Show one mask's candidates, the lecture's answer and the visitor's words among them, and where they come from."""
    asked = result.masks[index].asked
    named = list(zip(words, asked[len(asked) - len(words) :], strict=True))
    if len(asked) > len(words):  # the lecture's answers come first
        named = [(LECTURE_ANSWERS[index], asked[index]), *named]
    mask_filling.candidates(key, title, result.masks[index], named, temperature)
    results.caption(result.provenance)


def bars(text: str, result: FillMaskResult, model: str, index: int, words: list[str], temperature: float) -> None:
    """Show the selected mask, and beside it what another model puts there, and the lecture's table."""
    above = st.container()
    mask_filling.one_after_another(STEM, result, model)
    other = mask_filling.other_model(STEM, model)
    answer = f" · the lecture's answer: {LECTURE_ANSWERS[index]}" if text == LECTURE else ""
    left, right = above.columns(2, gap="large")
    with left:
        one_mask(STEM, f"**Mask {index + 1} of {len(result.masks)}**{answer}", result, index, words, temperature)
        mask_filling.reveal(STEM, text, GUESSES, result.masks[0], temperature)
    with right:
        if other:
            with user_errors():
                found = ask(f"{STEM}_other", text, other, words)
                one_mask(f"{STEM}_other", f"**{other}**", found, index, words, temperature)
        mask_filling.roberta(STEM)


@st.fragment
def lab(place_of_code: DeltaGenerator, text: str, model: str) -> None:
    """Strip and bars; the temperature redraws stored logits without the model, and nothing else of the page."""
    if (st.session_state[f"{STEM}_text"] or "") != text:
        st.rerun()  # a click on the strip wrote another text, and the whole page is about it
    above = st.container()
    words, temperature = mask_filling.words_and_temperature(STEM)
    code = "# The code comes with a result."
    with above, user_errors():
        mask_filling.unmasked(STEM, text, model)
        result = ask(STEM, text, model, words)
        code = fill_mask_code(catalog.get(model), result.text, temperature)
        index = mask_filling.strip(STEM, result, model, temperature, words, LECTURE_ANSWERS if text == LECTURE else ())
        st.caption(
            "Under each mask: the model's first choice. Click a mask to see the rest, click it again to put its word "
            "back. Click a word to hide it, drag a word onto a mask to ask for it there."
        )
        bars(text, result, model, index, words, temperature)
    page.show_code(place_of_code, code)


page.header(STEM)
asked = inputs.current(f"{STEM}_text", LECTURE)
page.new_question(STEM, asked)
mask_filling.predict(STEM, asked, GUESSES)
tried, further = st.container(), st.container()
page.notice(
    "The answer is a distribution over the whole vocabulary, not one word.",
    "Words on **both** sides of a mask change it: hide a neighbour and see which ones matter.",
    "A small model knows grammar before facts: compare “between” with a capital city.",
)
place = page.footer(STEM, code="", deeper=DEEPER)
with tried:
    lab(place, *try_it())
with further:
    mask_contrast.further_views(STEM, LECTURE, LECTURE_ANSWERS)
