"""A visitor whose request stands in a queue sees how many come first and about how long that takes.

A toast: it is seen wherever the page is scrolled to and moves nothing. Drawing it also lets Streamlit end the script of
a visitor who clicked something else or left, so that the request gives its place up.
"""

import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lecture_core.engine import waiting
from lecture_core.engine.waiting import Waiting

PATIENCE = 1.0  # seconds of expected wait that nobody needs to hear of
_EVERY = 0.7  # seconds between two drawings
_KEY = "waiting_toast"


def words(now: Waiting) -> str:
    """Say it in a sentence."""
    if now.memory:
        return "The models in use fill the memory; yours is loaded when one of them is free."
    if now.loading:
        return "The model is being loaded; the first answer takes a few seconds."
    first = "One request comes" if now.before == 1 else f"{now.before} requests come"
    return f"{first} before yours" + (f"; about {max(1, round(now.seconds))} s." if now.seconds else ".")


def show(now: Waiting) -> None:
    """Draw or update the toast of this session; nothing on threads without a visitor."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    # Reading the state is also where Streamlit ends the script of a visitor who left.
    drawn, toast, run = st.session_state.get(_KEY, (0.0, None, None))
    unknown = now.before > 0 and not now.seconds  # nothing was measured yet: the class's first press
    if now.seconds < PATIENCE and not (now.loading or now.memory or unknown):
        return
    this_run = tuple(context.fragment_ids_this_run or ())
    if time.monotonic() - drawn > 5 or run != this_run:  # it has faded, or only another run may change it
        toast = None
    if time.monotonic() - drawn > _EVERY:
        new = (toast or st).toast(words(now), icon=":material/hourglass_top:", duration=2)
        st.session_state[_KEY] = time.monotonic(), new, this_run


def install() -> None:
    """Let every engine call of a page tell its visitor when it waits."""
    waiting.report_with(show)
