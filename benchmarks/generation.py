"""Tokens per second of 1 and of 16 users, on a GPU of 64 too: our streams against `pipeline("text-generation")`.

Same weights. `python -m benchmarks.generation` prints a line per round and one line of JSON last; `_ratio` is ours over
theirs. The pipeline serves one call after the other, so its total is that of one user; what it makes of all prompts in
one batch stands beside it. On a CPU the same file on llama.cpp alone, in a process of its own (`_bare_llama.py`), is
measured too.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from transformers import pipeline

from lecture_core import catalog, loading
from lecture_core import device as devices
from lecture_core.engine import get_engine, llama

MODEL = "smollm2-135m-instruct"
PROMPT = "Once upon a time, in a {} village {}, there lived"
KINDS = [
    "small",
    "old",
    "quiet",
    "poor",
    "rich",
    "cold",
    "green",
    "happy",
    "lonely",
    "busy",
    "dusty",
    "distant",
    "sunny",
    "foggy",
    "windy",
    "hidden",
]
PLACES = ["by the sea", "in the hills", "on an island", "near a river"]
NEW_TOKENS, ROUNDS, USERS = 64, 3, len(KINDS)
MANY = USERS * len(PLACES)  # on a GPU, which serves as many at once


def prompts(users: int) -> list[str]:
    """A different prompt for each user."""
    return [PROMPT.format(kind, place) for place in PLACES for kind in KINDS][:users]


def rate(users: int, ask: Callable[[str], int]) -> float:
    """Tokens per second of all users together, each on a thread of its own."""
    with ThreadPoolExecutor(users) as pool:
        started = time.perf_counter()
        return sum(pool.map(ask, prompts(users))) / (time.perf_counter() - started)


def ours(prompt: str) -> int:
    """Tokens of one stream."""
    chunks = list(get_engine().generate(prompt, model=MODEL, max_new_tokens=NEW_TOKENS, logprobs=False, session=prompt))
    return chunks[-1].tokens


class Pipeline:
    """The pipeline, end token suppressed so that it writes the full length."""

    def __init__(self) -> None:
        """Load the same weights, float32 on a CPU and bfloat16 on a GPU."""
        folder = str(loading.resolve(catalog.get(MODEL)))
        device = devices.choose()
        self.generate = pipeline(
            "text-generation", model=folder, dtype=getattr(torch, device.dtype), device=device.name
        )
        self.generate.tokenizer.padding_side = "left"

    def rate(self, users: int) -> float:
        """Tokens per second: one call after the other for one user, one batch for several."""
        asked = prompts(users)
        started = time.perf_counter()
        settings = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False}
        self.generate(asked, batch_size=users, **settings)
        return users * NEW_TOKENS / (time.perf_counter() - started)


class BareLlama:
    """llama.cpp in a process of its own, as somebody would call it from Python without us."""

    def __init__(self) -> None:
        """Start the process with our number of slots and threads."""
        path = str(loading.gguf_path(catalog.get(MODEL)))
        numbers = map(str, (llama.SLOTS, llama.SLOT_TOKENS, devices.cpu_threads(), NEW_TOKENS))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._bare_llama", path, *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def rate(self, users: int) -> float:
        """Tokens per second of so many users together."""
        self.process.stdin.write(json.dumps(prompts(users)) + "\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        while not (line := self.process.stdout.readline()).startswith("rate "):  # type: ignore[union-attr]
            if not line:
                raise RuntimeError("llama.cpp ended")
        return float(line.split()[1])

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def main() -> None:
    """Alternate the sides and report medians."""
    torch.set_num_threads(devices.cpu_threads())
    theirs = Pipeline()
    bare = BareLlama() if llama.serves(catalog.get(MODEL)) else None
    sides: dict[str, Callable[[], float]] = {
        "ours": lambda: rate(1, ours),
        "pipeline": lambda: theirs.rate(1),
        "ours_users": lambda: rate(USERS, ours),
        "pipeline_batch": lambda: theirs.rate(USERS),
    }
    if devices.choose().name == "cuda":
        sides |= {"ours_many": lambda: rate(MANY, ours), "pipeline_many_batch": lambda: theirs.rate(MANY)}
    if bare:
        sides |= {"llama": lambda: bare.rate(1), "llama_users": lambda: bare.rate(USERS)}
    for side in sides.values():
        side()  # warm-up
    rounds = []
    for _ in range(ROUNDS):
        rounds.append({name: side() for name, side in sides.items()})
        print(", ".join(f"{name} {value:.1f}" for name, value in rounds[-1].items()), "tokens/s")
    if bare:
        bare.close()
    print(json.dumps(report(rounds)))


def report(rounds: list[dict[str, float]]) -> dict[str, object]:
    """Medians and ratios of the rounds."""
    middle = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    found: dict[str, object] = {
        "benchmark": "generation",
        "model": MODEL,
        "device": devices.choose().name,
        "new_tokens": NEW_TOKENS,
        "rounds": ROUNDS,
        "users": USERS,
        **{f"{name}_tokens_per_second": round(value, 1) for name, value in middle.items()},
        "lowest_ratio": round(min(r["ours"] / r["pipeline"] for r in rounds), 2),
        "generation_ratio": round(middle["ours"] / middle["pipeline"], 2),
        "users_ratio": round(middle["ours_users"] / middle["pipeline"], 2),
        "users_batch_ratio": round(middle["ours_users"] / middle["pipeline_batch"], 2),
    }
    if "ours_many" in middle:
        found["many"] = MANY
        found["many_ratio"] = round(middle["ours_many"] / middle["pipeline"], 2)
        found["many_batch_ratio"] = round(middle["ours_many"] / middle["pipeline_many_batch"], 2)
    if "llama" in middle:
        found["llama_ratio"] = round(middle["ours"] / middle["llama"], 2)
        found["llama_users_ratio"] = round(middle["ours_users"] / middle["llama_users"], 2)
    return found


if __name__ == "__main__":
    main()
