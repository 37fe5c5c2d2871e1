"""Charts of the Chinchilla lab: where the loss comes from, isoFLOP curves, and the plane of parameters and tokens.

Lecture: Scaling laws. Plain data in, a plotly figure out; losses are in nats per token.
"""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, fixed_margins, log_axis
from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_laws import ComputeOptimal, IsoFlop, Law, frontier, isoflop_curve, predict_loss
from lecture_core.scaling_models import ModelPoint
from lecture_core.scaling_report import Split, loss_terms

BEST = "#2389CA"  # blue that stands out on a white and on a dark page
YOURS = FAMILY_COLOURS["decoder"]
PUBLISHED = FAMILY_COLOURS["published"]
TERM_COLOURS = ("#E69F00", "#56B4E9")
BUDGET_STEPS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Budgets of the isoFLOP curves, as multiples of the chosen one."""
LABEL_POSITIONS = {
    "LaMDA": "bottom left",
    "GPT-3": "middle left",
    "Jurassic": "top left",
    "Gopher": "top right",
    "MT-NLG": "bottom right",
    "Chinchilla": "bottom right",
    "LLaMA": "middle left",
    "Llama-3": "bottom left",
    "Qwen-2.5": "top right",
    "DeepSeek-V3": "top center",
}
"""Where a family's name stands, so that none covers another, on a phone too."""

_DARK_TEXT = "#1B2733"
_GRID_POINTS = 48
_DEPTH = [[0.0, "rgba(35, 137, 202, 0.45)"], [1.0, "rgba(35, 137, 202, 0.02)"]]
"""Low loss is deep blue, high loss fades into the page: right on a light and on a dark page."""


def loss_above_floor(split: Split, *, height: int = 150) -> go.Figure:
    """Draw what a split and the best one lose above the floor E: by too few parameters, by too few tokens."""
    rows = {"best": loss_terms(split.best.parameters, split.best.tokens, split.law), "yours": split.terms}
    parts = {
        "A/N<sup>α</sup>": [terms.from_parameters for terms in rows.values()],
        "B/D<sup>β</sup>": [terms.from_tokens for terms in rows.values()],
    }
    chart = go.Figure(layout=base_layout(height=height, title=f"Loss above the floor E = {split.law.E:.3f}"))
    for (name, amounts), colour in zip(parts.items(), TERM_COLOURS, strict=True):
        chart.add_trace(_bar(name, amounts, list(rows), colour))
    totals = [sum(amounts) for amounts in zip(*parts.values(), strict=True)]
    for row, total in zip(rows, totals, strict=True):
        chart.add_annotation(x=total, y=row, text=f"{total:.3f}", xanchor="left", showarrow=False)
    chart.update_layout(barmode="stack", bargap=0.25, uniformtext={"mode": "hide", "minsize": 12})
    chart.update_xaxes(visible=False, range=[0, 1.25 * max(totals)])
    chart.update_yaxes(showline=False, ticks="", showgrid=False, type="category")
    return fixed_margins(chart, left=48, below=8)


def _bar(name: str, amounts: Sequence[float], rows: Sequence[str], colour: str) -> go.Bar:
    return go.Bar(
        x=list(amounts),
        y=list(rows),
        orientation="h",
        marker={"color": colour},
        text=[f"{name} {amount:.3f}" for amount in amounts],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": _DARK_TEXT},
        hovertemplate=f"{name} = %{{x:.4f}} nats per token<extra></extra>",
    )


def isoflop_curves(split: Split, *, height: int = 380) -> go.Figure:
    """Draw the loss over parameters for five budgets, the minimum of each marked, and the split on its curve."""
    curves = [isoflop_curve(split.flops * step, split.law, decades=4) for step in BUDGET_STEPS]
    lowest, highest = curves[-1].best.loss, curves[0].best.loss
    room = max(highest - lowest, 0.01)
    title = "Every budget has a best size, and it grows with the budget"
    chart = go.Figure(layout=base_layout(height=height, title=title))
    chart.add_traces(
        [
            *(_curve(c, depth=0.3 * room, strong=math.isclose(c.flops, split.flops)) for c in curves),
            _minima(curves),
            _your_split(split, split.terms.loss, label_at="bottom center"),
        ]
    )
    sizes = [
        split.parameters / 3,
        split.parameters * 3,
        *(size for trace in chart.data for size in (trace.x[0] / 1.5, trace.x[-1] * 4)),
    ]
    chart.update_xaxes(title_text="parameters N", **log_axis(min(sizes), max(sizes), count))
    top = max(highest + 0.35 * room, min(split.terms.loss + 0.1 * room, highest + 2 * room))
    chart.update_yaxes(title_text="loss (nats per token)", range=[lowest - 0.15 * room, top])
    return fixed_margins(chart)


