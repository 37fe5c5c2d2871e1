"""Drawing replaced-token detection: the student marks fakes, the discriminator answers, both are counted."""

from collections.abc import Hashable
from functools import partial

import streamlit as st

from lecture_core import catalog
from lecture_core.encoder_code import detection_code
from lecture_core.engine import get_engine
from lecture_core.engine.results import CorruptedToken, Corruption, Detection
from lecture_core.text_input import checked
from lecture_core.ui import links, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember

LONGEST = 300  # characters of a sentence to edit


def marks_in_link(stem: str, now: Hashable, corruption: Corruption) -> tuple[frozenset[int], bool]:
    """Take the marks and the reveal from the address when the page opens; from then on write there those of the round.

    Args:
        now: what the round rests on; the address holds the marks of the one that it opened, `<stem>_opened`.

    Returns:
        indices of the marked tokens, and whether the truth is shown.
    """
    marks, shown = f"{stem}_marks", f"{stem}_shown"
    if st.session_state.pop(f"{stem}_opened", None) == now:
        st.session_state[marks] = _marks_asked(marks, corruption)
        st.session_state[shown] = st.query_params.get(f"{stem}_revealed") == "true"
    told = {
        marks: ",".join(str(i + 1) for i in sorted(st.session_state[marks])),
        f"{stem}_revealed": "true" if st.session_state[shown] else "",
    }
    for key, value in told.items():
        if value and st.query_params.get(key) != value:
            st.query_params[key] = value
        elif not value and key in st.query_params:
            del st.query_params[key]
    return st.session_state[marks], st.session_state[shown]


def _marks_asked(key: str, corruption: Corruption) -> frozenset[int]:
    """The marked tokens of the address, counted there from 1; none where it cannot be used, which is said."""
    words = {str(i + 1): i for i, token in enumerate(corruption.tokens) if not token.special}
    asked = [part for part in st.query_params.get(key, "").split(",") if part]
    if set(asked) <= set(words):
        return frozenset(words[part] for part in asked)
    links.explain(key, f"numbers of tokens from {min(words.values()) + 1} to {max(words.values()) + 1}, as in 3,5")
    return frozenset()


def show(stem: str, shown: bool) -> None:
    """Show the truth or hide it, for a button's callback; a second click in haste asks for the same again."""
    st.session_state[f"{stem}_shown"] = shown


def hidden_strip(key: str, corruption: Corruption, marked: frozenset[int], *, into: str) -> None:
    """Show the corrupted text with the student's marks and nothing of the truth; a click turns a mark in the state.

    Args:
        into: key of the marks, a frozen set of indices.
    """

    def turn(index: int) -> None:
        st.session_state[into] = marked ^ {index}

    chips = [
        results.StripToken(
            token.corrupted,
            mark="selected" if i in marked else "none",
            starts_word=token.starts_word,
            special=token.special,
        )
        for i, token in enumerate(corruption.tokens)
    ]
    results.token_strip(key, chips, family="electra", on_click=turn)


def revealed_strip(key: str, corruption: Corruption, verdict: Detection, marked: frozenset[int]) -> None:
    """Show the truth, and under each token the discriminator's probability that it was replaced."""
    chips = [
        results.StripToken(
            token.corrupted,
            value=None if token.special else judged.probability,
            label=_label(token, i in marked),
            mark="replaced" if token.replaced else "none",
            starts_word=token.starts_word,
            special=token.special,
        )
        for i, (token, judged) in enumerate(zip(corruption.tokens, verdict.tokens, strict=True))
    ]
    results.token_strip(key, chips, family="electra")


def _label(token: CorruptedToken, marked: bool) -> str:
    truth = f"was {token.original}" if token.replaced else "sampled the same" if token.masked else ""
    return " · ".join(part for part in (truth, "you" if marked else "") if part)


