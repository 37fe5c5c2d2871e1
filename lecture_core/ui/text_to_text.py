"""Drawing text-to-text results: what was written, token by token; spans beside what they hid; which size fits here."""

import math

import pandas as pd
import streamlit as st

from lecture_core import device, hidden_text
from lecture_core.engine import get_engine
from lecture_core.engine.results import TextToText
from lecture_core.model_cards import FLOAT32_BYTES, HALF_BYTES
from lecture_core.model_quality import evaluation
from lecture_core.quantities import count
from lecture_core.span_corruption import spans_written
from lecture_core.tables import load_table
from lecture_core.ui import inputs, objective_panels, results
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember


def written(key: str, result: TextToText) -> None:
    """Show the output and, under each token, the probability with which it was chosen."""
    results.model_text(result.text, label="The model writes")
    chips = [
        results.StripToken(
            token.token,
            value=math.exp(token.logprob),
            label=_second(token.alternatives[1].token, token.alternatives[1].probability),
            aria=f"{token.token}, probability",
        )
        for token in result.tokens
    ]
    results.token_strip(f"{key}_tokens", chips, family="text_to_text")
    if result.reason == "length":
        st.caption("It did not end by itself; the output is cut.")
    results.caption(result.provenance)


def _second(token: str, probability: float) -> str:
    return f"or “{token}” {results.percent(probability)}" if probability >= 0.01 else ""


def measured(model: str, text: str) -> None:
    """Show how often the model does the task of this prefix, where that was recorded."""
    found = evaluation(model)
    prefix = text.partition(":")[0].strip()
    groups = {group.name: group.rates for group in found.groups} if found else {}
    if prefix in groups:
        for rate in groups[prefix].values():
            results.rate(f"“{prefix}:” right to the letter on unseen inputs", rate.right, rate.n)
        results.badge("recorded")
    elif groups:
        st.caption(escape_markdown(f"Prefixes that {model} was trained on: {', '.join(groups)}, fill."))


def fill_spans(stem: str, default: str, model: str) -> None:
    """Let the student choose spans, then compare what was hidden with what the model writes."""
    label = "A sentence; words in [brackets] are hidden"
    marked = inputs.text(stem, "spans", label, default, max_chars=600, height=70)
    with user_errors():
        text = hidden_text.read(marked)
        objective_panels.word_strip(f"{stem}_words", text, into=f"{stem}_spans")
        source = objective_panels.span_strings(text)
        asked = (source, model)
        result = remember(f"{stem}_fill", asked, lambda: get_engine().text_to_text(source, model=model))
        _compare(text, result)
        results.caption(result.provenance)


def _compare(text: hidden_text.HiddenText, result: TextToText) -> None:
    answers = spans_written(result.text)
    rows = [
        {"Sentinel": f"<extra_id_{i}>", "Hidden": text.plain[a:b], "The model writes": answers.get(i, "–")}
        for i, (a, b) in enumerate(text.hidden_spans)
    ]
    st.markdown("**Step 3, the answer:** what the model writes for each sentinel")
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Each span beside what the model writes", height="content")


def sizes_here() -> None:
    """Show T5's published sizes and whether each fits into this machine's memory."""
    memory = device.memory_bytes()
    table = load_table("t5_sizes")
    sizes = zip(table.frame["model"], table.frame["parameters"].astype(int).tolist(), strict=True)
    rows = [
        {
            "Model": model,
            "Parameters": count(parameters),
            "float32": f"{parameters * FLOAT32_BYTES / 1e9:.2f} GB",
            "bfloat16": f"{parameters * HALF_BYTES / 1e9:.2f} GB",
            "Fits here": _fits(parameters, memory),
        }
        for model, parameters in sizes
    ]
    st.markdown("**Which size could this machine hold?**")
    shown = pd.DataFrame(rows)
    st.dataframe(shown, hide_index=True, alt="Memory that each size of T5 needs", height="content")
    here = "unknown here" if memory is None else f"{memory / 1e9:.0f} GB on this machine"
    st.caption(f"Weights alone: parameters × 4 or 2 bytes. Memory: {here}. Parameters: Raffel et al. 2020.")


def _fits(parameters: int, memory: int | None) -> str:
    if memory is None:
        return "unknown"
    if parameters * FLOAT32_BYTES < memory:
        return "yes"
    return "bfloat16" if parameters * HALF_BYTES < memory else "no"
