"""Few-shot learning: ask a model a task's items after k exemplars and count the right answers.

Lecture: GPT-3, few-shot learning. Source: Brown et al. 2020 (arXiv:2005.14165), section 2.4: free text is generated
greedily and compared with the truth; where the answers are labels, the most probable label counts. No weight changes.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from lecture_core.answers import extract, same_answer
from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import GenerationChunk
from lecture_core.errors import ContextLengthError
from lecture_core.measurement import Answering, Measuring, Outcome, Progress, judged, tally
from lecture_core.prompting import build_prompt, exemplars_that_fit
from lecture_core.tasks import Item, Task
from lecture_core.text_input import checked

KS = (0, 1, 2, 4, 8)
"""Numbers of exemplars at which accuracy is measured."""


@dataclass(frozen=True)
class FittedPrompt:
    """A prompt that leaves room for its answer: `tokens` of the `context_length` that the model reads."""

    text: str
    tokens: int
    context_length: int


def fitted_prompt(
    engine: Engine, task: Task, item: Item, k: int, *, model: str, seed: int = 0, with_instruction: bool | None = None
) -> FittedPrompt:
    """Build the prompt and count its tokens.

    Raises:
        InvalidInputError: the question is empty, too long, or holds control characters.
        ContextLengthError: prompt and answer do not fit; says how many exemplars would.
    """
    checked(item.question)

    def build(exemplars: int) -> str:
        return build_prompt(task, item, exemplars, seed=seed, with_instruction=with_instruction)

    counted = engine.tokenise(build(k), model=model)
    tokens, room = len(counted.ids), counted.context_length - task.max_new_tokens
    if tokens <= room:
        return FittedPrompt(build(k), tokens, counted.context_length)
    fits = exemplars_that_fit(build, lambda text: len(engine.tokenise(text, model=model).ids), room, k)
    remedy = "Shorten the question" if fits is None else f"Take {fits} exemplar{'' if fits == 1 else 's'}: so many fit"
    raise ContextLengthError(
        f"Expected at most {room:,} tokens, so that the answer fits into the context of {counted.context_length:,}; "
        f"got {tokens:,}. {remedy}."
    )


def ask(engine: Engine, task: Task, item: Item, prompt: str, *, model: str, session: str = "") -> Answering:
    """Ask one question and stream the answer.

    An item with an empty answer gets no verdict: `right` is False and means nothing.
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
    right = found is not None and bool(item.answer) and same_answer(found.value, item.answer)
    yield text, Outcome(item, prompt, text, found, right, last.provenance)


def _rank_labels(engine: Engine, task: Task, item: Item, prompt: str, *, model: str, session: str) -> Outcome:
    scores = engine.score(prompt, [f" {label}" for label in task.labels], model=model, session=session)
    best = scores.completions[scores.best].text
    found = extract(best, task.patterns)
    logprobs = tuple(completion.logprob for completion in scores.completions)
    return Outcome(item, prompt, best, found, best.strip() == item.answer, scores.provenance, logprobs)


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
) -> Generator[Progress, None, None]:
    """Ask `items` one after another after the same `k` exemplars; yield the count after each.

    Args:
        seed: which exemplars; the same for every item, and never the item itself.
    """

    def outcomes() -> Generator[Outcome, None, None]:
        for item in items:
            prompt = build_prompt(task, item, k, seed=seed, with_instruction=with_instruction)
            yield judged(ask(engine, task, item, prompt, model=model, session=session))

    return tally(outcomes(), len(items))


def measure_over_k(
    engine: Engine,
    task: Task,
    *,
    items: Sequence[Item],
    model: str,
    seed: int = 0,
    with_instruction: bool | None = None,
    session: str = "",
) -> Measuring:
    """Measure at every k of `KS`, one after the other; yield k as text and its count after each question."""
    for k in KS:
        for progress in measure(
            engine, task, k, items=items, model=model, seed=seed, with_instruction=with_instruction, session=session
        ):
            yield str(k), progress
