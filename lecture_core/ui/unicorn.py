"""Draw a unicorn: text models write SVG or TikZ, read through a whitelist, drawn by our own hand, and judged blind.

A round is written in the background and once for all who ask for the same; the page only looks at it.
"""

from collections.abc import Hashable, Mapping, Sequence

import streamlit as st

from lecture_core import catalog, drawing
from lecture_core.continuations import Writing
from lecture_core.drawing_round import Entry, entries, lettered, with_article
from lecture_core.drawing_studio import STUDIO, Look, Order
from lecture_core.engine import get_engine
from lecture_core.engine.results import Message
from lecture_core.engine.waiting import goes_first
from lecture_core.loading import availability
from lecture_core.ui import inputs
from lecture_core.ui.behind import is_open
from lecture_core.ui.blind_vote import Attempt, Round, judge, what_was_read
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import session_id

TOKENS = 320
HEAT, TOP_P = 0.7, 0.95  # greedy, the small models repeat one word until the end
ACROSS = 4  # drawings in a row
PLACE = 240  # pixels kept free for a drawing
SVG, TIKZ = "SVG", "TikZ"
ASKED = {
    SVG: 'Write an SVG drawing of {thing}, viewBox="0 0 100 100". Use only rect, circle, ellipse, line, polygon and '
    "path. Answer with the SVG code only.",
    TIKZ: "Draw {thing} in TikZ. Use only \\draw, \\fill and \\filldraw with circle, ellipse, rectangle and -- "
    "lines. Answer with the TikZ code only.",
}
EXAMPLE = {
    SVG: """<svg viewBox="0 0 100 100">
<rect x="25" y="50" width="50" height="40" fill="tan"/>
<polygon points="20,50 50,20 80,50" fill="brown"/>
<rect x="45" y="65" width="12" height="25" fill="black"/>
<circle cx="85" cy="15" r="8" fill="gold"/>
</svg>""",
    TIKZ: r"""\begin{tikzpicture}
\fill[brown!50] (0,0) rectangle (5,4);
\fill[red!70!black] (-0.5,4) -- (2.5,7) -- (5.5,4) -- cycle;
\fill[black] (2,0) rectangle (3.2,2.5);
\fill[yellow] (6,7.5) circle (0.8);
\end{tikzpicture}""",
}
"""A house, our own: what one exemplar shows of the form."""
LOOK, TALLY_LOOK = 0.7, 3.0  # seconds between two looks: at a round being written, at the votes for the instructor


def section(stem: str) -> None:
    """Show the form, and the round that was asked for, here or by the link."""
    st.subheader("Draw a unicorn", anchor=False)
    st.markdown(
        "The lecture shows a unicorn that GPT-4 wrote as TikZ code, in a version that read text only (Bubeck et al. "
        "2023). Ask the text models of this machine for SVG or TikZ and judge blind: which is most like one? The code "
        "is not run: shapes with plain numbers are read and drawn, all else is left out and counted. Small models "
        "mostly fail, or copy the example; a unicorn would be a surprise."
    )
    ladder = sorted(
        (spec for spec in catalog.models("causal_lm") if availability(spec).usable), key=lambda spec: spec.parameters
    )
    if not ladder:
        _say_missing()
        _own(stem)
        return
    thing, seed, example, language = _form(stem)
    who = entries([spec.id for spec in ladder], seed)
    wanted = (thing, who, example, language)
    if inputs.primary_button(f"Let them draw {len(who)}", key=f"{stem}_draw", icon=":material/draw:"):
        st.session_state[f"{stem}_drawing"] = wanted
    _say_who(who)
    if _asked_for(stem, wanted):
        letters = lettered(who, seed)
        _round(stem, thing, _prompt(thing, example, language), letters)
    _own(stem)


def _asked_for(stem: str, wanted: tuple[Hashable, ...]) -> bool:
    """Whether this round was asked for, by the button or by the link; the address says so as long as it is."""
    key, link = f"{stem}_drawing", f"{stem}_drawn"
    if key not in st.session_state and st.query_params.get(link) == "1":
        st.session_state[key] = wanted
    if st.session_state.get(key) == wanted:
        st.query_params[link] = "1"
        return True
    if link in st.query_params:
        del st.query_params[link]
    return False


