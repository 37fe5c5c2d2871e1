"""Draw a unicorn: text models write SVG, which is read through a whitelist, drawn by our own hand, and judged blind."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core import catalog, drawing
from lecture_core.continuations import Writing, write
from lecture_core.drawing_round import Entry, entries, lettered
from lecture_core.engine import get_engine
from lecture_core.engine.results import Message
from lecture_core.errors import LectureError
from lecture_core.loading import availability
from lecture_core.ui import inputs
from lecture_core.ui.blind_vote import Attempt, Round, judge, what_was_read
from lecture_core.ui.errors import escape_markdown
from lecture_core.ui.memory import session_id
from lecture_core.ui.race import race

TOKENS, LINES = 320, 9
HEAT, TOP_P = 0.7, 0.95  # greedy, the small models repeat one word until the end
ACROSS = 4  # drawings in a row
ASKED = (
    'Write an SVG drawing of a {thing}, viewBox="0 0 100 100". Use only rect, circle, ellipse, line, polygon and path. '
    "Answer with the SVG code only."
)
EXAMPLE = """<svg viewBox="0 0 100 100">
<rect x="25" y="50" width="50" height="40" fill="tan"/>
<polygon points="20,50 50,20 80,50" fill="brown"/>
<rect x="45" y="65" width="12" height="25" fill="black"/>
<circle cx="85" cy="15" r="8" fill="gold"/>
</svg>"""
"""A house, our own: what one exemplar shows of the form."""
Answer = Generator[tuple[str, Attempt | None], None, None]


def section(stem: str) -> Callable[[], None]:
    """Show the form and the places of the drawings; return what writes into them, to be called last."""
    st.subheader("Draw a unicorn", anchor=False)
    st.markdown(
        "The lecture shows a unicorn that GPT-4 wrote as TikZ code, in a version that read text only (Bubeck et al. "
        "2023). Ask the text models of this machine for SVG and judge blind: which is most like one? The code is not "
        "run: seven elements with plain numbers are read and drawn, all else is left out. Small models mostly fail, "
        "or copy the example; a unicorn would be a surprise."
    )
    ladder = sorted(
        (spec for spec in catalog.models("causal_lm") if availability(spec).usable), key=lambda spec: spec.parameters
    )
    if not ladder:
        _say_missing()
        _own(stem)
        return lambda: None
    thing, seed, example = _form(stem)
    who = entries([spec.id for spec in ladder], seed)
    wanted = (thing, who, example)
    if st.button(f"Let them draw {len(who)}", key=f"{stem}_draw", icon=":material/draw:", type="primary"):
        st.session_state[f"{stem}_drawing"] = wanted
    _say_who(who)
    letters = lettered(who, seed)
    control = st.empty()
    places = _places(list(letters))
    verdict = st.container()
    _own(stem)
    if st.session_state.get(f"{stem}_drawing") != wanted:
        return lambda: None
    return lambda: _draw(stem, thing, _prompt(thing, example), letters, control, places, verdict)


def _form(stem: str) -> tuple[str, int, bool]:
    one, two, three = st.columns([2, 1, 3], vertical_alignment="bottom")
    with one:
        thing = st.text_input("Draw a", "unicorn", key=f"{stem}_thing", max_chars=40, bind="query-params")
    with two:
        seed = inputs.seed(stem)
    with three:
        label = "Show them an example first, a house in SVG"
        example = st.toggle(label, True, key=f"{stem}_example", bind="query-params")
    return (thing or "").strip() or "unicorn", seed, example


def _say_missing() -> None:
    st.markdown("No model that writes text is on this machine. The operator brings one with:")
    st.code(availability(catalog.models("causal_lm")[0]).command, language=None, wrap_lines=True)


def _say_who(who: Sequence[Entry]) -> None:
    models = list(dict.fromkeys(entry.model for entry in who))
    names, each = ", ".join(map(escape_markdown, models)), len(who) // len(models)
    if len(models) == 1:
        st.caption(f"One text model is here, {names}: it draws {each} times, each time with another seed.")
    else:
        times = f", {each} times each" if each > 1 else ""
        st.caption(f"Who draws: {names}{times}. The seed decides who stands behind which letter.")


def _places(letters: Sequence[str]) -> dict[str, DeltaGenerator]:
    places: dict[str, DeltaGenerator] = {}
    for start in range(0, len(letters), ACROSS):
        row = letters[start : start + ACROSS]
        columns = st.columns(max(len(row), min(ACROSS, len(letters))))
        places |= {letter: column.empty() for letter, column in zip(row, columns, strict=False)}
    return places


def _prompt(thing: str, example: bool) -> tuple[Message, ...]:
    shown = (Message("user", ASKED.format(thing="house")), Message("assistant", EXAMPLE)) if example else ()
    return (*shown, Message("user", ASKED.format(thing=thing)))


def _draw(
    stem: str,
    thing: str,
    prompt: tuple[Message, ...],
    letters: Mapping[str, Entry],
    control: DeltaGenerator,
    places: Mapping[str, DeltaGenerator],
    verdict: DeltaGenerator,
) -> None:
    def start(letter: str) -> Answer:
        return _hidden(letter, prompt, letters[letter])

    inputs_of_race = (prompt, *letters.items())
    came: Mapping[str, Attempt] = race(
        f"{stem}_unicorn", inputs_of_race, places, start, control=control, lines=LINES, finish=_blind
    )
    if len(came) == len(letters):
        with verdict:
            text = "\n\n".join(f"{message.role}: {message.content}" for message in prompt)
            judge(stem, Round(thing, text, letters, came))


def _hidden(letter: str, prompt: Sequence[Message], entry: Entry) -> Answer:
    """Ask for a drawing and show only how much is written: the text might tell who writes."""
    how = Writing(entry.model, HEAT, TOP_P, TOKENS)
    stream = write(get_engine(), prompt, how, seed=entry.seed, session=session_id())
    with closing(stream):
        try:
            for text, sample in stream:
                shown = f"{letter} writes: {len(text):,} characters"
                yield shown, None if sample is None else Attempt(letter, sample=sample)
        except LectureError as error:  # it belongs to this drawing, and is told when the names are
            yield "", Attempt(letter, error=str(error))


def _blind(slot: DeltaGenerator, attempt: Attempt, *, lines: int) -> None:
    with slot.container(border=True):  # the paper is white, and so may be the page
        st.markdown(f"**{attempt.letter}**")
        if attempt.drew:
            picture = drawing.render(drawing.read(attempt.text))
            st.image(picture, width=280, alt=f"Drawing {attempt.letter}")
        else:
            st.info("Did not draw.", icon=":material/close:")


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
    if read.primitives or read.refused:
        st.caption(what_was_read(read))
