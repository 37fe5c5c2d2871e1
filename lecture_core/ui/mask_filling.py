"""Drawing masked-LM results: the strip with first choices, one mask's candidates, several masks in two ways."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from lecture_core import catalog
from lecture_core.engine import get_engine
from lecture_core.engine.results import (
    TEMPERATURES,
    Candidate,
    FillMaskResult,
    MaskPrediction,
    Tokenised,
)
from lecture_core.loading import availability
from lecture_core.panel_code import in_order_code
from lecture_core.provenance import Provenance
from lecture_core.tables import load_table
from lecture_core.text_input import count_masks, fill, hide
from lecture_core.ui import mask_link, page, results
from lecture_core.ui.errors import escape_markdown
from lecture_core.ui.memory import remember
from lecture_core.ui.tables import below, grid

MAX_WORDS = 5
_SURE = ("more than 50 %", "10 to 50 %", "less than 10 %")
_ROBERTA = ("RoBERTa", "+ more data", "+ longer", "+ even longer", "BERT-large")  # the rows, short enough for a phone
_CLOSING = (".", ",", ";", ":", "!", "?")


def strip(
    stem: str, result: FillMaskResult, model: str, temperature: float, words: Sequence[str], answers: Sequence[str] = ()
) -> int:
    """Show the tokens with the first choice under each mask; return the index of the selected mask.

    A click on a mask selects it, on the selected one puts its word back; a click on a word hides it in `<stem>_text`.
    A word dragged onto a mask selects the mask and comes to those of `<stem>_asked`.

    Args:
        words: the visitor's own, ready to be dragged.
        answers: the word behind each mask where the text came with them.
    """
    tokens = get_engine().tokenise(result.text, model=model)
    text = result.text.replace(tokens.mask_token, "[MASK]")
    known = mask_link.hidden_words(stem, text, answers)
    order = {mask.position: i for i, mask in enumerate(result.masks)}
    chosen = mask_link.selected(stem, len(order))
    chips = [
        _mask_chip(chip.text, result.masks[order[i]], order[i] == chosen, temperature) if i in order else chip
        for i, chip in enumerate(_chips(tokens))
    ]

    def click(index: int) -> None:
        if index not in order:
            before = sum(position < index for position in order)
            hidden = result.text[slice(*tokens.spans[index])].strip()
            written = hide(result.text, tokens.spans[index]).replace(tokens.mask_token, "[MASK]")
            mask_link.write(stem, written, (*known[:before], hidden, *known[before:]), chosen + (before <= chosen))
        elif order[index] != chosen:
            mask_link.select(stem, order[index])
        else:
            first = result.masks[chosen].candidates[0]
            word, joins = known[chosen] or first.token, not known[chosen] and _joins(first, model)
            shown = fill(text, chosen, word, joins=joins)
            mask_link.write(stem, shown, (*known[:chosen], *known[chosen + 1 :]), chosen)

    def drop(index: int, word: str) -> None:
        mask_link.select(stem, order.get(index, chosen))
        if word not in words:
            st.session_state[f"{stem}_asked"] = _with_word(words, word)

    results.token_strip(f"{stem}_strip", chips, on_click=click, on_drop=drop, tray=words)
    pieces = [result.text[a:b].strip() for a, b in tokens.spans]
    if unknown := [piece for piece, special in zip(pieces, tokens.special, strict=True) if special and piece]:
        said = escape_markdown(", ".join(dict.fromkeys(unknown)))
        st.caption(f"This vocabulary does not know {said}: all such words become one and the same token.")
    return chosen


def predict(stem: str, text: str, choices: Mapping[str, Sequence[str]]) -> None:
    """Ask about the first mask: for its word where `choices` has some for the text, else how sure the model will be."""
    if text in choices:
        page.predict(stem, "Which word does the model expect at the first mask?", choices[text])
    else:
        page.predict(stem, "How sure will the model be of its first choice at mask 1?", _SURE)


def reveal(
    stem: str, text: str, choices: Mapping[str, Sequence[str]], mask: MaskPrediction, temperature: float
) -> None:
    """Compare the guess of `predict` with the first choice at mask 1, as probable as the bars say at a temperature."""
    first = mask.candidates[0]
    share = mask.probability(first, temperature)
    if text in choices:
        page.reveal(stem, first.token, "That is the model's first choice at mask 1.")
    else:
        sure = _SURE[0] if share > 0.5 else _SURE[1] if share >= 0.1 else _SURE[2]
        heated = f" at temperature {temperature:g}" if temperature != 1 else ""
        page.reveal(stem, sure, f"It gives “{escape_markdown(first.token)}” {results.percent(share)}{heated}.")


def unmasked(stem: str, text: str, model: str) -> None:
    """Show the tokens of a text that has no mask, where a click on a word hides it; nothing for any other text."""
    mask_link.keep_hidden(stem, text)
    if count_masks(text):
        return
    tokens = get_engine().tokenise(text, model=model)

    def click(index: int) -> None:
        start, end = tokens.spans[index]
        mask_link.write(stem, hide(text, (start, end)), (text[start:end].strip(),), 0)

    results.token_strip(f"{stem}_strip", _chips(tokens), on_click=click)


def _joins(candidate: Candidate, model: str) -> bool:
    """Whether a candidate continues what is before it: a closing sign, or alone it would be another token."""
    if candidate.token in _CLOSING:
        return True
    if not candidate.token.strip() or not candidate.token.isprintable():
        return False
    return candidate.token_id not in get_engine().tokenise(f" {candidate.token}", model=model).ids


def words_and_temperature(stem: str) -> tuple[list[str], float]:
    """Ask which words to look for, and for the temperature."""
    left, right = st.columns(2)
    hint = "hospital, school"
    words = left.text_input("Ask for words", key=f"{stem}_asked", placeholder=hint, bind="query-params")
    if (words or "").count(",") >= MAX_WORDS:
        left.caption(f"Of a longer list the last {MAX_WORDS} words are asked for.")
    heat = right.select_slider("Temperature", TEMPERATURES, 1.0, key=f"{stem}_temperature", bind="query-params")
    return own_words(words or ""), heat


def own_words(text: str) -> list[str]:
    """Return the words of a comma-separated list, the last `MAX_WORDS` of them."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))[-MAX_WORDS:]


