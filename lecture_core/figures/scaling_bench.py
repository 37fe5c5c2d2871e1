"""Charts of the fit-forecast-reveal lab: runs and a law through them, forecasts of hidden runs, residuals.

Lecture: Scaling laws. Plain data in, a plotly figure out; losses are in nats per token.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, fixed_margins, log_axis
from lecture_core.quantities import count, power
from lecture_core.scaling_laws import Law, compute_optimal, predict_loss
from lecture_core.scaling_points import Points, percent_off, predicted

MOST_LINES = 10  # sizes that get a line and a label of their own
KEY = "Colour, mark and label: parameters N."
"""What the charts of runs do not say themselves."""
_LABEL_GAP, _LABEL_WIDTH = 0.06, 0.13  # between two labels, as shares of height and width
_MOST_TICKS = 7
_SHADES = np.array([(230, 159, 0), (213, 94, 0), (190, 40, 110), (125, 80, 200)])  # small to large, light to dark
_MARKS = ("circle", "triangle-up", "cross", "x", "triangle-down", "pentagon", "hourglass", "hexagram", "bowtie", "y-up")
_FORECAST = FAMILY_COLOURS["encoder"]
_GREY = FAMILY_COLOURS["published"]
_LIVE = FAMILY_COLOURS["text_to_text"]


def bench(
    shown: Points,
    law: Law | None,
    *,
    hidden: Points | None = None,
    forecast: Law | None = None,
    revealed: bool = False,
    live: Points | None = None,
    left_out: Points | None = None,
    by_compute: bool = False,
    height: int = 440,
) -> go.Figure:
    """Draw runs as points and a law as a line a size; hidden runs as open diamonds where the forecast puts them.

    Args:
        shown: runs the visitor may see.
        law: drawn as lines; None for the points alone.
        hidden: runs held out; their measured losses are drawn only when `revealed`.
        forecast: the law that puts the hidden runs; None draws none.
        live: runs trained on the page.
        left_out: runs that the law was not fitted to; drawn as open grey circles.
        by_compute: compute 6ND on the horizontal axis instead of tokens.
    """
    nothing = Points((), (), ())
    hidden, live, left_out = hidden or nothing, live or nothing, left_out or nothing
    everything = [part for part in (shown, hidden, live, left_out) if len(part)]
    x_of = _Axis(by_compute)
    title = "Can you say what the costliest runs will reach?" if len(hidden) else "The runs and the law"
    chart = go.Figure(layout=base_layout(height=height, title=title))
    sizes = sorted({n for part in everything for n in part.parameters})
    colours = dict(zip(sizes, _shades(len(sizes)), strict=True))
    marks = dict(zip(sizes, itertools.cycle(_MARKS if len(sizes) <= MOST_LINES else _MARKS[:1]), strict=False))
    if law and len(sizes) <= MOST_LINES:
        for size in sizes:
            chart.add_trace(_law_line(size, law, everything, colours[size], x_of))
    elif law:
        chart.add_trace(_frontier(law, everything, x_of))
    if len(left_out):
        open_circles = ["circle-open"] * len(left_out)
        chart.add_trace(_measured(left_out, dict.fromkeys(sizes, _GREY), open_circles, x_of, size=9))
    chart.add_trace(_measured(shown, colours, [marks[n] for n in shown.parameters], x_of))
    if len(hidden) and forecast:
        chart.add_trace(_forecasts(hidden, forecast, x_of))
    if len(hidden) and revealed:
        chart.add_trace(_measured(hidden, colours, ["square"] * len(hidden), x_of, size=13))
    if len(live):
        chart.add_trace(_measured(live, dict.fromkeys(sizes, _LIVE), ["star"] * len(live), x_of, size=13))
    lines = law if len(sizes) <= MOST_LINES else None
    _axes(chart, everything, x_of, lines)
    if lines:
        _label_lines(chart, first=by_compute)
    return fixed_margins(chart)


def _label_lines(chart: go.Figure, *, first: bool) -> None:
    """Write each line's size above its first point, pushed up where it would cover another, or beside its last point.

    Beside the ends all give way a little, up and down: pushed up alone, one would stand at the next line.
    """
    place = {"xanchor": "left", "yanchor": "bottom"} if first else {"xanchor": "left", "xshift": 4}
    (left, right), (low, high) = chart.layout.xaxis.range, chart.layout.yaxis.range
    width, gap = _LABEL_WIDTH * (right - left), _LABEL_GAP * (high - low)
    end = 0 if first else -1
    labels: list[dict[str, Any]] = []
    ends = sorted((t.y[end], np.log10(t.x[end]), t.name) for t in chart.data if t.mode == "lines")
    seen = [one for one in ends if low <= one[0] <= high]
    wanted = [y for y, _, _ in seen] if first else _spread([y for y, _, _ in seen], gap, low + gap / 2)
    for at, (_, log_x, name) in zip(wanted, seen, strict=True):
        beside = [label["y"] for label in labels if abs(label["x"] - log_x) < width] if first else []
        at = max([at, *(y + gap for y in beside)])
        if at <= high:
            labels.append({"x": log_x, "y": at, "text": name, "showarrow": False, "font": {"size": 13}} | place)
    chart.update_layout(annotations=labels)  # all at once: one by one costs a slider its quickness


def _spread(places: Sequence[float], gap: float, lowest: float) -> list[float]:
    """Return ascending places at least `gap` apart, as near as possible to those given (least squares)."""
    groups: list[tuple[float, int]] = []  # mean of place minus its share of gaps, and how many
    for i, place in enumerate(places):
        mean, n = place - i * gap, 1
        while groups and groups[-1][0] > mean:
            other, m = groups.pop()
            mean, n = (mean * n + other * m) / (n + m), n + m
        groups.append((mean, n))
    level = [max(mean, lowest) for mean, n in groups for _ in range(n)]
    return [mean + i * gap for i, mean in enumerate(level)]


class _Axis:
    """What stands on the horizontal axis: tokens, or compute."""

    def __init__(self, by_compute: bool) -> None:
        self.title = "compute 6ND (FLOPs)" if by_compute else "training tokens D"
        self.label = power if by_compute else count
        self._by_compute = by_compute

    def __call__(self, parameters: Sequence[float] | float, tokens: Sequence[float]) -> np.ndarray:
        counts = np.asarray(tokens, dtype=np.float64)
        return 6 * np.asarray(parameters) * counts if self._by_compute else counts


def _shades(number: int) -> list[str]:
    steps = np.linspace(0, len(_SHADES) - 1, number) if number > 1 else np.array([1.0])
    mixed = (np.interp(steps, range(len(_SHADES)), channel) for channel in _SHADES.T)
    return [f"rgb({r:.0f}, {g:.0f}, {b:.0f})" for r, g, b in zip(*mixed, strict=True)]


def _law_line(size: float, law: Law, parts: Sequence[Points], colour: str, x_of: _Axis) -> go.Scatter:
    own = [d for part in parts for n, d in zip(part.parameters, part.tokens, strict=True) if n == size]
    tokens = np.geomspace(min(own) / 1.15, max(own) * 1.15, 40)
    return go.Scatter(
        x=x_of(size, list(tokens)),
        y=np.atleast_1d(predict_loss(size, tokens, law)),
        mode="lines",
        line={"color": colour, "width": 2},
        hoverinfo="skip",
        name=count(size),
    )


def _frontier(law: Law, parts: Sequence[Points], x_of: _Axis) -> go.Scatter:
    flops = np.concatenate([part.flops for part in parts])
    bests = [compute_optimal(float(c), law) for c in np.geomspace(flops.min(), flops.max(), 40)]
    return go.Scatter(
        x=[float(x_of(best.parameters, [best.tokens])[0]) for best in bests],
        y=[best.loss for best in bests],
        mode="lines",
        line={"color": _FORECAST, "width": 2, "dash": "dash"},
        hovertext=[f"best split of {power(6 * b.parameters * b.tokens)} FLOPs<br>loss {b.loss:.4f}" for b in bests],
        hoverinfo="text",
    )


def _measured(
    points: Points, colours: Mapping[float, str], symbols: Sequence[str], x_of: _Axis, *, size: int = 12
) -> go.Scatter:
    return go.Scatter(
        x=x_of(points.parameters, points.tokens),
        y=points.loss,
        mode="markers",
        marker={
            "color": [colours[n] for n in points.parameters],
            "size": size,
            "symbol": list(symbols),
            "line": {"color": "white", "width": 1},
        },
        hovertext=[
            f"{'trained here' if symbol == 'star' else 'measured'}<br>{_words(points, i)}<br>loss {points.loss[i]:.4f}"
            for i, symbol in enumerate(symbols)
        ],
        hoverinfo="text",
    )


def _forecasts(hidden: Points, law: Law, x_of: _Axis) -> go.Scatter:
    losses = predicted(law, hidden)
    return go.Scatter(
        x=x_of(hidden.parameters, hidden.tokens),
        y=losses,
        mode="markers",
        marker={"symbol": "diamond-open", "size": 12, "color": _FORECAST, "line": {"width": 2}},
        hovertext=[f"forecast<br>{_words(hidden, i)}<br>loss {loss:.4f}" for i, loss in enumerate(losses)],
        hoverinfo="text",
    )


def _words(points: Points, i: int) -> str:
    n, d = points.parameters[i], points.tokens[i]
    return f"N = {count(n)}, D = {count(d)}<br>{power(6 * n * d)} FLOPs"


def _axes(chart: go.Figure, parts: Sequence[Points], x_of: _Axis, law: Law | None) -> None:
    x = np.concatenate([x_of(part.parameters, part.tokens) for part in parts])
    losses = np.concatenate([part.loss for part in parts])
    room = max(float(np.ptp(losses)), 0.05)
    reach = float(x.max() / x.min())
    left, right = float(x.min()) / reach**0.06, float(x.max()) * reach**0.18
    chart.update_xaxes(title_text=x_of.title, **log_axis(left, right, x_of.label))
    if len(own := np.unique(x)) <= _MOST_TICKS:  # a grid of runs: its own values say more than powers of ten
        chart.update_xaxes(tickvals=own, ticktext=[x_of.label(float(f"{value:.1e}")) for value in own])
    low, high = float(losses.min()) - 0.2 * room, float(losses.max()) + 0.2 * room
    if law:  # a law far off may leave the picture, but not far
        said = np.concatenate([predicted(law, part) for part in parts])
        low = max(min(low, float(said.min()) - 0.1 * room), low - 0.6 * room)
        high = min(max(high, float(said.max()) + 0.1 * room), high + 0.6 * room)
    chart.update_yaxes(title_text="held-out loss (nats per token)", range=[low, high])


def residuals(points: Points, law: Law, *, height: int = 260) -> go.Figure:
    """Draw by how many percent the law lies above or below each run, over compute."""
    off = percent_off(law, points)
    chart = go.Figure(layout=base_layout(height=height, title="Where does the law miss?"))
    chart.add_trace(
        go.Scatter(
            x=points.flops,
            y=off,
            mode="markers",
            marker={"color": _FORECAST, "size": 8, "line": {"color": "white", "width": 1}},
            hovertext=[f"{_words(points, i)}<br>law {value:+.2f} % off" for i, value in enumerate(off)],
            hoverinfo="text",
        )
    )
    chart.add_hline(0, line={"color": _GREY, "width": 1.5})
    chart.update_xaxes(
        title_text="compute 6ND (FLOPs)",
        **log_axis(float(points.flops.min()) / 1.5, float(points.flops.max()) * 1.5, power),
    )
    reach = 1.15 * max(float(np.abs(off).max()), 0.1)
    chart.update_yaxes(title_text="law minus measured (%)", range=[-reach, reach])
    return chart
