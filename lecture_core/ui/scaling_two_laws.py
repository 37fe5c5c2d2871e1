"""The laws of 2020 and of 2022 on the same axes: a closer look of the Chinchilla lab."""

import streamlit as st

from lecture_core.figures import two_laws as figures
from lecture_core.kaplan import KAPLAN, LOSS_BY_SIZE, LOSS_BY_TOKENS
from lecture_core.provenance import Provenance
from lecture_core.quantities import count, power, three_digits
from lecture_core.scaling_laws import CHINCHILLA_FLOPS, EPOCH, compute_optimal, predict_loss
from lecture_core.scaling_models import load_models
from lecture_core.ui import results, scaling_inputs
from lecture_core.ui.charts import chart

TOKENS, PARAMETERS = 3e11, 1.75e11
"""GPT-3's, for the dashed lines."""
OTHER_TEXT = (
    "Compare the shapes, not the heights: the law of 2020 was fitted on WebText2 in the tokens of GPT-2, the law of "
    "2022 on MassiveText in other tokens. Kaplan counts parameters without embeddings. The law of 2020 has no floor "
    "and falls towards 0; that of 2022 falls towards E. The solid lines of 2020 (equations 1.1 and 1.2) and the dashed "
    "ones (equation 1.5) were fitted separately, so they cross."
)


def two_laws(stem: str) -> None:
    """Let the visitor choose what the two laws are compared in, and show it."""
    chosen = scaling_inputs.choose(stem, "compare", "Compare", scaling_inputs.COMPARED)
    shown = (_best_size, _loss_over_size, _loss_over_tokens)
    dict(zip(scaling_inputs.COMPARED, shown, strict=True))[chosen](f"{stem}_two_laws")
    results.caption(Provenance(source=f"Kaplan et al. 2020, equations 1.1 to 1.5 and appendix A; {EPOCH.source}"))
    if chosen == scaling_inputs.COMPARED[0]:
        st.caption(
            "Not quite comparable: Kaplan counts parameters without embeddings; the two were fitted on other text in "
            "other tokens; the runs of 2020 had at most 1.5B parameters and one learning-rate schedule for all "
            "lengths, which makes long trainings look worse than they are."
        )
    else:
        st.caption(OTHER_TEXT)


def _best_size(key: str) -> None:
    flops = CHINCHILLA_FLOPS
    old_n, old_d, _ = (values.item() for values in KAPLAN.frontier(flops))
    new = compute_optimal(flops, EPOCH)
    chart(figures.best_size(EPOCH, flops, load_models()), key=key, alt="Best size over compute, two laws")
    st.markdown(
        f"With {power(flops)} FLOPs, the law of 2020 asks for {count(old_n)} parameters and {count(old_d)} tokens "
        f"({three_digits(old_d / old_n)} tokens per parameter); Chinchilla's law for {count(new.parameters)} and "
        f"{count(new.tokens)} ({three_digits(new.tokens_per_parameter)}). GPT-3, Gopher and MT-NLG lie between the two."
    )


def _loss_over_size(key: str) -> None:
    chart(figures.loss_over_size(EPOCH, TOKENS), key=f"{key}_size", alt="Loss over parameters, two laws")
    ten = [float(LOSS_BY_SIZE(n)) for n in (1e9, 1e10)]
    new = [float(predict_loss(n, figures.ENDLESS, EPOCH)) for n in (1e9, 1e10)]
    st.markdown(
        f"Solid: tokens without end. Dashed: {count(TOKENS)} tokens, as GPT-3 had. From 1B to 10B parameters, with "
        f"tokens without end, the loss falls by {ten[0] - ten[1]:.2f} nats under the law of 2020 and by "
        f"{new[0] - new[1]:.2f} under that of 2022."
    )


def _loss_over_tokens(key: str) -> None:
    chart(figures.loss_over_tokens(EPOCH, PARAMETERS), key=f"{key}_tokens", alt="Loss over tokens, two laws")
    ten = [float(LOSS_BY_TOKENS(d)) for d in (1e11, 1e12)]
    new = [float(predict_loss(figures.ENDLESS, d, EPOCH)) for d in (1e11, 1e12)]
    st.markdown(
        f"Solid: parameters without end. Dashed: {count(PARAMETERS)} parameters, GPT-3's. From 100B to 1T tokens, with "
        f"parameters without end, the loss falls by {ten[0] - ten[1]:.2f} nats under the law of 2020 and by "
        f"{new[0] - new[1]:.2f} under that of 2022."
    )
