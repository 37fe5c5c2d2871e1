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


def opened() -> dict[str, str]:
    """Return the address as it is before the page runs."""
    return st.query_params.to_dict()


def overtaken() -> None:
    """Note that a click has changed inputs before the address could follow; for its callback."""
    _, text = st.session_state.get(_KEY, (None, ""))
    st.session_state[_KEY] = st.query_params.to_dict(), text


def explain_dropped(place: DeltaGenerator, asked: Mapping[str, str]) -> None:
    """Name the values of the address that no input took; call after the page has run.

    An address that the page itself left behind was looked at before: what was said of it is said again.

    Args:
        place: an empty element at the top of the page.
        asked: the address before, from `opened`.
    """
    left_behind, text = st.session_state.get(_KEY, (None, ""))
    if asked != left_behind:
        titles = st.session_state.get(_TITLES, {})
        held = {
            name: (st.session_state[name], titles.get(name, {}))
            for name in asked
            if name in st.session_state and not name.startswith(_SAYING_IT_THEMSELVES)
        }
        dropped = [
            f"- {name}: got {_short(asked[name])}; it stays at {_short(str(shown.get(value, value)))}."
            for name, (value, shown) in held.items()
            if not _holds(value, asked[name], shown)
        ]
        text = _said(dropped) if dropped else ""
    st.session_state[_KEY] = st.query_params.to_dict(), text
    if text:
        place.warning(text, icon=_ICON)


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
