"""Draw a unicorn: a text model writes SVG, which is read through a whitelist and drawn by our own hand."""

from collections.abc import Callable, Generator, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core import drawing
from lecture_core.continuations import Sample, Writing, write
from lecture_core.engine import get_engine
from lecture_core.engine.results import Message
from lecture_core.ui import inputs, results
from lecture_core.ui.answers import text_box
from lecture_core.ui.errors import escape_markdown
from lecture_core.ui.memory import session_id
from lecture_core.ui.race import race

TOKENS, LINES = 320, 12
HEAT, TOP_P = 0.7, 0.95  # greedy, the small models repeat one word until the end
ASKED = (
    'Write an SVG drawing of a {thing}, viewBox="0 0 100 100". Use only rect, circle, ellipse, line, polygon and path. '
    "Answer with the SVG code only."
)


def section(stem: str) -> Callable[[], None]:
    """Show the form and the places of text and picture; return what writes into them, to be called last."""
    st.subheader("Draw a unicorn", anchor=False)
    st.markdown(
        "The lecture shows a unicorn that GPT-4 wrote as TikZ code, in a version that read text only (Bubeck et al. "
        "2023). Ask a small text model for SVG. Its code is not run: seven elements with plain numbers are read and "
        "drawn, all else is left out. A model of this size mostly fails; a unicorn would be a surprise."
    )
    model = inputs.model(stem, "causal_lm")
    one, two, three = st.columns([2, 1, 2], vertical_alignment="bottom")
    with one:
        thing = st.text_input("Draw a", "unicorn", key=f"{stem}_thing", max_chars=40, bind="query-params")
    with two:
        seed = inputs.seed(stem)
    asked = three.button("Let it draw", key=f"{stem}_draw", icon=":material/draw:", type="primary")
    wanted = (thing, model, seed)
    if asked:
        st.session_state[f"{stem}_drawing"] = wanted
    control, slot, picture = st.empty(), st.empty(), st.container()
    _own(stem)
    if st.session_state.get(f"{stem}_drawing") != wanted:
        return lambda: None
    return lambda: _write(stem, (thing or "unicorn", model, seed), control, slot, picture)


def _write(
    stem: str,
    wanted: tuple[str, str, int],
    control: DeltaGenerator,
    slot: DeltaGenerator,
    picture: DeltaGenerator,
) -> None:
    thing, model, seed = wanted

    def start(_: str) -> Generator[tuple[str, Sample | None], None, None]:
        prompt = [Message("user", ASKED.format(thing=thing))]
        return write(get_engine(), prompt, Writing(model, HEAT, TOP_P, TOKENS), seed=seed, session=session_id())

    came: Mapping[str, Sample] = race(
        f"{stem}_unicorn", wanted, {"0": slot}, start, control=control, lines=LINES, finish=_finished
    )
    for sample in came.values():
        with picture:
            _drawn(sample.text, f"What {model} drew for “{thing}”")
            if sample.provenance:
                results.caption(sample.provenance)


def _finished(slot: DeltaGenerator, sample: Sample, *, lines: int) -> None:
    cut = ", cut at the length" if sample.reason == "length" else ""
    text_box(slot, sample.text, lines=lines, note=f"{sample.tokens} tokens{cut}")


def _own(stem: str) -> None:
    """Draw what another model wrote, pasted."""
    with st.expander("Paste what another model wrote", icon=":material/content_paste:"):
        text = st.text_area(
            "SVG code", key=f"{stem}_svg", max_chars=drawing.MAX_CHARACTERS, height=140, persist_state="session"
        )
        if text:
            _drawn(text, "The pasted drawing")


def _drawn(text: str, title: str) -> None:
    """The picture of whatever could be read, and what could not."""
    read = drawing.read(text)
    if read.primitives:
        elements = ", ".join(primitive.element for primitive in read.primitives)
        st.image(drawing.render(read), width=280, caption=escape_markdown(title), alt=f"{title}: {elements[:200]}")
    else:
        st.info("Nothing in this text can be drawn: it holds no listed element with plain numbers.")
    if not (read.primitives or read.refused):
        return
    left_out = ", ".join(f"{escape_markdown(name)} ×{n}" for name, n in list(read.refused.items())[:8])
    shown = f"Shapes drawn: {len(read.primitives)}"
    st.caption(f"{shown}; left out: {left_out}." if left_out else f"{shown}, nothing left out.")
