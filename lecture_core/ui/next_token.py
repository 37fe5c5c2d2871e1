"""Drawing the next token: bars redrawn from stored logits, what stays after truncation, the path written so far."""

import math
from collections.abc import Sequence

import streamlit as st

from lecture_core import continuations
from lecture_core.engine import get_engine
from lecture_core.engine.results import TEMPERATURES, Candidate, NextToken
from lecture_core.sampling import STORED, TOP_KS, TOP_PS, Option, Truncated, Truncation, draw, truncate
from lecture_core.ui import beside, components, inputs, results
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember, rerun_here

ROWS = 12
COOLED = ("less probable", "up to twice as probable", "more than twice")
_COLD = 0.5
_HEAT_TIP = "The logits are divided by it. Below 1 the likely tokens gain, above 1 the unlikely ones."
_TOP_K_TIP = "Only the k most probable tokens stay."
_TOP_P_TIP = "Only the most probable tokens stay, as many as are needed to reach this share of the probability."
MOST_WRITTEN = 2000  # characters that a link may bring


def written(stem: str, prompt: str) -> str:
    """Return what was appended to this prompt, from the link at first; another prompt starts anew."""
    key = f"{stem}_written"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key, "")[:MOST_WRITTEN]
    elif st.session_state.get(f"{key}_after", prompt) != prompt:
        st.session_state[key] = ""
    st.session_state[f"{key}_after"] = prompt
    _link(key)
    return st.session_state[key]


def keep(stem: str, text: str) -> None:
    """Make `text` what was appended to the prompt."""
    st.session_state[f"{stem}_written"] = text
    _link(f"{stem}_written")


def _link(key: str) -> None:
    """Let the address say what was written."""
    now = st.session_state[key]
    if now and st.query_params.get(key) != now:
        st.query_params[key] = now
    elif not now and key in st.query_params:
        del st.query_params[key]


def truncation(stem: str) -> Truncation:
    """Return the settings of the sliders, for what stands outside of them."""
    got = st.session_state.get
    return Truncation(got(f"{stem}_temperature", 1.0), got(f"{stem}_top_k", 0), got(f"{stem}_top_p", 1.0))


def step(stem: str, prompt: str, model: str) -> NextToken | None:
    """Show the distribution after prompt and path, and let the visitor append a token; None where it cannot be read."""
    so_far = written(stem, prompt)
    left, right = st.columns([3, 2], gap="large")
    with right:
        how = _sliders(stem)
        said = st.container()
        seed = inputs.seed(stem, default=7)
        row = st.container(horizontal=True)
        back(stem, prompt, so_far, model)
    with left, user_errors():
        text = prompt + so_far
        found, pieces = remember(f"{stem}_found", (text, model), lambda: _ask(text, model))
        cut = truncate(found, how)
        clicked = _bars(stem, cut.options[:ROWS], pieces)
        st.caption("Bar: after temperature and cuts, out of 100 %. Outline: the model's own. Click a row to append it.")
        results.caption(found.provenance)
        with said:
            _say(found, cut, text)
        with row:
            chosen = _choice(stem, cut, clicked, seed, len(so_far))
        if chosen is not None:
            _append(stem, so_far, chosen, model)
        with right:
            _path(stem, prompt, so_far, model)
        other = beside.another(stem, model)
        if other:
            with user_errors():
                _other_bars(stem, text, how, other)
        return found
    return None


def cooled(found: NextToken) -> str:
    """Say which of `COOLED` is true: the first choice at temperature 0.5 against temperature 1."""
    now, cold = (truncate(found, Truncation(heat)).options[0].before for heat in (1.0, _COLD))
    return COOLED[(cold >= now) + (cold > 2 * now)]


def _other_bars(stem: str, text: str, how: Truncation, other: str) -> None:
    """Show what another model expects after the same text, cut the same way."""
    found = remember(f"{stem}_other", (text, other), lambda: get_engine().next_token(text, model=other, top_k=STORED))
    rows = [(o.candidate.token, o.after) for o in truncate(found, how).options[:ROWS] if o.after]
    results.candidate_bars(f"{stem}_other_bars", rows, family="decoder")
    results.caption(found.provenance)


def _ask(text: str, model: str) -> tuple[NextToken, tuple[str | None, ...]]:
    engine = get_engine()
    found = engine.next_token(text, model=model, top_k=STORED)
    return found, tuple(continuations.piece(c, engine, model) for c in found.candidates[:ROWS])


def _sliders(stem: str) -> Truncation:
    heat = st.select_slider(
        "Temperature", TEMPERATURES, 1.0, key=f"{stem}_temperature", bind="query-params", help=_HEAT_TIP
    )
    one, two = st.columns(2)
    k = one.select_slider(
        "Top-k", TOP_KS, 0, key=f"{stem}_top_k", bind="query-params", format_func=_all_or, help=_TOP_K_TIP
    )
    p = two.select_slider("Top-p", TOP_PS, 1.0, key=f"{stem}_top_p", bind="query-params", help=_TOP_P_TIP)
    return Truncation(heat, k, p)


