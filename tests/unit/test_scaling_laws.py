"""Properties of the scaling law, of its closed-form optimum and of the fit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_core import scaling_fit
from lecture_core.errors import InvalidInputError
from lecture_core.scaling_laws import (
    CHINCHILLA_FLOPS,
    EPOCH,
    HOFFMANN_PRINTED,
    HOFFMANN_UNROUNDED,
    Law,
    compute,
    compute_optimal,
    fit,
    isoflop,
    loss_terms,
    predict_loss,
)

PUBLISHED = [HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, EPOCH]
BAD = [math.nan, math.inf, -math.inf, 0, -1.0]
EXPONENTS = st.floats(0.05, 1.0)
WEIGHTS = st.floats(1.0, 5000.0)
LAWS = st.builds(Law, E=st.floats(0.01, 4.0), A=WEIGHTS, B=WEIGHTS, alpha=EXPONENTS, beta=EXPONENTS)
ANY_MACHINE = settings(deadline=None, max_examples=60)
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


@ANY_MACHINE
@given(LAWS, BUDGETS)
def test_optimum_minimises_loss_on_its_isoflop_curve(law, flops):
    curve = isoflop(flops, law, decades=2, points=41)
    assert curve.loss.min() >= curve.best.loss * (1 - 1e-12)
    assert curve.loss[20] == pytest.approx(curve.best.loss, rel=1e-9)


@ANY_MACHINE
@given(LAWS, BUDGETS)
def test_optimum_spends_the_whole_budget(law, flops):
    best = compute_optimal(flops, law)
    assert compute(best.parameters, best.tokens) == pytest.approx(flops, rel=1e-9)


@ANY_MACHINE
@given(LAWS, BUDGETS)
def test_every_split_on_an_isoflop_curve_costs_the_same(law, flops):
    curve = isoflop(flops, law)
    assert compute(curve.parameters, curve.tokens) == pytest.approx(np.full(121, flops), rel=1e-9)


@ANY_MACHINE
@given(LAWS, BUDGETS)
def test_more_compute_never_raises_the_best_loss(law, flops):
    assert compute_optimal(10 * flops, law).loss <= compute_optimal(flops, law).loss


@ANY_MACHINE
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
        lambda: compute(bad, 1e12),
        lambda: compute_optimal(bad, EPOCH),
        lambda: isoflop(bad, EPOCH),
        lambda: isoflop(1e21, EPOCH, decades=bad),
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
        compute(1e200, 1e200)
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


@ANY_MACHINE
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=0, max_size=4))
def test_anything_put_in_gives_a_loss_or_a_sentence(values):
    try:
        losses = predict_loss(values, values, EPOCH)
    except InvalidInputError:
        return
    assert np.isfinite(losses).all()
