"""After this page a student can say why ELECTRA learns from every token and how its discriminator decides."""

import streamlit as st

from lecture_core.engine import get_engine
from lecture_core.engine.protocol import CorruptedToken, Corruption, Detection
from lecture_core.ui import inputs, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.memory import remember
from lecture_core.ui.tables import lecture_table

STEM = "replaced_token_detection"
TEXT = "The chef cooked the meal in the kitchen and served it to the guests in the dining room."
PRESETS = {
    "In the kitchen": TEXT,
    "A river": "The Danube is the second longest river in Europe and flows through ten countries.",
    "The lecture": "BERT is a language model that was trained on a large collection of books and articles.",
}
EDITED = ("the chef cooked the meal", "the chef banana the meal")
CODE = """import torch
from transformers import AutoModelForPreTraining, AutoTokenizer

folder = "assets/models/{model}"
tokenizer = AutoTokenizer.from_pretrained(folder)
discriminator = AutoModelForPreTraining.from_pretrained(folder, dtype=torch.float32)
batch = tokenizer({text!r}, return_tensors="pt")
with torch.inference_mode():
    probabilities = discriminator(**batch).logits[0].sigmoid()  # chance that each token was replaced
for token, p in zip(tokenizer.convert_ids_to_tokens(batch.input_ids[0]), probabilities):
    print(f"{{token:12}} {{p:.2f}}")
"""


def settings() -> tuple[str, str, str, float, int]:
    """Ask for the sentence and, in a popover, for everything else."""
    text = inputs.text(STEM, "text", "Original sentence", TEXT, presets=PRESETS)
    with st.popover("Settings", icon=":material/tune:"):
        generator = inputs.model(f"{STEM}_generator", "rtd_generator", label="Generator")
        discriminator = inputs.model(STEM, "rtd_discriminator", label="Discriminator")
        share = st.slider("Share of tokens masked", 0.05, 0.5, 0.2, 0.05, key=f"{STEM}_share", bind="query-params")
        seed = inputs.seed(STEM, default=3)
    return text, generator, discriminator, share, seed


def strip_token(token: CorruptedToken, index: int, marked: set[int], probability: float | None) -> results.StripToken:
    """Return a chip: before the reveal only the student's mark, after it the truth and the discriminator's probability."""
    chosen = index in marked
    if probability is None:
        mark = "selected" if chosen else "none"
        return results.StripToken(token.corrupted, mark=mark, starts_word=token.starts_word, special=token.special)
    label = f"was {token.original}" if token.replaced else "your mark" if chosen else ""
    return results.StripToken(
        token.corrupted,
        value=None if token.special else probability,
        label=label,
        mark="replaced" if token.replaced else "none",
        starts_word=token.starts_word,
        special=token.special,
    )


def duel(corruption: Corruption, discriminator: str, inputs_now: tuple) -> None:
    """Let the student mark the fakes, then reveal truth and verdict."""
    marks_key, shown_key = f"{STEM}_marks", f"{STEM}_shown"
    if st.session_state.get(f"{STEM}_round") != inputs_now:
        for key, value in ((f"{STEM}_round", inputs_now), (marks_key, frozenset()), (shown_key, False)):
            st.session_state[key] = value
    marked, shown = set(st.session_state[marks_key]), st.session_state[shown_key]
    verdict = get_verdict(corruption, discriminator, inputs_now) if shown else None
    st.markdown("**The generator changed some words.** " + ("" if shown else "Click each word that you think is fake."))
    chips = [
        strip_token(t, i, marked, verdict.tokens[i].probability if verdict else None)
        for i, t in enumerate(corruption.tokens)
    ]
    clicked = results.token_strip(f"{STEM}_strip", chips, family="electra", clickable=not shown)
    if clicked is not None and not corruption.tokens[clicked].special:
        st.session_state[marks_key] = frozenset(marked ^ {clicked})
        st.rerun(scope="fragment")
    if st.button("Try again" if shown else "Reveal", type="primary", key=f"{STEM}_reveal"):
        st.session_state[shown_key] = not shown
        st.session_state[marks_key] = frozenset() if shown else frozenset(marked)
        st.rerun(scope="fragment")
    results.caption((verdict or corruption).provenance)
    if verdict:
        score(corruption, verdict, marked)
        coverage(corruption)


