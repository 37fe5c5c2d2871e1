"""Two sentences against each other: every word of the vocabulary as a point, the telling ones by name."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lecture_core.contrast import Difference
from lecture_core.engine.results import VocabularyAtMask
from lecture_core.figures.template import FAMILY_COLOURS, base_layout

LOWEST = -8.0  # log10 of a probability; those below are drawn at the edge
POINTS = 1200  # words drawn one by one; the density behind them holds the whole vocabulary
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
    for side, colour in enumerate(_SIDES):
        rows = [row for row in named if (row.second > row.first) == bool(side)]
        figure.add_trace(
            go.Scatter(
                x=[max(LOWEST, math.log10(row.first)) for row in rows],
                y=[max(LOWEST, math.log10(row.second)) for row in rows],
                text=[row.word for row in rows],
                customdata=[(row.first, row.second) for row in rows],
                mode="markers+text",
                textposition="top left" if side else "bottom right",
                marker={"size": 8, "color": colour, "symbol": "diamond" if side else "circle"},
                hovertemplate=_HOVER,
            )
        )
    ticks = list(range(int(LOWEST), 1, 2))
    axis = {"tickvals": ticks, "ticktext": ["1" if t == 0 else f"1e{t}" for t in ticks], "range": [LOWEST, 0.2]}
    figure.update_xaxes(title="probability in the first sentence", **axis)
    figure.update_yaxes(title="probability in the second", **axis)
    return figure
