"""T5's pre-training objective on a list of tokens: replace spans by sentinels, predict what they hid.

Source: Raffel et al. 2020, section 3.1.4 and figure 2 (arXiv:1910.10683). Spans never touch each other and never stand
at the very start of a text that was drawn at random, as in the authors' code.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from lecture_core.errors import InvalidInputError

_SENTINEL = re.compile(r"<extra_id_(\d+)>")
T = TypeVar("T")
Span = tuple[int, int]


@dataclass(frozen=True)
class Corrupted(Generic[T]):
    """Input and target of one text, without the end-of-sequence token.

    Attributes:
        inputs: the text with one sentinel in place of each span.
        targets: each sentinel followed by the span it hid, and one last sentinel.
    """

    inputs: tuple[T, ...]
    targets: tuple[T, ...]


def draw_spans(
    length: int, generator: np.random.Generator, *, rate: float = 0.15, mean_span: float = 3.0
) -> tuple[Span, ...]:
    """Draw spans that cover about `rate` of `length` tokens, `mean_span` tokens long on average.

    Args:
        length: number of tokens of the text.
        rate: share of the tokens to hide, in (0, 1).
        mean_span: average length of a span, in tokens, at least 1.

    Returns:
        (start, stop) of each span in reading order; none if the text has fewer than two tokens.

    Raises:
        InvalidInputError: the rate or the mean length is out of range.
    """
    if not 0 < rate < 1 or not mean_span >= 1:
        raise InvalidInputError(
            expected="a rate between 0 and 1 and a mean span of at least 1",
            got=f"rate {rate}, mean span {mean_span}",
            remedy="use the paper's 0.15 and 3",
        )
    if length < 2:
        return ()
    hidden = min(max(round(length * rate), 1), length - 1)
    count = min(max(round(hidden / mean_span), 1), hidden, length - hidden)
    spans, position = [], 0
    for kept, span in zip(_pieces(length - hidden, count, generator), _pieces(hidden, count, generator), strict=True):
        spans.append((position + kept, position + kept + span))
        position += kept + span
    return tuple(spans)


def _pieces(total: int, count: int, generator: np.random.Generator) -> list[int]:
    """Cut `total` into `count` random pieces of at least one."""
    cuts = np.sort(generator.choice(np.arange(1, total), count - 1, replace=False))
    return [int(n) for n in np.diff(np.concatenate([[0], cuts, [total]]))]


def corrupt(tokens: Sequence[T], spans: Sequence[Span], sentinels: Sequence[T]) -> Corrupted[T]:
    """Replace each span by its sentinel; the targets hold the spans.

    Args:
        tokens: the text.
        spans: (start, stop) in reading order, neither empty nor touching or overlapping each other.
        sentinels: at least one more than there are spans.

    Raises:
        InvalidInputError: the spans or the sentinels do not fit.
    """
    bounds = [0, *(edge for span in spans for edge in span), len(tokens)]
    inside = all(a < b for a, b in spans) and all(a[1] < b[0] for a, b in itertools.pairwise(spans))
    if not inside or bounds != sorted(bounds):
        raise InvalidInputError(
            expected=f"spans in reading order within {len(tokens)} tokens, with a token between two spans",
            got=str(list(spans)),
            remedy="join spans that touch",
        )
    if len(sentinels) <= len(spans):
        raise InvalidInputError(
            expected=f"at most {len(sentinels) - 1} spans", got=str(len(spans)), remedy="choose fewer spans"
        )
    inputs: list[T] = []
    targets: list[T] = []
    position = 0
    for (start, stop), sentinel in zip(spans, sentinels, strict=False):
        inputs += [*tokens[position:start], sentinel]
        targets += [sentinel, *tokens[start:stop]]
        position = stop
    return Corrupted((*inputs, *tokens[position:]), (*targets, sentinels[len(spans)]))


def rebuild(corrupted: Corrupted[T], sentinels: Sequence[T]) -> tuple[T, ...]:
    """Put the spans back: the text that `corrupt` was given. Sentinels missing from the targets hide nothing."""
    known = set(sentinels)
    spans: dict[T, list[T]] = {}
    current: list[T] = []
    for token in corrupted.targets:
        if token in known:
            current = spans.setdefault(token, [])
        else:
            current.append(token)
    return tuple(t for token in corrupted.inputs for t in (spans.get(token, []) if token in known else [token]))


def spans_written(output: str) -> dict[int, str]:
    """Read a target of span corruption: number of each sentinel -> the text written after it.

    What stands before the first sentinel belongs to none; a sentinel written twice keeps its first text.
    """
    pieces = _SENTINEL.split(output)
    found: dict[int, str] = {}
    for number, text in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(int(number), text.strip())
    return found
