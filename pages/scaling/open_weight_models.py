"""After this page a student can say why recent open models are small and trained for so long."""

import streamlit as st

from lecture_core.figures.overtraining import tokens_per_parameter
from lecture_core.provenance import Provenance
from lecture_core.quantities import three_digits
from lecture_core.scaling_models import load_models
from lecture_core.ui import overtraining, page, results
from lecture_core.ui.charts import chart
from lecture_core.ui.errors import user_errors
from lecture_core.ui.tables import lecture_table

STEM = "open_weight_models"
FAMILIES = ("GPT-3", "Chinchilla", "LLaMA", "Llama 2", "Llama 3", "Qwen2.5", "DeepSeek-V3")
MODELS = [model for model in load_models() if model.family in FAMILIES]
COLUMNS = (
    "model",
    "parameters",
    "active_parameters",
    "training_tokens",
    "tokens_per_parameter",
    "tokens_per_active_parameter",
)
GUESSES = ("20", "200", "2,000")
OPEN = [model for model in MODELS if model.family not in ("GPT-3", "Chinchilla")]


def trained_how_long() -> None:
    st.subheader("Trained for how long?", anchor=False)
    longest = max(MODELS, key=lambda m: m.tokens_per_parameter)
    chart(
        tokens_per_parameter(MODELS),
        key=f"{STEM}_ratios",
        alt=f"Tokens per parameter of open models, up to {three_digits(longest.tokens_per_parameter)} ({longest.name})",
    )
    results.caption(Provenance(kind="published", source="sources: under the table below"))
    st.caption("DeepSeek-V3 is a mixture of experts: of all its parameters, only the active ones compute a token.")


page.header(STEM)
overtraining.explain_link(STEM)
page.predict(STEM, "About how many tokens per parameter has Llama 3 8B seen?", GUESSES)
trained_how_long()
page.reveal(STEM, GUESSES[-1], "15T tokens for 8B parameters are 1,875: over ninety times Chinchilla's rule.")
st.subheader("Why train longer than the best split?", anchor=False)
st.markdown(
    "Chinchilla asks for the best model for a **training** budget. Whoever serves a model pays again for every token, "
    "in proportion to its size. A smaller model that is trained longer can be as good and cheaper in all."
)
with user_errors():
    overtraining.economics(STEM)
st.markdown("**Could this machine hold them?**")
overtraining.memory_here(OPEN)
lecture_table("tokens_per_parameter", key=STEM, columns=COLUMNS)
page.notice(
    "Move “tokens served” to *none*: the cheapest model is the compute-optimal one. Move it up: it shrinks and "
    "trains longer.",
    "Where serving uses less of a chip than training does (*Money*), each token served costs more, "
    "and small models pay off sooner.",
    "The law was fitted to runs of at most 341 tokens per parameter. How good a 0.5B model gets "
    "with 36,000, it cannot promise.",
)
page.footer(
    STEM,
    code=overtraining.code_now(STEM),
    deeper=(
        ("Beyond Chinchilla-optimal (Sardana et al. 2024)", "https://arxiv.org/abs/2401.00448"),
        ("LLaMA (Touvron et al. 2023)", "https://arxiv.org/abs/2302.13971"),
        ("DeepSeek-V3 (DeepSeek-AI 2024)", "https://arxiv.org/abs/2412.19437"),
    ),
)
