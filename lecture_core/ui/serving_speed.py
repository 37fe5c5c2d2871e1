"""Measuring tokens a second of the models at hand, on this machine, now; and why that is not 2 N FLOPs a token."""

from collections.abc import Sequence
from secrets import token_hex

import streamlit as st

from lecture_core import catalog
from lecture_core.background import BackgroundRun
from lecture_core.catalog import ModelSpec
from lecture_core.engine import get_engine
from lecture_core.loading import availability
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, power, three_digits
from lecture_core.serving_speed import ALONE, AT_ONCE, REPEATS, TOGETHER, TOKENS, Speed, measure, sessions
from lecture_core.ui import behind, results
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import session_id

HOUR = (0.001, 1000.0)
"""Lowest and highest price of this machine for an hour."""
LOOK = 0.7  # seconds between two looks
LOADS = {ALONE: "One request at a time", TOGETHER: "Four at once"}


def panel(stem: str, *, switch_to_money: tuple[str, str]) -> tuple[float, list[Speed]]:
    """Ask for the price of this machine and measure it on demand; return that price and the speeds of the load chosen.

    Args:
        switch_to_money: session key and value that make the chart show money, set when a measurement starts.
    """
    st.markdown("**What does serving cost on this machine?**")
    specs = [spec for spec in catalog.models("causal_lm") if availability(spec).usable]
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        label = "This machine for an hour, your currency"
        hour = st.number_input(label, *HOUR, 0.1, format="%g", key=f"{stem}_here", bind="query-params")
    with right:
        names = list(LOADS.values())
        load = st.segmented_control(
            "Requests answered", names, default=names[0], required=True, key=f"{stem}_load", bind="query-params"
        )
    if not specs:
        command = availability(catalog.models("causal_lm")[0]).command
        st.info("No model that writes text is on this machine. The operator brings one with the command below.")
        st.code(command, language=None, wrap_lines=True)
        return hour, []
    _watch(stem, specs, switch_to_money)
    run: BackgroundRun[Speed] | None = st.session_state.get(f"{stem}_speed")
    done = [] if run is None or run.running else [s for s in run.kept.values() if len(s.rates) == REPEATS]
    chosen = next((at_once for at_once, name in LOADS.items() if name == load), ALONE)
    return hour, [speed for speed in done if speed.at_once == chosen]


def _watch(stem: str, specs: Sequence[ModelSpec], switch: tuple[str, str]) -> None:
    run: BackgroundRun[Speed] | None = st.session_state.get(f"{stem}_speed")
    polled = run is not None and run.running

    def look() -> None:
        now: BackgroundRun[Speed] | None = st.session_state.get(f"{stem}_speed")
        if now is not run or (polled and now is not None and not now.running):
            st.rerun()  # a new run is watched, a finished one draws its lines
        if now is not None and now.running:
            _progress(stem, now, len(specs))
        else:
            _start_button(stem, specs, switch)
            if now is not None and now.cancelled:
                behind.ended(now, f"after {_done(now)} measurements; they stay")
        if now is not None:
            with user_errors():
                _table(list(now.latest.values()))

    st.fragment(look, run_every=LOOK if polled else None)()


def _start_button(stem: str, specs: Sequence[ModelSpec], switch: tuple[str, str]) -> None:
    names = ", ".join(spec.id for spec in specs)
    st.button(
        "Measure tokens a second, now" if len(specs) == 1 else f"Measure {len(specs)} models, now",
        key=f"{stem}_speed_start",
        icon=":material/speed:",
        on_click=_start,
        args=(stem, tuple(specs), switch),
        help=f"Runs {names}: {REPEATS} times {TOKENS} tokens, one request at a time, then {TOGETHER} at once.",
    )


def _start(stem: str, specs: tuple[ModelSpec, ...], switch: tuple[str, str]) -> None:
    engine, session = get_engine(), f"{session_id()}-{stem}-{token_hex(4)}"

    def stop() -> None:
        for name in sessions(session):
            engine.cancel(name)

    st.session_state[f"{stem}_speed"] = behind.start(
        specs, lambda: measure(engine, specs, session=session), on_cancel=stop
    )
    key, value = switch
    st.session_state[key] = value


def _progress(stem: str, run: BackgroundRun[Speed], models: int) -> None:
    done, total = _done(run), models * len(AT_ONCE) * REPEATS
    last = next(reversed(run.kept.values()), None)
    words = "Starting the model" if last is None else f"{last.model}: {three_digits(last.rates[-1])} tokens a second"
    row = st.container(horizontal=True, vertical_alignment="center")
    row.progress(done / total, text=f"{escape_markdown(words)} · {done} of {total} measurements")
    if row.button("Cancel", key=f"{stem}_speed_cancel", icon=":material/stop_circle:"):
        run.cancel()
        run.wait(2)
        st.rerun()


def _done(run: BackgroundRun[Speed]) -> int:
    return sum(len(speed.rates) for speed in run.kept.values())


def _table(speeds: Sequence[Speed]) -> None:
    if not speeds:
        return
    rows = {
        "Model": [s.model for s in speeds],
        "Requests at once": [str(s.at_once) for s in speeds],
        "Tokens a second": [three_digits(s.tokens_per_second) for s in speeds],
        "Lowest to highest": [_span(s.rates) for s in speeds],
        "As 2N FLOPs": [f"{three_digits(s.flops_per_second / 1e9)} GFLOP/s" for s in speeds],
    }
    right = {name: st.column_config.Column(alignment="right") for name in list(rows)[1:]}
    st.dataframe(rows, hide_index=True, height="content", alt="Measured tokens a second", column_config=right)
    made = speeds[-1].provenance
    seconds = sum(speed.seconds for speed in speeds)
    about = f"median of up to {REPEATS} runs of {TOKENS} tokens a request"
    results.caption(
        Provenance("", made.revision, seconds=seconds, source=f"{made.device.upper()} {made.dtype}, {about}")
    )


def _span(rates: Sequence[float]) -> str:
    return f"{three_digits(min(rates))} to {three_digits(max(rates))}"


def explain(speeds: Sequence[Speed], *, in_chart: bool) -> None:
    """Say how the measured line came about and why it lies above the line of 2 N FLOPs.

    Args:
        speeds: of the load that the line uses; none says nothing.
        in_chart: whether the chart shows money, and so the line.
    """
    if not speeds:
        return
    if not in_chart:
        st.info("Choose *Money* above to see the measured line: seconds have a price, FLOPs do not.")
    models = ", ".join(f"{escape_markdown(s.model)} ({count(s.parameters)})" for s in speeds)
    each = [power(s.seconds_per_token_and_parameter) for s in speeds]
    if len(speeds) == 1:
        scaled = (
            f"**One model stands behind the green lines:** {models}. Its {each[0]} s a token and parameter are "
            "scaled to every other size in proportion to N, a straight line through one point. Nothing larger was run, "
            "and a model that does not fit into this machine's memory would not run at all."
        )
    else:
        scaled = (
            f"**Measured:** {models}, with {', '.join(each)} s a token and parameter. The green lines take the "
            "geometric mean for every size; if these numbers differ much, time does not grow in proportion to N."
        )
    st.markdown(
        f"{scaled}\n\n**Why it is not 2N:** the grey line counts arithmetic only, one multiplication and one "
        "addition a parameter, at the price and utilisation you set. A measured token also waits for every weight to "
        "be read from memory. One request at a time pays that alone; four at once share it. Attention over the "
        "context, sampling and whatever else this machine does come on top, and it is another machine than the "
        "accelerator."
    )
