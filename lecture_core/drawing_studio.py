"""Texts that models write for a whole class: one request is written once, two at a time, and kept when it is finished.

A round of drawings takes minutes; here it goes on while its visitors do other things, and whoever asks for the same
later gets the same texts at once. Knows neither drawings nor pages, and no engine by itself.
"""

import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from lecture_core.continuations import Sample, Writing, write
from lecture_core.engine.protocol import Engine
from lecture_core.engine.results import Message
from lecture_core.engine.waiting import enqueue
from lecture_core.errors import LectureError

AT_ONCE = 2  # texts written at a time, so that the other pages find the models free
KEPT, WAITING = 400, 48  # finished texts, and orders that wait; a text has at most a few thousand characters
LEASE = 90.0  # seconds without a look after which nobody is there; browsers wake a hidden tab once a minute


@dataclass(frozen=True)
class Order:
    """What is to be written; equal orders are written once."""

    prompt: tuple[Message, ...]
    how: Writing
    seed: int


@dataclass(frozen=True)
class Look:
    """How far an order is.

    Attributes:
        characters: written so far.
        before: orders that come first; 0 while it is being written.
        sample: the finished text; its provenance is `cached` where this visitor did not see it written.
        error: why there is none; our own sentence.
    """

    characters: int = 0
    before: int = 0
    sample: Sample | None = None
    error: str = ""

    @property
    def kept(self) -> bool:
        """Whether the text was finished before this visitor asked for it."""
        return self.sample is not None and self.sample.provenance is not None and self.sample.provenance.cached

    @property
    def over(self) -> bool:
        """Whether no more will come."""
        return self.sample is not None or bool(self.error)


@dataclass(eq=False)
class _Job:
    order: Order
    engine: Engine
    session: str
    first: bool
    seen: dict[str, tuple[float, Callable[[], bool]]] = field(default_factory=dict)  # visitor -> last look, still here?
    characters: int = 0
    cancelled: bool = False
    error: BaseException | None = None


class Studio:
    """Thread-safe; orders are written on threads of its own.

    Args:
        at_once: texts written at a time.
        kept: finished texts; beyond, the one that was asked for longest ago goes.
        waiting: orders that may wait; further ones are taken when they are looked at again.
        lease: seconds without a look after which an order is dropped.
    """

    def __init__(
        self, *, at_once: int = AT_ONCE, kept: int = KEPT, waiting: int = WAITING, lease: float = LEASE
    ) -> None:
        self._at_once, self._most, self._limit, self._lease = at_once, kept, waiting, lease
        self._kept: OrderedDict[Order, tuple[Sample, frozenset[str]]] = OrderedDict()
        self._jobs: dict[Order, _Job] = {}  # waiting, being written, or failed
        self._waiting: deque[_Job] = deque()
        self._running = 0
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    def look(
        self,
        order: Order,
        visitor: str,
        *,
        engine: Engine,
        first: bool = False,
        still_here: Callable[[], bool] = lambda: True,
    ) -> Look:
        """Say how far an order is; the first look places it, and each further one keeps it alive.

        Args:
            visitor: whoever looks, by any name.
            engine: writes it, if it was not yet.
            first: whether it goes before others that wait.
            still_here: whether the visitor's tab is open; what only closed ones asked for is not written on.
        """
        with self._changed:
            if (found := self._kept.get(order)) is not None:
                self._kept.move_to_end(order)
                return Look(len(found[0].text), sample=found[0] if visitor in found[1] else _marked(found[0]))
            job = self._jobs.get(order)
            if job is None or (job.error is not None and visitor not in job.seen):  # a failure is not shared
                if len(self._waiting) >= self._limit:
                    return Look(before=self._limit)
                job = self._placed(order, engine, first)
            job.seen[visitor] = time.monotonic(), still_here
            if isinstance(job.error, LectureError):
                return Look(job.characters, error=str(job.error))
            if job.error is not None:
                raise job.error
            return Look(job.characters, self._waiting.index(job) + 1 if job in self._waiting else 0)

    def leave(self, orders: Sequence[Order], visitor: str) -> None:
        """Look at these no more; what nobody else looks at is not written on."""
        with self._changed:
            for job in [self._jobs[order] for order in orders if order in self._jobs]:
                job.seen.pop(visitor, None)
                if not self._wanted(job):
                    self._drop(job)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is being written, at most so long; return whether it is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running and not self._waiting, seconds)

    def _placed(self, order: Order, engine: Engine, first: bool) -> _Job:
        job = self._jobs[order] = _Job(order, engine, f"studio-{next(self._numbers)}", first)
        enqueue(self._waiting, job, lambda other: other.first)
        self._begin()
        for old in [old for old in self._jobs.values() if old.error is not None and not self._wanted(old)]:
            del self._jobs[old.order]
        return job

    def _begin(self) -> None:
        while self._waiting and self._running < self._at_once:
            job = self._waiting.popleft()
            if job.seen and not self._wanted(job):
                self._jobs.pop(job.order, None)
                continue
            self._running += 1
            threading.Thread(target=self._work, args=(job,), name=job.session, daemon=True).start()

    def _wanted(self, job: _Job) -> bool:
        return any(time.monotonic() - at <= self._lease and here() for at, here in job.seen.values())

    def _drop(self, job: _Job) -> None:
        job.cancelled = True
        if job in self._waiting:
            self._waiting.remove(job)
        if self._jobs.get(job.order) is job:
            del self._jobs[job.order]

    def _work(self, job: _Job) -> None:
        try:
            sample = self._written(job)
            with self._changed:
                if sample is not None and sample.reason != "cancelled":
                    self._kept[job.order] = sample, frozenset(job.seen)
                    while len(self._kept) > self._most:
                        self._kept.popitem(last=False)
                self._drop(job)
        except BaseException as error:  # carried to whoever looks
            with self._changed:
                job.error = error
        finally:
            with self._changed:
                self._running -= 1
                self._begin()
                self._changed.notify_all()

    def _written(self, job: _Job) -> Sample | None:
        stream = write(job.engine, job.order.prompt, job.order.how, seed=job.order.seed, session=job.session)
        with closing(stream):
            for text, sample in stream:
                with self._changed:
                    job.characters = len(text)
                    if sample is not None:
                        return sample
                    if job.cancelled or (job.seen and not self._wanted(job)):
                        return None
        return None


def _marked(sample: Sample) -> Sample:
    made = sample.provenance
    return sample if made is None else replace(sample, provenance=replace(made, cached=True))


STUDIO = Studio()
"""The texts of this server process."""
