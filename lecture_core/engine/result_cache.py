"""Results of pure calls, kept under a bound in bytes: a class that asks the same question gets one computation.

A result is the answer to a question (call, inputs, settings) by one revision of a model. While a model's weights are
in memory or wait to be loaded again, its last known revision counts.
"""

import sys
import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from lecture_core.engine.waiting import LOOK, goes_first, heard_by, report
from lecture_core.errors import DeadlineError, ModelUnavailableError, StoppedError

T = TypeVar("T")
Attend = Callable[[], AbstractContextManager[threading.Event]]
LIMIT = 32_000_000


def _alone() -> AbstractContextManager[threading.Event]:
    return nullcontext(threading.Event())


class ResultCache:
    """The results used last; thread-safe.

    Args:
        limit: bytes that all results together may take; 0 keeps none.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.held = 0
        self._results: dict[Hashable, tuple[Any, int]] = {}  # least recently used first
        self._revisions: dict[str, str] = {}
        self._under_way: dict[Hashable, tuple[Future[Any], bool, threading.Thread]] = {}  # and whether it goes first
        self._lock = threading.RLock()

    def answer(self, model: str, question: Hashable, compute: Callable[[], Any], attend: Attend = _alone) -> Any:
        """Return a kept result, or that of the same question under way, or compute it. Failures are not shared,
        but two: nobody begins a question anew for which a whole deadline or all the memory did not suffice.

        Args:
            attend: gives what is set when whoever waits for the same question of somebody else is to stop.

        Raises:
            StoppedError: it was set.
            DeadlineError: the same question of somebody else got no answer in time.
            ModelUnavailableError: it failed for want of the model or of memory.
        """
        if not self.limit:
            return compute()
        mine: Future[Any] = Future()
        with self._lock:  # one look at both, or a result that comes between the two would be computed twice
            found = self.get(model, question)
            if found is not None:
                return found
            asked = mine, goes_first(), threading.current_thread()
            first, goes, asker = self._under_way.setdefault((model, question), asked)
        if first is not mine and goes_first() and not goes:  # the instructor does not wait at a student's place
            return self.put(model, question, compute())
        if first is not mine:
            with attend() as stopped:
                error = _awaited(first, asker, stopped)
            if error is None:
                return _marked(first.result())
            if isinstance(error, DeadlineError | ModelUnavailableError):
                raise type(error)(str(error)) from error
            gone = isinstance(error, StoppedError) or not isinstance(error, Exception)  # one of those who wait goes on
            return self.answer(model, question, compute, attend) if gone else compute()
        try:
            result = self.put(model, question, compute())
            mine.set_result(result)
            return result
        except BaseException as exc:
            mine.set_exception(exc)  # whoever waits for it asks for itself
            raise
        finally:
            with self._lock:
                del self._under_way[model, question]

    def get(self, model: str, question: Hashable) -> Any:
        """Return a result with the seconds it took, its provenance marked `cached`; None where there is none."""
        with self._lock:
            key = model, self._revisions.get(model), question
            found = self._results.pop(key, None)
            if found is None:
                return None
            self._results[key] = found
        return _marked(found[0])

    def put(self, model: str, question: Hashable, result: T) -> T:
        """Keep a result with a `provenance` and return it; the least recently used ones make room."""
        revision = result.provenance.revision  # type: ignore[attr-defined]
        key, size = (model, revision, question), size_of(result) + size_of(question)
        with self._lock:
            self._revisions[model] = revision
            self.held += size - self._results.pop(key, (None, 0))[1]
            self._results[key] = result, size
            while self.held > self.limit:
                self.held -= self._results.pop(next(iter(self._results)))[1]
        return result


def _awaited(first: "Future[Any]", asker: threading.Thread, stopped: threading.Event) -> BaseException | None:
    """Wait for the same question of another visitor; what is not an `Exception` says that this visitor left."""
    while True:
        if stopped.is_set():
            raise StoppedError("Stopped while it waited: a newer request took its place.")
        try:
            return first.exception(LOOK)
        except TimeoutError:
            report(heard_by(asker))


def _marked(result: Any) -> Any:
    return replace(result, provenance=replace(result.provenance, cached=True))


def size_of(value: Any) -> int:
    """Return the bytes of a value made of dataclasses, tuples, mappings and plain values; shared parts count twice."""
    size = sys.getsizeof(value)
    if is_dataclass(value):
        return size + sum(size_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return size + sum(size_of(k) + size_of(v) for k, v in value.items())
    if isinstance(value, tuple | list):
        return size + sum(map(size_of, value))
    return size
