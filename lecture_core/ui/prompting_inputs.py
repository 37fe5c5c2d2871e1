"""What a visitor chooses in the prompting labs: task, question, exemplars, model. All are bound to the address."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lecture_core.errors import InvalidInputError
from lecture_core.exemplars import CONDITIONS, ORDERS, conditions_of
from lecture_core.few_shot import Asking
from lecture_core.own_task import EXAMPLE, MAX_CHARACTERS, MAX_LINES, read_own_task
from lecture_core.prompting import MAX_EXEMPLARS, SEPARATORS, PromptForm
from lecture_core.tasks import Item, Task, list_tasks, load_task
from lecture_core.ui import inputs, links
from lecture_core.ui.errors import user_errors

OWN = "Your own"
OWN_TASK = "own"
MAX_TRUTH = 80  # characters of a true answer
_SCORINGS = {"ranked": "the most probable label", "written": "the text that the model writes"}


@dataclass(frozen=True)
class ReasoningSetup:
    """Settings of the chain-of-thought lab: model, number of exemplars, and seed of their order."""

    model: str
    k: int
    seed: int


@dataclass(frozen=True)
class Asked:
    """What the few-shot lab shall do: a question of a task after `k` exemplars, and how it is asked."""

    task: Task
    item: Item
    k: int
    asking: Asking


def question(stem: str) -> Asked | None:
    """Ask, in one row, for task, question, number of exemplars and settings; None after a mistake, which is shown."""
    *row, four = st.columns([3, 4, 3, 2], vertical_alignment="bottom")
    one, two, three = row
    names = [*list_tasks(stem), OWN_TASK]
    links.shows_titles(f"{stem}_task", {name: _title(name) for name in names})
    chosen = one.selectbox("Task", names, key=f"{stem}_task", format_func=_title, bind="query-params")
    with user_errors():
        task = _own_task(stem) if chosen == OWN_TASK else load_task(chosen)
        item = _item(stem, task, two)
        most = min(
            MAX_EXEMPLARS, sum(exemplar.question.strip() != item.question.strip() for exemplar in task.exemplars)
        )
        k = _exemplars(three, stem, most)
        with four:
            asking = _settings(stem, task)
        return Asked(task, item, k, asking)
    return None


def _title(name: str) -> str:
    return "Your own task" if name == OWN_TASK else load_task(name).title


def _own_task(stem: str) -> Task:
    left, right = st.columns([3, 2])
    with left:
        label = "Your examples, one a line: input => output"
        lines = st.text_area(label, EXAMPLE, key=f"{stem}_lines", height=150, bind="query-params") or ""
        st.caption(f"Up to {MAX_LINES} lines and {MAX_CHARACTERS:,} characters.")
    instruction = right.text_input("Task description (optional)", key=f"{stem}_instruction", bind="query-params")
    right.caption(
        "Each line becomes a question; the other lines are its exemplars. Where every output stands there twice or "
        "more, the model chooses among the outputs."
    )
    task = read_own_task(lines, instruction or "")
    if len({item.answer for item in task.items}) == 1:
        right.caption("All your outputs are the same: a model that repeats them is always right.")
    return task


def _item(stem: str, task: Task, column: DeltaGenerator) -> Item:
    items = {} if task.id == OWN_TASK else {_label("Example", task.example): task.example}
    items |= {_label(str(number), item): item for number, item in enumerate(task.items, start=1)}
    key, options = f"{stem}_item", [*items, OWN]
    if st.session_state.get(key, OWN) not in options:  # another task was chosen: else the address kept its question
        st.session_state[key] = options[0]
    chosen = column.selectbox("Question", options, key=key, bind="query-params")
    return _own(stem, task) if chosen == OWN else items[chosen]


def _label(number: str, item: Item) -> str:
    return f"{number}: {' '.join(item.question.removeprefix('Passage: ').split())[:40]}"


def _own(stem: str, task: Task) -> Item:
    given, key = task.example.question, f"{stem}_own_{task.id}"
    question = st.text_area("Your question", given, key=key, height=100, bind="query-params") or ""
    truth = (st.text_input("Its true answer, if you know it", key=f"{stem}_truth", bind="query-params") or "").strip()
    if len(truth) > MAX_TRUTH:
        raise InvalidInputError(
            expected=f"a true answer of at most {MAX_TRUTH} characters", got=f"{len(truth):,}", remedy="shorten it"
        )
    return Item(question, truth)


def _exemplars(column: DeltaGenerator, stem: str, most: int) -> int:
    key = f"{stem}_k"
    if st.session_state.get(key, 0) > most:  # a task with fewer exemplars was chosen
        st.session_state[key] = most
    return column.slider("Exemplars (k)", 0, most, min(3, most), key=key, bind="query-params")


def _settings(stem: str, task: Task) -> Asking:
    with st.popover("Settings", icon=":material/tune:"):
        model = inputs.model(stem, "causal_lm")
        seed = inputs.seed(stem)
        st.caption("Seed 0 keeps the order of the task; other seeds shuffle it.")
        key = f"{stem}_described_{task.id}"
        described = st.toggle("Task description in front", task.instruct, key=key, bind="query-params")
        separator = inputs.choose("Between two exemplars", SEPARATORS, f"{stem}_separator", 260)
        orders = {name: order.title for name, order in ORDERS.items()}
        order = inputs.choose("Order of the exemplars", orders, f"{stem}_order", 260)
        answers = {name: CONDITIONS[name].title for name in conditions_of(task)}
        spoiled = inputs.choose("Answers of the exemplars", answers, f"{stem}_answers", 260)
        scoring = inputs.choose("What counts", _SCORINGS, f"{stem}_scoring", 260) if task.labels else "ranked"
    return Asking(model, PromptForm(seed, described, separator, order, spoiled), ranked=scoring == "ranked")


def word_problem(stem: str, task: Task, presets: Mapping[str, Item]) -> tuple[Item, ReasoningSetup]:
    """Ask for a word problem and settings; the answer of a known one is known, for another the visitor may give it."""
    known = {item.question: item for item in (task.example, *task.items)}
    titles = {title: item.question for title, item in presets.items()}
    left, right = st.columns([5, 1])
    with left:
        asked = inputs.text(stem, "question", "The question", task.example.question, presets=titles, height=80)
    with right:
        setup = _reasoning_settings(stem, task)
        if asked in known:
            return known[asked], setup
        truth = st.text_input("True answer", key=f"{stem}_truth", bind="query-params", help="If known.")
    return Item(asked, (truth or "").strip()), setup


def _reasoning_settings(stem: str, task: Task) -> ReasoningSetup:
    with st.popover("Settings", icon=":material/tune:"):
        model = inputs.model(stem, "causal_lm")
        most = len(task.exemplars)
        k = st.slider("Exemplars of the first two ways", 0, most, 4, key=f"{stem}_k", bind="query-params")
        seed = inputs.seed(stem)
        st.caption("Seed 0 keeps the order of the file; others shuffle the exemplars.")
    return ReasoningSetup(model, k, seed)
