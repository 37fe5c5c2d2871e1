"""Charts of Chinchilla's three approaches, of a planned training, and of digits that matter.

Lecture: Chinchilla. Plain data in, a plotly figure out; losses are in nats per token.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_laws import Law, compute_optimal, isoflop_curve
from lecture_core.three_approaches import BestSizes, Profile, SizeCurve, TrainingRuns
from lecture_core.training_plan import TrainingPlan

BEST = "#2389CA"  # blue that stands out on a white and on a dark page
OLD = FAMILY_COLOURS["decoder"]
GREY = FAMILY_COLOURS["published"]
_THIN = {"color": GREY, "width": 1}


def _points(x: NDArray[np.float64], y: NDArray[np.float64], said: Sequence[str], colour: str, size: int) -> go.Scatter:
    marker = {"color": colour, "size": size}
    return go.Scatter(x=x, y=y, mode="markers", marker=marker, hovertext=list(said), hoverinfo="text")


def _said(runs: TrainingRuns) -> list[str]:
    rows = zip(runs.parameters, runs.tokens, runs.flops, runs.loss, strict=True)
    return [f"N = {count(n)}, D = {count(d)}<br>{power(c)} FLOPs<br>loss {loss:.3f}" for n, d, c, loss in rows]


def _joined(lines: Sequence[NDArray[np.float64]]) -> list[float | None]:
    """Return all lines as one with gaps: a browser draws one trace of forty lines much faster than forty traces."""
    return [value for line in lines for value in (*line.tolist(), None)]


def envelope(curves: Sequence[SizeCurve], best: BestSizes, runs: TrainingRuns, *, height: int = 380) -> go.Figure:
    """Draw approach 1: loss over compute, a curve a size, and the lowest curve at each compute."""
    chart = go.Figure(layout=base_layout(height=height, title="At each compute, one size is lowest"))
    flops, loss = _joined([curve.flops for curve in curves]), _joined([curve.loss for curve in curves])
    chart.add_trace(go.Scatter(x=flops, y=loss, mode="lines", line=_THIN, hoverinfo="skip"))
    chart.add_trace(_points(runs.flops, runs.loss, _said(runs), GREY, 5))
    said = [f"{power(c)} FLOPs: lowest at N = {count(n)}" for c, n in zip(best.flops, best.parameters, strict=True)]
    line = {"color": BEST, "width": 3}
    chart.add_trace(go.Scatter(x=best.flops, y=best.loss, mode="lines", line=line, hovertext=said, hoverinfo="text"))
    chart.update_xaxes(title_text="compute C (FLOPs)", **log_axis(1e18, 1.6e22, power))
    chart.update_yaxes(title_text="loss (nats per token)")
    return chart


def parabolas(profiles: Sequence[Profile], *, height: int = 380) -> go.Figure:
    """Draw approach 2: loss over size, a parabola a budget, its lowest point marked."""
    chart = go.Figure(layout=base_layout(height=height, title="At each budget, a parabola has its lowest point"))
    for profile in profiles:
        runs = profile.runs
        sizes = np.geomspace(runs.parameters.min(), runs.parameters.max(), 40)
        chart.add_trace(_points(runs.parameters, runs.loss, _said(runs), GREY, 6))
        label = [""] * 39 + [power(profile.name)]
        chart.add_trace(
            go.Scatter(
                x=sizes, y=profile.height(sizes), mode="lines+text", line={"color": GREY, "width": 1.5},
                text=label, textposition="middle right", hoverinfo="skip",
            )
        )  # fmt: skip
    best = np.array([profile.best for profile in profiles])
    lows = np.array([p.height(p.best) for p in profiles])
    said = [f"{power(p.name)} FLOPs: lowest at N = {count(p.best)}" for p in profiles]
    chart.add_trace(_points(best, lows, said, BEST, 11))
    chart.update_xaxes(title_text="parameters N", **log_axis(4e7, 1e11, count))
    chart.update_yaxes(title_text="loss (nats per token)")
    return chart


def parametric_fit(runs: TrainingRuns, law: Law, budgets: Sequence[float], *, height: int = 380) -> go.Figure:
    """Draw approach 3: the runs, and the formula's loss over size for each budget, its lowest point marked."""
    chart = go.Figure(layout=base_layout(height=height, title="One formula through all runs"))
    chart.add_trace(_points(runs.parameters, runs.loss, _said(runs), GREY, 5))
    curves = [isoflop_curve(flops, law, decades=1.7, points=61) for flops in budgets]
    for curve in curves:
        chart.add_trace(
            go.Scatter(
                x=curve.parameters, y=curve.loss, mode="lines+text", line={"color": GREY, "width": 1.5},
                text=[""] * 60 + [power(curve.flops)], textposition="middle right", hoverinfo="skip",
            )
        )  # fmt: skip
    bests = [curve.best for curve in curves]
    said = [
        f"{power(c.flops)} FLOPs: lowest at N = {count(b.parameters)}, D = {count(b.tokens)}"
        for c, b in zip(curves, bests, strict=True)
    ]
    sizes, losses = np.array([b.parameters for b in bests]), np.array([b.loss for b in bests])
    chart.add_trace(_points(sizes, losses, said, BEST, 11))
    chart.update_xaxes(title_text="parameters N", **log_axis(4e7, 1e11, count))
    chart.update_yaxes(title_text="loss (nats per token)", range=[2.0, 3.5])
    return chart


