"""Drawing what a masked LM prefers: two sentences against each other, and the surprise of each token of one."""

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from lecture_core import catalog
from lecture_core.contrast import Difference, differences
from lecture_core.engine import get_engine
from lecture_core.engine.results import TokenLogprob, VocabularyAtMask
from lecture_core.figures.contrast import contrast
from lecture_core.panel_code import contrast_code, surprise_code
from lecture_core.text_input import checked, completed, with_mask_token, without_masks
from lecture_core.ui import mask_link, masking_recipe, page, results
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember

PAIRS: Mapping[str, tuple[str, str]] = {
    "Two places": ("In New York they like to buy [MASK].", "In Texas they like to buy [MASK]."),
    "Two jobs": ("The nurse said that [MASK] was tired.", "The engineer said that [MASK] was tired."),
    "Two seasons": ("In winter the children play with [MASK].", "In summer the children play with [MASK]."),
}
_DEFAULT = PAIRS["Two places"]
LONGEST = 400  # characters of a sentence
_LABELLED = 4  # words a side that the chart names; more would cover each other
_PARTS = ("at the beginning", "in the middle", "at the end")
_COMPLETE = "The cat sat on the moon and drank its milk."


@st.fragment
def further_views(stem: str, default: str, answers: Sequence[str] = ()) -> None:
    """Show the three views beside the lab: the masking recipe, a pair of sentences, surprise. Only the open one runs.

    Args:
        default: the lab's text where the visitor wrote none.
        answers: the words behind the masks of `default`.
    """
    model = st.session_state.get(f"{stem}_model", "minilm-mlm")
    names = ("How the training text is made", "Two sentences against each other", "Surprise of every token")
    recipe, two, each = st.tabs(names, key=f"{stem}_view", on_change="rerun", bind="query-params")
    if recipe.open:
        text = st.session_state.get(f"{stem}_text", default)
        hidden = mask_link.hidden_words(stem, text, answers if text == default else ())
        with recipe:
            masking_recipe.masking_recipe(stem, completed(text, hidden), model)
    if two.open:
        with two:
            pair(stem, model)
    if each.open:
        with each:
            surprise(stem, _COMPLETE, model)


@st.fragment
def pair(stem: str, model: str) -> None:
    """Ask for two sentences and show which words set them apart."""
    st.markdown(
        "Change one word of a sentence and see what it does to the **whole vocabulary**. The grey cloud "
        "holds all whole words, the points are the likeliest. On the dotted line a word is equally probable in both "
        "sentences."
    )
    keys = [f"{stem}_first", f"{stem}_second"]
    st.pills(
        "Examples",
        list(PAIRS),
        key=f"{stem}_pair",
        label_visibility="collapsed",
        on_change=_use_example,
        args=(f"{stem}_pair", keys),
        wrap=True,
    )
    labels = ("First sentence, one [MASK]", "Second sentence, one [MASK]")
    texts = [
        column.text_input(label, default, key=key, bind="query-params") or ""
        for column, label, default, key in zip(st.columns(2), labels, _DEFAULT, keys, strict=True)
    ]
    question = "How many of the five likeliest words will both sentences share?"
    page.predict(f"{stem}_contrast", question, ("all five", "some", "none"))
    with user_errors():
        first, second = remember(
            f"{stem}_contrast",
            (*texts, model),
            lambda: [get_engine().vocabulary_at_mask(checked(text, limit=LONGEST), model=model) for text in texts],
        )
        page.reveal(f"{stem}_contrast", _in_common(first, second), "Compare their five likeliest words below.")
        named = differences(first, second)
        sides = [[row for row in named if (row.second > row.first) == later] for later in (False, True)]
        for column, rows, which in zip(st.columns(2), sides, ("first", "second"), strict=True):
            column.markdown(f"**More in the {which}:** {_listed(rows)}")
        labelled = [row for side in sides for row in side[:_LABELLED]]
        alt = f"Words by their probability in both sentences; labelled: {', '.join(row.word for row in labelled)}"
        chart(contrast(first, second, labelled), key=f"{stem}_contrast_chart", alt=alt)
        st.caption(
            "Named are the words that weigh most: probability times log-ratio. What you see are regularities of the "
            "training texts, stereotypes among them, not facts about people: compare “he” and “she” in the two jobs."
        )
        results.caption(second.provenance)
        mask = get_engine().tokenise("word", model=model).mask_token
        spec = catalog.get(model)
        page.panel_code(f"{stem}_contrast", contrast_code(spec, *(with_mask_token(text, mask) for text in texts)))


