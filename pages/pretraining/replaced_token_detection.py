"""After this page a student can say why ELECTRA learns from every token and how its discriminator decides."""

from functools import partial

import streamlit as st

from lecture_core import catalog
from lecture_core.duel import sentences
from lecture_core.encoder_code import detection_code
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
        share = st.slider("Share of tokens masked", 0.05, 0.5, 0.2, 0.05, key=f"{STEM}_share", bind="query-params")
        heat = st.select_slider(
            "Generator's temperature", TEMPERATURES, 1.0, key=f"{STEM}_temperature", bind="query-params"
        )
        seed = inputs.seed(STEM, default=39)
    return text, generator, discriminator, share, seed, heat


def new_round(now: Round) -> None:
    """Forget marks and reveal when anything of the round has changed."""
    before = st.session_state.get(f"{STEM}_round")
    if before != now:
        st.session_state[f"{STEM}_round"] = now
        st.session_state[f"{STEM}_marks"] = frozenset()
        st.session_state[f"{STEM}_shown"] = False
        if before and before[2] != now[2]:  # the panels below judge with the same discriminator
            st.rerun()


def turn() -> None:  # show what is hidden, or hide what is shown
    st.session_state[f"{STEM}_shown"] = not st.session_state[f"{STEM}_shown"]


@st.fragment
def duel() -> None:
    """One round: corrupt, mark, reveal, compare."""
    now = settings()
    text, generator, discriminator, share, seed, heat = now
    new_round(now)
    engine, marked, shown = get_engine(), st.session_state[f"{STEM}_marks"], st.session_state[f"{STEM}_shown"]
    with user_errors():
        sample = partial(engine.corrupt, text, model=generator, mask_probability=share, seed=seed, temperature=heat)
        corruption = remember(STEM, now, sample)
        if not shown:
            st.markdown("**The generator changed some words.** Click each word that you think is fake.")
            token_duel.hidden_strip(f"{STEM}_strip", corruption, marked, into=f"{STEM}_marks")
        else:
            st.markdown("**The truth**, and under each word the discriminator's probability that it is fake.")
            verdict = remember(
                f"{STEM}_verdict", now, lambda: engine.detect_replacements(corruption, model=discriminator)
            )
            token_duel.revealed_strip(f"{STEM}_truth", corruption, verdict, marked)
            threshold = st.slider(
                "Call it fake above", 0.05, 0.95, 0.5, 0.05, key=f"{STEM}_threshold", bind="query-params"
            )
            came = token_duel.score(corruption, verdict, marked, threshold)
            page.reveal(STEM, came, "One sentence is a small sample: go on to the next.")
            duel_run.keep(STEM, text, (generator, discriminator), corruption, verdict, marked)
        with st.container(horizontal=True):
            verb = "Hide and mark again" if shown else "Reveal"
            st.button(verb, type="secondary" if shown else "primary", key=f"{STEM}_reveal", on_click=turn)
            kind = "primary" if shown else "secondary"
            st.button("Next sentence", type=kind, key=f"{STEM}_next", on_click=duel_run.next_sentence, args=(STEM,))
        results.caption(corruption.provenance)
        if shown:
            results.caption(verdict.provenance)
            duel_run.standing(STEM, threshold)
            token_duel.loss_positions(STEM, corruption)


page.header(STEM)
page.predict(STEM, "How many of the fakes will the discriminator find?", ("all of them", "about half", "none"))
left, right = st.columns([3, 2], gap="large")
with left:
    duel()
    token_duel.by_hand(STEM, EDITED, DISCRIMINATOR)
with right:
    duel_run.efficiency(STEM)
duel_run.compute_table(STEM)
duel_run.generator_strength(STEM, GENERATORS, DISCRIMINATOR)
page.notice(
    "The samples are often **plausible**, so the discriminator must read the whole sentence. Move the threshold.",
    "Every token is a training example for ELECTRA; a masked LM learns from about one in seven.",
    "After pre-training only the discriminator is kept and fine-tuned.",
)
page.footer(
    STEM,
    code=detection_code(
        catalog.get(st.session_state.get(f"{STEM}_model", DISCRIMINATOR)),
        st.session_state.get(f"{STEM}_after", EDITED[1]),
    ),
    deeper=(("ELECTRA (Clark et al. 2020)", "https://arxiv.org/abs/2003.10555"),),
)
