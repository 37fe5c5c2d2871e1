"""Drawing one sentence under a pre-training objective: strings, tokens, loss, predictions, attention."""

import math
from collections.abc import Mapping

import streamlit as st

from lecture_core.figures.attention import attention_grid
from lecture_core.hidden_text import HiddenText
from lecture_core.objectives import SENTINELS, START, Objective, ObjectiveToken, most, need_a_span, t5_strings
from lecture_core.ui import page, results
from lecture_core.ui.errors import escape_markdown

LINK = "three_objectives"
_READING = {
    "encoder": "Row: the token that looks. Column: what it may look at.",
    "decoder": "Row: the token that looks; there the model predicts the next one. Column: what it may look at.",
    "text_to_text": f"The decoder reads its target one place later: at {START} it predicts the first token.",
}


def word_strip(key: str, text: HiddenText, *, into: str) -> None:
    """Show the words of the text, hidden ones striped; a click on a word turns it over in the state under `into`."""

    def turn(index: int) -> None:
        st.session_state[into] = text.toggled(index).marked()

    chips = [
        results.StripToken(
            text.plain[start:end],
            mark="masked" if i in text.hidden else "none",
            starts_word=i == 0 or text.words[i - 1][1] < start,
            words=(i,),
        )
        for i, (start, end) in enumerate(text.words)
    ]
    results.token_strip(key, chips, linked=LINK, on_click=turn)


def panel(key: str, objective: Objective, *, limits: str) -> None:
    """Show what goes in, what must come out, what the model says, and who sees whom.

    Args:
        limits: what this form can and cannot do; our own Markdown.
    """
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown("**Goes in**")
        results.token_strip(f"{key}_inputs", _inputs(objective), family=objective.family, linked=LINK)
        st.markdown("**Must come out** · bar: the probability that the model gives it")
        results.token_strip(f"{key}_targets", _targets(objective), family=objective.family, linked=LINK)
        st.markdown(f"{_share(objective)} · average loss here {_loss(objective):.2f} nats. {limits}")
        results.caption(objective.provenance)
    with right:
        for title, grid in objective.attention.items():
            st.caption(escape_markdown(title))
            st.html(attention_grid(grid.allowed, grid.rows, grid.columns, title=title, family=objective.family))
        st.caption(_READING[objective.family])


def _share(objective: Objective) -> str:
    """How many positions carry loss, of those that could; for T5 also how much of the text that is."""
    carry, total = objective.loss_positions, objective.positions
    if objective.family != "text_to_text":
        return f"**{carry} of {total} positions carry loss** ({carry / total:.0%})"
    hidden, own = objective.hidden_tokens, objective.text_tokens
    return (
        f"**{carry} of {total} positions carry loss** ({carry / total:.0%} of the target, sentinels and end with it); "
        f"it holds {hidden} of the text's {own} tokens ({hidden / own:.0%})"
    )


def unknown(text: HiddenText, objective: Objective) -> None:
    """Say which words the vocabulary does not know, if any: all of them become one and the same token."""
    words = [text.plain[slice(*text.words[i])] for i in objective.unknown_words]
    if words:
        said = escape_markdown(", ".join(dict.fromkeys(words)))
        st.caption(f"This vocabulary does not know {said}: all such words become one and the same token.")


def span_strings(text: HiddenText) -> str:
    """Show T5's input and target for a text, which no model is needed for; return the input.

    Raises:
        InvalidInputError: nothing is hidden, or more runs than there are sentinels.
    """
    need_a_span(text)
    (source, target), _ = t5_strings(text)
    left, right = st.columns(2)
    with left:
        results.model_text(source, label="The input: each run of hidden words is one sentinel")
    with right:
        results.model_text(target, label="The target: what each sentinel hides")
    return source


def answer(stem: str, positions: Mapping[str, int | None]) -> None:
    """Compare the guess with the form that learns from the most positions here; wait until all three have a count.

    Args:
        positions: the loss positions of each form, by the name that the guess gives it; None where it failed.
    """
    counts = {form: n for form, n in positions.items() if n is not None}
    if len(counts) == len(positions):
        said = ", ".join(f"{form} {n}" for form, n in counts.items())
        page.reveal(stem, most(counts), f"Positions with loss: {said}. T5's include its sentinels and the end.")


def strings(objective: Objective) -> None:
    """Show the actual input and target strings, letter by letter."""
    results.model_text(objective.input_text, label="Input string")
    results.model_text(objective.target_text, label="Target string")


def _loss(objective: Objective) -> float:
    found = [t.predicted.logprob for t in objective.targets if t.predicted is not None]
    return -sum(found) / len(found)


def _inputs(objective: Objective) -> list[results.StripToken]:
    stand_ins = _stand_ins(objective)
    return [
        results.StripToken(
            t.text,
            mark="masked" if i in stand_ins else "none",
            starts_word=t.starts_word,
            special=t.special and i not in stand_ins,
            words=t.words,
        )
        for i, t in enumerate(objective.inputs)
    ]


def _stand_ins(objective: Objective) -> set[int]:
    """Positions of the input where a mask token or a sentinel stands for words."""
    if objective.family == "encoder":
        return {i for i, t in enumerate(objective.targets) if t.loss}
    return {i for i, t in enumerate(objective.inputs) if t.text in SENTINELS}


def _targets(objective: Objective) -> list[results.StripToken]:
    return [_target(token) for token in objective.targets if token.loss or objective.family != "encoder"]


def _target(token: ObjectiveToken) -> results.StripToken:
    found = token.predicted
    if found is None:
        return results.StripToken(token.text, starts_word=token.starts_word, special=token.special, words=token.words)
    first = found.alternatives[0]
    share = results.percent(first.probability).replace(" ", "\u00a0")  # the sign stays on its number's line
    label = "first choice" if found.rank == 1 else f"first: “{first.token}” {share}"
    return results.StripToken(
        token.text,
        value=math.exp(found.logprob),
        label=label,
        starts_word=token.starts_word,
        words=token.words,
        aria=f"{token.text}, rank {found.rank}",
    )
