import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_core.errors import InvalidInputError
from lecture_core.figures.overtraining import cost_by_size, tokens_per_parameter
from lecture_core.overtraining import Prices, cheapest, plan, quality_of, served_at, smallest, tokens_for
from lecture_core.scaling_laws import EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law, compute_optimal, predict_loss
from lecture_core.scaling_models import load_models

LAWS = st.builds(
    Law, st.floats(0.5, 2.5), st.floats(50, 2000), st.floats(50, 2000), st.floats(0.2, 0.6), st.floats(0.2, 0.6)
)


@given(LAWS, st.floats(8, 12))
def test_a_model_that_is_never_served_is_the_chinchilla_optimum(law, log_size):
    loss = quality_of(10**log_size, law)
    best = cheapest(loss, 0.0, law)
    assert best.parameters == pytest.approx(10**log_size, rel=1e-3)
    assert compute_optimal(6 * best.parameters * best.tokens, law).loss == pytest.approx(loss, rel=1e-6)


@given(LAWS, st.floats(8, 12), st.floats(9, 15))
def test_no_other_size_is_cheaper(law, log_size, log_served):
    loss = quality_of(10**log_size, law)
    best = cheapest(loss, 10**log_served, law)
    for n in np.geomspace(1.01 * smallest(loss, law), 1e4 * smallest(loss, law), 200):
        assert best.cost <= plan(float(n), loss, 10**log_served, law).cost * (1 + 1e-6)


@pytest.mark.parametrize("law", [HOFFMANN_PRINTED, EPOCH])
def test_the_more_is_served_the_smaller_and_the_longer_trained(law):
    loss = quality_of(13e9, law)
    plans = [cheapest(loss, served, law) for served in (0, 1e11, 1e12, 1e13, 1e14)]
    sizes, ratios = [p.parameters for p in plans], [p.tokens_per_parameter for p in plans]
    assert sizes == sorted(sizes, reverse=True)
    assert ratios == sorted(ratios)


def test_the_papers_example_13b_quality_for_two_trillion_tokens():
    law = HOFFMANN_UNROUNDED
    loss = quality_of(13e9, law)
    plain, seven, best = plan(13e9, loss, 2e12, law), plan(7e9, loss, 2e12, law), cheapest(loss, 2e12, law)
    assert plain.cost - seven.cost == pytest.approx(1.7e22, rel=0.06)
    assert 1 - seven.cost / plain.cost == pytest.approx(0.17, abs=0.01)
    assert best.parameters == pytest.approx(7e9, rel=0.05)


@given(LAWS, st.floats(8, 12), st.floats(0.1, 3))
def test_tokens_for_inverts_the_law(law, log_size, excess):
    loss = float(predict_loss(10**log_size, 10 ** (log_size + excess), law))
    assert float(tokens_for(10**log_size, loss, law)) == pytest.approx(10 ** (log_size + excess), rel=1e-4)


def test_a_model_too_small_for_the_loss_needs_endless_tokens():
    loss = quality_of(13e9, EPOCH)
    assert math.isinf(float(tokens_for(0.5 * smallest(loss, EPOCH), loss, EPOCH)))


def test_dear_serving_makes_the_model_smaller():
    loss = quality_of(70e9, EPOCH)
    cheap, dear = (cheapest(loss, 1e12, EPOCH, Prices(serving_utilisation=u)) for u in (0.4, 0.05))
    assert dear.parameters < cheap.parameters


@pytest.mark.parametrize(("loss", "served"), [(1.0, 1e12), (float("nan"), 1e12), (2.2, -1), (2.2, float("nan"))])
def test_what_cannot_be_reached_is_named(loss, served):
    with pytest.raises(InvalidInputError):
        cheapest(loss, served, EPOCH)


@pytest.mark.parametrize("field", ["hour", "peak_flops", "training_utilisation", "serving_utilisation"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_prices_must_mean_something(field, value):
    with pytest.raises(InvalidInputError):
        Prices(**{field: value})


@pytest.mark.parametrize("token_price", [None, 1e-22, 1e-18, 1e-14, 1e-10, 1e-6])
@pytest.mark.parametrize("served", [0.0, 1e9, 2e12, 1e16])
@pytest.mark.parametrize("size", [1e8, 13e9, 1e12])
def test_the_chart_holds_every_plan_and_only_finite_numbers(size, served, token_price):
    loss, prices = quality_of(size, EPOCH), Prices()
    best, plain = cheapest(loss, served, EPOCH, prices), plan(size, loss, served, EPOCH, prices)
    rates = None if token_price is None else served_at(token_price, prices)
    here = None if rates is None else (rates, cheapest(loss, served, EPOCH, rates))
    figure = cost_by_size(loss, served, EPOCH, prices, best, plain, unit="money", here=here)
    for trace in figure.data:
        assert np.isfinite(np.asarray(trace.x, float)).all()
        assert np.isfinite(np.asarray(trace.y, float)).all()
        assert (np.asarray(trace.y, float) > 0).all()  # a logarithmic axis has no place for 0
    (left, right), (bottom, top) = figure.layout.xaxis.range, figure.layout.yaxis.range
    for end in (best, plain, *([here[1]] if here else [])):
        assert left <= math.log10(end.parameters) <= right
        assert bottom <= math.log10(end.cost) <= top
    assert len(figure.data) == (2 if not served else 8 if here else 5)
    names = {note.text for note in figure.layout.annotations}
    assert any(name.startswith("serving") for name in names) <= bool(served)
    for one, other in itertools.combinations(figure.layout.annotations, 2):
        aside = one.xanchor != other.xanchor and abs(one.x - other.x) > 0.5 * (right - left)
        assert aside or abs(one.y - other.y) >= 0.06 * (top - bottom)  # 20 of 330 pixels
    assert all(bottom < note.y <= top and left <= note.x <= right for note in figure.layout.annotations)


class TestTokensPerParameter:
    OPEN = [model for model in load_models() if not model.lecture_table]

    def test_a_family_is_told_from_the_others_by_colour_and_mark(self):
        figure = tokens_per_parameter(self.OPEN)
        colours = [trace.line.color for trace in figure.data]
        marks = [trace.marker.symbol[-1] for trace in figure.data]
        assert len(set(colours)) == len(set(marks)) == len({model.family for model in self.OPEN}) == 5

    def test_a_mixture_stands_twice_and_each_point_says_which_parameters_count(self):
        figure = tokens_per_parameter(self.OPEN)
        trace = next(trace for trace in figure.data if trace.name == "DeepSeek-V3")
        points = dict(zip(trace.text, zip(trace.x, trace.y, strict=True), strict=True))
        assert points["DeepSeek-V3<br>(active)"] == (37e9, pytest.approx(400))
        assert points["V3 (all)"] == (671e9, pytest.approx(22.06, abs=0.01))
        assert len(set(trace.marker.symbol)) == 2

    def test_no_name_is_cut_on_a_phone(self):
        width, letter, gap = 185, 8, 8  # pixels: of the plot, a letter, from a point to its name
        figure = tokens_per_parameter(self.OPEN)
        left, right = figure.layout.xaxis.range
        for trace in figure.data:
            for x, name, place in zip(trace.x, trace.text, trace.textposition, strict=True):
                if place.endswith("right") and name:
                    at = (math.log10(x) - left) / (right - left) * width
                    assert at + gap + letter * max(map(len, name.split("<br>"))) <= width

    def test_llama_2_is_there(self):
        trace = next(trace for trace in tokens_per_parameter(self.OPEN).data if trace.name == "Llama 2")
        assert [round(y) for y in trace.y] == [286, 154, 29]
