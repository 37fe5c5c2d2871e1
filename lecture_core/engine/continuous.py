"""Text for many at once on a GPU: transformers' continuous batching, each stream a row of one batch.

Requests join and leave at any step, and equal beginnings of prompts share their cache. Settled here is what
transformers leaves open: a prompt that cannot fit is refused first (it would block all that come after it), the cache
has a fixed size, a loop that died or stands still is replaced, and each request samples by its own seed.
"""

import itertools
import math
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from lecture_core import device as devices
from lecture_core.engine import stream_memory
from lecture_core.engine.results import Message
from lecture_core.engine.stream_memory import STREAMS
from lecture_core.engine.waiting import LOOK, Slots, Ticket, Waiting
from lecture_core.errors import ContextLengthError, ModelUnavailableError
from lecture_core.generation import Emit, Sampling, Written, prompt_ids
from lecture_core.loading import LoadedModel

STALLED = 30.0  # seconds without a token of anybody
FREED = 5.0  # seconds that a new batch waits for the old one's cache

Lend = Callable[[int, int, Ticket], int]
"""Counts memory as the streams': at least and at most so many bytes; returns how many, 0 if none is free yet."""


def serves() -> bool:
    """Whether causal models generate this way here: on a GPU."""
    return devices.choose().name == "cuda"


