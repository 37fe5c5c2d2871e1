"""Drawing the tree of continuations: nested lists that fit a phone, each token with its probability and its path's.

HTML, because a chart's letters shrink with its width; every token is escaped.
"""

import html
from collections.abc import Sequence

import streamlit as st

from lecture_core.continuations import WIDTHS, Branch, Tree, grow
from lecture_core.engine import get_engine
from lecture_core.figures.template import FAMILY_COLOURS
from lecture_core.ui import next_token, results
from lecture_core.ui.errors import escape_markdown
from lecture_core.ui.memory import remember, rerun_here

_COLOUR = FAMILY_COLOURS["decoder"]
_LIST = "list-style:none;margin:0;padding:0;border-left:2px solid rgba(128,128,128,.55);border-radius:2px"
_ROW = "display:flex;align-items:center;margin:0;padding:2px 0"
_BOX = (
    "flex:none;width:clamp(4.6rem,24vw,9rem);box-sizing:border-box;margin-right:.25rem;"
    "padding:1px .4rem;border:1.5px solid {border};border-radius:.4rem;"
    "font-size:clamp(.8rem,3.3vw,.95rem);line-height:1.3;overflow-wrap:anywhere"
)
_ONE_LINE = "white-space:nowrap"
_EDGE = "flex:none;width:clamp(8px,3vw,40px);height:{thick}px;background:" + _COLOUR
_THICKEST = 14  # pixels of an edge of probability 1


def tree(stem: str, prompt: str, model: str) -> None:
    """Grow and show the tree of the most probable continuations of prompt and path; let the visitor take a branch."""
    so_far = next_token.written(stem, prompt)
    text = prompt + so_far
    levels = st.radio("Levels", list(WIDTHS), index=1, key=f"{stem}_levels", horizontal=True, bind="query-params")
    with st.spinner("Growing"):
        grown = remember(
            f"{stem}_tree",
            (text, model, levels),
            lambda: grow(get_engine(), text, model=model, widths=WIDTHS[levels]),
        )
    st.caption(f"After “{escape_markdown(_end(text))}”. An edge is as thick as its token is probable.")
    st.html(drawn(grown))
    _take(stem, so_far, grown, model)
    next_token.back(stem, prompt, so_far, model)
    best, greedy = grown.best, grown.greedy
    same = "It is also what you get by always taking the first token."
    other = f"Always taking the first token gives “{_read(greedy)}” with {results.percent(greedy[-1].whole)}."
    st.markdown(
        f"★ The most probable path: “{_read(best)}” with {results.percent(best[-1].whole)}. "
        f"{same if best == greedy else other}"
    )
    st.caption(f"{grown.passes} forward passes, one for each token that has children. Temperature 1, nothing cut.")
    results.caption(grown.provenance)


def _take(stem: str, so_far: str, grown: Tree, model: str) -> None:
    """Offer every path of the tree; the chosen one is appended, and the tree grows on from there."""
    paths = sorted(leaves(grown.branches), key=lambda path: -path[-1].whole)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "A branch",
            range(len(paths)),
            format_func=lambda i: (
                f"{''.join(b.piece for b in paths[i]).strip()} · {results.percent(paths[i][-1].whole)}"
            ),
            key=f"{stem}_branch_{len(so_far)}",  # another path, another choice
            width=320,
        )
        if st.button("Append it", key=f"{stem}_take", icon=":material/add:"):
            next_token.keep(stem, so_far + "".join(b.piece for b in paths[picked] if _is_text(b.piece, model)))
            rerun_here()


def _is_text(piece: str, model: str) -> bool:
    """Whether a piece adds text; the end of the text has a name only."""
    return not piece.strip() or not any(get_engine().tokenise(piece, model=model).special)


def leaves(branches: Sequence[Branch]) -> list[tuple[Branch, ...]]:
    """Return every path of a tree from the prompt to a leaf."""
    paths = []
    for branch in branches:
        paths += [(branch, *rest) for rest in leaves(branch.children)] or [(branch,)]
    return paths


def _end(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"… {text[-most:]}"


def _read(path: Sequence[Branch]) -> str:
    return escape_markdown("".join(branch.piece for branch in path).strip())


def drawn(grown: Tree) -> str:
    """Return a tree as HTML: nested lists from left to right."""
    return f'<div style="overflow-x:auto">{_level(grown.branches, grown.best[-1])}</div>'


def _level(branches: Sequence[Branch], best: Branch) -> str:
    rows = (f'<li style="{_ROW}">{_token(b, best)}{_level(b.children, best)}</li>' for b in branches)
    return f'<ul style="{_LIST}">{"".join(rows)}</ul>' if branches else ""


def _token(branch: Branch, best: Branch) -> str:
    found = branch is best
    edge = _EDGE.format(thick=max(1, round(_THICKEST * branch.probability)))
    box = _BOX.format(border=_COLOUR if found else "rgba(128,128,128,.45)")
    path = (
        ""
        if branch.whole == branch.probability
        else f"<br><small style='{_ONE_LINE}'>path {results.percent(branch.whole)}</small>"
    )
    name = html.escape(_visible(branch.piece))
    star = '<b title="most probable path">★</b> ' if found else ""
    return (
        f'<i aria-hidden="true" style="{edge}"></i><span style="{box}">{star}<b>{name}</b> '
        f'<span style="{_ONE_LINE}">{results.percent(branch.probability)}</span>{path}</span>'
    )


def _visible(piece: str) -> str:
    return piece.strip() or piece.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣")
