"""The masks of a lab in the page's address: which one is selected, and the words behind them that clicks have hidden.

The text stands there by itself, masks included; with these two a link restores the view, and a click on a mask puts
back the word that the sender saw.
"""

from collections.abc import Sequence

import streamlit as st

from lecture_core.text_input import count_masks
from lecture_core.ui import links

MASK = "[MASK]"
"""How the box and the address write a mask; in the list of hidden words it stands for one that nobody told."""
Words = tuple[str | None, ...]


def hidden_words(stem: str, text: str, answers: Sequence[str] = ()) -> Words:
    """Return the word behind each mask of a text, None where nobody told: those hidden by clicks, else `answers`."""
    written, words = st.session_state.get(f"{stem}_hidden") or ("", ())
    return words if written == text else tuple(answers) or (None,) * count_masks(text)


def write(stem: str, text: str, words: Words, mask: int) -> None:
    """Put a text into the box, keep the words behind its masks, select a mask; for a click's callback.

    Args:
        mask: index of the mask to select.
    """
    st.session_state[f"{stem}_text"], st.session_state[f"{stem}_hidden"] = text, (text, words)
    select(stem, mask)


def select(stem: str, mask: int) -> None:
    """Select the mask of an index."""
    st.session_state[f"{stem}_selected"] = mask


def keep_hidden(stem: str, text: str) -> None:
    """Take the hidden words from the address when the page opens; from then on write there those of `text`."""
    key = f"{stem}_hidden"
    asked = st.query_params.get(key)
    if key not in st.session_state:
        words = tuple(None if word == MASK else word for word in (asked or "").split())
        fits = len(words) == text.count(MASK)
        if asked is not None and not fits:
            links.explain(key, f"one word for each of the {text.count(MASK)} masks, {MASK} for one that is not known")
        st.session_state[key] = (text, words) if words and fits else None
    told = _told(hidden_words(stem, text))
    if told and told != asked:
        st.query_params[key] = told
    elif asked is not None and not told:
        del st.query_params[key]


def _told(words: Words) -> str:
    """The words as the address writes them; nothing where none is known."""
    written = [word if word and len(word.split()) == 1 else MASK for word in words]
    return " ".join(written) if set(written) - {MASK} else ""


def selected(stem: str, count: int) -> int:
    """Return the index of the selected mask; in the address it is counted from 1 and left out where it is the first."""
    state, key = f"{stem}_selected", f"{stem}_mask"
    asked = st.query_params.get(key)
    if state not in st.session_state:
        numbers = [str(number) for number in range(1, count + 1)]
        links.explain_expected(stem, {"mask": numbers}, {})
        select(stem, numbers.index(asked) if asked in numbers else 0)
    chosen = min(int(st.session_state[state]), count - 1)
    if chosen and asked != str(chosen + 1):
        st.query_params[key] = str(chosen + 1)
    elif asked is not None and not chosen:
        del st.query_params[key]
    return chosen
