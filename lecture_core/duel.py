"""Student against discriminator over several sentences: what their marks are worth, and the curves behind them.

Lecture: ELECTRA. Marks are scored in bits: the mutual information between the mark and the truth, times the number of
tokens. Marking all, or nothing, or at random is worth nothing; perfect marks are worth the whole uncertainty.
"""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import Corruption, Detection

SENTENCES_FILE = Path(__file__).parents[1] / "assets" / "duel" / "english.yaml"


@dataclass(frozen=True)
class JudgedToken:
    """One token that both have judged.

    Attributes:
        marked: whether the student called it replaced.
        probability: the discriminator's, in [0, 1].
        replaced: the truth.
    """

    marked: bool
    probability: float
    replaced: bool


@cache
def sentences() -> tuple[str, ...]:
    """The sentences of a run, in order."""
    return tuple(yaml.safe_load(SENTENCES_FILE.read_text(encoding="utf-8"))["sentences"])


def judged(corruption: Corruption, verdict: Detection, marked: frozenset[int]) -> tuple[JudgedToken, ...]:
    """The real tokens of one round with both judgements."""
    pairs = zip(corruption.tokens, verdict.tokens, strict=True)
    return tuple(
        JudgedToken(i in marked, said.probability, token.replaced)
        for i, (token, said) in enumerate(pairs)
        if not token.special
    )


def bits(marks: Sequence[bool], truths: Sequence[bool]) -> float:
    """What marks tell about the truth, in bits over all tokens: their mutual information times their number."""
    n = len(marks)
    both, mark, truth = Counter(zip(marks, truths, strict=True)), Counter(marks), Counter(truths)
    return sum(c * math.log2(c * n / (mark[m] * truth[t])) for (m, t), c in both.items())


def uncertainty(truths: Sequence[bool]) -> float:
    """What perfect marks would be worth, in bits: the entropy of the truth times the number of tokens."""
    return bits(truths, truths)


def roc(tokens: Sequence[JudgedToken]) -> list[tuple[float, float]]:
    """The discriminator's (false alarm rate, hit rate) at every threshold, from (0, 0) to (1, 1)."""
    fakes, real = sum(t.replaced for t in tokens), sum(not t.replaced for t in tokens)
    points, hits, alarms = [(0.0, 0.0)], 0, 0
    ordered = sorted(tokens, key=lambda t: -t.probability)
    for i, token in enumerate(ordered):
        hits, alarms = hits + token.replaced, alarms + (not token.replaced)
        last_of_equals = i + 1 == len(ordered) or ordered[i + 1].probability != token.probability
        if last_of_equals:
            points.append((alarms / max(1, real), hits / max(1, fakes)))
    return points


def area(points: Sequence[tuple[float, float]]) -> float:
    """Area under a curve of (x, y) points, by trapezoids."""
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))


def student_point(tokens: Sequence[JudgedToken]) -> tuple[float, float]:
    """The student's (false alarm rate, hit rate)."""
    fakes, real = sum(t.replaced for t in tokens), sum(not t.replaced for t in tokens)
    hits = sum(t.marked and t.replaced for t in tokens)
    return (sum(t.marked for t in tokens) - hits) / max(1, real), hits / max(1, fakes)


@dataclass(frozen=True)
class Strength:
    """What a generator of one sampling temperature gives the discriminator to learn from.

    Attributes:
        replaced: share of the real tokens that differ from the original, in [0, 1].
        loss: the discriminator's binary cross-entropy, nats a token.
        uninformed: the loss of always saying that share, nats a token: the gap to `loss` is what it can tell.
        tokens: how many it stands on.
    """

    temperature: float
    replaced: float
    loss: float
    uninformed: float
    tokens: int


def strength(
    engine: Engine,
    texts: Sequence[str],
    *,
    generator: str,
    discriminator: str,
    temperature: float,
    share: float,
    seed: int,
) -> Strength:
    """Corrupt texts with samples at one temperature and average the discriminator's loss over their tokens."""
    tokens: list[JudgedToken] = []
    for i, text in enumerate(texts):
        corruption = engine.corrupt(
            text, model=generator, mask_probability=share, seed=seed + i, temperature=temperature
        )
        verdict = engine.detect_replacements(corruption, model=discriminator)
        tokens += judged(corruption, verdict, frozenset())
    replaced = sum(t.replaced for t in tokens) / len(tokens)
    loss = -sum(math.log(max(1e-12, t.probability if t.replaced else 1 - t.probability)) for t in tokens) / len(tokens)
    return Strength(temperature, replaced, loss, _entropy(replaced), len(tokens))


def _entropy(p: float) -> float:
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)
