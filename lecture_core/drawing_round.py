"""Drawings judged blind: who draws under which letter, and what a class voted in this process.

Lecture: "Draw a unicorn in TikZ" (Bubeck et al. 2023, arXiv:2303.12712). Who knows a name judges the name, so the
drawings stand as A, B, C in a seeded order until a vote. Knows neither models nor pages.
"""

import hashlib
import random
import string
import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from lecture_core.errors import InvalidInputError

FEWEST, MOST = 3, 8
"""Drawings of a round."""
NONE = "None of them"
_ARTICLES = ("a", "an", "the")
_VOWELS = ("a", "e", "i", "o", "u", "hour", "honest", "heir")
_NO_VOWELS = ("uni", "use", "eu", "ewe", "one", "ukulele")  # to the ear: they begin as "you" and "won" do
ROUNDS, VOTERS = 200, 2000  # kept at a time; beyond, the round voted on longest ago goes, and a full one takes no vote


@dataclass(frozen=True)
class Entry:
    """Who draws: a catalog id, and the seed that it samples with."""

    model: str
    seed: int

    @property
    def name(self) -> str:
        """As the page writes it once the vote is cast."""
        return f"{self.model}, seed {self.seed}"


def entries(models: Sequence[str], seed: int) -> tuple[Entry, ...]:
    """Return who draws: every model once, or, of fewer than three, each with several seeds.

    Args:
        models: from small to large; of more than eight, eight spread evenly over the ladder.
        seed: the first; further samples count up from it.

    Raises:
        InvalidInputError: no model.
    """
    if not models:
        raise InvalidInputError(expected="at least one model", got="none", remedy="choose one")
    if len(models) > MOST:
        models = [models[round(i * (len(models) - 1) / (MOST - 1))] for i in range(MOST)]
    samples = -(-FEWEST // len(models))
    return tuple(Entry(model, seed + i) for model in models for i in range(samples))


def with_article(thing: str) -> str:
    """Return what is to be drawn as English says it: `a unicorn`, `an apple`; with an article already, as it is."""
    first = thing.casefold().split(maxsplit=1)[0]
    if first in _ARTICLES:
        return thing
    return f"{'an' if first.startswith(_VOWELS) and not first.startswith(_NO_VOWELS) else 'a'} {thing}"


def lettered(who: Sequence[Entry], seed: int) -> dict[str, Entry]:
    """Return the entries under A, B, C in an order that the seed draws."""
    shuffled = random.Random(f"blind {seed}").sample(list(who), len(who))
    return dict(zip(string.ascii_uppercase, shuffled, strict=False))


def fingerprint(thing: str, texts: Mapping[Entry, str]) -> str:
    """Return a name for exactly these drawings of this thing: votes count for them and for no others."""
    parts = [thing, *(f"{entry.name}\n{texts[entry]}" for entry in sorted(texts, key=lambda e: e.name))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Tally:
    """Votes of this process, kept until it ends; bounded in rounds and voters. Safe from several threads."""

    lasting = False

    def __init__(self, *, rounds: int = ROUNDS, voters: int = VOTERS) -> None:
        """Start without votes."""
        self._limit, self._voters = rounds, voters
        self._votes: OrderedDict[str, dict[Hashable, str]] = OrderedDict()
        self._lock = threading.Lock()

    def vote(self, drawings: str, voter: Hashable, choice: str) -> bool:
        """Count one vote; return False, and count nothing, where this voter has voted or the round is full.

        Args:
            drawings: fingerprint of the round.
            voter: whoever may vote once in it.
            choice: name of an entry, or `NONE`.
        """
        with self._lock:
            votes = self._votes.setdefault(drawings, {})
            self._votes.move_to_end(drawings)
            while len(self._votes) > self._limit:
                self._votes.popitem(last=False)
            if voter in votes or len(votes) >= self._voters:
                return False
            votes[voter] = choice
            return True

    def choice(self, drawings: str, voter: Hashable) -> str | None:
        """Return what a voter chose in a round; None before."""
        with self._lock:
            return self._votes.get(drawings, {}).get(voter)

    def counts(self, drawings: str) -> Counter[str]:
        """Return the votes of a round by choice."""
        with self._lock:
            return Counter(self._votes.get(drawings, {}).values())
