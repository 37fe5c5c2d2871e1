"""Drawing the run of the duel: ten sentences, the score in bits, the curves; and what a generator's strength does."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from lecture_core import catalog, duel
from lecture_core.engine import get_engine
from lecture_core.engine.results import TEMPERATURES, Corruption, Detection
from lecture_core.figures import duel as figures
from lecture_core.panel_code import strength_code
from lecture_core.quantities import count
from lecture_core.tables import load_table
from lecture_core.ui import inputs, page, results
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember
from lecture_core.ui.tables import below, grid, source_line

LENGTH = len(duel.sentences())
_SHARES = {1.0: "all of it", 0.5: "a half", 0.125: "an eighth", 0.0625: "a sixteenth"}
_WHERE = ("below 0.5", "from 0.5 to 1.5", "above 1.5")
SHARE, SEED = 0.3, 7  # of the measurement of a generator's strength


def rounds(stem: str) -> dict[str, tuple[duel.JudgedToken, ...]]:
    """The rounds revealed so far, by sentence."""
    return st.session_state.setdefault(f"{stem}_rounds", {})


def keep(
    stem: str,
    sentence: str,
    models: tuple[str, str],
    corruption: Corruption,
    verdict: Detection,
    marked: frozenset[int],
) -> None:
    """Count a sentence once, at its first reveal: neither later marks nor another seed make a second round of it.

    Args:
        models: generator and discriminator; with others a run starts anew.
    """
    if st.session_state.setdefault(f"{stem}_run_models", models) != models:
        st.session_state[f"{stem}_run_models"], st.session_state[f"{stem}_rounds"] = models, {}
    played, sentence = rounds(stem), " ".join(sentence.split())
    if sentence not in played and len(played) < LENGTH:
        played[sentence] = duel.judged(corruption, verdict, marked)


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
        st.markdown(f"**A run of {LENGTH} sentences.** Mark, reveal, go on: your score and its stand here.")
        return
    truths = [t.replaced for t in tokens]
    yours = duel.bits([t.marked for t in tokens], truths)
    its = duel.bits([t.probability > threshold for t in tokens], truths)
    st.subheader(f"The run so far: {len(rounds(stem))} of {LENGTH} sentences", anchor=False)
    left, middle, right = st.columns(3)
    left.metric("You", f"{round(yours, 1) + 0.0:.1f}")
    middle.metric("Discriminator", f"{round(its, 1) + 0.0:.1f}")
    right.metric("Perfect marks", f"{duel.uncertainty(truths):.1f}")
    st.caption(
        "Scores in bits: marks are worth what they tell about the truth (mutual information over "
        f"n = {len(tokens)} tokens). Marking everything or nothing is worth 0, marking at random about 0; below 0, "
        "originals were marked more often than "
        "fakes. Each sentence counts once, at its first reveal."
    )
    if any(truths):
        curve = duel.roc(tokens)
        alt = f"ROC of the discriminator, area {duel.area(curve):.2f}, and your point"
        chart(figures.roc_curve(curve, duel.student_point(tokens)), key=f"{stem}_roc", alt=alt)
        st.caption(f"Area under the discriminator's curve: {duel.area(curve):.2f} on these {len(tokens)} tokens.")
    st.button("Start the run again", key=f"{stem}_again", on_click=start_again, args=(stem,))


@st.fragment
def generator_strength(stem: str, generators: Sequence[str], default: str) -> None:
    """Measure, on the ten sentences, the chosen discriminator's loss for weak and strong generators.

    Args:
        generators: those of the discriminator's vocabulary to choose from, its own first.
        default: discriminator where none was chosen in the settings.
    """
    st.subheader("Too weak, too strong", anchor=False)
    st.markdown(
        "The generator's sampling temperature sets how good the fakes are. Near 0 it writes its safest word: the "
        "original itself, or a fake that is hard to tell. High up it writes nonsense that anyone finds. "
        "Neither teaches much; ELECTRA samples at 1, from a generator smaller than the discriminator."
    )
    page.predict(f"{stem}_strength", "Where will the discriminator's loss be highest?", _WHERE)
    if not st.toggle("Measure it now on ten sentences", key=f"{stem}_strength", bind="query-params"):
        return
    sizes = {name: f"{name} ({count(catalog.get(name).parameters)})" for name in generators}
    generator = inputs.choose("Generator", sizes, f"{stem}_generator", 340)
    discriminator = st.session_state.get(f"{stem}_model", default)
    with user_errors(), st.spinner("Corrupting and judging 70 texts"):
        asked = (generator, discriminator)
        rows = remember(f"{stem}_strength_rows", asked, lambda: _measure(generator, discriminator))
        page.reveal(f"{stem}_strength", _where(rows), "Below 1 the fakes are rare or good; above it they are many.")
        alt = "Loss of the discriminator over the generator's temperature"
        chart(figures.generator_strength(rows), key=f"{stem}_strength_chart", alt=alt)
        shares = ", ".join(f"{row.replaced:.0%} at {row.temperature:g}" for row in rows)
        st.caption(f"Share of tokens replaced: {shares}. The gap between the lines is what the discriminator can tell.")
        _origin(rows[0])
        st.caption(
            "A discriminator was trained against its own generator. Another one's fakes are new to it; with "
            f"{rows[0].tokens} tokens, small differences between the two mean nothing."
        )
        texts, specs = tuple(duel.sentences()), (catalog.get(generator), catalog.get(discriminator))
        code = strength_code(*specs, texts, share=SHARE, seed=SEED, temperatures=TEMPERATURES)
        page.panel_code(f"{stem}_strength", code)


def _where(rows: Sequence[duel.Strength]) -> str:
    hottest = max(rows, key=lambda row: row.loss).temperature
    return _WHERE[0] if hottest < 0.5 else _WHERE[1] if hottest <= 1.5 else _WHERE[2]


def _origin(row: duel.Strength) -> None:
    """Say which models, revisions and seeds the rows come from; the time is that of one text and left out."""
    for provenance in (row.sampled, row.judged):
        results.caption(replace(provenance, seconds=0.0, cached=False))
    st.caption(
        f"n = {row.tokens} tokens of {LENGTH} sentences at each temperature, {SHARE:.0%} of them masked; "
        f"seeds {SEED} to {SEED + LENGTH - 1}, one a sentence."
    )


def _measure(generator: str, discriminator: str) -> list[duel.Strength]:
    return [
        duel.strength(
            get_engine(),
            duel.sentences(),
            generator=generator,
            discriminator=discriminator,
            temperature=temperature,
            share=SHARE,
            seed=SEED,
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


def compute_table(stem: str) -> None:
    """Show the published scores with the compute behind each, the names short enough for a phone."""
    question = "How much of BERT-Small's compute does ELECTRA-Small need to score higher?"
    page.predict(f"{stem}_published", question, list(_SHARES.values()))
    sizes = {"Small models": "electra_small", "Large models": "electra_large"}
    chosen = st.segmented_control(
        "Published results by training compute",
        list(sizes),
        default="Small models",
        key=f"{stem}_compute",
        bind="query-params",
    )
    table = load_table(sizes.get(chosen or "", "electra_small"))
    names = table.frame["model"].str.replace(" trained", "", regex=False)
    st.markdown(f"**{table.meta.title}**")
    short = replace(table, frame=table.frame.assign(model=names))
    grid(short, key=stem, columns=("model", "train_flops", "glue_dev"))
    if table.meta.id == "electra_small":
        st.caption("A percentage after a name: how much of the full training that row had.")
    run, share = least_ahead(load_table("electra_small").frame)
    nearest = min(_SHARES, key=lambda one: abs(math.log(one / share)))
    page.reveal(f"{stem}_published", _SHARES[nearest], f"The published run that does with the least: {run}.")
    below(table, key=stem)


def least_ahead(frame: pd.DataFrame) -> tuple[str, float]:
    """Return the run of ELECTRA-Small that scores above BERT-Small with the least compute, and its share of BERT's."""
    bert = frame[frame["model"] == "BERT-Small"].iloc[0]
    ahead = frame["model"].str.startswith("ELECTRA-Small") & (frame["glue_dev"] > bert["glue_dev"])
    run = frame.loc[frame.loc[ahead, "train_flops"].idxmin()]
    return str(run["model"]), float(run["train_flops"] / bert["train_flops"])
