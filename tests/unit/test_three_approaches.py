"""The paper's runs give back what was published of them; laws of 2020, plans, rounding and the table are right."""

import itertools
import math

import numpy as np
import pytest

from lecture_core.errors import InvalidInputError
from lecture_core.figures import approaches, two_laws
from lecture_core.figures.loss_surface import loss_surface
from lecture_core.figures.scaling import loss_plane
from lecture_core.kaplan import KAPLAN, LOSS_BY_COMPUTE, LOSS_BY_SIZE, LOSS_BY_TOKENS, PF_DAY
from lecture_core.reporting import allocation, tokens_for_size, with_exponent_digits
from lecture_core.scaling_laws import (
    CHINCHILLA_FLOPS,
    EPOCH,
    HOFFMANN_PRINTED,
    HOFFMANN_UNROUNDED,
    bootstrap,
    compute_optimal,
    predict_loss,
)
from lecture_core.scaling_models import load_models
from lecture_core.scaling_report import Split, best_place, moved
from lecture_core.tables import load_table
from lecture_core.three_approaches import (
    BUDGETS,
    curves,
    lowest_curves,
    lowest_parabolas,
    parametric,
    profiles,
    published_runs,
    size_exponents,
)
from lecture_core.training_plan import Machines, plan_training


def test_the_published_runs_are_whole():
    table = load_table("chinchilla_runs").frame
    runs = published_runs()
    assert len(table) == 245
    assert len(runs.loss) == 240
    assert runs.loss.max() < table["loss"].nlargest(5).min()
    assert len(np.unique(runs.parameters)) == 43
    assert (runs.parameters.min(), runs.parameters.max()) == (57_330_000, 16_190_000_000)


def test_the_fit_gives_back_the_refit_of_2024_and_its_standard_errors():
    fit, published = parametric(), load_table("besiroglu_fit").frame.set_index("constant")
    assert fit.converged
    for name, value in fit.law.constants().items():
        error = published["standard_error"][name]
        assert abs(value - published["estimate"][name]) < 0.15 * error
        assert fit.standard_errors[name] == pytest.approx(error, rel=0.15)


def test_the_three_approaches_agree_on_the_same_runs_and_with_the_papers_first_two():
    first, second, third = size_exponents()
    for exponent in (first, second, third):
        assert exponent.low < exponent.value < exponent.high
        assert exponent.value == pytest.approx(0.5, abs=0.02)
    published = load_table("scaling_exponents").frame["a"]
    assert [first.value, second.value] == pytest.approx(published[:2].tolist(), abs=0.025)
    assert third.low > published[2]


def test_no_curve_lies_below_the_lowest_and_sizes_are_those_of_runs():
    runs = published_runs()
    best = lowest_curves(runs)
    assert set(best.parameters) <= set(runs.parameters)
    for curve in curves(runs):
        height = np.interp(np.log(best.flops), np.log(curve.flops), np.log(curve.loss), left=np.inf, right=np.inf)
        assert (height >= np.log(best.loss) - 1e-9).all()
    assert best.size(np.array([1.0])) == pytest.approx(best.at_one)
    assert best.size_exponent + best.token_exponent == 1


def test_parabolas_are_lowest_where_they_say_and_budgets_are_the_papers():
    found = profiles(published_runs())
    assert tuple(p.name for p in found) == BUDGETS
    for profile in found:
        around = profile.height(profile.best * np.array([0.9, 1.0, 1.1]))
        assert around[1] == around.min()
        assert abs(math.log(np.median(profile.runs.flops) / profile.name)) < 0.2
    assert (np.diff(lowest_parabolas(published_runs()).parameters) > 0).all()


