"""Masked LM for a class: 32 users at once, and one alone, against a serial `pipeline("fill-mask")`.

Same weights, same sentences, in one run, rounds alternating; nothing is answered from kept results. The peer runs in
our dtype (float32, on a GPU bfloat16), and once more in that of the file (float16), which plain `pipeline(...)` takes.
`python -m benchmarks.masked_lm` prints a line per round and one line of JSON last; `_ratio` is ours over theirs.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import torch
from transformers import pipeline

from lecture_core import catalog, loading
from lecture_core.engine.local import LocalEngine

MODEL, USERS, TOP_K, ROUNDS = "minilm-mlm", 32, 10, 7
PLACES = ["hospital", "market", "station", "school", "river", "theatre", "bakery", "library"]
PATTERNS = [
    "She went to the {} to see the [MASK].",
    "The [MASK] near the {} was closed all day.",
    "He lost his [MASK] on the way to the {}.",
    "Nobody in the {} could [MASK] the answer.",
]
SENTENCES = [pattern.format(place) for pattern in PATTERNS for place in PLACES]


def timed(call: Callable[[str], object], sentences: Sequence[str]) -> list[float]:
    """Return the seconds of each call, one after another."""
    seconds = []
    for sentence in sentences:
        started = time.perf_counter()
        call(sentence)
        seconds.append(time.perf_counter() - started)
    return seconds


def at_once(call: Callable[[str], object], users: ThreadPoolExecutor) -> tuple[float, list[float]]:
    """Let each user ask one sentence at the same moment; returns seconds in all, and each user's wait."""
    start = Barrier(USERS + 1)

    def user(sentence: str) -> float:
        start.wait()
        begun = time.perf_counter()
        call(sentence)
        return time.perf_counter() - begun

    futures = [users.submit(user, sentence) for sentence in SENTENCES]
    start.wait()
    begun = time.perf_counter()
    waits = [future.result() for future in futures]
    return time.perf_counter() - begun, waits


def agreeing(engine: LocalEngine, peer: Callable[[str], list[dict]]) -> int:
    """Count the sentences for which both sides name the same ten words in the same order."""
    same = 0
    for sentence in SENTENCES:
        ours = engine.fill_mask(sentence, model=MODEL, top_k=TOP_K).masks[0].candidates
        same += [c.token_id for c in ours] == [c["token"] for c in peer(sentence)]
    return same


def spread(values: Sequence[float]) -> list[float]:
    """Lowest and highest, for the record."""
    return [round(min(values), 2), round(max(values), 2)]


def main() -> None:
    """Alternate the sides and report medians."""
    torch.set_num_threads(loading.devices.cpu_threads())
    folder = str(loading.resolve(catalog.get(MODEL)))
    device = loading.devices.choose()
    peer, plain = (
        pipeline("fill-mask", model=folder, top_k=TOP_K, dtype=dtype, device=device.name)
        for dtype in (getattr(torch, device.dtype), "auto")
    )
    engine = LocalEngine(result_bytes=0)

    def ours(sentence: str) -> object:
        return engine.fill_mask(sentence, model=MODEL, top_k=TOP_K)

    same = agreeing(engine, peer)
    rounds = []
    with ThreadPoolExecutor(USERS) as users:
        at_once(ours, users), timed(plain, SENTENCES)  # warm-up
        for _ in range(ROUNDS):
            seconds, waits = at_once(ours, users)
            alone, theirs, half = timed(ours, SENTENCES), timed(peer, SENTENCES), timed(plain, SENTENCES)
            p95 = statistics.quantiles(waits, n=20)[-1]
            rounds.append((seconds, p95, *map(statistics.median, (alone, theirs, half)), sum(theirs), sum(half)))
            print(
                f"{USERS} users {seconds * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms; one user {rounds[-1][2] * 1e3:.1f} ms; "
                f"pipeline {rounds[-1][3] * 1e3:.1f} ms a call, {rounds[-1][4] * 1e3:.1f} ms in the file's dtype"
            )
    seconds, p95, alone, theirs, half, serial, serial_half = zip(*rounds, strict=True)
    throughput = [s / o for s, o in zip(serial, seconds, strict=True)]
    single = [t / a for t, a in zip(theirs, alone, strict=True)]
    result = {
        "benchmark": "masked_lm",
        "model": MODEL,
        "users": USERS,
        "rounds": ROUNDS,
        "same_top_10": f"{same}/{len(SENTENCES)}",
        "users_seconds": round(statistics.median(seconds), 4),
        "users_p95_seconds": round(statistics.median(p95), 4),
        "users_p95_seconds_highest": round(max(p95), 4),
        "one_user_seconds": round(statistics.median(alone), 4),
        "pipeline_seconds": round(statistics.median(theirs), 4),
        "pipeline_file_dtype_seconds": round(statistics.median(half), 4),
        "users_spread": spread(throughput),
        "one_user_spread": spread(single),
        "users_ratio": round(statistics.median(throughput), 2),
        "one_user_ratio": round(statistics.median(single), 2),
        "users_file_dtype_ratio": round(statistics.median(s / o for s, o in zip(serial_half, seconds, strict=True)), 2),
        "one_user_file_dtype_ratio": round(statistics.median(h / a for h, a in zip(half, alone, strict=True)), 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
