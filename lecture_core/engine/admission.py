"""Who may ask: bounded waiting for all, one running request a session. Knows nothing of models."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lecture_core.engine.waiting import Ticket, goes_first
from lecture_core.errors import BusyError

LIMITS = {"cpu": 32, "cuda": 512}
RESERVED = 4  # further places, for the instructor


class Admission:
    """Counts the requests under way and refuses those over the limit at once.

    Args:
        limit: requests that may run or wait at a time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._count = 0
        self._lock = threading.Lock()
        self._running: dict[str, Ticket] = {}

    @property
    def waiting(self) -> int:
        """Requests that run or wait now."""
        return self._count

    @contextmanager
    def admit(self, session: str = "") -> Iterator[Ticket]:
        """Hold one place while the body runs.

        A newer request of the same session, or `cancel`, sets the ticket: a stream ends, a single result is dropped
        before it begins or between two of its forward passes. Requests without a session know nothing of each other.

        Raises:
            BusyError: all places are taken; the instructor has some more.
        """
        limit = self.limit + (RESERVED if goes_first() else 0)
        with self._lock:
            if self._count >= limit:
                raise BusyError(
                    f"{self._count} requests are waiting, as many as this machine takes. Try again in a few seconds."
                )
            self._count += 1
        try:
            with self.attend(session) as ticket:
                yield ticket
        finally:
            with self._lock:
                self._count -= 1

    @contextmanager
    def attend(self, session: str = "") -> Iterator[Ticket]:
        """As `admit` without taking a place: for who waits for the answer to somebody else's equal question."""
        ticket = Ticket(first=goes_first())
        with self._lock:
            older = self._running.get(session)
            if session:
                self._running[session] = ticket
        if older is not None:
            older.set()
        try:
            yield ticket
        finally:
            with self._lock:
                if self._running.get(session) is ticket:
                    del self._running[session]

    def cancel(self, session: str) -> None:
        """Tell the request of a session to end; nothing if it has none."""
        with self._lock:
            ticket = self._running.get(session)
        if ticket is not None:
            ticket.set()
