"""Charts of over-training: tokens per parameter of published models, and cost over size for a wanted quality."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, fixed_margins, log_axis
from lecture_core.overtraining import Plan, Prices, Rates, plan, smallest
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_laws import Law
from lecture_core.scaling_models import ModelPoint

_GREY, _BLUE, _RED = FAMILY_COLOURS["published"], FAMILY_COLOURS["encoder"], FAMILY_COLOURS["decoder"]
_GREEN = FAMILY_COLOURS["text_to_text"]
RULE = 20.0
"""The lecture's rule of thumb, tokens per parameter."""


def tokens_per_parameter(models: Sequence[ModelPoint], *, height: int = 420) -> go.Figure:
    """Draw tokens per parameter over size, one line a family; a mixture of experts twice: of all and of active ones."""
    figure = go.Figure(layout=base_layout(height=height))
    for family in dict.fromkeys(model.family for model in models):
        points = [(m.parameters, m.tokens / m.parameters, m.name) for m in models if m.family == family]
        points += [
            (m.active_parameters, m.tokens / m.active_parameters, f"{m.name}, active parameters")
            for m in models
            if m.family == family and m.is_mixture
        ]
        points.sort()
        figure.add_trace(
            go.Scatter(
                x=[p[0] for p in points],
                y=[p[1] for p in points],
                mode="lines+markers+text",
                text=[family] + [""] * (len(points) - 1),
                textposition="top right" if len(points) > 1 else "bottom center",
                line={"color": _GREY, "width": 1.5},
                marker={"size": 9, "color": _GREY},
                hovertext=[f"{name}: {three_digits(ratio)} tokens a parameter" for _, ratio, name in points],
                hoverinfo="text",
            )
        )
    figure.add_hline(RULE, line={"dash": "dash", "color": _BLUE})
    figure.add_annotation(
        x=0.01, xref="paper", xanchor="left", y=np.log10(RULE), yanchor="top", text="the rule: 20", showarrow=False
    )
    sizes = [size for m in models for size in (m.parameters, m.active_parameters)]
    ratios = [m.tokens / size for m in models for size in (m.parameters, m.active_parameters)]
    figure.update_xaxes(title="parameters", **log_axis(min(sizes) / 1.5, max(sizes) * 2, count))
    figure.update_yaxes(
        title="training tokens per parameter", **log_axis(min(ratios) / 2, max(ratios) * 2, three_digits)
    )
    return figure


def cost_by_size(
    loss: float,
    served: float,
    law: Law,
    prices: Prices,
    best: Plan,
    plain: Plan,
    *,
    unit: str,
    here: tuple[Rates, Plan] | None = None,
    height: int = 400,
) -> go.Figure:
    """Draw training, serving and their sum over the model's size, all models of the same loss.

    Args:
        best: the cheapest of them.
        plain: the one that is cheapest to train.
        unit: of the cost, for the axis.
        here: prices with the serving as measured on this machine, and the model that is then cheapest.
    """
    ends = [best, plain, *([here[1]] if here else [])]
    low = smallest(loss, law)
    margin = min(0.04, *((end.parameters / low - 1) / 2 for end in ends))  # at `low` itself no tokens are enough
    first = low * (1 + margin)
    sizes = np.geomspace(first, max(plain.parameters * 4, low * 12), 90)
    plans = [plan(float(n), loss, served, law, prices) for n in sizes]
    figure = go.Figure(layout=base_layout(height=height))
    _line(figure, plans, "training", [p.training for p in plans], _BLUE, "dash", unit)
    _line(figure, plans, "serving", [p.serving for p in plans], _GREY, "dot", unit, below=0.99)
    _line(figure, plans, "both", [p.cost for p in plans], _RED, "solid", unit)
    top = 3 * max(best.cost, plain.cost)
    if here:
        measured = [plan(float(n), loss, served, law, here[0]) for n in sizes]
        _as_measured(figure, measured, here[1], unit)
        top = max(top, 2 * here[1].cost, 1.5 * measured[-1].cost)
    _star(figure, best, "cheapest in all", "star", _RED, "bottom center")
    _star(figure, plain, "cheapest to train", "circle", _RED, "top center")
    lowest = max(min(p.training for p in plans) / 2, top * 1e-5)
    bottom = min(lowest, *(end.cost / 4 for end in ends))
    figure.update_xaxes(title="parameters, all of the same loss", **log_axis(float(sizes[0]), float(sizes[-1]), count))
    figure.update_yaxes(title=f"cost ({unit})", **log_axis(bottom, top, count))
    return fixed_margins(figure)


def _as_measured(figure: go.Figure, plans: Sequence[Plan], best: Plan, unit: str) -> None:
    """Add what serving, and all of it, costs at the speed of this machine."""
    _line(figure, plans, "serving, as measured", [p.serving for p in plans], _GREEN, "dot", unit, below=0.5)
    _line(figure, plans, "both, as measured", [p.cost for p in plans], _GREEN, "solid", unit)
    _star(figure, best, "cheapest, served here", "star", _GREEN, "top right")


def _line(
    figure: go.Figure,
    plans: Sequence[Plan],
    name: str,
    costs: Sequence[float],
    colour: str,
    dash: str,
    unit: str,
    *,
    below: float | None = None,
) -> None:
    sizes = [p.parameters for p in plans]
    said = [f"{name}: {three_digits(v)} {unit}, {count(n)} parameters" for n, v in zip(sizes, costs, strict=True)]
    line = {"color": colour, "dash": dash, "width": 3 if dash == "solid" else 2}
    figure.add_trace(go.Scatter(x=sizes, y=costs, mode="lines", line=line, hovertext=said, hoverinfo="text"))
    end = -1 if below is None else int(below * len(sizes))  # where the name stands, above or below its line
    figure.add_annotation(
        x=np.log10(sizes[end]),
        y=np.log10(max(costs[end], 1e-30)),
        text=name,
        showarrow=False,
        xanchor="right" if end in (-1, len(sizes) - 1) else "left",
        yanchor="bottom" if below is None else "top",
        font={"color": colour},
    )


def _star(figure: go.Figure, point: Plan, label: str, symbol: str, colour: str, place: str) -> None:
    figure.add_trace(
        go.Scatter(
            x=[point.parameters],
            y=[point.cost],
            mode="markers+text",
            text=[label],
            textposition=place,
            marker={"size": 13, "symbol": symbol, "color": colour},
            hovertext=f"{label}: {count(point.parameters)} parameters, {count(point.tokens)} tokens",
            hoverinfo="text",
        )
    )