class ContinuousGenerator:
    """The streams of one model. Safe to call from several threads; nothing runs before the first stream.

    Args:
        model: a decoder in memory.
        lend: is asked before each batch, which takes as much as is left then.
    """

    def __init__(self, model: LoadedModel, lend: Lend) -> None:
        self.model, self._lend = model, lend
        self._memory = stream_memory.of_model(model)
        self.context_length = model.spec.context_length
        self._slots = Slots(STREAMS)
        self._starting = threading.Lock()
        self._batch: _Batch | None = None
        self._closed = False

    def stream(self, prompt: str | Sequence[Message], sampling: Sampling, emit: Emit, ticket: Ticket) -> str:
        """Stream a continuation to `emit` from this thread; returns why it ended: stop, length or cancelled.

        Raises:
            ContextLengthError: the prompt leaves no room for the answer.
            ModelUnavailableError: the batch broke down before it gave this stream a token.
        """
        ids = prompt_ids(self.model, prompt)
        room = self.context_length - len(ids)
        if room < 1:
            raise ContextLengthError(
                f"Expected a prompt of fewer than {self.context_length:,} tokens; got {len(ids):,}. Shorten it."
            )
        with self._slots.take(ticket) as taken:
            return (
                self._answer(ids, sampling, min(sampling.max_new_tokens, room), emit, ticket) if taken else "cancelled"
            )

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep the batch still, and let none begin, while the body computes with the same weights."""
        with self._starting, batch.still() if (batch := self._batch) is not None else nullcontext():
            yield

    def close(self) -> None:
        """End the batch for good; its streams fail. Waits for nobody: a pass may be under way."""
        self._closed = True
        if (batch := self._batch) is not None:
            batch.end()
        self._batch = None

    def _answer(self, ids: list[int], sampling: Sampling, limit: int, emit: Emit, ticket: Ticket) -> str:
        text, given = Written(self.model, sampling, emit), list[int]()
        while not ticket.is_set():
            batch, before = self._running(ticket), len(given)
            if batch is None:
                break
            with batch.asked(ids + given, sampling, limit - before) as answers:
                failed = _follow(answers, given, text, ticket)
            if failed is None:
                return text.reason
            batch.end()
            if len(given) == before:
                raise self._broken(f"{failed} {batch.error}")
        return "cancelled"

    def _broken(self, error: str) -> ModelUnavailableError:
        if devices.says_out_of_memory(error):
            return ModelUnavailableError(
                f"{self.model.spec.title} ran out of memory. Shorten the text, try again in a minute, or choose a "
                "smaller model."
            )
        return ModelUnavailableError(f"{self.model.spec.title} stopped while it wrote. Run it again; it starts anew.")

    def _running(self, ticket: Ticket) -> "_Batch | None":
        """The batch that streams join, a new one where there is none; None if the ticket was set before."""
        while not ticket.is_set():
            if (batch := self._batch) is not None and batch.alive:
                return batch
            if not self._starting.acquire(timeout=LOOK):  # a pass of the same weights may hold it for long
                continue
            try:
                started = self._start(ticket)
            finally:
                self._starting.release()
            if not started:
                ticket.waiting = Waiting(0, 0.0, memory=True)
                ticket.wait(LOOK)
                ticket.waiting = None
        return None

    def _start(self, ticket: Ticket) -> bool:
        """Start a batch in place of none or of one that ended; False while there is no memory for it."""
        if (old := self._batch) is not None and not old.alive:
            old.let_go(ticket)
            if ticket.is_set():
                return False
            self._batch = None
        if self._batch is None and not self._closed:
            lent = self._lend(self._memory.least, self._memory.most, ticket)
            if not lent:
                return False
            self._batch = _Batch(self.model, self._memory.blocks(lent))
        if self._closed:  # before or meanwhile
            self.close()
            raise self._broken("the model was put away")
        return True


def _follow(answers: "queue.SimpleQueue[Any]", given: list[int], text: Written, ticket: Ticket) -> str | None:
    """Write what one batch answers, adding its tokens to `given`; returns the error if the batch broke down."""
    before = len(given)
    while not ticket.is_set():
        try:
            output = answers.get(timeout=LOOK)
        except queue.Empty:
            continue
        if output is None or output.error:
            return "the batch ended" if output is None else str(output.error)
        for place in range(len(given) - before, len(output.generated_tokens)):
            given.append(output.generated_tokens[place])
            known = text.sampling.logprobs and not text.sampling.temperature
            logprobs = (output.logprobs[place],) if known else ()
            if text.push(given[-1], logprobs):
                return None
        if output.is_finished():
            text.flush()
            return None
    text.reason = "cancelled"
    return None


class _Batch:
    """One loop of transformers, its thread, and the thread that hands its outputs to the streams."""

    def __init__(self, model: LoadedModel, blocks: int) -> None:
        from transformers import GenerationConfig

        from lecture_core.seeded_sampling import processors

        self.last_answer = 0.0
        self._ended = self._paused = False
        self._ids = itertools.count()
        self._answers: dict[str, queue.SimpleQueue[Any]] = {}
        self._asked: dict[Hashable, float] = {}  # streams, and who waits for a pause: since when
        self.manager = model.network.init_continuous_batching(
            GenerationConfig(do_sample=False, eos_token_id=model.network.generation_config.eos_token_id),
            stream_memory.settings(blocks),
        )
        self.manager.logit_processor = processors()
        self.manager.start()
        threading.Thread(target=self._deliver, name="continuous-answers", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether new streams may join."""
        return not self._ended and bool(self.manager.is_running())

    @property
    def error(self) -> str:
        """Why the loop ended, as far as it says."""
        return str(self.manager.background_thread_status.fatal_error or "")

    def end(self) -> None:
        """Let all streams fail and the loop end after its step."""
        if not self._ended:
            self._ended = True
            self.manager.stop(block=False, hard_stop=True)
            # A loop that stands still hears of no stop, and whoever waits for its pause would wait for ever.
            self.manager.background_thread_status.record_fatal_error(RuntimeError("The batch was ended."))

    def let_go(self, ticket: Ticket | None = None) -> None:
        """Wait a moment, or until the ticket is set, for the loop's end and free its cache.

        The next batch would stand beside it, or somebody's pass run beside its last step.
        """
        self.end()
        until = time.monotonic() + FREED
        while self.manager.is_running() and time.monotonic() < until and not (ticket and ticket.is_set()):
            time.sleep(LOOK / 10)
        if (error := self.manager.background_thread_status.fatal_error) is not None:
            error.__traceback__ = None  # its frames hold the cache

    @contextmanager
    def still(self) -> Iterator[None]:
        """Hold the loop between two steps while the body runs; one that ended, or is ended meanwhile, is let go."""
        with ExitStack() as stack:
            try:
                with self.waited_for():
                    stack.enter_context(self.manager.pause())
                self._paused = True
            except RuntimeError:  # it ended before it could pause
                self.let_go()
            try:
                yield
            finally:
                self.last_answer, self._paused = time.monotonic(), False

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Let the loop be ended if it does nothing for too long while the body runs."""
        name = object()
        self._asked[name] = time.monotonic()
        try:
            yield
        finally:
            del self._asked[name]

    @property
    def stands_still(self) -> bool:
        """Whether somebody has waited too long and nobody got anything meanwhile, though nobody holds the loop."""
        if self._paused:
            return False
        oldest = min(list(self._asked.values()), default=math.inf)
        return time.monotonic() - max(oldest, self.last_answer) > STALLED

    @contextmanager
    def asked(self, ids: list[int], sampling: Sampling, limit: int) -> Iterator["queue.SimpleQueue[Any]"]:
        """Join the batch while the body runs. Each output in the queue has all tokens so far; None: it broke."""
        from lecture_core.seeded_sampling import settings

        name, answers = f"stream-{next(self._ids)}", queue.SimpleQueue[Any]()
        self._answers[name] = answers
        try:
            with self.waited_for():
                if (
                    self.manager.add_request(ids, name, max_new_tokens=limit, streaming=True, **settings(sampling))
                    is None
                ):
                    answers.put(None)
                yield answers
        finally:
            del self._answers[name]
            self.manager.cancel_request(name)

    def _deliver(self) -> None:
        while self.alive:
            if (
                self.stands_still or not threading.main_thread().is_alive()
            ):  # the program ends; the loop's thread would keep it
                self.end()
            self._hand_out(self.manager.get_result(timeout=LOOK))
        for answers in list(self._answers.values()):
            answers.put(None)

    def _hand_out(self, output: Any) -> None:
        if output is None:
            return
        self.last_answer = time.monotonic()
        if (answers := self._answers.get(output.request_id)) is not None:
            answers.put(output)
