"""Measure the accuracies of the prompting labs once and keep them.

`python -m lecture_core.record few_shot` writes `assets/runs/few_shot_accuracy.csv`, `... chain_of_thought` writes
`assets/runs/chain_of_thought_accuracy.csv`. Decoding is greedy; the items are the first ones of each task's file.
Each rate carries a fingerprint of what was asked. `... few_shot --stamp` gives one to rates that were recorded before
there was any; that is right only where tasks, prompts and judging are unchanged since.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from lecture_core import chain_of_thought, few_shot
from lecture_core.engine import get_engine
from lecture_core.few_shot import Asking
from lecture_core.measurement import Measuring, Progress
from lecture_core.recorded_runs import RecordedRate, fingerprint_now, load_run, save_run
from lecture_core.tasks import Task, list_tasks, load_task

WRITTEN_ITEMS = 50  # of a task whose answers are written one after another
WORD_PROBLEMS = 40
EXEMPLARS = 4
SEED = 0


def record_few_shot(model: str) -> Iterator[RecordedRate]:
    """Measure every few-shot task at every k of `few_shot.KS` that fits."""
    for task in map(load_task, list_tasks("few_shot")):
        items = task.items[: few_shot.ITEMS if task.labels else WRITTEN_ITEMS]
        steps = few_shot.measure_over_k(get_engine(), task, Asking(model), items=items)
        for k, done in _finished(steps):
            yield _rate(task, k, int(k), done, model, "few_shot")


def record_chain_of_thought(model: str, items: int = WORD_PROBLEMS) -> Iterator[RecordedRate]:
    """Measure the word problems with each method of `chain_of_thought.METHODS`."""
    task = load_task("word_problems")
    steps = chain_of_thought.measure_methods(
        get_engine(), task, items=task.items[:items], model=model, k=EXEMPLARS, seed=SEED
    )
    for method, done in _finished(steps):
        yield _rate(task, method, 0 if method == "step_by_step" else EXEMPLARS, done, model, "chain_of_thought")


RUNS = {"few_shot": record_few_shot, "chain_of_thought": record_chain_of_thought}


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


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m lecture_core.record", description="Measure and keep accuracies.")
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("--model", default="smollm2-135m-instruct", help="catalog id of a causal LM")
    parser.add_argument("--stamp", action="store_true", help="measure nothing; give fingerprints to rates without one")
    options = parser.parse_args(arguments)
    run = f"{options.run}_accuracy"
    found = map(stamped, load_run(run)) if options.stamp else RUNS[options.run](options.model)
    print(f"Wrote {save_run(run, found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
