"""The closer looks of the Chinchilla lab, one at a time: three approaches, two laws, a plan, rounding, a table."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from lecture_core.figures import approaches
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, power, three_digits
from lecture_core.reporting import allocation, with_exponent_digits
from lecture_core.scaling_laws import CHINCHILLA_FLOPS, EPOCH, HOFFMANN_UNROUNDED, Law, compute_optimal
from lecture_core.scaling_report import implied_by_published
from lecture_core.tables import load_table
from lecture_core.three_approaches import (
    BUDGETS,
    curves,
    lowest_curves,
    parametric,
    profiles,
    published_runs,
    size_exponents,
)
from lecture_core.training_plan import Estimate, plan_training
from lecture_core.ui import results, scaling_inputs
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import user_errors
from lecture_core.ui.scaling_two_laws import two_laws

RUNS = "240 of the 245 runs read off Hoffmann et al. 2022, Figure 4 (losses by Besiroglu et al. 2024, to about 0.01)"


@st.fragment
def closer_look(stem: str) -> None:
    """Let the visitor choose one look and show it."""
    st.subheader("Look closer", anchor=False)
    chosen = scaling_inputs.choose(stem, "look", "View", scaling_inputs.LOOKS)
    shown = (_three_approaches, two_laws, _plan, _rounding, _table)
    with user_errors():
        dict(zip(scaling_inputs.LOOKS, shown, strict=True))[chosen](stem)


def _three_approaches(stem: str) -> None:
    st.markdown(
        "The paper asked its runs in three ways: how do the best size *N* and the best number of tokens *D* grow with "
        "compute *C*?"
    )
    chosen = scaling_inputs.choose(stem, "approach", "Approach", scaling_inputs.APPROACHES)
    runs = published_runs()
    if chosen == scaling_inputs.APPROACHES[0]:
        figure = approaches.envelope(curves(runs), lowest_curves(runs), runs)
        said = (
            "Each thin line joins the runs of one size. The figure shows only where trainings ended, not their curves."
        )
    elif chosen == scaling_inputs.APPROACHES[1]:
        figure = approaches.parabolas(profiles(runs))
        said = "Nine budgets, a parabola in log N through the runs of each, its lowest point marked."
    else:
        figure = approaches.parametric_fit(runs, parametric().law, BUDGETS)
        said = _fit_sentence()
    left, right = st.columns([1, 1], gap="medium")
    with left:
        chart(figure, key=f"{stem}_approach_chart", alt=f"{chosen}: {figure.layout.title.text}")
        st.caption(said)
        results.caption(Provenance(kind="published", source=RUNS))
    with right:
        _exponents(stem)


def _fit_sentence() -> str:
    fit = parametric()
    constants = ", ".join(
        f"{name} = {three_digits(value)} ± {three_digits(fit.standard_errors[name])}"
        for name, value in fit.law.constants().items()
    )
    end = "converged" if fit.converged else "did not converge"
    return (
        f"Fitted now: {constants} (standard errors from 1,000 bootstrap samples); {fit.agreeing} of {fit.starts} "
        f"starts ended at the same minimum, the search {end}. The refit of 2024 found {three_digits(EPOCH.E)}, "
        f"{three_digits(EPOCH.A)}, {three_digits(EPOCH.B)}, {EPOCH.alpha:.3f}, {EPOCH.beta:.3f}."
    )


def rule_of_thumb(guess: str | None) -> None:
    """Answer a guess of the best tokens per parameter: no single number is right, and the published ones are shown."""
    if guess is None:
        return
    *fits, last = sorted(round(fit.best.tokens_per_parameter) for fit in implied_by_published())
    said = f"The lecture's rule of thumb is 20. Published fits disagree: {', '.join(map(str, fits))} or {last}."
    st.info(f"You guessed **{guess}**. {said}", icon=":material/compare_arrows:")


def published_fits(stem: str) -> None:
    """Show what three published sets of constants say about Chinchilla's compute."""
    fits = implied_by_published()
    st.markdown(f"**Best split of Chinchilla's {power(CHINCHILLA_FLOPS)} FLOPs, by fit**")
    table = pd.DataFrame(
        {
            "Constants": [fit.name for fit in fits],
            "Per param.": [round(fit.best.tokens_per_parameter) for fit in fits],
            "Parameters": [count(fit.best.parameters) for fit in fits],
            "Tokens": [count(fit.best.tokens) for fit in fits],
        }
    )
    _numbers(table, key=f"{stem}_fits", alt="Best split of 5.76e23 FLOPs under three published fits")
    results.caption(Provenance(source="computed from the published constants"))
    st.caption("  \n".join(f"{fit.name}: {fit.source}" for fit in fits))


def _exponents(stem: str) -> None:
    published = load_table("scaling_exponents").frame
    found = size_exponents()
    table = pd.DataFrame(
        {
            "": ["1", "2", "3", "2020"],
            "a, ours": [*(f"{e.value:.2f}" for e in found), "–"],
            "10 to 90 %": [*(f"{e.low:.2f} to {e.high:.2f}" for e in found), "–"],
            "a, paper": [f"{a:.2f}" for a in published["a"]],
            "b, ours": [*(f"{1 - e.value:.2f}" for e in found), "–"],
            "b, paper": [f"{b:.2f}" for b in published["b"]],
        }
    )
    st.markdown("**Exponents: N ~ Cᵃ, D ~ Cᵇ**")
    alt = "Exponents of the three approaches, ours and the paper's"
    _numbers(table, key=f"{stem}_exponents", alt=alt)
    st.caption(
        "Ours: computed now, with the 10th and 90th percentile over 100 samples of 80 % of the runs. The paper: "
        "Hoffmann et al. 2022, Table 2. There the third approach stands apart from the other two; fitted again, it "
        "does not: the paper's search had stopped too early (Besiroglu et al. 2024)."
    )