def test_laws_of_2020_by_hand():
    assert LOSS_BY_SIZE(1.5e9) == pytest.approx((8.8e13 / 1.5e9) ** 0.076)
    assert LOSS_BY_TOKENS(2.3e10) == pytest.approx((5.4e13 / 2.3e10) ** 0.095)
    assert LOSS_BY_COMPUTE(PF_DAY) == pytest.approx(3.1e8**0.05)
    assert KAPLAN.loss(1e9, 1e30) == pytest.approx((6.4e13 / 1e9) ** 0.076)
    assert KAPLAN.loss(1e30, 1e10) == pytest.approx((1.8e13 / 1e10) ** 0.103)
    n, d, _ = KAPLAN.frontier([PF_DAY, 10 * PF_DAY])
    assert n[0] == 1.3e9
    assert n[1] / n[0] == pytest.approx(10**0.73)
    assert 6 * n * d == pytest.approx([PF_DAY, 10 * PF_DAY])
    with pytest.raises(InvalidInputError):
        KAPLAN.frontier(-1)


def test_the_law_of_2020_asks_for_larger_models_at_chinchillas_compute():
    assert KAPLAN.frontier(CHINCHILLA_FLOPS)[0] > 5 * compute_optimal(CHINCHILLA_FLOPS, EPOCH).parameters


def test_machines_deliver_what_they_do_in_their_days():
    assert Machines(1024, 989e12, 0.4, 30).flops == pytest.approx(1024 * 989e12 * 0.4 * 30 * 86_400)
    for bad in ((0, 1, 0.5, 1), (1, math.nan, 0.5, 1), (1, 1, 1.5, 1), (1, 1, 0.5, -3)):
        with pytest.raises(InvalidInputError):
            Machines(*bad)


@pytest.mark.parametrize("flops", [1e20, CHINCHILLA_FLOPS])
def test_interval_of_a_plan_is_that_of_the_bootstrap(flops):
    runs, fit = published_runs(), parametric()
    plan = plan_training(flops, fit)
    samples = bootstrap(runs.parameters, runs.tokens, runs.loss, fit.law, resamples=1000)
    _, a, b, alpha, beta = samples.T
    sizes = np.exp((np.log(alpha * a / (beta * b)) + beta * math.log(flops / 6)) / (alpha + beta))
    low, high = np.quantile(sizes, [0.025, 0.975])
    assert plan.parameters.value == pytest.approx(compute_optimal(flops, fit.law).parameters)
    assert math.log(plan.parameters.high / plan.parameters.low) == pytest.approx(math.log(high / low), rel=0.15)
    assert plan.parameters.high * plan.tokens.low * 6 == pytest.approx(flops)


def test_intervals_widen_away_from_the_runs():
    widths = [plan_training(c, parametric()).parameters for c in (1e20, 1e23, 1e26)]
    assert [w.high / w.low for w in widths] == sorted(w.high / w.low for w in widths)


def test_two_digits_make_93_tokens_per_parameter_of_59():
    def ratio(law, digits):
        return compute_optimal(CHINCHILLA_FLOPS, with_exponent_digits(law, digits)).tokens_per_parameter

    assert [round(ratio(HOFFMANN_UNROUNDED, digits)) for digits in (2, 6)] == [93, 59]
    assert round(ratio(EPOCH, 6)) == 18
    assert with_exponent_digits(HOFFMANN_UNROUNDED, 2).alpha == HOFFMANN_PRINTED.alpha
    with pytest.raises(InvalidInputError):
        with_exponent_digits(EPOCH, 0)


def test_tokens_for_a_size_make_that_size_the_best():
    tokens = tokens_for_size(7e10, EPOCH)
    assert compute_optimal(6 * 7e10 * tokens, EPOCH).parameters == pytest.approx(7e10)


def test_only_the_row_of_175b_is_a_misprint_and_the_formula_is_near_the_table():
    rows = allocation(HOFFMANN_UNROUNDED)
    assert [row.parameters for row in rows if row.is_misprint] == [1.75e11]
    assert all(1.0 < row.tokens / row.printed_tokens < 1.2 for row in rows)


def test_a_moved_model_keeps_its_compute():
    gpt3 = next(model for model in load_models() if model.name == "GPT-3 175B")
    best = best_place(gpt3, EPOCH).best
    assert 6 * best.parameters * best.tokens == pytest.approx(6 * gpt3.parameters * gpt3.tokens)
    assert "53.1B parameters" in moved(gpt3, EPOCH)
    mixture = next(model for model in load_models() if model.is_mixture)
    assert "active parameters" in moved(mixture, EPOCH)


