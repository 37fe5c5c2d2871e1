"""Properties of the scaling law, of its closed-form optimum and of the fit."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from lecture_core import scaling_fit
from lecture_core.errors import InvalidInputError
from lecture_core.scaling_laws import (
    CHINCHILLA_FLOPS,
    EPOCH,
    HOFFMANN_PRINTED,
    HOFFMANN_UNROUNDED,
    Law,
    bootstrap,
    compute_optimal,
    fit,
    frontier,
    isoflop_curve,
    overtraining_cost,
    predict_loss,
    training_flops,
)
from lecture_core.scaling_report import loss_terms

PUBLISHED = [HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, EPOCH]
BAD = [math.nan, math.inf, -math.inf, 0, -1.0]
EXPONENTS = st.floats(0.05, 1.0)
WEIGHTS = st.floats(1.0, 5000.0)
LAWS = st.builds(Law, E=st.floats(0.01, 4.0), A=WEIGHTS, B=WEIGHTS, alpha=EXPONENTS, beta=EXPONENTS)
SIXTY = settings(max_examples=60)
BUDGETS = st.floats(18, 27).map(lambda exponent: 10.0**exponent)


def runs(law: Law, *, noise: float = 0.0, number: int = 120, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Runs spread like those of Hoffmann et al. 2022."""
    random = np.random.default_rng(seed)
    n, flops = 10 ** random.uniform(7.8, 10.2, number), 10 ** random.uniform(18.5, 21.7, number)
    d = flops / 6 / n
    return n, d, predict_loss(n, d, law) * np.exp(random.normal(0, noise, number))


@pytest.mark.parametrize(("law", "expected"), [(HOFFMANN_PRINTED, 93), (HOFFMANN_UNROUNDED, 59), (EPOCH, 18)])
def test_tokens_per_parameter_at_chinchillas_compute(law, expected):
    assert round(compute_optimal(CHINCHILLA_FLOPS, law).tokens_per_parameter) == expected


def test_unrounded_constants_give_the_papers_40_billion_parameters():
    assert compute_optimal(CHINCHILLA_FLOPS, HOFFMANN_UNROUNDED).parameters == pytest.approx(40e9, rel=0.02)


@SIXTY
@given(LAWS, BUDGETS)
def test_optimum_minimises_loss_on_its_isoflop_curve(law, flops):
    curve = isoflop_curve(flops, law, decades=2, points=41)
    assert curve.loss.min() >= curve.best.loss * (1 - 1e-12)
    assert curve.loss[20] == pytest.approx(curve.best.loss, rel=1e-9)


@SIXTY
@given(LAWS, BUDGETS)
def test_closed_form_equals_a_numeric_minimum_along_the_isoflop_curve(law, flops):
    best = compute_optimal(flops, law)
    floorless = replace(law, E=1e-9)  # the same place, without a constant that hides small differences

    def loss(log_n: float) -> float:
        return predict_loss(math.exp(log_n), flops / 6 / math.exp(log_n), floorless)

    middle = math.log(best.parameters)
    options = {"xatol": 1e-11, "maxiter": 500}
    found = minimize_scalar(loss, bounds=(middle - 3.0, middle + 2.7), method="bounded", options=options)
    assert math.exp(found.x) == pytest.approx(best.parameters, rel=1e-6)
    assert law.E + loss(found.x) == pytest.approx(best.loss, rel=1e-6)


@SIXTY
@given(LAWS)
def test_frontier_of_many_budgets_is_that_of_each_and_grows_with_its_exponent(law):
    budgets = np.geomspace(1e18, 1e26, 5)
    n, d, loss = frontier(budgets, law)
    each = [compute_optimal(float(flops), law) for flops in budgets]
    assert n == pytest.approx([best.parameters for best in each])
    assert d == pytest.approx([best.tokens for best in each])
    assert loss == pytest.approx([best.loss for best in each])
    assert math.log(n[-1] / n[0]) / math.log(1e8) == pytest.approx(law.size_exponent)
    assert law.size_exponent + law.token_exponent == pytest.approx(1)


@SIXTY
@given(LAWS, BUDGETS)
def test_optimum_spends_the_whole_budget(law, flops):
    best = compute_optimal(flops, law)
    assert training_flops(best.parameters, best.tokens) == pytest.approx(flops, rel=1e-9)


@SIXTY
@given(LAWS, BUDGETS)
def test_every_split_on_an_isoflop_curve_costs_the_same(law, flops):
    curve = isoflop_curve(flops, law)
    assert training_flops(curve.parameters, curve.tokens) == pytest.approx(np.full(121, flops), rel=1e-9)


