"""The vote on drawings without names, and what is told after it: names, prompt, texts, and how the others voted."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from lecture_core import drawing
from lecture_core.continuations import Sample
from lecture_core.drawing_round import NONE, Entry, fingerprint, with_article
from lecture_core.engine.waiting import goes_first
from lecture_core.errors import LectureError
from lecture_core.ui import results
from lecture_core.ui.errors import escape_markdown
from lecture_core.ui.memory import browser_id
from lecture_core.vote_store import TALLY


@dataclass(frozen=True)
class Attempt:
    """What came of one letter: a sample, or the sentence that says why there is none."""

    letter: str
    sample: Sample | None = None
    error: str = ""

    @property
    def text(self) -> str:
        """What was written; empty without a sample."""
        return self.sample.text if self.sample else ""

    @property
    def drew(self) -> bool:
        """Whether the text draws anything that can be seen."""
        return drawing.shows_anything(self.text)


@dataclass(frozen=True)
class Round:
    """A finished round.

    Attributes:
        prompt: what each model read, speaker by speaker.
        letters: who stands behind each letter.
        attempts: what came of each letter.
    """

    thing: str
    prompt: str
    letters: Mapping[str, Entry]
    attempts: Mapping[str, Attempt]

    @property
    def drew(self) -> list[str]:
        """Letters whose drawing shows anything."""
        return [letter for letter in self.letters if self.attempts[letter].drew]

    @property
    def fingerprint(self) -> str:
        """Name of exactly these drawings."""
        return fingerprint(self.thing, {self.letters[letter]: one.text for letter, one in self.attempts.items()})


def judge(stem: str, now: Round) -> None:
    """Ask for one vote, then reveal; where nobody drew there is nothing to vote on. Raises what the votes' file does.

    The instructor sees how many voted for each letter, before the names are told.
    """
    name, drew = now.fingerprint, now.drew
    mine = TALLY.choice(name, browser_id())
    peeked = st.session_state.get(f"{stem}_peeked") == name
    if not drew:
        st.markdown(f"**None of the {len(now.letters)} drew anything, so there is nothing to vote on.**")
    elif mine is None and not peeked:
        _ask(stem, now, name)
        if goes_first():
            _letters_so_far(now, name)
        return
    else:
        _tally(now, name, mine)
    _reveal(now)


def _letters_so_far(now: Round, name: str) -> None:
    counts = TALLY.counts(name)
    said = [*((letter, now.letters[letter].name) for letter in now.drew), (NONE, NONE)]
    shown = " · ".join(f"{letter}: **{counts[choice]}**" for letter, choice in said)
    st.markdown(f":material/co_present: Votes so far, for you as the instructor: {shown}. Total {counts.total()}.")


def _ask(stem: str, now: Round, name: str) -> None:
    st.markdown(f"**Which is most like {escape_markdown(with_article(now.thing))}?**")
    choices = {letter: now.letters[letter].name for letter in now.drew} | {NONE: NONE}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"{stem}_vote_{name[:8]}"
        choice = st.segmented_control("Your vote", list(choices), key=key, label_visibility="collapsed")
        cast = (stem, name, choices.get(choice or NONE))
        label, icon = "Vote and reveal", ":material/how_to_vote:"
        st.button(label, key=f"{stem}_cast", icon=icon, disabled=choice is None, on_click=_cast, args=cast)
        st.button("Reveal without a vote", key=f"{stem}_peek", type="tertiary", on_click=_peek, args=(stem, name))
    st.caption("One vote a browser and round. Names, prompt and texts come after it.")
    if error := st.session_state.pop(f"{stem}_not_counted", ""):
        st.error(escape_markdown(error), icon=":material/error:")


def _cast(stem: str, name: str, choice: str) -> None:
    try:
        if not TALLY.vote(name, browser_id(), choice):
            _peek(stem, name)
    except LectureError as error:  # a callback has no place to show it: the next run does
        st.session_state[f"{stem}_not_counted"] = str(error)


def _peek(stem: str, name: str) -> None:
    st.session_state[f"{stem}_peeked"] = name


def _tally(now: Round, name: str, mine: str | None) -> None:
    counts = TALLY.counts(name)
    said = {entry.name: letter for letter, entry in now.letters.items()}
    rows = [*(now.letters[letter].name for letter in now.drew), NONE]
    table = {
        "Drawing": [f"{said[row]}: {row}" if row in said else row for row in rows],
        "Votes": [f"{counts[row]}{', yours' if row == mine else ''}" for row in rows],
    }
    st.dataframe(table, hide_index=True, height="content", alt="Votes by drawing")
    where = "kept on this server." if TALLY.lasting else "kept in this server's memory until it restarts."
    st.caption(
        f"{counts.total()} {'vote' if counts.total() == 1 else 'votes'} on exactly these drawings, {where}"
        + (" You revealed them without a vote." if mine is None else "")
    )


def _reveal(now: Round) -> None:
    st.markdown("**Who drew what.** Each read this prompt:")
    st.code(now.prompt, language=None, wrap_lines=True)
    for letter, entry in now.letters.items():
        attempt = now.attempts[letter]
        outcome = "drew" if attempt.drew else "did not draw"
        with st.expander(f"{letter}: {escape_markdown(entry.name)} · {outcome}"):
            _told(attempt)


def _told(attempt: Attempt) -> None:
    if attempt.sample is None:
        st.error(escape_markdown(attempt.error), icon=":material/error:")
        return
    results.model_text(attempt.text)
    cut = ", cut at the length" if attempt.sample.reason == "length" else ""
    st.caption(f"{attempt.sample.tokens} tokens{cut}. {what_was_read(drawing.read(attempt.text))}")
    if attempt.sample.provenance:
        results.caption(attempt.sample.provenance)


def what_was_read(read: drawing.Drawing) -> str:
    """Say how many shapes were drawn and what was left out; for Markdown."""
    left_out = ", ".join(f"{escape_markdown(name)} ×{n}" for name, n in list(read.refused.items())[:8])
    shown = f"Shapes drawn: {len(read.primitives)}"
    return f"{shown}; left out: {left_out}." if left_out else f"{shown}, nothing left out."
