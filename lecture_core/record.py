"""Measure the accuracies of the prompting labs once and keep them.

`python -m lecture_core.record few_shot` writes `assets/runs/few_shot_accuracy.csv` and what was answered to each
question, `... chain_of_thought` writes `assets/runs/chain_of_thought_accuracy.csv`; `--tasks` measures some tasks only
and keeps the others' rows. Decoding is greedy; the items are the first ones of each task's file. Each rate carries a
fingerprint of what was asked. `... few_shot --stamp` gives one to rates that were recorded before there was any; that
is right only where tasks, prompts and judging are unchanged since.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lecture_core import chain_of_thought, few_shot
from lecture_core.engine import get_engine
from lecture_core.few_shot import Asking
from lecture_core.measurement import Measuring, Progress
from lecture_core.recorded_answers import answer_of, answers_id, load_answers, save_answers
from lecture_core.recorded_runs import RecordedRate, fingerprint_now, load_run, save_run
from lecture_core.run_tables import FOLDER
from lecture_core.tasks import Task, list_tasks, load_task

WRITTEN_ITEMS = 50  # of a task whose answers are written one after another
WORD_PROBLEMS = 40
EXEMPLARS = 4
SEED = 0
Measured = Iterator[tuple[RecordedRate, Progress]]
"""Rates as they are measured, each with its judged questions."""


def few_shot_rates(task: Task, model: str) -> Measured:
    """Measure a few-shot task at every k of `few_shot.KS` that fits."""
    items = task.items[: few_shot.ITEMS if task.labels else WRITTEN_ITEMS]
    steps = few_shot.measure_over_k(get_engine(), task, Asking(model), items=items)
    for k, done in _finished(steps):
        yield _rate(task, k, int(k), done, model, "few_shot"), done


def chain_of_thought_rates(task: Task, model: str) -> Measured:
    """Measure the word problems with each method of `chain_of_thought.METHODS`."""
    items = task.items[:WORD_PROBLEMS]
    steps = chain_of_thought.measure_methods(get_engine(), task, items=items, model=model, k=EXEMPLARS, seed=SEED)
    for method, done in _finished(steps):
        shown = 0 if method == "step_by_step" else EXEMPLARS
        yield _rate(task, method, shown, done, model, "chain_of_thought"), done


RUNS = {"few_shot": few_shot_rates, "chain_of_thought": chain_of_thought_rates}
OPENED = ("few_shot",)  # runs whose page lets every recorded question be opened


def _finished(steps: Measuring) -> Iterator[tuple[str, Progress]]:
    return ((name, progress) for name, progress in steps if progress.n == progress.total)


def _rate(task: Task, condition: str, exemplars: int, done: Progress, model: str, run: str) -> RecordedRate:
    made = done.outcome.provenance
    rate = RecordedRate(
        task=task.id,
        condition=condition,
        right=done.right,
        n=done.n,
        exemplars=exemplars,
        seed=SEED,
        model=model,
        revision=made.revision if made else "",
        device=made.device if made else "",
        dtype=made.dtype if made else "",
        date=datetime.now(UTC).date().isoformat(),
        command=f"python -m lecture_core.record {run}",
    )
    print(f"{task.id} {condition}: {done.right} of {done.n} right", flush=True)
    return stamped(rate)


def stamped(rate: RecordedRate) -> RecordedRate:
    """Return the rate with today's fingerprint where it has none; one that has another keeps it."""
    return rate if rate.fingerprint else replace(rate, fingerprint=fingerprint_now(rate))


def keep(run: str, measured: Iterable[tuple[RecordedRate, Progress]], *, folder: Path = FOLDER) -> Path:
    """Write measured rates of a run in place of earlier ones of the same tasks, models and seeds."""
    name, found = f"{run}_accuracy", list(measured)
    new = {(rate.task, rate.model, rate.seed) for rate, _ in found}
    rates = [rate for rate in load_run(name, folder=folder) if (rate.task, rate.model, rate.seed) not in new]
    rates = sorted([*rates, *(rate for rate, _ in found)], key=lambda rate: (rate.task, rate.model, rate.seed))
    if run in OPENED:
        kept = load_answers(name, folder=folder)
        answers = {key: kept[key] for rate in rates if (key := answers_id(rate)) in kept}
        answers |= {answers_id(rate): [answer_of(one) for one in done.outcomes] for rate, done in found}
        save_answers(name, answers, folder=folder)
    return save_run(name, rates, folder=folder)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m lecture_core.record", description="Measure and keep accuracies.")
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("--model", default="smollm2-135m-instruct", help="catalog id of a causal LM")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="measure only these; the others' rates stay")
    parser.add_argument("--stamp", action="store_true", help="measure nothing; give fingerprints to rates without one")
    options = parser.parse_args(arguments)
    if options.stamp:
        name = f"{options.run}_accuracy"
        print(f"Wrote {save_run(name, list(map(stamped, load_run(name))))}")
        return 0
    known = list_tasks(options.run)
    if unknown := set(options.tasks or ()) - set(known):
        parser.error(f"expected tasks of {', '.join(known)}; got {', '.join(sorted(unknown))}")
    for task in options.tasks or known:
        print(f"Wrote {keep(options.run, RUNS[options.run](load_task(task), options.model))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
