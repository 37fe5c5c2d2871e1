"""Who may look at whom: an attention mask as a small picture. Draws what it is given; knows no model.

HTML and not Plotly: a page shows five of these, they hold no numbers to read off, and they take the page's own colours.
"""

import html
from collections.abc import Sequence

import numpy as np

from lecture_core.figures.template import FAMILY_COLOURS

LABELLED = 24  # more tokens than this are drawn without their names
LABEL_LETTERS = 12
WIDTH, PLACE = 150, 225  # pixels of the cells together, and with the names: a third of a page, and a phone
_LETTER, _LINE = 6.7, 10  # pixels of a name; columns closer together have no room for theirs
_FRAME = (
    '<div role="img" aria-label="{spoken}" style="display:inline-grid;grid-template-columns:{columns};gap:{gap}px;'
    "align-items:center;font:11px/1 var(--st-code-font,monospace);max-width:100%;overflow-x:auto;"
    'padding:5px 5px 5px 0">'
)
_COLUMN_NAME = '<span style="writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap">{name}</span>'
_ROW_NAME = '<span style="text-align:right;padding-right:4px;white-space:nowrap">{name}</span>'
_CELL = '<i style="height:{height}px;border-radius:2px;{look}"></i>'


def attention_grid(
    grid: np.ndarray, rows: Sequence[str], columns: Sequence[str], *, title: str, family: str = "encoder"
) -> str:
    """Return a mask as HTML: a filled cell where the row's token may look at the column's.

    Args:
        grid: (R, C) bool.
        rows: tokens that look, top to bottom.
        columns: tokens looked at, left to right.
        title: what a screen reader says before the counts.
    """
    labelled = max(len(rows), len(columns)) <= LABELLED
    beside = _LETTER * max((min(len(name), LABEL_LETTERS) for name in rows), default=0) + 11 if labelled else 0
    pitch = int(min(WIDTH, PLACE - beside) / max(1, len(columns)))
    named, gap = labelled and pitch >= _LINE, 2 if pitch >= _LINE else 1
    size = max(2, min(12, pitch - gap))
    height = max(size, _LINE - gap) if labelled else size
    spoken = f"{title}: {int(grid.sum())} of {grid.size} pairs allowed, {len(rows)} rows, {len(columns)} columns"
    names = "auto " if labelled else ""
    parts = [_FRAME.format(spoken=html.escape(spoken), columns=f"{names}repeat({len(columns)},{size}px)", gap=gap)]
    if named:
        parts += ["<span></span>", *(_COLUMN_NAME.format(name=_short(name)) for name in columns)]
    looks = ("box-shadow:inset 0 0 0 1px rgba(128,128,128,.35)", f"background:{FAMILY_COLOURS[family]}")
    for name, allowed in zip(rows, grid, strict=True):
        if labelled:
            parts.append(_ROW_NAME.format(name=_short(name)))
        parts += [_CELL.format(height=height, look=looks[int(cell)]) for cell in allowed]
    return "".join([*parts, "</div>"])


def _short(name: str) -> str:
    shown = name if len(name) <= LABEL_LETTERS else name[: LABEL_LETTERS - 1] + "\u2026"
    return html.escape(shown)
