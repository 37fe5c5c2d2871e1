"""Bring your own runs: paste or upload a table, say what its columns hold, fit it, take the fit home."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lecture_core import scaling_columns, scaling_export, scaling_runs, scaling_table
from lecture_core.figures import scaling_bench as figures
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, log_marks, power, three_digits
from lecture_core.scaling_columns import UNITS_OF
from lecture_core.scaling_laws import Fit
from lecture_core.scaling_points import (
    MOST_FITTED,
    RESAMPLES,
    Array,
    Interval,
    Points,
    fitted,
    intervals,
    lacking,
    resampled,
    thinned,
)
from lecture_core.scaling_table import Mapped, RawTable
from lecture_core.ui import inputs, results, scaling_bench
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import user_errors

NONE = "not in the table"
QUANTITIES = {"parameters": "Parameters N", "tokens": "Tokens D", "compute": "Compute C", "loss": "Loss"}
BUDGETS = {power(flops): flops for flops in log_marks(1e11, 1e27)}
MEANINGS = {
    "E": "E, the floor",
    "A": "A",
    "B": "B",
    "alpha": "α, parameters",
    "beta": "β, tokens",
    "a": "best size grows as C^a: a",
    "b": "best tokens grow as C^b: b",
    "tokens per parameter": "best tokens per parameter",
}
_PLACEHOLDER = "parameters,tokens,loss\n7e7,1.4e9,3.21\n…"


@st.fragment
def own_runs(stem: str) -> None:
    """Show the form and, once asked, the fit; a mistake is a sentence, and what was typed stays."""
    st.subheader("Your own runs", anchor=False)
    st.markdown(
        "One run per row. Give its loss and any two of: parameters, tokens, compute. Nothing is kept on the server: "
        "a reload of this page empties the box."
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        pasted = st.text_area(
            "Paste a table", key=f"{stem}_table", height=150, placeholder=_PLACEHOLDER, persist_state="session"
        )
    with right:
        file = st.file_uploader(
            "… or upload one (CSV or TSV, 5 MB at most)",
            type=["csv", "tsv", "txt"],
            max_upload_size=5,
            key=f"{stem}_file",
            help="Separated by commas, semicolons or tabs. Remove the file to go back to the pasted text.",
        )
    if file is None and not (pasted or "").strip():
        _example(stem)
        return
    with user_errors():
        table = scaling_table.read(scaling_table.decode(file.getvalue()) if file else pasted or "")
        points = _points(stem, table)
        if points is not None:
            _fit(stem, points)


def _example(stem: str) -> None:
    if len(scaling_runs.load()) >= scaling_runs.ENOUGH_TO_FIT:
        st.button("Fill in our recorded runs", key=f"{stem}_table_example", on_click=_fill, args=(stem,))
        st.caption("Without those that are hidden above until you reveal them.")


def _fill(stem: str) -> None:
    """Write our runs into the box; what is hidden at the moment of the click stays hidden."""
    runs = Points.of(scaling_bench.in_sight(stem, scaling_runs.load()))
    rows = zip(runs.parameters, runs.tokens, runs.loss, strict=True)
    table = "parameters,tokens,loss\n" + "\n".join(f"{n:.0f},{d:.0f},{loss}" for n, d, loss in rows)
    st.session_state[f"{stem}_table"] = table


def _points(stem: str, table: RawTable) -> Points | None:
    with st.container(horizontal=True, vertical_alignment="center"):
        signs = {"point": ".", "comma": ","}
        index = list(signs.values()).index(table.decimal)
        key = f"{stem}_decimal_{table.decimal}"
        decimal = signs[st.selectbox("Decimal sign", signs, index, key=key, width=160)]
        skip = st.toggle("Leave out rows that cannot be read", key=f"{stem}_skip")
    guessed = scaling_columns.guess(table.header)
    columns, units = {}, {}
    for quantity, place in zip(QUANTITIES, st.columns(4), strict=True):
        with place:
            name = _column(stem, quantity, table, guessed.get(quantity))
            units[quantity] = _unit(stem, quantity, table, name, decimal)
            if name is not None:
                columns[quantity] = name
    if "tokens" in columns and "parameters" in columns:
        columns.pop("compute", None)  # it follows from the two
    read, left_out = scaling_table.points(table, Mapped(columns, units, decimal), skip_bad=skip)
    st.caption(_summary(read, left_out))
    return thinned(read)


def _column(stem: str, quantity: str, table: RawTable, guessed: str | None) -> str | None:
    """Ask for the column of a quantity; a loss that no name tells is asked for, never taken from its place."""
    options = [*table.header] if quantity == "loss" else [NONE, *table.header]
    first = None if quantity == "loss" else 0
    index = options.index(guessed) if guessed else first
    key = f"{stem}_column_{quantity}_{'|'.join(table.header)}"  # another header is guessed afresh
    chosen = st.selectbox(QUANTITIES[quantity], options, index, key=key, placeholder="choose its column")
    return None if chosen == NONE else chosen


def _unit(stem: str, quantity: str, table: RawTable, name: str | None, decimal: str) -> float:
    units, index = UNITS_OF[quantity], 0
    if name:
        at = table.header.index(name)
        cells = [row[at] for row in table.rows[: scaling_columns.LOOKED_AT]]
        index = list(units).index(scaling_columns.guess_unit(quantity, name, cells, decimal))
    label = f"{QUANTITIES[quantity]} in"
    key = f"{stem}_unit_{quantity}_{name}_{index}"
    chosen = st.selectbox(label, list(units), index, key=key, disabled=name is None)
    return units[chosen]


def _summary(points: Points, left_out: int) -> str:
    if not len(points):
        return "No run could be read."
    n, d, loss = points.parameters, points.tokens, points.loss
    out = f" {left_out:,} rows left out." if left_out else ""
    runs = "1 run" if len(points) == 1 else f"{len(points):,} runs"
    fitted_runs = f" The fit takes {MOST_FITTED:,} of them, evenly picked by compute." * (len(points) > MOST_FITTED)
    return (
        f"Read {runs}: N {count(min(n))} to {count(max(n))}, D {count(min(d))} to {count(max(d))}, "
        f"loss {min(loss):.3f} to {max(loss):.3f} nats per token.{out}{fitted_runs} "
        "Are these your numbers? If not, change the units."
    )


def _fit(stem: str, points: Points) -> None:
    key, lacks = f"{stem}_own_fit", lacking(points)
    if lacks:
        st.info(lacks, icon=":material/info:")
    icon = ":material/show_chart:"
    if inputs.primary_button("Fit these runs", key=f"{stem}_fit", icon=icon, disabled=bool(lacks)):
        st.session_state[key] = (points, _samples(points))
    made: tuple[Points, Array] | None = st.session_state.get(key)
    if made is not None and made[0] == points:
        _result(stem, points, fitted(points), made[1])
    elif made is not None:
        st.caption("The runs have changed since the last fit.")


def _samples(points: Points) -> Array:
    """Return the bootstrap samples; a click elsewhere ends the work between two chunks."""
    bar, parts = st.progress(0.0, text="Fitting"), []
    try:
        for part in resampled(points, fitted(points).law):
            parts.append(part)
            done = sum(map(len, parts))
            bar.progress(done / RESAMPLES, text=f"Bootstrap: {done} of {RESAMPLES} samples")
    finally:
        bar.empty()  # after a refusal too
    return np.concatenate(parts)


def _result(stem: str, points: Points, fit: Fit, samples: Array) -> None:
    scaling_bench.warn_unless_settled(fit)
    left, right = st.columns([5, 4], gap="medium")
    with right:
        nearest = min(BUDGETS.values(), key=lambda flops: abs(np.log(flops / points.flops.max())))
        flops = st.select_slider(
            "Best split at a compute of, FLOPs", list(BUDGETS.values()), nearest, power, key=f"{stem}_own_budget"
        )
        found = intervals(fit.law, samples, flops)
        st.dataframe(_constants(found), hide_index=True, height="content", alt="Constants and exponents with intervals")
        st.caption(
            f"n = {len(points):,} runs. Huber loss on log residuals. {scaling_bench.searched(fit)} "
            f"Intervals: middle 95 % of {len(samples)} bootstrap samples."
        )
    with left:
        figure = figures.bench(points, fit.law, by_compute=True, height=380)
        whole = go.Figure(figure)
        chart(figure, key=f"{stem}_own_chart", alt="Your runs and the law through them, over compute")
        chart(figures.residuals(points, fit.law), key=f"{stem}_own_residuals", alt="Residuals in percent over compute")
        results.caption(Provenance(source="computed now from your table", seed=0))
        st.caption(figures.KEY)
    _downloads(stem, points, fit, found, flops, whole)


def _constants(found: dict[str, Interval]) -> pd.DataFrame:
    rows = [
        {
            "Of the law": MEANINGS[name],
            "Fit": _written(name, i.value),
            "95 % interval": f"{_written(name, i.low)} to {_written(name, i.high)}",
        }
        for name, i in found.items()
    ]
    return pd.DataFrame(rows)


def _written(name: str, value: float) -> str:
    if name == "E" and value < scaling_bench.NO_FLOOR:
        return "≈ 0"
    return three_digits(value) if np.isfinite(value) else "?"


def _downloads(
    stem: str, points: Points, fit: Fit, found: dict[str, Interval], flops: float, figure: go.Figure
) -> None:
    files: Sequence[tuple[str, str, str, Callable[[], str]]] = (
        (
            "Fit (JSON)",
            "scaling_fit.json",
            "application/json",
            lambda: scaling_export.fit_json(points, fit, found, flops),
        ),
        ("Runs and residuals (CSV)", "scaling_runs.csv", "text/csv", lambda: scaling_export.runs_csv(points, fit)),
        ("Figure (HTML)", "scaling_fit.html", "text/html", lambda: figure.to_html(include_plotlyjs=True)),
    )
    with st.container(horizontal=True):
        for label, name, mime, data in files:
            st.download_button(
                label, data, name, mime, key=f"{stem}_{name}", icon=":material/download:", on_click="ignore"
            )
