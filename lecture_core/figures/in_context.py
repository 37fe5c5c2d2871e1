"""The in-context learning curve: log-probability of each example's answer over its position in the prompt."""

import itertools
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout
from lecture_core.in_context import CurvePoint

_LOOKS = {
    "true": (FAMILY_COLOURS["decoder"], "solid", "circle", "●"),
    "shuffled": (FAMILY_COLOURS["encoder"], "dash", "square", "■"),
    "format": (FAMILY_COLOURS["text_to_text"], "dashdot", "diamond", "◆"),
    "letters": (FAMILY_COLOURS["published"], "dot", "x", "✕"),
}
"""Colour, line, mark, and the mark as a letter, for the name that may not stand beside its line."""
_NAME_HEIGHT = 22  # pixels that a name takes
_AXES = 80  # pixels of the height that are not plot
_LETTER, _NARROW = 7.5, 240  # pixels: a letter's width, the plot's on a phone


def in_context_curve(
    curves: Mapping[str, Sequence[CurvePoint]], titles: Mapping[str, str], *, height: int = 420
) -> go.Figure:
    """Draw one line a condition with its 95 % band; its name stands near its end, clear of all lines and names.

    Args:
        curves: points by condition.
        titles: words for each condition.
    """
    figure = go.Figure(layout=base_layout(height=height))
    for name, points in curves.items():
        colour, dash, symbol, _ = _LOOKS[name]
        x = [p.position for p in points]
        if points and points[0].n > 1:
            figure.add_trace(_band(points, colour))
        figure.add_trace(
            go.Scatter(
                x=x,
                y=[p.mean for p in points],
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 2.5},
                marker={"size": 6, "symbol": symbol},
                hovertemplate=f"{titles[name]}: example %{{x}}, %{{y:.2f}} nats a token<extra></extra>",
            )
        )
    longest = max((len(points) for points in curves.values()), default=1)
    figure.update_xaxes(title="position of the example in the prompt", range=[0.5, longest + 0.5])
    figure.update_yaxes(title="log-probability of its answer (nats a token)")
    if curves:
        _name_curves(figure, curves, titles, (height - _AXES) / _NAME_HEIGHT)
    return figure


def _band(points: Sequence[CurvePoint], colour: str) -> go.Scatter:
    x = [p.position for p in points]
    return go.Scatter(
        x=[*x, *reversed(x)],
        y=[*(p.high for p in points), *(p.low for p in reversed(points))],
        fill="toself",
        fillcolor=colour,
        opacity=0.15,
        line={"width": 0},
        hoverinfo="skip",
    )


def _name_curves(
    figure: go.Figure, curves: Mapping[str, Sequence[CurvePoint]], titles: Mapping[str, str], rows: float
) -> None:
    """Write each curve's name at the right, the highest one's above it, the others' in the next free place below.

    Sets the range of the y-axis, so that all names have room.

    Args:
        rows: names that fit above each other.
    """
    every = [point for points in curves.values() for point in points]
    low, high = min(p.low for p in every), max(p.high for p in every)
    row = (high - low or 1.0) / (rows - len(curves))  # of the axis, which gets room for each name
    taken: list[float] = []
    for name, points in sorted(curves.items(), key=lambda pair: -pair[1][-1].mean):
        text = f"{titles[name]} {_LOOKS[name][3]}"
        end, reach = points[-1], len(points) * min(1.0, _LETTER * len(text) / _NARROW)
        crossed = [p.mean for p in every if p.position >= end.position - reach]
        step = -row / 4 if taken else row / 4
        free = (
            y
            for y in (end.mean + i * step for i in itertools.count(4))
            if all(abs(y - other) >= 0.75 * row for other in crossed) and all(abs(y - o) >= row for o in taken)
        )
        taken.append(next(free))
        look = {"showarrow": False, "xanchor": "right", "yanchor": "middle", "font": {"color": _LOOKS[name][0]}}
        figure.add_annotation(x=end.position, y=taken[-1], text=text, **look)
    figure.update_yaxes(range=[min([low, *taken]) - 0.6 * row, max([high, *taken]) + 0.6 * row])
