"""The in-context learning curve: log-probability of each example's answer over its position in the prompt."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout
from lecture_core.in_context import CurvePoint

_LOOKS = {
    "true": (FAMILY_COLOURS["decoder"], "solid", "circle"),
    "shuffled": (FAMILY_COLOURS["encoder"], "dash", "square"),
    "format": (FAMILY_COLOURS["text_to_text"], "dashdot", "diamond"),
    "letters": (FAMILY_COLOURS["published"], "dot", "x"),
}


def in_context_curve(
    curves: Mapping[str, Sequence[CurvePoint]], titles: Mapping[str, str], *, height: int = 420
) -> go.Figure:
    """Draw one line a condition with its 95 % band, labelled at its end.

    Args:
        curves: points by condition.
        titles: words for each condition.
    """
    figure = go.Figure(layout=base_layout(height=height))
    longest = max((len(points) for points in curves.values()), default=1)
    lowest = min(curves, key=lambda name: curves[name][-1].mean) if len(curves) > 1 else ""
    for name, points in curves.items():
        colour, dash, symbol = _LOOKS[name]
        x = [p.position for p in points]
        if points and points[0].n > 1:
            figure.add_trace(
                go.Scatter(
                    x=[*x, *reversed(x)],
                    y=[*(p.high for p in points), *(p.low for p in reversed(points))],
                    fill="toself",
                    fillcolor=colour,
                    opacity=0.15,
                    line={"width": 0},
                    hoverinfo="skip",
                )
            )
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
        figure.add_annotation(
            x=points[-1].position,
            y=points[-1].mean,
            text=titles[name],
            xanchor="right",
            yanchor="top" if name == lowest else "bottom",
            yshift=-12 if name == lowest else 12,
            showarrow=False,
            font={"color": colour},
        )
    figure.update_xaxes(title="position of the example in the prompt", range=[0.5, longest + 0.5])
    figure.update_yaxes(title="log-probability of its answer (nats a token)")
    return figure
