"""After this page a student can read a language model as a distribution over the next token, and draw from it."""

from collections.abc import Callable

import streamlit as st

from lecture_core.sampling_code import next_token_code
from lecture_core.ui import generations, inputs, next_token, page, samples, surprise, tree
from lecture_core.ui.errors import user_errors

STEM = "next_token"
MODEL = "smollm2-135m-instruct"
TEXT = "The students opened their"
PRESETS = {
    "The classic": TEXT,
    "The slide's news": samples.SLIDE_PROMPT,
    "A capital": "The capital of France is",
    "A question": "Question: How many legs does a spider have?\nAnswer:",
    "A translation": "English: cat. French: chat. English: dog. French:",
}
SURE = ("below 10 %", "10 to 50 %", "above 50 %")
VIEWS: tuple[str, ...] = ("Next token", "Tree", "Surprise", "Let it write", "GPT to GPT-3")


def how_sure(probability: float) -> str:
    """Return the answer to the guess."""
    return SURE[(probability >= 0.1) + (probability > 0.5)]


def one_step(text: str, model: str) -> None:
    """The distribution, and the guess against it."""
    found = next_token.step(STEM, text, model)
    if found is not None and text == TEXT and not next_token.written(STEM, text):
        best = found.candidates[0]
        page.reveal(STEM, how_sure(best.probability), "Many words fit; the rest is spread over thousands of tokens.")


def grown(text: str, model: str) -> None:
    """The tree after the text and the path."""
    tree.tree(STEM, text + next_token.written(STEM, text), model)


def lab() -> list[Callable[[], None]]:
    """One text, five views of what follows; only the open one runs. Returns what is left to do, last of all.

    No fragment: a click inside a running fragment waits for its end, so Stop could not stop the writing.
    """
    left, right = st.columns([3, 1], gap="large")
    with left:
        text = inputs.text(STEM, "text", "Your text", TEXT, presets=PRESETS, max_chars=2000, height=70)
    with right:
        model = inputs.model(STEM, "causal_lm")
    later: list[Callable[[], None]] = []
    draws: tuple[Callable[[], None], ...] = (
        lambda: one_step(text, model),
        lambda: grown(text, model),
        lambda: surprise.passage(STEM, model),
        lambda: later.append(samples.samples(STEM, text, model)),
        lambda: generations.three_generations(STEM),
    )
    tabs = st.tabs(VIEWS, key=f"{STEM}_view", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, draws, strict=True):
        if tab.open:
            with tab, user_errors():
                draw()
    return later


page.header(STEM)
page.predict(STEM, "How probable is the model's first choice after “The students opened their”?", SURE)
rest = lab()
page.notice(
    "A language model answers with a distribution over its whole vocabulary; a text is one way through it.",
    "Temperature changes how unequal the probabilities are, never their order; top-k and top-p cut the tail.",
    "The first choice at each step need not lead to the most probable text: compare the two paths in the tree.",
)
prompt = st.session_state.get(f"{STEM}_text", TEXT)
page.footer(
    STEM,
    code=next_token_code(
        st.session_state.get(f"{STEM}_model", MODEL),
        prompt + st.session_state.get(f"{STEM}_written", ""),
        next_token.truncation(STEM),
    ),
    deeper=(
        ("GPT-2 (Radford et al. 2019)", "https://openai.com/index/better-language-models/"),
        ("GPT-3 (Brown et al. 2020)", "https://arxiv.org/abs/2005.14165"),
        ("Top-p: The curious case of neural text degeneration", "https://arxiv.org/abs/1904.09751"),
        ("Inside a transformer: Transformer Explainer", "https://poloclub.github.io/transformer-explainer/"),
    ),
)

for write in rest:  # last, so that the page stands while the model writes
    write()