def _curve(curve: IsoFlop, *, depth: float, strong: bool) -> go.Scatter:
    near = np.flatnonzero(curve.loss <= curve.best.loss + depth)
    tokens, size, loss = (values[near] for values in (curve.tokens, curve.parameters, curve.loss))
    flops = power(curve.flops)
    return go.Scatter(
        x=size,
        y=loss,
        customdata=np.stack([tokens, tokens / size], axis=-1),
        mode="lines+text",
        line={"color": BEST if strong else PUBLISHED, "width": 3.5 if strong else 1.5},
        text=[""] * (len(near) - 1) + [flops],
        textposition="top center",
        hovertemplate=(
            f"{flops} FLOPs<br>N = %{{x:.3s}}, D = %{{customdata[0]:.3s}}<br>"
            "%{customdata[1]:.3s} tokens per parameter<br>loss %{y:.4f}<extra></extra>"
        ),
    )


def _minima(curves: Sequence[IsoFlop]) -> go.Scatter:
    bests = [curve.best for curve in curves]
    return go.Scatter(
        x=[best.parameters for best in bests],
        y=[best.loss for best in bests],
        mode="lines+markers+text",
        line={"color": BEST, "dash": "dot", "width": 2},
        marker={"color": BEST, "size": 10},
        text=[count(best.parameters) for best in bests],
        textposition="top right",
        hovertext=[
            f"best split of {power(curve.flops)} FLOPs<br>N = {count(best.parameters)}, D = {count(best.tokens)}<br>"
            f"{three_digits(best.tokens_per_parameter)} tokens per parameter<br>loss {best.loss:.4f}"
            for curve, best in zip(curves, bests, strict=True)
        ],
        hoverinfo="text",
    )


def _your_split(split: Split, y: float, *, label_at: str) -> go.Scatter:
    return go.Scatter(
        x=[split.parameters],
        y=[y],
        mode="markers+text",
        marker={"color": YOURS, "size": 14, "symbol": "diamond", "line": {"color": "white", "width": 1.5}},
        text=["yours"],
        textposition=label_at,
        hovertext=f"your split<br>{_describe(split.parameters, split.tokens)}<br>loss {split.terms.loss:.4f}",
        hoverinfo="text",
    )


def loss_plane(split: Split, models: Sequence[ModelPoint], *, height: int = 480) -> go.Figure:
    """Draw the loss over parameters and tokens with the best splits, lines of equal compute and published models."""
    x, y = plane(split, models)
    title = "Which models lie on the line of best splits?"
    chart = go.Figure(layout=base_layout(height=height, title=title))
    chart.add_trace(_contours(split.law, x, y))
    for flops in _budgets(x, y):
        chart.add_trace(_equal_compute(flops, x, y))
    chart.add_trace(_frontier(split.law, x, y))
    for family in dict.fromkeys(model.family for model in models):
        chart.add_trace(_family([model for model in models if model.family == family]))
    chart.add_trace(_your_split(split, split.tokens, label_at="top center"))
    chart.update_xaxes(title_text="parameters N", **log_axis(*x, count))
    chart.update_yaxes(title_text="training tokens D", **log_axis(*y, count))
    return fixed_margins(chart)


