"""Drawing text-to-text results: what was written, token by token; spans beside what they hid; which size fits here."""

import math

import pandas as pd
import streamlit as st

from lecture_core import catalog, device, hidden_text
from lecture_core.encoder_code import text_to_text_code
from lecture_core.engine import get_engine
from lecture_core.engine.results import TextToText
from lecture_core.model_cards import FLOAT32_BYTES, HALF_BYTES
from lecture_core.model_quality import evaluation
from lecture_core.panel_code import sizes_code
from lecture_core.quantities import count
from lecture_core.span_corruption import spans_written
from lecture_core.t5_sizes import SIZES, Shape, parameters, running_bytes
from lecture_core.text_input import checked
from lecture_core.ui import inputs, objective_panels, page, results
from lecture_core.ui.errors import escape_markdown, user_errors
from lecture_core.ui.memory import remember

LONGEST = 600  # characters of a sentence with holes
USABLE = 0.8  # share of the memory that one model may take


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
    if found and prefix in groups:
        for name, kind in (
            (prefix, "unseen inputs of this task"),
            (f"{prefix}_corpus", "unseen sentences of Wikipedia"),
        ):
            for rate in groups.get(name, {}).values():
                results.rate(f"“{prefix}:” right to the letter on {kind}", rate.right, rate.n)
        results.caption(found.provenance)
    elif groups:
        named = ", ".join(name for name in groups if not name.endswith("_corpus"))
        st.caption(escape_markdown(f"Prefixes that {model} was trained on: {named}, fill."))


def fill_spans(stem: str, default: str, model: str) -> None:
    """Let the student choose spans, then compare what was hidden with what the model writes."""
    st.markdown("**Step 1, the holes:** click the words to hide, or put them in brackets")
    page.predict(f"{stem}_holes", "How many holes will it fill with the very words?", ("all", "some", "none"))
    label = "A sentence; words in [brackets] are hidden"
    marked = inputs.text(stem, "spans", label, default, height=70)
    with user_errors():
        text = hidden_text.read(checked(marked, limit=LONGEST))
        objective_panels.word_strip(f"{stem}_words", text, into=f"{stem}_spans")
        st.markdown("**Step 2, the strings:** what T5 reads and what it must write")
        source = objective_panels.span_strings(text)
        asked = (source, model)
        result = remember(f"{stem}_fill", asked, lambda: get_engine().text_to_text(source, model=model))
        _compare(stem, text, result)
        results.caption(result.provenance)
        page.panel_code(f"{stem}_spans_panel", text_to_text_code(catalog.get(model), source))


def _compare(stem: str, text: hidden_text.HiddenText, result: TextToText) -> None:
    answers = spans_written(result.text)
    rows = [
        {"Sentinel": f"<extra_id_{i}>", "Hidden": text.plain[a:b], "The model writes": answers.get(i, "–")}
        for i, (a, b) in enumerate(text.hidden_spans)
    ]
    st.markdown("**Step 3, the answer:** what the model writes for each sentinel")
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Each span beside what the model writes", height="content")
    right = sum(row["Hidden"].casefold() == row["The model writes"].casefold() for row in rows)
    came = "all" if right == len(rows) else "some" if right else "none"
    page.reveal(f"{stem}_holes", came, f"{right} of {len(rows)} to the letter; what it wrote may still fit.")


def sizes_here(key: str) -> None:
    """Show T5's published sizes, counted from their shapes, and whether each fits into this machine's memory."""
    memory = device.memory_bytes()
    rows = [
        {
            "Model": shape.name,
            "Size": count(parameters(shape)),
            "float32": f"{parameters(shape) * FLOAT32_BYTES / 1e9:.2f} GB",
            "bfloat16": f"{parameters(shape) * HALF_BYTES / 1e9:.2f} GB",
            "Fits": fits(shape, memory),
        }
        for shape in SIZES
    ]
    st.markdown("**Which size could this machine hold?**")
    page.predict(key, "Which is the largest that runs here?", [shape.name for shape in SIZES][-4:])
    if held := [shape.name for shape in SIZES if fits(shape, memory) in ("yes", "bfloat16")]:
        page.reveal(key, held[-1], "Its weights alone are most of what it needs.")
    shown = pd.DataFrame(rows)
    st.dataframe(shown, hide_index=True, alt="Memory that each size of T5 needs", height="content")
    here = "is unknown here" if memory is None else f"is {memory / 1e9:.0f} GB here"
    st.caption(
        "Size: parameters, counted from layers, d_model, d_ff, heads and vocabulary (Raffel et al. 2020, section 3.7); "
        f"the columns are the weights alone. Memory {here}. A size fits if its weights, with the keys and values of "
        f"512 tokens in and 512 out, take at most {USABLE:.0%} of it. The rest is our allowance, not a measurement, "
        "for activations, libraries and the other models of this app."
    )
    page.panel_code(key, sizes_code(SIZES))


def fits(shape: Shape, memory: int | None) -> str:
    """Say in which precision a size can run within its share of a memory: yes (float32), bfloat16, no, unknown.

    Args:
        memory: in bytes; None where it is unknown.
    """
    if memory is None:
        return "unknown"
    if running_bytes(shape, bytes_each=FLOAT32_BYTES) <= USABLE * memory:
        return "yes"
    return "bfloat16" if running_bytes(shape, bytes_each=HALF_BYTES) <= USABLE * memory else "no"
