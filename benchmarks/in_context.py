"""How long the in-context curve takes: 32 examples through the model in one pass, the log-probability of every token.

`python -m benchmarks.in_context`; one line of JSON last, in seconds.
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


def main() -> None:
    """Read a prompt of each task with other examples each time; report medians and spread."""
    result: dict[str, object] = {"benchmark": "in_context", "cores": os.cpu_count(), "examples": EXAMPLES}
    result["load_before"] = round(os.getloadavg()[0], 1)
    engine = get_engine()
    in_context.read_once(engine, in_context.write(load_task(TASKS[0]), 2), model=MODEL)  # loads the model
    for name in TASKS:
        seconds, tokens = [], 0
        for seed in range(1, ROUNDS + 1):
            written = in_context.write(load_task(name), EXAMPLES, seed=seed)
            started = time.perf_counter()
            tokens = len(in_context.read_once(engine, written, model=MODEL).tokens)
            seconds.append(time.perf_counter() - started)
        print(f"{name}: {tokens} tokens, median {statistics.median(seconds):.2f} s")
        result |= {f"{name}_tokens": tokens, f"{name}_median_seconds": round(statistics.median(seconds), 2)}
        result[f"{name}_spread"] = [round(min(seconds), 2), round(max(seconds), 2)]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
