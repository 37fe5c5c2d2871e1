"""Charts of the prompting labs: measured rates with their intervals, chain of thought over model size.

Lecture: chain-of-thought prompting. `figures.few_shot` has accuracy over the number of exemplars. Plain data in, a
plotly figure out. Published scores are percent solved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from lecture_core.figures.template import FAMILY_COLOURS, base_layout, log_axis
from lecture_core.quantities import count
from lecture_core.statistics import wilson

_PROMPTS: dict[str, tuple[str, str, str]] = {
    "standard": ("answers only", "dot", "circle-open"),
    "cot": ("chain of thought", "solid", "circle"),
}
"""Name, line and marker of each prompt."""


@dataclass(frozen=True)
class Measured:
    """A measured rate: `right` of `n`.

    Attributes:
        x: number of exemplars, or parameters of the model as a count.
        label: what was measured, for hover and direct labels.
    """

    x: float
    right: int
    n: int
    label: str = ""

    @property
    def percent(self) -> float:
        """The rate in percent."""
        return 100 * self.right / self.n

    @property
    def words(self) -> str:
        """Counts and interval, as a reader says them."""
        low, high = self.interval
        return f"{self.right} of {self.n} right, 95 % interval {low:.0f} to {high:.0f} %"

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval in percent."""
        low, high = wilson(self.right, self.n)
        return 100 * low, 100 * high


def with_intervals(points: Sequence[Measured], x: Sequence[float | str], colour: str) -> go.Scatter:
    """Draw measured rates with their 95 % intervals and counts."""
    low_high = [point.interval for point in points]
    return go.Scatter(
        x=list(x),
        y=[p.percent for p in points],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [high - p.percent for p, (_, high) in zip(points, low_high, strict=True)],
            "arrayminus": [p.percent - low for p, (low, _) in zip(points, low_high, strict=True)],
            "thickness": 2,
            "width": 6,
        },
        mode="lines+markers+text",
        text=[f"{p.right}/{p.n}" for p in points],
        textposition="top right",
        marker={"size": 11, "color": colour},
        line={"color": colour, "width": 2},
        hovertext=[f"{p.label} {p.words}".strip() for p in points],
        hoverinfo="text",
        cliponaxis=False,
    )


def chain_of_thought_by_scale(
    frame: pd.DataFrame, *, task: str, model: str, measured: Mapping[str, Measured], height: int = 360
) -> go.Figure:
    """Draw published scores by model size, answers only against chain of thought, and our model among them.

    Args:
        frame: columns model, parameters (count), task, prompt (`standard` or `cot`), score (percent).
        task: benchmark of the paper, such as GSM8K.
        model: family of the paper, such as PaLM.
        measured: our model's rate on our own problems by prompt (`standard` or `cot`); `x` is its size.
        height: in pixels.
    """
    figure = go.Figure(layout=base_layout(height=height, title=f"{model} on {task}: does reasoning help?"))
    rows = frame[(frame["task"] == task) & (frame["model"] == model) & frame["parameters"].notna()]
    for prompt in _PROMPTS:
        part = rows[rows["prompt"] == prompt].sort_values("parameters")
        figure.add_trace(_published(part, prompt, task=task, model=model))
    for prompt, point in measured.items():
        figure.add_trace(_ours(point, prompt))
    figure.update_xaxes(title="parameters", **log_axis(6e7, 3e12, count))
    top = max([*rows["score"], *(point.interval[1] for point in measured.values()), 20.0])
    figure.update_yaxes(title="right answers (%)", range=[-3, min(112, top * 1.15)])
    return figure


def _published(part: pd.DataFrame, prompt: str, *, task: str, model: str) -> go.Scatter:
    name, dash, symbol = _PROMPTS[prompt]
    grey = FAMILY_COLOURS["published"]
    return go.Scatter(
        x=part["parameters"],
        y=part["score"],
        mode="lines+markers+text",
        text=[""] * (len(part) - 1) + [name],
        textposition="top left",
        line={"dash": dash, "color": grey, "width": 2},
        marker={"symbol": symbol, "size": 10, "color": grey},
        hovertext=[
            f"{model} {count(size)}, {task}, {name}: {score:.1f} % (Wei et al. 2022)"
            for size, score in zip(part["parameters"], part["score"], strict=True)
        ],
        hoverinfo="text",
        cliponaxis=False,
    )


def _ours(point: Measured, prompt: str) -> go.Scatter:
    name, _, symbol = _PROMPTS[prompt]
    nudge = 1.15 if prompt == "cot" else 1 / 1.15  # side by side, not on top of each other
    hover = f"{point.label} ({count(point.x)}), our word problems, {name}: {point.words}"
    trace = with_intervals([point], [point.x * nudge], FAMILY_COLOURS["decoder"])
    label = "this model" if prompt == "cot" else ""
    return trace.update(text=[label], mode="markers+text", marker={"symbol": symbol, "size": 11}, hovertext=[hover])
