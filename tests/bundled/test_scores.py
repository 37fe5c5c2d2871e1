"""Few-shot scores of the shipped model are the log-probabilities of the whole texts, for every task and k."""

import pytest

from lecture_core.engine import get_engine
from lecture_core.few_shot import KS
from lecture_core.prompting import build_prompt
from lecture_core.tasks import list_tasks, load_task

pytestmark = pytest.mark.bundled
MODEL = "smollm2-135m-instruct"
LONG = 8  # beyond so many exemplars one label is enough: the prompt is what takes time


@pytest.mark.parametrize("name", list_tasks("few_shot"))
def test_a_score_equals_the_sum_over_the_whole_text_at_every_k(name):
    engine, task = get_engine(), load_task(name)
    completions = [f" {label}" for label in task.labels[:2] or (task.items[0].answer,)]
    for k in KS:
        completions = completions[: 1 if k > LONG else 2]
        prompt = build_prompt(task, task.items[0], k)
        scored = engine.score(prompt, completions, model=MODEL)
        for completion in scored.completions:
            whole = engine.token_logprobs(prompt + completion.text, model=MODEL).tokens
            own = whole[-len(completion.tokens) :]
            assert completion.logprob == pytest.approx(sum(token.logprob for token in own), abs=1e-4)
            alone = engine.score(prompt, [completion.text], model=MODEL).completions[0]
            assert alone.logprob == pytest.approx(completion.logprob, abs=1e-4)
