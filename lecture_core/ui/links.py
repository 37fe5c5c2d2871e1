"""Says which parts of an address the inputs could not take: they drop such values silently and stand on their default.

Knows no page: what an input holds after the page has run is compared with what the address asked for.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.ui.errors import escape_markdown

_KEY = "link_opened"
_LONGEST = 40  # characters shown of a value
_SAYING_IT_THEMSELVES = ("chinchilla", "scaling_bench", "open_weight_models", "multimodal", "tables")


def opened() -> dict[str, str]:
    """Return the address as it is before the page runs."""
    return st.query_params.to_dict()


def explain(place: DeltaGenerator, asked: Mapping[str, str]) -> None:
    """Name the values of the address that no input took; call after the page has run.

    An address that the page itself left behind was looked at before: what was said of it is said again.

    Args:
        place: an empty element at the top of the page.
        asked: the address before, from `opened`.
    """
    left_behind, text = st.session_state.get(_KEY, (None, ""))
    if asked != left_behind:
        dropped = [
            f"- {escape_markdown(name)}: got {escape_markdown(_short(raw)) or 'nothing'}; it stays at "
            f"{escape_markdown(_short(str(st.session_state[name])))}."
            for name, raw in asked.items()
            if name in st.session_state and not name.startswith(_SAYING_IT_THEMSELVES)
            if not _holds(st.session_state[name], raw)
        ]
        text = "\n".join(["Parts of the link could not be used. Choose anew below.", *dropped]) if dropped else ""
    st.session_state[_KEY] = st.query_params.to_dict(), text
    if text:
        place.warning(text, icon=":material/link_off:")


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


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
