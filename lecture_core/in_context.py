"""Learning inside one forward pass: how probable each successive example's answer is, the more examples were read.

Lecture: GPT-3, in-context learning. The whole prompt goes through the model once; no weight changes. What the examples
must have is tried by spoiling them (`exemplars.CONDITIONS`). Log-probabilities are in nats.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import TokenLogprob
from lecture_core.errors import ContextLengthError, InvalidInputError
from lecture_core.exemplars import CONDITIONS
from lecture_core.provenance import Provenance
from lecture_core.statistics import student95
from lecture_core.tasks import Task
from lecture_core.text_input import MAX_PROMPT_CHARACTERS

MAX_EXAMPLES = 32
RISES = ("It rises as high", "It rises, but less", "It stays flat")


@dataclass(frozen=True)
class Written:
    """A prompt of several solved examples.

    Attributes:
        text: all of them, in order.
        answers: (start, end) of each answer in the text, in characters.
        condition: key of `exemplars.CONDITIONS`.
        seed: of the draw; 0 for the file's order.
    """

    text: str
    answers: tuple[tuple[int, int], ...]
    condition: str = "true"
    seed: int = 0


def write(task: Task, k: int, *, condition: str = "true", seed: int = 0) -> Written:
    """Write `k` solved examples drawn with `seed`; seed 0 keeps the file's order, the lecture's own first.

    Raises:
        InvalidInputError: `k` or the condition is out of range.
    """
    most = min(MAX_EXAMPLES, len(task.exemplars) + len(task.items))
    if not 1 <= k <= most or condition not in CONDITIONS:
        raise InvalidInputError(
            expected=f"1 to {most} examples and one of {', '.join(CONDITIONS)}",
            got=f"{k}, {condition[:40]}",
            remedy="choose within the range",
        )
    return _written(task, k, condition, seed)


def _written(task: Task, k: int, condition: str, seed: int) -> Written:
    items = [*task.exemplars, *task.items]
    rng = random.Random(seed)
    if seed:
        rng.shuffle(items)
    text, answers = "", []
    answers_known = [item.answer for item in items]
    for i, item in enumerate(CONDITIONS[condition].change(items[:k], rng, answers_known)):
        text += (task.separator if i else "") + task.prompt.replace("{question}", item.question) + " "
        answers.append((len(text), len(text) + len(item.answer)))
        text += item.answer
    return Written(text, tuple(answers), condition, seed)


@dataclass(frozen=True)
class Pass:
    """One forward pass over a prompt.

    Attributes:
        answers: log-probability of each example's answer, nats a token, in order.
        tokens: every token with what the model expected.
        owners: for each token the example whose answer it belongs to, else None.
    """

    written: Written
    answers: tuple[float, ...]
    tokens: tuple[TokenLogprob, ...]
    starts_word: tuple[bool, ...]
    owners: tuple[int | None, ...]
    provenance: Provenance


def read_once(engine: Engine, written: Written, *, model: str) -> Pass:
    """Send the prompt through the model once and read the probability of each answer where it stands.

    Raises:
        ContextLengthError: the prompt does not fit; says how many examples would.
    """
    counted = engine.tokenise(written.text, model=model)
    if len(counted.ids) > counted.context_length:
        fits = sum(count <= counted.context_length for count in _tokens_to(written.answers, counted.spans))
        raise ContextLengthError(
            f"Expected at most {counted.context_length:,} tokens, all that the model reads at once; got "
            f"{len(counted.ids):,}. Take {fits} example{'' if fits == 1 else 's'}: so many fit."
        )
    found = engine.token_logprobs(written.text, model=model, top_k=1)
    owners = tuple(_owner(span, written.answers) for span in counted.spans)
    answers = []
    for i in range(len(written.answers)):
        own = [t.logprob for t, owner in zip(found.tokens, owners, strict=True) if owner == i]
        answers.append(sum(own) / len(own))
    return Pass(written, tuple(answers), found.tokens, counted.starts_word, owners, found.provenance)


def _tokens_to(answers: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[int]:
    """Count the tokens from the beginning to the end of each answer."""
    return [sum(start < end for start, _ in spans) for _, end in answers]


def _owner(span: tuple[int, int], answers: Sequence[tuple[int, int]]) -> int | None:
    """The answer that a token belongs to: one that overlaps it, the space before the answer counted."""
    return next((i for i, (a, b) in enumerate(answers) if span[0] < b and span[1] > a), None)


@dataclass(frozen=True)
class CurvePoint:
    """The mean log-probability of the answer at one position over several draws of the examples, nats a token.

    Attributes:
        position: 1 for the first example.
        low, high: 95 % interval of the mean (Student's t); equal to the mean for one draw.
        n: number of draws.
    """

    position: int
    mean: float
    low: float
    high: float
    n: int


def curve(passes: Sequence[Pass]) -> tuple[CurvePoint, ...]:
    """Average passes of the same length position by position."""
    points = []
    for position, values in enumerate(zip(*(one.answers for one in passes), strict=True), start=1):
        n, mean = len(values), sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n) if n > 1 else 0.0
        reach = student95(n) * spread if n > 1 else 0.0
        points.append(CurvePoint(position, mean, mean - reach, min(0.0, mean + reach), n))
    return tuple(points)


def rise(true: Sequence[CurvePoint], spoiled: Sequence[CurvePoint]) -> str:
    """Say which of `RISES` a curve of spoiled examples does beside that of true ones, by the last quarter of each.

    As high: the answers are at least 0.8 times as probable as the true ones. Flat: they are not even 1.5 times as
    probable as at the first example (geometric means of a token's probability).
    """

    def end(points: Sequence[CurvePoint]) -> float:
        last = points[-max(1, len(points) // 4) :]
        return math.exp(sum(point.mean for point in last) / len(last))

    if end(spoiled) >= 0.8 * end(true):
        return RISES[0]
    return RISES[1] if end(spoiled) >= 1.5 * math.exp(spoiled[0].mean) else RISES[2]


@dataclass(frozen=True)
class Fits:
    """How many examples fit into a context.

    Attributes:
        context: tokens that a model reads at once.
        examples: whole examples, the first ones of a draw.
        counted: whether their tokens were counted; else the task has too few, and the mean of those it has goes on.
    """

    context: int
    examples: int
    counted: bool


def examples_that_fit(
    engine: Engine, task: Task, contexts: Sequence[int], *, model: str, condition: str = "true", seed: int = 0
) -> tuple[Fits, ...]:
    """Count how many examples of a draw fit into each context; asks the tokenizer only.

    The draw of `write` with the same condition and seed is continued with all the examples that the task has.
    """
    drawn = _written(task, len(task.exemplars) + len(task.items), condition, seed)
    answers = [answer for answer in drawn.answers if answer[1] <= MAX_PROMPT_CHARACTERS]
    spans = engine.tokenise(drawn.text[: answers[-1][1]], model=model).spans
    tokens = _tokens_to(answers, spans)
    found = []
    for context in contexts:
        counted = tokens[-1] >= context
        fitting = sum(count <= context for count in tokens) if counted else context * len(tokens) // tokens[-1]
        found.append(Fits(context, fitting, counted))
    return tuple(found)
