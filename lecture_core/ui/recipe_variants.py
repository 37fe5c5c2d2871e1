"""Which choices of a recipe matter: its recorded variants, side by side, on the card of the model it made."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lecture_core import recipe_variants
from lecture_core.figures import model_quality as figures
from lecture_core.figures.template import FAMILY_COLOURS
from lecture_core.quantities import count
from lecture_core.recipe_variants import VariantRun
from lecture_core.ui import results
from lecture_core.ui.charts import chart


def show(key: str) -> None:
    """Show the comparison; nothing where none was recorded.

    Args:
        key: prefix of the session keys.
    """
    runs = recipe_variants.load()
    if not runs:
        return
    st.markdown(
        f"**What the recipe rests on:** {len(runs)} short runs of {count(runs[0].tokens)} tokens. Each changes one "
        "thing of the recipe and is asked the same sentences."
    )
    left, right = st.columns(2, gap="large")
    with left:
        figure = figures.rates_with_intervals(
            recipe_variants.groups(runs), colour=FAMILY_COLOURS["encoder"], title="The cloze set, by variant"
        )
        chart(figure, key=f"{key}_variants", alt="Share of right cloze sentences by variant, with 95 % intervals")
    with right:
        st.table(table(runs), border="horizontal")
        if (chance := recipe_variants.chance(runs)) is not None:
            st.caption(
                f"Top-1 and loss on held-out articles. With another seed the recipe itself finds {chance} sentences "
                f"more or fewer of {runs[0].cloze_n} within five: a difference of that size is chance."
            )
    results.caption(recipe_variants.provenance(runs))


def table(runs: Sequence[VariantRun]) -> pd.DataFrame:
    """Return the held-out figures, a row a run."""
    return pd.DataFrame(
        {
            "Top-1, sentences": [f"{run.sentences_top1:.3f}" for run in runs],
            "Top-1, blocks": [f"{run.blocks_top1:.3f}" for run in runs],
            "Loss, blocks": [f"{run.blocks_loss:.2f}" for run in runs],
        },
        index=pd.Index([run.label for run in runs], name="Variant"),
    )
