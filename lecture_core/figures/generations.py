"""GPT, GPT-2, GPT-3: parameters and training tokens of each, as published. Lecture: from GPT to GPT-3."""

import pandas as pd
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.quantities import count

_SERIES = {
    "parameters": ("parameters", "solid", "circle", "bottom right"),
    "training_tokens": ("tokens read", "dot", "square-open", "top left"),
}
"""Column -> words, line, marker, place of the numbers."""


def generations(frame: pd.DataFrame, *, height: int = 340) -> go.Figure:
    """Draw size and training tokens on one log scale; what was not published is left out.

    Args:
        frame: columns model, year, parameters and training_tokens (counts), one row a generation.
        height: in pixels.
    """
    known = frame[frame["parameters"].notna()]
    more = {column: known[column].iloc[-1] / known[column].iloc[-2] for column in _SERIES}
    title = (
        f"From {known['model'].iloc[-2]} to {known['model'].iloc[-1]}: {more['parameters']:.0f} times the parameters, "
    )
    title += f"{more['training_tokens']:.0f} times the text"
    figure = go.Figure(layout=base_layout(height=height, title=title))
    for column, (words, dash, symbol, place) in _SERIES.items():
        rows = known[known[column].notna()]
        grey = FAMILY_COLOURS["published"]
        figure.add_trace(
            go.Scatter(
                x=_names(rows),
                y=rows[column],
                mode="lines+markers+text",
                text=_labels(rows[column].tolist(), words),
                textposition=place,
                line={"dash": dash, "color": grey, "width": 2},
                marker={"symbol": symbol, "size": 11, "color": grey},
                hovertext=[f"{m}: {count(v)} {words}" for m, v in zip(rows["model"], rows[column], strict=True)],
                hoverinfo="text",
                cliponaxis=False,
            )
        )
    figure.update_xaxes(type="category", categoryarray=_names(known), range=[-0.4, len(known) - 0.5])
    figure.update_yaxes(title="count", **log_axis(3e7, 2e12, count))
    return figure


def _labels(values: list[float], words: str) -> list[str]:
    """Numbers at the points; the last but one also says what they count."""
    return [f"{count(v)} {words}" if i == len(values) - 2 else count(v) for i, v in enumerate(values)]


def _names(rows: pd.DataFrame) -> list[str]:
    return [f"{model}<br>{year:.0f}" for model, year in zip(rows["model"], rows["year"], strict=True)]
