"""Recorded runs, forecasts and exports of the fit-forecast-reveal lab."""

import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from lecture_core import scaling_export, scaling_runs
from lecture_core.errors import InvalidInputError
from lecture_core.figures import scaling_bench as figures
from lecture_core.run_tables import RunError
from lecture_core.scaling_laws import Law, compute_optimal, predict_loss
from lecture_core.scaling_points import Points, fitted, intervals, lacking, percent_off, resampled
from lecture_core.scaling_runs import ENOUGH_TO_FIT, FEWEST_TOKENS, ScalingRun

TRUTH = Law(1.2, 30, 200, 0.3, 0.35)
RUN = ScalingRun(55_536, 104_688, 524_288, 1.7e11, 3.65, 1.85, 4.2e-3, 0, 98.2, "2026-11-23", "cpu float32", "abcd1234")
RECORDED = scaling_runs.load()


def grid(sizes=7, budgets=5) -> Points:
    n, d = np.meshgrid(np.geomspace(5e4, 1e7, sizes), np.geomspace(5e5, 4e6, budgets))
    noise = np.random.default_rng(0).normal(0, 0.003, n.size)
    loss = predict_loss(n.ravel(), d.ravel(), TRUTH) * np.exp(noise)
    return Points(tuple(n.ravel().tolist()), tuple(d.ravel().tolist()), tuple(loss.tolist()))


def test_a_row_that_was_written_is_read_back(tmp_path):
    path = tmp_path / "runs" / "scaling_runs.csv"
    dear = replace(RUN, flops=9e12)
    scaling_runs.append(dear, path)
    scaling_runs.append(RUN, path)
    assert scaling_runs.load(path) == (RUN, dear)
    assert scaling_runs.load(tmp_path / "none.csv") == ()


@pytest.mark.parametrize(("value", "wrong"), [("3.65", "abc"), ("3.65", "-1"), ("524288", "0"), ("98.2,", "")])
def test_a_broken_row_is_named(tmp_path, value, wrong):
    path = tmp_path / "scaling_runs.csv"
    scaling_runs.append(RUN, path)
    path.write_text(path.read_text().replace(value, wrong))
    with pytest.raises(RunError, match=r"scaling_runs.csv, row 2"):
        scaling_runs.load(path)


@pytest.mark.parametrize("number", range(40))
def test_the_dearest_runs_are_held_out_and_enough_are_left(number):
    runs = [replace(RUN, flops=float(i + 1)) for i in range(number)]
    shown, hidden = scaling_runs.split(runs[::-1])
    assert len(shown) + len(hidden) == number
    assert len(shown) >= min(number, ENOUGH_TO_FIT)
    assert bool(hidden) == (number > ENOUGH_TO_FIT)
    assert max((r.flops for r in shown), default=0) < min((r.flops for r in hidden), default=np.inf)


def test_recorded_runs_are_of_one_recipe_and_each_was_made_once():
    assert len({run.revision for run in RECORDED}) <= 1
    assert len({(run.parameters, run.tokens, run.seed) for run in RECORDED}) == len(RECORDED)
    for run in RECORDED:
        assert run.flops == pytest.approx(6 * run.parameters * run.tokens, rel=1e-4)
        assert run.loss_per_byte < run.loss_per_token < np.log(512)


@pytest.mark.skipif(len(RECORDED) < 20, reason="fewer than 20 recorded runs")
def test_our_own_law_forecasts_the_dearest_runs_within_three_percent():
    shown, hidden = scaling_runs.split(RECORDED)
    law = fitted(Points.of(scaling_runs.by_length(shown)[0])).law
    assert np.abs(percent_off(law, Points.of(hidden))).max() < 3


@pytest.mark.skipif(len(RECORDED) < 20, reason="fewer than 20 recorded runs")
def test_the_shortest_runs_are_left_out_for_a_reason_that_the_hidden_runs_do_not_know():
    rest, costliest = scaling_runs.split(scaling_runs.split(RECORDED)[0])
    judges = Points.of([run for run in costliest if run.tokens >= FEWEST_TOKENS])
    assert (len(costliest), len(judges)) == (6, 4)
    worst = []
    for fewest in (0, 600_000, FEWEST_TOKENS):
        law = fitted(Points.of([run for run in rest if run.tokens >= fewest])).law
        worst.append(round(float(np.abs(percent_off(law, judges)).max()), 1))
    assert worst == [2.3, 1.7, 1.4]


def test_a_fit_of_known_runs_forecasts_what_it_has_not_seen():
    points = grid()
    order = np.argsort(points.flops)
    cheap, dear = (
        Points(*(tuple(np.array(column)[part]) for column in (points.parameters, points.tokens, points.loss)))
        for part in (order[:-7], order[-7:])
    )
    assert np.abs(percent_off(fitted(cheap).law, dear)).max() < 3


def test_intervals_hold_the_value_and_the_truth():
    points = grid()
    law = fitted(points).law
    samples = np.concatenate(list(resampled(points, law, resamples=150)))
    assert samples.shape == (150, 5)
    found = intervals(law, samples, 1e14)
    assert found["alpha"].low < TRUTH.alpha < found["alpha"].high
    assert found["a"].value + found["b"].value == pytest.approx(1)
    assert found["tokens per parameter"].value == pytest.approx(compute_optimal(1e14, law).tokens_per_parameter)
    again = np.concatenate(list(resampled(points, law, resamples=150)))
    assert np.array_equal(samples, again)


