"""After this page a student can write a few-shot prompt and say how far its accuracy can be trusted."""

from dataclasses import replace

import streamlit as st

from lecture_core.engine import get_engine
from lecture_core.few_shot import fitted_prompt
from lecture_core.measurement import combined
from lecture_core.prompting import build_prompt
from lecture_core.prompting_code import task_code
from lecture_core.ui import few_shot, few_shot_questions, page, prompting_inputs, results
from lecture_core.ui.errors import user_errors
from lecture_core.ui.prompting_inputs import Asked

STEM = "few_shot"
GUESSES = {True: "Yes", False: "No"}
ZERO_SHOT = "Zero-shot"
DEEPER = (
    ("GPT-3 (Brown et al. 2020)", "https://arxiv.org/abs/2005.14165"),
    ("Rethinking the role of demonstrations (Min et al. 2022)", "https://arxiv.org/abs/2202.12837"),
    ("Why in-context learning works (Stanford AI Lab)", "http://ai.stanford.edu/blog/in-context-learning/"),
)


def has_guess(asked: Asked) -> bool:
    """Whether there is something to guess: the answer without the exemplars, where the truth is known."""
    return asked.k > 0 and bool(asked.item.answer)


def one_question(asked: Asked) -> None:
    """Ask the chosen question with and without exemplars; last, so that the page stands while the model writes."""
    engine, model, k = get_engine(), asked.asking.model, asked.k
    counts = ({f"{k} exemplar{'s' * (k > 1)}": k} if k else {}) | {ZERO_SHOT: 0}
    fit = {name: fitted_prompt(engine, asked.task, asked.item, n, asked.asking) for name, n in counts.items()}
    generating = not asked.asking.ranks(asked.task)
    before = engine.weights_checksum(model, generating=generating, load=True)
    guessed = ZERO_SHOT if has_guess(asked) else ""
    came = few_shot.answers(STEM, asked.task, asked.item, fit, asked.asking, guessed=guessed)
    if guessed in came:
        page.reveal(STEM, GUESSES[came[guessed].right])
    made = combined(came.values())
    if made:
        results.caption(replace(made, seed=asked.asking.form.seed))  # of the exemplars; the answer is not drawn
        results.weights(before, engine.weights_checksum(model, generating=generating))


page.header(STEM)
asked = prompting_inputs.question(STEM)
if asked:
    page.new_question(STEM, (asked.task.id, asked.item, asked.k))
    if has_guess(asked):
        page.predict(STEM, "Will the model get this question right **without** the exemplars?", tuple(GUESSES.values()))
result = st.container()
if asked:
    covered = (0,) if has_guess(asked) and not results.may_see(STEM) else ()
    left, right = st.columns([3, 2], gap="large")
    with left, user_errors():
        st.subheader(f"How often is it right? {asked.task.title}", anchor=False)
        few_shot.accuracy(STEM, asked.task, asked.asking, covered=covered)
    with right:
        few_shot.published(STEM, asked.task)
    with user_errors():
        few_shot_questions.every_question(STEM, asked.task, asked.asking, covered=covered)
page.notice(
    "The exemplars (solved examples in the prompt) change only what the model **reads**: same weights, one forward "
    "pass a token.",
    "One right answer proves little. The interval says what so many questions can prove.",
    "More exemplars do not always help a small model, and they use up the context. Try **Settings**: random answers or "
    "another order in the exemplars show what the model takes from them.",
)
if asked:
    prompt = build_prompt(asked.task, asked.item, asked.k, asked.asking.form)
    page.footer(STEM, code=task_code(asked.task, asked.asking, prompt), deeper=DEEPER)
    with result, user_errors():
        one_question(asked)
