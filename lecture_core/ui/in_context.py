"""Drawing in-context learning: the curve, the tokens of one prompt, the context meter."""

import math
from functools import partial

import pandas as pd
import streamlit as st

from lecture_core import in_context
from lecture_core.engine import get_engine
from lecture_core.exemplars import CONDITIONS
from lecture_core.figures.in_context import in_context_curve
from lecture_core.in_context import Pass
from lecture_core.tasks import Task
from lecture_core.ui import inputs, results
from lecture_core.ui.charts import chart
from lecture_core.ui.memory import remember

CONTEXTS = (512, 1024, 2048, 8192)
SHOWN_TOKENS = 150


def passes(stem: str, task: Task, k: int, condition: str, orders: int, model: str) -> list[Pass]:
    """Read a prompt for each draw of the examples once; what was read before is kept."""
    found = []
    for seed in range(1, orders + 1):
        asked = (task.id, k, condition, seed, model)
        written = in_context.write(task, k, condition=condition, seed=seed)
        found.append(remember(f"{stem}_{condition}_{seed}", asked, partial(_read, written, model)))
    return found


def _read(written: in_context.Written, model: str) -> Pass:
    return in_context.read_once(get_engine(), written, model=model)


def draw(stem: str, by_condition: dict[str, list[Pass]]) -> None:
    """Show the curves and how much the answers gained."""
    curves = {name: in_context.curve(found) for name, found in by_condition.items()}
    titles = {name: CONDITIONS[name].title for name in curves}
    ends = [f"{titles[n]}: {points[0].mean:.2f} to {points[-1].mean:.2f} nats" for n, points in curves.items()]
    chart(in_context_curve(curves, titles), key=f"{stem}_curve", alt="; ".join(ends))
    orders = max(len(found) for found in by_condition.values())
    band = f"Mean over {orders} draws of the examples; band: 95 % interval of the mean." if orders > 1 else "One draw."
    st.caption(f"{band} A nat is 1.44 bits; 0 is certainty.")
    true = curves.get("true")
    if true:
        first, last = math.exp(true[0].mean), math.exp(true[-1].mean)
        st.markdown(
            f"With the true answers, the model gives a token of the answer **{results.percent(first)}** at the first "
            f"example and **{results.percent(last)}** at example {len(true)} (geometric means)."
        )


def one_of(stem: str, by_condition: dict[str, list[Pass]]) -> Pass:
    """Ask which of the prompts to look into: its condition and draw."""
    with st.container(horizontal=True):
        titles = {name: CONDITIONS[name].title for name in by_condition}
        condition = inputs.choose("Examples with", titles, f"{stem}_looked_at", 220)
        found = by_condition[condition]
        draws = {str(number): f"{number} of {len(found)}" for number in range(1, len(found) + 1)}
        return found[int(inputs.choose("Draw", draws, f"{stem}_draw", 120)) - 1]


def tokens_of(stem: str, one: Pass) -> None:
    """Show the tokens of one prompt with the probability that the model gave each; those of answers stand out."""
    chips = [
        results.StripToken(
            token.token,
            value=math.exp(token.logprob) if place else None,
            starts_word=starts,
            special=owner is None,
            aria=f"{token.token}, probability" if place else "",
        )
        for place, (token, starts, owner) in enumerate(zip(one.tokens, one.starts_word, one.owners, strict=True))
    ]
    place, most = st.container(), len(chips)
    if len(chips) > SHOWN_TOKENS:
        words = f"Show all {len(chips)} tokens, not only the first {SHOWN_TOKENS}"
        if not st.toggle(words, key=f"{stem}_all_tokens", bind="query-params"):
            most = SHOWN_TOKENS
    with place:
        results.token_strip(f"{stem}_tokens", chips[:most], family="decoder")


def context_meter(stem: str, task: Task, one: Pass, model: str) -> None:
    """Say how many examples of the prompt's draw fit into contexts of several lengths."""
    written, tokens = one.written, len(one.tokens)
    asked = (task.id, written.condition, written.seed, model)
    fits = remember(f"{stem}_fits", asked, partial(_fits, task, written, model))
    st.markdown(f"**How much fits?** These {len(written.answers)} examples take {tokens:,} tokens.")
    rows = [
        {"Context": f"{fit.context:,} tokens", "Examples that fit": f"{'' if fit.counted else '≈ '}{fit.examples:,}"}
        for fit in fits
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        alt="Examples that fit into each context",
        column_config={"Examples that fit": st.column_config.Column(alignment="right")},
    )
    known = len(task.exemplars) + len(task.items)
    estimated = f" ≈: estimated from the mean length of the task's {known} examples."
    rest = "" if all(fit.counted for fit in fits) else estimated
    st.caption(f"Counted: the tokens of this draw's examples, one after another.{rest}")


def _fits(task: Task, written: in_context.Written, model: str) -> tuple[in_context.Fits, ...]:
    return in_context.examples_that_fit(
        get_engine(), task, CONTEXTS, model=model, condition=written.condition, seed=written.seed
    )
