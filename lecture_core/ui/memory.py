"""A page's last results, kept for its session: a control that stored values can answer never asks a model again."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

T = TypeVar("T")

BROWSER_COOKIE = "lecture_browser"
"""Cookie of the random number that the server gives a browser."""


def remember(key: str, inputs: Hashable, compute: Callable[[], T]) -> T:
    """Return the stored result if `inputs` are those of the last call under `key`, else compute and store it.

    Args:
        key: prefixed by the page's stem.
        inputs: everything that the result depends on.
    """
    slot = f"{key}_remembered"
    stored = st.session_state.get(slot)
    if stored is None or stored[0] != inputs:
        stored = (inputs, compute())
        st.session_state[slot] = stored
    return stored[1]


def session_id() -> str:
    """Return this visitor's session id: the engine runs one stream a session."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def browser_id() -> str:
    """Return the random number of the visitor's browser, which a reload keeps; without cookies the session's id."""
    return st.context.cookies.get(BROWSER_COOKIE) or session_id()


def rerun_here() -> None:
    """Run the fragment again if only it runs now, else the whole page: draw a click at once, without a flash."""
    context = get_script_run_ctx()
    st.rerun(scope="fragment" if context and context.fragment_ids_this_run else "app")


def forget() -> None:
    """Drop what this session's pages remember of results, so that they ask again."""
    for key in [key for key in st.session_state if str(key).endswith(("_remembered", "_race"))]:
        del st.session_state[key]
