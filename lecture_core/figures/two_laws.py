"""Charts of the laws of 2020 and 2022 on the same axes: the best size over compute, the loss over size and over tokens.

Lecture: Scaling laws; Chinchilla. Plain data in, a plotly figure out. The two laws were fitted on other text in other
tokens: their losses share a unit, nats per token, but not a zero.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.kaplan import KAPLAN, LOSS_BY_SIZE, LOSS_BY_TOKENS
from lecture_core.quantities import count, power
from lecture_core.scaling_laws import Law, frontier, predict_loss, training_flops
from lecture_core.scaling_models import ModelPoint

NEW = "#2389CA"  # blue that stands out on a white and on a dark page
OLD = FAMILY_COLOURS["decoder"]
GREY = FAMILY_COLOURS["published"]
ENDLESS = 1e30
"""Parameters or tokens so many that their term of the loss is nothing."""
_LOW = 1.35  # a loss of the law of 2020 that lies well below the floor of 2022
_NAMES = {
    "GPT-3": (-52, -66),
    "Chinchilla": (46, 26),
    "MT-NLG": (40, -14),
    "Gopher": (46, 8),
}
"""Where a model's name stands, in pixels to the right of and below its point: there no other point lies."""


def best_size(law: Law, flops: float, models: Sequence[ModelPoint], *, height: int = 420) -> go.Figure:
    """Draw the best size over compute, as thought in 2020 and in 2022, with the models of the lecture's table.

    Args:
        law: of 2022.
        flops: Chinchilla's compute, marked by a line.
        models: published ones; those of the lecture's table are drawn.
    """
    title = "The same compute, two answers: how large should the model be?"
    chart = go.Figure(layout=base_layout(height=height, title=title))
    budgets = np.geomspace(1e18, 1e27, 37)
    for name, (n, d, _), colour in (
        ("2020: N ~ C<sup>0.73</sup>", KAPLAN.frontier(budgets), OLD),
        (f"2022: N ~ C<sup>{law.size_exponent:.2f}</sup>", frontier(budgets, law), NEW),
    ):
        said = [
            f"{name}<br>{power(c)} FLOPs<br>N = {count(a)}, D = {count(b)}"
            for c, a, b in zip(budgets, n, d, strict=True)
        ]
        place = "top left" if colour == OLD else "bottom right"
        _line(chart, budgets, n, name, said, colour, at=14 if colour == OLD else 8, place=place)
    of_the_time = [model for model in models if model.lecture_table]
    chart.add_trace(_placed(of_the_time))
    chart.add_vline(flops, line={"color": GREY, "dash": "dot"})
    _note(chart, flops, 0.02, "Chinchilla's compute")
    for model in of_the_time:
        if model.family in _NAMES:
            right, below = _NAMES[model.family]
            chart.add_annotation(
                x=np.log10(training_flops(model.parameters, model.tokens)), y=np.log10(model.parameters),
                text=model.family, ax=right, ay=below, arrowcolor=GREY, arrowwidth=1, arrowhead=0, standoff=6,
            )  # fmt: skip
    chart.update_xaxes(title_text="compute C (FLOPs)", **log_axis(1e18, 1e27, power))
    chart.update_yaxes(title_text="best size N (parameters)", **log_axis(1e7, 1e14, count))
    return chart


def _note(chart: go.Figure, x: float, y: float, text: str) -> None:
    """Write what an upright dotted line is, to its left at the foot of the chart."""
    chart.add_annotation(
        x=np.log10(x), y=y, yref="paper", xanchor="right", yanchor="bottom", text=text, showarrow=False
    )


def _placed(models: Sequence[ModelPoint]) -> go.Scatter:
    return go.Scatter(
        x=[training_flops(m.active_parameters, m.tokens) for m in models],
        y=[m.active_parameters for m in models],
        mode="markers",
        marker={"color": GREY, "size": 9},
        hovertext=[f"{m.name}<br>N = {count(m.parameters)}, D = {count(m.tokens)}<br>{m.source}" for m in models],
        hoverinfo="text",
        name="models",
    )


