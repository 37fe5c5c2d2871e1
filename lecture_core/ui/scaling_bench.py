"""Our own runs: drag a law through them, commit a forecast of the hidden ones, reveal. Bound to the address."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from lecture_core import scaling_runs
from lecture_core.figures import scaling_bench as figures
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_laws import Fit, Law
from lecture_core.scaling_points import Points, fitted, percent_off, predicted
from lecture_core.scaling_runs import COMMAND, ENOUGH_TO_FIT, FEWEST_TOKENS, ScalingRun
from lecture_core.ui import inputs, links, page, results
from lecture_core.ui.charts import chart, quick_chart
from lecture_core.ui.errors import user_errors

OWN, FITTED = LAWS = ("Yours", "The fitter's")
TOKENS, COMPUTE = AXES = ("Tokens", "Compute")
WEIGHTS = tuple(float(f"{10 ** (k / 40):.3g}") for k in range(241))
"""Marks of A and B: 1 to 1,000,000, each 6 % above the one before."""
START = Law(1.5, 30.0, 200.0, 0.3, 0.4)
"""A rough guess that a visitor can better."""
GUESSES = {"under 1 %": 1.0, "1 to 3 %": 3.0, "3 to 10 %": 10.0, "more": float("inf")}
"""Answers to the guess, each with the error it ends at."""
SHORT_HELP = (
    "The shortest runs do not follow the law's form, so they are left out. The limit was chosen by the runs in sight. "
    "Fit them too, and compare the forecasts."
)
NO_FLOOR = 1e-6
"""Nats per token below which an E is none."""
_SLIDERS = {"E": (0.05, 5.0, 0.01), "alpha": (0.02, 1.2, 0.005), "beta": (0.02, 1.2, 0.005)}
_SHORT = {
    "E": "E: loss floor",
    "A": "A: weight of N",
    "B": "B: weight of D",
    "alpha": "α: how fast N helps",
    "beta": "β: how fast D helps",
}
_MEANING = {
    "E": "The loss that no model gets below.",
    "A": "Weight of the parameter term A / N^α.",
    "B": "Weight of the token term B / D^β.",
    "alpha": "Exponent of the parameters: how fast more of them help.",
    "beta": "Exponent of the tokens: how fast more of them help.",
}
_NARROW = 136  # pixels of a slider: two stand side by side on a phone, where all five must be seen with the chart
FORGOTTEN = "A reload of this page forgets the forecast."


def explain_link(stem: str) -> None:
    """Say which values of the address cannot be used; call before the inputs."""
    weights = [three_digits(mark) for mark in WEIGHTS]
    choices = {"law": LAWS, "over": AXES, "short": links.SWITCH, "A": weights, "B": weights}
    links.explain_expected(stem, choices, {name: ends[:2] for name, ends in _SLIDERS.items()})


def question(runs: Sequence[ScalingRun]) -> str:
    """Return what the visitor is asked to guess, with how far the forecast reaches, computed from the runs."""
    shown, hidden = scaling_runs.split(runs)
    further = f"up to {scaling_runs.reach(shown, hidden):.1f} times their" if shown and hidden else "more"
    return f"A law fitted to small runs forecasts runs with {further} compute. How far off will the losses be?"


def in_sight(stem: str, runs: Sequence[ScalingRun]) -> tuple[ScalingRun, ...]:
    """Return the runs without those that are hidden from this visitor now: held out and not revealed."""
    if _is(_key_of(stem, "revealed")):
        return tuple(runs)
    hidden = set(scaling_runs.split(runs)[1])
    return tuple(run for run in runs if run not in hidden)


def _short_too(stem: str) -> bool:
    return bool(st.session_state.get(f"{stem}_short", st.query_params.get(f"{stem}_short") == "true"))


def _key_of(stem: str, name: str) -> str:
    """Key of a forecast, or of whether it was revealed: it belongs to the runs that it was made from."""
    return f"{stem}_{name}_{'all' if _short_too(stem) else 'long'}"


def bench(stem: str, runs: Sequence[ScalingRun], live: Points) -> None:
    """Show the runs, the visitor's law, the forecast and its check.

    Args:
        stem: prefix of all keys.
        runs: recorded; the largest by compute are held out.
        live: runs trained on this page.
    """
    visible, held_out = scaling_runs.split(runs)
    long, short = (visible, ()) if _short_too(stem) else scaling_runs.by_length(visible)
    shown, hidden = Points.of(long), Points.of(held_out)
    if len(shown) < ENOUGH_TO_FIT:
        _too_few(stem, runs, live)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = _choose(stem, "law", "Constants of the law", LAWS)
        by_compute = _choose(stem, "over", "Over", AXES) == COMPUTE
    left, right = st.columns([5, 3], gap="medium")  # on a phone the sliders follow the chart at once
    with right:
        law = committed = None
        with user_errors():  # runs too similar to be fitted are still drawn
            law = _law(stem, whose, shown)
            committed = _forecast(stem, law, shown, hidden)
    revealed = committed is not None and _is(_key_of(stem, "revealed"))
    with left:
        figure = figures.bench(
            shown,
            law,
            hidden=hidden,
            forecast=committed or law,
            revealed=revealed,
            live=live,
            left_out=Points.of(short),
            by_compute=by_compute,
            height=400,
        )
        quick_chart(figure, key=f"{stem}_chart", alt=f"Loss of {len(shown)} runs, the law, {len(hidden)} hidden runs")
    results.caption(scaling_runs.provenance(runs))
    st.caption(_key(hidden, live, committed, revealed=revealed, left_out=len(short)))
    st.toggle("Fit the shortest runs too", key=f"{stem}_short", bind="query-params", help=SHORT_HELP)
    if committed is not None and revealed:
        _reveal(stem, committed, fitted(shown).law, hidden)


def _key(hidden: Points, live: Points, committed: Law | None, *, revealed: bool, left_out: int) -> str:
    said = figures.KEY
    if len(hidden):
        costliest = f"the {len(hidden)} costliest runs" if len(hidden) > 1 else "the costliest run"
        hiding = "squares, what they reached" if revealed else "hidden until you reveal"
        said += f" Open diamonds: {'your committed ' if committed else ''}forecast of {costliest}; {hiding}."
    if left_out:
        said += f" Grey circles: {left_out} runs of fewer than {count(FEWEST_TOKENS)} tokens, not fitted."
    return said + (" Stars: trained here, gone after a reload." if len(live) else "")


def _too_few(stem: str, runs: Sequence[ScalingRun], live: Points) -> None:
    recorded = f"{len(runs)} recorded run{'' if len(runs) == 1 else 's'}" if runs else "No recorded runs"
    st.info(
        f"{recorded} here; a fit takes at least {ENOUGH_TO_FIT}. The operator makes them, the cheapest first, with "
        f"`{COMMAND}`. Your own runs can be fitted below in any case.",
        icon=":material/info:",
    )
    if runs or len(live):
        chart(figures.bench(Points.of(runs), None, live=live), key=f"{stem}_chart", alt="Loss of the runs so far")
    if runs:
        results.caption(scaling_runs.provenance(runs))


def _choose(stem: str, name: str, label: str, options: tuple[str, ...]) -> str:
    key = f"{stem}_{name}"
    chosen = st.segmented_control(label, options, default=options[0], required=True, key=key, bind="query-params")
    return chosen or options[0]


def _law(stem: str, whose: str, shown: Points) -> Law:
    if whose == FITTED:
        found = fitted(shown)
        warn_unless_settled(found)
        st.code("\n".join(f"{n:<5} = {v:.4g}" for n, v in found.law.constants().items()), language=None)
        st.caption(searched(found))
        st.button("Drag from here", key=f"{stem}_drag", on_click=_start_from, args=(stem, found.law))
        return found.law
    with st.container(horizontal=True, gap="small"):
        e, a, b, alpha, beta = (_constant(stem, name, value) for name, value in START.constants().items())
    return Law(e, a, b, alpha, beta)


def warn_unless_settled(found: Fit) -> None:
    """Say above the numbers of a fit that its search did not end; nothing where it did."""
    if not found.converged:
        st.warning(
            "The search did not settle: other constants may fit these runs better. Do not rely on these numbers.",
            icon=":material/warning:",
        )


def searched(found: Fit) -> str:
    """Return how a fit was found, how many starts agree, and whether the runs show a floor."""
    floorless = " E is next to nothing: these runs show no floor." if found.law.E < NO_FLOOR else ""
    end = "converged" if found.converged else "did not converge"
    return (
        f"Found by search from 4,500 starting points: {found.agreeing} of the {found.starts} refined ended in the same "
        f"place; {end}.{floorless}"
    )


def _start_from(stem: str, law: Law) -> None:
    st.session_state[f"{stem}_law"] = OWN
    for name, value in law.constants().items():
        st.session_state[f"{stem}_{name}"] = _on_mark(name, value)


def _on_mark(name: str, value: float) -> float:
    if name in _SLIDERS:
        low, high, step = _SLIDERS[name]
        return round(min(max(low + round((value - low) / step) * step, low), high), 3)
    return min(WEIGHTS, key=lambda mark: abs(np.log(mark / value)))


def _constant(stem: str, name: str, default: float) -> float:
    key, label, said = f"{stem}_{name}", _SHORT[name], _MEANING[name]
    start = _on_mark(name, default)
    if name in _SLIDERS:
        low, high, step = _SLIDERS[name]
        return st.slider(
            label, low, high, start, step, key=key, format="%g", bind="query-params", help=said, width=_NARROW
        )
    return float(
        st.select_slider(label, WEIGHTS, start, three_digits, key=key, bind="query-params", help=said, width=_NARROW)
    )


def _forecast(stem: str, law: Law, shown: Points, hidden: Points) -> Law | None:
    """Show how well the law fits and what it forecasts; return the law that was committed, if any."""
    error = float(np.abs(percent_off(law, shown)).mean())
    key = _key_of(stem, "committed")
    committed: Law | None = st.session_state.get(key)
    with st.container(horizontal=True):
        if committed is None:
            note = f"on the {len(shown)} visible runs"
            st.metric("Mean error", f"{error:.2f} %", note, delta_color="off", delta_arrow="off", width=150)
        if len(hidden):
            said = predicted(committed or law, hidden)[-1]
            note = f"N {count(hidden.parameters[-1])}, D {count(hidden.tokens[-1])}"
            label = "Committed forecast" if committed else "Forecast"
            width = 120 if committed is None else 160
            st.metric(label, f"{said:.3f}", note, delta_color="off", delta_arrow="off", width=width)
    if committed is not None:  # what moves is kept apart from what was said
        mine = "The fitter" if st.session_state.get(f"{stem}_law") == FITTED else "Your sliders"
        st.markdown(f"{mine} now: off by {error:.2f} % on the {len(shown)} visible runs.")
    if not len(hidden):
        return None
    with st.container(horizontal=True):
        if committed is None:
            inputs.primary_button("Commit this forecast", key=f"{stem}_commit", on_click=_set, args=(key, law))
        else:
            key = _key_of(stem, "revealed")
            args = (key, True)
            inputs.primary_button("Reveal", key=f"{stem}_reveal", on_click=_set, args=args, disabled=_is(key))
            st.button("Forecast again", key=f"{stem}_again", on_click=_again, args=(stem,))
    if committed is not None:
        st.caption(FORGOTTEN)
    return committed


def _is(key: str) -> bool:
    return bool(st.session_state.get(key))


def _set(key: str, value: object) -> None:
    st.session_state[key] = value


def _again(stem: str) -> None:
    st.session_state[_key_of(stem, "committed")], st.session_state[_key_of(stem, "revealed")] = None, False


def _reveal(stem: str, yours: Law, fit: Law, hidden: Points) -> None:
    ours, theirs = percent_off(yours, hidden), percent_off(fit, hidden)
    table = pd.DataFrame(
        {
            "Parameters": [count(n) for n in hidden.parameters],
            "Tokens": [count(d) for d in hidden.tokens],
            "Measured": [f"{loss:.3f}" for loss in hidden.loss],
            "You said": [f"{loss:.3f}" for loss in predicted(yours, hidden)],
            "You are off": [f"{off:+.1f} %" for off in ours],
            "The fit said": [f"{loss:.3f}" for loss in predicted(fit, hidden)],
            "It is off": [f"{off:+.1f} %" for off in theirs],
        }
    )
    you, it = float(np.abs(ours).mean()), float(np.abs(theirs).mean())
    page.reveal(stem, next(name for name, limit in GUESSES.items() if it < limit), "That is the fit's error.")
    if f"{you:.1f}" == f"{it:.1f}":
        closer = "Neither of you was closer."
    else:
        closer = "You were closer than the fitter." if you < it else "The fitter was closer."
    st.success(f"You: {you:.1f} % off. The fitter: {it:.1f} % off, without having seen these runs. {closer}")
    st.dataframe(table, hide_index=True, alt="Hidden runs: measured loss and both forecasts")