@SIXTY
@given(LAWS, BUDGETS)
def test_more_compute_never_raises_the_best_loss(law, flops):
    assert compute_optimal(10 * flops, law).loss <= compute_optimal(flops, law).loss


@SIXTY
@given(LAWS, st.floats(1e6, 1e13), st.floats(1e8, 1e15))
def test_terms_sum_to_the_loss_above_the_floor(law, n, d):
    terms = loss_terms(n, d, law)
    assert terms.loss == pytest.approx(predict_loss(n, d, law))
    assert terms.floor == law.E <= terms.loss


def test_loss_of_chinchilla_by_hand():
    by_hand = 1.69 + 406.4 / 7e10**0.34 + 410.7 / 1.4e12**0.28
    assert predict_loss(7e10, 1.4e12, HOFFMANN_PRINTED) == pytest.approx(by_hand)


def test_arrays_give_what_single_numbers_give_and_grids_broadcast():
    n, d = np.array([1e9, 7e10]), np.array([2e10, 1.4e12, 3e12])
    grid = predict_loss(n[:, None], d, EPOCH)
    assert grid.shape == (2, 3)
    assert grid[1, 1] == predict_loss(7e10, 1.4e12, EPOCH)


@pytest.mark.parametrize("bad", BAD)
def test_bad_numbers_are_refused_with_a_sentence(bad):
    for call in (
        lambda: predict_loss(bad, 1e12, EPOCH),
        lambda: predict_loss([7e10, bad], 1e12, EPOCH),
        lambda: predict_loss(7e10, bad, EPOCH),
        lambda: training_flops(bad, 1e12),
        lambda: compute_optimal(bad, EPOCH),
        lambda: isoflop_curve(bad, EPOCH),
        lambda: isoflop_curve(1e21, EPOCH, decades=bad),
        lambda: loss_terms(bad, 1e12, EPOCH),
        lambda: Law(1.7, 400, 400, bad, 0.3),
        lambda: Law(bad, 400, 400, 0.3, 0.3),
        lambda: fit([1e9, bad], [1e10] * 2, [3.0] * 2),
    ):
        with pytest.raises(InvalidInputError, match=r"finite and above zero; got .*\. Enter a positive number"):
            call()


@pytest.mark.parametrize("bad", ["seventy", None, [], [[1, 2], [3]], 1j])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(InvalidInputError, match="the number of parameters"):
        predict_loss(bad, 1e12, EPOCH)


def test_lengths_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match="2 parameters and 3 tokens"):
        predict_loss([1e9, 2e9], [1e10, 2e10, 3e10], EPOCH)


@pytest.mark.parametrize("law", [Law(1, 1, 1, 1e-300, 1e-2), Law(1, 1e300, 1e-300, 1e-3, 1e-3)])
def test_an_optimum_beyond_all_numbers_is_refused(law):
    with pytest.raises(InvalidInputError, match="alpha and beta further from 0"):
        compute_optimal(1e21, law)


def test_results_beyond_all_numbers_are_refused():
    with pytest.raises(InvalidInputError, match="too large to compute"):
        training_flops(1e200, 1e200)
    with pytest.raises(InvalidInputError, match="too large to compute"):
        predict_loss(1e-300, 1.0, Law(1, 1, 1, 5.0, 1.0))


def test_gradient_agrees_with_finite_differences():
    n, d, loss = runs(EPOCH, noise=0.01, number=30)
    data = scaling_fit.Runs(np.log(n), np.log(d), np.log(loss), np.linspace(0.5, 2, 30))
    starts = np.array([[5.0, 8.0, 0.5, 0.3, 0.4], [20.0, 0.0, -1.0, 2.0, 0.0], [6.2, 7.6, 0.6, 0.35, 0.37]])
    for delta in (1e-3, 1.0):
        values, gradients = scaling_fit.objective(starts, data, delta)
        assert values.shape == (3,)
        for i in range(5):
            step = np.zeros(5)
            step[i] = 1e-6
            above, below = (scaling_fit.objective(starts + sign * step, data, delta)[0] for sign in (1, -1))
            assert gradients[:, i] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-7)


def test_objective_of_many_starts_equals_that_of_each():
    n, d, loss = runs(EPOCH, number=20)
    data = scaling_fit.Runs(np.log(n), np.log(d), np.log(loss), np.ones(20))
    starts = scaling_fit.all_starts()[::500]
    together = scaling_fit.objective(starts, data, 1e-3)[0]
    assert together == pytest.approx([scaling_fit.objective(start[None], data, 1e-3)[0][0] for start in starts])


