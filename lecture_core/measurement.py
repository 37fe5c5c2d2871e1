"""A measured rate while it is being measured: one answer judged at a time.

Lecture: few-shot learning, chain-of-thought prompting. Knows neither tasks' prompts nor models: it counts verdicts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lecture_core.answers import Extracted
from lecture_core.provenance import Provenance
from lecture_core.statistics import wilson
from lecture_core.tasks import Item


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


@dataclass(frozen=True)
class Progress:
    """A measurement so far.

    Attributes:
        right: right answers among the `n` asked so far.
        total: how many will be asked.
        low, high: 95 % Wilson interval of right / n.
        outcome: the question judged last.
    """

    right: int
    n: int
    total: int
    low: float
    high: float
    outcome: Outcome

    @property
    def rate(self) -> float:
        """Share of right answers so far, in [0, 1]."""
        return self.right / self.n


def tally(outcomes: Iterable[Outcome], total: int) -> Iterator[Progress]:
    """Count right answers as they come; closing the iterator ends the measurement."""
    right = 0
    for n, outcome in enumerate(outcomes, start=1):
        right += outcome.right
        yield Progress(right, n, total, *wilson(right, n), outcome)
