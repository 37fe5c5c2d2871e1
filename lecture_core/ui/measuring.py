"""A measurement on a page: start, progress with a partial result, cancel. It runs beside whatever the visitor does.

The page says what to measure and how to draw it; the run has its own thread, and this panel looks at it twice a second.
"""

from collections.abc import Callable, Generator, Hashable, Mapping
from secrets import token_hex

import streamlit as st

from lecture_core.background import BackgroundRun
from lecture_core.engine import get_engine
from lecture_core.measurement import Progress
from lecture_core.provenance import Provenance
from lecture_core.ui import behind, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import session_id

Steps = Generator[tuple[str, Progress], None, None]
LOOK = 0.7  # seconds between two looks


def measuring(
    stem: str,
    *,
    label: str,
    inputs: Hashable,
    names: Mapping[str, str],
    items: int,
    steps: Callable[[str], Steps],
    draw: Callable[[Mapping[str, Progress]], None],
) -> None:
    """Show the button that starts a measurement, then its progress, then its result.

    Args:
        label: text of the button: a verb and what is measured.
        inputs: everything the measurement depends on; another value drops it.
        names: every condition that is measured, in order, with its words.
        items: questions asked in each condition.
        steps: measures all conditions for a session name; yields condition and count after each question.
        draw: shows the counts so far; empty before the first.
    """
    run = _current(stem, inputs)
    polled = run is not None and run.running

    def panel() -> None:
        now = _current(stem, inputs)
        if now is None or not now.running:
            if polled:
                st.rerun()  # draws the final state once more, without looking again
            _start_button(stem, label, inputs, steps)
            if now is not None and now.cancelled:
                done = sum(progress.n for progress in now.kept.values())
                behind.ended(now, f"after {done} of {items * len(names)} questions; what was asked stays")
        else:
            _progress(stem, now, names, items)
        with user_errors():
            draw({} if now is None else now.kept)
            if now is not None:
                _ = now.latest

    st.fragment(panel, run_every=LOOK if polled else None)()


def _current(stem: str, inputs: Hashable) -> BackgroundRun[Progress] | None:
    run: BackgroundRun[Progress] | None = st.session_state.get(f"{stem}_run")
    if run is not None and run.inputs != inputs:
        run.cancel()
        del st.session_state[f"{stem}_run"]
        return None
    return run


def _start_button(stem: str, label: str, inputs: Hashable, steps: Callable[[str], Steps]) -> None:
    if not st.button(label, key=f"{stem}_measure", icon=":material/monitoring:"):
        return
    session = f"{session_id()}-{stem}-{token_hex(4)}"  # of this run alone: it may be cancelled more than once
    engine = get_engine()
    st.session_state[f"{stem}_run"] = behind.start(
        inputs, lambda: steps(session), on_cancel=lambda: engine.cancel(session)
    )
    st.rerun()


def _progress(stem: str, run: BackgroundRun[Progress], names: Mapping[str, str], items: int) -> None:
    kept = run.kept
    now = next(reversed(kept), None)
    done = sum(progress.n for progress in kept.values())
    row = st.container(horizontal=True, vertical_alignment="center")
    words = "First question" if now is None else f"{names[now]}: {kept[now].right} of {kept[now].n} right so far"
    row.progress(done / (items * len(names)), text=f"{words} · {done} of {items * len(names)} asked")
    if row.button("Cancel", key=f"{stem}_cancel", icon=":material/stop_circle:"):
        run.cancel()
        run.wait(2)
        st.rerun()


def origin(made: Provenance | None, *, outdated: bool = False) -> None:
    """Show where the rates above come from, or that there are none.

    Args:
        outdated: whether recorded ones are left out, since task, prompts or judging have changed.
    """
    if made is None:
        st.caption("Not measured with these settings yet.")
    else:
        results.caption(made)
    if outdated:
        st.caption("Recorded with an earlier version of the task, so not shown. Measure it again.")
