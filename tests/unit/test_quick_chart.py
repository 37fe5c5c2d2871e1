"""A plotly figure as a drawing list: everything the figure holds is in it, and nothing it does not know is left out."""

import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest

from lecture_core import overtraining
from lecture_core.figures import scaling
from lecture_core.figures import scaling_bench as bench
from lecture_core.figures.overtraining import cost_by_size
from lecture_core.figures.quick import drawn
from lecture_core.figures.template import base_layout, fixed_margins, log_axis
from lecture_core.overtraining import FLOPS_ALONE
from lecture_core.quantities import count
from lecture_core.scaling_laws import CHINCHILLA_FLOPS, EPOCH, Law
from lecture_core.scaling_models import load_models
from lecture_core.scaling_points import Points
from lecture_core.scaling_report import Split
from lecture_core.scaling_runs import load

SPLIT = Split(7e10, CHINCHILLA_FLOPS / 6 / 7e10, EPOCH)
RUNS = Points.of(load())
PLANS = [overtraining.cheapest(2.0, served, EPOCH, FLOPS_ALONE) for served in (2e12, 0.0)]
OWN = Law(1.5, 30.0, 200.0, 0.3, 0.4)


def figure(*traces, **axes):
    chart = go.Figure(layout=base_layout(height=300))
    chart.add_traces(traces)
    chart.update_xaxes(**({"range": [0, 10]} | axes)).update_yaxes(range=[0, 1])
    return fixed_margins(chart)


FIGURES = [
    scaling.isoflop_curves(SPLIT),
    scaling.loss_plane(SPLIT, load_models()),
    bench.bench(RUNS, OWN, hidden=RUNS, forecast=OWN, revealed=True, live=RUNS, left_out=RUNS),
    bench.bench(RUNS, None, by_compute=True),
    cost_by_size(2.0, 2e12, EPOCH, FLOPS_ALONE, *PLANS, unit="FLOPs"),
]


@pytest.mark.parametrize("chart", FIGURES)
def test_every_line_mark_and_word_of_a_figure_is_drawn(chart):
    found = drawn(chart)
    json.dumps(found, allow_nan=False)
    scatters = [trace for trace in chart.data if trace.type == "scatter"]
    assert len(found["lines"]) == sum("lines" in trace.mode for trace in scatters)
    assert len(found["marks"]) == sum(len(trace.x) for trace in scatters if "markers" in trace.mode)
    words = sum(sum(map(bool, trace.text)) for trace in scatters if "text" in trace.mode)
    assert len(found["words"]) == words + len(chart.layout.annotations)
    said = [
        text for trace in scatters for text in np.atleast_1d(trace.hovertext if trace.hovertext is not None else "")
    ]
    assert len(found["hover"]) == sum(map(bool, said))
    assert not any("<" in text for *_, text in found["hover"])
    assert (found["cells"] is None) == all(trace.type == "scatter" for trace in chart.data)


def test_a_line_breaks_at_its_gaps():
    found = drawn(figure(go.Scatter(x=[1, 2, None, 3, 4, None], y=[0, 1, None, 1, 0, None], mode="lines")))
    assert found["lines"][0]["pieces"] == [[[1, 0], [2, 1]], [[3, 1], [4, 0]]]


def test_axes_keep_their_ends_and_ticks():
    found = drawn(figure(go.Scatter(x=[1e6], y=[0.5], mode="markers"), **log_axis(5e5, 2e8, count)))
    assert found["x"]["log"]
    assert (found["x"]["low"], found["x"]["high"]) == pytest.approx((5e5, 2e8))
    assert found["x"]["ticks"] == [[1e6, "1M"], [1e7, "10M"], [1e8, "100M"]]
    marks = [mark for mark, _ in found["y"]["ticks"]]
    assert marks[0] == 0
    assert marks[-1] == 1
    assert 3 <= len(marks) <= 9


@pytest.mark.parametrize(("low", "high"), [(1.9, 2.5), (0.0301, 0.0302), (-3, 700), (2.0, 2.0000001)])
def test_round_ticks_are_few_round_and_told_apart(low, high):
    chart = figure(go.Scatter(x=[1], y=[low], mode="markers")).update_yaxes(range=[low, high])
    ticks = drawn(chart)["y"]["ticks"]
    assert 2 <= len(ticks) <= 9
    assert len({name for _, name in ticks}) == len(ticks)
    assert all(low - 1e-9 <= value <= high + 1e-9 for value, _ in ticks)
    assert all(math.isclose(float(name), value, abs_tol=1e-9) for value, name in ticks)


def test_annotations_become_words_where_they_stood():
    chart = figure(go.Scatter(x=[10.0], y=[0.5], mode="markers"), **log_axis(1, 1e3, count))
    chart.add_annotation(x=2, y=0.5, text="55k", xanchor="left", xshift=4, showarrow=False, font={"size": 13})
    (word,) = drawn(chart)["words"]
    assert (word["x"], word["y"], word["text"], word["gap"], word["size"]) == (100.0, 0.5, "55k", 4, 13)
    assert word["at"] == "middle right"
    chart.update_yaxes(type="log", range=[-1, 1])
    chart.layout.annotations[0].update(y=-1, xanchor="right", yanchor="top", font_color="red")
    (word,) = drawn(chart)["words"]
    assert (word["y"], word["at"], word["colour"]) == (0.1, "bottom left", "red")


def test_an_annotation_in_shares_of_the_paper_is_refused():
    chart = figure(go.Scatter(x=[1], y=[0.5], mode="markers"))
    chart.add_annotation(x=0.1, xref="paper", y=0.5, text="rule")
    with pytest.raises(ValueError, match="numbers of the axes"):
        drawn(chart)


@pytest.mark.parametrize(
    ("trace", "said"), [(go.Bar(x=[1], y=[1]), "got bar"), (go.Contour(z=[[1, 2], [3, 4]]), "got contour")]
)
def test_what_it_does_not_know_is_refused(trace, said):
    with pytest.raises(ValueError, match=said):
        drawn(figure(trace))


def test_an_axis_without_ends_is_refused():
    chart = figure(go.Scatter(x=[1], y=[1], mode="markers")).update_xaxes(range=None)
    with pytest.raises(ValueError, match="with a range"):
        drawn(chart)
