"""A plotly figure as a plain list of what to draw, for charts that follow a slider.

Plotly takes 50 to 100 ms of the browser to draw a chart anew and 150 ms is all a slider may take; `ui/quick_chart.js`
draws the same lines, marks, words and cells in a few. It knows the parts of plotly that the charts here use; anything
else is refused, never left out.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

_WORD_GAP = 8  # pixels from a point to its word
_MOST_TICKS = 8


def drawn(figure: go.Figure) -> dict[str, Any]:
    """Return lines, marks, words, cells and axes of a figure in the numbers of its data; JSON types only.

    Raises:
        ValueError: the figure has a trace or an axis that the quick drawing does not know.
    """
    layout = figure.layout
    x, y = _axis(layout.xaxis), _axis(layout.yaxis)
    found: dict[str, Any] = {
        "height": layout.height,
        "left": layout.margin.l,
        "right": layout.margin.r,
        "top": 12,
        "below": layout.margin.b,
        "x": x,
        "y": y,
        "cells": None,
    }
    found |= {"lines": [], "marks": [], "words": [], "hover": []}
    for trace in figure.data:
        if trace.type == "heatmap":
            found["cells"] = _cells(trace, [_symbol(x), _symbol(y), trace.name])
        elif trace.type == "scatter":
            _scatter(trace, found)
        else:
            raise ValueError(f"expected a scatter or heatmap trace, got {trace.type}; use charts.chart")
    found["words"] += [_note(note, x["log"], y["log"]) for note in layout.annotations]
    return found


def _axis(axis: Any) -> dict[str, Any]:
    if axis.range is None or axis.type not in (None, "log", "linear"):
        raise ValueError("expected axes with a range, linear or logarithmic")
    log = axis.type == "log"
    low, high = (10.0**end if log else float(end) for end in axis.range)
    if axis.tickvals is None:
        ticks = [] if log else _round_ticks(low, high)
    else:
        ticks = [[float(v), str(t)] for v, t in zip(axis.tickvals, axis.ticktext, strict=True) if low <= v <= high]
    return {"log": log, "low": low, "high": high, "ticks": ticks, "title": axis.title.text or ""}


def _round_ticks(low: float, high: float) -> list[list[Any]]:
    rough = (high - low) / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    marks = step * np.arange(math.ceil(low / step), math.floor(high / step) + 1)
    return [[float(mark), f"{mark:.{digits}f}"] for mark in marks]


def _symbol(axis: dict[str, Any]) -> str:
    """The letter at the end of an axis' title, such as N of "parameters N"."""
    return str(axis["title"]).rpartition(" ")[2]


def _cells(trace: go.Heatmap, names: list[str]) -> dict[str, Any]:
    (_, strong), (_, faint) = trace.colorscale
    *colour, strongest = _rgba(strong)
    values = np.asarray(trace.z, dtype=float)
    return {
        "values": np.round(values, 5).tolist(),
        "low": float(values.min()),
        "high": float(values.max()),
        "colour": colour,
        "strongest": strongest,
        "faintest": _rgba(faint)[3],
        "names": names,
    }


def _rgba(colour: str) -> list[float]:
    return [float(part) for part in colour.removeprefix("rgba(").removesuffix(")").split(",")]


def _scatter(trace: go.Scatter, found: dict[str, Any]) -> None:
    modes, n = (trace.mode or "").split("+"), len(trace.x)
    points = list(zip(_numbers(trace.x), _numbers(trace.y), strict=True))
    if "lines" in modes and n:
        line = {"colour": trace.line.color, "width": trace.line.width or 2, "dash": trace.line.dash or "solid"}
        found["lines"].append({"pieces": list(_pieces(points)), **line})
    if "markers" in modes:
        colours, symbols = _each(trace.marker.color, n), _each(trace.marker.symbol or "circle", n)
        look = {"size": trace.marker.size or 8, "edge": trace.marker.line.width or 0}
        found["marks"] += [
            {"x": x, "y": y, "colour": c, "symbol": s, **look}
            for (x, y), c, s in zip(points, colours, symbols, strict=True)
        ]
    if "text" in modes:
        places = _each(trace.textposition or "middle center", n)
        found["words"] += [
            {"x": x, "y": y, "text": text, "at": at, "gap": _WORD_GAP, "size": 14}
            for (x, y), text, at in zip(points, _each(trace.text, n), places, strict=True)
            if text
        ]
    if trace.hovertext is not None:
        said = _each(trace.hovertext, n)
        found["hover"] += [[x, y, t.replace("<br>", "\n")] for (x, y), t in zip(points, said, strict=True) if t]


def _numbers(values: Sequence[Any]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]


def _each(value: Any, n: int) -> list[Any]:
    """One for each of n points, where a single one stands for all."""
    return [value] * n if value is None or isinstance(value, str) else list(value)


def _pieces(points: Sequence[tuple[float | None, float | None]]) -> Iterator[list[list[float]]]:
    piece: list[list[float]] = []
    for x, y in [*points, (None, None)]:
        if x is not None and y is not None:
            piece.append([x, y])
        elif piece:
            yield piece
            piece = []


def _note(note: Any, log_x: bool, log_y: bool) -> dict[str, Any]:
    """An annotation as a word; plotly gives its place as exponents on logarithmic axes.

    An anchor names the side of the words that stands at the point, a text position the side of the point.
    """
    if note.xref not in (None, "x") or note.yref not in (None, "y"):
        raise ValueError("expected annotations in the numbers of the axes")
    vertical = {"bottom": "top", "top": "bottom"}.get(note.yanchor, "middle")
    side = {"left": "right", "right": "left"}.get(note.xanchor, "center")
    return {
        "x": 10.0**note.x if log_x else note.x,
        "y": 10.0**note.y if log_y else note.y,
        "text": note.text,
        "at": f"{vertical} {side}",
        "gap": note.xshift or 0,
        "size": note.font.size or 14,
        "colour": note.font.color,
    }
