"""After this page a student can say why ELECTRA learns from every token and how its discriminator decides."""

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core import catalog
from lecture_core.duel import sentences
from lecture_core.encoder_code import duel_code
from lecture_core.engine import get_engine
from lecture_core.engine.results import TEMPERATURES
from lecture_core.ui import duel_run, inputs, page, results, token_duel
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember

STEM = "replaced_token_detection"
DISCRIMINATOR = "minilm-electra-discriminator"
GENERATORS = ("minilm-electra-generator", "minilm-mlm")  # its own, and the masked LM that both began from
TEXT = sentences()[0]
EDITED = ("the chef cooked the meal", "the chef banana the meal")
Round = tuple[str, str, str, float, int, float]


def settings() -> Round:
    """Ask for the sentence and, in a popover, for the rest: generator, discriminator, share, seed."""
    text = inputs.text(STEM, "text", "Original sentence: one of ten, or your own", TEXT, height=80)
    with st.popover("Settings", icon=":material/tune:"):
        generator = inputs.model(f"{STEM}_generator", "rtd_generator", label="Generator")
        discriminator = inputs.model(STEM, "rtd_discriminator", label="Discriminator")
        share = st.slider("Share of tokens masked", 0.05, 0.5, 0.15, 0.05, key=f"{STEM}_share", bind="query-params")
        heat = st.select_slider(
            "Generator's temperature", TEMPERATURES, 1.0, key=f"{STEM}_temperature", bind="query-params"
        )
        seed = inputs.seed(STEM, default=61)
    return text, generator, discriminator, share, seed, heat


def new_round(now: Round) -> None:
    """Forget marks and reveal when anything of the round has changed."""
    before = st.session_state.get(f"{STEM}_round")
    if before != now:
        if f"{STEM}_round" not in st.session_state:
            st.session_state[f"{STEM}_opened"] = now  # the address may hold its marks
        st.session_state[f"{STEM}_round"] = now
        st.session_state[f"{STEM}_marks"] = frozenset()
        st.session_state[f"{STEM}_shown"] = False
        if before and before[2] != now[2]:  # the panels below judge with the same discriminator
            st.rerun()


@st.fragment
def duel(place_of_code: DeltaGenerator) -> None:
    """One round: corrupt, mark, reveal, compare; beside it the run of ten."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        now = settings()
        new_round(now)
        with user_errors():
            one_round(now, place_of_code)
    with right:
        duel_run.standing(STEM, st.session_state.get(f"{STEM}_threshold", 0.5))


def one_round(now: Round, place_of_code: DeltaGenerator) -> None:
    """The strip to mark or the revealed one, the score, and what carries loss."""
    text, generator, discriminator, share, seed, heat = now
    engine = get_engine()
    sample = partial(engine.corrupt, text, model=generator, mask_probability=share, seed=seed, temperature=heat)
    corruption = remember(STEM, now, sample)
    marked, shown = token_duel.marks_in_link(STEM, now, corruption)
    page.show_code(place_of_code, duel_code(catalog.get(generator), catalog.get(discriminator), corruption, heat))
    if not shown:
        st.markdown("**The generator changed some words.** Click each word that you think is fake.")
        token_duel.hidden_strip(f"{STEM}_strip", corruption, marked, into=f"{STEM}_marks")
    else:
        st.markdown("**The truth**, and under each word the discriminator's probability that it is fake.")
        verdict = remember(f"{STEM}_verdict", now, lambda: engine.detect_replacements(corruption, model=discriminator))
        token_duel.revealed_strip(f"{STEM}_truth", corruption, verdict, marked)
        threshold = st.slider("Call it fake above", 0.05, 0.95, 0.5, 0.05, key=f"{STEM}_threshold", bind="query-params")
        came = token_duel.score(corruption, verdict, marked, threshold)
        page.reveal(STEM, came, "One sentence is a small sample: go on to the next.")
        duel_run.keep(STEM, text, (generator, discriminator), corruption, verdict, marked)
    with st.container(horizontal=True):
        verb, first, second = (
            ("Hide and mark again", st.button, inputs.primary_button)
            if shown
            else ("Reveal", inputs.primary_button, st.button)
        )
        first(verb, key=f"{STEM}_reveal", on_click=token_duel.show, args=(STEM, not shown))
        second("Next sentence", key=f"{STEM}_next", on_click=duel_run.next_sentence, args=(STEM,))
    results.caption(corruption.provenance)
    if shown:
        results.caption(verdict.provenance)
        token_duel.loss_positions(STEM, corruption)
        if st.button("Edit this sentence below", key=f"{STEM}_edit", icon=":material/edit:"):
            token_duel.edit(STEM, corruption)


page.header(STEM)
page.predict(
    STEM, "How many of the fakes will the discriminator find?", ("all of them", "some of them", "none of them")
)
lab, further = st.container(), st.container()
page.notice(
    "The samples are often **plausible**, so the discriminator must read the whole sentence. Move the threshold.",
    "Every token is a training example for ELECTRA; a masked LM learns from about one in seven.",
    "After pre-training only the discriminator is kept and fine-tuned.",
)
place = page.footer(STEM, code="", deeper=(("ELECTRA (Clark et al. 2020)", "https://arxiv.org/abs/2003.10555"),))
with lab:
    duel(place)
with further:  # judges with the discriminator that the settings above chose
    token_duel.by_hand(STEM, EDITED, DISCRIMINATOR)
    left, right = st.columns([5, 3], gap="small")
    with left:
        duel_run.compute_table(STEM)
    with right:
        duel_run.efficiency(STEM)
    duel_run.generator_strength(STEM, GENERATORS, DISCRIMINATOR)
