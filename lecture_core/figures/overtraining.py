"""Charts of over-training: tokens per parameter of published models, and cost over size for a wanted quality."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, fixed_margins, log_axis
from lecture_core.overtraining import Plan, Prices, Rates, plan, smallest
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_laws import Law
from lecture_core.scaling_models import ModelPoint

_GREY, _BLUE, _RED = FAMILY_COLOURS["published"], FAMILY_COLOURS["encoder"], FAMILY_COLOURS["decoder"]
_GREEN = FAMILY_COLOURS["text_to_text"]
_NAME_HEIGHT = 0.065  # of the chart's height, for the name of a line
RULE = 20.0
"""The lecture's rule of thumb, tokens per parameter."""


LOOKS = {
    "LLaMA": ("#E69F00", "circle", "middle left"),
    "Llama 2": ("#B07A00", "square", "middle left"),
    "Llama 3": ("#7A5A10", "triangle-up", "top right"),
    "Qwen2.5": ("#3FA7D6", "cross", "top right"),
    "DeepSeek-V3": ("#7B61C9", "diamond", "top right"),
}
"""Colour, mark and place of the name of each family; those that are not here are grey."""


def tokens_per_parameter(models: Sequence[ModelPoint], *, height: int = 420) -> go.Figure:
    """Draw tokens per parameter over size, one line a family; a mixture of experts twice: of all and of active ones."""
    figure = go.Figure(layout=base_layout(height=height))
    for family in dict.fromkeys(model.family for model in models):
        own = sorted((m for m in models if m.family == family), key=lambda m: m.parameters)
        colour, mark, place = LOOKS.get(family, (_GREY, "circle", "bottom left"))
        points = [(m.parameters, m.tokens_per_parameter, m.name) for m in own if not m.is_mixture]
        names = [family, *[""] * (len(points) - 1)] if points else []
        symbols, places = [mark] * len(points), [place] * len(points)
        for mixture in (m for m in own if m.is_mixture):
            for kind, size in (("active", mixture.active_parameters), ("all", mixture.parameters)):
                points.append((size, mixture.tokens / size, f"{mixture.name}, {kind} parameters"))
            # Two lines: one would be cut on a phone. The second point is joined to the first and needs no full name.
            names += [f"{family}<br>(active)", f"{family.rpartition('-')[2]} (all)"]
            symbols += [f"{mark}-open", mark]
            places += [place, "bottom center"]
        figure.add_trace(
            go.Scatter(
                x=[p[0] for p in points],
                y=[p[1] for p in points],
                mode="lines+markers+text",
                name=family,
                text=names,
                textposition=places,
                line={"color": colour, "width": 1.5, "dash": "dot" if symbols[-1] != symbols[0] else "solid"},
                marker={"size": 11, "color": colour, "symbol": symbols},
                hovertext=[f"{name}: {three_digits(ratio)} tokens a parameter" for _, ratio, name in points],
                hoverinfo="text",
            )
        )
    figure.add_hline(RULE, line={"dash": "dash", "color": _BLUE})
    figure.add_annotation(
        x=0.01, xref="paper", xanchor="left", y=np.log10(RULE), yanchor="bottom", text="the rule: 20", showarrow=False
    )
    sizes = [size for m in models for size in (m.parameters, m.active_parameters)]
    ratios = [m.tokens / size for m in models for size in (m.parameters, m.active_parameters)]
    figure.update_xaxes(title="parameters", **log_axis(min(sizes) / 1.5, max(sizes) * 14, count))
    figure.update_yaxes(
        title="training tokens per parameter", **log_axis(min(ratios) / 4, max(ratios) * 4, three_digits)
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
    here = here if served else None  # nothing is served: no speed of serving matters
    ends = [best, plain, *([here[1]] if here else [])]
    low = smallest(loss, law)
    margin = min(0.04, *((end.parameters / low - 1) / 2 for end in ends))  # at `low` itself no tokens are enough
    first = low * (1 + margin)
    sizes = np.geomspace(first, max(plain.parameters * 4, low * 12), 90).tolist()
    plans = [plan(n, loss, served, law, prices) for n in sizes]
    lines = [_Line("training, which is all" if not served else "training", [p.training for p in plans], _BLUE, "dash")]
    if served:
        lines += [
            _Line("serving", [p.serving for p in plans], _GREY, "dot"),
            _Line("both", [p.cost for p in plans], _RED, "solid"),
        ]
    top = 3 * max(best.cost, plain.cost)
    if here:
        measured = [plan(n, loss, served, law, here[0]) for n in sizes]
        lines += [
            _Line("serving, as measured", [p.serving for p in measured], _GREEN, "dot"),
            _Line("both, as measured", [p.cost for p in measured], _GREEN, "solid"),
        ]
        top = max(top, 2 * here[1].cost, 1.5 * measured[-1].cost)
    lowest = max(min(p.training for p in plans) / 2, top * 1e-5)
    bottom = min(lowest, *(end.cost / 4 for end in ends))
    figure = go.Figure(layout=base_layout(height=height))
    for line in lines:
        figure.add_trace(line.trace(sizes, unit))
    figure.update_layout(annotations=_names(lines, sizes, bottom, top))
    stars = [(best, "cheapest in all", "star", _RED, "bottom center")]
    if served:
        stars.append((plain, "cheapest to train", "circle", _RED, "top left"))
    if here:
        stars.append((here[1], "cheapest, served here", "star", _GREEN, "top right"))
    for star in stars:
        _star(figure, *star)
    figure.update_xaxes(title="parameters, all of the same loss", **log_axis(sizes[0], sizes[-1], count))
    figure.update_yaxes(title=f"cost ({unit})", **log_axis(bottom, top, count))
    return fixed_margins(figure)


@dataclass(frozen=True)
class _Line:
    """A cost over the model's size, with its name."""

    name: str
    costs: Sequence[float]
    colour: str
    dash: str

    def trace(self, sizes: Sequence[float], unit: str) -> go.Scatter:
        rows = zip(sizes, self.costs, strict=True)
        said = [f"{self.name}: {three_digits(v)} {unit}, {count(n)} parameters" for n, v in rows]
        look = {"color": self.colour, "dash": self.dash, "width": 3 if self.dash == "solid" else 2}
        return go.Scatter(x=sizes, y=self.costs, mode="lines", line=look, hovertext=said, hoverinfo="text")


def _names(lines: Sequence[_Line], sizes: Sequence[float], bottom: float, top: float) -> list[dict[str, Any]]:
    """Write each name above the right end of its line, pushed below the line where another name stands.

    Serving's own line is steep and crosses the others: its name stands on its right, as far down as there is room.
    """
    floor, ceiling = math.log10(bottom), math.log10(top)
    step = _NAME_HEIGHT * (ceiling - floor)
    names: list[dict[str, Any]] = []
    highest = ceiling
    for line in sorted(lines, key=lambda each: (each.name == "serving", -each.costs[-1])):
        logs = [math.log10(cost) for cost in line.costs]
        seen = [i for i, y in enumerate(logs) if floor + step <= y <= ceiling - step]
        if line.name == "serving":
            seen = [i for i in seen if i < 0.8 * len(sizes) and all(abs(logs[i] - n["y"]) >= step for n in names)]
        if not seen:
            continue  # hovering tells
        if line.name == "serving":
            end, side, y = seen[0], "left", logs[seen[0]]
        else:
            end, side, y = seen[-1], "right", logs[seen[-1]] + step
            if y > highest:
                y = min(logs[end] - 0.3 * step, highest)
            highest = y - step
        if y - step >= floor:
            look = {"text": line.name, "showarrow": False, "yanchor": "top", "font": {"color": line.colour}}
            names.append(look | {"x": math.log10(sizes[end]), "y": y, "xanchor": side})
    return names


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
