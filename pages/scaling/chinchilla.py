"""After this page a student can split a compute budget between parameters and tokens, and say why the split moves."""

import pandas as pd
import streamlit as st

from lecture_core.figures import scaling
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_models import load_models
from lecture_core.scaling_report import Split, code, implied_by_published, verdict
from lecture_core.ui import page, results, scaling_inputs
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import user_errors
from lecture_core.ui.tables import lecture_table

STEM = "chinchilla"
FITS = implied_by_published()


def numbers(split: Split) -> None:
    best = split.best
    yours = f"{count(split.parameters)} × {count(split.tokens)}"
    theirs = f"{count(best.parameters)} × {count(best.tokens)}"
    cards = (
        ("Loss, nats per token", f"{split.terms.loss:.3f}", f"{split.gap:.3f} over best"),
        ("Compute 6ND, FLOPs", power(split.flops), f"6 × {yours}"),
        ("Tokens per parameter", three_digits(split.tokens_per_parameter), yours),
        ("… at the best split", three_digits(best.tokens_per_parameter), theirs),
    )
    for row in (cards[:2], cards[2:]):
        with st.container(horizontal=True):
            for label, value, note in row:
                st.metric(label, value, note, delta_color="off", delta_arrow="off", width=145)


def published_fits() -> None:
    st.markdown("**Best split of Chinchilla's 5.76e23 FLOPs, by fit**")
    table = pd.DataFrame(
        {
            "Constants": [fit.name for fit in FITS],
            "Tokens / parameter": [round(fit.best.tokens_per_parameter) for fit in FITS],
            "Parameters": [count(fit.best.parameters) for fit in FITS],
            "Tokens": [count(fit.best.tokens) for fit in FITS],
        }
    )
    st.dataframe(
        table, hide_index=True, key=f"{STEM}_fits", alt="Best split of 5.76e23 FLOPs under three published fits"
    )
    results.caption(Provenance(source="computed from the published constants"))
    st.caption("  \n".join(f"{fit.name}: {fit.source}" for fit in FITS))


@st.fragment
def lab() -> None:
    with user_errors():
        scaling_inputs.explain_link(STEM)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            fit = scaling_inputs.law(STEM)
            view = scaling_inputs.view(STEM)
        split = scaling_inputs.split(STEM, fit)
        left, right = st.columns([4, 3], gap="medium")
        with left:
            if view == scaling_inputs.CURVES:
                chart(scaling.isoflop_curves(split), key=f"{STEM}_curves", alt="Loss over parameters for five budgets")
            else:
                figure = scaling.loss_plane(split, load_models())
                chart(figure, key=f"{STEM}_plane", alt="Loss over parameters and tokens, with published models")
            st.markdown(verdict(split))
            results.caption(Provenance(source=fit.source or "your own constants"))
            published_fits()
        with right:
            numbers(split)
            chart(scaling.loss_above_floor(split), key=f"{STEM}_terms", alt="Loss above the floor, by term")
            st.latex(r"L(N, D) = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}")
            lecture_table("chinchilla_models", key=f"{STEM}_models")
        page.notice(
            "The curves are flat near their minimum: twice or half the best size costs little. A smaller model trained "
            "for longer is nearly as good, and cheaper to run.",
            "One set of runs, three answers: 93, 59 or 18 tokens per parameter, from rounding two exponents and from "
            "how the fit was done. The lecture's 20 is a rule of thumb.",
            "In the chart of size and data, the lecture's models before Chinchilla lie below the line of best splits. "
            "Llama-3 8B and Qwen-2.5 lie far above it: trained for longer than is best, cheap to run.",
        )
        page.footer(
            STEM,
            code=code(split),
            deeper=(
                ("Hoffmann et al. 2022 (Chinchilla)", "https://arxiv.org/abs/2203.15556"),
                ("Besiroglu et al. 2024 (the refit)", "https://arxiv.org/abs/2404.10102"),
                ("Sardana et al. 2024 (counting inference)", "https://arxiv.org/abs/2401.00448"),
            ),
        )


page.header(STEM)
page.predict(
    STEM, "At Chinchilla's compute, how many training tokens per parameter are best?", ("2", "20", "60", "200")
)
answers = ", ".join(f"{fit.best.tokens_per_parameter:.0f} ({fit.name})" for fit in FITS)
page.reveal(STEM, "20", f"That is the lecture's rule of thumb. The published fits say {answers}.")
lab()
