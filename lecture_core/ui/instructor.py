"""The instructor's lane: who opens any page once with the operator's key goes before those who wait.

The operator sets `LECTURE_INSTRUCTOR_KEY`; the instructor opens `/?instructor=KEY`. The key leaves the address bar at
once, so that no copied link gives it away. Without a key on the server there is no lane.
"""

import hmac
import os

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lecture_core.engine import waiting

_INSTRUCTOR = "instructor"  # of the address, and of the session


def install() -> None:
    """Take the key out of the link, and let the engine ask who goes first. Draws nothing."""
    given = st.query_params.get(_INSTRUCTOR)
    if given is not None:
        del st.query_params[_INSTRUCTOR]
        key = os.environ.get("LECTURE_INSTRUCTOR_KEY", "")
        st.session_state[_INSTRUCTOR] = bool(key) and hmac.compare_digest(given.encode(), key.encode())
    waiting.goes_first_with(_goes_first)


def badge() -> None:
    """Say in the sidebar whether the key was right; nothing to those who gave none."""
    if st.session_state.get(_INSTRUCTOR) is True:
        st.caption(":material/co_present: Instructor: your requests go first.")
    elif st.session_state.get(_INSTRUCTOR) is False:
        st.caption(":material/key_off: This instructor key is not the one of this server; your requests wait in line.")


def _goes_first() -> bool:
    """Whether this thread runs the instructor's script; False on threads without a visitor."""
    return get_script_run_ctx(suppress_warning=True) is not None and st.session_state.get(_INSTRUCTOR) is True
