"""How a chart gets onto the page: full width, described for screen readers, text dark enough in either theme."""

import plotly.graph_objects as go
import streamlit as st

from lecture_core.figures.quick import drawn
from lecture_core.figures.template import CHART_CONFIG, axes
from lecture_core.ui import components
from lecture_core.ui.errors import escape_markdown

_INK = {"light": "#56616D", "dark": "#A9B6C2"}
"""Streamlit's own chart text is too pale to read from row 20 (3.7 to 1 on white); these exceed 6 to 1. A visitor who
changes the theme sees the other one until the next click, so neither may vanish on the wrong ground."""
_PAPER = {"light": "#FFFFFF", "dark": "#12181F"}
"""Colour behind the letters of a label, so that a line under it does not strike it out."""


def quick_chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """Show a figure that follows a slider: as `chart`, drawn in a few milliseconds by a script of our own.

    Args:
        figure: of scatter traces, and a heatmap behind them, on axes with a range. See `figures.quick`.
        key: session key, prefixed with the page's stem.
        alt: what the chart shows, in one sentence.
    """
    if title := figure.layout.title.text:
        st.markdown(f"**{escape_markdown(title)}**")
    components.quick_chart(key=key, data=drawn(figure) | {"alt": alt}, height=figure.layout.height)


def chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """Show a figure at the width of its column.

    Args:
        figure: drawn by `lecture_core.figures`; changed in place. Its title is written above it, where it can wrap.
        key: session key, prefixed with the page's stem.
        alt: what the chart shows, in one sentence.
    """
    ink = _INK.get(str(st.context.theme.type), _INK["light"])
    halo = ", ".join([f"0 0 3px {_PAPER.get(str(st.context.theme.type), _PAPER['light'])}"] * 3)
    layout = figure.layout
    if title := layout.title.text:
        st.markdown(f"**{escape_markdown(title)}**")
        layout.title.text, layout.margin.t = "", 12
    layout.font.color = ink
    for axis in axes(figure):
        axis.tickfont.color = axis.title.font.color = ink
    for trace in figure.select_traces({"type": "scatter"}):
        trace.textfont.shadow = halo
    st.plotly_chart(figure, key=key, width="stretch", config=CHART_CONFIG, alt=alt)