def loss_over_size(law: Law, tokens: float, *, height: int = 420) -> go.Figure:
    """Draw the loss over parameters: after so many tokens, and with tokens without end.

    Args:
        law: of 2022.
        tokens: of the dashed lines.
    """
    sizes = np.geomspace(1e7, 1e13, 49)
    chart = go.Figure(layout=base_layout(height=height, title="What do more parameters bring?"))
    few = f"{count(tokens)} tokens"
    _pair(chart, sizes, "2020", OLD, LOSS_BY_SIZE(sizes), KAPLAN.loss(sizes, tokens), few, "N")
    endless, after = (np.asarray(predict_loss(sizes, d, law)) for d in (ENDLESS, tokens))
    _pair(chart, sizes, "2022", NEW, endless, after, few, "N")
    return _loss_axes(chart, law, sizes, "parameters N")


def loss_over_tokens(law: Law, parameters: float, *, height: int = 420) -> go.Figure:
    """Draw the loss over training tokens: of a model of so many parameters, and of one without end.

    Args:
        law: of 2022.
        parameters: of the dashed lines.
    """
    tokens = np.geomspace(1e9, 1e15, 49)
    chart = go.Figure(layout=base_layout(height=height, title="What do more tokens bring?"))
    one = f"{count(parameters)} parameters"
    _pair(chart, tokens, "2020", OLD, LOSS_BY_TOKENS(tokens), KAPLAN.loss(parameters, tokens), one, "D")
    endless, small = (np.asarray(predict_loss(n, tokens, law)) for n in (ENDLESS, parameters))
    _pair(chart, tokens, "2022", NEW, endless, small, one, "D")
    return _loss_axes(chart, law, tokens, "training tokens D")


def _pair(
    chart: go.Figure, x: NDArray[np.float64], year: str, colour: str,
    endless: NDArray[np.float64], limited: NDArray[np.float64], limit: str, symbol: str,
) -> None:  # fmt: skip
    """Add a law's two lines: the other quantity without end, and limited. The year stands where the laws are apart."""
    other = "tokens" if symbol == "N" else "parameters"
    for losses, what, dash in ((endless, f"{other} without end", "solid"), (limited, limit, "dash")):
        said = [f"{year}, {what}<br>{symbol} = {count(a)}<br>loss {b:.3f}" for a, b in zip(x, losses, strict=True)]
        if colour == OLD:
            name, at, place = year if dash == "solid" else "", int(np.argmin(abs(losses - _LOW))), "bottom left"
        else:
            name, at, place = year if dash == "dash" else "", 5 * len(x) // 6, "top center"
        _line(chart, x, losses, name, said, colour, at=at, place=place, dash=dash)


def _line(
    chart: go.Figure, x: NDArray[np.float64], y: NDArray[np.float64], name: str, said: Sequence[str], colour: str,
    *, at: int, place: str, dash: str = "solid",
) -> None:  # fmt: skip
    chart.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines+text", line={"color": colour, "width": 3, "dash": dash}, hovertext=list(said),
            hoverinfo="text", text=[name if i == at else "" for i in range(len(x))], textfont={"color": colour},
            textposition=place, name=name,
        )
    )  # fmt: skip


def _loss_axes(chart: go.Figure, law: Law, x: NDArray[np.float64], title: str) -> go.Figure:
    chart.add_hline(law.E, line={"color": NEW, "dash": "dot"})
    chart.add_annotation(
        x=1, xref="paper", xanchor="right", y=law.E, yanchor="top", text=f"E = {law.E:.2f}, the floor of 2022",
        showarrow=False, font={"color": NEW},
    )  # fmt: skip
    chart.update_xaxes(title_text=title, **log_axis(float(x[0]), float(x[-1]), count))
    chart.update_yaxes(title_text="loss (nats per token)", range=[1.0, 4.0])
    return chart
