"""How cost grows: with users at once, with the length of a prompt, with the number of exemplars.

Fixed costs make the first steps cheap, so growth is the largest slope between two neighbours on a log-log scale: 1 is
linear. Nothing is answered from kept results or kept prompts. `python -m benchmarks.growth` prints a line a measurement
and one line of JSON last.
"""

import itertools
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from lecture_core import few_shot
from lecture_core.engine.local import LocalEngine
from lecture_core.few_shot import Asking
from lecture_core.tasks import load_task

MASKED, CAUSAL, ROUNDS, ITEMS = "minilm-mlm", "smollm2-135m-instruct", 5, 10
USERS, LENGTHS, KS = (1, 2, 4, 8, 16, 32), (64, 128, 256, 512, 1024), (1, 2, 4, 8, 16, 32)


def median_seconds(call: Callable[[], object]) -> float:
    """Median time of a call after one warm-up."""
    call()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def forget(engine: LocalEngine) -> None:
    """Empty the kept prompts of the causal LM."""
    engine._run(CAUSAL, (), lambda model: model.prefixes.clear())


def users_at_once(engine: LocalEngine, users: int) -> Callable[[], object]:
    """Each of so many users fills one mask at the same moment."""
    texts = [f"Student {i} went to the [MASK] in the morning." for i in range(users)]

    def call() -> object:
        with ThreadPoolExecutor(users) as threads:
            return list(threads.map(lambda text: engine.fill_mask(text, model=MASKED), texts))

    return call


def reading(engine: LocalEngine, tokens: int) -> Callable[[], object]:
    """One prompt of about so many tokens is read and its next token predicted."""

    def call() -> object:
        forget(engine)
        return engine.next_token("word " * tokens, model=CAUSAL)

    return call


def exemplars(engine: LocalEngine, k: int) -> Callable[[], object]:
    """Ten sentiment items are asked after k exemplars."""
    task = load_task("sentiment")

    def call() -> object:
        forget(engine)
        return list(few_shot.measure(engine, task, k, Asking(CAUSAL), items=task.items[:ITEMS]))

    return call


def steepest(seconds: Mapping[int, float]) -> float:
    """Largest log-log slope between two neighbours."""
    points = sorted(seconds.items())
    return max(math.log(b / a) / math.log(y / x) for (x, a), (y, b) in itertools.pairwise(points))


def overall(seconds: Mapping[int, float]) -> float:
    """Log-log slope from the first point to the last."""
    (x, a), *_, (y, b) = sorted(seconds.items())
    return math.log(b / a) / math.log(y / x)


def main() -> None:
    """Measure the three kinds of growth."""
    engine = LocalEngine(result_bytes=0)
    kinds = {"users": (users_at_once, USERS), "prompt_tokens": (reading, LENGTHS), "k": (exemplars, KS)}
    result: dict[str, object] = {"benchmark": "growth"}
    for name, (make, sizes) in kinds.items():
        seconds = {size: median_seconds(make(engine, size)) for size in sizes}
        print(f"{name}: " + ", ".join(f"{size}: {took * 1e3:.0f} ms" for size, took in seconds.items()), flush=True)
        result |= {
            f"{name}_seconds": {size: round(took, 4) for size, took in seconds.items()},
            f"{name}_exponent": round(overall(seconds), 2),
            f"{name}_steepest_exponent": round(steepest(seconds), 2),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
