"""Few-shot learning: ask a model a task's items after k exemplars and count the right answers.

Lecture: GPT-3, few-shot learning. Source: Brown et al. 2020 (arXiv:2005.14165), section 2.4: free text is generated
greedily and compared with the truth; where the answers are labels, the most probable label counts. No weight changes.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from lecture_core.answers import extract, same_answer
from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import GenerationChunk, Scores
from lecture_core.errors import ContextLengthError, StoppedError
from lecture_core.measurement import Answering, Measuring, Outcome, Progress, judged, tally
from lecture_core.prompting import (
    AS_ON_THE_SLIDE,
    Prompt,
    PromptForm,
    build_prompt,
    exemplars_that_fit,
    prompt_parts,
    too_long,
)
from lecture_core.provenance import Provenance
from lecture_core.tasks import Item, Task
from lecture_core.text_input import checked

KS = (0, 1, 2, 4, 8, 16, 32)
"""Numbers of exemplars at which accuracy is measured, as far as the task has so many and the context holds them."""
ITEMS = 100
"""Questions of a task that are asked at each k; the first ones of its file."""
TOGETHER = 25  # questions whose labels are ranked in one go


@dataclass(frozen=True)
class Asking:
    """How a task's questions are put to a model, and how its answers are judged.

    Attributes:
        model: catalog id of a causal LM.
        form: the form of the prompt.
        ranked: whether labels are ranked by probability; else, and where there are none, the model writes its answer.
    """

    model: str
    form: PromptForm = AS_ON_THE_SLIDE
    ranked: bool = True

    def ranks(self, task: Task) -> bool:
        """Whether this task's answers are ranked."""
        return self.ranked and bool(task.labels)

    def as_recorded(self, task: Task) -> bool:
        """Whether recorded rates were measured in this way, whatever the seed."""
        return self.form.standard_for(task) and self.ranks(task) == bool(task.labels)


@dataclass(frozen=True)
class FittedPrompt:
    """A prompt that leaves room for its answer: `tokens` of the `context_length` that the model reads."""

    parts: Prompt
    tokens: int
    context_length: int

    @property
    def text(self) -> str:
        """The text that the model reads."""
        return self.parts.text


def fitted_prompt(engine: Engine, task: Task, item: Item, k: int, asking: Asking) -> FittedPrompt:
    """Build the prompt and count its tokens.

    Raises:
        InvalidInputError: the question is empty, too long, or holds control characters.
        ContextLengthError: prompt and answer do not fit; says how many exemplars would.
    """
    checked(item.question)

    def build(exemplars: int) -> str:
        return build_prompt(task, item, exemplars, asking.form)

    counted = engine.tokenise(build(k), model=asking.model)
    tokens, room = len(counted.ids), counted.context_length - task.max_new_tokens
    if tokens <= room:
        return FittedPrompt(prompt_parts(task, item, k, asking.form), tokens, counted.context_length)
    fits = exemplars_that_fit(build, lambda text: len(engine.tokenise(text, model=asking.model).ids), room, k)
    remedy = "Shorten the question" if fits is None else f"Take {fits} exemplar{'' if fits == 1 else 's'}: so many fit"
    raise too_long(tokens, room=room, context=counted.context_length, remedy=remedy)


def numbers_of_exemplars(engine: Engine, task: Task, items: Sequence[Item], asking: Asking) -> tuple[int, ...]:
    """Return those of `KS` for which the task has exemplars and the longest of `items` fits into the context."""
    longest = max(items, key=lambda item: len(item.question))
    most = sum(exemplar.question.strip() != longest.question.strip() for exemplar in task.exemplars)
    fitting = []
    for k in (k for k in KS if k <= most):
        try:
            fitted_prompt(engine, task, longest, k, asking)
        except ContextLengthError:
            break
        fitting.append(k)
    return tuple(fitting)


