"""Charts of the few-shot lab: accuracy over the number of exemplars, and GPT-3's three settings over its size.

Lecture: few-shot learning. Plain data in, a plotly figure out.
"""

import itertools
from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from lecture_core.figures.prompting import Measured, with_intervals
from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.quantities import count

_ROOM_FOR_COUNTS = 4  # points beside each other that can carry right/n
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SIZES = {
    "small_125m": 1.25e8,
    "medium_350m": 3.5e8,
    "large_760m": 7.6e8,
    "xl_1300m": 1.3e9,
    "gpt3_2700m": 2.7e9,
    "gpt3_6700m": 6.7e9,
    "gpt3_13b": 1.3e10,
    "gpt3_175b": 1.75e11,
}
"""Columns of the table `gpt3_by_size` and their parameters."""
_SETTINGS = {"zero-shot": ("dot", "circle-open"), "one-shot": ("dash", "diamond"), "few-shot": ("solid", "circle")}


def accuracy_over_k(
    series: Mapping[str, Sequence[Measured]],
    *,
    ks: Sequence[int],
    lines: Mapping[str, float] | None = None,
    pale: Mapping[str, Sequence[Measured]] | None = None,
    height: int = 320,
) -> go.Figure:
    """Draw the rate of right answers over the number of exemplars, with 95 % intervals and counts.

    Args:
        series: points of each model, measured so far; those with n = 0 are left out.
        ks: all numbers of exemplars that will be measured; they space the axis evenly.
        pale: points of an earlier measurement, drawn behind and without numbers.
        lines: rates to compare with, in [0, 1], by their words; drawn across.
        height: in pixels.
    """
    figure = go.Figure(layout=base_layout(height=height))
    for points in (pale or {}).values():
        trace = with_intervals(points, [str(int(p.x)) for p in points], FAMILY_COLOURS["decoder"])
        figure.add_trace(trace.update(mode="lines+markers", opacity=0.3))
    for i, (name, points) in enumerate(series.items()):
        shown = [point for point in points if point.n]
        if shown:
            trace = with_intervals(shown, [str(int(p.x)) for p in shown], FAMILY_COLOURS["decoder"])
            trace.update(line_dash=_DASHES[i % 6], marker_symbol=_SYMBOLS[i % 6])
            if len(shown) > _ROOM_FOR_COUNTS:  # side by side on a phone, "83/100" touches its neighbour
                trace.update(text=[str(p.right) for p in shown], textposition=_beside([p.right / p.n for p in shown]))
            if len(series) > 1:
                trace.update(text=[*trace.text[:-1], f"{trace.text[-1]} {name}"])
            figure.add_trace(trace)
    for words, rate in (lines or {}).items():
        figure.add_hline(100 * rate, line={"dash": "dot", "color": FAMILY_COLOURS["published"]})
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=100 * rate, yanchor="bottom", text=words, showarrow=False
        )
    names = [str(k) for k in ks]
    asked = {p.n for points in series.values() for p in points if p.n}
    counts = f"; right of {asked.pop()}" if len(asked) == 1 else ""
    figure.update_xaxes(
        title=f"exemplars in the prompt (k){counts}", type="category", categoryarray=names, range=[-0.4, len(ks) - 0.6]
    )
    figure.update_yaxes(title="right answers (%)", range=[-3, 115], tickvals=[0, 25, 50, 75, 100])
    return figure


def _beside(rates: Sequence[float]) -> list[str]:
    """Where each point's number stands off the line: left of a rise, below a dip."""
    pairs = list(itertools.pairwise(rates))
    falls = [False, *(after < before for before, after in pairs)]
    rises = [*(after > before for before, after in pairs), False]
    return [
        "bottom right" if fell and rose else "top left" if rose else "top right"
        for fell, rose in zip(falls, rises, strict=True)
    ]


def shots_by_size(frame: pd.DataFrame, *, task: str, metric: str, height: int = 300) -> go.Figure:
    """Draw GPT-3's zero-, one- and few-shot scores over the size of the model.

    Args:
        frame: the published table `gpt3_by_size`.
        task: such as BoolQ.
        metric: such as accuracy.
        height: in pixels.
    """
    figure = go.Figure(layout=base_layout(height=height))
    rows = frame[(frame["task"] == task) & (frame["metric"] == metric)].set_index("setting")[list(_SIZES)].astype(float)
    ends = rows.iloc[:, -1]
    for setting, (dash, symbol) in _SETTINGS.items():
        scores = list(rows.loc[setting])
        rank = sum(other > scores[-1] for other in ends)
        figure.add_trace(
            go.Scatter(
                x=list(_SIZES.values()),
                y=scores,
                mode="lines+markers+text",
                text=[""] * (len(scores) - 1) + [setting],
                textposition=("top right", "middle right", "bottom right")[rank],
                line={"dash": dash, "color": FAMILY_COLOURS["published"], "width": 2},
                marker={"symbol": symbol, "size": 9, "color": FAMILY_COLOURS["published"]},
                hovertext=[
                    f"{task}, {setting}, {count(size)} parameters: {score:.1f} (Brown et al. 2020)"
                    for size, score in zip(_SIZES.values(), scores, strict=True)
                ],
                hoverinfo="text",
                cliponaxis=False,
            )
        )
    figure.update_xaxes(title="parameters of GPT-3", **log_axis(9e7, 4e12, count))
    figure.update_yaxes(title=f"{metric} (%)")
    return figure
