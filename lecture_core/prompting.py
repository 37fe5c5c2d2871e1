"""The exact text of a few-shot prompt: instruction, k exemplars, the question.

Lecture: GPT-3, in-context learning and task specifications. Source: Brown et al. 2020 (arXiv:2005.14165), section 2.
Knows no model: text in, text out.
"""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from lecture_core.errors import ContextLengthError
from lecture_core.exemplars import CONDITIONS, ORDERS, choose_exemplars
from lecture_core.tasks import Item, Task

MAX_EXEMPLARS = 32
SEPARATORS = {"file": "as this task has it", "\n": "a new line", "\n\n": "an empty line", "\n###\n": "a line of ###"}
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


@dataclass(frozen=True)
class Prompt:
    """The parts of a prompt, in order.

    Attributes:
        description: what stands in front, its line break included; empty for none.
        exemplars: solved questions.
        question: the question that is asked; the answer follows it after a space.
        separator: stands between all of these but after the description.
    """

    description: str
    exemplars: tuple[str, ...]
    question: str
    separator: str

    @property
    def text(self) -> str:
        """The text that the model reads."""
        return self.description + self.separator.join([*self.exemplars, self.question])


def prompt_parts(task: Task, item: Item, k: int, form: PromptForm = AS_ON_THE_SLIDE) -> Prompt:
    """Return the parts of the prompt that asks `item` after `k` exemplars."""
    rng = random.Random(form.seed)
    known = [exemplar.answer for exemplar in task.exemplars]
    chosen = ORDERS[form.order].change(choose_exemplars(task, item, k, seed=form.seed), rng, known)
    shown = tuple(f"{_ask(task, e)} {e.answer}" for e in CONDITIONS[form.answers].change(chosen, rng, known))
    described = task.instruct if form.with_instruction is None else form.with_instruction
    head = f"{task.instruction}\n" if described and task.instruction else ""
    between = task.separator if form.separator == "file" else form.separator
    return Prompt(head, shown, _ask(task, item), between)


def build_prompt(task: Task, item: Item, k: int, form: PromptForm = AS_ON_THE_SLIDE) -> str:
    """Return the prompt that asks `item` after `k` exemplars; the answer follows it after a space."""
    return prompt_parts(task, item, k, form).text


def _ask(task: Task, item: Item) -> str:
    return task.prompt.replace("{question}", item.question)


def too_long(tokens: int, *, room: int, context: int, remedy: str) -> ContextLengthError:
    """Return the refusal of a prompt of so many tokens that leaves too little of the context for its answer.

    Args:
        room: most tokens that the prompt may have.
    """
    return ContextLengthError(
        f"Expected at most {room:,} tokens, so that the answer fits into the context of {context:,}; got {tokens:,}. "
        f"{remedy}."
    )


def exemplars_that_fit(build: Callable[[int], str], tokens: Callable[[str], int], limit: int, k: int) -> int | None:
    """Return how many of `k` exemplars fit into a context, or None where even the question alone does not.

    Args:
        build: makes the prompt with that many exemplars.
        tokens: counts the tokens of a text.
        limit: tokens for the prompt.
    """
    return next((n for n in range(k, -1, -1) if tokens(build(n)) <= limit), None)


@dataclass(frozen=True)
class Folded:
    """A long prompt for a reader: its beginning, what is folded away, and its end with the whole question.

    Attributes:
        exemplars: how many are folded away; 0 where the prompt is short, and then all of it is the end.
    """

    beginning: str
    middle: str
    end: str
    exemplars: int


def fold(prompt: Prompt, *, lines: int = 14, letters: int = 56) -> Folded:
    """Fold exemplars away, so that a reader sees how the prompt begins, what is asked and where the model continues.

    Args:
        lines: a prompt of so many lines or fewer is not folded; a longer one keeps about 4 lines at the beginning and
            2 before the question, and at least its first exemplar.
        letters: of a line, as wide as the place where it is shown.
    """

    def height(text: str) -> int:
        return sum(max(1, -(-len(line) // letters)) for line in text.splitlines())

    def how_many(exemplars: Sequence[str], room: int) -> int:
        return next((n for n in range(len(exemplars)) if sum(map(height, exemplars[: n + 1])) > room), len(exemplars))

    shown = prompt.exemplars
    first = max(1, how_many(shown, 4))
    last = how_many(shown[first:][::-1], 2)
    hidden = shown[first : len(shown) - last]
    if height(prompt.text) <= lines or not hidden:
        return Folded("", "", prompt.text, 0)
    beginning = prompt.description + prompt.separator.join(shown[:first])
    end = prompt.separator.join([*shown[len(shown) - last :], prompt.question])
    return Folded(beginning, prompt.separator.join(hidden), end, len(hidden))


def fingerprint(task: Task, prompts: Sequence[str], answers: Sequence[str]) -> str:
    """Return a short hash of what was asked and how it was judged; another item, form or pattern gives another one.

    Args:
        prompts: the exact text of each question, exemplars included.
        answers: the true answer of each.
    """
    judged = [asdict(task.patterns), task.labels, task.stop, task.max_new_tokens]
    judged += [] if task.match == "exact" else [task.match]  # older fingerprints know no other
    asked = json.dumps([judged, list(prompts), list(answers)], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
