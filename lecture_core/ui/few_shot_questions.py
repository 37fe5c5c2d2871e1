"""The few-shot lab's table: every question, measured now or recorded; a click on an answer opens it."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace

import pandas as pd
import streamlit as st

from lecture_core.few_shot import Asking
from lecture_core.measurement import Outcome, Progress, as_csv, label_shares
from lecture_core.prompting import PromptForm, prompt_parts
from lecture_core.recorded_answers import opened
from lecture_core.recorded_runs import rates
from lecture_core.tasks import Item, Task
from lecture_core.ui import results
from lecture_core.ui.answers import answer_box
from lecture_core.ui.few_shot import compared, condition, exact

_LOW = 280  # pixels of a table that scrolls


def every_question(stem: str, task: Task, asking: Asking, *, covered: Sequence[int] = ()) -> None:
    """List every measured question with the answers at each k; a click on an answer opens its prompt and verdict.

    Args:
        covered: numbers of exemplars whose answers would answer the page's guess; left out.
    """
    run = st.session_state.get(f"{stem}_run")
    if run is not None and run.inputs[:2] != (task, asking):
        run = None
    measured: Mapping[str, Progress] = run.kept if run is not None else {}
    if run is not None and run.running:
        st.caption("When it has ended, every question can be opened below: prompt, output and verdict.")
        return
    kept = {n: p for n, p in (measured or _recorded(stem, task, asking)).items() if _k(n) not in covered}
    if not kept:
        st.caption("Measure it here, and every question can be opened below: prompt, output and verdict.")
        return
    models = {name.rsplit(" ", 1)[0] for name in kept}
    names = {name: f"k = {_k(name)}" + f", {name.rsplit(' ', 1)[0]}" * (len(models) > 1) for name in kept}
    st.markdown(f"**Every {'' if measured else 'recorded '}question** :small[:gray[click an answer to see its prompt]]")
    if covered:
        st.caption("The answers without exemplars wait for your guess.")
    cells = _table(f"{stem}_questions_{task.id}", {names[name]: progress for name, progress in kept.items()})
    _download(stem, task, asking, {names[name]: progress for name, progress in kept.items()})
    for row, column in cells:
        found = next((name for name in kept if names[name] == column), None)  # none for the question and the truth
        if found is not None and row < kept[found].n:
            _open(stem, task, kept[found].outcomes[row], _k(found), names[found], asking.form)


def _k(name: str) -> int:
    return int(name.rsplit(" ", 1)[1])


def _recorded(stem: str, task: Task, asking: Asking) -> dict[str, Progress]:
    """What was recorded for these settings and models, as if it were measured now; empty where nothing was."""
    if not asking.as_recorded(task):
        return {}
    run, found = f"{stem}_accuracy", {}
    for model in compared(stem, asking.model):
        for k, rate in rates(run, task=task.id, model=model, seed=asking.form.seed).items():
            found[condition(model, k)] = opened(run, rate)
    return {name: progress for name, progress in found.items() if progress is not None}


def _table(key: str, kept: Mapping[str, Progress]) -> list[tuple[int, str]]:
    """Draw the table; return the cells that are selected. Another task needs another key, or a click would stay."""
    longest = max(kept.values(), key=lambda progress: progress.n)
    head = {"Question": [_short(o.item) for o in longest.outcomes], "Truth": [o.item.answer for o in longest.outcomes]}
    columns = {name: pd.Series(list(_marks(progress))) for name, progress in kept.items()}
    frame = pd.concat([pd.DataFrame(head), pd.DataFrame(columns)], axis=1)
    frame.index += 1
    picked = st.dataframe(
        frame.fillna(""),
        key=key,
        height=_LOW if len(frame) > 6 else "content",
        on_select="rerun",
        selection_mode="single-cell",
        alt=f"{len(frame)} questions with the answers at each number of exemplars",
        column_config={"Question": st.column_config.Column(width=180), "Truth": st.column_config.Column(width=110)},
    )
    return list(picked["selection"]["cells"])


def _short(item: Item) -> str:
    """A question without the passage before it, on one line."""
    return " ".join(item.question.rsplit("\nQuestion: ", 1)[-1].split())


def _marks(progress: Progress) -> Generator[str, None, None]:
    for one in progress.outcomes:
        answer = one.extracted.value if one.extracted else "(none)"
        yield f"{'✓' if one.right else '✗'} {answer}"


def _download(stem: str, task: Task, asking: Asking, kept: Mapping[str, Progress]) -> None:
    ranked = asking.ranks(task)
    made = next(iter(kept.values())).outcome.provenance
    settings = {"scoring": "ranked" if ranked else "written", "measured": made.kind if made else ""}
    texts = as_csv(
        kept,
        condition="condition",
        labels=task.labels if ranked else (),
        settings=settings | asdict(asking.form),
    )
    file = f"few_shot_{task.id}.csv"
    st.download_button("Download as CSV", texts, file, "text/csv", key=f"{stem}_csv", icon=":material/download:")


def _open(stem: str, task: Task, outcome: Outcome, k: int, name: str, form: PromptForm) -> None:
    left, right = st.columns([4, 3], gap="medium")
    with left:
        st.markdown(f"**Prompt, {name}**")
        exact(prompt_parts(task, outcome.item, k, form))
    right.markdown("**Output and verdict**")
    answer_box(right.empty(), outcome, lines=1)
    with right:
        if outcome.label_logprobs:
            results.candidate_bars(f"{stem}_opened", label_shares(task.labels, outcome), family="decoder")
        if outcome.provenance:
            results.caption(replace(outcome.provenance, seed=form.seed))
