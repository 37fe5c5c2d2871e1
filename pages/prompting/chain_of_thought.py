"""After this page a student can say what chain-of-thought prompting is, when it helps, and how that was measured."""

from collections.abc import Mapping
from dataclasses import asdict, replace

import streamlit as st

from lecture_core import catalog, chain_of_thought
from lecture_core.chain_of_thought import METHODS, build_prompt
from lecture_core.engine import get_engine
from lecture_core.measurement import Answering, Measuring, Outcome, Progress, combined
from lecture_core.prompting_code import reasoning_code
from lecture_core.quantities import count
from lecture_core.recorded_runs import counted, outdated, rates
from lecture_core.tasks import Item, load_task
from lecture_core.text_input import checked
from lecture_core.ui import inputs, page, prompting_inputs, published_scores, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.measuring import measuring, origin
from lecture_core.ui.memory import session_id
from lecture_core.ui.prompting_inputs import ReasoningSetup
from lecture_core.ui.race import race

STEM = "chain_of_thought"
TASK = load_task("word_problems")
ITEMS = 40
NONE = "None of them"
PRESETS = {"Pears": TASK.example, "Toy cars": TASK.items[0], "Pencils": TASK.items[10], "Shopping": TASK.items[33]}
DEEPER = (
    ("Chain of thought (Wei et al. 2022)", "https://arxiv.org/abs/2201.11903"),
    ("Let's think step by step (Kojima et al. 2022)", "https://arxiv.org/abs/2205.11916"),
)


def run(item: Item, setup: ReasoningSetup) -> dict[str, Outcome]:
    """Ask the question three ways, side by side; show each prompt, text and verdict."""
    slots = {}
    for method, column in zip(METHODS, st.columns(3), strict=True):
        with column:
            st.markdown(f"**{METHODS[method]}**")
            slots[method] = st.empty()
            with st.popover("Its prompt", icon=":material/notes:"):
                st.code(build_prompt(TASK, item, method, setup.k, seed=setup.seed), language=None, wrap_lines=True)

    def start(method: str) -> Answering:
        return chain_of_thought.ask(get_engine(), TASK, item, method, **asdict(setup), session=session_id())

    return race(STEM, (item, setup), slots, start, control=st.empty(), lines=8)


def accuracy(setup: ReasoningSetup) -> None:
    """Count right answers on word problems for each way, beside the published scores."""
    recorded = rates(f"{STEM}_accuracy", task=TASK.id, model=setup.model, seed=setup.seed, exemplars=setup.k)
    old = outdated(f"{STEM}_accuracy", task=TASK.id, model=setup.model, seed=setup.seed)

    def steps(session: str) -> Measuring:
        options = {"items": TASK.items[:ITEMS], "session": session, **asdict(setup)}
        return chain_of_thought.measure_methods(get_engine(), TASK, **options)

    def draw(kept: Mapping[str, Progress]) -> None:
        counts, made = counted(kept, recorded)
        left, right = st.columns([2, 3], gap="large")
        with left:
            for name in METHODS:
                results.rate(METHODS[name], *counts.get(name, (0, 0)))
            if {"direct", "reasoning"} <= set(counts):
                st.markdown(chain_of_thought.finding(counts["direct"], counts["reasoning"]))
            origin(made, outdated=old)
        with right:
            published_scores.by_size(STEM, setup.model, counts)

    st.subheader("How often is it right?", anchor=False)
    label, names = f"Measure {ITEMS} word problems each way", dict(METHODS)
    measuring(STEM, label=label, inputs=setup, names=names, items=ITEMS, steps=steps, draw=draw)


page.header(STEM)
size = count(catalog.get(inputs.current(f"{STEM}_model", catalog.models("causal_lm")[0].id)).parameters)
page.predict(STEM, f"Which way leads a model of {size} parameters to the right answer?", (*METHODS.values(), NONE))
item, setup = prompting_inputs.word_problem(STEM, TASK, PRESETS)
result = st.container()
accuracy(setup)
page.notice(
    "All three ways use the same weights and greedy decoding; only the prompt differs.",
    "Read the reasoning: a fluent chain with a wrong step gives a wrong answer with the same confidence.",
    "In the paper the gain comes with size. Small models write chains that look right and are not.",
)
page.footer(STEM, code=reasoning_code(TASK, item, **asdict(setup)), deeper=DEEPER)

with result, user_errors():  # last, so that the page stands while the model writes
    checked(item.question)
    chain_of_thought.check_room(get_engine(), TASK, item, **asdict(setup))
    came = run(item, setup)
    made = combined(came.values())
    if made:
        results.caption(replace(made, seed=setup.seed))  # greedy: only the exemplars' order is drawn
    if len(came) == len(METHODS) and item.answer:
        right = [METHODS[method] for method in METHODS if came[method].right]
        page.reveal(STEM, ", ".join(right) or NONE)
