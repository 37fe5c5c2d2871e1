"""Says which parts of an address the inputs cannot take: they drop such values silently and stand on their default.

A page that knows what its inputs take names that before they are drawn (`explain_expected`). For all others, what an
input holds after the page has run is compared with what the address asked for (`explain_dropped`). Knows no page.
"""

from collections.abc import Collection, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.ui.errors import escape_markdown

SWITCH = ("true", "false")
"""Values of a toggle."""
_KEY = "link_opened"
_FEW = 5  # choices that are listed; of more, the ends are named
_ICON = ":material/link_off:"
_LONGEST = 40  # characters shown of a value
_SAYING_IT_THEMSELVES = ("chinchilla", "scaling_bench", "open_weight_models", "multimodal", "tables")


def explain_expected(stem: str, choices: Mapping[str, Collection[str]], numbers: Mapping[str, Sequence[float]]) -> None:
    """Say which values of the address cannot be used; call before the inputs.

    Args:
        stem: prefix of the inputs' keys.
        choices: by input, what it can be set to, as the address writes it.
        numbers: by input, its lowest and highest value.
    """
    expected = {name: _listed(list(options)) for name, options in choices.items()}
    expected |= {name: f"a number from {low:g} to {high:g}" for name, (low, high) in numbers.items()}
    faults = []
    for name, words in expected.items():
        raw = st.query_params.get(f"{stem}_{name}")
        if raw is None or (raw in choices[name] if name in choices else _is_between(raw, *numbers[name])):
            continue
        faults.append(f"- {name}: expected {words}; got {_short(raw)}.")
    if faults:
        st.warning(_said(faults), icon=_ICON)


def _listed(options: Sequence[str]) -> str:
    if len(options) <= _FEW:
        return "one of " + ", ".join(options)
    return f"one from {options[0]} to {options[-1]}"


def _is_between(raw: str, low: float, high: float) -> bool:
    try:
        return low <= float(raw) <= high
    except ValueError:
        return False


def opened() -> dict[str, str]:
    """Return the address as it is before the page runs."""
    return st.query_params.to_dict()


def explain_dropped(place: DeltaGenerator, asked: Mapping[str, str]) -> None:
    """Name the values of the address that no input took; call after the page has run.

    An address that the page itself left behind was looked at before: what was said of it is said again.

    Args:
        place: an empty element at the top of the page.
        asked: the address before, from `opened`.
    """
    left_behind, text = st.session_state.get(_KEY, (None, ""))
    if asked != left_behind:
        dropped = [
            f"- {name}: got {_short(raw)}; it stays at {_short(str(st.session_state[name]))}."
            for name, raw in asked.items()
            if name in st.session_state and not name.startswith(_SAYING_IT_THEMSELVES)
            if not _holds(st.session_state[name], raw)
        ]
        text = _said(dropped) if dropped else ""
    st.session_state[_KEY] = st.query_params.to_dict(), text
    if text:
        place.warning(text, icon=_ICON)


def _holds(value: object, raw: str) -> bool:
    """Whether an input that holds `value` took what the address wrote; true where that cannot be told."""
    if isinstance(value, bool):
        return raw.lower() == str(value).lower()
    if isinstance(value, int | float):
        try:
            return float(raw) == float(value)
        except ValueError:
            return False
    return not isinstance(value, str) or value.split() == raw.split()


def _said(faults: Sequence[str]) -> str:
    return "\n".join(["Parts of the link could not be used; you see the default instead.", *faults])


def _short(text: str) -> str:
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return escape_markdown(shown) or "nothing"
