"""One owner thread a model: everything that touches the weights runs on it, one job or one batch after the other.

Requests that need one forward pass and wait at the same moment share it. Texts are tokenised on the callers' threads.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from lecture_core import device as devices
from lecture_core.catalog import ModelSpec
from lecture_core.engine import batch_limits
from lecture_core.engine.continuous import ContinuousGenerator, Lend
from lecture_core.engine.jobs import Job, computed, hand_over, limits_of, owner_finishes
from lecture_core.engine.waiting import LOOK, Pace, Ticket, Waiting, enqueue, report
from lecture_core.errors import DeadlineError, LectureError, StoppedError, forget_frames
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel, load

if TYPE_CHECKING:
    from lecture_core.forward import ForwardRequest
    from lecture_core.scoring import ScoreRequest

T = TypeVar("T")
GATHERING = 0.005  # seconds a batch waits at most, and only while requests are on their way or still come in
MEASURED = 5.0  # seconds between two looks at how much of a card a pass may take: other models come, go and write
QUIET = 0.001  # seconds without another request, after which those that wait are taken


class Worker:
    """Owns one model. The model is loaded by the first job, on the worker's own thread.

    Args:
        spec: row of the catalog.
        words: the model's tokenizer, shared with the callers (tokenising needs no owner).
        lend: gives its streams their memory.

    Attributes:
        lent: bytes that its streams may take.
    """

    def __init__(self, spec: ModelSpec, words: LoadedTokenizer, lend: Lend) -> None:
        self.spec, self.words, self._lend, self.lent = spec, words, lend, 0
        self.model: LoadedModel | None = None
        self.waiting = 0
        self.streams: ContinuousGenerator | None = None
        self._coming = 0
        self._jobs: deque[Job] = deque()
        self._lock = threading.Lock()
        self._pace = Pace()
        self._limits, self._measured = batch_limits.most(devices.choose(), spec.parameters), 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"model-{spec.id}")

    def run(self, task: Callable[[LoadedModel], T], ticket: Ticket, *, deadline: float | None) -> tuple[T, float]:
        """Run a task on the owner thread; returns its result and the seconds it took, waiting and loading excluded.

        Args:
            ticket: hears of the waiting, and ends it when it is set.
            deadline: seconds to wait at most, counted from when the ticket was made; None waits as long as it takes.

        Raises:
            DeadlineError: the result did not come in time; a task that has not begun is dropped.
            StoppedError: the ticket was set before the task began, or between two of its forward passes.
        """
        result, _, seconds = self._wait(self._queue(Job(task, ticket)), ticket, deadline)
        return result, seconds

    def forward(
        self,
        prepare: "Callable[[LoadedTokenizer], ForwardRequest[T] | Callable[[LoadedModel], T]]",
        ticket: Ticket,
        *,
        deadline: float,
    ) -> tuple[T, float]:
        """Answer a request in a batch with those that wait at the same time; returns the seconds of the batch too.

        Args:
            prepare: tokenises and checks, on this thread; what it raises reaches nobody else. It may return a task
                instead, which is run alone.
        """
        job = self._prepared(prepare, ticket)
        found, model, seconds = self._wait(job, ticket, deadline)
        return (job.task.finish(found, model) if job.length and not owner_finishes(model) else found), seconds

    def score(
        self, prepare: "Callable[[LoadedTokenizer], ScoreRequest]", ticket: Ticket, *, deadline: float
    ) -> "tuple[Any, float]":
        """Answer a request for scores with those that wait at the same time and join it; see `forward`."""
        found, _, seconds = self._wait(self._prepared(prepare, ticket, scores=True), ticket, deadline)
        return found, seconds

    def generator(self, ticket: Ticket, *, deadline: float) -> ContinuousGenerator:
        """What writes for many at once with this model; made at the first call, after loading the model."""

        if (made_before := self.streams) is not None:
            return made_before

        def made(model: LoadedModel) -> ContinuousGenerator:
            self.streams = self.streams or ContinuousGenerator(model, self._lend)
            return self.streams

        return self.run(made, ticket, deadline=deadline)[0]

    def close(self) -> None:
        """Let the model go; jobs that have not begun are dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self.streams:
            self.streams.close()
        self.model = self.streams = None

    def _prepared(self, prepare: Callable[[LoadedTokenizer], Any], ticket: Ticket, *, scores: bool = False) -> Job:
        """Queue a request whose batch knows of it while it is tokenised."""
        with self._lock:
            self._coming += 1
        try:
            task = prepare(self.words)
        except BaseException:
            with self._lock:
                self._coming -= 1
            raise
        return self._queue(Job(task, ticket, 0 if scores or callable(task) else len(task), scores), announced=1)

    def _queue(self, job: Job, *, announced: int = 0) -> Job:
        with self._lock:
            self._coming -= announced
            self.waiting += 1
            enqueue(self._jobs, job, lambda other: other.first)
        job.future.add_done_callback(self._done)
        self._thread.submit(self._step)
        return job

    def _wait(self, job: Job, ticket: Ticket, deadline: float | None) -> tuple[Any, LoadedModel, float]:
        until = ticket.began + (math.inf if deadline is None else deadline)
        try:
            while True:
                try:
                    return job.future.result(min(LOOK, max(0.0, until - time.monotonic())))
                except FutureTimeout:
                    if job.future.done():  # the task itself raised it, or the result came this moment
                        return job.future.result()
                    if time.monotonic() >= until:
                        raise
                if ticket.is_set():  # while the model is being loaded too
                    raise StoppedError("Stopped before its answer came: a newer request took its place.")
                ticket.waiting = self._waiting(job)
                report(ticket.waiting)
        except FutureTimeout as exc:
            ticket.set()
            raise DeadlineError(
                f"{self.spec.title} gave no answer within {deadline or 0:.0f} s. Try again, or choose a smaller model."
            ) from exc
        except BaseException:  # whoever asked has gone: what runs may stop
            ticket.set()
            raise
        finally:
            job.future.cancel()
            ticket.waiting = None

    def _waiting(self, job: Job) -> Waiting:
        with self._lock:
            stands = job in self._jobs
            before = (
                1 + sum(not other.future.done() for other in islice(self._jobs, self._jobs.index(job))) if stands else 0
            )
        return self._pace.waiting(before, loading=self.model is None)

    def _done(self, _: "Future[Any]") -> None:
        with self._lock:
            self.waiting -= 1

    def _step(self) -> None:
        """Do the oldest job and all that can go with it; nothing if an earlier step took it along."""
        self._gather()
        if self.model and devices.choose().name == "cuda" and time.monotonic() - self._measured > MEASURED:
            self._limits, self._measured = limits_of(self.model), time.monotonic()
        taken = [job for job in self._take() if job.future.set_running_or_notify_cancel()]
        if taken:
            self._answer(taken)

    def _take(self) -> list[Job]:
        with self._lock:
            if not self._jobs:
                return []
            batch = [self._jobs.popleft()]
            if batch[0].scores:
                return self._joined(batch)
            longest, logits = batch[0].length, batch[0].logits
            for job in [job for job in self._jobs if job.length and job.bucket == batch[0].bucket]:
                longest, logits = max(longest, job.length), logits + job.logits
                if longest * (len(batch) + 1) > self._limits.tokens or logits > self._limits.logits:
                    break
                self._jobs.remove(job)
                batch.append(job)
            return batch

    def _gather(self) -> None:
        """Let those join who press at the same moment; who is alone does not wait."""
        until, here = time.monotonic() + GATHERING, 1
        while (self._coming or len(self._jobs) > here) and (left := until - time.monotonic()) > 0:
            here = len(self._jobs)
            time.sleep(min(QUIET, left))

    def _joined(self, batch: list[Job]) -> list[Job]:
        for job in [job for job in self._jobs if job.scores]:
            if job.task.joins([other.task for other in batch]):
                self._jobs.remove(job)
                batch.append(job)
        return batch

    def _answer(self, jobs: list[Job]) -> None:
        failed = self._tried(jobs)
        if failed is None:
            return
        if len(jobs) == 1 or isinstance(failed, LectureError):
            for job in jobs:
                job.future.set_exception(failed)
            return
        forget_frames(failed)  # they hold what the batch computed, and each is to be tried in that memory
        for job in jobs:  # one of them did it: only that one fails
            self._answer([job])

    def _tried(self, jobs: list[Job]) -> BaseException | None:
        """Compute a batch and hand its results over; returns what went wrong, to be raised on the callers' threads."""
        try:
            if self.model is None:
                self.model = load(self.spec, self.words)
            model, started = self.model, time.perf_counter()
            with self.streams.paused() if self.streams else nullcontext():
                results = computed(jobs, model)
        except BaseException as exc:
            return forget_frames(exc) if isinstance(exc, LectureError) else exc
        seconds = time.perf_counter() - started
        self._pace.measured(seconds, len(jobs))
        for job, result in zip(jobs, results, strict=True):
            hand_over(job, result, model, seconds)
        return None
