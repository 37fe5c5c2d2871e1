"""How long the in-context curve takes: 32 examples through the model in one pass, the log-probability of every token.

And how long one example more takes after 31 of them were read. `python -m benchmarks.in_context`; one line of JSON
last, in seconds.
"""

import json
import os
import statistics
import time

from lecture_core import in_context
from lecture_core.engine import get_engine
from lecture_core.tasks import load_task

MODEL, EXAMPLES, ROUNDS = "smollm2-135m-instruct", 32, 7
TASKS = ("date_format", "sentiment")


def read(task: str, examples: int, seed: int) -> tuple[int, float]:
    """Read a prompt once; returns its tokens and the seconds that took."""
    written = in_context.write(load_task(task), examples, seed=seed)
    started = time.perf_counter()
    found = in_context.read_once(get_engine(), written, model=MODEL)
    return len(found.tokens), time.perf_counter() - started


def main() -> None:
    """Read prompts of each task, other examples each time; report medians and spread."""
    result: dict[str, object] = {"benchmark": "in_context", "cores": os.cpu_count(), "examples": EXAMPLES}
    result["load_before"] = round(os.getloadavg()[0], 1)
    engine = get_engine()
    in_context.read_once(engine, in_context.write(load_task(TASKS[0]), 2), model=MODEL)  # loads the model
    for name in TASKS:
        seconds, more, tokens = [], [], 0
        for seed in range(1, ROUNDS + 1):
            tokens, taken = read(name, EXAMPLES, seed)
            seconds.append(taken)
            read(name, EXAMPLES - 1, seed + ROUNDS)
            more.append(read(name, EXAMPLES, seed + ROUNDS)[1])
        whole, one_more = statistics.median(seconds), statistics.median(more)
        print(f"{name}: {tokens} tokens, median {whole:.2f} s; one example more {one_more:.2f} s")
        result |= {f"{name}_tokens": tokens, f"{name}_median_seconds": round(whole, 2)}
        result[f"{name}_one_more_median_seconds"] = round(one_more, 2)
        result[f"{name}_spread"] = [round(min(seconds), 2), round(max(seconds), 2)]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
