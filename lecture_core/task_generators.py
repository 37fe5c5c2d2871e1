"""Items drawn by rule from a seed: dates, scrambled words, sums.

Lecture: GPT-3's in-context learning, task specifications. Source of the five ways to scramble and of the form of the
sums: Brown et al. 2020 (arXiv:2005.14165), sections 3.9.1 and 3.9.2. The same seed gives the same items everywhere.
"""

import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Pair = tuple[str, str]
"""Question and answer."""
WORDS = Path(__file__).parent.parent / "assets" / "tasks" / "words.txt"
_PUNCTUATION = ".,;:!?-/# "


def dates(*, seed: int, count: int, years: tuple[int, int], answer: str) -> list[Pair]:
    """Draw different dates as `2005-07-23`, each with the answer form filled in.

    Args:
        years: first and last year, both included; days go from 1 to 28 so that every date exists.
        answer: form with `{year}`, `{month}` and `{day}`.
    """
    rng = random.Random(seed)
    drawn: dict[str, str] = {}
    while len(drawn) < count:
        year, month, day = str(rng.randint(*years)), f"{rng.randint(1, 12):02}", f"{rng.randint(1, 28):02}"
        drawn[f"{year}-{month}-{day}"] = answer.format(year=year, month=month, day=day)
    return list(drawn.items())


def _letters(word: str, rng: random.Random) -> str:
    letters = list(word)
    rng.shuffle(letters)
    return "".join(letters)


def _cycled(word: str, rng: random.Random) -> str:
    cut = rng.randrange(1, len(word))
    return word[cut:] + word[:cut]


def _inner(kept: int) -> Callable[[str, random.Random], str]:
    return lambda word, rng: word[:kept] + _letters(word[kept:-kept], rng) + word[-kept:]


def _inserted(word: str, rng: random.Random) -> str:
    return "".join(letter + rng.choice(_PUNCTUATION) for letter in word[:-1]) + word[-1]


WAYS: Mapping[str, Callable[[str, random.Random], str]] = {
    "anagram": _letters,
    "cycle": _cycled,
    "anagram_but_1": _inner(1),
    "anagram_but_2": _inner(2),
    "insertion": _inserted,
    "reversed": lambda word, _: word[::-1],
}
"""How a word is scrambled: all letters; the word turned; all but the first and last letter; all but the first and last
two; punctuation or a space after each letter; backwards."""


@cache
def word_list() -> tuple[str, ...]:
    """Common English words of five letters and more, in alphabetical order."""
    return tuple(WORDS.read_text(encoding="utf-8").split())


def scrambled_words(*, seed: int, count: int, way: str = "anagram", without: tuple[str, ...] = ()) -> list[Pair]:
    """Scramble `count` different words in one of the `WAYS`; no scramble is a word of the list.

    Args:
        without: words that are asked elsewhere.
    """
    rng = random.Random(seed)
    known = set(word_list()) | set(without)
    changeable = [word for word in word_list() if word not in without and len(set(word[2:-2])) > 1]
    pairs = []
    for word in rng.sample(changeable, count):
        scrambled = WAYS[way](word, rng)
        while scrambled in known:
            scrambled = WAYS[way](word, rng)
        pairs.append((scrambled, word))
    return pairs


def sums(*, seed: int, count: int, digits: int, operation: str) -> list[Pair]:
    """Draw different additions or subtractions of two numbers below 10^digits, as in "What is 48 plus 76?".

    Args:
        operation: `plus` or `minus`; a difference may be negative, as in the paper.
    """
    sign = {"plus": 1, "minus": -1}[operation]
    rng = random.Random(seed)
    drawn: dict[str, str] = {}
    while len(drawn) < count:
        left, right = rng.randrange(10**digits), rng.randrange(10**digits)
        drawn[f"What is {left} {operation} {right}?"] = str(left + sign * right)
    return list(drawn.items())


GENERATORS: Mapping[str, Callable[..., list[Pair]]] = {
    "dates": dates,
    "scrambled_words": scrambled_words,
    "sums": sums,
}


def draw(kind: str, options: Mapping[str, Any]) -> list[Pair]:
    """Run one generator by name."""
    return GENERATORS[kind](**options)
