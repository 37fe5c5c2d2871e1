"""After this page a student can split a compute budget between parameters and tokens, and say why the split moves."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.figures import scaling
from lecture_core.figures.loss_surface import loss_surface
from lecture_core.figures.loss_terms import loss_above_floor
from lecture_core.law import Law
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_models import load_models
from lecture_core.scaling_report import Split, code, verdict
from lecture_core.ui import page, results, scaling_inputs
from lecture_core.ui.charts import chart, quick_chart
from lecture_core.ui.compute_drag import drag_a_model
from lecture_core.ui.errors import user_errors
from lecture_core.ui.scaling_views import closer_look, published_fits, rule_of_thumb
from lecture_core.ui.tables import lecture_table

STEM = "chinchilla"


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


def size_and_data(split: Split) -> None:
    figure = scaling.loss_plane(split, load_models())
    quick_chart(figure, key=f"{STEM}_plane", alt="Loss over parameters and tokens, with published models")
    if st.toggle("Open the landscape in space", key=f"{STEM}_surface", bind="query-params"):
        st.caption(
            "Drag to turn it. If the box stays empty, this browser has no WebGL; the contours show the same loss."
        )
        chart(loss_surface(split, load_models()), key=f"{STEM}_landscape", alt="The same loss as a surface")


@st.fragment
def lab(place_of_code: DeltaGenerator) -> None:
    with user_errors():
        row, own = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
        with row:
            fit = scaling_inputs.law(STEM, own)
            view = scaling_inputs.view(STEM)
        explore(fit, view, place_of_code)
        drag_a_model(STEM, fit)


@st.fragment  # of its own: a slider's move draws no more than what it changes
def explore(fit: Law, view: str, place_of_code: DeltaGenerator) -> None:
    with user_errors():
        split = scaling_inputs.split(STEM, fit)
        left, right = st.columns([4, 3], gap="medium")
        with left:
            if view == scaling_inputs.CURVES:
                quick_chart(
                    scaling.isoflop_curves(split), key=f"{STEM}_curves", alt="Loss over parameters for five budgets"
                )
            else:
                size_and_data(split)
            st.markdown(verdict(split))
            results.caption(Provenance(source=fit.source or "your own constants"))
        with right:
            numbers(split)
            st.html(loss_above_floor(split))
            st.latex(r"L(N, D) = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}")
        page.show_code(place_of_code, code(split))


page.header(STEM)
question = "At Chinchilla's compute, how many training tokens per parameter are best?"
rule_of_thumb(page.predict(STEM, question, ("2", "20", "60", "200")))
scaling_inputs.explain_link(STEM)
result, lecture = st.container(), st.container()
closer_look(STEM)
page.notice(
    "The curves are flat near their minimum: twice or half the best size costs little. A smaller model trained for "
    "longer is nearly as good, and cheaper to run.",
    "One set of runs, three answers: 93, 59 or 18 tokens per parameter, from rounding two exponents and from how the "
    "fit was done. The lecture's 20 is a rule of thumb.",
    "Under the published constants, the lecture's models before Chinchilla lie below the line of best splits: drag one "
    "up its budget. Llama 3 8B lies far above it: trained for longer than is best, cheap to run.",
)
deeper = (
    ("Hoffmann et al. 2022 (Chinchilla)", "https://arxiv.org/abs/2203.15556"),
    ("Besiroglu et al. 2024 (the refit)", "https://arxiv.org/abs/2404.10102"),
    ("Kaplan et al. 2020", "https://arxiv.org/abs/2001.08361"),
    ("Sardana et al. 2024 (counting inference)", "https://arxiv.org/abs/2401.00448"),
)
place = page.footer(STEM, code="", deeper=deeper)
with result:
    lab(place)
with lecture:
    left, right = st.columns([4, 3], gap="medium")
    with left:
        lecture_table("chinchilla_models", key=f"{STEM}_models")
    with right:
        published_fits(STEM)
