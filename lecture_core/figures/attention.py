"""Who may look at whom: an attention mask as a small picture. Draws what it is given; knows no model.

SVG and not Plotly: a page shows five of these, they hold no numbers to read off, and they take the page's own colours.
"""

import html
from collections.abc import Sequence

import numpy as np

from lecture_core.figures.template import FAMILY_COLOURS

CELL, GAP, LETTER = 12, 1.5, 6.4  # pixels; LETTER is the width of a character of a label
LABELLED = 24  # more tokens than this are drawn without their names
LABEL_LETTERS = 12


def attention_grid(
    grid: np.ndarray, rows: Sequence[str], columns: Sequence[str], *, title: str, family: str = "encoder"
) -> str:
    """Return an SVG picture of a mask: a filled cell where the row's token may look at the column's.

    Args:
        grid: (R, C) bool.
        rows: tokens that look, top to bottom.
        columns: tokens looked at, left to right.
        title: what a screen reader says before the shares.
    """
    labelled = max(len(rows), len(columns)) <= LABELLED
    left = LETTER * min(LABEL_LETTERS, max(map(len, rows), default=0)) + 6 if labelled else 0
    top = LETTER * min(LABEL_LETTERS, max(map(len, columns), default=0)) + 6 if labelled else 0
    size = CELL if labelled else CELL / 2
    width, height = left + size * len(columns), top + size * len(rows)
    spoken = f"{title}: {int(grid.sum())} of {grid.size} pairs allowed, {len(rows)} rows, {len(columns)} columns"
    parts = [
        f'<svg role="img" aria-label="{html.escape(spoken)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" style="max-width:100%;height:auto" '
        f'font-family="monospace" font-size="10.5" fill="currentColor">'
    ]
    parts += [_cell(left + size * c, top + size * r, size, bool(grid[r, c]), family) for r, c in np.ndindex(grid.shape)]
    if labelled:
        for r, name in enumerate(rows):
            parts.append(
                f'<text x="{left - 4:.1f}" y="{top + size * r + 9.5:.1f}" text-anchor="end">{_short(name)}</text>'
            )
        for c, name in enumerate(columns):
            x, y = left + size * c + 9.5, top - 4
            parts.append(f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate(-90 {x:.1f} {y:.1f})">{_short(name)}</text>')
    return "".join([*parts, "</svg>"])


def _cell(x: float, y: float, size: float, allowed: bool, family: str) -> str:
    side = size - GAP
    look = f'fill="{FAMILY_COLOURS[family]}"' if allowed else 'fill="none" stroke="currentColor" stroke-opacity="0.25"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" rx="1.5" {look}/>'


def _short(name: str) -> str:
    shown = name if len(name) <= LABEL_LETTERS else name[: LABEL_LETTERS - 1] + "\u2026"
    return html.escape(shown)
