"""What temperature, top-k and top-p leave of a distribution: redrawn from stored logits, without the model.

Lecture: from GPT to GPT-3. The order is that of transformers and llama.cpp: temperature, then top-k, then top-p.
Source: top-k, Fan et al. 2018 (arXiv:1805.04833); top-p, Holtzman et al. 2020 (arXiv:1904.09751).
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from lecture_core.engine.results import TEMPERATURES, Candidate, NextToken
from lecture_core.errors import InvalidInputError

STORED = 200  # candidates kept of a distribution; the exact normaliser of the whole vocabulary is kept beside them
ROUNDING = 1e-5  # of float32 logits: a smaller rest is nothing
TOP_KS = (0, 1, 2, 3, 5, 10, 20, 50, 100, STORED)
TOP_PS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Truncation:
    """How to choose from a distribution.

    Attributes:
        temperature: one of `TEMPERATURES`; the logits are divided by it.
        top_k: how many of the most probable tokens stay, at most `STORED`; 0 for all.
        top_p: share of the probability, in (0, 1], that the most probable tokens must reach to stay; 1 for all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that stored candidates cannot answer."""
        if self.temperature not in TEMPERATURES or not 0 <= self.top_k <= STORED or not 0 < self.top_p <= 1:
            raise InvalidInputError(
                expected=f"a temperature of {TEMPERATURES}, top-k from 0 to {STORED}, top-p above 0 and at most 1",
                got=f"{self.temperature}, {self.top_k}, {self.top_p}",
                remedy="choose from the sliders",
            )


@dataclass(frozen=True)
class Option:
    """A candidate before and after truncation.

    Attributes:
        before: probability at the temperature, over the whole vocabulary.
        after: probability among the survivors; 0 where it was cut.
    """

    candidate: Candidate
    before: float
    after: float


@dataclass(frozen=True)
class Truncated:
    """A distribution after temperature, top-k and top-p.

    Attributes:
        options: all stored candidates, most probable first.
        survivors: how many of them stay.
        open_ended: whether tokens beyond the stored ones stay too.
        kept: probability at the temperature that stays, before it is made 1 again. Where the nucleus reaches beyond
            the stored candidates, it is taken as top-p; the truth is larger by less than one token's probability.
        outside: probability at the temperature of all tokens that are not stored.
    """

    options: tuple[Option, ...]
    survivors: int
    open_ended: bool
    kept: float
    outside: float


def truncate(found: NextToken, how: Truncation) -> Truncated:
    """Return which stored candidates survive, and their probabilities made to sum to one among all survivors."""
    t = how.temperature
    before = [math.exp(c.logit / t - found.log_normalisers[t]) for c in found.candidates]
    outside = max(0.0, 1 - math.fsum(before))
    pool = before[: how.top_k] if how.top_k else before
    whole = math.fsum(pool) if how.top_k else 1.0
    survivors = _nucleus(pool, how.top_p * whole) if how.top_p < 1 else len(pool)
    kept = math.fsum(before[:survivors])
    open_ended = not how.top_k and survivors == len(before) and kept < how.top_p and outside > ROUNDING
    if open_ended:
        kept = how.top_p
    options = tuple(
        Option(c, p, p / kept if i < survivors else 0.0)
        for i, (c, p) in enumerate(zip(found.candidates, before, strict=True))
    )
    return Truncated(options, survivors, open_ended, kept, outside)


def _nucleus(probabilities: Sequence[float], enough: float) -> int:
    """Count the most probable tokens that together reach `enough`; at least one, all if they do not reach it."""
    reached = 0.0
    for count, probability in enumerate(probabilities, start=1):
        reached += probability
        if reached >= enough:
            return count
    return len(probabilities)


def draw(truncated: Truncated, *, seed: int, step: int) -> Candidate:
    """Draw one of the stored survivors by its probability.

    Args:
        step: tokens drawn before; the same seed and step give the same draw.
    """
    chosen = random.Random(f"{seed} {step}").choices(truncated.options, [o.after for o in truncated.options])
    return chosen[0].candidate
