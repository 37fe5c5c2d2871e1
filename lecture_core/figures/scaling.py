"""Charts of the Chinchilla lab: isoFLOP curves, and the plane of parameters and tokens.

Lecture: Scaling laws. Plain data in, a plotly figure out; losses are in nats per token.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, fixed_margins, log_axis
from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_laws import ComputeOptimal, IsoFlop, Law, frontier, isoflop_curve, predict_loss
from lecture_core.scaling_models import ModelPoint
from lecture_core.scaling_report import Split

BEST = "#2389CA"  # blue that stands out on a white and on a dark page
YOURS = FAMILY_COLOURS["decoder"]
PUBLISHED = FAMILY_COLOURS["published"]
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
    "Llama 2": "middle left",
    "Llama 3": "bottom left",
    "Qwen2.5": "top right",
    "DeepSeek-V3": "top center",
}
"""Where a family's name stands, so that none covers another, on a phone too."""

_GRID_POINTS, _CELLS = 48, 40
_NAMED_AT = 5.4e12  # tokens: between Llama 2's and Llama 3's, so that the names of lines stand clear of the models'
_DEPTH = [[0.0, "rgba(35, 137, 202, 0.45)"], [1.0, "rgba(35, 137, 202, 0.02)"]]
"""Low loss is deep blue, high loss fades into the page: right on a light and on a dark page."""


def isoflop_curves(split: Split, *, height: int = 380) -> go.Figure:
    """Draw the loss over parameters for five budgets, the minimum of each marked, and the split on its curve."""
    curves = [isoflop_curve(split.flops * step, split.law, decades=4) for step in BUDGET_STEPS]
    lowest, highest = curves[-1].best.loss, curves[0].best.loss
    room = max(highest - lowest, 0.01)
    near = {curve.flops: np.flatnonzero(curve.loss <= curve.best.loss + 0.3 * room) for curve in curves}
    ends = [(c.parameters[near[c.flops][-1]], c.loss[near[c.flops][-1]], power(c.flops)) for c in curves]
    title = "Every budget has a best size, and it grows with the budget"
    chart = go.Figure(layout=base_layout(height=height, title=title))
    others = [curve for curve in curves if not math.isclose(curve.flops, split.flops)]
    own = [curve for curve in curves if math.isclose(curve.flops, split.flops)]
    chart.add_traces(
        [
            _curves(others, near, {"color": PUBLISHED, "width": 1.5}),
            _curves(own, near, {"color": BEST, "width": 3.5}),
            _minima(curves),
            _names(ends),
            _your_split(split, split.terms.loss, label_at="bottom center"),
        ]
    )
    starts = [curve.parameters[near[curve.flops][0]] for curve in curves]
    sizes = [split.parameters / 3, split.parameters * 3, *(n / 1.5 for n in starts), *(n * 4 for n, _, _ in ends)]
    chart.update_xaxes(title_text="parameters N", **log_axis(min(sizes), max(sizes), count))
    top = max(highest + 0.35 * room, min(split.terms.loss + 0.1 * room, highest + 2 * room))
    chart.update_yaxes(title_text="loss (nats per token)", range=[lowest - 0.15 * room, top])
    return fixed_margins(chart)


def _curves(curves: Sequence[IsoFlop], near: Mapping[float, np.ndarray], line: dict[str, Any]) -> go.Scatter:
    """Several curves as one trace with gaps: every trace costs the browser time."""
    x, y, said = [], [], []
    for curve in curves:
        seen = near[curve.flops]
        tokens, size, loss = (values[seen] for values in (curve.tokens, curve.parameters, curve.loss))
        x += [*size.tolist(), None]
        y += [*loss.tolist(), None]
        said += [f"{_describe(n, d)}<br>loss {at:.4f}" for n, d, at in zip(size, tokens, loss, strict=True)]
        said.append("")
    return go.Scatter(x=x, y=y, mode="lines", line=line, hovertext=said, hoverinfo="text")


