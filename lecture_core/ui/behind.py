"""Work that goes on behind a page, on a thread of its own, for the visitor who began it.

It goes first where its visitor does, and ends when the visitor's tab is closed.
"""

from collections.abc import Callable, Generator, Hashable
from typing import TypeVar

import streamlit as st
from streamlit import runtime

from lecture_core.background import BackgroundRun
from lecture_core.engine.waiting import asking_first, goes_first
from lecture_core.ui.memory import session_id

T = TypeVar("T")


def start(
    inputs: Hashable,
    steps: Callable[[], Generator[tuple[str, T], None, None]],
    *,
    on_cancel: Callable[[], None] = lambda: None,
) -> BackgroundRun[T]:
    """Start a run for this visitor; see `BackgroundRun`."""
    first, session = goes_first(), session_id()

    def for_the_visitor() -> Generator[tuple[str, T], None, None]:
        with asking_first(first):
            yield from steps()

    return BackgroundRun(inputs, for_the_visitor, on_cancel=on_cancel, still_here=lambda: is_open(session))


def ended(run: BackgroundRun[T], done: str) -> None:
    """Say why a run has ended before its end, and what of it stays.

    Args:
        done: how far it came: "after 3 of 20 questions; what was asked stays".
    """
    why = "The connection to this page broke off, so the run was ended" if run.lost else "Cancelled"
    st.caption(f"{why} {done}.")


def is_open(session: str) -> bool:
    """Whether a browser is connected to a session; True where there is no server, as in a script."""
    return not runtime.exists() or runtime.get_instance().is_active_session(session)
