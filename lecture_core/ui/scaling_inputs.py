"""The inputs of the Chinchilla lab: which constants, how compute is split, which chart. All bound to the address."""

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.quantities import count, log_marks, power
from lecture_core.scaling_laws import CHINCHILLA_FLOPS, Law
from lecture_core.scaling_models import load_models, named
from lecture_core.scaling_report import PUBLISHED_LAWS, SHOWN_NAMES, Split
from lecture_core.training_plan import Machines
from lecture_core.ui import links

OWN = "Your own"
FITS = {SHOWN_NAMES[name]: law for name, law in PUBLISHED_LAWS.items()}
CONSTANTS = (*FITS, OWN)
BY_BUDGET, BY_DATA = MODES = ("Compute and size", "Size and data")
CURVES, PLANE = VIEWS = ("Loss by size", "Size and data")
MODELS = {model.name: model for model in load_models()}
LOOKS = ("Three approaches", "2020 and 2022", "Plan a training", "Rounding", "Table A3")
APPROACHES = ("1 Lowest curves", "2 Parabolas", "3 One formula")
COMPARED = ("Best size", "Loss over size", "Loss over tokens")
"""What the laws of 2020 and 2022 are compared in."""
BUDGETS = {power(flops): flops for flops in log_marks(1e18, 1e27, also=[CHINCHILLA_FLOPS])}
SIZES = {count(n): n for n in log_marks(1e7, 1e13, also=[model.parameters for model in load_models()])}
DATA = {count(d): d for d in log_marks(1e9, 1e15, also=[model.tokens for model in load_models()])}
"""Marks of the sliders as the address writes them."""
RANGES = {
    "E": (0.01, 4.0, 0.001),
    "A": (1.0, 5000.0, 1.0),
    "B": (1.0, 5000.0, 1.0),
    "alpha": (0.05, 1.0, 0.001),
    "beta": (0.05, 1.0, 0.001),
}
"""Lowest and highest value and step of each constant's slider."""
MACHINES = {
    "gpus": ("Accelerators", 1.0, 1e6, 1024.0, "%.0f"),
    "peak": ("Peak of each, TFLOP/s", 0.1, 1e5, 989.0, "%g"),
    "utilisation": ("Utilisation, %", 1.0, 100.0, 40.0, "%g"),
    "days": ("Days", 0.01, 3650.0, 30.0, "%g"),
}
"""Label, lowest, highest and first value and format of each number of the planner."""
MOST_DIGITS = 6
_NUMBERS = {
    **{name: ends[:2] for name, ends in RANGES.items()},
    **{name: row[1:3] for name, row in MACHINES.items()},
    "digits": (1, MOST_DIGITS),
}
_MEANING = {
    "E": "loss no model gets below, nats per token",
    "A": "weight of the parameter term",
    "B": "weight of the token term",
    "alpha": "how fast parameters help",
    "beta": "how fast tokens help",
}
_SHORT = {
    "E": "E: floor",
    "A": "A: weight of N",
    "B": "B: weight of D",
    "alpha": "α: exponent of N",
    "beta": "β: exponent of D",
}
_NARROW = 144  # pixels of a constant's slider: two stand side by side on a phone
_CHOICES: dict[str, tuple[str, ...] | Mapping[str, float]] = {
    "constants": CONSTANTS,
    "set": MODES,
    "view": VIEWS,
    "compute": BUDGETS,
    "parameters": SIZES,
    "tokens": DATA,
    "moved": tuple(MODELS),
    "look": LOOKS,
    "approach": APPROACHES,
    "compare": COMPARED,
    "surface": links.SWITCH,
}


def explain_link(stem: str) -> None:
    """Say which values of the address cannot be used; call before the inputs, which drop such values silently.

    A link from when constants were shown by their ids opens the view under its name of today.
    """
    key = f"{stem}_constants"
    if (earlier := st.query_params.get(key)) in SHOWN_NAMES and key not in st.session_state:
        st.query_params[key] = SHOWN_NAMES[earlier]
        st.rerun()
    moved = f"{stem}_moved"
    model = named(old) if (old := st.query_params.get(moved)) and moved not in st.session_state else None
    if model is not None and model.name != old:  # a link from when its name was written otherwise
        st.query_params[moved] = model.name
        st.rerun()
    links.explain_expected(stem, _CHOICES, _NUMBERS)


