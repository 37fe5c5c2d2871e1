"""A measurement that goes on while the visitor does other things, and stops when nobody looks any more.

Knows neither models nor pages: it draws values from an iterator on its own thread and keeps the newest of each kind.
"""

import threading
import time
from collections.abc import Callable, Generator, Hashable
from contextlib import closing
from typing import Generic, TypeVar

from lecture_core.errors import LectureError, forget_frames

T = TypeVar("T")
LEASE = 60.0  # seconds without a look after which the run ends: the visitor is on another page
WATCH = 0.5  # seconds between two looks at whether the visitor is still there


class BackgroundRun(Generic[T]):
    """Draws `(name, value)` pairs from an iterator until it ends, is cancelled, or nobody wants them any more.

    Args:
        inputs: what the run was started for; a page drops the run when they change.
        steps: makes the iterator; called and closed on the run's own thread.
        on_cancel: frees whatever the iterator waits for.
        lease: seconds without a look at `latest` after which the run ends.
        still_here: whether the visitor's tab is open; once it is not, the run is cancelled.

    Attributes:
        cancelled: whether it was ended before its end.
        lost: whether it was because the visitor's tab was not there: closed, or cut off for a moment.
    """

    def __init__(
        self,
        inputs: Hashable,
        steps: Callable[[], Generator[tuple[str, T], None, None]],
        *,
        on_cancel: Callable[[], None] = lambda: None,
        lease: float = LEASE,
        still_here: Callable[[], bool] = lambda: True,
    ) -> None:
        """Start at once."""
        self.inputs = inputs
        self.cancelled = self.lost = False
        self._latest: dict[str, T] = {}
        self._error: BaseException | None = None
        self._on_cancel, self._lease, self._still_here = on_cancel, lease, still_here
        self._looked = time.monotonic()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, args=(steps,), name="measure", daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether more values may come."""
        return self._thread.is_alive()

    @property
    def latest(self) -> dict[str, T]:
        """The newest value of each name; looking keeps the run alive.

        Raises:
            BaseException: what ended the run; the values before it are in `kept`.
        """
        self._looked = time.monotonic()
        if self._error is not None and not self.cancelled:
            raise self._error
        return self.kept

    @property
    def kept(self) -> dict[str, T]:
        """The newest value of each name, whatever became of the run."""
        with self._lock:
            return dict(self._latest)

    def cancel(self) -> None:
        """End the run after the value that is being computed; what came so far stays."""
        self.cancelled = True
        self._on_cancel()

    def wait(self, seconds: float) -> bool:
        """Wait until the run has ended, at most so long; return whether it has."""
        self._thread.join(seconds)
        return not self.running

    def _watch(self) -> None:
        while not self.wait(WATCH):
            if not self._still_here():
                self.lost = True
            if self.lost or self.cancelled:  # again, until it has ended: a cancel between two requests reaches none
                self.cancel()

    def _work(self, steps: Callable[[], Generator[tuple[str, T], None, None]]) -> None:
        try:
            with closing(steps()) as values:
                for name, value in values:
                    if self.cancelled or time.monotonic() - self._looked > self._lease:
                        self.cancelled = True
                        return
                    with self._lock:
                        self._latest[name] = value
        except BaseException as error:  # carried to whoever looks, who raises it
            self._error = forget_frames(error) if isinstance(error, LectureError) else error
