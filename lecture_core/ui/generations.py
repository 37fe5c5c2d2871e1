"""Drawing the published sizes of GPT, GPT-2 and GPT-3."""

import streamlit as st

from lecture_core.figures.generations import generations
from lecture_core.tables import load_table
from lecture_core.ui.charts import chart
from lecture_core.ui.tables import lecture_table, source_line

_SHOWN = ("model", "year", "parameters", "training_tokens", "context_length")


def three_generations(stem: str) -> None:
    """Show parameters and training tokens of each generation, then the tables."""
    table = load_table("gpt_family")
    left, right = st.columns(2, gap="large")
    with left:
        alt = "Parameters and training tokens of GPT, GPT-2 and GPT-3 on a log scale"
        chart(generations(table.frame), key=f"{stem}_generations", alt=alt)
        source_line(table)
    with right:
        lecture_table("gpt_family", key=f"{stem}_family", columns=_SHOWN)
    one, two = st.columns(2, gap="large")
    with one:
        lecture_table("gpt2_sizes", key=f"{stem}_gpt2")
        lecture_table("gpt3_data_mix", key=f"{stem}_data")
    with two:
        lecture_table("gpt3_sizes", key=f"{stem}_gpt3", columns=("model", "parameters", "layers", "d_model"))