def law(stem: str, below: DeltaGenerator) -> Law:
    """Let the visitor choose published constants or set all five; return them as a law.

    Args:
        stem: prefix of the keys.
        below: where the sliders of one's own constants stand, in the page: over it they would cover the chart.
    """
    chosen = choose(stem, "constants", "Constants of the law", CONSTANTS)
    if chosen == OWN:
        with below, st.container(horizontal=True, gap="small"):
            return _own(stem)
    with st.popover("E, A, B, α, β", icon=":material/tune:"):
        return _published(stem, FITS[chosen])


def view(stem: str) -> str:
    """Let the visitor choose the chart; return one of `VIEWS`."""
    return choose(stem, "view", "Chart", VIEWS)


def machines(stem: str) -> Machines:
    """Ask for accelerators, their peak, utilisation and days."""
    values = {}
    for name, column in zip(MACHINES, st.columns(4, gap="small"), strict=True):
        label, low, high, first, shown = MACHINES[name]
        with column:
            key = f"{stem}_{name}"
            values[name] = st.number_input(label, low, high, first, format=shown, key=key, bind="query-params")
    return Machines(values["gpus"], values["peak"] * 1e12, values["utilisation"] / 100, values["days"])


def choose(stem: str, name: str, label: str, options: tuple[str, ...]) -> str:
    """Let the visitor choose one of a few; the first at the start."""
    key = f"{stem}_{name}"
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, key=key, bind="query-params", wrap=True
    )
    return chosen or options[0]


def _published(stem: str, fit: Law) -> Law:
    st.caption(fit.source)
    st.code("\n".join(f"{name:<5} = {value:.6g}" for name, value in fit.constants().items()), language=None)
    st.button("Change these constants", key=f"{stem}_change", on_click=_start_from, args=(stem, fit))
    return fit


def _start_from(stem: str, fit: Law) -> None:
    st.session_state[f"{stem}_constants"] = OWN
    for name, value in fit.constants().items():
        key = f"{stem}_{name}"
        st.session_state[key] = _on_step(name, value)
        st.query_params[key] = f"{st.session_state[key]:g}"


def _on_step(name: str, value: float) -> float:
    low, _, step = RANGES[name]
    return round(low + round((value - low) / step) * step, 3)


def _own(stem: str) -> Law:
    start = FITS[CONSTANTS[0]].constants()
    e, a, b, alpha, beta = (_constant(stem, name, _on_step(name, value)) for name, value in start.items())
    return Law(e, a, b, alpha, beta)


def _constant(stem: str, name: str, default: float) -> float:
    low, high, step = RANGES[name]
    key, said = f"{stem}_{name}", _MEANING[name]
    return st.slider(
        _SHORT[name], low, high, default, step, key=key, format="%g", bind="query-params", help=said, width=_NARROW
    )


def split(stem: str, fit: Law) -> Split:
    """Let the visitor set two of compute, parameters and tokens; the third follows from C = 6 N D."""
    mode, left, right = st.columns([24, 18, 18], gap="medium")
    with mode:
        chosen = choose(stem, "set", "You set", MODES)
    if chosen == BY_BUDGET:
        with left:
            flops = _log_slider(f"{stem}_compute", "Compute budget C, FLOPs", BUDGETS, CHINCHILLA_FLOPS, power)
        with right:
            parameters = _log_slider(f"{stem}_parameters", "Parameters N", SIZES, 7e10, count)
        return Split(parameters, flops / 6 / parameters, fit)
    with left:
        parameters = _log_slider(f"{stem}_parameters", "Parameters N", SIZES, 7e10, count)
    with right:
        tokens = _log_slider(f"{stem}_tokens", "Training tokens D", DATA, 1.4e12, count)
    return Split(parameters, tokens, fit)


def _log_slider(
    key: str, label: str, marks: Mapping[str, float], default: float, write: Callable[[float], str]
) -> float:
    return st.select_slider(label, list(marks.values()), default, write, key=key, bind="query-params")