def _all_or(k: int) -> str:
    return str(k) if k else "all"


def _bars(stem: str, options: Sequence[Option], pieces: Sequence[str | None]) -> int | None:
    bars = [
        {
            "word": _name(option.candidate, added),
            "value": option.after,
            "own": option.candidate.probability,
            "percent": results.percent(option.after) if option.after else "cut",
            "cut": not option.after,
            "rank": option.candidate.rank,
            "asked": False,
        }
        for option, added in zip(options, pieces, strict=True)
    ]
    data = {"bars": bars, "gaps": [False] * len(bars), "family": "decoder", "clickable": True}
    result = components.candidate_bars(
        key=f"{stem}_bars", data=data, height=results.ROW_HEIGHT * ROWS + 1, on_clicked_change=_rerun_only
    )
    clicked = result.clicked
    return int(clicked) if clicked is not None and 0 <= int(clicked) < len(bars) else None


def _rerun_only() -> None:
    """A component reports a trigger only where a callback is given."""


def _name(candidate: Candidate, added: str | None) -> str:
    """A token as it reads; three dots before letters that are glued to what stands before them."""
    glued = added is not None and not added.startswith(" ") and added[:1].isalnum()
    return f"…{candidate.token}" if glued else candidate.token


def _say(found: NextToken, cut: Truncated, text: str) -> None:
    stored, outside = len(found.candidates), results.percent(cut.outside)
    if cut.open_ended and cut.kept == 1:
        st.markdown(f"**Nothing is cut.** {stored} tokens are stored; all others together have {outside}.")
    else:
        least = "More than " if cut.open_ended else ""
        st.markdown(
            f"**{least}{cut.survivors} {'token stays' if cut.survivors == 1 else 'tokens stay'}.** "
            f"They had {results.percent(cut.kept)} at this temperature and share 100 % now. Outside the {stored} "
            f"stored: {outside}."
        )
    bits = found.entropy / math.log(2)
    st.caption(
        f"The model's own uncertainty: {bits:.1f} bits (entropy), as among {2**bits:,.0f} equally likely tokens."
        + (" Your text ends with a space; most tokens bring their own. Compare without it." if text[-1] == " " else "")
    )


def _choice(stem: str, cut: Truncated, clicked: int | None, seed: int, place: int) -> Candidate | None:
    first = st.button("Take the first", key=f"{stem}_first", icon=":material/vertical_align_top:")
    tip = f"Draws by the bars, among the {STORED} stored tokens at most. The same seed gives the same text."
    drawn = st.button("Sample", key=f"{stem}_sample", icon=":material/casino:", help=tip)
    if clicked is not None:
        return cut.options[clicked].candidate
    if drawn:
        return draw(cut, seed=seed, step=place)
    return cut.options[0].candidate if first else None


def back(stem: str, prompt: str, so_far: str, model: str) -> None:
    """Offer to take the last token back, or all that was appended."""
    with st.container(horizontal=True):
        undo = st.button("Undo", key=f"{stem}_undo", icon=":material/undo:", disabled=not so_far)
        anew = st.button("Start over", key=f"{stem}_anew", icon=":material/restart_alt:", disabled=not so_far)
    if undo or anew:
        with user_errors():
            shorter = "" if anew else continuations.without_last(get_engine(), prompt, so_far, model=model)
            keep(stem, shorter)
            rerun_here()


def _append(stem: str, so_far: str, chosen: Candidate, model: str) -> None:
    added = continuations.piece(chosen, get_engine(), model)
    if added is None:
        name = escape_markdown(chosen.token)
        st.info(f"“{name}” adds no text: it ends the text, or is a part of a character. Choose another token.")
    else:
        keep(stem, so_far + added)
        rerun_here()


def _path(stem: str, prompt: str, so_far: str, model: str) -> None:
    if not so_far:
        return
    found = remember(
        f"{stem}_path",
        (prompt, so_far, model),
        lambda: continuations.path(get_engine(), prompt, so_far, model=model),
    )
    chips = [
        results.StripToken(
            t.token,
            value=math.exp(t.logprob),
            label=f"rank {t.rank:,}",
            aria=f"{t.token}, rank {t.rank:,}, probability",
        )
        for t in found.tokens
    ]
    st.markdown("**Your path**")
    results.token_strip(f"{stem}_path_strip", chips, family="decoder")
    whole = sum(t.logprob for t in found.tokens)
    st.caption(
        f"Probability of the whole path: {results.percent(math.exp(whole))}, the product of the numbers under the "
        f"tokens; {-whole / math.log(2):.1f} bits."
    )
