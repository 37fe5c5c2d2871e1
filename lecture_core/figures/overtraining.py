"""Charts of over-training: tokens per parameter of published models, and cost over size for a wanted quality."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.overtraining import Plan, Prices, plan, smallest
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_laws import Law
from lecture_core.scaling_models import ModelPoint

_GREY, _BLUE, _RED = FAMILY_COLOURS["published"], FAMILY_COLOURS["encoder"], FAMILY_COLOURS["decoder"]
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
    loss: float, served: float, law: Law, prices: Prices, best: Plan, plain: Plan, *, unit: str, height: int = 400
) -> go.Figure:
    """Draw training, serving and their sum over the model's size, all models of the same loss.

    Args:
        best: the cheapest of them.
        plain: the one that is cheapest to train.
        unit: of the cost, for the axis.
    """
    low = smallest(loss, law)
    sizes = np.geomspace(low * 1.04, max(plain.parameters * 4, low * 12), 90)
    plans = [plan(float(n), loss, served, law, prices) for n in sizes]
    figure = go.Figure(layout=base_layout(height=height))
    lines = (
        ("training", [p.training for p in plans], _BLUE, "dash"),
        ("serving", [p.serving for p in plans], _GREY, "dot"),
        ("both", [p.cost for p in plans], _RED, "solid"),
    )
    for name, y, colour, dash in lines:
        figure.add_trace(
            go.Scatter(
                x=sizes,
                y=y,
                mode="lines",
                line={"color": colour, "dash": dash, "width": 3 if name == "both" else 2},
                hovertext=[
                    f"{name}: {three_digits(v)} {unit}, {count(n)} parameters" for n, v in zip(sizes, y, strict=True)
                ],
                hoverinfo="text",
            )
        )
        figure.add_annotation(
            x=np.log10(sizes[-1]), y=np.log10(max(y[-1], 1e-30)), text=name, xanchor="right", yanchor="bottom",
            showarrow=False, font={"color": colour},
        )  # fmt: skip
    for point, label, symbol in ((best, "cheapest in all", "star"), (plain, "cheapest to train", "circle")):
        figure.add_trace(
            go.Scatter(
                x=[point.parameters],
                y=[point.cost],
                mode="markers+text",
                text=[label],
                textposition="bottom center" if symbol == "star" else "top center",
                marker={"size": 13, "symbol": symbol, "color": _RED},
                hovertext=f"{label}: {count(point.parameters)} parameters, {count(point.tokens)} tokens",
                hoverinfo="text",
            )
        )
    top = 3 * max(plain.cost, best.cost)
    bottom = min(max(plans[-1].serving, top * 1e-4), best.cost) / 4
    figure.update_xaxes(title="parameters, all of the same loss", **log_axis(float(sizes[0]), float(sizes[-1]), count))
    figure.update_yaxes(title=f"cost ({unit})", **log_axis(bottom, top, three_digits))
    return figure
