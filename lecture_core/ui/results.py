"""How results look: token strip, candidate bars, a model's text, a measured rate, and where a number comes from.

Knows no model: it draws what it is given, and never as Markdown or HTML.
"""

import html
import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from lecture_core.provenance import Kind, Provenance
from lecture_core.statistics import wilson
from lecture_core.ui import components, first_views
from lecture_core.ui.errors import escape_markdown

Family = Literal["encoder", "decoder", "text_to_text", "electra"]
Mark = Literal["none", "masked", "replaced", "random", "kept", "selected"]
MAX_DROPPED = 40  # characters of a dragged word
ROW_HEIGHT, GAP_HEIGHT = 32, 18  # pixels, as in candidate_bars.css; the space is there before the bars are
BADGES: dict[Kind, tuple[str, Literal["green", "orange", "gray"]]] = {
    "live": ("● live", "green"),
    "recorded": (":material/schedule: recorded", "orange"),
    "published": (":material/menu_book: published", "gray"),
}


def badge(kind: Kind) -> None:
    """Show the word and sign for where a number comes from."""
    label, color = BADGES[kind]
    st.badge(label, color=color)


def caption(provenance: Provenance) -> None:
    """Show where a result comes from: computed now, recorded or published, and what it takes to get it again."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(provenance.kind)
        st.caption(escape_markdown(provenance.caption()), width="content")
    if provenance.stands_in:
        first_views.expect(provenance.model)


@dataclass(frozen=True)
class StripToken:
    """One chip of a token strip.

    Attributes:
        text: the token as a reader sees it, without sub-word marks.
        value: length of the bar under the chip and number beside it, in [0, 1]; None for no bar.
        label: a few words under the chip, always visible.
        mark: what happened to the token; shown by line, pattern and icon, not by colour alone.
        starts_word: False joins the chip to the one before it.
        special: [CLS], [SEP] and the like, drawn grey.
        aria: what a screen reader says after the position; made from the other fields when empty.
        words: numbers of the words it stands for; tokens of linked strips that share one light up together.
        shade: how much of the family's colour lies under the token, in [0, 1]; always beside a label that says why.
    """

    text: str
    value: float | None = None
    label: str = ""
    mark: Mark = "none"
    starts_word: bool = True
    special: bool = False
    aria: str = ""
    words: tuple[int, ...] = ()
    shade: float = 0.0

    def spoken(self, position: int) -> str:
        """Return what a screen reader says: `token 4, banana, replaced, 0.87`."""
        parts = [f"token {position}", self.aria or self.text.strip() or "space"]
        if not self.aria:
            parts += [self.mark if self.mark != "none" else "", self.label]
        parts.append("" if self.value is None else f"{self.value:.2f}")
        return ", ".join(part for part in parts if part)


def token_strip(
    key: str,
    tokens: Sequence[StripToken],
    *,
    family: Family = "encoder",
    linked: str = "",
    on_click: Callable[[int], None] | None = None,
    on_drop: Callable[[int, str], None] | None = None,
    tray: Sequence[str] = (),
) -> None:
    """Show tokens as chips in reading order.

    The callbacks run before the page is drawn again, so they may set any state.

    Args:
        linked: strips of the same name light up together at the token under the pointer; empty for none.
        on_click: called with the index of the token that was clicked; special ones cannot be.
        on_drop: called with the index of a mask and the word that was dragged onto it; without it nothing can be.
        tray: the visitor's own words, shown below the strip, to be dragged onto a mask.
    """

    def clicked() -> None:
        index = st.session_state[key].get("clicked")
        if on_click and isinstance(index, int) and 0 <= index < len(tokens) and not tokens[index].special:
            on_click(index)

    def dropped() -> None:
        came = st.session_state[key].get("dropped") or {}
        token = came.get("token")
        if on_drop and isinstance(token, int) and 0 <= token < len(tokens):
            on_drop(token, str(came.get("word", "")).strip()[:MAX_DROPPED])

    chips = [asdict(token) | {"spoken": token.spoken(i + 1)} for i, token in enumerate(tokens)]
    data = {"tokens": chips, "family": family, "clickable": on_click is not None, "linked": linked, "tray": list(tray)}
    data["drops"] = on_drop is not None
    components.token_strip(key=key, data=data, on_clicked_change=clicked, on_dropped_change=dropped)


def uncovered(stem: str, what: str) -> bool:
    """Return whether the visitor may see what the page's guess is about: after a guess, or after one click.

    Until then a line and the button stand in its place. The click is for all later questions too, and the address
    keeps it.

    Args:
        what: what is covered; our own words, such as "The answer without exemplars".
    """
    if may_see(stem):
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{what} waits for your guess.", width="content")
        st.button("Show me", key=f"{stem}_show", icon=":material/visibility:", on_click=_uncover, args=(stem,))
    return False


def may_see(stem: str) -> bool:
    """Return whether what the page's guess is about may be shown, wherever else on the page it would stand."""
    key = f"{stem}_shown"
    if st.session_state.setdefault(key, st.query_params.get(key) == "1"):
        st.query_params[key] = "1"
        return True
    return st.session_state.get(f"{stem}_guess") is not None


