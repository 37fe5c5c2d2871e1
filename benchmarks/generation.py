"""Tokens per second of one user: our stream against `pipeline("text-generation")` on the same weights, on CPU.

`python -m benchmarks.generation` prints a line per round and one line of JSON last; `_ratio` is ours over theirs.
"""

import json
import statistics
import time

import torch
from transformers import pipeline

from lecture_core import catalog, loading
from lecture_core.engine import get_engine

MODEL = "smollm2-135m-instruct"
PROMPT = "Once upon a time, in a small village by the sea, there lived"
NEW_TOKENS, ROUNDS = 64, 3


def ours() -> float:
    """Tokens per second of one stream."""
    started = time.perf_counter()
    chunks = list(get_engine().generate(PROMPT, model=MODEL, max_new_tokens=NEW_TOKENS))
    return chunks[-1].tokens / (time.perf_counter() - started)


def theirs(generate: object) -> float:
    """Tokens per second of the pipeline, end token suppressed so that it writes the full length."""
    started = time.perf_counter()
    generate(PROMPT, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False)
    return NEW_TOKENS / (time.perf_counter() - started)


def main() -> None:
    """Alternate the two sides and report medians."""
    torch.set_num_threads(loading.devices.cpu_threads())
    folder = str(loading.resolve(catalog.get(MODEL)))
    generate = pipeline("text-generation", model=folder, dtype=torch.float32)
    ours(), theirs(generate)  # warm-up
    rounds = [(ours(), theirs(generate)) for _ in range(ROUNDS)]
    for mine, peer in rounds:
        print(f"ours {mine:.1f} tokens/s, pipeline {peer:.1f} tokens/s")
    mine, peer = (statistics.median(side) for side in zip(*rounds, strict=True))
    result = {
        "benchmark": "generation",
        "model": MODEL,
        "new_tokens": NEW_TOKENS,
        "rounds": ROUNDS,
        "ours_tokens_per_second": round(mine, 1),
        "pipeline_tokens_per_second": round(peer, 1),
        "lowest_ratio": round(min(m / p for m, p in rounds), 2),
        "generation_ratio": round(mine / peer, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
