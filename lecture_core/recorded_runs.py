"""Accuracies that a command of ours measured before: `assets/runs/<id>.csv`, one measured rate a row.

Lecture: few-shot learning, chain-of-thought prompting. Written by `python -m lecture_core.record`; shown with the badge
"recorded". A rate carries a fingerprint of what was asked: once the task or its prompt changes it is shown no more.
Knows no model.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path

from lecture_core import chain_of_thought, prompting
from lecture_core.chain_of_thought import METHODS
from lecture_core.measurement import Progress
from lecture_core.provenance import Provenance
from lecture_core.run_tables import FOLDER, read_rows
from lecture_core.tasks import list_tasks, load_task


@dataclass(frozen=True)
class RecordedRate:
    """One measured rate.

    Attributes:
        task: id of the task.
        condition: number of exemplars of a few-shot run, method of a chain-of-thought run.
        right: right answers among the `n` first items of the task.
        exemplars: in the prompt; 0 for step by step.
        revision: hash of the weights.
        date: day of the run, as 2026-11-22.
        command: what wrote the row.
        fingerprint: of the questions, their prompts and how answers were judged; empty where it was not kept.
    """

    task: str
    condition: str
    right: int
    n: int
    exemplars: int
    seed: int
    model: str
    revision: str
    device: str
    dtype: str
    date: str
    command: str
    fingerprint: str = ""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if not 0 <= self.right <= self.n:
            raise ValueError(f"expected right between 0 and n; got {self.right} of {self.n}")

    @property
    def is_current(self) -> bool:
        """Whether the task and its prompts are still what was measured."""
        return bool(self.fingerprint) and self.fingerprint == fingerprint_now(self)

    @property
    def provenance(self) -> Provenance:
        """Where the rate comes from, for the caption under it."""
        source = f"recorded {self.date} by {self.command}"
        return Provenance(self.model, self.revision, self.device, self.dtype, self.seed, kind="recorded", source=source)


@cache
def fingerprint_now(rate: RecordedRate) -> str:
    """Return the fingerprint that a rate would get if it were measured today; empty where its task is gone."""
    if rate.task not in list_tasks():
        return ""
    task = load_task(rate.task)
    items = task.items[: rate.n]
    method = next((name for name in METHODS if name == rate.condition), None)
    if method is None:
        form = prompting.PromptForm(rate.seed)
        asked = [prompting.build_prompt(task, item, int(rate.condition), form) for item in items]
    else:
        asked = [
            chain_of_thought.build_prompt(task, item, method, rate.exemplars, seed=rate.seed) for item in items
        ] + [*chain_of_thought.STOPS[method], chain_of_thought.answer_prompt("", "")]
    return prompting.fingerprint(task, asked, [item.answer for item in items])


@cache
def load_run(run: str, *, folder: Path = FOLDER) -> tuple[RecordedRate, ...]:
    """Return the rates of one run; none where it was not recorded yet.

    Raises:
        RunError: a row breaks the format.
    """
    return tuple(read_rows(folder / f"{run}.csv", RecordedRate, defaults={"fingerprint": ""}))


def rates(
    run: str, *, task: str, model: str, seed: int, exemplars: int | None = None, folder: Path = FOLDER
) -> dict[str, RecordedRate]:
    """Return the rates of one task, model and seed by condition; none of an earlier version of the task.

    Args:
        exemplars: keeps the conditions with so many exemplars, and those without any; None keeps all.
    """
    found = _of(run, task, model, seed, folder)
    kept = [rate for rate in found if exemplars is None or rate.exemplars in (0, exemplars)]
    return {rate.condition: rate for rate in kept if rate.is_current}


def outdated(run: str, *, task: str, model: str, seed: int, folder: Path = FOLDER) -> bool:
    """Whether `rates` leaves some out because they were recorded with an earlier version of the task."""
    return any(not rate.is_current for rate in _of(run, task, model, seed, folder))


def _of(run: str, task: str, model: str, seed: int, folder: Path) -> list[RecordedRate]:
    wanted = (task, model, seed)
    return [rate for rate in load_run(run, folder=folder) if (rate.task, rate.model, rate.seed) == wanted]


def counted(
    kept: Mapping[str, Progress], recorded: Mapping[str, RecordedRate]
) -> tuple[dict[str, tuple[int, int]], Provenance | None]:
    """Return right answers and questions by condition, and where they come from: measured now, else recorded."""
    if kept:
        newest = list(kept.values())[-1].outcome.provenance
        made_now = newest and replace(newest, seconds=0.0)  # the time of one answer says nothing about a rate
        return {name: (progress.right, progress.n) for name, progress in kept.items()}, made_now
    made = [rate.provenance for rate in recorded.values()]
    return {name: (rate.right, rate.n) for name, rate in recorded.items()}, made[-1] if made else None


def save_run(run: str, recorded: Iterable[RecordedRate], *, folder: Path = FOLDER) -> Path:
    """Write a run, replacing the one that was there."""
    rows: Sequence[RecordedRate] = tuple(recorded)
    path = folder / f"{run}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(RecordedRate)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    load_run.cache_clear()
    return path
