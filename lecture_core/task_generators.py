"""Items drawn by rule from a seed: dates in two formats, words with their letters scrambled.

Lecture: GPT-3's in-context learning, task specifications. The same seed gives the same items on every machine.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

Pair = tuple[str, str]
"""Question and answer."""


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


def scrambled_words(*, seed: int, count: int, words: list[str]) -> list[Pair]:
    """Scramble the letters of `count` different words; no scramble equals its word."""
    rng = random.Random(seed)
    return [(_scramble(word, rng), word) for word in rng.sample(words, count)]


def _scramble(word: str, rng: random.Random) -> str:
    letters = list(word)
    while "".join(letters) == word:
        rng.shuffle(letters)
    return "".join(letters)


GENERATORS: Mapping[str, Callable[..., list[Pair]]] = {"dates": dates, "scrambled_words": scrambled_words}


def draw(kind: str, options: Mapping[str, Any]) -> list[Pair]:
    """Run one generator by name."""
    return GENERATORS[kind](**options)
