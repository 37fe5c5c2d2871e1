"""After this page a student can say what a masked LM is trained to do and read its answer as a distribution."""

import streamlit as st

from lecture_core.engine import get_engine
from lecture_core.engine.protocol import TEMPERATURES, Candidate, FillMaskResult, MaskPrediction
from lecture_core.text_input import hide
from lecture_core.ui import inputs, page, results
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
    "Both sides count": "The [MASK] barked at the mailman.",
    "Ambiguous": "He deposited the money in the [MASK].",
}
FATES = {"untouched": "none", "masked": "masked", "random": "random", "kept": "kept"}
CODE = """import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

folder = "assets/models/{model}"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
text = {text!r}
batch = tokenizer(text, return_tensors="pt")
with torch.inference_mode():
    logits = model(**batch).logits[0]
for position in (batch.input_ids[0] == tokenizer.mask_token_id).nonzero()[:, 0]:
    best = (logits[position] / {temperature}).softmax(-1).topk(5)
    print([(tokenizer.decode(i), round(p.item(), 3)) for i, p in zip(best.indices, best.values)])
"""


def try_it() -> tuple[str, str]:
    """Ask for text and model; a click on a token of the strip has hidden it before."""
    hidden = st.session_state.pop(f"{STEM}_hide", None)
    if hidden is not None:
        st.session_state[f"{STEM}_text"] = hidden
    left, right = st.columns([3, 1], gap="large")
    with left:
        label = "Your sentence, with [MASK] or ___ where a word is missing"
        text = inputs.text(STEM, "text", label, LECTURE, presets=PRESETS)
    with right:
        return text, inputs.model(STEM, "masked_lm")


def ask(text: str, model: str) -> tuple[FillMaskResult, list[str]]:
    """Run the model once for a text; asked words need a new run, temperatures do not."""
    words = [w.strip() for w in st.session_state.get(f"{STEM}_asked", "").split(",") if w.strip()][:5]
    asked = [*LECTURE_ANSWERS, *words] if text == LECTURE else words
    result = remember(
        STEM, (text, model, tuple(asked)), lambda: get_engine().fill_mask(text, model=model, top_k=6, candidates=asked)
    )
    return result, words


def strip(result: FillMaskResult, model: str, temperature: float) -> int:
    """Show the tokens with the first choice under each mask; a click hides a word or selects a mask, which is returned."""
    tokens = get_engine().tokenise(result.text, model=model)
    order = {m.position: i for i, m in enumerate(result.masks)}
    chosen = min(st.session_state.get(f"{STEM}_mask", 0), len(result.masks) - 1)
    chips = []
    for i, (text, starts, special) in enumerate(zip(tokens.tokens, tokens.starts_word, tokens.special, strict=True)):
        if i in order:
            mask = result.masks[order[i]]
            best = mask.candidates[0]
            label = f"{best.token} {results.percent(mask.probability(best, temperature))}"
            chips.append(results.StripToken(text, label=label, mark="selected" if order[i] == chosen else "masked"))
        else:
            chips.append(results.StripToken(text, starts_word=starts, special=special))
    clicked = results.token_strip(f"{STEM}_strip", chips, clickable=True)
    if clicked in order:
        st.session_state[f"{STEM}_mask"] = order[clicked]
        st.rerun(scope="fragment")
    if clicked is not None and not chips[clicked].special:
        st.session_state[f"{STEM}_hide"] = hide(result.text, tokens.spans[clicked])
        st.rerun()
    return chosen


