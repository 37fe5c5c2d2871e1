"""One owner thread a model: everything that touches the weights runs on it, one job or one batch after the other.

Requests that need one forward pass and wait at the same moment share it. Texts are tokenised and logits are turned into
results on the callers' threads.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from lecture_core import device as devices
from lecture_core.catalog import ModelSpec
from lecture_core.engine import batch_limits
from lecture_core.engine.batch_limits import BatchLimits
from lecture_core.engine.continuous import ContinuousGenerator
from lecture_core.engine.waiting import LOOK, Pace, Ticket, Waiting, enqueue, report
from lecture_core.errors import DeadlineError, LectureError, ModelUnavailableError, StoppedError, forget_frames
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import LoadedModel, load
from lecture_core.stopping import stoppable

if TYPE_CHECKING:
    from lecture_core.forward import ForwardRequest
    from lecture_core.scoring import ScoreRequest

T = TypeVar("T")
GATHERING = 0.005  # seconds a batch waits at most, and only for requests whose text is being tokenised now
SHORT = 32  # tokens; all shorter texts may share a batch, longer ones only with those of the same power of two


@dataclass(eq=False)
class _Job:
    """A piece of work; `length` is 0 where it is no request of one forward pass.

    `scores` marks a request that is read together with others that join it.
    """

    task: Any
    ticket: Ticket
    length: int = 0
    scores: bool = False
    future: "Future[tuple[Any, LoadedModel, float]]" = field(default_factory=Future)

    @property
    def first(self) -> bool:
        return self.ticket.first

    @property
    def logits(self) -> int:
        return len(self.task.positions) if self.length else 0

    @property
    def bucket(self) -> int:
        return (max(self.length, SHORT) - 1).bit_length() if self.length else 0


class Worker:
    """Owns one model. The model is loaded by the first job, on the worker's own thread.

    Args:
        spec: row of the catalog.
        words: the model's tokenizer, shared with the callers (tokenising needs no owner).
    """

    def __init__(self, spec: ModelSpec, words: LoadedTokenizer) -> None:
        self.spec, self.words = spec, words
        self.model: LoadedModel | None = None
        self.waiting = 0
        self.streams: ContinuousGenerator | None = None
        self._coming = 0
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._pace = Pace()
        self._limits = batch_limits.most(devices.choose(), spec.parameters)
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
        result, _, seconds = self._wait(self._queue(_Job(task, ticket)), ticket, deadline)
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
        with self._announced():
            request = prepare(self.words)
            job = self._queue(_Job(request, ticket, 0 if callable(request) else len(request)))
        found, model, seconds = self._wait(job, ticket, deadline)
        return (found if callable(request) else request.finish(found, model)), seconds

    def score(
        self, prepare: "Callable[[LoadedTokenizer], ScoreRequest]", ticket: Ticket, *, deadline: float
    ) -> "tuple[Any, float]":
        """Answer a request for scores with those that wait at the same time and join it; see `forward`."""
        with self._announced():
            job = self._queue(_Job(prepare(self.words), ticket, scores=True))
        found, _, seconds = self._wait(job, ticket, deadline)
        return found, seconds

    def generator(self, ticket: Ticket, *, deadline: float) -> ContinuousGenerator:
        """What writes for many at once with this model; made at the first call, after loading the model."""

        if (made_before := self.streams) is not None:
            return made_before

        def made(model: LoadedModel) -> ContinuousGenerator:
            self.streams = self.streams or ContinuousGenerator(model)
            return self.streams

        return self.run(made, ticket, deadline=deadline)[0]

    def close(self) -> None:
        """Let the model go; jobs that have not begun are dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self.streams:
            self.streams.close()
        self.model = self.streams = None

    @contextmanager
    def _announced(self) -> Iterator[None]:
        with self._changed:
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                self._changed.notify_all()

    def _queue(self, job: _Job) -> _Job:
        with self._changed:
            self.waiting += 1
            enqueue(self._jobs, job, lambda other: other.first)
        job.future.add_done_callback(self._done)
        self._thread.submit(self._step)
        return job

    def _wait(self, job: _Job, ticket: Ticket, deadline: float | None) -> tuple[Any, LoadedModel, float]:
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

    def _waiting(self, job: _Job) -> Waiting:
        with self._changed:
            stands = job in self._jobs
            before = (
                1 + sum(not other.future.done() for other in islice(self._jobs, self._jobs.index(job))) if stands else 0
            )
        return self._pace.waiting(before, loading=self.model is None)

    def _done(self, _: "Future[Any]") -> None:
        with self._changed:
            self.waiting -= 1

    def _step(self) -> None:
        """Do the oldest job and all that can go with it; nothing if an earlier step took it along."""
        taken = [job for job in self._take() if job.future.set_running_or_notify_cancel()]
        if taken:
            self._answer(taken)

    def _take(self) -> list[_Job]:
        with self._changed:
            if not self._jobs:
                return []
            if self._jobs[0].length or self._jobs[0].scores:
                self._changed.wait_for(lambda: not self._coming, timeout=GATHERING)
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

    def _joined(self, batch: list[_Job]) -> list[_Job]:
        for job in [job for job in self._jobs if job.scores]:
            if job.task.joins([other.task for other in batch]):
                self._jobs.remove(job)
                batch.append(job)
        return batch

    def _answer(self, jobs: list[_Job]) -> None:
        try:
            if self.model is None:
                self.model = load(self.spec, self.words)
                self._limits = _limits(self.model)
            model, started = self.model, time.perf_counter()
            with self.streams.paused() if self.streams else nullcontext():
                results = _computed(jobs, model)
        except BaseException as exc:  # carried to the callers' threads, which raise it
            if isinstance(exc, LectureError):
                forget_frames(exc)
            if len(jobs) == 1 or isinstance(exc, LectureError):
                for job in jobs:
                    job.future.set_exception(exc)
            else:  # one of them did it: only that one fails
                for job in jobs:
                    self._answer([job])
            return
        seconds = time.perf_counter() - started
        self._pace.measured(seconds, len(jobs))
        for job, result in zip(jobs, results, strict=True):
            job.future.set_result((result, model, seconds))


def _limits(model: LoadedModel) -> BatchLimits:
    """What a pass of a model may hold beside everything that is in memory now."""
    if model.device.name != "cuda":
        return batch_limits.most(model.device, model.spec.parameters)
    import torch

    return batch_limits.within(torch.cuda.mem_get_info()[0], model.network.config, model.device)


def _computed(jobs: list[_Job], model: LoadedModel) -> list[Any]:
    """Compute one job, or a batch in one forward pass.

    Raises:
        ModelUnavailableError: the device's memory did not suffice.
    """
    import torch

    try:
        with stoppable(lambda: all(job.ticket.is_set() for job in jobs)):
            return _results(jobs, model)
    except (MemoryError, RuntimeError) as exc:
        if len(jobs) > 1 or not devices.ran_out_of_memory(exc):
            raise
        model.prefixes.clear()
        if model.device.name == "cuda":
            torch.cuda.empty_cache()
        raise ModelUnavailableError(
            f"{model.spec.title} ran out of memory. Shorten the text, or choose a smaller model."
        ) from exc


def _results(jobs: list[_Job], model: LoadedModel) -> list[Any]:
    from lecture_core.forward import logits_at
    from lecture_core.scoring import score_together

    if jobs[0].scores:
        return list(score_together([job.task for job in jobs], model))
    return logits_at([job.task for job in jobs], model) if jobs[0].length else [jobs[0].task(model)]