def get_verdict(corruption: Corruption, discriminator: str, inputs_now: tuple) -> Detection:
    """Ask the discriminator once a round."""
    return remember(
        f"{STEM}_verdict", inputs_now, lambda: get_engine().detect_replacements(corruption, model=discriminator)
    )


def score(corruption: Corruption, verdict: Detection, marked: set[int]) -> None:
    """Compare the student's marks with the discriminator's at 0.5."""
    fakes = {i for i, t in enumerate(corruption.tokens) if t.replaced}
    flagged = {i for i, t in enumerate(verdict.tokens) if t.probability > 0.5 and not t.special}
    same = sum(t.masked and not t.replaced for t in corruption.tokens)
    you, model = st.columns(2)
    you.metric(
        "You found", f"{len(fakes & marked)} of {len(fakes)}", f"{len(marked - fakes)} false alarms", delta_color="off"
    )
    model.metric(
        "The discriminator found",
        f"{len(fakes & flagged)} of {len(fakes)}",
        f"{len(flagged - fakes)} false alarms",
        delta_color="off",
    )
    if same:
        st.caption(f"{same} sampled token(s) equal the original, so they count as original.")


def coverage(corruption: Corruption) -> None:
    """Show on this sentence which positions carry loss for BERT and for ELECTRA."""
    real = [t for t in corruption.tokens if not t.special]
    masked = sum(t.masked for t in real)
    st.markdown(f"**Masked LM:** {masked} of {len(real)} positions carry loss ({masked / len(real):.0%}).")
    chips = [
        results.StripToken(
            "[MASK]" if t.masked else t.original, mark="masked" if t.masked else "none", starts_word=t.starts_word
        )
        for t in real
    ]
    results.token_strip(f"{STEM}_bert", chips)
    st.markdown(f"**ELECTRA:** all {len(real)} positions carry loss (100 %).")
    chips = [results.StripToken(t.corrupted, mark="selected", starts_word=t.starts_word) for t in real]
    results.token_strip(f"{STEM}_electra", chips, family="electra")


@st.fragment
def game() -> None:
    """One round: settings, corruption, duel."""
    text, generator, discriminator, share, seed = settings()
    now = (text, generator, discriminator, share, seed)
    with user_errors():
        corruption = remember(
            STEM, now, lambda: get_engine().corrupt(text, model=generator, mask_probability=share, seed=seed)
        )
        duel(corruption, discriminator, now)


@st.fragment
def by_hand() -> None:
    """Let the student write a fake and see the discriminator's verdict at once."""
    st.subheader("Fool it yourself", anchor=False)
    before = st.text_input("Original", EDITED[0], key=f"{STEM}_before", bind="query-params", max_chars=300)
    after = st.text_input("Your version", EDITED[1], key=f"{STEM}_after", bind="query-params", max_chars=300)
    model = st.session_state.get(f"{STEM}_model", "minilm-electra-discriminator")
    with user_errors():
        verdict = remember(
            f"{STEM}_by_hand",
            (before, after, model),
            lambda: get_engine().detect_replacements(after, model=model, original=before),
        )
        chips = [
            results.StripToken(
                t.token,
                value=None if t.special else t.probability,
                mark="replaced" if t.replaced else "none",
                starts_word=t.starts_word,
                special=t.special,
            )
            for t in verdict.tokens
        ]
        results.token_strip(f"{STEM}_by_hand_strip", chips, family="electra")
        results.caption(verdict.provenance)


page.header(STEM)
page.predict(STEM, "How many fakes will the discriminator find?", ("all of them", "about half", "none"))
left, right = st.columns([3, 2], gap="large")
with left:
    game()
    by_hand()
with right:
    lecture_table("electra_small", key=STEM)
page.notice(
    "The generator's samples are **plausible**, so the discriminator must read the whole sentence.",
    "Every token is a training example for ELECTRA; a masked LM learns from about one in seven.",
    "After pre-training only the discriminator is kept and fine-tuned.",
)
page.footer(
    STEM,
    code=CODE.format(
        model=st.session_state.get(f"{STEM}_model", "minilm-electra-discriminator"),
        text=st.session_state.get(f"{STEM}_after", EDITED[1]),
    ),
    deeper=(("ELECTRA (Clark et al. 2020)", "https://arxiv.org/abs/2003.10555"),),
)
