"""One owner thread a model: everything that touches the weights runs on it, one job after the other."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from lecture_core.catalog import ModelSpec
from lecture_core.errors import DeadlineError
from lecture_core.loading import LoadedModel, LoadedTokenizer, load

T = TypeVar("T")


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
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"model-{spec.id}")

    def run(self, job: Callable[[LoadedModel], T], *, deadline: float) -> tuple[T, float]:
        """Run a job on the owner thread; returns its result and the seconds it took, waiting and loading excluded.

        Args:
            deadline: seconds to wait at most.

        Raises:
            DeadlineError: the result did not come in time; a job that has not begun is dropped.
        """
        future = self.submit(job)
        try:
            return future.result(deadline)
        except FutureTimeout as exc:
            future.cancel()
            raise DeadlineError(
                f"{self.spec.title} gave no answer within {deadline:.0f} s. Try again, or choose a smaller model."
            ) from exc

    def submit(self, job: Callable[[LoadedModel], T]) -> "Future[tuple[T, float]]":
        """Queue a job and return at once."""
        with self._lock:
            self.waiting += 1
        future = self._thread.submit(self._execute, job)
        future.add_done_callback(self._done)
        return future

    def close(self) -> None:
        """Let the model go; jobs that have not begun are dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.model = None

    def _execute(self, job: Callable[[LoadedModel], T]) -> tuple[T, float]:
        if self.model is None:
            self.model = load(self.spec, self.words)
        started = time.perf_counter()
        return job(self.model), time.perf_counter() - started

    def _done(self, _: "Future[Any]") -> None:
        with self._lock:
            self.waiting -= 1
