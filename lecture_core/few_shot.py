"""Few-shot learning: ask a model a task's items after k exemplars and count the right answers.

Lecture: GPT-3, few-shot learning. Source: Brown et al. 2020 (arXiv:2005.14165), section 2.4: free text is generated
greedily and compared with the truth; where the answers are labels, the most probable label counts. No weight changes.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

from lecture_core.answers import extract, same_answer
from lecture_core.engine.protocol import Engine, GenerationChunk
from lecture_core.measurement import Outcome, Progress, tally
from lecture_core.prompting import build_prompt
from lecture_core.tasks import Item, Task

KS = (0, 1, 2, 4, 8)
"""Numbers of exemplars at which accuracy is measured."""


def ask(
    engine: Engine, task: Task, item: Item, prompt: str, *, model: str, session: str = ""
) -> Iterator[tuple[str, Outcome | None]]:
    """Ask one question and stream the answer: the text so far, and with the last step the verdict.

    Closing the iterator frees the model.

    Yields:
        The completion so far and None; at the end the completion and its `Outcome`.
    """
    if task.labels:
        outcome = _rank_labels(engine, task, item, prompt, model=model, session=session)
        yield outcome.completion, outcome
        return
    text, last = "", GenerationChunk("")
    stream = engine.generate(
        prompt, model=model, max_new_tokens=task.max_new_tokens, temperature=0.0, stop=task.stop, session=session
    )
    with closing(stream):  # type: ignore[type-var]
        for last in stream:
            text += last.text
            yield text, None
    found = extract(text, task.patterns)
    right = found is not None and same_answer(found.value, item.answer)
    yield text, Outcome(item, prompt, text, found, right, last.provenance)


def _rank_labels(engine: Engine, task: Task, item: Item, prompt: str, *, model: str, session: str) -> Outcome:
    scores = engine.score(prompt, [f" {label}" for label in task.labels], model=model, session=session)
    best = scores.completions[scores.best].text
    found = extract(best, task.patterns)
    logprobs = tuple(completion.logprob for completion in scores.completions)
    return Outcome(item, prompt, best, found, best.strip() == item.answer, scores.provenance, logprobs)


def answer(engine: Engine, task: Task, item: Item, prompt: str, *, model: str, session: str = "") -> Outcome:
    """Ask one question and wait for its verdict."""
    outcomes = [outcome for _, outcome in ask(engine, task, item, prompt, model=model, session=session)]
    last = outcomes[-1]
    if last is None:
        raise RuntimeError("a question ended without a verdict")
    return last


def measure(
    engine: Engine,
    task: Task,
    k: int,
    *,
    items: Sequence[Item],
    model: str,
    seed: int = 0,
    with_instruction: bool | None = None,
    session: str = "",
) -> Iterator[Progress]:
    """Ask `items` one after another after the same `k` exemplars; yield the count after each.

    Args:
        seed: which exemplars; the same for every item, and never the item itself.
    """

    def outcomes() -> Iterator[Outcome]:
        for item in items:
            prompt = build_prompt(task, item, k, seed=seed, with_instruction=with_instruction)
            yield answer(engine, task, item, prompt, model=model, session=session)

    return tally(outcomes(), len(items))