def _with_word(words: Sequence[str], word: str) -> str:
    """The visitor's list with one more word; the oldest gives way."""
    return ", ".join(own_words(",".join([*words, word.replace(",", " ")])))


def _chips(tokens: Tokenised) -> list[results.StripToken]:
    rows = zip(tokens.tokens, tokens.starts_word, tokens.special, strict=True)
    return [results.StripToken(text, starts_word=starts, special=special) for text, starts, special in rows]


def _mask_chip(text: str, mask: MaskPrediction, chosen: bool, temperature: float) -> results.StripToken:
    best = mask.candidates[0]
    label = f"{best.token} {results.percent(mask.probability(best, temperature))}"
    return results.StripToken(text, label=label, mark="selected" if chosen else "masked")


def candidates(
    stem: str, title: str, mask: MaskPrediction, asked: Sequence[tuple[str, Candidate | None]], temperature: float
) -> None:
    """Show one mask's candidates as bars, and where the asked words stand.

    Args:
        title: our own Markdown.
        asked: word and what the model says of it; None where it is not one token.
    """
    st.markdown(title)
    known = [(c.token, mask.probability(c, temperature), c.rank) for _, c in asked if c is not None]
    rows = [(c.token, mask.probability(c, temperature)) for c in mask.candidates]
    results.candidate_bars(f"{stem}_bars", rows, asked=known)
    for word, candidate in asked:
        if candidate is None:
            st.caption(escape_markdown(f"“{word}” is not one token of this model, so it cannot fill one mask."))


def one_after_another(stem: str, result: FillMaskResult, model: str) -> None:
    """Offer to fill several masks from left to right, each choice seen by the next, beside all at once."""
    if len(result.masks) < 2:
        return
    if not st.toggle("Fill one after another", key=f"{stem}_in_order", bind="query-params"):
        return
    key = f"{stem}_order"
    page.predict(key, "How many masks get another word that way?", ("none", "fewer than half", "half or more"))
    at_once = [mask.candidates[0] for mask in result.masks]
    chosen, sentences, origin = remember(key, (result.text, model), lambda: _two_ways(result, model))
    rows = [
        {"Mask": i, "All at once": one.token, "Left to right": other}
        for i, (one, other) in enumerate(zip(at_once, chosen, strict=True), start=1)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", alt="Two ways to fill several masks")
    results.model_text("All at once: {}\n\nLeft to right: {}".format(*sentences))
    differ = sum(row["All at once"] != row["Left to right"] for row in rows)
    st.caption(
        f"{differ} of {len(rows)} differ. All at once, each mask is filled as if the others stayed hidden; one after "
        "another, each choice becomes context for the next."
    )
    came = "none" if not differ else "fewer than half" if 2 * differ < len(rows) else "half or more"
    page.reveal(key, came, "The first never differs: nothing was filled before it.")
    results.caption(origin)
    page.panel_code(key, in_order_code(catalog.get(model), result.text))


def _two_ways(result: FillMaskResult, model: str) -> tuple[list[str], tuple[str, str], Provenance]:
    """The words chosen from left to right, the sentence filled all at once and so, where the last one comes from."""
    engine = get_engine()
    at_once = in_order = result.text.replace(engine.tokenise(result.text, model=model).mask_token, "[MASK]")
    chosen = []
    for mask in result.masks:
        first = mask.candidates[0]
        at_once = fill(at_once, 0, first.token, joins=_joins(first, model))
        answer = engine.fill_mask(in_order, model=model, top_k=1)
        best = answer.masks[0].candidates[0]
        in_order = fill(in_order, 0, best.token, joins=_joins(best, model))
        chosen.append(best.token)
    return chosen, (at_once, in_order), answer.provenance


def other_model(stem: str, model: str) -> str:
    """Offer the other models that can fill masks here; return the one chosen, or nothing."""
    specs = [*catalog.models("masked_lm"), *catalog.models("rtd_generator")]
    others = [spec.id for spec in specs if spec.id != model and availability(spec).usable]
    key, label = f"{stem}_beside", "Another model beside it"
    other = st.selectbox(label, ["none", *others], key=key, bind="query-params", width=300)
    return other if other in others else ""


def roberta(key: str) -> None:
    """Show the lecture's table of RoBERTa's runs in two scores, narrow enough for a phone.

    Args:
        key: prefix of the session keys.
    """
    table = load_table("roberta")
    st.markdown(f"**{table.meta.title}**")
    _kept_roberta(key)
    st.caption("Each + adds to the row above. The first row and BERT-large read Books + Wiki only.")
    below(table, key=key)


@st.cache_data(show_spinner=False)
def _kept_roberta(key: str) -> None:
    table = load_table("roberta")
    short = replace(table, frame=table.frame.assign(model=_ROBERTA))
    grid(short, key=key, columns=("model", "mnli_m", "sst2"))
