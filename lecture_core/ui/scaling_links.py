"""Values of an address that an input cannot take, each explained in a sentence: inputs drop such values silently."""

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from lecture_core.ui.errors import escape_markdown

SWITCH = ("true", "false")
"""Values of a toggle."""
_FEW = 5  # choices that are listed; of more, the ends are named
_LONGEST = 40  # characters shown of a value


def explain(stem: str, choices: Mapping[str, Collection[str]], numbers: Mapping[str, Sequence[float]]) -> None:
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
        shown = raw if len(raw) <= _LONGEST else raw[: _LONGEST - 1] + "…"
        faults.append(f"- {name}: expected {words}; got {escape_markdown(shown) or 'nothing'}.")
    if faults:
        text = "Parts of the link could not be used; you see the default instead.\n"
        st.warning(text + "\n".join(faults), icon=":material/link_off:")


def _listed(options: Sequence[str]) -> str:
    if len(options) <= _FEW:
        return "one of " + ", ".join(options)
    return f"one from {options[0]} to {options[-1]}"


def _is_between(raw: str, low: float, high: float) -> bool:
    try:
        return low <= float(raw) <= high
    except ValueError:
        return False
