"""A second causal LM beside the chosen one: every view of the page on next tokens asks for it in the same way."""

import streamlit as st

from lecture_core import catalog
from lecture_core.loading import availability

NONE = "none"


def another(stem: str, model: str) -> str | None:
    """Offer the other causal LMs that are here; None where there is none, or none is chosen."""
    others = [spec.id for spec in catalog.models("causal_lm") if spec.id != model and availability(spec).usable]
    if not others:
        return None
    chosen = st.selectbox(
        "Another model beside it", [NONE, *others], key=f"{stem}_beside", bind="query-params", width=300
    )
    return chosen if chosen in others else None
