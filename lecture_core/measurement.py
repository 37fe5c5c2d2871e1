"""A measured rate while it is being measured: one answer judged at a time.

Lecture: few-shot learning, chain-of-thought prompting. Knows neither tasks' prompts nor models: it counts verdicts.
"""

import csv
import io
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp

from lecture_core.answers import Extracted
from lecture_core.provenance import Provenance
from lecture_core.statistics import wilson
from lecture_core.tasks import Item

_NEGATIVE = re.compile(r"-\d[\d.,]*")


@dataclass(frozen=True)
class Outcome:
    """One question asked and judged.

    Attributes:
        prompt: the exact text that the model read.
        completion: what it wrote, or the label it finds most probable.
        extracted: the answer found in the completion; None where there is none, which counts as wrong.
        label_logprobs: summed log-probability in nats of each label of the task, in the task's order; empty for
            free text.
    """

    item: Item
    prompt: str
    completion: str
    extracted: Extracted | None
    right: bool
    provenance: Provenance | None = None
    label_logprobs: tuple[float, ...] = ()


Answering = Generator[tuple[str, Outcome | None], None, None]
"""A stream of one answer: the text so far and None, at the end all of it and its verdict; closing frees the model."""
Measuring = Generator[tuple[str, "Progress"], None, None]
"""A stream of several measured rates: the name of the condition and its count so far."""


@dataclass(frozen=True)
class Progress:
    """A measurement so far.

    Attributes:
        right: right answers among the `n` asked so far.
        total: how many will be asked.
        low, high: 95 % Wilson interval of right / n.
        outcomes: the questions judged so far, in order.
    """

    right: int
    n: int
    total: int
    low: float
    high: float
    outcomes: tuple[Outcome, ...]

    @property
    def outcome(self) -> Outcome:
        """The question judged last."""
        return self.outcomes[-1]

    @property
    def rate(self) -> float:
        """Share of right answers so far, in [0, 1]."""
        return self.right / self.n


def judged(steps: Answering) -> Outcome:
    """Wait for the verdict of a stream."""
    for _, outcome in steps:
        if outcome is not None:
            return outcome
    raise RuntimeError("a stream ended without a verdict")


def tally(outcomes: Iterable[Outcome], total: int) -> Generator[Progress, None, None]:
    """Count right answers as they come; closing the generator ends the measurement."""
    so_far: tuple[Outcome, ...] = ()
    right = 0
    for n, outcome in enumerate(outcomes, start=1):
        so_far, right = (*so_far, outcome), right + outcome.right
        yield Progress(right, n, total, *wilson(right, n), so_far)


def label_shares(labels: Sequence[str], outcome: Outcome) -> list[tuple[str, float]]:
    """Return each label with its probability among the labels; the shares sum to one."""
    weights = [exp(logprob - max(outcome.label_logprobs)) for logprob in outcome.label_logprobs]
    return [(label, weight / sum(weights)) for label, weight in zip(labels, weights, strict=True)]


def combined(outcomes: Iterable[Outcome]) -> Provenance | None:
    """Return where several answers of one model come from, their seconds added up; None for no answer."""
    made = [outcome.provenance for outcome in outcomes if outcome.provenance is not None]
    if not made:
        return None
    first = next((one for one in made if one.kind == "recorded"), made[0])  # the badge promises no more than all hold
    return replace(first, seconds=sum(one.seconds for one in made), cached=any(one.cached for one in made))


def as_csv(
    kept: Mapping[str, Progress],
    *,
    condition: str,
    labels: Sequence[str] = (),
    settings: Mapping[str, object] | None = None,
) -> str:
    """Return every judged question as one row of a CSV file.

    Args:
        kept: measurements by condition, such as the number of exemplars.
        condition: name of the first column.
        labels: of the task; each gets a column with its log-probability in nats where labels were ranked.
        settings: what holds for all rows, such as the seed; each gets a column.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    ranked = [f"logprob {label}" for label in labels]
    head = [condition, "item", "question", "truth", "completion", "answer", "right", "model", "revision", "prompt"]
    writer.writerow([_plain_cell(name) for name in (*head, *ranked, *(settings or {}))])
    for name, progress in kept.items():
        for number, one in enumerate(progress.outcomes, start=1):
            answer = one.extracted.value if one.extracted else ""
            made = (one.provenance.model, one.provenance.revision) if one.provenance else ("", "")
            cells = (one.item.question, one.item.answer, one.completion, answer)
            row = [name, number, *map(_plain_cell, cells), int(one.right), *made, _plain_cell(one.prompt)]
            nats = [f"{value:.4f}" for value in one.label_logprobs] or [""] * len(ranked)
            writer.writerow([*row, *nats, *(settings or {}).values()])
    return text.getvalue()


def _plain_cell(text: str) -> str:
    """Keep a spreadsheet from taking a visitor's text for a formula; negative numbers stay as they are."""
    begins = text.lstrip()[:1]
    harmless = begins not in ("=", "+", "-", "@") or _NEGATIVE.fullmatch(text.strip())
    return text if harmless else f"'{text}"