def _names(places: Sequence[tuple[float, float, str]], *, at: str | Sequence[str] = "top center") -> go.Scatter:
    """Words at points, in a trace of their own: empty words along a line cost the browser as much as full ones."""
    x, y, words = zip(*places, strict=True) if places else ((), (), ())
    return go.Scatter(x=x, y=y, text=words, mode="text", textposition=at, hoverinfo="skip")


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
    chart.add_traces(
        [
            _depth(split.law, x, y),
            *_level_lines(split.law, x, y),
            *_equal_compute(x, y),
            *_frontier(split.law, x, y),
            *_published(models),
            _your_split(split, split.tokens, label_at="top center"),
        ]
    )
    chart.update_xaxes(title_text="parameters N", **log_axis(*x, count))
    chart.update_yaxes(title_text="training tokens D", **log_axis(*y, count))
    return fixed_margins(chart)


def plane(split: Split, models: Sequence[ModelPoint]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of parameters and of tokens between which a split and the models lie."""
    sizes = [split.parameters, *(model.parameters for model in models)]
    tokens = [split.tokens, *(model.tokens for model in models)]
    return (min(sizes) / 2.5, max(sizes) * 6), (min(tokens) / 6, max(tokens) * 4)


def _depth(law: Law, x: tuple[float, float], y: tuple[float, float]) -> go.Heatmap:
    n, d = np.geomspace(*x, _CELLS), np.geomspace(*y, _CELLS)
    return go.Heatmap(
        x=n,
        y=d,
        z=np.asarray(predict_loss(n[None, :], d[:, None], law)),  # (D, N)
        colorscale=_DEPTH,
        showscale=False,
        name="loss",
    )


def _level_lines(law: Law, x: tuple[float, float], y: tuple[float, float]) -> list[go.Scatter]:
    """Lines of equal loss and their names: D at a loss follows from N, so the browser need not search for them."""
    corners = predict_loss(np.array(x)[None, :], np.array(y)[:, None], law)
    low, high = float(np.min(corners)), float(np.max(corners))
    step = _round_step((high - low) / 9)
    lines: list[tuple[float | None, float | None]] = []
    names = []
    for loss in step * np.arange(math.ceil(low / step), math.floor(high / step) + 1):
        line = _level_line(float(loss), law, x, y)
        if len(line) > 1:
            lines += [*line, (None, None)]
            n = _size_at(float(loss), law)
            place = (n, _NAMED_AT) if x[0] <= n <= x[1] else min(line, key=lambda p: abs(math.log(p[1] / _NAMED_AT)))
            names.append((*place, f"{loss:.{max(0, -math.floor(math.log10(step)))}f}"))
    return [_grey_lines(lines, "equal loss"), _names(names, at="middle right")] if lines else []


def _level_line(loss: float, law: Law, x: tuple[float, float], y: tuple[float, float]) -> list[tuple[float, float]]:
    left = loss - law.E - law.A * (n := np.geomspace(*x, _GRID_POINTS)) ** -law.alpha
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        d = np.where(left > 0, (law.B / left) ** (1 / law.beta), np.inf)
    inside = (y[0] <= d) & (d <= y[1])
    around = inside | np.append(inside[1:], False) | np.append(False, inside[:-1])  # one more: up to the frame
    seen = around & np.isfinite(d)
    return list(zip(n[seen].tolist(), d[seen].tolist(), strict=True))


def _size_at(loss: float, law: Law) -> float:
    """Return N where the line of a loss crosses `_NAMED_AT` tokens; infinite where no size reaches it."""
    left = loss - law.E - law.B * _NAMED_AT**-law.beta
    return float((law.A / left) ** (1 / law.alpha)) if left > 0 else math.inf


def _grey_lines(points: Sequence[tuple[float | None, float | None]], said: str) -> go.Scatter:
    x, y = zip(*points, strict=True)
    line = {"color": PUBLISHED, "width": 0.8}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", name=said)


def _round_step(step: float) -> float:
    exponent = 10.0 ** math.floor(math.log10(max(step, 1e-6)))
    return next(m * exponent for m in (1, 2, 5, 10) if m * exponent >= step)


def _budgets(x: tuple[float, float], y: tuple[float, float]) -> list[float]:
    first, last = math.ceil(math.log10(6 * x[0] * y[0])), math.floor(math.log10(6 * x[1] * y[1]))
    return [10.0**exponent for exponent in range(first, last + 1) if exponent % 2 == 0]


def _equal_compute(x: tuple[float, float], y: tuple[float, float]) -> tuple[go.Scatter, go.Scatter]:
    points, names = [], []
    for flops in _budgets(x, y):
        low, high = max(x[0], flops / 6 / y[1]), min(x[1], flops / 6 / y[0])
        points += [(low, flops / 6 / low), (high, flops / 6 / high), (None, None)]
        names.append((high, flops / 6 / high, power(flops)))
    lines = _grey_lines(points, "equal compute").update(line={"dash": "dot", "width": 1.2})
    return lines, _names(names, at="top left")


def _frontier(law: Law, x: tuple[float, float], y: tuple[float, float]) -> tuple[go.Scatter, go.Scatter]:
    n, d, loss = frontier(np.geomspace(6 * x[0] * y[0], 6 * x[1] * y[1], 41), law)
    seen = np.flatnonzero((x[0] <= n) & (n <= x[1]) & (y[0] <= d) & (d <= y[1]))
    inside = [ComputeOptimal(float(n[i]), float(d[i]), float(loss[i])) for i in seen]
    line = go.Scatter(
        x=n[seen],
        y=d[seen],
        mode="lines",
        line={"color": BEST, "width": 3},
        hovertext=[f"best split<br>{_describe(b.parameters, b.tokens)}<br>loss {b.loss:.4f}" for b in inside],
        hoverinfo="text",
        name="best splits",
    )
    places = [(b.parameters, b.tokens, "best splits") for b in inside[len(inside) // 8 :][:1]]
    return line, _names(places, at="middle right")


def _published(models: Sequence[ModelPoint]) -> tuple[go.Scatter, go.Scatter, go.Scatter]:
    """Lines that join the models of a family, the models, and each family's name."""
    lines, points, names = [], [], []
    for family in dict.fromkeys(model.family for model in models):
        own = _places([model for model in models if model.family == family])
        lines += [*((n, d) for n, d, *_ in own), (None, None)]
        points += own
        position = LABEL_POSITIONS.get(family, "top center")
        n, d, *_ = own[-1 if position == "top center" else 0]
        names.append((n, d, family))
    x, y, name, _ = zip(*points, strict=True)
    marks = go.Scatter(
        x=x,
        y=y,
        mode="markers",
        marker={
            "color": PUBLISHED,
            "size": 9,
            "symbol": ["circle-open" if each.endswith("(active)") else "circle" for each in name],
            "line": {"color": "white", "width": 1},
        },
        hovertext=[f"{each}<br>{_describe(n, d)}<br>{said}" for n, d, each, said in points],
        hoverinfo="text",
        name="published models",
    )
    positions = [LABEL_POSITIONS.get(family, "top center") for *_, family in names]
    return _grey_lines(lines, "families").update(line_width=1.5), marks, _names(names, at=positions)


def _places(models: Sequence[ModelPoint]) -> list[tuple[float, float, str, str]]:
    """Parameters, tokens, name and source of each model, by size; a mixture twice, with all and active parameters."""
    places = [(m.parameters, m.tokens, m.name + (" (all)" if m.is_mixture else ""), m.source) for m in models]
    places += [(m.active_parameters, m.tokens, f"{m.name} (active)", m.source) for m in models if m.is_mixture]
    return sorted(places)


def _describe(parameters: float, tokens: float) -> str:
    return (
        f"N = {count(parameters)}, D = {count(tokens)}<br>{three_digits(tokens / parameters)} tokens per parameter<br>"
        f"{power(6 * parameters * tokens)} FLOPs"
    )
