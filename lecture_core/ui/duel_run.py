"""Drawing the run of the duel: ten sentences, the score in bits, the curves; and what a generator's strength does."""

from collections.abc import Sequence

import streamlit as st

from lecture_core import catalog, duel
from lecture_core.engine import get_engine
from lecture_core.engine.results import TEMPERATURES, Corruption, Detection
from lecture_core.figures import duel as figures
from lecture_core.quantities import count
from lecture_core.tables import load_table
from lecture_core.ui import inputs, results
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember
from lecture_core.ui.tables import source_line

LENGTH = len(duel.sentences())


def rounds(stem: str) -> dict[object, tuple[duel.JudgedToken, ...]]:
    """The rounds revealed so far, by what made them."""
    return st.session_state.setdefault(f"{stem}_rounds", {})


def keep(stem: str, now: object, corruption: Corruption, verdict: Detection, marked: frozenset[int]) -> None:
    """Count a round once, at its first reveal; marks changed after the truth was shown do not count."""
    played = rounds(stem)
    if now not in played and len(played) < LENGTH:
        played[now] = duel.judged(corruption, verdict, marked)


def next_sentence(stem: str) -> None:
    """Put the next sentence of the run into the text field; for a button's callback."""
    texts = duel.sentences()
    current = st.session_state.get(f"{stem}_text")
    place = texts.index(current) + 1 if current in texts else 0
    st.session_state[f"{stem}_text"] = texts[place % LENGTH]


def start_again(stem: str) -> None:
    """Forget the run; for a button's callback."""
    st.session_state[f"{stem}_rounds"] = {}
    st.session_state[f"{stem}_text"] = duel.sentences()[0]
    st.session_state[f"{stem}_round"] = None


def standing(stem: str, threshold: float) -> None:
    """Show the score so far and, once there is something to draw, the ROC of both.

    Args:
        threshold: probability above which the discriminator's answer counts as a mark.
    """
    tokens = [token for one in rounds(stem).values() for token in one]
    if not tokens:
        return
    truths = [t.replaced for t in tokens]
    yours = duel.bits([t.marked for t in tokens], truths)
    its = duel.bits([t.probability > threshold for t in tokens], truths)
    st.subheader(f"The run so far: {len(rounds(stem))} of {LENGTH} sentences", anchor=False)
    left, middle, right = st.columns(3)
    left.metric("You", f"{yours:.1f} bits")
    middle.metric("Discriminator", f"{its:.1f} bits")
    right.metric("Perfect marks", f"{duel.uncertainty(truths):.1f} bits")
    st.caption(
        "A mark is worth what it tells about the truth (mutual information, summed over "
        f"n = {len(tokens)} tokens). Marking everything, nothing, or at random is worth 0."
    )
    if any(truths):
        points = duel.roc(tokens)
        alt = f"ROC of the discriminator, area {duel.area(points):.2f}, and your point"
        chart(figures.roc_curve(points, duel.student_point(tokens)), key=f"{stem}_roc", alt=alt)
        st.caption(f"Area under the discriminator's curve: {duel.area(points):.2f} on these {len(tokens)} tokens.")
    st.button("Start the run again", key=f"{stem}_again", on_click=start_again, args=(stem,))


@st.fragment
def generator_strength(stem: str, generators: Sequence[str], discriminator: str) -> None:
    """Measure, on the ten sentences, the discriminator's loss for weak and strong generators.

    Args:
        generators: those of the discriminator's vocabulary to choose from, its own first.
    """
    st.subheader("Too weak, too strong", anchor=False)
    st.markdown(
        "The generator's sampling temperature sets how good the fakes are. Near 0 it writes its safest word: the "
        "original itself, or a fake that is hard to tell. High up it writes nonsense that anyone finds. "
        "Neither teaches much; ELECTRA samples at 1, from a generator smaller than the discriminator."
    )
    if not st.toggle("Measure it now on ten sentences", key=f"{stem}_strength", bind="query-params"):
        return
    sizes = {name: f"{name} ({count(catalog.get(name).parameters)})" for name in generators}
    generator = inputs.choose("Generator", sizes, f"{stem}_generator", 340)
    with user_errors(), st.spinner("Corrupting and judging 70 texts"):
        asked = (generator, discriminator)
        rows = remember(f"{stem}_strength_rows", asked, lambda: _measure(generator, discriminator))
        alt = "Loss of the discriminator over the generator's temperature"
        chart(figures.generator_strength(rows), key=f"{stem}_strength_chart", alt=alt)
        shares = ", ".join(f"{row.replaced:.0%} at {row.temperature:g}" for row in rows)
        st.caption(f"Share of tokens replaced: {shares}. The gap between the lines is what the discriminator can tell.")
        results.badge("live")
        st.caption(
            "The discriminator was trained against its own generator. Another one's fakes are new to it; with "
            f"{rows[0].tokens} tokens, small differences between the two mean nothing."
        )


def _measure(generator: str, discriminator: str) -> list[duel.Strength]:
    return [
        duel.strength(
            get_engine(),
            duel.sentences(),
            generator=generator,
            discriminator=discriminator,
            temperature=temperature,
            share=0.3,
            seed=7,
        )
        for temperature in TEMPERATURES
    ]


def efficiency(stem: str) -> None:
    """Show ELECTRA's published scores over training compute."""
    table = load_table("electra_small")
    st.markdown("**With an eighth of the compute, ahead of BERT-Small**")
    alt = "GLUE over training compute: ELECTRA-Small's curve lies above BERT-Small"
    chart(figures.efficiency(table), key=f"{stem}_efficiency", alt=alt)
    source_line(table)
