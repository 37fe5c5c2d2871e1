"""After this page a student can write a few-shot prompt and say how far its accuracy can be trusted."""

from collections.abc import Mapping
from dataclasses import asdict

import streamlit as st

from lecture_core import few_shot
from lecture_core.engine import get_engine
from lecture_core.few_shot import FittedPrompt
from lecture_core.figures.prompting import Measured, accuracy_over_k
from lecture_core.figures.template import CHART_CONFIG
from lecture_core.measurement import Answering, Measuring, Outcome, Progress, combined, label_shares
from lecture_core.prompting import build_prompt
from lecture_core.prompting_code import task_code
from lecture_core.recorded_runs import counted, rates
from lecture_core.tasks import Item, Task
from lecture_core.ui import page, prompting_inputs, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.measuring import measuring, origin
from lecture_core.ui.memory import session_id
from lecture_core.ui.prompting_inputs import Setup
from lecture_core.ui.race import race
from lecture_core.ui.tables import lecture_table

STEM = "few_shot"
ITEMS = 50
GUESSES = {
    (True, True): "With and without exemplars",
    (True, False): "Only with exemplars",
    (False, True): "Only without",
    (False, False): "Neither",
}
DEEPER = (
    ("GPT-3 (Brown et al. 2020)", "https://arxiv.org/abs/2005.14165"),
    ("Why in-context learning works (Stanford AI Lab)", "http://ai.stanford.edu/blog/in-context-learning/"),
)


def run(task: Task, item: Item, prompts: Mapping[str, FittedPrompt], model: str) -> dict[str, Outcome]:
    """Show the exact prompt and, beside it, the answers with and without exemplars."""
    left, right = st.columns([4, 3], gap="medium")
    prompt = next(iter(prompts.values()))
    left.markdown(f"**The exact prompt** :small[:gray[{prompt.tokens:,} of at most {prompt.context_length:,} tokens]]")
    left.code(prompt.text, language=None, wrap_lines=True, height=250)
    boxes, slots = {}, {}
    for name in prompts:
        boxes[name] = right.container(gap="xsmall")
        boxes[name].markdown(f"**{name}**")
        slots[name] = boxes[name].empty()

    def start(name: str) -> Answering:
        return few_shot.ask(get_engine(), task, item, prompts[name].text, model=model, session=session_id())

    outcomes = race(STEM, (item, model, *prompts.values()), slots, start, control=right.empty(), lines=1)
    for name, outcome in outcomes.items():
        if outcome.label_logprobs:
            with boxes[name]:
                results.candidate_bars(f"{STEM}_{name}", label_shares(task.labels, outcome), family="decoder")
    return outcomes


def accuracy(task: Task, setup: Setup) -> None:
    """Measure the task at every k, or show what was recorded."""
    items = task.items[:ITEMS]
    as_recorded = setup.with_instruction == task.instruct
    recorded = rates(f"{STEM}_accuracy", task=task.id, model=setup.model, seed=setup.seed) if as_recorded else {}

    def steps(session: str) -> Measuring:
        return few_shot.measure_over_k(get_engine(), task, items=items, **asdict(setup), session=session)

    def draw(kept: Mapping[str, Progress]) -> None:
        counts, made = counted(kept, recorded)
        points = [Measured(int(k), right, n, f"k = {k}:") for k, (right, n) in counts.items()]
        figure = accuracy_over_k(points, ks=few_shot.KS, chance=1 / len(task.labels) if task.labels else None)
        alt = "; ".join(f"{p.label} {p.right} of {p.n} right" for p in points) or "nothing measured yet"
        st.plotly_chart(figure, key=f"{STEM}_chart", config=CHART_CONFIG, alt=alt)
        origin(made)

    st.subheader(f"How often is it right? {task.title}", anchor=False)
    names = {str(k): f"k = {k}" for k in few_shot.KS}
    label = f"Measure {len(items)} questions at each k"
    measuring(STEM, label=label, inputs=(task.id, setup), names=names, items=len(items), steps=steps, draw=draw)


page.header(STEM)
page.predict(STEM, "Will a model of 135M parameters get the question below right?", tuple(GUESSES.values()))
task, item, k, setup = prompting_inputs.question(STEM)
result = st.container()
left, right = st.columns([3, 2], gap="large")
with left:
    accuracy(task, setup)
with right:
    lecture_table("gpt3_superglue", key=STEM)
page.notice(
    "The exemplars change only what the model **reads**: same weights, one forward pass a token.",
    "One right answer proves little. The interval says what 50 questions can prove.",
    "More exemplars do not always help a small model, and they use up the context.",
)
options = {"seed": setup.seed, "with_instruction": setup.with_instruction}
page.footer(STEM, code=task_code(task, setup.model, build_prompt(task, item, k, **options)), deeper=DEEPER)

with result, user_errors():  # last, so that the page stands while the model writes
    engine, counts = get_engine(), ({f"{k} exemplar{'s' * (k > 1)}": k} if k else {}) | {"Zero-shot": 0}
    fit = {name: few_shot.fitted_prompt(engine, task, item, n, **asdict(setup)) for name, n in counts.items()}
    before = engine.weights_checksum(setup.model)
    came = run(task, item, fit, setup.model)
    made = combined(came.values())
    if made:
        results.caption(made)
        results.weights(before, engine.weights_checksum(setup.model))
    if len(came) == 2 and item.answer:
        with_exemplars, without = (outcome.right for outcome in came.values())
        page.reveal(STEM, GUESSES[with_exemplars, without])