def _uncover(stem: str) -> None:
    st.session_state[f"{stem}_shown"] = True


def percent(probability: float) -> str:
    """Return a probability as a percentage that never reads as 0 unless it is: `45.2 %`, `0.003 %`, `< 0.001 %`."""
    value = 100 * probability
    if value >= 0.1 or value == 0:
        return f"{value:.1f} %"
    return f"{value:.3f} %" if value >= 0.001 else "< 0.001 %"


def candidate_bars(
    key: str,
    rows: Sequence[tuple[str, float]],
    *,
    asked: Sequence[tuple[str, float, int]] = (),
    family: Family = "encoder",
) -> None:
    """Show words with their probability, most probable first, and where the asked words stand.

    Args:
        rows: word and probability in [0, 1], the first ones of the ranking.
        asked: word, probability and rank in the whole vocabulary (1 is the most probable).
    """
    ranked = sorted(rows, key=lambda row: -row[1])
    ranks = {rank: word for word, _, rank in asked}
    bars = [_bar(word, p, i, asked=i in ranks) for i, (word, p) in enumerate(ranked, start=1)]
    bars += [_bar(w, p, rank, asked=True) for w, p, rank in sorted(asked, key=lambda a: a[2]) if rank > len(ranked)]
    gaps = [bar["rank"] > before["rank"] + 1 for before, bar in itertools.pairwise(bars)]
    data = {"bars": bars, "gaps": [False, *gaps], "family": family}
    components.candidate_bars(key=key, data=data, height=ROW_HEIGHT * len(bars) + GAP_HEIGHT * sum(gaps) + 1)


def _bar(word: str, probability: float, rank: int, *, asked: bool) -> dict[str, Any]:
    return {"word": word, "value": probability, "percent": percent(probability), "rank": rank, "asked": asked}


def model_text(text: str, *, label: str = "") -> None:
    """Show a model's text as it is: monospace, wrapped, never as Markdown."""
    if label:
        st.caption(escape_markdown(label))
    st.code(text or " ", language=None, wrap_lines=True)


def weights(before: str, after: str) -> None:
    """Say whether the weights changed, by their checksums; nothing where they were not in memory before."""
    if not before:
        return
    same = "equal" if before == after else "different"
    st.markdown(f"**No gradient update.** Checksum of the weights before `{before}`, after `{after}`: {same}.")


def rate(label: str, right: int, n: int) -> None:
    """Show a measured rate as a point with its 95 % Wilson interval and n.

    Args:
        right: number of right answers among `n`.
    """
    low, high = wilson(right, n)
    share = right / n if n else 0.0
    shown = f"{share:.2f}" if n else "no answer yet"
    detail = f"{right:,} of n = {n:,} right · 95 % interval {low:.2f} to {high:.2f}" if n else "n = 0"
    st.html(
        f'<div style="display:flex;justify-content:space-between;gap:1rem"><span>{html.escape(label)}</span>'
        f'<b>{shown}</b></div><div aria-hidden="true" style="position:relative;height:14px;margin:2px 0">'
        f"{_stroke(0, 1, 6, 2, 0.25)}{_stroke(low, high, 4, 6, 0.5)}{_stroke(share, share, 0, 14, 1) if n else ''}"
        f'</div><div style="font-size:0.85em;opacity:0.85">{detail}</div>'
    )


def _stroke(start: float, end: float, top: int, height: int, opacity: float) -> str:
    width = f"{100 * (end - start):.2f}%" if end > start else "3px"
    return (
        f'<span style="position:absolute;left:min({100 * start:.2f}%, 100% - 3px);width:{width};top:{top}px;'
        f'height:{height}px;background:currentColor;opacity:{opacity};border-radius:2px"></span>'
    )
