"""Drawing published chain-of-thought scores by model size, with the model of the page among them."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from lecture_core import catalog
from lecture_core.figures.prompting import Measured, chain_of_thought_by_scale
from lecture_core.figures.template import CHART_CONFIG
from lecture_core.provenance import Provenance
from lecture_core.tables import load_table
from lecture_core.ui import results
from lecture_core.ui.tables import below, grid

BENCHMARKS = ("GSM8K", "SVAMP", "ASDiv", "AQuA", "MAWPS")
FAMILIES = ("PaLM", "GPT", "LaMDA")
COLUMNS = ("parameters", "prompt", "score")


def by_size(stem: str, model: str, counts: Mapping[str, tuple[int, int]]) -> None:
    """Show the published scores of one benchmark and family, as a chart and as the table behind it.

    Args:
        model: catalog id of the page's model.
        counts: its right answers and questions, of the ways `direct` and `reasoning`.
    """
    one, two = st.columns(2)
    benchmark = one.selectbox("Benchmark", BENCHMARKS, key=f"{stem}_benchmark", bind="query-params")
    family = two.selectbox("Family", FAMILIES, key=f"{stem}_family", bind="query-params")
    size = catalog.get(model).parameters
    ours = {"standard": counts.get("direct"), "cot": counts.get("reasoning")}
    measured = {prompt: Measured(size, *count, model) for prompt, count in ours.items() if count}
    table = load_table("wei2022_cot_by_scale")
    figure = chain_of_thought_by_scale(table.frame, task=benchmark, model=family, measured=measured)
    alt = f"Scores of {family} on {benchmark} by model size, with and without chain of thought"
    st.plotly_chart(figure, key=f"{stem}_chart", config=CHART_CONFIG, alt=alt)
    results.caption(Provenance(kind="published", source="grey: Wei et al. 2022, Table 2 (arXiv:2201.11903)"))
    st.caption("Orange: this page's model on our own, easier problems. Compare the two prompts, not the height.")
    with st.expander("The published scores as a table"):
        rows = table.frame[(table.frame["task"] == benchmark) & (table.frame["model"] == family)]
        grid(replace(table, frame=rows, best=table.best.loc[rows.index]), key=f"{stem}_scores", columns=COLUMNS)
        below(table, key=f"{stem}_scores")
