"""The inputs and numbers of the over-training lab."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lecture_core import device
from lecture_core.figures.overtraining import cost_by_size
from lecture_core.overtraining import FLOPS_ALONE, Plan, Prices, Rates, cheapest, plan, quality_of, served_at
from lecture_core.overtraining_code import code
from lecture_core.quantities import count, log_marks, three_digits
from lecture_core.scaling_laws import Law
from lecture_core.scaling_models import ModelPoint
from lecture_core.scaling_report import SHOWN_NAMES
from lecture_core.serving_speed import token_price
from lecture_core.ui import links, serving_speed
from lecture_core.ui.charts import quick_chart
from lecture_core.ui.scaling_inputs import FITS

FIRST_LAW = next(iter(FITS))
QUALITIES = {count(n): n for n in log_marks(1e8, 1e12, also=[7e9, 13e9, 70e9])}
SERVED = {"none": 0.0} | {count(d): d for d in log_marks(1e9, 1e16)}
FLOPS, MONEY = COSTS = ("FLOPs", "Money")
PRICES = {
    "hour": ("An accelerator for an hour", 0.01, 1000.0, 2.0),
    "peak": ("Its peak, TFLOP/s", 1.0, 1e6, 989.0),
    "mfu": ("Utilisation in training", 0.01, 1.0, 0.4),
    "serving": ("Utilisation in serving", 0.01, 1.0, 0.1),
}
"""Label, lowest, highest and first value of each price."""
BITS = (16, 8, 4)


def explain_link(stem: str) -> None:
    """Say which values of the address cannot be used; call before the inputs."""
    constants = [*FITS, *SHOWN_NAMES]
    loads = tuple(serving_speed.LOADS.values())
    choices = {"quality": QUALITIES, "served": SERVED, "constants": constants, "cost": COSTS, "load": loads}
    links.explain_expected(
        stem, choices, {name: row[1:3] for name, row in PRICES.items()} | {"here": serving_speed.HOUR}
    )


def choose_law(stem: str) -> Law:
    """Ask which published constants to use; a link from when they were shown by their ids still opens."""
    key = f"{stem}_constants"
    if (earlier := st.query_params.get(key)) in SHOWN_NAMES and key not in st.session_state:
        st.query_params[key] = SHOWN_NAMES[earlier]
        st.rerun()
    return FITS[st.selectbox("Constants", list(FITS), key=key, bind="query-params")]


def prices(stem: str) -> tuple[Prices, str]:
    """Ask what a FLOP costs; return the prices and the unit of a cost."""
    kind = st.segmented_control("Cost in", COSTS, default=FLOPS, key=f"{stem}_cost", bind="query-params")
    if kind != MONEY:
        return FLOPS_ALONE, "FLOPs"
    with st.popover("Prices", icon=":material/tune:"):
        hour, peak = (st.number_input(*PRICES[n], key=f"{stem}_{n}", bind="query-params") for n in ("hour", "peak"))
        train, serve = (st.slider(*PRICES[n], key=f"{stem}_{n}", bind="query-params") for n in ("mfu", "serving"))
    return Prices(hour, peak * 1e12, train, serve), "your currency"


def code_now(stem: str) -> str:
    """Return the program of the view that the visitor sees."""
    state = st.session_state
    size, served = state.get(f"{stem}_quality", "13B"), state.get(f"{stem}_served", "2T")
    return code(FITS[state.get(f"{stem}_constants", FIRST_LAW)], QUALITIES[size], SERVED[served])


@st.fragment
def economics(stem: str) -> None:
    """Ask for quality and tokens served; show the cheapest model, also at the speed measured on this machine."""
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        label = "As good as a Chinchilla-optimal model of"
        size = QUALITIES[st.select_slider(label, QUALITIES, "13B", key=f"{stem}_quality", bind="query-params")]
    with middle:
        label = "Tokens served in its life"
        served = SERVED[st.select_slider(label, SERVED, "2T", key=f"{stem}_served", bind="query-params")]
    with right:
        law = choose_law(stem)
    priced, unit = prices(stem)
    result = st.container()
    hour, speeds = serving_speed.panel(stem, switch_to_money=(f"{stem}_cost", MONEY))
    here = served_at(token_price(speeds, hour), priced) if speeds and priced is not FLOPS_ALONE else None
    with result:
        _result(stem, size, served, law, priced, unit, here)
    if served:  # else there is no line to explain
        serving_speed.explain(speeds, in_chart=here is not None)


def _result(stem: str, size: float, served: float, law: Law, priced: Prices, unit: str, here: Rates | None) -> None:
    loss = quality_of(size, law)
    best, plain = cheapest(loss, served, law, priced), plan(size, loss, served, law, priced)
    practical = (here, cheapest(loss, served, law, here)) if here else None
    _numbers(best, plain, practical[1] if practical else None, unit)
    figure = cost_by_size(loss, served, law, priced, best, plain, unit=unit, here=practical)
    alt = f"Cost over size: cheapest at {count(best.parameters)} parameters, cheapest to train at {count(size)}"
    if practical:
        alt += f", cheapest at the speed measured here {count(practical[1].parameters)}"
    quick_chart(figure, key=f"{stem}_cost_chart", alt=alt)
    st.caption(
        f"All models on these curves reach {loss:.3f} nats a token under the constants chosen. Training costs 6 N D, "
        "serving 2 N a token (Sardana et al. 2024). Computed from published constants, fitted to shorter runs."
    )


def _numbers(best: Plan, plain: Plan, here: Plan | None, unit: str) -> None:
    ratio, usual = three_digits(best.tokens_per_parameter), three_digits(plain.tokens_per_parameter)
    cards = [
        ("Cheapest in all", count(best.parameters), f"{count(best.tokens)} tokens"),
        ("Its tokens per parameter", ratio, f"{usual} at the best split"),
        ("Cost", three_digits(best.cost), unit),
        ("Saved", f"{max(0.0, 1 - best.cost / plain.cost):.0%}", f"of {three_digits(plain.cost)}"),
    ]
    if here:
        cards.append(("Cheapest, served here", count(here.parameters), f"{count(here.tokens)} tokens"))
    with st.container(horizontal=True):
        for label, value, note in cards:
            st.metric(label, value, note, delta_color="off", delta_arrow="off", width=166)


def memory_here(models: Sequence[ModelPoint]) -> None:
    """Show what the weights of each open model take at 16, 8 and 4 bits, and whether that fits here."""
    memory = device.memory_bytes()
    rows = [
        {"Model": m.name, "Fits here": _fits(m, memory)}
        | {f"{bits} bits": f"{m.parameters * bits / 8e9:,.1f} GB" for bits in BITS}
        for m in models
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", alt="Memory of each model's weights")
    here = "unknown" if memory is None else f"{memory / 1e9:.0f} GB"
    st.caption(f"Weights alone, all parameters (a mixture of experts needs all of them). Memory here: {here}.")


def _fits(model: ModelPoint, memory: int | None) -> str:
    fitting = [bits for bits in BITS if memory is not None and model.parameters * bits / 8 < memory]
    return f"at {max(fitting)} bits" if fitting else "no"
