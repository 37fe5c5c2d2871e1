"""Waiting made visible: how many requests stand before one, how long that takes, places given out in order.

Knows no model. Whoever waits tells `report`; the web app says with `report_with` how that is shown.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

LOOK = 0.25  # seconds between two looks of whoever waits
_NEWEST = 0.3  # weight of the newest measurement in the pace


@dataclass(frozen=True)
class Waiting:
    """A request in a queue.

    Attributes:
        before: requests that come first.
        seconds: expected wait; 0 while nothing was measured yet.
        loading: whether the model is being loaded.
        memory: whether it waits for other models to be let go.
    """

    before: int
    seconds: float
    loading: bool = False
    memory: bool = False


Report = Callable[[Waiting], None]


def _to_nobody(_: Waiting) -> None:
    return


_report: list[Report] = [_to_nobody]
_heard: WeakKeyDictionary[threading.Thread, Waiting] = WeakKeyDictionary()


def report_with(report: Report) -> None:
    """Set who hears of waiting, on the waiting thread; what it raises ends the wait and gives the place up."""
    _report[0] = report


def report(waiting: Waiting) -> None:
    """Say that the request of this thread waits."""
    _heard[threading.current_thread()] = waiting
    _report[0](waiting)


def heard_by(thread: threading.Thread) -> Waiting:
    """Return how the request of a thread waits, as last reported: for those who wait for its answer too."""
    return _heard.get(thread, Waiting(0, 0.0))


def _nobody() -> bool:
    return False


_goes_first: list[Callable[[], bool]] = [_nobody]


def goes_first_with(goes_first: Callable[[], bool]) -> None:
    """Set who tells, on the asking thread, whether its request is the instructor's."""
    _goes_first[0] = goes_first


_of_thread = threading.local()


def goes_first() -> bool:
    """Whether the request of this thread goes before those that wait."""
    return getattr(_of_thread, "first", False) or _goes_first[0]()


@contextmanager
def asking_first(first: bool) -> Iterator[None]:
    """Let what this thread asks in the body go first, or not: for a thread that works for somebody else's."""
    _of_thread.first = first
    try:
        yield
    finally:
        _of_thread.first = False


class Pace:
    """How many seconds one request takes, of late; thread-safe enough for a guess."""

    def __init__(self) -> None:
        """Know nothing."""
        self.seconds = 0.0

    def measured(self, seconds: float, requests: int = 1) -> None:
        """Take in that so many requests took so long together."""
        each = seconds / max(1, requests)
        self.seconds = each if not self.seconds else (1 - _NEWEST) * self.seconds + _NEWEST * each

    def waiting(self, before: int, *, loading: bool = False) -> Waiting:
        """Return what a request with so many before it can expect."""
        return Waiting(before, before * self.seconds, loading)


class Ticket(threading.Event):
    """A request's place in the engine: set when it is cancelled; `waiting` while it stands in a queue.

    Args:
        first: whether it goes before those that wait.

    Attributes:
        began: when it was made, by `time.monotonic`; whatever a request waits for, its patience counts from here.
        turn: set when it is the next of a queue and a place is free.
    """

    waiting: Waiting | None = None

    def __init__(self, *, first: bool = False) -> None:
        """Begin unset."""
        super().__init__()
        self.first, self.began, self.turn = first, time.monotonic(), threading.Event()


T = TypeVar("T")


def enqueue(queue: deque[T], new: T, goes_first: Callable[[T], bool]) -> None:
    """Put one at the end of a queue, or, if it goes first, behind the others that do."""
    place = sum(map(goes_first, queue)) if goes_first(new) else len(queue)
    queue.insert(place, new)


class Slots:
    """Places for streams, given out in the order of asking; the instructor's first.

    Args:
        number: streams that run at once.
    """

    def __init__(self, number: int) -> None:
        self._number = self._free = number
        self._queue: deque[Ticket] = deque()
        self._started: deque[float] = deque()  # of those that run, the oldest first
        self._lock = threading.Lock()
        self._pace = Pace()

    @contextmanager
    def take(self, ticket: Ticket) -> Iterator[bool]:
        """Wait for a place and hold it while the body runs; False where the ticket was cancelled before."""
        started = self._wait(ticket)
        try:
            yield started is not None
        finally:
            if started is not None:
                self._pace.measured(time.monotonic() - started)
                with self._lock:
                    self._free += 1
                    self._started.remove(started)
                    self._call()

    def _wait(self, ticket: Ticket) -> float | None:
        """Wait for a place; returns when it was given, None where the ticket was cancelled before."""
        with self._lock:
            ticket.turn.clear()
            enqueue(self._queue, ticket, lambda other: other.first)
            self._call()
        try:
            while not ticket.is_set():
                with self._lock:
                    if self._free and self._queue[0] is ticket:
                        self._free -= 1
                        self._started.append(time.monotonic())
                        return self._started[-1]
                    ticket.turn.clear()
                    ticket.waiting = self._expected(self._queue.index(ticket))
                ticket.turn.wait(LOOK)
            return None
        finally:
            ticket.waiting = None
            with self._lock:
                self._queue.remove(ticket)
                self._call()

    def _call(self) -> None:
        """Wake the next one, and nobody else: hundreds may wait."""
        if self._free and self._queue:
            self._queue[0].turn.set()

    def _expected(self, place: int) -> Waiting:
        """What the one at a place of the queue, from 0, can expect: each place is free when its stream has ended."""
        if not self._started:
            return Waiting(place + 1, 0.0)
        rounds, one = divmod(place, len(self._started))
        left = self._started[one] + self._pace.seconds - time.monotonic()
        return Waiting(place + 1, max(0.0, left) + rounds * self._pace.seconds)