def ask(engine: Engine, task: Task, item: Item, prompt: str, asking: Asking, *, session: str = "") -> Answering:
    """Ask one question and stream the answer.

    An item with an empty answer gets no verdict: `right` is False and means nothing.
    """
    if asking.ranks(task):
        scores = engine.score(prompt, _completions(task), model=asking.model, session=session)
        outcome = _ranked(task, item, prompt, scores)
        yield outcome.completion, outcome
        return
    text, last = "", GenerationChunk("")
    stream = engine.generate(
        prompt,
        model=asking.model,
        max_new_tokens=task.max_new_tokens,
        temperature=0.0,
        stop=task.stop,
        logprobs=False,
        session=session,
    )
    with closing(stream):  # type: ignore[type-var]
        for last in stream:
            text += last.text
            yield text, None
    if last.reason == "cancelled":  # half a text would be judged as an answer
        raise StoppedError("Stopped while it wrote: a newer request took its place.")
    yield text, judged_text(task, item, prompt, text, last.provenance)


def judged_text(task: Task, item: Item, prompt: str, text: str, made: Provenance | None) -> Outcome:
    """Find the answer in what a model wrote and compare it with the truth, as the task says."""
    found = extract(text, task.patterns)
    right = found is not None and bool(item.answer) and same_answer(found.value, item.answer, match=task.match)
    return Outcome(item, prompt, text, found, right, made)


def judged_labels(task: Task, item: Item, prompt: str, logprobs: Sequence[float], made: Provenance | None) -> Outcome:
    """Compare the most probable label with the truth.

    Args:
        logprobs: summed log-probability in nats of each label, in the task's order; the first of equals wins.
    """
    best = _completions(task)[max(range(len(logprobs)), key=logprobs.__getitem__)]
    return Outcome(item, prompt, best, extract(best, task.patterns), best.strip() == item.answer, made, tuple(logprobs))


def _completions(task: Task) -> list[str]:
    return [f" {label}" for label in task.labels]


def _ranked(task: Task, item: Item, prompt: str, scores: Scores) -> Outcome:
    logprobs = [completion.logprob for completion in scores.completions]
    return judged_labels(task, item, prompt, logprobs, scores.provenance)


def measure(
    engine: Engine, task: Task, k: int, asking: Asking, *, items: Sequence[Item], session: str = ""
) -> Generator[Progress, None, None]:
    """Ask `items` after the same `k` exemplars; yield the count after each.

    Labels are ranked for many questions at once, the exemplars that they share read once; text is written one answer
    after another.
    """
    prompts = [build_prompt(task, item, k, asking.form) for item in items]
    pairs = list(zip(items, prompts, strict=True))

    def ranked() -> Generator[Outcome, None, None]:
        together = max(1, 2 * TOGETHER // len(task.labels))
        for part in (pairs[i : i + together] for i in range(0, len(pairs), together)):
            texts = [prompt for _, prompt in part]
            found = engine.score_prompts(texts, _completions(task), model=asking.model, session=session)
            for (item, prompt), scores in zip(part, found.prompts, strict=True):
                yield _ranked(task, item, prompt, replace(scores, provenance=found.provenance))

    def written() -> Generator[Outcome, None, None]:
        for item, prompt in pairs:
            yield judged(ask(engine, task, item, prompt, asking, session=session))

    return tally(ranked() if asking.ranks(task) else written(), len(items))


def measure_over_k(
    engine: Engine, task: Task, asking: Asking, *, items: Sequence[Item], session: str = ""
) -> Measuring:
    """Measure at every k that fits, one after the other; yield k as text and its count after each question."""
    for k in numbers_of_exemplars(engine, task, items, asking):
        for progress in measure(engine, task, k, asking, items=items, session=session):
            yield str(k), progress


def majority(items: Iterable[Item]) -> float:
    """Return the share of the most frequent answer: what always saying the same would get right."""
    counts = Counter(item.answer for item in items)
    return max(counts.values()) / counts.total()
