"""A process of its own for llama.cpp: `python -m lecture_core.llama_process FILE CONTEXT SLOTS THREADS`.

Why a process: llama.cpp and torch would share one OpenMP runtime, which stops its threads from spinning as soon as both
have used it; llama.cpp then falls from about 85 to 33 tokens a second on two cores. A crash also stays outside the app.

Requests come as JSON lines on standard input: `{"id", "chat", "request"}`, or `{"id", "cancel": true}`. Answers leave
as JSON lines: `{"ready"}` once, then per request `{"id", "read"}` while the prompt is read, `{"id", "text", "tokens",
"logprobs"}` for one or more tokens and last `{"id", "reason"}` or `{"id", "error"}`. The end of the input ends the
process.
"""

import json
import os
import sys
import threading
import time
from typing import Any, TextIO

_WRITING = threading.Lock()
_PROMPT_BATCH = 256  # tokens of a prompt between two looks at whether the request was cancelled
_PAUSE = 0.05  # seconds between two lines of an answer: each wakes the app, which takes a core from llama.cpp


class _Tokens:
    """Tokens on their way out: the first at once, the others gathered."""

    def __init__(self, number: int, answers: TextIO) -> None:
        self._number, self._answers = number, answers
        self._text, self._logprobs, self._sent = "", list[float](), 0.0
        self._written = self._told = 0

    def add(self, text: str, written: int, logprobs: list[float]) -> None:
        """Take text in; `written` counts all tokens so far."""
        self._text += text
        self._written = max(self._written, written)
        self._logprobs += logprobs
        if time.monotonic() - self._sent >= _PAUSE:
            self.send()

    def send(self) -> None:
        new = self._written - self._told
        if self._text or new:
            _say(self._answers, {"id": self._number, "text": self._text, "tokens": new, "logprobs": self._logprobs})
            self._text, self._logprobs, self._sent = "", [], time.monotonic()
            self._told = self._written


def serve(path: str, context_length: int, slots: int, threads: int, answers: TextIO) -> None:
    """Load the file and answer until the input ends."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_parallel, params.n_ctx = slots, slots * context_length
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_batch = params.n_ubatch = _PROMPT_BATCH
    params.warmup, params.verbosity = False, -1
    params.cache_ram_mib = 0  # each slot keeps its last prompt; llama.cpp would keep 8 GB of older ones too
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as exc:
        _say(answers, {"failed": str(exc)})
        return
    _say(answers, {"ready": True})
    cancelled: dict[int, threading.Event] = {}
    for line in sys.stdin:
        job = json.loads(line)
        if job.get("cancel"):
            if event := cancelled.get(job["id"]):
                event.set()
            continue
        cancelled[job["id"]] = threading.Event()
        threading.Thread(target=_run, args=(server, job, cancelled, answers), daemon=True).start()


def _run(server: Any, job: dict[str, Any], cancelled: dict[int, threading.Event], answers: TextIO) -> None:
    last: dict[str, Any] = {"reason": "length"}
    tokens = _Tokens(job["id"], answers)

    def receive(chunk: dict[str, Any] | list[dict[str, Any]]) -> bool:
        for part in chunk if isinstance(chunk, list) else [chunk]:
            if "error" in part:
                last.update(error=part["error"])
                return True
            if "prompt_progress" in part:
                _say(answers, {"id": job["id"], "read": part["prompt_progress"].get("processed", 0)})
                continue
            choice = part["choices"][0]
            last["reason"] = choice.get("finish_reason") or last["reason"]
            text = choice["text"] if "text" in choice else (choice.get("delta") or {}).get("content")
            content = (choice.get("logprobs") or {}).get("content") or []
            ended = choice.get("finish_reason") == "stop"  # its count has the end token, which is no text
            written = 0 if ended else part.get("timings", {}).get("predicted_n", 0)
            tokens.add(text or "", written, [token["logprob"] for token in content])
        if cancelled[job["id"]].is_set():
            last["reason"] = "cancelled"
            return True
        return False

    handle = server.handle_chat_completions if job["chat"] else server.handle_completions
    try:
        handle(job["request"], receive)
    except Exception as exc:  # whatever llama.cpp refuses is the asker's answer, or its slot is lost
        last["error"] = {"message": str(exc)}
    finally:
        cancelled.pop(job["id"], None)
    tokens.send()
    _say(answers, {"id": job["id"]} | last)


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    with _WRITING:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Keep standard output for answers: whatever llama.cpp prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    path, context_length, slots, threads = sys.argv[1:]
    serve(path, int(context_length), int(slots), int(threads), answers)
    os._exit(0)  # llama.cpp's threads would otherwise be joined while a request runs


if __name__ == "__main__":
    main()
