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
_TITLES = "link_titles"
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


def explain(key: str, expected: str) -> None:
    """Say that the address holds something for `key` that cannot be used, where only the page can tell."""
    st.warning(_said([f"- {key}: expected {expected}; got {_short(st.query_params.get(key, ''))}."]), icon=_ICON)


def _listed(options: Sequence[str]) -> str:
    if len(options) <= _FEW:
        return "one of " + ", ".join(options)
    return f"one from {options[0]} to {options[-1]}"


def _is_between(raw: str, low: float, high: float) -> bool:
    try:
        return low <= float(raw) <= high
    except ValueError:
        return False


def shows_titles(key: str, titles: Mapping[str, str]) -> None:
    """Note that an input writes the title of what it holds into the address; call where it is drawn.

    Args:
        titles: by value.
    """
    st.session_state.setdefault(_TITLES, {})[key] = dict(titles)


Address = Mapping[str, Sequence[str]]
"""What an address holds: by name, its values; of inputs with one value the last counts."""


def opened() -> Address:
    """Return the address as it is before the page runs."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def explain_dropped(place: DeltaGenerator, asked: Address) -> None:
    """Name the values of the address that no input took; call after the page has run.

    A value that the page itself left behind was looked at before, and the input may have moved on since: what was said
    of it is said again.

    Args:
        place: an empty element at the top of the page.
        asked: the address before, from `opened`.
    """
    left_behind, before = st.session_state.get(_KEY, ({}, {}))
    said = {name: fault for name, fault in before.items() if asked.get(name) == left_behind.get(name)}
    for name, values in asked.items():
        known = values == left_behind.get(name) or name not in st.session_state
        if known or name.startswith(_SAYING_IT_THEMSELVES):
            continue
        value, titles = st.session_state[name], st.session_state.get(_TITLES, {}).get(name, {})
        held = value if isinstance(value, list) else [value]
        missed = [
            raw for raw in (values if isinstance(value, list) else values[-1:]) if not _is_held(raw, held, titles)
        ]
        if missed:
            stays = ", ".join(str(titles.get(one, one)) for one in held)
            said[name] = f"- {name}: got {_short(', '.join(missed))}; it stays at {_short(stays)}."
    st.session_state[_KEY] = opened(), said
    if said:
        place.warning(_said(list(said.values())), icon=_ICON)


def _is_held(raw: str, held: Sequence[object], titles: Mapping[str, str]) -> bool:
    return any(_holds(value, raw, titles) for value in held)


def _holds(value: object, raw: str, titles: Mapping[str, str]) -> bool:
    """Whether an input that holds `value` took what the address wrote; true where that cannot be told."""
    if isinstance(value, bool):
        return raw.lower() in (str(value).lower(), str(int(value)))
    if isinstance(value, int | float):
        try:
            return float(raw) == float(value)
        except ValueError:
            return False
    return not isinstance(value, str) or titles.get(value, value).split() == raw.split()


def _said(faults: Sequence[str]) -> str:
    return "\n".join(["Parts of the link could not be used; you see the default instead.", *faults])


def _short(text: str) -> str:
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return escape_markdown(shown) or "nothing"
