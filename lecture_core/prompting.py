"""The exact text of a few-shot prompt: instruction, k exemplars, the question.

Lecture: GPT-3, in-context learning and task specifications. Source: Brown et al. 2020 (arXiv:2005.14165), section 2.
Knows no model: text in, text out.
"""

import random
from collections.abc import Callable

from lecture_core.tasks import Item, Task

MAX_EXEMPLARS = 8


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


def build_prompt(task: Task, item: Item, k: int, *, seed: int = 0, with_instruction: bool | None = None) -> str:
    """Return the prompt that asks `item` after `k` exemplars; the answer follows it after a space.

    Args:
        with_instruction: whether the task description stands in front; None does as the lecture's slide does.
    """
    described = task.instruct if with_instruction is None else with_instruction
    shown = [f"{_ask(task, e)} {e.answer}" for e in choose_exemplars(task, item, k, seed=seed)]
    head = f"{task.instruction}\n" if described else ""
    return head + task.separator.join([*shown, _ask(task, item)])


def _ask(task: Task, item: Item) -> str:
    return task.prompt.replace("{question}", item.question)


def exemplars_that_fit(build: Callable[[int], str], tokens: Callable[[str], int], limit: int, k: int) -> int | None:
    """Return how many of `k` exemplars fit into a context, or None where even the question alone does not.

    Args:
        build: makes the prompt with that many exemplars.
        tokens: counts the tokens of a text.
        limit: tokens for the prompt.
    """
    return next((n for n in range(k, -1, -1) if tokens(build(n)) <= limit), None)
