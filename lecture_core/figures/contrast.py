"""Two sentences against each other: every word of the vocabulary as a point, the telling ones by name."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from lecture_core.contrast import Difference
from lecture_core.engine.results import VocabularyAtMask
from lecture_core.figures.template import FAMILY_COLOURS, base_layout

LOWEST = -8.0  # log10 of a probability; those below are drawn at the edge
POINTS = 1200  # words drawn one by one; the density behind them holds the whole vocabulary
PHONE_PLOT = 270  # pixels that the plot area is wide on a phone
_HIGHEST, _AXES_HEIGHT = 0.2, 90  # end of the axes; pixels of the chart's height outside the plot area
_SIDES = (FAMILY_COLOURS["encoder"], FAMILY_COLOURS["decoder"])
_GREY = [[0, "rgba(136, 136, 136, 0)"], [0.02, "rgba(136, 136, 136, 0.15)"], [1, "rgba(136, 136, 136, 0.75)"]]
_HOVER = "%{text}: %{customdata[0]:.2g} | %{customdata[1]:.2g}<extra></extra>"


def contrast(
    first: VocabularyAtMask, second: VocabularyAtMask, named: Sequence[Difference], *, height: int = 460
) -> go.Figure:
    """Draw each word at its probability in the first sentence (across) and in the second (up).

    Args:
        named: words to label; below the diagonal they belong to the first sentence, above to the second.
        height: in pixels.
    """
    figure = go.Figure(layout=base_layout(height=height))
    x, y = (np.maximum(LOWEST, np.asarray(side.logprobs) / math.log(10)) for side in (first, second))
    counts, edges, _ = np.histogram2d(x, y, bins=56, range=[[LOWEST, 0], [LOWEST, 0]])
    middles = (edges[:-1] + edges[1:]) / 2
    figure.add_trace(
        go.Heatmap(x=middles, y=middles, z=np.sqrt(counts.T), colorscale=_GREY, showscale=False, hoverinfo="skip")
    )
    likely = np.argsort(-np.maximum(x, y))[:POINTS]
    figure.add_trace(
        go.Scatter(
            x=x[likely],
            y=y[likely],
            text=[first.words[i] for i in likely],
            customdata=np.stack([10 ** x[likely], 10 ** y[likely]], axis=1),
            mode="markers",
            marker={"size": 3.5, "color": FAMILY_COLOURS["published"], "opacity": 0.6},
            hovertemplate=_HOVER,
        )
    )
    diagonal = {"dash": "dot", "color": FAMILY_COLOURS["published"]}
    figure.add_trace(go.Scatter(x=[LOWEST, 0], y=[LOWEST, 0], mode="lines", hoverinfo="skip", line=diagonal))
    shown = [(max(LOWEST, math.log10(row.first)), max(LOWEST, math.log10(row.second))) for row in named]
    placed = label_positions([row.word for row in named], shown, height=height)
    for side, colour in enumerate(_SIDES):
        mine = [i for i, row in enumerate(named) if (row.second > row.first) == bool(side)]
        figure.add_trace(
            go.Scatter(
                x=[shown[i][0] for i in mine],
                y=[shown[i][1] for i in mine],
                text=[named[i].word if placed[i] else "" for i in mine],
                hovertext=[named[i].word for i in mine],
                customdata=[(named[i].first, named[i].second) for i in mine],
                mode="markers+text",
                textposition=[placed[i] or "middle right" for i in mine],
                marker={"size": 8, "color": colour, "symbol": "diamond" if side else "circle"},
                hovertemplate=_HOVER.replace("%{text}", "%{hovertext}"),
            )
        )
    ticks = list(range(int(LOWEST), 1, 2))
    axis = {"tickvals": ticks, "ticktext": ["1" if t == 0 else f"1e{t}" for t in ticks], "range": [LOWEST, _HIGHEST]}
    figure.update_xaxes(title="probability in the first sentence", **axis)
    figure.update_yaxes(title="probability in the second", **axis)
    return figure


def label_positions(
    words: Sequence[str], points: Sequence[tuple[float, float]], *, height: int = 460, width: int = PHONE_PLOT
) -> list[str]:
    """Return where each point's label goes without covering a point or a label before it; empty where it fits nowhere.

    Args:
        points: x and y of each, as log10 of a probability.
        height: of the chart, in pixels.
        width: of the plot area, in pixels; labels that are apart on a narrow plot are apart on a wider one.
    """
    scale = width / (_HIGHEST - LOWEST), (height - _AXES_HEIGHT) / (_HIGHEST - LOWEST)
    at = [((x - LOWEST) * scale[0], (y - LOWEST) * scale[1]) for x, y in points]
    taken = [_Box(x - 3, y - 3, x + 3, y + 3) for x, y in at]
    positions = []
    for i, (word, (x, y)) in enumerate(zip(words, at, strict=True)):
        above = points[i][1] > points[i][0]
        boxes = {where: _label_box(word, x, y, where) for where in _places(above)}
        others = [*taken[:i], *taken[i + 1 :]]
        free = [w for w, b in boxes.items() if b.left >= 0 and b.right <= width and not any(map(b.covers, others))]
        positions.append(free[0] if free else "")
        taken += [boxes[free[0]]] if free else []
    return positions


def _places(above: bool) -> list[str]:
    """Where a label may go, the best first: away from the diagonal, on which most words lie."""
    across, up = ("right", "center", "left"), ("bottom", "middle", "top")
    order = (across[::-1], up[::-1]) if above else (across, up)
    return [f"{v} {h}" for h in order[0] for v in order[1] if (v, h) != ("middle", "center")]


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def covers(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


def _label_box(word: str, x: float, y: float, where: str) -> _Box:
    """The pixels of a label beside a marker, as plotly places it: a letter takes about 7."""
    long, (vertical, horizontal) = 7 * len(word), where.split()
    left = {"left": x - 4 - long, "center": x - long / 2, "right": x + 4}[horizontal]
    bottom = y + {"top": 3, "middle": -8, "bottom": -19}[vertical]
    return _Box(left, bottom, left + long, bottom + 16)
