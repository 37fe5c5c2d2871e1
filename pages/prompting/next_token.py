"""After this page a student can read a language model as a distribution over the next token, and draw from it."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.sampling_code import next_token_code
from lecture_core.text_input import checked
from lecture_core.ui import generations, inputs, next_token, page, samples, surprise, tree
from lecture_core.ui.errors import user_errors

STEM = "next_token"
TEXT = "The students opened their"
PRESETS = {
    "The classic": TEXT,
    "The slide's news": samples.SLIDE_PROMPT,
    "A capital": "The capital of France is",
    "A question": "Question: How many legs does a spider have?\nAnswer:",
    "A translation": "English: cat. French: chat. English: dog. French:",
}
QUESTION = "At temperature 0.5 instead of 1, how probable will the first choice be?"
MOST = 2000  # characters of a text
VIEWS: tuple[str, ...] = ("Next token", "Tree", "Surprise", "Let it write", "GPT to GPT-3")


def code(text: str, model: str) -> str:
    """The code of what is shown."""
    return next_token_code(model, text + next_token.written(STEM, text), next_token.truncation(STEM))


@st.fragment
def one_step(text: str, model: str, place: DeltaGenerator, verdict: DeltaGenerator) -> None:
    """The distribution, and the guess against it; a slider redraws this part only."""
    found = None
    with user_errors():
        found = next_token.step(STEM, checked(text, limit=MOST), model)
    with verdict.container():  # written in each full run, or the fragment may not write there
        if found is not None:
            page.reveal(STEM, next_token.cooled(found), "Temperature divides the logits: below 1 the first gains.")
    page.show_code(place, code(text, model))


@st.fragment
def grown(text: str, model: str, place: DeltaGenerator) -> None:
    """The tree after the text and the path."""
    with user_errors():
        tree.tree(STEM, checked(text, limit=MOST), model)
    page.show_code(place, code(text, model))


@st.fragment
def read(model: str) -> None:
    """Another text, and what surprises the model in it."""
    surprise.passage(STEM, model)


@st.fragment
def sizes() -> None:
    """The published sizes."""
    generations.three_generations(STEM)


def views(text: str, model: str, place: DeltaGenerator, verdict: DeltaGenerator) -> list[Callable[[], None]]:
    """Five views of what follows a text; only the open one runs. Returns what is left to do, last of all.

    Each is a fragment but the writing: a click inside a running fragment waits for its end, so Stop could not stop it.
    """
    later: list[Callable[[], None]] = []
    draws: tuple[Callable[[], None], ...] = (
        lambda: one_step(text, model, place, verdict),
        lambda: grown(text, model, place),
        lambda: read(model),
        lambda: later.append(samples.samples(STEM, text, model)),
        sizes,
    )
    tabs = st.tabs(VIEWS, key=f"{STEM}_view", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, draws, strict=True):
        if tab.open:
            with tab, user_errors():
                draw()
    return later


page.header(STEM)
guess = st.container()
told = st.empty()
left, right = st.columns([2, 1], gap="large")
with left:
    prompt = inputs.text(STEM, "text", "Your text", TEXT, presets=PRESETS, height=70)
with right:
    chosen = inputs.model(STEM, "causal_lm")
page.new_question(STEM, (prompt, chosen))
lab = st.container()
page.notice(
    "A language model answers with a distribution over its whole vocabulary; a text is one way through it.",
    "Temperature changes how unequal the probabilities are, never their order; top-k and top-p cut the tail.",
    "The first choice at each step need not lead to the most probable text: compare the two paths in the tree.",
)
drawer = page.footer(
    STEM,
    code=code(prompt, chosen),
    deeper=(
        ("GPT-2 (Radford et al. 2019)", "https://openai.com/index/better-language-models/"),
        ("GPT-3 (Brown et al. 2020)", "https://arxiv.org/abs/2005.14165"),
        ("Top-p: The curious case of neural text degeneration", "https://arxiv.org/abs/1904.09751"),
        ("Inside a transformer: Transformer Explainer", "https://poloclub.github.io/transformer-explainer/"),
    ),
)
with lab:
    rest = views(prompt, chosen, drawer, told)
if st.session_state[f"{STEM}_view"] == VIEWS[0]:  # the other views do not answer it
    with guess:
        page.predict(STEM, QUESTION, next_token.COOLED)
for write in rest:  # last, so that the page stands while the model writes
    write()
