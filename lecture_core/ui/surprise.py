"""Drawing how surprised a causal LM is: every token with its rank and probability, bits in all, the peaks by name."""

import math

import streamlit as st

from lecture_core.engine import get_engine
from lecture_core.engine.results import TokenLogprob
from lecture_core.surprise import Surprise, surprise
from lecture_core.text_input import checked
from lecture_core.ui import beside, inputs, results
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember

PASSAGE = "The cat sat on the moon and drank its milk."
PASSAGES = {
    "A cat on the moon": PASSAGE,
    "A date that everybody knows": "The First World War began in 1914 and ended in 1918.",
    "The same, with an error": "The First World War began in 1914 and ended in 1981.",
    "Words in another order": "Moon the on sat cat the milk its drank and.",
    "Again and again": "A rose is a rose is a rose is a rose is a rose.",
}
MOST = 2000  # characters of a passage
SHADES = ((1, 0.0), (10, 0.14), (100, 0.28), (math.inf, 0.45))
"""Highest rank and how much colour, up to that rank."""
_MEANING = (
    "A token's surprise is −log₂ of its probability. Averaged over all tokens after the first it is the training loss, "
    "in bits; perplexity is 2 to that power: a guess is as hard as among so many equally likely tokens."
)
_COMPARED = (
    "Where two models cut the text into different tokens, compare the bits in all: bits a token and perplexity depend "
    "on the tokens. The first token of each is not counted."
)


def passage(stem: str, model: str) -> None:
    """Ask for a text and show which of its tokens the model did not expect."""
    text = inputs.text(stem, "passage", "A text to read", PASSAGE, presets=PASSAGES, height=80)
    with user_errors():
        checked(text, limit=MOST)
        _read(f"{stem}_passage", text, model)
        st.caption(_MEANING)
        other = beside.another(stem, model)
        if other:
            st.caption(_COMPARED)
            with user_errors():
                _read(f"{stem}_passage_other", text, other)


def _read(key: str, text: str, model: str) -> None:
    """Show each token's surprise for one model, its numbers and its peaks."""
    found = remember(key, (text, model), lambda: get_engine().token_logprobs(text, model=model))
    tokens = get_engine().tokenise(text, model=model)
    measured = surprise(found)
    first = results.StripToken(found.tokens[0].token, label="no context", special=True)
    rest = zip(measured.tokens, measured.bits, tokens.starts_word[1:], strict=True)
    results.token_strip(f"{key}_strip", [first, *(_chip(*row) for row in rest)], family="decoder")
    st.caption("No colour: the first choice. The darker, the further down the ranking: to 10, to 100, beyond.")
    _numbers(measured)
    _peaks(measured)
    results.caption(found.provenance)


def _chip(token: TokenLogprob, bits: float, starts_word: bool) -> results.StripToken:
    probability = results.percent(math.exp(token.logprob))
    return results.StripToken(
        token.token,
        label=f"{bits:.1f} bits · rank {token.rank:,}",
        starts_word=starts_word,
        aria=f"{token.token}, rank {token.rank:,}, probability {probability}, {bits:.1f} bits",
        shade=next(shade for most, shade in SHADES if token.rank <= most),
    )


def _numbers(measured: Surprise) -> None:
    one, two, three = st.columns(3)
    one.metric("In all", f"{measured.total:.1f} bits")
    two.metric("A token", f"{measured.per_token:.2f} bits")
    three.metric("Perplexity", f"{measured.perplexity:,.1f}")


def _peaks(measured: Surprise) -> None:
    rows = [_peak(measured.tokens[i], measured.bits[i]) for i in measured.peaks()]
    if rows:
        st.markdown("Most surprising: " + "; ".join(rows) + ". The first tokens have little before them.")


def _peak(token: TokenLogprob, bits: float) -> str:
    expected = token.alternatives[0]
    return (
        f"**{escape_markdown(token.token.strip() or '␣')}**, {bits:.1f} bits, rank {token.rank:,} "
        f"(first choice “{escape_markdown(expected.token.strip() or '␣')}”, {results.percent(expected.probability)})"
    )