def figures():
    runs, law = published_runs(), parametric().law
    split = Split(7e10, 1.4e12, EPOCH)
    plans = [plan_training(c, parametric()) for c in (1e18, 1e22, 1e26)]
    versions = [("Epoch", [with_exponent_digits(EPOCH, digits) for digits in (1, 2, 3)])]
    return [
        approaches.envelope(curves(runs), lowest_curves(runs), runs),
        approaches.parabolas(profiles(runs)),
        approaches.parametric_fit(runs, law, BUDGETS),
        two_laws.best_size(EPOCH, CHINCHILLA_FLOPS, load_models()),
        two_laws.loss_over_size(EPOCH, 3e11),
        two_laws.loss_over_tokens(EPOCH, 1.75e11),
        approaches.digits_kept(versions, CHINCHILLA_FLOPS, 2),
        approaches.planned_size(plans, plans[1], 1e22),
        loss_plane(split, load_models()),
        loss_surface(split, load_models()),
    ]


def test_charts_have_a_title_large_fonts_named_axes_and_finite_numbers():
    for figure in figures():
        assert figure.layout.title.text
        assert figure.layout.font.size >= 14
        assert not figure.layout.showlegend
        axes = figure.layout.scene if figure.data[0].type == "surface" else figure.layout
        assert axes.xaxis.title.text
        assert axes.yaxis.title.text
        for trace in figure.data:
            for name in ("x", "y", "z"):
                if name in trace and trace[name] is not None:
                    values = [v for v in trace[name] if v is not None]  # None ends a line
                    assert np.isfinite(np.asarray(values, dtype=float)).all()


def test_the_losses_of_2020_and_2022_stand_on_the_same_axes():
    size, tokens = two_laws.loss_over_size(EPOCH, 3e11), two_laws.loss_over_tokens(EPOCH, 1.75e11)
    for figure, endless in ((size, LOSS_BY_SIZE), (tokens, LOSS_BY_TOKENS)):
        old, old_limited, new, new_limited = figure.data
        assert [set(trace.text) for trace in (old, new_limited)] == [{"", "2020"}, {"", "2022"}]
        assert np.allclose(old.y, endless(old.x))
        for unlimited, limited in ((old, old_limited), (new, new_limited)):
            assert (np.diff(unlimited.y) < 0).all()
            assert (np.diff(limited.y) < 0).all()
        assert (np.asarray(new_limited.y) > np.asarray(new.y)).all()
        assert min(new.y) > EPOCH.E > min(old.y)
    assert np.allclose(size.data[1].y, KAPLAN.loss(size.data[1].x, 3e11))
    assert np.allclose(tokens.data[3].y, predict_loss(1.75e11, tokens.data[3].x, EPOCH))


@pytest.mark.parametrize("width", [260, 700])
def test_no_name_of_a_model_covers_a_point_and_the_dotted_line_has_a_name(width):
    figure = two_laws.best_size(EPOCH, CHINCHILLA_FLOPS, load_models())
    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    points = next(trace for trace in figure.data if trace.name == "models")
    across, up = width / (right - left), 340 / (high - low)
    dots = [
        ((math.log10(x) - left) * across, (math.log10(y) - low) * up) for x, y in zip(points.x, points.y, strict=True)
    ]
    named = [note for note in figure.layout.annotations if note.ax is not None]
    assert {note.text for note in named} == {"GPT-3", "Chinchilla", "MT-NLG", "Gopher"}
    boxes = [((n.x - left) * across + n.ax, (n.y - low) * up - n.ay, 4 * len(n.text) + 2, 9) for n in named]
    for x, y, half, tall in boxes:
        assert x + half < width + 12
        assert not any(abs(a - x) < half + 5 and abs(b - y) < tall + 5 for a, b in dots)
    for (x, y, half, tall), (a, b, other, high_) in itertools.combinations(boxes, 2):
        assert abs(x - a) >= half + other or abs(y - b) >= tall + high_
    assert any(note.text == "Chinchilla's compute" for note in figure.layout.annotations)
