"""After this page a student can fit a scaling law to training runs and say how far its forecast can be trusted."""

import streamlit as st

from lecture_core import scaling_runs
from lecture_core.scaling_export import code
from lecture_core.ui import live_training, page, rate_sweep, scaling_bench, scaling_own
from lecture_core.ui.errors import user_errors

STEM = "scaling_bench"


@st.fragment
def bench() -> None:
    with user_errors():
        scaling_bench.bench(STEM, scaling_runs.load(), live_training.trained(STEM))


page.header(STEM)
page.predict(STEM, scaling_bench.question(scaling_runs.load()), tuple(scaling_bench.GUESSES))
scaling_bench.explain_link(STEM)
bench()
live_training.train(STEM)
st.caption("A run that you train on this page is gone after a reload.")
rate_sweep.show(scaling_runs.load())
scaling_own.own_runs(STEM)
page.notice(
    "Very different constants fit the runs shown about equally well: raise E and lower A, and little changes. They "
    "disagree outside the measured range.",
    "Compare the best tokens per parameter of a fit with their interval: the loss is easy to forecast, the best split "
    "is not.",
    "A law holds where it was fitted: fit the shortest runs too, and the forecast misses by more. E, A and B of these "
    "decoders, which read 512 kinds of token, say nothing about others; the form carries over.",
)
page.footer(
    STEM,
    code=code(),
    deeper=(
        ("Hoffmann et al. 2022 (Chinchilla)", "https://arxiv.org/abs/2203.15556"),
        ("Besiroglu et al. 2024 (fits and intervals)", "https://arxiv.org/abs/2404.10102"),
        ("Hägele et al. 2024 (one level stretch, many budgets)", "https://arxiv.org/abs/2405.18392"),
    ),
)