def test_samples_without_a_best_split_leave_no_interval_but_a_value():
    found = intervals(TRUTH, np.array([[1.0, np.inf, 1.0, 0.3, 0.3], [1.0, 1.0, 1.0, -0.1, 0.3]]), 1e14)
    assert np.isnan(found["a"].low)
    assert found["a"].value == pytest.approx(0.35 / 0.65)
    assert "NaN" not in scaling_export.fit_json(grid(), fitted(grid()), found, 1e14)


def test_a_fit_taken_home_says_all_that_is_needed_to_judge_it():
    points = grid()
    found = fitted(points)
    content = json.loads(scaling_export.fit_json(points, found, {}, 1e14))
    assert content["constants"] == found.law.constants()
    assert content["runs"] == 35
    assert (content["starts"], content["agreeing"], content["converged"]) == (24, found.agreeing, True)
    assert 1 < found.agreeing <= 24
    lines = scaling_export.runs_csv(points, found).splitlines()
    assert len(lines) == 36
    assert lines[0] == "parameters,tokens,flops,loss,loss_of_law,percent_off"


def test_the_code_drawer_gives_the_fit_of_the_page(tmp_path, monkeypatch, capsys):
    points = grid(5, 4)
    (tmp_path / "runs.csv").write_text(scaling_export.runs_csv(points, fitted(points)))
    monkeypatch.chdir(tmp_path)
    exec(scaling_export.code(), {})
    forecast = float(capsys.readouterr().out.split()[-1])
    assert forecast == pytest.approx(float(predict_loss(1e7, 4e6, fitted(points).law)), rel=2e-3)


@pytest.mark.parametrize("by_compute", [False, True])
@pytest.mark.parametrize(("sizes", "law"), [(7, TRUTH), (7, None), (14, TRUTH), (1, TRUTH)])
def test_a_chart_has_every_run_and_a_line_a_size(sizes, law, by_compute):
    points = grid(sizes)
    chart = figures.bench(points, law, by_compute=by_compute)
    lines = [trace for trace in chart.data if trace.mode == "lines"]
    assert len(lines) == (0 if law is None else sizes if sizes <= figures.MOST_LINES else 1)
    assert sum(len(trace.x) for trace in chart.data if trace.mode == "markers") == len(points)


def test_hidden_losses_are_drawn_only_when_revealed():
    shown, hidden = grid(), Points((2e7,), (8e6,), (2.123456,))
    kept = figures.bench(shown, TRUTH, hidden=hidden, forecast=TRUTH)
    assert not any(2.123456 in trace.y for trace in kept.data)
    told = figures.bench(shown, TRUTH, hidden=hidden, forecast=TRUTH, revealed=True)
    assert any(2.123456 in trace.y for trace in told.data)


@pytest.mark.parametrize("by_compute", [False, True])
@pytest.mark.parametrize("points", [grid(4), grid(10), Points.of(RECORDED)])
def test_labels_of_curves_do_not_cover_each_other(points, by_compute):
    layout = figures.bench(points, TRUTH, by_compute=by_compute).layout
    wide, high = np.ptp(layout.xaxis.range), np.ptp(layout.yaxis.range)
    assert layout.annotations
    for one, other in itertools.combinations(layout.annotations, 2):
        assert abs(one.x - other.x) > 0.1 * wide or abs(one.y - other.y) > 0.05 * high


def test_each_label_stands_nearest_to_the_end_of_its_own_line():
    figure = figures.bench(Points.of(RECORDED), Law(1.5, 30.0, 200.0, 0.3, 0.4))  # where the page begins
    ends = {trace.name: trace.y[-1] for trace in figure.data if trace.mode == "lines"}
    for label in figure.layout.annotations:
        assert min(ends, key=lambda name: abs(ends[name] - label.y)) == label.text


def test_sizes_differ_in_mark_and_in_colour():
    points = grid(4)
    marker = next(trace for trace in figures.bench(points, TRUTH).data if trace.mode == "markers").marker
    assert len(set(marker.symbol)) == len(set(marker.color)) == len(set(zip(marker.symbol, marker.color, strict=True)))
    colours = [tuple(map(int, re.findall(r"\d+", colour))) for colour in dict.fromkeys(marker.color)]
    assert min(np.abs(np.subtract(*pair)).sum() for pair in itertools.combinations(colours, 2)) > 60


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (grid(3, 1), "at least 6 runs; add 3 or more"),
        (grid(2, 5), "3 different numbers of parameters; these have 2"),
        (grid(5, 2), "3 different numbers of tokens; these have 2"),
    ],
)
def test_what_runs_lack_for_a_fit_is_what_the_fitter_refuses(points, said):
    assert said in lacking(points)
    with pytest.raises(InvalidInputError):
        fitted(points)
    assert not lacking(grid(3, 3))


def test_residuals_are_percent_of_the_measured_loss():
    points = Points((1e6,), (1e6,), (float(predict_loss(1e6, 1e6, TRUTH)) / 1.02,))
    assert figures.residuals(points, TRUTH).data[0].y[0] == pytest.approx(2)