def _plan(stem: str) -> None:
    flops = scaling_inputs.machines(stem).flops
    fit = parametric()
    plan = plan_training(flops, fit)
    cards = (
        ("Compute, FLOPs", power(plan.flops), ""),
        ("Best size N", count(plan.parameters.value), _ends(plan.parameters, count)),
        ("Training tokens D", count(plan.tokens.value), _ends(plan.tokens, count)),
        ("Tokens per parameter", three_digits(plan.tokens_per_parameter.value), _ends(plan.tokens_per_parameter)),
    )
    with st.container(horizontal=True):
        for label, value, note in cards:
            st.metric(label, value, note or None, delta_color="off", delta_arrow="off", width=190)
    largest = float(published_runs().flops.max())
    plans = [plan_training(float(c), fit) for c in np.geomspace(1e18, 1e27, 28)]
    alt = f"Best size over compute; at {power(flops)} FLOPs {count(plan.parameters.value)}"
    chart(approaches.planned_size(plans, plan, largest), key=f"{stem}_plan_chart", alt=alt)
    results.caption(Provenance(source=f"fit of {RUNS}"))
    st.caption(
        "Under each number its 95 % interval, from the covariance of 1,000 bootstrap fits. It says how well these runs "
        f"fix the formula, not whether the formula holds further on; the largest run had {power(largest)} FLOPs."
    )


def _ends(estimate: Estimate, write: Callable[[float], str] = three_digits) -> str:
    return f"{write(estimate.low)} to {write(estimate.high)}"


def _rounding(stem: str) -> None:
    st.markdown(
        "The paper prints α = 0.34 and β = 0.28; its TeX source had 0.33917084 and 0.2849083. How many digits must a "
        "paper keep?"
    )
    digits = st.slider(
        "Digits of α and β", 1, scaling_inputs.MOST_DIGITS, 2, key=f"{stem}_digits", bind="query-params", width=330
    )
    fits = {"Hoffmann": HOFFMANN_UNROUNDED, "Refit 2024": EPOCH}
    versions = [
        (n, [with_exponent_digits(f, d + 1) for d in range(scaling_inputs.MOST_DIGITS)]) for n, f in fits.items()
    ]
    left, right = st.columns([4, 3], gap="medium")
    with left:
        figure = approaches.digits_kept(versions, CHINCHILLA_FLOPS, digits)
        chart(figure, key=f"{stem}_digits_chart", alt="Best tokens per parameter over digits kept")
    with right:
        for name, laws in versions:
            _rounded(name, laws[digits - 1], fits[name])
        st.caption(
            "The exponents act on numbers near 1e11, so a change in the third digit moves the answer by a factor. "
            "Report constants with all digits, and with their covariance."
        )
    results.caption(Provenance(source=f"closed form at {power(CHINCHILLA_FLOPS)} FLOPs; A and B with four digits"))


def _rounded(name: str, law: Law, exact: Law) -> None:
    best, full = compute_optimal(CHINCHILLA_FLOPS, law), compute_optimal(CHINCHILLA_FLOPS, exact)
    st.metric(
        f"{name}: α = {law.alpha:g}, β = {law.beta:g}",
        three_digits(best.tokens_per_parameter),
        f"tokens per parameter; with all digits {three_digits(full.tokens_per_parameter)}",
        delta_color="off",
        delta_arrow="off",
    )


def _table(stem: str) -> None:
    rows = allocation(HOFFMANN_UNROUNDED)
    st.markdown(
        "The paper's own table for its third approach (columns *published*), and what its formula gives with the "
        "unrounded constants (columns *computed*)."
    )
    table = pd.DataFrame(
        {
            "Parameters": [count(row.parameters) for row in rows],
            "FLOPs, published": [power(row.printed_flops) + (" (misprint)" if row.is_misprint else "") for row in rows],
            "FLOPs, computed": [power(row.flops) for row in rows],
            "Tokens, published": [count(row.printed_tokens) for row in rows],
            "Tokens, computed": [count(row.tokens) for row in rows],
            "Computed / published": [f"{row.tokens / row.printed_tokens:.2f}" for row in rows],
        }
    )
    _numbers(table, key=f"{stem}_table_a3", alt="Table A3 against the closed form")
    wrong = next(row for row in rows if row.is_misprint)
    gaps = [row.tokens / row.printed_tokens - 1 for row in rows]
    st.markdown(
        f"The row of {count(wrong.parameters)} prints {power(wrong.printed_flops)} FLOPs, but six times its parameters "
        f"times its tokens is {power(6 * wrong.parameters * wrong.printed_tokens)}: the exponent is one too low. The "
        f"other rows agree with 6ND. The computed tokens are {min(gaps):.0%} to {max(gaps):.0%} more than the "
        "published ones: the table seems to come from constants with yet other digits."
    )
    source = "Parameters and the columns “published”: Hoffmann et al. 2022, Table A3 (sizes as in its Table 3)"
    results.caption(Provenance(kind="published", source=source))
    results.caption(Provenance(source="The columns “computed”: D from N by equation 4 of the paper, then 6ND"))


def _numbers(table: pd.DataFrame, *, key: str, alt: str) -> None:
    """Show a table whose first column names the rows and whose others hold numbers, to the right."""
    right = {name: st.column_config.Column(alignment="right") for name in table.columns[1:]}
    st.dataframe(table, hide_index=True, key=key, height="content", alt=alt, column_config=right)