def plane(split: Split, models: Sequence[ModelPoint]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of parameters and of tokens between which a split and the models lie."""
    sizes = [split.parameters, *(model.parameters for model in models)]
    tokens = [split.tokens, *(model.tokens for model in models)]
    return (min(sizes) / 2.5, max(sizes) * 6), (min(tokens) / 6, max(tokens) * 4)


def _contours(law: Law, x: tuple[float, float], y: tuple[float, float]) -> go.Contour:
    n, d = np.geomspace(*x, _GRID_POINTS), np.geomspace(*y, _GRID_POINTS)
    loss = np.asarray(predict_loss(n[None, :], d[:, None], law))  # (D, N)
    step = _round_step((float(loss.max()) - float(loss.min())) / 9)
    return go.Contour(
        x=n,
        y=d,
        z=loss,
        colorscale=_DEPTH,
        showscale=False,
        contours={
            "start": step * math.ceil(loss.min() / step),
            "end": float(loss.max()),
            "size": step,
            "coloring": "heatmap",  # fills would lie over each other and add up
            "showlabels": True,
            "labelfont": {"size": 14, "color": PUBLISHED},
        },
        line={"width": 0.8, "color": PUBLISHED},
        hovertemplate="N = %{x:.3s}, D = %{y:.3s}<br>loss %{z:.3f}<extra></extra>",
    )


def _round_step(step: float) -> float:
    exponent = 10.0 ** math.floor(math.log10(max(step, 1e-6)))
    return next(m * exponent for m in (1, 2, 5, 10) if m * exponent >= step)


def _budgets(x: tuple[float, float], y: tuple[float, float]) -> list[float]:
    first, last = math.ceil(math.log10(6 * x[0] * y[0])), math.floor(math.log10(6 * x[1] * y[1]))
    return [10.0**exponent for exponent in range(first, last + 1) if exponent % 2 == 0]


def _equal_compute(flops: float, x: tuple[float, float], y: tuple[float, float]) -> go.Scatter:
    low, high = max(x[0], flops / 6 / y[1]), min(x[1], flops / 6 / y[0])
    return go.Scatter(
        x=[low, high],
        y=[flops / 6 / low, flops / 6 / high],
        mode="lines+text",
        line={"color": PUBLISHED, "dash": "dot", "width": 1.2},
        text=["", power(flops)],
        textposition="top left",
        hovertext=f"{power(flops)} FLOPs",
        hoverinfo="text",
    )


def _frontier(law: Law, x: tuple[float, float], y: tuple[float, float]) -> go.Scatter:
    n, d, loss = frontier(np.geomspace(6 * x[0] * y[0], 6 * x[1] * y[1], 41), law)
    seen = np.flatnonzero((x[0] <= n) & (n <= x[1]) & (y[0] <= d) & (d <= y[1]))
    inside = [ComputeOptimal(float(n[i]), float(d[i]), float(loss[i])) for i in seen]
    return go.Scatter(
        x=[best.parameters for best in inside],
        y=[best.tokens for best in inside],
        mode="lines+text",
        line={"color": BEST, "width": 3},
        text=["best splits" if i == len(inside) // 8 else "" for i in range(len(inside))],
        textposition="middle right",
        hovertext=[f"best split<br>{_describe(b.parameters, b.tokens)}<br>loss {b.loss:.4f}" for b in inside],
        hoverinfo="text",
    )


def _family(models: Sequence[ModelPoint]) -> go.Scatter:
    points = [(m.parameters, m.tokens, m.name + (" (total)" if m.is_mixture else ""), m) for m in models]
    points += [(m.active_parameters, m.tokens, f"{m.name} (active)", m) for m in models if m.is_mixture]
    points.sort(key=lambda point: point[0])
    family = models[0].family
    position = LABEL_POSITIONS.get(family, "top center")
    labelled = len(points) - 1 if position == "top center" else 0
    return go.Scatter(
        x=[point[0] for point in points],
        y=[point[1] for point in points],
        mode="lines+markers+text",
        line={"color": PUBLISHED, "width": 1.5},
        marker={
            "color": PUBLISHED,
            "size": 9,
            "symbol": ["circle-open" if name.endswith("(active)") else "circle" for _, _, name, _ in points],
            "line": {"color": "white", "width": 1},
        },
        text=[family if i == labelled else "" for i in range(len(points))],
        textposition=position,
        hovertext=[f"{name}<br>{_describe(n, d)}<br>{model.source}" for n, d, name, model in points],
        hoverinfo="text",
    )


def _describe(parameters: float, tokens: float) -> str:
    return (
        f"N = {count(parameters)}, D = {count(tokens)}<br>{three_digits(tokens / parameters)} tokens per parameter<br>"
        f"{power(6 * parameters * tokens)} FLOPs"
    )
