"""The one look of all charts: fonts, colours safe for colour-blind readers, nothing behind the plot.

Backgrounds are transparent and text takes its colour from the page, so a chart reads in the light and the dark theme.
"""

import math
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

FAMILY_COLOURS = {
    "encoder": "#0072B2",
    "decoder": "#D55E00",
    "text_to_text": "#009E73",
    "electra": "#AA4499",
    "published": "#888888",
}
"""Colour of each family of models and of published points, on every page. Source: Okabe, Ito 2008; purple: Tol 2021."""
FONT_SIZE = 14
TITLE_SIZE = 16
CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False}
"""Settings for `st.plotly_chart(config=...)`: a finger on a chart scrolls the page."""

_MOST_DECADES = 6  # more ticks in words would touch on a phone
_CLEAR = "rgba(0, 0, 0, 0)"
_LINE = FAMILY_COLOURS["published"]
_AXIS: dict[str, Any] = {
    "gridcolor": "rgba(136, 136, 136, 0.25)",
    "linecolor": _LINE,
    "showgrid": True,
    "showline": True,
    "zeroline": False,
    "ticks": "outside",
    "tickcolor": _LINE,
    "tickangle": 0,
    "automargin": True,
    "tickfont": {"size": FONT_SIZE},
    "title": {"font": {"size": FONT_SIZE}, "standoff": 10},
}


def base_layout(*, height: int, title: str = "") -> go.Layout:
    """Return the layout that every chart starts from; no legend, since series are labelled directly.

    It is a layout and not a plotly template because Streamlit puts its own theme in the place of templates.

    Args:
        height: in pixels.
        title: the finding or the question; `ui.charts.chart` writes it above the chart, where it can wrap.
    """
    return go.Layout(
        height=height,
        font={"size": FONT_SIZE},
        title={
            "text": title,
            "font": {"size": TITLE_SIZE},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "pad": {"b": 10, "l": 0},
        },
        margin={"l": 8, "r": 12, "t": 44 if title else 12, "b": 8, "pad": 0},
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        colorway=list(FAMILY_COLOURS.values()),
        hoverlabel={"font": {"size": FONT_SIZE}, "align": "left"},
        showlegend=False,
        dragmode=False,
        xaxis=_AXIS,
        yaxis=_AXIS,
    )


def fixed_margins(chart: go.Figure, *, left: int = 72, below: int = 56) -> go.Figure:
    """Give the labels of the axes a fixed place, in pixels: a chart that measures them first is drawn twice."""
    chart.layout.margin.l, chart.layout.margin.b = left, below
    for axis in axes(chart):
        axis.automargin = False
    return chart


def axes(chart: go.Figure) -> list[Any]:
    """Return every axis of a chart; to set one thing on each takes a tenth of the time of plotly's `update_xaxes`."""
    return [chart.layout[name] for name in chart.layout if name.startswith(("xaxis", "yaxis"))]


def log_axis(low: float, high: float, label: Callable[[float], str]) -> dict[str, Any]:
    """Return the settings of a logarithmic axis that ticks at powers of ten in words: 1M, 10B, 1e21.

    Where fewer than three lie between the ends, 2 and 5 times a power of ten are ticks too.

    Args:
        low: left or lower end, above zero.
        high: right or upper end.
        label: writes a tick.
    """
    first, last = math.ceil(round(math.log10(low), 9)), math.floor(round(math.log10(high), 9))
    every = max(1, math.ceil((last - first) / _MOST_DECADES))
    ticks = [10.0**exponent for exponent in range(first, last + 1, every)]
    if len(ticks) < 3:
        marks = (step * 10.0**exponent for exponent in range(first - 1, last + 1) for step in (1, 2, 5))
        ticks = [mark for mark in marks if low <= mark <= high]
    return {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [label(tick) for tick in ticks],
    }
