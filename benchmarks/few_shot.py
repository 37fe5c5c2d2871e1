"""A few-shot sweep (k = 0 to 16, 100 sentiment items, labels ranked) against lm-evaluation-harness.

Same weights, same precision, same prompts, same labels, same threads, in one run, sides alternating. The harness reads
every prompt anew; we read shared exemplars once and many questions together. Its batch size is the best of a few.
`pip install -r requirements-bench.txt -c requirements.txt`, then `python -m benchmarks.few_shot` prints a line a round
and one line of JSON last; `_ratio` is ours over theirs.
"""

import json
import logging
import resource
import statistics
import time
from collections.abc import Sequence

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from lecture_core import catalog, few_shot, loading
from lecture_core.engine.local import LocalEngine
from lecture_core.few_shot import Asking
from lecture_core.prompting import build_prompt
from lecture_core.tasks import load_task

MODEL, TASK, KS, ITEMS, ROUNDS, BATCHES = "smollm2-135m-instruct", "sentiment", (0, 1, 2, 4, 8, 16), 100, 3, (1, 8)
CARD_BATCHES = (8, 32, 128)  # a GPU is not full before
QUICK = 30  # items of the trial (fewer would flatter small batches) that chooses the harness's batch size


def ours(engine: LocalEngine) -> list[str]:
    """The labels that our sweep chooses, k by k."""
    task, asking = load_task(TASK), Asking(MODEL)
    chosen = []
    for k in KS:
        *_, last = few_shot.measure(engine, task, k, asking, items=task.items[:ITEMS])
        chosen += [outcome.completion.strip() for outcome in last.outcomes]
    return chosen


def theirs(harness: HFLM, ks: Sequence[int] = KS, items: int = ITEMS) -> list[str]:
    """The labels that the harness finds most probable, in the same order."""
    task = load_task(TASK)
    requests = [
        Instance("loglikelihood", {}, (build_prompt(task, item, k), f" {label}"), number)
        for k in ks
        for item in task.items[:items]
        for number, label in enumerate(task.labels)
    ]
    scores = [score for score, _ in harness.loglikelihood(requests, disable_tqdm=True)]
    width = len(task.labels)
    rows = [scores[i : i + width] for i in range(0, len(scores), width)]
    return [task.labels[row.index(max(row))] for row in rows]


def seconds(call: object, *inputs: object) -> tuple[float, list[str]]:
    """Time one call."""
    started = time.perf_counter()
    result = call(*inputs)  # type: ignore[operator]
    return time.perf_counter() - started, result


def best_batch(network: torch.nn.Module, tokenizer: object) -> HFLM:
    """The harness with the fastest of some batch sizes, tried on a few items."""
    trials = []
    device = loading.devices.choose().name
    for size in BATCHES if device == "cpu" else CARD_BATCHES:
        harness = HFLM(pretrained=network, tokenizer=tokenizer, device=device, batch_size=size)
        theirs(harness, (4,), 2)  # warm-up
        trials.append((seconds(theirs, harness, (0, 4, 16), QUICK)[0], size, harness))
    print("harness, trial of batch sizes: " + ", ".join(f"{size}: {took:.1f} s" for took, size, _ in trials))
    return min(trials, key=lambda trial: trial[0])[2]


def main() -> None:
    """Alternate the sides and report medians."""
    logging.disable(logging.WARNING)
    torch.set_num_threads(loading.devices.cpu_threads())
    spec = catalog.get(MODEL)
    model = loading.load(spec, loading.load_tokenizer(spec))
    with torch.inference_mode():
        harness = best_batch(model.network, model.words.tokenizer)
    engine = LocalEngine(result_bytes=0)
    engine.score("warm", [" up"], model=MODEL)
    rounds = []
    for _ in range(ROUNDS):
        mine, labels = seconds(ours, engine)
        peer, expected = seconds(theirs, harness)
        rounds.append((mine, peer))
        print(f"ours {mine:.1f} s, harness {peer:.1f} s, ratio {peer / mine:.2f}", flush=True)
    ratios = [peer / mine for mine, peer in rounds]
    same = [a == b for a, b in zip(labels, expected, strict=True)]
    worst = min(sum(same[i : i + ITEMS]) for i in range(0, len(same), ITEMS))
    result = {
        "benchmark": "few_shot",
        "model": MODEL,
        "task": TASK,
        "ks": KS,
        "items": ITEMS,
        "rounds": ROUNDS,
        "harness_batch_size": harness.batch_size,
        "same_predictions": f"{sum(same)}/{len(same)}",
        "same_predictions_worst_k": f"{worst}/{ITEMS}",
        "ours_seconds": round(statistics.median(mine for mine, _ in rounds), 2),
        "harness_seconds": round(statistics.median(peer for _, peer in rounds), 2),
        "memory_gb_both_sides": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "sweep_spread": [round(min(ratios), 2), round(max(ratios), 2)],
        "sweep_ratio": round(statistics.median(ratios), 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
