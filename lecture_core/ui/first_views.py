"""A page whose default view shows recorded results draws itself again as soon as its models are there.

`python -m lecture_core.ui.first_views` opens every page once and records what its models answer.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lecture_core.engine import get_engine
from lecture_core.engine.first_views import save
from lecture_core.outline import PAGES
from lecture_core.ui import memory

_KEY = "first_view_stands_in"
_LOOK = 0.5  # seconds between two looks for the live results
_SCRIPT = Path(__file__).parents[2] / "streamlit_app.py"
_PATIENCE = 600  # seconds for a page, loading included


def begin() -> None:
    """Start a run of the script: nothing stands in yet."""
    st.session_state[_KEY] = ()


def expect(model: str) -> None:
    """Note that this page shows a recorded result for which a live one of `model` is being computed."""
    others = [other for other in st.session_state.get(_KEY, ()) if other != model]
    st.session_state[_KEY] = (*others, model)


def follow() -> None:
    """Look for the live results until they are there; call it last. Does nothing on a page without stand-ins."""
    if st.session_state.get(_KEY):
        st.fragment(_draw_again_when_live, run_every=_LOOK)()


def _draw_again_when_live() -> None:
    context = get_script_run_ctx()
    looks_alone = context is not None and bool(context.fragment_ids_this_run)  # not within the run of the whole page
    if looks_alone and set(get_engine().status().catching_up).isdisjoint(st.session_state[_KEY]):
        st.session_state[_KEY] = ()
        memory.forget()
        st.rerun()


def main() -> int:
    """Record the default view of every page."""
    from streamlit.testing.v1 import AppTest

    from lecture_core.engine.local import LocalEngine

    os.environ["LECTURE_FIRST_VIEWS"] = "off"
    engine = get_engine()
    if not isinstance(engine, LocalEngine):
        raise SystemExit("Expected LECTURE_ENGINE=local. Unset it and run the command again.")
    engine.recorder = {}
    app = AppTest.from_file(str(_SCRIPT), default_timeout=_PATIENCE).run()
    for page in PAGES:
        app.switch_page(page.path).run()
        if app.exception:
            raise SystemExit(f"{page.title}: {app.exception[0].value}")
        missing = "; " + app.error[0].value if app.error else ""
        print(f"{page.title}: {len(engine.recorder)} answers so far{missing}", flush=True)
    kept, large = save(engine.recorder, date=datetime.now(UTC).date().isoformat())
    print(f"Kept {kept} answers; {large} were too large and are computed when asked for.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