def test_grid_has_the_4500_starts_of_the_paper():
    assert scaling_fit.all_starts().shape == (4500, 5)


@pytest.mark.parametrize("law", PUBLISHED)
def test_fit_recovers_the_constants_of_noiseless_runs(law):
    found = fit(*runs(law), starts=8, resamples=0)
    assert found.converged
    assert found.starts == 8
    assert 1 <= found.agreeing <= 8
    assert found.standard_errors == {}
    assert list(found.law.constants().values()) == pytest.approx(list(law.constants().values()), rel=1e-3)


def test_fit_of_noisy_runs_lands_within_its_standard_errors():
    found = fit(*runs(EPOCH, noise=0.01, number=240), starts=8, resamples=20)
    assert found.converged
    for name, truth in EPOCH.constants().items():
        error = found.standard_errors[name]
        assert 0 < error < truth
        assert abs(getattr(found.law, name) - truth) < 4 * error


def test_fit_shrugs_off_a_few_wild_runs():
    n, d, loss = runs(EPOCH, number=120)
    loss[:4] *= 1.5
    assert fit(n, d, loss, starts=8, resamples=0).law.alpha == pytest.approx(EPOCH.alpha, abs=0.01)


def test_each_constant_lies_in_its_own_interval_for_nine_seeds_of_ten():
    seeds, inside = 40, dict.fromkeys(EPOCH.constants(), 0)
    for seed in range(seeds):
        found = fit(*runs(EPOCH, noise=0.01, number=240, seed=seed), starts=8, resamples=100, seed=seed)
        for name, truth in EPOCH.constants().items():
            low, high = found.interval(name)
            inside[name] += low < truth < high
    assert min(inside.values()) >= 0.9 * seeds, inside


def test_intervals_widen_with_their_level_and_hold_the_constant():
    found = fit(*runs(EPOCH, noise=0.01, number=60), resamples=50)
    for name, value in found.law.constants().items():
        (low, high), (lower, higher) = found.interval(name, 0.5), found.interval(name, 0.99)
        assert lower < low < value < high < higher


def test_bootstrap_gives_constants_in_the_order_of_the_law():
    data = runs(EPOCH, noise=0.005, number=120)
    samples = bootstrap(*data, EPOCH, resamples=40, seed=1)
    assert samples.shape == (40, 5)
    assert np.median(samples, axis=0) == pytest.approx(list(EPOCH.constants().values()), rel=0.4)
    assert np.array_equal(samples, bootstrap(*data, EPOCH, resamples=40, seed=1))
    with pytest.raises(InvalidInputError, match="number of samples"):
        bootstrap(*data, EPOCH, resamples=0)


def test_descents_side_by_side_end_where_each_alone_ends():
    n, d, loss = runs(EPOCH, noise=0.02, number=80)
    data = scaling_fit.Runs(np.log(n), np.log(d), np.log(loss), np.ones(80))
    starts = scaling_fit.best_starts(data, 6)
    together = scaling_fit.descend(starts, data, 1e-3)
    alone = [scaling_fit.descend(start[None], data, 1e-3).values[0] for start in starts]
    assert together.values == pytest.approx(alone, rel=1e-6)


def test_every_start_of_the_grid_can_be_descended_from():
    n, d, loss = runs(EPOCH, noise=0.01, number=12)
    data = scaling_fit.Runs(np.log(n), np.log(d), np.log(loss), np.ones(12))
    found = scaling_fit.descend(scaling_fit.all_starts(), data, 1e-3, rounds=40)
    assert np.isfinite(found.theta).all()
    assert (found.values <= scaling_fit.objective(scaling_fit.all_starts(), data, 1e-3)[0]).all()


def test_a_descent_is_never_worse_than_scipys():
    n, d, loss = runs(EPOCH, noise=0.02, number=80)
    data = scaling_fit.Runs(np.log(n), np.log(d), np.log(loss), np.ones(80))

    def value_and_gradient(theta):
        values, gradients = scaling_fit.objective(theta[None], data, 1e-3)
        return values[0], gradients[0]

    found = scaling_fit.search(data, 1e-3, 24)
    theirs = minimize(value_and_gradient, found.theta[0] + 0.01, jac=True, method="L-BFGS-B")
    assert found.values[0] <= theirs.fun * (1 + 1e-9)


