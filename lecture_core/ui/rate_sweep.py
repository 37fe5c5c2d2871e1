"""How the learning rate of our own runs was chosen: the recorded sweep, one column a size."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lecture_core import scaling_runs
from lecture_core.quantities import count, three_digits
from lecture_core.scaling_runs import SWEEP_COMMAND, ScalingRun
from lecture_core.ui import results


def show(runs: Sequence[ScalingRun]) -> None:
    """Show the sweep beside the rates that `runs` were made with; nothing where no sweep was recorded."""
    sweep = scaling_runs.sweep()
    if not sweep:
        return
    with st.expander("How the learning rate was chosen", icon=":material/tune:"):
        st.markdown(
            f"Three sizes were trained for {count(sweep[0].tokens)} tokens at each rate. The best rate falls as the "
            "model grows, so all runs use 0.2 divided by the hidden size. Losses on held-out text, in nats per token, "
            "by number of parameters:"
        )
        st.dataframe(table(sweep), alt="Held-out loss by learning rate and size")
        used = {run.parameters: run.learning_rate for run in runs}
        sizes = [n for n in dict.fromkeys(run.parameters for run in sweep) if n in used]
        said = ", ".join(f"{three_digits(used[n])} for {count(n)} parameters" for n in sizes)
        st.caption(f"Rates of the runs above: {said}.")
        results.caption(scaling_runs.provenance(sweep, SWEEP_COMMAND))


def table(sweep: Sequence[ScalingRun]) -> pd.DataFrame:
    """Return losses with a row a rate and a column a size; the best of each size is named."""
    losses = pd.DataFrame(
        {"rate": r.learning_rate, "size": r.parameters, "loss": r.loss_per_token} for r in sweep
    ).pivot_table(index="rate", columns="size", values="loss")
    shown = pd.DataFrame({"Learning rate": [three_digits(rate) for rate in losses.index]})
    for size in losses.columns:
        best = losses[size].min()
        shown[count(size)] = [_cell(loss, best) for loss in losses[size]]
    return shown.set_index("Learning rate")


def _cell(loss: float, best: float) -> str:
    if pd.isna(loss):
        return "not run"
    return f"{loss:.3f}, best" if loss == best else f"{loss:.3f}"
