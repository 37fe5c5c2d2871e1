"""Drawing zero-shot continuations: one prompt, three seeds side by side, written one after the other."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.continuations import Sample, Writing, check_room, write
from lecture_core.engine import get_engine
from lecture_core.provenance import Provenance
from lecture_core.text_input import MAX_PROMPT_CHARACTERS, checked
from lecture_core.ui import beside, inputs, results
from lecture_core.ui.answers import text_box
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import session_id
from lecture_core.ui.race import race

SAMPLES = 3
LINES = 14
TEMPERATURES = (0.0, 0.5, 0.7, 0.9, 1.0, 1.2, 1.5)
TOP_PS = (0.5, 0.75, 0.9, 0.95, 1.0)
LENGTHS = (20, 40, 60, 120)
SLIDE_PROMPT = (
    "WASHINGTON - After defeating incumbent Donald Trump and Democratic candidate Joe Biden in the 2020 election, "
    "Edward Snowden has announced that"
)
SLIDE_TEXT = (
    "his first action as President will be to declassify and release hundreds of thousands of pages of US government "
    "records about domestic surveillance operations and programs in the post-9/11 era . Snowden made the announcement "
    "in a short video address on Monday evening. […]"
)
_ENDS = {"stop": "ended by itself", "length": "cut at the length", "cancelled": "stopped"}


def samples(stem: str, prompt: str, model: str) -> Callable[[], None]:
    """Show settings and a place for each of three texts; return what writes into them, to be called last.

    A second model, if one is chosen, writes three more from the same seeds. Any change of the settings starts anew.
    Not for a fragment: its clicks wait for a run to end, Stop among them.
    """
    *settings, last = st.columns([3, 3, 3, 3, 2], vertical_alignment="bottom")
    control = last.empty()
    how, seed = _settings(stem, model, settings)
    above, below = st.container(), st.container()
    other = beside.another(stem, model)
    with above:
        slots = _places(model, seed, named=bool(other))
    beyond = st.container()
    if other:
        with beyond:
            slots |= _places(other, seed, named=True)
    st.caption("All of it is invented, about real people too: fluent is not true.")
    _slide(prompt)

    def start(name: str) -> Generator[tuple[str, Sample | None], None, None]:
        writer, number = name.rsplit(" ", 1)
        return write(get_engine(), prompt, replace(how, model=writer), seed=int(number), session=session_id())

    def run() -> None:
        with below, user_errors():
            checked(prompt, limit=MAX_PROMPT_CHARACTERS)
            for writer in filter(None, (model, other)):
                check_room(get_engine(), prompt, replace(how, model=writer))
            asked = (prompt, how, seed, other)
            came = race(f"{stem}_samples", asked, slots, start, control=control, lines=LINES, finish=_finished)
            _origin(came, model)
            if other:
                with beyond:
                    _origin(came, other)

    return run


def _places(model: str, seed: int, *, named: bool = False) -> dict[str, DeltaGenerator]:
    """Draw an empty place for each sample of a model; return them by model and seed."""
    slots = {}
    for number, column in enumerate(st.columns(SAMPLES), start=seed):
        with column:
            st.markdown(f"**Seed {number}**" + (f" · {model}" if named else ""))
            slots[f"{model} {number}"] = st.empty()
    return slots


def _origin(came: Mapping[str, Sample], model: str) -> None:
    samples = [sample for name, sample in came.items() if name.rsplit(" ", 1)[0] == model]
    made = [sample.provenance for sample in samples if sample.provenance is not None]
    if made:
        results.caption(replace(made[0], seconds=sum(one.seconds for one in made), seed=None))


def _settings(stem: str, model: str, columns: Sequence[DeltaGenerator]) -> tuple[Writing, int]:
    one, two, three, four = columns
    heat = one.select_slider("Temperature", TEMPERATURES, 0.9, key=f"{stem}_heat", bind="query-params")
    share = two.select_slider("Top-p", TOP_PS, 0.95, key=f"{stem}_nucleus", bind="query-params")
    length = three.select_slider("Tokens", LENGTHS, 60, key=f"{stem}_length", bind="query-params")
    with four:
        seed = inputs.seed(f"{stem}_write")
    if not heat:
        st.caption("At temperature 0 nothing is drawn: every seed gives the same text.")
    return Writing(model, heat, share, length), seed


def _finished(slot: DeltaGenerator, sample: Sample, *, lines: int) -> None:
    """Draw a finished sample with how it ended and how fast it came."""
    seconds = sample.provenance.seconds if sample.provenance else 0.0
    speed = f" · {sample.tokens / seconds:.0f} tokens/s" if seconds else ""
    note = f"{sample.tokens} tokens, {_ENDS.get(sample.reason, sample.reason)}{speed}"
    text_box(slot, sample.text, lines=lines, note=note)


def _slide(prompt: str) -> None:
    """Show how the slide's text goes on, where its prompt is continued."""
    if prompt.strip() == SLIDE_PROMPT:
        results.model_text(SLIDE_TEXT, label="On the slide, GPT-2 large (774M parameters) goes on:")
        source = "COS 484, lecture LI6, slide on GPT-2's zero-shot performance"
        results.caption(Provenance(kind="published", source=source))