FLOORLESS = np.array(
    [
        (1e7, 1e9, 4.1), (1e7, 2e9, 3.9), (3e7, 1e9, 3.8), (3e7, 4e9, 3.5),
        (1e8, 2e9, 3.3), (1e8, 8e9, 3.0), (3e8, 4e9, 2.9), (3e8, 2e10, 2.6),
    ]
).T  # fmt: skip
"""Eight runs whose best law has next to no floor: the slope of E vanishes with E, and a descent may crawl there."""


def by_brute_force(data: scaling_fit.Runs) -> float:
    """Return the lowest objective of BFGS from 15 starts, each descending through ever smaller deltas."""

    def value_and_gradient(theta, delta):
        values, gradients = scaling_fit.objective(theta[None], data, delta)
        return values[0], gradients[0]

    lowest = np.inf
    for theta in scaling_fit.best_starts(data, 15):
        with np.errstate(all="ignore"):
            for delta in (0.3, 0.03, 3e-3, 1e-3):
                end = minimize(value_and_gradient, theta, args=(delta,), jac=True, method="BFGS")
                theta = end.x
        lowest = min(lowest, end.fun) if (theta[3:] > 0).all() else lowest
    return lowest


def test_a_law_with_next_to_no_floor_is_found():
    found = fit(*FLOORLESS, resamples=0)
    assert found.converged
    assert found.objective <= 1.01 * by_brute_force(scaling_fit.Runs(*np.log(FLOORLESS), np.ones(8)))
    assert found.law.E < 1e-6
    assert 1 <= found.agreeing <= found.starts == 24
    constants = [found.law.A, found.law.B, found.law.alpha, found.law.beta]
    assert constants == pytest.approx([15.3, 156.4, 0.1059, 0.2303], rel=1e-2)


@pytest.mark.parametrize("floor", [1e-6, 0.05, 0.6, 1.8])
@pytest.mark.parametrize("seed", [0, 1])
def test_few_runs_with_any_floor_are_fitted_as_well_as_by_brute_force(floor, seed):
    random = np.random.default_rng(seed)
    n = 10 ** random.uniform(6.5, 9, 9)
    d = n * 10 ** random.uniform(1, 2.5, 9)
    loss = predict_loss(n, d, Law(floor, 15, 156, 0.11, 0.23)) * np.exp(random.normal(0, 0.02, 9))
    data = scaling_fit.Runs(np.log(n), np.log(d), np.log(loss), np.ones(9))
    assert scaling_fit.search(data, 1e-3, 24).values[0] <= 1.01 * by_brute_force(data)


def test_samples_of_runs_with_next_to_no_floor_do_not_all_keep_it():
    found = fit(*FLOORLESS, resamples=0)
    floors = bootstrap(*FLOORLESS, found.law, resamples=200)[:, 0]
    assert (floors > 0).all()
    assert np.percentile(floors, 97.5) > 0.1


def test_cost_of_a_served_model_is_six_and_two_flops_a_parameter_and_token():
    assert overtraining_cost(7e9, 1e12, 2e12) == (4.2e22, 2.8e22)
    training, serving = overtraining_cost([1e9, 2e9], 1e10, 0.0, training=2.0)
    assert list(training) == [1.2e20, 2.4e20]
    assert list(serving) == [0, 0]


def test_same_seed_gives_the_same_standard_errors():
    data = runs(EPOCH, noise=0.01, number=60)
    first, again = (fit(*data, starts=2, resamples=4, seed=3) for _ in range(2))
    assert first == again


def test_fit_refuses_runs_that_cannot_determine_a_law():
    n, d, loss = runs(EPOCH, number=10)
    with pytest.raises(InvalidInputError, match="columns of one length; got 10 parameters, 9 tokens, 10 losses"):
        fit(n, d[:-1], loss)
    with pytest.raises(InvalidInputError, match="at least 6 runs; got 5"):
        fit(n[:5], d[:5], loss[:5])
    with pytest.raises(InvalidInputError, match="at least 3 different parameters; got 1"):
        fit(np.full(10, 1e9), d, loss)
    with pytest.raises(InvalidInputError, match="determine all five"):
        fit(n, d, 2 + 1e-12 * n, starts=2, resamples=0)
    with pytest.raises(InvalidInputError, match="delta"):
        fit(n, d, loss, delta=0.0)
    with pytest.raises(InvalidInputError, match="number of starts"):
        fit(n, d, loss, starts=0)


@SIXTY
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=0, max_size=4))
def test_anything_put_in_gives_a_loss_or_a_sentence(values):
    try:
        losses = predict_loss(values, values, EPOCH)
    except InvalidInputError:
        return
    assert np.isfinite(losses).all()
