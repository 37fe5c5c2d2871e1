"""What a visitor chooses in the prompting labs: task, question, exemplars, model. All are bound to the address."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from lecture_core.prompting import MAX_EXEMPLARS
from lecture_core.tasks import Item, Task, list_tasks, load_task
from lecture_core.ui import inputs

LECTURE, OWN = -1, -2


@dataclass(frozen=True)
class Setup:
    """Settings of the few-shot lab: model, seed of the exemplars, whether the task description stands in front."""

    model: str
    seed: int
    with_instruction: bool


@dataclass(frozen=True)
class ReasoningSetup:
    """Settings of the chain-of-thought lab: model, number of exemplars, and seed of their order."""

    model: str
    k: int
    seed: int


def question(stem: str) -> tuple[Task, Item, int, Setup]:
    """Ask, in one row, for task, question, number of exemplars and settings."""
    *row, four = st.columns([3, 4, 3, 2], vertical_alignment="bottom")
    one, two, three = row
    names = list_tasks(stem)
    chosen = one.selectbox("Task", names, key=f"{stem}_task", format_func=_title, bind="query-params")
    task = load_task(chosen)
    options = [LECTURE, *range(len(task.items)), OWN]
    index = two.selectbox(
        "Question", options, key=f"{stem}_item", format_func=lambda i: _label(task, i), bind="query-params"
    )
    k = three.slider("Exemplars (k)", 0, MAX_EXEMPLARS, 3, key=f"{stem}_k", bind="query-params")
    with four:
        setup = _settings(stem, task)
    if index == OWN:
        return task, _own(stem, task), k, setup
    return task, task.example if index == LECTURE else task.items[index], k, setup


def _title(name: str) -> str:
    return load_task(name).title


def _label(task: Task, index: int) -> str:
    if index == OWN:
        return "Your own"
    words = (task.example if index == LECTURE else task.items[index]).question.removeprefix("Passage: ")
    return f"{'Lecture' if index == LECTURE else index + 1}: {words[:40]}"


def _own(stem: str, task: Task) -> Item:
    question = inputs.text(stem, f"own_{task.id}", "Your question", task.example.question)
    truth = st.text_input("Its true answer, if you know it", key=f"{stem}_truth", max_chars=80, bind="query-params")
    return Item(question, (truth or "").strip())


def _settings(stem: str, task: Task) -> Setup:
    with st.popover("Settings", icon=":material/tune:"):
        model = inputs.model(stem, "causal_lm")
        seed = inputs.seed(stem)
        st.caption("Seed 0 keeps the lecture's exemplars first; others shuffle them.")
        key = f"{stem}_described_{task.id}"
        described = st.toggle("Task description in front", task.instruct, key=key, bind="query-params")
    return Setup(model, seed, described)


def word_problem(stem: str, task: Task, presets: Mapping[str, Item]) -> tuple[Item, ReasoningSetup]:
    """Ask for a word problem and settings; the answer of a known one is known, for another the visitor may give it."""
    known = {item.question: item for item in (task.example, *task.items)}
    titles = {title: item.question for title, item in presets.items()}
    left, right = st.columns([5, 1])
    with left:
        asked = inputs.text(stem, "question", "The question", task.example.question, presets=titles, height=80)
    with right:
        setup = _reasoning_settings(stem)
        if asked in known:
            return known[asked], setup
        truth = st.text_input("True answer", key=f"{stem}_truth", max_chars=40, bind="query-params", help="If known.")
    return Item(asked, (truth or "").strip()), setup


def _reasoning_settings(stem: str) -> ReasoningSetup:
    with st.popover("Settings", icon=":material/tune:"):
        model = inputs.model(stem, "causal_lm")
        k = st.slider("Exemplars of the first two ways", 0, MAX_EXEMPLARS, 4, key=f"{stem}_k", bind="query-params")
        seed = inputs.seed(stem)
        st.caption("Seed 0 keeps the order of the file; others shuffle the exemplars.")
    return ReasoningSetup(model, k, seed)
