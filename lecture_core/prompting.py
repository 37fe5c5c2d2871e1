"""The exact text of a few-shot prompt: instruction, k exemplars, the question.

Lecture: GPT-3, in-context learning and task specifications. Source: Brown et al. 2020 (arXiv:2005.14165), section 2.
Knows no model: text in, text out.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from lecture_core.exemplars import CONDITIONS, ORDERS, choose_exemplars
from lecture_core.tasks import Item, Task

MAX_EXEMPLARS = 32
SEPARATORS = {"file": "as in the lecture", "\n": "a new line", "\n\n": "an empty line", "\n###\n": "a line of ###"}
"""What may stand between two exemplars, and how a reader calls it; `file` is the task's own."""


@dataclass(frozen=True)
class PromptForm:
    """How instruction, exemplars and question become one text.

    Attributes:
        seed: which exemplars, and how they are spoiled; 0 keeps the order of the task's file.
        with_instruction: whether the task description stands in front; None does as the lecture's slide does.
        separator: key of `SEPARATORS`.
        order: key of `exemplars.ORDERS`.
        answers: key of `exemplars.CONDITIONS`.
    """

    seed: int = 0
    with_instruction: bool | None = None
    separator: str = "file"
    order: str = "drawn"
    answers: str = "true"

    def standard_for(self, task: Task) -> bool:
        """Whether this is the form of the lecture's slide, whatever the seed."""
        return self.with_instruction in (None, task.instruct) and self == PromptForm(self.seed, self.with_instruction)


AS_ON_THE_SLIDE = PromptForm()


def build_prompt(task: Task, item: Item, k: int, form: PromptForm = AS_ON_THE_SLIDE) -> str:
    """Return the prompt that asks `item` after `k` exemplars; the answer follows it after a space."""
    rng = random.Random(form.seed)
    chosen = ORDERS[form.order].change(choose_exemplars(task, item, k, seed=form.seed), rng)
    shown = [f"{_ask(task, e)} {e.answer}" for e in CONDITIONS[form.answers].change(chosen, rng)]
    described = task.instruct if form.with_instruction is None else form.with_instruction
    head = f"{task.instruction}\n" if described and task.instruction else ""
    between = task.separator if form.separator == "file" else form.separator
    return head + between.join([*shown, _ask(task, item)])


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
