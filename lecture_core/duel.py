"""Student against discriminator over several sentences: what their marks are worth, and the curves behind them.

Lecture: ELECTRA. Marks are scored in bits: the mutual information between the mark and the truth, times the number of
tokens, with a minus where originals were marked more often than fakes. So marks at random are worth about nothing;
without the sign a few tokens would give them 0.8 bits. Perfect marks are worth the whole uncertainty.
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
from lecture_core.provenance import Provenance

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


def rates(marks: Sequence[bool], truths: Sequence[bool]) -> tuple[float, float]:
    """(False alarm rate, hit rate) of marks; a rate of nothing is 0."""
    pairs = list(zip(marks, truths, strict=True))
    fakes = sum(truths)
    hits, alarms = sum(m and t for m, t in pairs), sum(m and not t for m, t in pairs)
    return alarms / max(1, len(pairs) - fakes), hits / max(1, fakes)


def bits(marks: Sequence[bool], truths: Sequence[bool]) -> float:
    """What marks tell about the truth, in bits over all tokens; negative where they point the wrong way."""
    n = len(marks)
    both, mark, truth = Counter(zip(marks, truths, strict=True)), Counter(marks), Counter(truths)
    told = sum(c * math.log2(c * n / (mark[m] * truth[t])) for (m, t), c in both.items())
    alarms, hits = rates(marks, truths)
    return -told if hits < alarms else told


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
    return rates([t.marked for t in tokens], [t.replaced for t in tokens])


@dataclass(frozen=True)
class Strength:
    """What a generator of one sampling temperature gives the discriminator to learn from.

    Attributes:
        replaced: share of the real tokens that differ from the original, in [0, 1].
        loss: the discriminator's binary cross-entropy, nats a token.
        uninformed: the loss of always saying that share, nats a token: the gap to `loss` is what it can tell.
        tokens: how many it stands on.
        sampled, judged: where the generator's samples and the discriminator's answers come from, first text.
    """

    temperature: float
    replaced: float
    loss: float
    uninformed: float
    tokens: int
    sampled: Provenance
    judged: Provenance


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
    """Corrupt texts with samples at one temperature and average the discriminator's loss over their tokens.

    Args:
        share: chance of each token to be masked, in (0, 1).
        seed: of the first text; each later one takes the next.
    """
    tokens: list[JudgedToken] = []
    origins: list[tuple[Provenance, Provenance]] = []
    for i, text in enumerate(texts):
        corruption = engine.corrupt(
            text, model=generator, mask_probability=share, seed=seed + i, temperature=temperature
        )
        verdict = engine.detect_replacements(corruption, model=discriminator)
        tokens += judged(corruption, verdict, frozenset())
        origins.append((corruption.provenance, verdict.provenance))
    replaced = sum(t.replaced for t in tokens) / len(tokens)
    loss = -sum(math.log(max(1e-12, t.probability if t.replaced else 1 - t.probability)) for t in tokens) / len(tokens)
    return Strength(temperature, replaced, loss, _entropy(replaced), len(tokens), *origins[0])


def _entropy(p: float) -> float:
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)
