"""A run of the visitor's own: train one of the smallest decoders for a minute; it lands on the plot as a star."""

from collections.abc import Generator

import streamlit as st

from lecture_core.background import BackgroundRun
from lecture_core.provenance import Provenance
from lecture_core.quantities import count
from lecture_core.scaling_points import Points
from lecture_core.scaling_runs import ScalingRun
from lecture_core.ui import behind, results
from lecture_core.ui.errors import user_errors

SIZES = {"55k": 0, "220k": 1, "440k": 2}
"""Parameters of the sizes a laptop trains in a minute, with their place in the grid."""
TOKENS = (131_072, 262_144, 524_288)
LOOK = 2.0  # seconds between two looks; Streamlit collects garbage after each, which costs the training time


def trained(stem: str) -> Points:
    """Return the runs that the visitor has trained in this session."""
    return Points.of(st.session_state.get(f"{stem}_trained", ()))


def train(stem: str) -> None:
    """Show what can be trained, or how far the run is; a finished one is kept and the page drawn anew."""
    run: BackgroundRun | None = st.session_state.get(f"{stem}_live")
    made: tuple[ScalingRun, ...] = st.session_state.get(f"{stem}_trained", ())
    unfold = run is not None or bool(made) or f"{stem}_live_ended" in st.session_state
    with st.expander("Train a run yourself, for a minute", icon=":material/model_training:", expanded=unfold):
        st.fragment(_panel, run_every=LOOK if run is not None else None)(stem)
        _last(made)


def _panel(stem: str) -> None:
    run: BackgroundRun | None = st.session_state.get(f"{stem}_live")
    if run is None:
        _form(stem)
    elif run.running and not run.cancelled:
        _progress(stem, run)
    else:
        _land(stem, run)


def _progress(stem: str, run: BackgroundRun) -> None:
    with user_errors():
        now = run.latest.get("run")
    done, words = (now.done, f"training loss {now.loss:.2f}") if now else (0.0, "Reading the text")
    row = st.container(horizontal=True, vertical_alignment="center")
    row.progress(done, text=f"{words} · {done:.0%}")
    if row.button("Cancel", key=f"{stem}_cancel", icon=":material/stop_circle:"):
        run.cancel()
        run.wait(2)
        st.rerun()


def _land(stem: str, run: BackgroundRun) -> None:
    """Keep a finished run and draw the page anew; say what ended another."""
    with user_errors():
        last = run.latest.get("run")
        if last is not None and last.run is not None:
            key = f"{stem}_trained"
            st.session_state[key] = (*st.session_state.get(key, ()), last.run)
        elif run.cancelled:
            st.session_state[f"{stem}_live_ended"] = run
        del st.session_state[f"{stem}_live"]
        st.rerun()
    st.button("Back", key=f"{stem}_back", on_click=st.session_state.pop, args=(f"{stem}_live", None))


def _form(stem: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.selectbox("Parameters N", list(SIZES), key=f"{stem}_live_size", width=140)
        tokens = st.selectbox("Tokens D", TOKENS, 1, count, key=f"{stem}_live_tokens", width=140)
        seed = int(st.number_input("Seed", 0, 2**31 - 1, 1, key=f"{stem}_live_seed", width=120))
        if st.button("Train", key=f"{stem}_train", icon=":material/play_arrow:"):
            st.session_state.pop(f"{stem}_live_ended", None)
            st.session_state[f"{stem}_live"] = behind.start((size, tokens, seed), lambda: _steps(size, tokens, seed))
            st.rerun()
    if (ended := st.session_state.get(f"{stem}_live_ended")) is not None:
        now = ended.kept.get("run")
        behind.ended(ended, f"after {now.done if now else 0:.0%} of the training; nothing of it is kept")


def _steps(size: str, tokens: int, seed: int) -> Generator:
    from lecture_core.training.live_run import watch  # torch: only where somebody trains

    yield from watch(SIZES[size], tokens, seed)


def _last(runs: tuple[ScalingRun, ...]) -> None:
    if not runs:
        st.caption(
            "Your run follows the recipe of the recorded runs, on an excerpt of their text. It appears on the "
            "chart as a star."
        )
        return
    run = runs[-1]
    n, d = count(run.parameters), count(run.tokens)
    st.markdown(f"**{n} parameters on {d} tokens: held-out loss {run.loss_per_token:.3f} nats per token.**")
    device, dtype = run.device.split()
    results.caption(Provenance("decoder trained here", "", device, dtype, run.seed, run.seconds))
