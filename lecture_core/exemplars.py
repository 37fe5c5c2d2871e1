"""The solved examples in a prompt: which ones, in which order, and with which answers.

Lecture: GPT-3, in-context learning. What exemplars must have is tried by spoiling them: answers drawn at random, a
format that changes, random letters (after Min et al. 2022, arXiv:2202.12837); and by their order (Lu et al. 2022,
arXiv:2104.08786). Plain items in, plain items out.
"""

import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lecture_core.tasks import Item, Task

Arrange = Callable[[Sequence[Item], random.Random, Sequence[str]], list[Item]]
"""Takes exemplars, a generator, and the answers that the task knows."""
_SEPARATORS = re.compile(r"([^0-9A-Za-z]+)")


def choose_exemplars(task: Task, item: Item, k: int, *, seed: int = 0) -> tuple[Item, ...]:
    """Return `k` exemplars, never the question itself.

    Args:
        k: 0 to the number of exemplars the task has; more gives all of them.
        seed: 0 keeps the order of the task's file, where the lecture's exemplars stand first; others shuffle.
    """
    others = [exemplar for exemplar in task.exemplars if exemplar.question.strip() != item.question.strip()]
    if seed:
        random.Random(seed).shuffle(others)
    return tuple(others[:k])


def as_they_are(items: Sequence[Item], _: random.Random, __: Sequence[str]) -> list[Item]:
    """The true answers, or the order as drawn."""
    return list(items)


def random_answers(items: Sequence[Item], rng: random.Random, answers: Sequence[str]) -> list[Item]:
    """Each example with one of the task's different answers, drawn at random: the format stays, the task goes.

    Not each with a wrong one: of two labels the wrong one tells the right one. Source: Min et al. 2022, section 4.1.
    """
    different = list(dict.fromkeys(answers))
    return [replace(item, answer=rng.choice(different)) for item in items]


def changing_format(items: Sequence[Item], rng: random.Random, _: Sequence[str]) -> list[Item]:
    """The parts of each answer in an order of its own: no rule connects the examples."""

    def mixed(answer: str) -> str:
        pieces = _SEPARATORS.split(answer)
        places = [i for i, piece in enumerate(pieces) if piece and not _SEPARATORS.fullmatch(piece)]
        parts = [pieces[i] for i in places]
        rng.shuffle(parts)
        for place, part in zip(places, parts, strict=True):
            pieces[place] = part
        return "".join(pieces)

    return [replace(item, answer=mixed(item.answer)) for item in items]


def random_letters(items: Sequence[Item], rng: random.Random, _: Sequence[str]) -> list[Item]:
    """Answers of the same shape, every letter and digit replaced by a random letter: nothing can be learned."""

    def noise(answer: str) -> str:
        return "".join(rng.choice(string.ascii_lowercase) if c.isalnum() else c for c in answer)

    return [replace(item, answer=noise(item.answer)) for item in items]


def turned_round(items: Sequence[Item], _: random.Random, __: Sequence[str]) -> list[Item]:
    """The last one first."""
    return list(reversed(items))


def by_answer(items: Sequence[Item], _: random.Random, __: Sequence[str]) -> list[Item]:
    """All exemplars with the same answer side by side, in the order of the answers' first appearance."""
    seen = list(dict.fromkeys(item.answer for item in items))
    return sorted(items, key=lambda item: seen.index(item.answer))


@dataclass(frozen=True)
class Condition:
    """A way to change the exemplars: what a reader sees it called, and what it does to them."""

    title: str
    change: Arrange


CONDITIONS: dict[str, Condition] = {
    "true": Condition("true answers", as_they_are),
    "shuffled": Condition("random answers, of other examples", random_answers),
    "format": Condition("a format that changes", changing_format),
    "letters": Condition("random letters", random_letters),
}
"""What becomes of the answers."""
ORDERS: dict[str, Condition] = {
    "drawn": Condition("in the order drawn", as_they_are),
    "reversed": Condition("the other way round", turned_round),
    "by_answer": Condition("equal answers side by side", by_answer),
}
"""In which order the exemplars stand."""


def conditions_of(task: Task) -> tuple[str, ...]:
    """The conditions that make sense for a task: only answers of several parts have an order to change."""
    answer = task.exemplars[0].answer if task.exemplars else ""
    several = len([p for p in _SEPARATORS.split(answer) if p and not _SEPARATORS.fullmatch(p)]) > 1
    return tuple(name for name in CONDITIONS if name != "format" or several)