def one_mask(index: int, mask: MaskPrediction, text: str, words: list[str], temperature: float) -> None:
    """Show one mask's candidates, the lecture's answer and the visitor's words."""
    names, found = list(words), list(mask.asked)
    if text == LECTURE:
        names, found = [LECTURE_ANSWERS[index], *words], [mask.asked[index], *mask.asked[len(LECTURE_ANSWERS) :]]
    answer = f" · the lecture's answer: {LECTURE_ANSWERS[index]}" if text == LECTURE else ""
    st.markdown(f"**Mask {index + 1}**{answer}")
    known = [(c.token, mask.probability(c, temperature), c.rank) for c in found if isinstance(c, Candidate)]
    rows = [(c.token, mask.probability(c, temperature)) for c in mask.candidates]
    results.candidate_bars(f"{STEM}_bars", rows, asked=known)
    for name, candidate in zip(names, found, strict=True):
        if candidate is None:
            st.text(f"“{name}” is not one token of this model.")


@st.fragment
def try_and_see() -> None:
    """Input, strip and bars; the temperature redraws stored logits without the model."""
    text, model = try_it()
    with user_errors():
        result, words = ask(text, model)
        chosen = strip(result, model, st.session_state.get(f"{STEM}_temperature", 1.0))
        st.caption("Under each mask: the model's first choice. Click a mask to see the rest, click a word to hide it.")
        left, right = st.columns([3, 2], gap="large")
        with left:
            one_mask(chosen, result.masks[chosen], text, words, st.session_state.get(f"{STEM}_temperature", 1.0))
            results.caption(result.provenance)
            asked, heat = st.columns(2)
            asked.text_input(
                "Ask for words", key=f"{STEM}_asked", placeholder="hospital, school", bind="query-params", max_chars=80
            )
            heat.select_slider("Temperature", TEMPERATURES, 1.0, key=f"{STEM}_temperature", bind="query-params")
            page.reveal(STEM, result.masks[0].candidates[0].token, "That is the model's first choice at mask 1.")
        with right:
            lecture_table("roberta", key=STEM)
    recipe(text.replace("[MASK]", " ").replace("___", " "), model)


@st.fragment
def recipe(text: str, model: str) -> None:
    """Apply BERT's masking recipe to the visitor's text, mask tokens removed."""
    st.subheader("How the training text is made", anchor=False)
    st.markdown(
        "BERT chooses 15 % of the tokens. Of these, 80 % become [MASK], 10 % a random token and 10 % stay. "
        "Only the chosen ones carry loss."
    )
    left, right = st.columns(2)
    share = left.slider("Share of tokens chosen", 0.05, 0.6, 0.15, 0.05, key=f"{STEM}_share", bind="query-params")
    with right:
        seed = inputs.seed(STEM, default=7)
    with user_errors():
        tokens = get_engine().masking_recipe(text, model=model, mask_probability=share, seed=seed)
        chips = [
            results.StripToken(
                t.seen,
                mark=FATES[t.fate],
                label="" if t.fate == "untouched" else f"{t.fate}: {t.original}",
                starts_word=t.starts_word,
                special=t.special,
            )
            for t in tokens
        ]
        results.token_strip(f"{STEM}_recipe", chips)
        real = [t for t in tokens if not t.special]
        chosen = [t for t in real if t.fate != "untouched"]
        st.caption(f"{len(chosen)} of {len(real)} tokens carry loss. Another seed chooses others.")


page.header(STEM)
page.predict(STEM, "Which word does the model expect at the first mask?", ("processing", "learning", "science"))
try_and_see()
page.notice(
    "The answer is a distribution over the whole vocabulary, not one word.",
    "Words on **both** sides of a mask change it; move the mask and see which neighbours matter.",
    "A small model knows grammar before facts: compare “between” with a capital city.",
)
page.footer(
    STEM,
    code=CODE.format(
        model=st.session_state.get(f"{STEM}_model", "minilm-mlm"),
        text=st.session_state.get(f"{STEM}_text", LECTURE),
        temperature=st.session_state.get(f"{STEM}_temperature", 1.0),
    ),
    deeper=(
        ("BERT (Devlin et al. 2019)", "https://arxiv.org/abs/1810.04805"),
        ("RoBERTa (Liu et al. 2019)", "https://arxiv.org/abs/1907.11692"),
        ("Inside a transformer: Transformer Explainer", "https://poloclub.github.io/transformer-explainer/"),
    ),
)