def _form(stem: str) -> tuple[str, int, bool, str]:
    one, two, three, four = st.columns([6, 4, 5, 9], vertical_alignment="bottom")
    with one:
        thing = st.text_input("What to draw", "unicorn", key=f"{stem}_thing", max_chars=40, bind="query-params")
    with two:
        seed = inputs.seed(stem)
    with three:
        language = st.segmented_control("In", (SVG, TIKZ), default=SVG, key=f"{stem}_language", bind="query-params")
    with four:
        label = "Show them an example first, a house"
        example = st.toggle(label, True, key=f"{stem}_example", bind="query-params")
    return (thing or "").strip() or "unicorn", seed, example, language or SVG


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


def _prompt(thing: str, example: bool, language: str) -> tuple[Message, ...]:
    ask, house = ASKED[language], EXAMPLE[language]
    shown = (Message("user", ask.format(thing=with_article("house"))), Message("assistant", house)) if example else ()
    return (*shown, Message("user", ask.format(thing=with_article(thing))))


def _round(stem: str, thing: str, prompt: tuple[Message, ...], letters: Mapping[str, Entry]) -> None:
    """Look at a round until it is written, then let the visitor judge it; the rest of the page stays free."""
    orders = {letter: _order(prompt, entry) for letter, entry in letters.items()}
    open_now = not all(look.over for look in _looks(orders).values())

    def panel() -> None:
        if f"{stem}_drawing" not in st.session_state:  # stopped: without a round there is nothing to look at
            st.rerun()
        looks = _looks(orders)
        over = all(look.over for look in looks.values())
        if open_now and over:
            st.rerun()  # draws the end once more, without looking again
        if not over:
            stop = (stem, list(orders.values()))
            st.button("Stop", key=f"{stem}_stop", icon=":material/stop_circle:", on_click=_stop, args=stop)
        came = {letter: Attempt(letter, look.sample, look.error) for letter, look in looks.items() if look.over}
        _places(looks, came)
        if over:
            if all(look.kept for look in looks.values()):
                st.caption(":material/inventory_2: Kept: written for an earlier request, nothing was computed now.")
            text = "\n\n".join(f"{message.role}: {message.content}" for message in prompt)
            with user_errors():
                judge(stem, Round(thing, text, letters, came))

    every = LOOK if open_now else TALLY_LOOK if goes_first() else None
    st.fragment(panel, run_every=every)()


def _order(prompt: tuple[Message, ...], entry: Entry) -> Order:
    return Order(prompt, Writing(entry.model, HEAT, TOP_P, TOKENS), entry.seed)


def _looks(orders: Mapping[str, Order]) -> dict[str, Look]:
    engine, visitor, first = get_engine(), session_id(), goes_first()

    def still_here() -> bool:
        return is_open(visitor)

    return {
        letter: STUDIO.look(order, visitor, engine=engine, first=first, still_here=still_here)
        for letter, order in orders.items()
    }


def _stop(stem: str, orders: Sequence[Order]) -> None:
    STUDIO.leave(orders, session_id())
    st.session_state.pop(f"{stem}_drawing", None)
    st.query_params.pop(f"{stem}_drawn", None)


def _places(looks: Mapping[str, Look], came: Mapping[str, Attempt]) -> None:
    letters = list(looks)
    for start in range(0, len(letters), ACROSS):
        row = letters[start : start + ACROSS]
        columns = st.columns(max(len(row), min(ACROSS, len(letters))))
        for letter, column in zip(row, columns, strict=False):
            with column.container(border=True, height=PLACE if letter not in came else "content"):
                st.markdown(f"**{letter}**")
                _place(looks[letter], came.get(letter))


def _place(look: Look, attempt: Attempt | None) -> None:
    """A finished drawing without a name; before, only how much is written: the text might tell who writes."""
    if attempt is None:
        waits = f"waits: {look.before} {'text comes' if look.before == 1 else 'texts come'} first"
        st.caption(waits if look.before else f"writes: {look.characters:,} characters")
    elif attempt.drew:
        picture = drawing.render(drawing.read(attempt.text))
        st.image(picture, width=280, alt=f"Drawing {attempt.letter}")
    else:
        st.info("Did not draw.", icon=":material/close:")


def _own(stem: str) -> None:
    """Draw what another model wrote, pasted."""
    with st.expander("Paste what another model wrote", icon=":material/content_paste:"):
        text = st.text_area(
            "SVG or TikZ code", key=f"{stem}_svg", max_chars=drawing.MAX_CHARACTERS, height=140, persist_state="session"
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
        st.info("Nothing in this text can be drawn: it holds no listed shape with plain numbers.")
    if read.primitives or read.refused:
        st.caption(what_was_read(read))
