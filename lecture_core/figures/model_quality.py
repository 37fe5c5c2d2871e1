"""Charts of a model's card: learning curves, rates with their intervals, and the reliability of probabilities.

Lecture: recap, ELECTRA, text-to-text models. Plain data in, a plotly figure out; losses are in nats, rates in [0, 1].
"""

import textwrap
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from lecture_core.calibration import ReliabilityBin
from lecture_core.figures.template import FAMILY_COLOURS, FONT_SIZE, base_layout
from lecture_core.model_quality import LearningCurve, RateGroup
from lecture_core.quantities import count
from lecture_core.statistics import MeasuredRate

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "diamond-open", "square", "triangle-up-open", "x")
LABEL_LETTERS = 18  # of a row's name on one line
_ROW_HEIGHT = 18  # pixels, for each kind of rate
_MARGINS, _LABEL_HEIGHT = 90, 18  # pixels: above and below the plot; what a label takes
_LETTER = 0.042  # of the axis, what a letter of a label takes on a phone


def loss_over_tokens(curve: LearningCurve, *, colour: str, height: int = 280) -> go.Figure:
    """Draw the loss over the tokens trained on."""
    figure = go.Figure(
        layout=base_layout(height=height, title=f"Loss on {curve.material}: {curve.loss[-1]:.2f} at the end")
    )
    figure.add_trace(_line(curve.tokens, curve.loss, "loss", colour, 0))
    _token_axis(figure, curve.tokens, room=0.04)
    figure.update_yaxes(title="nats per token")
    return figure


def rates_over_tokens(curve: LearningCurve, *, colour: str) -> go.Figure:
    """Draw the held-out rates over the tokens trained on, each named at its end."""
    last = {name: next(v for v in reversed(values) if v is not None) for name, values in curve.rates.items()}
    height = max(280, _MARGINS + _LABEL_HEIGHT * (len(last) + 1))
    figure = go.Figure(layout=base_layout(height=height, title="Rates on held-out text"))
    for i, (name, values) in enumerate(curve.rates.items()):
        figure.add_trace(_line(curve.tokens, values, name, colour, i))
    if len(last) > len(DASHES):
        figure.update_traces(mode="lines")
    low, high = _room([v for values in curve.rates.values() for v in values if v is not None])
    for name, at in _spread(last, (high - low) * _LABEL_HEIGHT / (height - _MARGINS), high).items():
        figure.add_annotation(
            x=curve.tokens[-1], y=at, text=f"{name} {last[name]:.2f}", xanchor="left", xshift=8, showarrow=False
        )
    longest = max(len(name) for name in last) + len(" 0.00")
    _token_axis(figure, curve.tokens, room=longest * _LETTER)
    figure.update_yaxes(title="share", range=[low, high])
    return figure


def _line(x: Sequence[int], y: Sequence[float | None], name: str, colour: str, index: int) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": DASHES[index % len(DASHES)]},
        marker={"color": colour, "size": 7, "symbol": SYMBOLS[index % len(SYMBOLS)]},
        hovertext=[f"{name} {v:.3f} after {count(t)} tokens" for t, v in zip(x, y, strict=True) if v is not None],
        hoverinfo="text",
        cliponaxis=False,
    )


def _token_axis(figure: go.Figure, tokens: Sequence[int], *, room: float) -> None:
    """Leave room on the right, as a share of the axis, for labels."""
    figure.update_xaxes(title="tokens trained on", range=[0, tokens[-1] * (1 + room)], tickformat="~s", nticks=5)


def _room(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max(0.12 * (high - low), 0.02)
    return max(-0.02, low - margin), min(1.04, high + margin)


def _spread(ends: Mapping[str, float], gap: float, top: float) -> dict[str, float]:
    """Move labels apart until none is closer than `gap` to the next and none above `top`."""
    ordered = sorted(ends.items(), key=lambda item: item[1])
    places: list[float] = []
    for _, value in ordered:
        places.append(max(value, places[-1] + gap) if places else value)
    ceiling = top - gap / 2
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    return {name: place for (name, _), place in zip(ordered, places, strict=True)}


def rates_with_intervals(groups: Sequence[RateGroup], *, colour: str, title: str) -> go.Figure:
    """Draw each rate as a point with its 95 % interval, one line a group, kinds of rate by symbol."""
    kinds = list(dict.fromkeys(kind for group in groups for kind in group.rates))
    height = _MARGINS + (_ROW_HEIGHT * len(kinds) + 12) * len(groups)
    figure = go.Figure(layout=base_layout(height=height, title=title))
    for i, kind in enumerate(kinds):
        figure.add_trace(_points(groups, kind, colour, i, shift=(i - (len(kinds) - 1) / 2) * 0.26))
    names = ["<br>".join(textwrap.wrap(group.name, LABEL_LETTERS)) for group in groups]
    figure.update_xaxes(title="share, with 95 % interval", range=[-0.02, 1.02], tickformat=".0%", nticks=5)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6], showgrid=False
    )
    if len(kinds) > 1:
        figure.update_layout(
            showlegend=True,
            legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": FONT_SIZE}},
        )
    return figure


def _points(groups: Sequence[RateGroup], kind: str, colour: str, index: int, *, shift: float) -> go.Scatter:
    rows = [(i, g.name, g.rates[kind]) for i, g in enumerate(groups) if kind in g.rates and g.rates[kind].n]
    shares = [rate.right / rate.n for _, _, rate in rows]
    return go.Scatter(
        x=shares,
        y=[i + shift for i, _, _ in rows],
        name=kind,
        mode="markers",
        marker={"color": colour, "size": 11, "symbol": SYMBOLS[index % len(SYMBOLS)]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [rate.high - share for share, (_, _, rate) in zip(shares, rows, strict=True)],
            "arrayminus": [share - rate.low for share, (_, _, rate) in zip(shares, rows, strict=True)],
            "thickness": 2,
            "width": 5,
            "color": colour,
        },
        hovertext=[f"{name}, {kind}: {_counts(rate)}" for _, name, rate in rows],
        hoverinfo="text",
        cliponaxis=False,
    )


def _counts(rate: MeasuredRate) -> str:
    return f"{rate.right} of {rate.n} ({rate.low:.0%} to {rate.high:.0%})"


def reliability_curve(curves: Mapping[str, Sequence[ReliabilityBin]], *, colour: str, height: int = 340) -> go.Figure:
    """Draw how often tokens were fakes over how probable the discriminator said it was; the diagonal is honest.

    Args:
        curves: bins by kind of text.
    """
    figure = go.Figure(layout=base_layout(height=height, title="Do its probabilities mean what they say?"))
    grey = FAMILY_COLOURS["published"]
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": grey, "dash": "dot"}, hoverinfo="skip", name="honest"
        )
    )
    for i, (kind, bins) in enumerate(curves.items()):
        full = [b for b in bins if b.predicted is not None and b.observed is not None]
        line = _line([0] * len(full), [b.observed for b in full], kind, colour, i)
        hover = [f"{kind}: said {b.predicted:.2f}, true {b.observed:.2f} of {b.n:,} tokens" for b in full]
        figure.add_trace(line.update(x=[b.predicted for b in full], hovertext=hover, name=kind))
    figure.update_xaxes(title="probability it gave to “replaced”", range=[-0.02, 1.02])
    figure.update_yaxes(title="share truly replaced", range=[-0.02, 1.02])
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": FONT_SIZE}}
    )
    return figure
