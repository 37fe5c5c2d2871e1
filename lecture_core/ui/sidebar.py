"""The sidebar: what runs the models here, what is loaded and who waits. Reads the engine's status, loads nothing."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.engine import get_engine
from lecture_core.engine.status import EngineStatus
from lecture_core.ui import instructor


def sidebar(place: DeltaGenerator) -> None:
    """Show device, dtype and its reason, the loaded models and the queue.

    Args:
        place: an `st.empty` of the sidebar, so that it can be drawn again once the page has run.
    """
    with place.container():
        _machine(get_engine().status())
        instructor.badge()


def _machine(status: EngineStatus) -> None:
    st.markdown(f":material/memory: **Runs on {status.device.upper()}**, {status.dtype}")
    st.caption(status.reason)
    if not status.loaded:
        st.caption("No model loaded yet; the first result takes a few seconds longer.")
    for row in status.loaded:
        waiting = f" · {row.waiting} waiting" if row.waiting else ""
        st.caption(f"{row.model} · {row.memory_bytes / 1e6:,.0f} MB{waiting}")
    if status.waiting > 1:
        st.caption(f"{status.waiting} requests at work or waiting")
