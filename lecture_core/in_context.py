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

MAX_EXAMPLES = 32
RISES = ("It rises as high", "It rises, but less", "It stays flat")


@dataclass(frozen=True)
class Written:
    """A prompt of several solved examples.

    Attributes:
        text: all of them, in order.
        answers: (start, end) of each answer in the text, in characters.
    """

    text: str
    answers: tuple[tuple[int, int], ...]


def write(task: Task, k: int, *, condition: str = "true", seed: int = 0) -> Written:
    """Write `k` solved examples drawn with `seed`; seed 0 keeps the file's order, the lecture's own first.

    Raises:
        InvalidInputError: `k` or the condition is out of range.
    """
    items = [*task.exemplars, *task.items]
    if not 1 <= k <= min(MAX_EXAMPLES, len(items)) or condition not in CONDITIONS:
        raise InvalidInputError(
            expected=f"1 to {min(MAX_EXAMPLES, len(items))} examples and one of {', '.join(CONDITIONS)}",
            got=f"{k}, {condition[:40]}",
            remedy="choose within the range",
        )
    rng = random.Random(seed)
    if seed:
        rng.shuffle(items)
    text, answers = "", []
    answers_known = [item.answer for item in items]
    for i, item in enumerate(CONDITIONS[condition].change(items[:k], rng, answers_known)):
        text += (task.separator if i else "") + task.prompt.replace("{question}", item.question) + " "
        answers.append((len(text), len(text) + len(item.answer)))
        text += item.answer
    return Written(text, tuple(answers))


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
        fits = sum(end * len(counted.ids) <= len(written.text) * counted.context_length for _, end in written.answers)
        raise ContextLengthError(
            f"Expected at most {counted.context_length:,} tokens, all that the model reads at once; got "
            f"{len(counted.ids):,}. Take about {fits} examples."
        )
    found = engine.token_logprobs(written.text, model=model, top_k=1)
    owners = tuple(_owner(span, written.answers) for span in counted.spans)
    answers = []
    for i in range(len(written.answers)):
        own = [t.logprob for t, owner in zip(found.tokens, owners, strict=True) if owner == i]
        answers.append(sum(own) / len(own))
    return Pass(written, tuple(answers), found.tokens, counted.starts_word, owners, found.provenance)


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


def examples_that_fit(tokens: int, examples: int, contexts: Sequence[int]) -> dict[int, int]:
    """How many examples of this length fit into each context, from the tokens that some of them take."""
    return {context: context * examples // tokens for context in contexts}
