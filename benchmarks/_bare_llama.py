"""llama.cpp as somebody would call it from Python without us; no torch here, which would slow it down.

`python -m benchmarks._bare_llama FILE SLOTS CONTEXT THREADS NEW_TOKENS`: a JSON list of prompts comes in per line, and
the tokens per second of all of them together, each on a thread of its own, go out.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def main() -> None:
    """Answer until the input ends."""
    import xllamacpp

    path, slots, context, threads, new_tokens = sys.argv[1], *map(int, sys.argv[2:])
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_parallel, params.n_ctx = slots, slots * context
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity, params.cache_ram_mib = -1, 0
    server = xllamacpp.Server(params)

    def ask(prompt: str) -> int:
        found = [0]

        def receive(chunk: dict[str, Any] | list[dict[str, Any]]) -> bool:
            for part in chunk if isinstance(chunk, list) else [chunk]:
                found[0] = max(found[0], part.get("usage", {}).get("completion_tokens", 0))
            return False

        request = {"prompt": prompt, "n_predict": new_tokens, "temperature": 0, "top_k": 1, "stream": True}
        server.handle_completions(request | {"stream_options": {"include_usage": True}}, receive)
        return found[0]

    for line in sys.stdin:
        prompts = json.loads(line)
        with ThreadPoolExecutor(len(prompts)) as pool:
            started = time.perf_counter()
            tokens = sum(pool.map(ask, prompts))
            print(f"rate {tokens / (time.perf_counter() - started)} {tokens}", flush=True)


if __name__ == "__main__":
    main()
