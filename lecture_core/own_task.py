"""A visitor's own few-shot task: one `input => output` pair a line. Every line is asked with the others as exemplars.

Lecture: GPT-3, task specifications. Text in, a `Task` out; a line that cannot be read is named.
"""

import re
from collections import Counter
from collections.abc import Sequence

from lecture_core.answers import AnswerPatterns
from lecture_core.errors import InvalidInputError
from lecture_core.tasks import Item, Task

ARROW = "=>"
_OTHER_ARROWS = re.compile(r"->|→|\t")  # a tab stands between two cells of a spreadsheet
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
MAX_LINES = 200
MAX_LABELS = 12
MAX_ANSWER = 120  # bytes
MAX_CHARACTERS = 8_000  # of all lines together
MAX_INSTRUCTION = 200  # characters
EXAMPLE = """2 km => 2000 m
7 km => 7000 m
4 km => 4000 m
9 km => 9000 m
3 km => 3000 m
8 km => 8000 m"""


def read_own_task(lines: str, instruction: str = "") -> Task:
    """Turn pasted lines into a task; empty lines are skipped, and so is a pair that stands there twice.

    The answers count as labels, to be ranked, where there are at most 12 different ones and each stands there twice.

    Raises:
        InvalidInputError: a line without `=>`, without input or output, one input with two outputs, one label in
            two spellings, fewer than two pairs, or more text than is taken.
    """
    _check_length(lines, instruction)
    pairs: dict[str, str] = {}
    for number, line in enumerate(lines.splitlines(), start=1):
        if line.strip():
            _add(pairs, number, line)
    if not 2 <= len(pairs) <= MAX_LINES:
        raise InvalidInputError(
            expected=f"2 to {MAX_LINES} different lines of the form: input {ARROW} output",
            got=str(len(pairs)),
            remedy="write a pair on each line; every line is asked with the others as exemplars",
        )
    items = tuple(Item(question, answer) for question, answer in pairs.items())
    labels = tuple(dict.fromkeys(pairs.values()))
    folded = [answer.casefold() for answer in pairs.values()]
    ranked = _are_labels(list(pairs.values()))
    if (ranked or _are_labels(folded)) and len(set(folded)) < len(labels):
        _refuse_two_spellings(labels)
    return Task(
        id="own",
        lab="few_shot",
        title="Your own task",
        lecture="GPT-3: task specifications",
        source="written by the visitor",
        instruction=" ".join(instruction.split()),
        instruct=bool(instruction.strip()),
        prompt="Input: {question}\nOutput:",
        separator="\n",
        example=items[0],
        exemplars=items,
        items=items,
        patterns=AnswerPatterns(strict=r"^\s*(\S[^\n]*)", flexible=r"(\S[^\n]*)"),
        labels=labels if ranked else (),
        stop=("\n",),
        max_new_tokens=8 + max(len(label.encode()) for label in labels),  # no token is shorter than a byte
    )


def _are_labels(answers: Sequence[str]) -> bool:
    counts = Counter(answers)
    return 2 <= len(counts) <= MAX_LABELS and min(counts.values()) > 1


def _refuse_two_spellings(labels: Sequence[str]) -> None:
    first: dict[str, str] = {}
    one, other = next((seen, label) for label in labels if (seen := first.setdefault(label.casefold(), label)) != label)
    raise InvalidInputError(
        expected="one spelling of each answer",
        got=f"'{one[:40]}' and '{other[:40]}'",
        remedy="write it the same way on every line; the model would take them for two answers",
    )


def _check_length(lines: str, instruction: str) -> None:
    if len(lines) > MAX_CHARACTERS:
        raise InvalidInputError(
            expected=f"at most {MAX_CHARACTERS:,} characters in all",
            got=f"{len(lines):,} on {len(lines.splitlines()):,} lines",
            remedy="delete some lines; all that you pasted is still in the box",
        )
    if len(instruction) > MAX_INSTRUCTION:
        raise InvalidInputError(
            expected=f"a task description of at most {MAX_INSTRUCTION} characters",
            got=f"{len(instruction):,}",
            remedy="shorten it to one sentence",
        )


def _add(pairs: dict[str, str], number: int, line: str) -> None:
    found = _OTHER_ARROWS.search(line)
    question, _, answer = line.partition(ARROW if ARROW in line or not found else found[0])
    question, answer = (_CONTROL.sub(" ", part).strip() for part in (question, answer))
    if not (question and answer):
        raise InvalidInputError(
            expected=f"input {ARROW} output on line {number}",
            got=line.strip()[:60],
            remedy=f"put {ARROW} between the two, and text on both sides",
        )
    if len(answer.encode()) > MAX_ANSWER:
        raise InvalidInputError(
            expected=f"outputs of at most {MAX_ANSWER} letters (fewer where a letter takes several bytes)",
            got=f"{len(answer.encode())} bytes on line {number}",
            remedy="shorten it",
        )
    if pairs.setdefault(question, answer) != answer:
        raise InvalidInputError(
            expected="one output for each input",
            got=f"another one for '{question[:40]}' on line {number}",
            remedy="keep one of the two lines",
        )
