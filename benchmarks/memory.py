"""Memory of the process: with every bundled model loaded, and after a thousand mixed requests.

llama.cpp runs in a process of its own, counted too. `python -m benchmarks.memory` prints the steps and one line of JSON
last; sizes are resident bytes in gigabytes, and on a GPU what tensors took of the card at most.
"""

import gc
import json
import os
import random
from collections.abc import Callable

from lecture_core import catalog
from lecture_core import device as devices
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.pictures import Picture
from lecture_core.loading import availability
from lecture_core.sample_pictures import SAMPLES

REQUESTS, SEED = 1000, 0
WORDS = ["hospital", "market", "station", "river", "teacher", "window", "winter", "music", "banana", "law"]


def resident() -> tuple[float, float]:
    """Gigabytes that this process and its children hold."""
    gigabytes = []
    for process in (os.getpid(), *_children(os.getpid())):
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            gigabytes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e9)
    return gigabytes[0], sum(gigabytes[1:])


def _children(process: int) -> list[int]:
    found = []
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/children", encoding="ascii") as file:
            found += [int(child) for child in file.read().split()]
    return found


def requests(engine: LocalEngine, rng: random.Random) -> list[Callable[[], object]]:
    """One request of each kind, on a sentence of random words."""
    words = rng.choices(WORDS, k=rng.randint(5, 40))
    text = " ".join(words)
    usable = {role: [m.id for m in catalog.models(role) if availability(m).usable] for role in ("causal_lm", "seq2seq")}
    lm = usable["causal_lm"][0]
    calls: list[Callable[[], object]] = [
        lambda: engine.fill_mask(f"{text} [MASK].", model="minilm-mlm"),
        lambda: engine.detect_replacements(text, model="minilm-electra-discriminator"),
        lambda: engine.corrupt(text, model="minilm-electra-generator", seed=rng.randrange(99)),
        lambda: engine.next_token(text, model=lm),
        lambda: engine.score(text, [" yes", " no"], model=lm),
        lambda: engine.token_logprobs(text, model=lm, top_k=1),
        lambda: list(engine.generate(text, model=lm, max_new_tokens=4)),
    ]
    if see := [m.id for m in catalog.models("vision_language") if m.origin == "bundled" and availability(m).usable]:
        picture = Picture.of(SAMPLES["Apple"].draw())
        calls.append(lambda: engine.answer_about_image(picture, f"is there a {words[0]}?", model=see[0]))
    if usable["seq2seq"]:
        calls.append(lambda: engine.text_to_text(text, model=usable["seq2seq"][0], max_new_tokens=8))
    return calls


def main() -> None:
    """Load, measure, ask a thousand times, measure again."""
    engine, rng = LocalEngine(), random.Random(SEED)
    for _ in range(3):  # allocators and thread pools take their share at the first requests
        for call in requests(engine, rng):
            call()
    gc.collect()
    own, children = resident()
    loaded = own + children
    names = [row.model for row in engine.status().loaded]
    print(f"loaded {', '.join(names)}: {own:.2f} GB, llama.cpp {children:.2f} GB", flush=True)
    peak = loaded
    for number in range(1, REQUESTS + 1):
        rng.choice(requests(engine, rng))()
        if number % 100 == 0:
            own, children = resident()
            peak = max(peak, own + children)
            print(f"{number} requests: {own:.2f} GB, llama.cpp {children:.2f} GB", flush=True)
    gc.collect()
    after = sum(resident())
    result = {
        "benchmark": "memory",
        "models": names,
        "loaded_gb": round(loaded, 3),
        "after_requests_gb": round(after, 3),
        "highest_gb": round(peak, 3),
        "requests": REQUESTS,
        "growth": round(after / loaded - 1, 4),
    }
    if devices.choose().name == "cuda":
        import torch

        result["card_highest_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 3)
        result["card_reserved_gb"] = round(torch.cuda.max_memory_reserved() / 1e9, 3)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
