"""The parts of the few-shot lab: answers side by side, accuracy over k, what was published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from lecture_core import catalog, few_shot
from lecture_core.engine import get_engine
from lecture_core.few_shot import Asking, FittedPrompt
from lecture_core.figures.few_shot import accuracy_over_k, shots_by_size
from lecture_core.figures.prompting import Measured
from lecture_core.loading import availability
from lecture_core.measurement import Answering, Measuring, Outcome, Progress, label_shares
from lecture_core.prompting import Prompt, fold
from lecture_core.provenance import Provenance
from lecture_core.recorded_runs import counted, outdated, rates
from lecture_core.tables import load_table
from lecture_core.tasks import Item, Task
from lecture_core.ui import results
from lecture_core.ui.charts import chart
from lecture_core.ui.measuring import measuring, origin
from lecture_core.ui.memory import session_id
from lecture_core.ui.race import race
from lecture_core.ui.tables import lecture_table, source_line

LONG = 400  # characters of a beginning that scrolls
_RANKED = (
    "What counts: the label with the highest log-probability after the prompt, its tokens summed; there is always an "
    "answer."
)
_WRITTEN = (
    "What counts: the model writes greedily to the end of the line, and the answer found in it must equal the truth; "
    "it can also fail by writing something else."
)
_BENCHMARKS = {"BoolQ": "accuracy", "SQuAD 2.0": "F1", "ANLI R1": "accuracy"}


def answers(
    stem: str, task: Task, item: Item, prompts: Mapping[str, FittedPrompt], asking: Asking, *, guessed: str = ""
) -> dict[str, Outcome]:
    """Show the exact prompt and, beside it, the answers with and without exemplars.

    Args:
        guessed: name of the prompt that the page's guess is about; its answer is asked for after the guess.
    """
    left, right = st.columns([4, 3], gap="medium")
    prompt = next(iter(prompts.values()))
    left.markdown(f"**The exact prompt** :small[:gray[{prompt.tokens:,} of at most {prompt.context_length:,} tokens]]")
    with left:
        exact(prompt.parts)
    boxes, slots = {}, {}
    for name in prompts:
        boxes[name] = right.container(gap="xsmall")
        with boxes[name]:
            st.markdown(f"**{name}**")
            if name != guessed or results.uncovered(stem, "This answer"):
                slots[name] = st.empty()

    def start(name: str) -> Answering:
        return few_shot.ask(get_engine(), task, item, prompts[name].text, asking, session=session_id())

    came = race(stem, (item, asking, *prompts.values()), slots, start, control=right.empty(), lines=1)
    outcomes = {name: came[name] for name in slots if name in came}
    for name, outcome in outcomes.items():
        if outcome.label_logprobs:
            with boxes[name]:
                results.candidate_bars(f"{stem}_{name}", label_shares(task.labels, outcome), family="decoder")
    return outcomes


def exact(prompt: Prompt) -> None:
    """Show a prompt letter by letter; a long one with its middle folded, so that the question is always seen."""
    folded = fold(prompt)
    with st.container(gap="xsmall"):
        if folded.exemplars:
            tall = len(folded.beginning) > LONG
            st.code(folded.beginning, language=None, wrap_lines=True, height=150 if tall else "content")
            with st.expander(f"{folded.exemplars} more exemplar{'s' * (folded.exemplars > 1)} between"):
                st.code(folded.middle, language=None, wrap_lines=True, height=300)
        st.code(folded.end, language=None, wrap_lines=True)
        st.caption("The model goes on where this ends.")


def accuracy(stem: str, task: Task, asking: Asking, *, covered: Sequence[int] = ()) -> None:
    """Measure the task at every k, or show what was recorded.

    Args:
        covered: numbers of exemplars whose rates would answer the page's guess; left out of the chart.
    """
    items = task.items[: few_shot.ITEMS]
    models = _models(stem, asking.model)
    fitting = {
        model: few_shot.numbers_of_exemplars(get_engine(), task, items, replace(asking, model=model))
        for model in models
    }
    ks = sorted(set().union(*fitting.values()))
    names = {
        condition(model, k): f"k = {k}" + f", {model}" * (len(models) > 1) for model in models for k in fitting[model]
    }

    def steps(session: str) -> Measuring:
        for model in models:
            here = replace(asking, model=model)
            for k, progress in few_shot.measure_over_k(get_engine(), task, here, items=items, session=session):
                yield condition(model, int(k)), progress

    def draw(kept: Mapping[str, Progress]) -> None:
        _chart(stem, task, models, ks, kept, asking, covered)
        st.caption(_RANKED if asking.ranks(task) else _WRITTEN)

    each = f"each of {len(ks)} k" + f" with {len(models)} models" * (len(models) > 1)
    label = f"Measure {len(items)} questions at {each} ({len(items) * len(names)} in all)"
    measuring(stem, label=label, inputs=(task, asking, models), names=names, items=len(items), steps=steps, draw=draw)


def condition(model: str, k: int | str) -> str:
    """Return the name of what is measured: a model after `k` exemplars."""
    return f"{model} {k}"


def _models(stem: str, chosen: str) -> tuple[str, ...]:
    """Ask which models to compare the chosen one with, where there is a choice; return all of them."""
    usable = [spec for spec in catalog.models("causal_lm") if availability(spec).usable]
    others = [spec.id for spec in usable if spec.id != chosen]
    if others:
        st.multiselect("Measure also", others, key=f"{stem}_ladder", bind="query-params")
    return compared(stem, chosen)


def compared(stem: str, chosen: str) -> tuple[str, ...]:
    """Return the chosen model and those that are measured beside it, smallest first."""
    also = st.session_state.get(f"{stem}_ladder") or ()
    return tuple(sorted({chosen, *also}, key=lambda model: catalog.get(model).parameters))


def _chart(
    stem: str,
    task: Task,
    models: Sequence[str],
    ks: Sequence[int],
    kept: Mapping[str, Progress],
    asking: Asking,
    covered: Sequence[int],
) -> None:
    series, pale = {}, {}
    made: list[Provenance] = []
    for model in models:
        known = rates(f"{stem}_accuracy", task=task.id, model=model, seed=asking.form.seed)
        recorded = known if asking.as_recorded(task) else {}
        counts, origin_of = counted(_of(kept, model), {} if kept else recorded)
        made += [origin_of] if origin_of else []
        counts = {k: count for k, count in counts.items() if int(k) not in covered}
        recorded = {k: rate for k, rate in recorded.items() if int(k) not in covered}
        series[model] = [Measured(int(k), right, n, f"{model}, k = {k}:") for k, (right, n) in counts.items()]
        if kept and recorded:
            pale[model] = [Measured(int(k), r.right, r.n, f"recorded, {model}, k = {k}:") for k, r in recorded.items()]
    figure = accuracy_over_k(series, ks=ks, lines=_comparisons(task), pale=pale)
    said = "; ".join(f"{p.label} {p.right} of {p.n} right" for points in series.values() for p in points)
    chart(figure, key=f"{stem}_chart", alt=said or "nothing measured yet")
    for one in made[:-1]:
        results.caption(one)
    origin(
        made[-1] if made else None,
        outdated=asking.as_recorded(task) and any(_outdated(stem, task, m, asking) for m in models),
    )
    if pale:
        st.caption("Pale: recorded before, from another set of runs.")
    if task.published:
        source_line(load_table(task.published.table))


def _outdated(stem: str, task: Task, model: str, asking: Asking) -> bool:
    return outdated(f"{stem}_accuracy", task=task.id, model=model, seed=asking.form.seed)


def _of(kept: Mapping[str, Progress], model: str) -> dict[str, Progress]:
    return {name.rsplit(" ", 1)[1]: progress for name, progress in kept.items() if name.rsplit(" ", 1)[0] == model}


def _comparisons(task: Task) -> dict[str, float]:
    lines = {"always the same label": few_shot.majority(task.items)} if task.labels else {}
    if task.published:
        frame = load_table(task.published.table).frame
        row = frame[frame[task.published.where] == task.published.value].iloc[0]
        percent = float(row[task.published.column])
        lines[f"{task.published.label}: {percent:.1f} %"] = percent / 100
    return lines


def published(stem: str, task: Task) -> None:
    """Show GPT-3's published results for this kind of task, and how its three settings grow with size."""
    if task.published:
        lecture_table(task.published.table, key=f"{stem}_published", columns=("task", "operation", "accuracy"))
    elif task.labels:
        lecture_table("gpt3_superglue", key=f"{stem}_published", columns=("system", "average", "boolq"))
    table = load_table("gpt3_by_size")
    st.markdown("**GPT-3: how much do examples help as it grows?**")
    names = list(_BENCHMARKS)
    benchmark = st.segmented_control("Benchmark", names, default=names[0], key=f"{stem}_by_size", required=True)
    figure = shots_by_size(table.frame, task=benchmark, metric=_BENCHMARKS[benchmark])
    chart(figure, key=f"{stem}_sizes", alt=f"GPT-3 on {benchmark} with zero, one and few examples, by size")
    source_line(table)