def _in_common(first: VocabularyAtMask, second: VocabularyAtMask) -> str:
    """How many of the five likeliest words two sentences share, in words."""
    likeliest = [
        {word for _, word in sorted(zip(side.logprobs, side.words, strict=True), reverse=True)[:5]}
        for side in (first, second)
    ]
    return {5: "all five", 0: "none"}.get(len(likeliest[0] & likeliest[1]), "some")


def _use_example(pill: str, keys: Sequence[str]) -> None:
    for key, text in zip(keys, PAIRS.get(st.session_state[pill], ()), strict=False):
        st.session_state[key] = text


def _listed(rows: Sequence[Difference]) -> str:
    """Words with their probability here and there, as one line of our Markdown."""
    return ", ".join(
        f"{escape_markdown(row.word)} ({results.percent(row.first)} | {results.percent(row.second)})" for row in rows
    )


@st.fragment
def surprise(stem: str, text: str, model: str) -> None:
    """Mask each token of a text in turn and show how probable it was."""
    st.markdown(
        "Every token is hidden once, all others stay: how probable was it? A typing error or a fake stands out."
    )
    written = st.text_input("A complete sentence", text, key=f"{stem}_whole", bind="query-params") or ""
    page.predict(f"{stem}_surprise", "Where will the model be most surprised?", _PARTS)
    with user_errors():
        tokens = get_engine().tokenise(without_masks(checked(written, limit=LONGEST)), model=model)
        real = [i for i, special in enumerate(tokens.special) if not special]
        found = remember(
            f"{stem}_surprise",
            (written, model),
            lambda: get_engine().masked_logprobs(written, model=model, positions=real, in_turn=True, top_k=1),
        )
        scored = dict(zip(real, found.tokens, strict=True))
        inside = [i for i, (start, end) in enumerate(tokens.spans) if start < end]  # neither [CLS] nor [SEP]
        chips = [
            _surprise_chip(scored[i], tokens.starts_word[i])
            if i in scored
            else results.StripToken(tokens.tokens[i], label="unknown", starts_word=tokens.starts_word[i], special=True)
            for i in inside
        ]
        results.token_strip(f"{stem}_surprise_strip", chips)
        if unknown := len(set(inside) - set(scored)):
            st.caption(_left_out(unknown))
        least = min(range(len(found.tokens)), key=lambda i: found.tokens[i].logprob)
        part = _PARTS[3 * least // len(found.tokens)]
        page.reveal(f"{stem}_surprise", part, f"By “{escape_markdown(found.tokens[least].token)}”.")
        total = sum(token.logprob for token in found.tokens)
        st.caption(
            f"Pseudo-log-likelihood: {total:.1f} nats in all, {found.mean_nats:.2f} a token. It ranks sentences of "
            "like length; it is no probability of the sentence, since each token saw all the others (Salazar et al. "
            "2020)."
        )
        results.caption(found.provenance)
        page.panel_code(f"{stem}_surprise", surprise_code(catalog.get(model), written))


def _surprise_chip(token: TokenLogprob, starts_word: bool) -> results.StripToken:
    label = "" if token.rank == 1 else f"or “{token.alternatives[0].token}”"
    return results.StripToken(token.token, value=math.exp(token.logprob), label=label, starts_word=starts_word)


def _left_out(unknown: int) -> str:
    if unknown == 1:
        return "1 token is unknown to this model and left out."
    return f"{unknown} tokens are unknown to this model and left out."
