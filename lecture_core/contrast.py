"""Two sentences, one mask each: which words of the whole vocabulary a model expects more in one than in the other.

Lecture: recap of pre-training. What a masked LM took over from its texts, stereotypes included, shows in such pairs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lecture_core.engine.results import VocabularyAtMask

LIKELY = 1e-4  # a word less probable than this in both sentences is never named as a difference


@dataclass(frozen=True)
class Difference:
    """A word and its probability, in [0, 1], in the first and in the second sentence."""

    word: str
    first: float
    second: float


def differences(first: VocabularyAtMask, second: VocabularyAtMask, *, count: int = 8) -> list[Difference]:
    """Return the words that set two sentences apart: `count` for each, the strongest first, those of the first before.

    Strength is the probability times its log-ratio to the other sentence: a word's part of the Kullback-Leibler
    divergence, so that neither rare words nor words common to both win.
    """
    rows = [
        Difference(word, math.exp(a), math.exp(b))
        for word, a, b in zip(first.words, first.logprobs, second.logprobs, strict=True)
        if max(a, b) > math.log(LIKELY)
    ]
    return [*_strongest(rows, count), *_strongest(rows, count, swapped=True)]


def _strongest(rows: Sequence[Difference], count: int, *, swapped: bool = False) -> list[Difference]:
    def strength(row: Difference) -> float:
        here, there = (row.second, row.first) if swapped else (row.first, row.second)
        return here * math.log(here / there) if here and there else here

    return [row for row in sorted(rows, key=strength, reverse=True)[:count] if strength(row) > 0]
