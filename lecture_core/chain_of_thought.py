"""Three ways to ask the same word problem: for the answer alone, after worked examples, and step by step.

Lecture: chain-of-thought (CoT) prompting. Sources: Wei et al. 2022 (arXiv:2201.11903) for exemplars that reason and for
standard prompting, which keeps the exemplars and drops their reasoning; Kojima et al. 2022 (arXiv:2205.11916) for
"Let's think step by step." and its second prompt, which asks for the answer. Text in, text out.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Literal

from lecture_core.answers import AnswerPatterns, Extracted, extract, first, same_answer
from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import GenerationChunk
from lecture_core.errors import StoppedError
from lecture_core.exemplars import choose_exemplars
from lecture_core.measurement import Answering, Measuring, Outcome, Progress, judged, tally
from lecture_core.prompting import too_long
from lecture_core.statistics import wilson
from lecture_core.tasks import Item, Task

Method = Literal["direct", "reasoning", "step_by_step"]
METHODS: dict[Method, str] = {
    "direct": "Answer at once",
    "reasoning": "Exemplars that reason",
    "step_by_step": "Let's think step by step",
}
TRIGGER = "Let's think step by step."
ANSWER_TRIGGER = "Therefore, the answer (arabic numerals) is"
ANSWER_TOKENS = 12
STOPS: dict[Method, tuple[str, ...]] = {
    "direct": ("\n",),
    "reasoning": ("\n\n", "\nQ:"),
    "step_by_step": ("\nQ:",),
}
"""What ends a completion; reasoning without exemplars may use empty lines."""
_FIRST_NUMBER = r"(-?\d[\d,]*(?:\.\d+)?)"


def build_prompt(task: Task, item: Item, method: Method, k: int = 4, *, seed: int = 0) -> str:
    """Return the prompt of one method; step by step takes no exemplars.

    Args:
        k: exemplars of the two methods that take them; 0 asks without any.
    """
    asked = task.prompt.replace("{question}", item.question)
    if method == "step_by_step":
        return f"{asked} {TRIGGER}"
    shown = [_exemplar(task, e, method) for e in choose_exemplars(task, item, k, seed=seed)]
    end = " The answer is" if method == "direct" else ""
    return task.separator.join([*shown, asked + end])


def _exemplar(task: Task, exemplar: Item, method: Method) -> str:
    rationale = f"{exemplar.rationale} " if method == "reasoning" else ""
    return f"{task.prompt.replace('{question}', exemplar.question)} {rationale}The answer is {exemplar.answer}."


def answer_prompt(prompt: str, reasoning: str) -> str:
    """Return the second prompt of the zero-shot method: the reasoning, then the words that ask for the number."""
    return f"{prompt}{reasoning.rstrip()}\n{ANSWER_TRIGGER}"


def check_room(engine: Engine, task: Task, item: Item, *, model: str, k: int = 4, seed: int = 0) -> None:
    """Count the longest of the prompts of all methods, so that a question too long is told once.

    Raises:
        ContextLengthError: prompt and answer do not fit into the model's context.
    """
    counts = [engine.tokenise(build_prompt(task, item, method, k, seed=seed), model=model) for method in METHODS]
    longest = max(counts, key=lambda counted: len(counted.ids))
    asking = len(engine.tokenise(f"\n{ANSWER_TRIGGER}", model=model).ids)
    room = longest.context_length - task.max_new_tokens - asking - ANSWER_TOKENS
    if len(longest.ids) > room:
        remedy = "Shorten the question" + (" or take fewer exemplars" if k else "")
        raise too_long(len(longest.ids), room=room, context=longest.context_length, remedy=remedy)


def ask(
    engine: Engine, task: Task, item: Item, method: Method, *, model: str, k: int = 4, seed: int = 0, session: str = ""
) -> Answering:
    """Ask one question one way and stream what the model writes; step by step includes the words of the second prompt.

    An item with an empty answer gets no verdict: `right` is False and means nothing.
    """
    prompt = build_prompt(task, item, method, k, seed=seed)
    budget = ANSWER_TOKENS if method == "direct" else task.max_new_tokens
    stop = STOPS[method]
    text, last = "", GenerationChunk("")
    for text, last in _written(engine, prompt, budget, stop, model, session):  # noqa: B007
        yield text, None
    origin = last.provenance
    if method == "step_by_step" and origin is not None:
        second = answer_prompt(prompt, text)
        reasoning = second.removeprefix(prompt)
        for tail, last in _written(engine, second, ANSWER_TOKENS, ("\n",), model, session):  # noqa: B007
            text = reasoning + tail
            yield text, None
        origin = last.provenance and replace(last.provenance, seconds=origin.seconds + last.provenance.seconds)
    found = find_answer(text, method, task.patterns)
    right = found is not None and bool(item.answer) and same_answer(found.value, item.answer)
    yield text, Outcome(item, prompt, text, found, right, origin)


def _written(
    engine: Engine, prompt: str, budget: int, stop: Sequence[str], model: str, session: str
) -> Generator[tuple[str, GenerationChunk], None, None]:
    text = ""
    stream = engine.generate(
        prompt, model=model, max_new_tokens=budget, temperature=0.0, stop=tuple(stop), logprobs=False, session=session
    )
    with closing(stream):  # type: ignore[type-var]
        for chunk in stream:
            text += chunk.text
            yield text, chunk
            if chunk.reason == "cancelled":  # half a text would be judged as an answer
                raise StoppedError("Stopped while it wrote: a newer request took its place.")


def find_answer(text: str, method: Method, patterns: AnswerPatterns) -> Extracted | None:
    """Return the answer in what the model wrote.

    Direct: the first number. Step by step: the first number after the words that ask for it. Exemplars that reason:
    the number after "The answer is", else the last one.
    """
    if method == "reasoning":
        return extract(text, patterns)
    start = text.rfind(ANSWER_TRIGGER)
    offset = start + len(ANSWER_TRIGGER) if start >= 0 else 0
    if method == "step_by_step" and start < 0:
        return None
    found = first(text[offset:], _FIRST_NUMBER)
    return found and replace(found, start=found.start + offset, end=found.end + offset)


def measure(
    engine: Engine,
    task: Task,
    method: Method,
    *,
    items: Sequence[Item],
    model: str,
    k: int = 4,
    seed: int = 0,
    session: str = "",
) -> Generator[Progress, None, None]:
    """Ask `items` one after another one way; yield the count after each."""

    def outcomes() -> Generator[Outcome, None, None]:
        for item in items:
            yield judged(ask(engine, task, item, method, model=model, k=k, seed=seed, session=session))

    return tally(outcomes(), len(items))


def measure_methods(
    engine: Engine, task: Task, *, items: Sequence[Item], model: str, k: int = 4, seed: int = 0, session: str = ""
) -> Measuring:
    """Measure every method, one after the other; yield its name and its count after each question."""
    for method in METHODS:
        for progress in measure(engine, task, method, items=items, model=model, k=k, seed=seed, session=session):
            yield method, progress


def finding(direct: tuple[int, int], reasoning: tuple[int, int]) -> str:
    """Say in one sentence whether exemplars that reason helped, as far as the counts can tell.

    Args:
        direct: right answers and questions asked, answering at once.
        reasoning: the same with exemplars that reason.
    """
    (right, n), (right_cot, n_cot) = direct, reasoning
    counts = f"{right_cot} of {n_cot} right with reasoning, {right} of {n} without"
    low, high = wilson(right, n)
    low_cot, high_cot = wilson(right_cot, n_cot)
    if low_cot > high:
        return f"{counts}: here reasoning helps."
    known = "models under 10B parameters rarely gain from reasoning (Wei et al. 2022)"
    if high_cot < low:
        return f"{counts}: here reasoning hurts; {known}."
    return f"{counts}: the 95 % intervals overlap, so no gain is shown; {known}."