@st.fragment
def by_hand(stem: str, example: tuple[str, str], default: str) -> None:
    """Let the student write a fake and see the verdict at once.

    Args:
        example: a sentence and an edited version.
        default: discriminator where none was chosen.
    """
    st.subheader("Fool it yourself", anchor=False)
    left, right = st.columns(2)
    before = left.text_input("Original", example[0], key=f"{stem}_before", bind="query-params")
    after = right.text_input("Your version", example[1], key=f"{stem}_after", bind="query-params")
    model = st.session_state.get(f"{stem}_model", default)
    page.predict(f"{stem}_by_hand", "What will it call fake?", ("what I changed", "something else too", "nothing"))
    with user_errors():
        detect = partial(
            get_engine().detect_replacements,
            checked(after, limit=LONGEST),
            model=model,
            original=checked(before, limit=LONGEST),
        )
        verdict = remember(f"{stem}_by_hand", (before, after, model), detect)
        verdict_strip(f"{stem}_by_hand_strip", verdict)
        page.reveal(f"{stem}_by_hand", _called_fake(verdict), "It says fake where it reads more than 0.5.")
        results.caption(verdict.provenance)
        page.panel_code(f"{stem}_by_hand", detection_code(catalog.get(model), after))


def edit(stem: str, corruption: Corruption) -> None:
    """Put the round's sentence, before and after the generator, into the fields of `by_hand`; draw the page again."""
    tokens = [token for token in corruption.tokens if not token.special]
    for name, words in (("before", [t.original for t in tokens]), ("after", [t.corrupted for t in tokens])):
        joined = "".join(f" {w}" if t.starts_word else w for t, w in zip(tokens, words, strict=True)).strip()
        st.session_state[f"{stem}_{name}"] = joined[:LONGEST]
    st.rerun()


def _called_fake(verdict: Detection) -> str:
    """What the discriminator holds to be replaced, against what was: the choices of the panel's guess."""
    called = [token for token in verdict.tokens if not token.special and token.probability > 0.5]
    if not called:
        return "nothing"
    return "what I changed" if all(token.replaced for token in called) else "something else too"


def verdict_strip(key: str, verdict: Detection) -> None:
    """Show a text with the discriminator's probability under each token."""
    chips = [
        results.StripToken(
            token.token,
            value=None if token.special else token.probability,
            mark="replaced" if token.replaced else "none",
            starts_word=token.starts_word,
            special=token.special,
        )
        for token in verdict.tokens
    ]
    results.token_strip(key, chips, family="electra")


def found_by(verdict: Detection, threshold: float) -> frozenset[int]:
    """Return the tokens that the discriminator calls replaced: probability above `threshold`."""
    return frozenset(i for i, t in enumerate(verdict.tokens) if t.probability > threshold and not t.special)


def score(corruption: Corruption, verdict: Detection, marked: frozenset[int], threshold: float) -> str:
    """Show how many fakes each side found; return how many the discriminator found, in the words of the guess."""
    fakes = frozenset(i for i, t in enumerate(corruption.tokens) if t.replaced)
    flagged = found_by(verdict, threshold)
    for column, who, said in zip(
        st.columns(2), ("You found", "The discriminator found"), (marked, flagged), strict=True
    ):
        alarms = len(said - fakes)
        alarmed = f"{alarms} false alarm{'s' * (alarms != 1)}"
        column.metric(who, f"{len(fakes & said)} of {len(fakes)}", alarmed, delta_color="off", delta_arrow="off")
    same = sum(t.masked and not t.replaced for t in corruption.tokens)
    if same:
        st.caption(f"Sampled tokens that equal the original count as original: {same} here.")
    if not fakes:
        return "no fake at all this time: every sample equals the original"
    found = len(fakes & flagged)
    return "all of them" if found == len(fakes) else "some of them" if found else "none of them"


def loss_positions(key: str, corruption: Corruption) -> None:
    """Show on this very text which positions carry loss for a masked LM and which for ELECTRA."""
    real = [t for t in corruption.tokens if not t.special]
    masked = sum(t.masked for t in real)
    here = f"{masked / len(real):.0%} here, 15 % in BERT's training"
    st.markdown(f"**Masked LM:** {masked} of {len(real)} positions carry loss ({here}).")
    chips = [
        results.StripToken(
            "[MASK]" if t.masked else t.original, mark="masked" if t.masked else "none", starts_word=t.starts_word
        )
        for t in real
    ]
    results.token_strip(f"{key}_masked_lm", chips)
    st.markdown(f"**ELECTRA:** all {len(real)} positions carry loss (100 %): each is original or replaced.")
    chips = [results.StripToken(t.corrupted, mark="kept", starts_word=t.starts_word) for t in real]
    results.token_strip(f"{key}_electra", chips, family="electra")
