"""Drawing masked-LM results: the strip with first choices, one mask's candidates, BERT's masking recipe."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lecture_core import catalog
from lecture_core.engine import get_engine
from lecture_core.engine.results import Candidate, FillMaskResult, MaskPrediction, RecipeToken
from lecture_core.loading import availability
from lecture_core.text_input import hide
from lecture_core.ui import inputs, results
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember

MAX_WORDS = 5
_FATES: dict[str, results.Mark] = {"untouched": "none", "masked": "masked", "random": "random", "kept": "kept"}


def strip(stem: str, result: FillMaskResult, model: str, temperature: float, words: Sequence[str]) -> int:
    """Show the tokens with the first choice under each mask; return the index of the selected mask.

    A click on a mask selects it, a click on a word hides it in `<stem>_text`. A word dragged onto a mask selects the
    mask and comes to those of `<stem>_asked`.

    Args:
        words: the visitor's own, ready to be dragged.
    """
    tokens = get_engine().tokenise(result.text, model=model)
    order = {mask.position: i for i, mask in enumerate(result.masks)}
    chosen = min(st.session_state.get(f"{stem}_mask", 0), len(result.masks) - 1)
    chips = [
        _mask_chip(text, result.masks[order[i]], order[i] == chosen, temperature)
        if i in order
        else results.StripToken(text, starts_word=starts, special=special)
        for i, (text, starts, special) in enumerate(zip(tokens.tokens, tokens.starts_word, tokens.special, strict=True))
    ]

    def click(index: int) -> None:
        if index in order:
            st.session_state[f"{stem}_mask"] = order[index]
        else:
            st.session_state[f"{stem}_text"] = hide(result.text, tokens.spans[index])

    def drop(index: int, word: str) -> None:
        st.session_state[f"{stem}_mask"] = order.get(index, chosen)
        if word not in words:
            st.session_state[f"{stem}_asked"] = _with_word(words, word)

    results.token_strip(f"{stem}_strip", chips, on_click=click, on_drop=drop, tray=words)
    return chosen


def own_words(text: str) -> list[str]:
    """Return the words of a comma-separated list, the last `MAX_WORDS` of them."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))[-MAX_WORDS:]


def _with_word(words: Sequence[str], word: str) -> str:
    """The visitor's list with one more word; the oldest gives way."""
    return ", ".join(own_words(",".join([*words, word.replace(",", " ")])))


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
    chosen = remember(f"{stem}_order", (result.text, model), lambda: _left_to_right(result, model))
    rows = [
        {"Mask": i, "All at once": mask.candidates[0].token, "Left to right": word}
        for i, (mask, word) in enumerate(zip(result.masks, chosen, strict=True), start=1)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", alt="Two ways to fill several masks")
    differ = sum(row["All at once"] != row["Left to right"] for row in rows)
    st.caption(
        f"{differ} of {len(rows)} differ. All at once, each mask is filled as if the others stayed hidden; one after "
        "another, each choice becomes context for the next."
    )


def _left_to_right(result: FillMaskResult, model: str) -> list[str]:
    engine, text, chosen = get_engine(), result.text, []
    mask = engine.tokenise(text, model=model).mask_token
    for _ in result.masks:
        chosen.append(engine.fill_mask(text, model=model, top_k=1).masks[0].candidates[0].token)
        text = text.replace(mask, chosen[-1], 1)
    return chosen


def beside(stem: str, text: str, model: str, index: int, temperature: float) -> None:
    """Offer the other models that can fill masks here; show what one of them puts at the same mask."""
    specs = [*catalog.models("masked_lm"), *catalog.models("rtd_generator")]
    others = [spec.id for spec in specs if spec.id != model and availability(spec).usable]
    other = st.selectbox("Another model beside it", ["none", *others], key=f"{stem}_beside", bind="query-params")
    if other not in others:
        return
    result = remember(f"{stem}_other", (text, other), lambda: get_engine().fill_mask(text, model=other, top_k=6))
    candidates(f"{stem}_other", f"**{other}**", result.masks[index], (), temperature)
    results.caption(result.provenance)


@st.fragment
def masking_recipe(stem: str, text: str, model: str) -> None:
    """Apply BERT's masking recipe to the visitor's text, with share and seed to choose."""
    st.markdown(
        "BERT chooses 15 % of the tokens. Of these, 80 % become [MASK], 10 % a random token and 10 % stay as they "
        "are. Only the chosen ones carry loss. Here it is done to your text, with the model's own tokenizer."
    )
    left, right = st.columns(2)
    share = left.slider("Share of tokens chosen", 0.05, 0.8, 0.15, 0.05, key=f"{stem}_share", bind="query-params")
    with right:
        seed = inputs.seed(stem, default=7)
    with user_errors():
        tokens = get_engine().masking_recipe(text, model=model, mask_probability=share, seed=seed)
        results.token_strip(f"{stem}_recipe", [_recipe_chip(token) for token in tokens])
        real = [t for t in tokens if not t.special]
        chosen = sum(t.fate != "untouched" for t in real)
        st.caption(
            f"{chosen} of {len(real)} tokens carry loss; {len(real) - chosen} are left to read. At 15 % there is much "
            "to read and little to learn from; at 80 % the other way round. Another seed chooses others."
        )


def _recipe_chip(token: RecipeToken) -> results.StripToken:
    label = {"untouched": "", "masked": f"hides {token.original}", "random": f"was {token.original}", "kept": "kept"}
    return results.StripToken(
        token.seen,
        label=label[token.fate],
        mark=_FATES[token.fate],
        starts_word=token.starts_word,
        special=token.special,
    )
