"""What a model answered in a recorded few-shot run: `assets/runs/<id>.answers.json.gz`, one list of answers a rate.

Lecture: few-shot learning. Written by `python -m lecture_core.record`. Only what a rate cannot give is kept: written
texts, or the labels' log-probabilities; prompts and verdicts are made again from the task, whose fingerprint must still
be that of the rate. Knows no model.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from lecture_core.few_shot import judged_labels, judged_text
from lecture_core.measurement import Outcome, Progress
from lecture_core.prompting import PromptForm, build_prompt
from lecture_core.recorded_runs import RecordedRate
from lecture_core.run_tables import FOLDER, RunError
from lecture_core.statistics import wilson
from lecture_core.tasks import load_task

Answer = str | list[float]
"""What was written, or the log-probability in nats of each label."""
DIGITS = 5  # of a log-probability


def answer_of(outcome: Outcome) -> Answer:
    """Return what must be kept of a judged question."""
    return [round(value, DIGITS) for value in outcome.label_logprobs] or outcome.completion


def answers_id(rate: RecordedRate) -> str:
    """Return the name under which a rate's answers are kept."""
    return "/".join((rate.task, rate.condition, rate.model, str(rate.seed), rate.fingerprint))


@cache
def load_answers(run: str, *, folder: Path = FOLDER) -> Mapping[str, list[Answer]]:
    """Return the answers of a run by `answers_id`; none where they were not recorded.

    Raises:
        RunError: the file cannot be read.
    """
    path = folder / f"{run}.answers.json.gz"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(gzip.decompress(path.read_bytes())))
    except (OSError, EOFError, ValueError) as exc:
        raise RunError(f"{path.name}: expected packed JSON; {exc}. Record the run again.") from exc


def save_answers(run: str, answers: Mapping[str, Sequence[Answer]], *, folder: Path = FOLDER) -> Path:
    """Write the answers of a run, replacing those that were there; the same answers give the same file."""
    path = folder / f"{run}.answers.json.gz"
    text = json.dumps(dict(sorted(answers.items())), ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    load_answers.cache_clear()
    return path


def opened(run: str, rate: RecordedRate, *, folder: Path = FOLDER) -> Progress | None:
    """Return a recorded few-shot rate question by question, as if it were measured now; None where it was not kept."""
    answers = load_answers(run, folder=folder).get(answers_id(rate))
    if answers is None or len(answers) != rate.n or not rate.is_current:
        return None
    task, form, made = load_task(rate.task), PromptForm(rate.seed), rate.provenance
    outcomes = []
    for item, answer in zip(task.items, answers, strict=False):
        prompt = build_prompt(task, item, int(rate.condition), form)
        if isinstance(answer, str):
            outcomes.append(judged_text(task, item, prompt, answer, made))
        else:
            outcomes.append(judged_labels(task, item, prompt, answer, made))
    right = sum(one.right for one in outcomes)
    return Progress(right, rate.n, rate.n, *wilson(right, rate.n), tuple(outcomes))