def digits_kept(laws: Sequence[tuple[str, Sequence[Law]]], flops: float, kept: int, *, height: int = 320) -> go.Figure:
    """Draw the best tokens per parameter over the digits of the exponents that are kept.

    Args:
        laws: name of a fit, and the fit with 1, 2, 3 ... digits.
        flops: the budget.
        kept: digits to mark.
    """
    title = "Tokens per parameter at the best split, by digits of α and β"
    chart = go.Figure(layout=base_layout(height=height, title=title))
    for (name, versions), colour in zip(laws, (OLD, BEST), strict=False):
        digits = list(range(1, len(versions) + 1))
        ratios = [compute_optimal(flops, law).tokens_per_parameter for law in versions]
        marks = [15 if digit == kept else 8 for digit in digits]
        label = [f"{name} {three_digits(ratios[-1])}" if digit == max(1, digits[-1] - 2) else "" for digit in digits]
        chart.add_trace(
            go.Scatter(
                x=digits, y=ratios, mode="lines+markers+text", line={"color": colour, "width": 2},
                marker={"size": marks, "color": colour}, text=label, textposition="top center",
                hovertext=[f"{name}, {d} digits: {three_digits(r)}" for d, r in zip(digits, ratios, strict=True)],
                hoverinfo="text",
            )
        )  # fmt: skip
    chart.update_xaxes(title_text="digits kept", dtick=1, range=[0.7, len(versions) + 0.7])
    chart.update_yaxes(title_text="tokens per parameter", **log_axis(0.05, 300, three_digits))
    return chart


def planned_size(plans: Sequence[TrainingPlan], chosen: TrainingPlan, reach: float, *, height: int = 340) -> go.Figure:
    """Draw the best size over compute with its interval, and the chosen budget on it.

    Args:
        plans: at budgets in order.
        chosen: the one to mark.
        reach: compute of the largest run of the fit, in FLOPs.
    """
    chart = go.Figure(layout=base_layout(height=height, title="Beyond the runs, the interval widens"))
    flops = [plan.flops for plan in plans]
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    chart.add_trace(go.Scatter(x=flops, y=[p.parameters.low for p in plans], **edge))
    band = {"fill": "tonexty", "fillcolor": "rgba(35, 137, 202, 0.25)"}
    chart.add_trace(go.Scatter(x=flops, y=[p.parameters.high for p in plans], **edge, **band))
    said = [f"{power(p.flops)} FLOPs<br>N = {count(p.parameters.low)} to {count(p.parameters.high)}" for p in plans]
    line = {"color": BEST, "width": 3}
    sizes = [p.parameters.value for p in plans]
    chart.add_trace(go.Scatter(x=flops, y=sizes, mode="lines", line=line, hovertext=said, hoverinfo="text"))
    size = chosen.parameters
    ends = {"array": [size.high - size.value], "arrayminus": [size.value - size.low]}
    chart.add_trace(
        go.Scatter(
            x=[chosen.flops], y=[size.value], mode="markers+text", error_y={"symmetric": False, **ends},
            marker={"color": OLD, "size": 13, "symbol": "diamond"}, text=[f"yours {count(size.value)}"],
            textposition="middle left", hoverinfo="skip",
        )
    )  # fmt: skip
    chart.add_vline(reach, line={"color": GREY, "dash": "dot"})
    chart.add_annotation(
        x=np.log10(reach), y=1, yref="paper", xanchor="right", yanchor="top", text="largest run", showarrow=False
    )
    first, last = min(flops[0], chosen.flops), max(flops[-1], chosen.flops)
    chart.update_xaxes(title_text="compute C (FLOPs)", **log_axis(first, last, power))
    lowest = min(p.parameters.low for p in (*plans, chosen))
    highest = max(p.parameters.high for p in (*plans, chosen))
    chart.update_yaxes(title_text="best size N (parameters)", **log_axis(lowest / 2, highest * 2, count))
    return chart
