"""The sidebar: what runs the models here, what is loaded and who waits. Reads the engine's status, loads nothing."""

import streamlit as st

from lecture_core.engine import get_engine
from lecture_core.engine.protocol import EngineStatus


def sidebar() -> None:
    """Show device, dtype and its reason, the loaded models and the queue."""
    with st.sidebar:
        _machine(get_engine().status())


def _machine(status: EngineStatus) -> None:
    st.caption("Runs on")
    st.markdown(f":material/memory: **{status.device.upper()}** {status.dtype}")
    st.caption(status.reason)
    if status.loaded:
        st.caption("Loaded models")
        for row in status.loaded:
            st.markdown(f"`{row.model}` · {row.memory_bytes / 1e6:,.0f} MB")
    if status.waiting:
        st.caption(f"{status.waiting} waiting")
