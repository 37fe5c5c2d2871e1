"""Drawing BERT's masking recipe on the visitor's text, and what each masking rate leaves to learn from."""

import pandas as pd
import streamlit as st

from lecture_core import catalog
from lecture_core.engine import get_engine
from lecture_core.engine.results import RecipeToken
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.masking_rate import RATES, Left, left_at
from lecture_core.panel_code import recipe_code
from lecture_core.provenance import Provenance
from lecture_core.ui import inputs, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember

DRAWS = 5  # of what is hidden, at each rate
_FATES: dict[str, results.Mark] = {"untouched": "none", "masked": "masked", "random": "random", "kept": "kept"}


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
        _made_at(stem, text, model, share, seed)


def _made_at(stem: str, text: str, model: str, share: float, seed: int) -> None:
    """Show the recipe's outcome; of a text that the lab above refuses, no second sentence of what is wrong."""
    try:
        tokens = get_engine().masking_recipe(text, model=model, mask_probability=share, seed=seed)
    except (InvalidInputError, ContextLengthError):
        st.caption("The recipe is shown as soon as there are words above that the model can read.")
        return
    results.token_strip(f"{stem}_recipe", [_recipe_chip(token) for token in tokens])
    real = [t for t in tokens if not t.special]
    chosen = sum(t.fate != "untouched" for t in real)
    st.caption(f"{chosen} of {len(real)} tokens carry loss; {len(real) - chosen} are left to read. Seed {seed}.")
    results.caption(Provenance(model, seed=seed))
    _rates(f"{stem}_rates", text, model, seed)


def _rates(key: str, text: str, model: str, seed: int) -> None:
    """Ask the model for what 15, 40 and 80 % hide of the text: more tokens teach, fewer can be guessed."""
    st.markdown(
        "**What is left to learn from:** the same text with more and more hidden, and what the model makes of it"
    )
    page.predict(
        key, "At which share does it guess the most hidden words, counted in all?", [_percent(r) for r in RATES]
    )
    seeds = range(seed, seed + DRAWS)
    rows = remember(key, (text, model, seed), lambda: left_at(get_engine(), text, model=model, seeds=seeds))
    table = pd.DataFrame([_row(row) for row in rows])
    st.dataframe(table, hide_index=True, height="content", alt="What each masking rate leaves to learn from")
    if any(row.right for row in rows):
        best = max(rows, key=lambda row: row.right)
        page.reveal(key, _percent(best.rate), f"It guessed {best.right} of the {best.hidden} words hidden there.")
    st.caption(
        f"All chosen tokens are hidden here, none random or kept. n: {rows[0].tokens} tokens in {DRAWS} draws, seeds "
        f"{seeds[0]} to {seeds[-1]}; loss: of a hidden token. Little hidden: few tokens teach in each pass. Much "
        "hidden: many could, but too little is left to guess them from."
    )
    results.caption(rows[0].provenance)
    page.panel_code(key, recipe_code(catalog.get(model), text, RATES, draws=DRAWS, seed=seed))


def _row(row: Left) -> dict[str, object]:
    return {
        "Hidden": _percent(row.rate),
        "Tokens that teach": row.hidden,
        "Guessed": f"{row.right} ({row.right / row.hidden:.0%})",
        "Loss": f"{row.nats:.2f} nats",
    }


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def _recipe_chip(token: RecipeToken) -> results.StripToken:
    label = {"untouched": "", "masked": f"hides {token.original}", "random": f"was {token.original}", "kept": "kept"}
    return results.StripToken(
        token.seen,
        label=label[token.fate],
        mark=_FATES[token.fate],
        starts_word=token.starts_word,
        special=token.special,
    )
