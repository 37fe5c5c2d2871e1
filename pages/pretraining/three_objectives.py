"""After this page a student can say what an encoder, a decoder and an encoder-decoder learn from one sentence."""

from collections.abc import Callable

import streamlit as st

from lecture_core import catalog, hidden_text, objectives
from lecture_core.encoder_code import three_objectives_code
from lecture_core.engine import get_engine
from lecture_core.engine.protocol import Engine
from lecture_core.hidden_text import HiddenText
from lecture_core.objectives import Objective
from lecture_core.text_input import checked
from lecture_core.ui import inputs, objective_panels, page
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember

STEM = "three_objectives"
LONGEST = 600  # characters
CHOICES = ("masked LM", "autoregressive", "T5")
TEXT = "Thank you [for inviting] me to your party [last] week."
PRESETS = {
    "T5's example": TEXT,
    "At the doctor's": "She went to the [hospital] to see the doctor.",
    "The lecture's sentence": "Natural language [processing] is a subfield of artificial [intelligence].",
    "Half of it": "The [cat sat on] the mat [and] looked at [the dog].",
}
ROLES = {"encoder": "masked_lm", "decoder": "causal_lm", "text_to_text": "seq2seq"}
MODELS = {form: catalog.models(role)[0].id for form, role in ROLES.items()}
FORMS: dict[str, tuple[str, Callable[[HiddenText, Engine, str], Objective], str]] = {
    "encoder": (
        "Masked language model · an encoder, as BERT",
        objectives.masked_lm,
        "It sees both sides, so it **can fill** a gap and read well; it **cannot write** on from a text.",
    ),
    "decoder": (
        "Autoregressive language model · a decoder, as GPT",
        objectives.autoregressive,
        "It **can write** on and on; it **cannot use** what comes after a word. Nothing is hidden but the future.",
    ),
    "text_to_text": (
        "Span corruption · an encoder-decoder, as T5",
        objectives.span_corruption,
        "It reads both sides **and** writes; each run of hidden words becomes one sentinel, however long it is.",
    ),
}


def chosen_models() -> dict[str, str]:
    """Ask, in a popover, which model stands for each form."""
    with st.popover("Models", icon=":material/tune:"):
        return {form: inputs.model(f"{STEM}_{form}", role, label=FORMS[form][0]) for form, role in ROLES.items()}


def form_panel(form: str, text: HiddenText, model: str) -> int | None:
    """One form's panel; the number of its positions that carry loss, or None where it failed."""
    title, view, limits = FORMS[form]
    key = f"{STEM}_{form}_panel"
    with st.container(border=True):
        st.subheader(title, anchor=False)
        with user_errors():
            if form == "text_to_text":
                objective_panels.span_strings(text)
            found = remember(key, (text, model), lambda: view(text, get_engine(), model))
            objective_panels.panel(key, found, limits=limits)
            objective_panels.unknown(text, found)
            if form != "text_to_text":
                with st.expander("The actual strings"):
                    objective_panels.strings(found)
            return found.loss_positions
    return None


@st.fragment
def lab() -> None:
    """One text, three panels; each panel may fail alone."""
    label = "Your sentence; words in [brackets] are hidden"
    marked = inputs.text(STEM, "text", label, TEXT, presets=PRESETS, height=70)
    models = chosen_models()
    with user_errors():
        text = hidden_text.read(checked(marked, limit=LONGEST))
        st.caption("Click a word to hide it or to show it. Point at a token: it lights up everywhere.")
        objective_panels.word_strip(f"{STEM}_words", text, into=f"{STEM}_text")
        counts = [form_panel(form, text, models[form]) for form in FORMS]
        objective_panels.answer(STEM, dict(zip(CHOICES, counts, strict=True)))


page.header(STEM)
page.predict(STEM, "Which form learns from the most positions of this sentence?", CHOICES)
lab()
page.notice(
    "The same words, three targets: a masked LM names the hidden word in its place, GPT names the next word at "
    "every place, T5 writes a text of its own.",
    "Hide a word at the end and one in the middle: the decoder does not profit from what follows, the others do.",
    "The grids are the difference between the architectures: all, a staircase, or both.",
)
page.footer(
    STEM,
    code=three_objectives_code(
        *(catalog.get(st.session_state.get(f"{STEM}_{form}_model", MODELS[form])) for form in ROLES),
        text=hidden_text.readable(st.session_state.get(f"{STEM}_text", TEXT), TEXT),
    ),
    deeper=(
        ("T5 (Raffel et al. 2020)", "https://arxiv.org/abs/1910.10683"),
        ("GPT-2 (Radford et al. 2019)", "https://openai.com/index/better-language-models/"),
        ("Inside a transformer: Transformer Explainer", "https://poloclub.github.io/transformer-explainer/"),
    ),
)
