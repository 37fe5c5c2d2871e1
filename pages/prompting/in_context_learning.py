"""After this page a student can say what a model learns inside one forward pass and what the examples must have."""

import streamlit as st

from lecture_core.engine import get_engine
from lecture_core.exemplars import CONDITIONS, conditions_of
from lecture_core.in_context import MAX_EXAMPLES, RISES, Pass, curve, rise, write
from lecture_core.prompting_code import token_logprobs_code
from lecture_core.tasks import Task, list_tasks, load_task
from lecture_core.ui import in_context, inputs, links, page, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.tables import lecture_table

STEM = "in_context_learning"
MODEL = "smollm2-135m-instruct"
COMPARED = {"true", "shuffled"}
TASKS = ("date_format", *(name for name in list_tasks("few_shot") if name not in ("date_format", "drop_reading")))


def settings() -> tuple[Task, int, list[str], int, str]:
    """Ask for task, number of examples and conditions; model and number of orders in a popover."""
    one, two, three = st.columns([2, 2, 1], vertical_alignment="bottom")
    titles = {task: load_task(task).title for task in TASKS}
    links.shows_titles(f"{STEM}_task", titles)
    name = one.selectbox("Task", TASKS, key=f"{STEM}_task", format_func=lambda t: titles[t], bind="query-params")
    task = load_task(name)
    k = two.slider("Examples in the prompt", 2, MAX_EXAMPLES, 16, key=f"{STEM}_k", bind="query-params")
    with three.popover("Settings", icon=":material/tune:"):
        model = inputs.model(STEM, "causal_lm")
        orders = st.slider("Draws to average over", 1, 8, 4, key=f"{STEM}_orders", bind="query-params")
    links.shows_titles(f"{STEM}_conditions", {key: condition.title for key, condition in CONDITIONS.items()})
    key, there = f"{STEM}_conditions", conditions_of(task)
    before = st.session_state.get(key) or []
    if not set(before) <= set(there):  # another task was chosen: else the address kept what this one does not have
        st.session_state[key] = [name for name in before if name in there]
    chosen = st.pills(
        "Examples with",
        list(there),
        default=["true", "shuffled"],
        selection_mode="multi",
        format_func=lambda c: CONDITIONS[c].title,
        key=key,
        bind="query-params",
        wrap=True,
    )
    return task, k, list(chosen or ["true"]), orders, model


def uncovered(found: dict[str, list[Pass]]) -> dict[str, list[Pass]]:
    """Leave out the curve that the guess is about, until the visitor has guessed or wants to see it."""
    if set(found) >= COMPARED and not results.uncovered(STEM, "The curve with random answers"):
        return {name: passes for name, passes in found.items() if name != "shuffled"}
    return found


@st.fragment
def lab() -> None:
    """Each condition is read once an order; the chart grows with every condition."""
    task, k, conditions, orders, model = settings()
    with user_errors():
        engine = get_engine()
        before = engine.weights_checksum(model, generating=False)
        place = st.empty()
        found: dict[str, list[Pass]] = {}
        for condition in conditions:
            with st.spinner(f"Reading {orders} prompts: {CONDITIONS[condition].title}"):
                found[condition] = in_context.passes(STEM, task, k, condition, orders, model)
        with place.container():
            shown = uncovered(found)
            if set(shown) >= COMPARED:
                page.reveal(STEM, rise(*(curve(shown[name]) for name in ("true", "shuffled"))))
            in_context.draw(STEM, shown)
            results.caption(next(reversed(shown.values()))[-1].provenance)
        results.weights(before, engine.weights_checksum(model, generating=False))
        left, right = st.columns([2, 1], gap="large")
        with left:
            st.markdown("**One prompt, token by token** · bar: its probability; boxed: the answers")
            one = in_context.one_of(STEM, shown)
            in_context.tokens_of(STEM, one)
        with right:
            in_context.context_meter(STEM, task, one, model)


page.header(STEM)
page.predict(STEM, "With true answers the curve rises. What if the examples carry random ones?", RISES)
lab()
lecture_table("gpt3_superglue", key=STEM)
page.notice(
    "No weight changes: what rises is what the model makes of the text **before** the answer.",
    "Compare the two curves: where they agree the format was learned, where they part the task.",
    "Add *random letters*: their shape can be learned, but each letter stays a guess among 26, -3.3 nats.",
)
state = st.session_state
page.footer(
    STEM,
    code=token_logprobs_code(
        state.get(f"{STEM}_model", MODEL),
        write(load_task(state.get(f"{STEM}_task", TASKS[0])), min(4, state.get(f"{STEM}_k", 4))).text,
    ),
    deeper=(
        ("GPT-3 (Brown et al. 2020)", "https://arxiv.org/abs/2005.14165"),
        ("What makes in-context learning work? (Min et al. 2022)", "https://arxiv.org/abs/2202.12837"),
        ("How does in-context learning work? (Xie and Min)", "https://ai.stanford.edu/blog/understanding-incontext/"),
    ),
)
