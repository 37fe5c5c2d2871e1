"""Answers that need no computation: kept results of this process, and recorded ones while a model is being loaded."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

from lecture_core.engine.first_views import FirstViews, Question
from lecture_core.engine.result_cache import LIMIT, ResultCache
from lecture_core.engine.results import GenerationChunk
from lecture_core.errors import BusyError, LectureError, ModelUnavailableError
from lecture_core.provenance import Provenance

Call = TypeVar("Call", bound=Callable[..., Any])
PATIENCE, AGAIN = 60.0, 1.0  # seconds that a live answer waits for a place behind a recorded one; between two tries
SLOW = 0.3  # seconds that a recorded answer took, from which it may stand in though its model is in memory
RETRY = 30.0  # seconds after a failed load in which recorded answers do not stand in, so that the error is seen


class Remembering:
    """The part of an engine that answers from memory.

    Args:
        result_bytes: what kept results of pure calls may take together; 0 computes everything anew.
        first_views: recorded answers; None for none.

    Attributes:
        recorder: where set, every question and its answer are put there.
    """

    def __init__(self, *, result_bytes: int = LIMIT, first_views: FirstViews | None = None) -> None:
        self.results = ResultCache(result_bytes)
        self.recorder: dict[Question, Any] | None = None
        self._first_views = first_views
        self._behind: defaultdict[str, ThreadPoolExecutor] = defaultdict(  # one a model: loading one delays no other
            lambda: ThreadPoolExecutor(1, thread_name_prefix="catch-up")
        )
        self._catching_up: Counter[str] = Counter()  # recorded answers that were given, by model
        self._counting = threading.Lock()
        self._failed: dict[str, float] = {}  # when a model could not be loaded

    @property
    def catching_up(self) -> tuple[str, ...]:
        """Models whose live answers are being computed behind recorded ones."""
        with self._counting:
            return tuple(model for model, count in self._catching_up.items() if count)

    def ready(self, call: str, model: str) -> bool:
        """Whether a call can be answered without loading anything first."""
        raise NotImplementedError

    def attend(self, session: str) -> AbstractContextManager[threading.Event]:
        """Let a request of a session that waits for somebody else's equal one be cancelled."""
        raise NotImplementedError

    def stand_in(self, question: Question, live: Callable[[], Any], *, also_ready: bool = False) -> Any:
        """Return a recorded answer if a model must be loaded first, and begin with the live one; else None.

        Args:
            also_ready: whether it does so too if the model is there and the recorded answer took long.
        """
        failed = self._failed.get(question.model)
        if self._first_views is None or (failed is not None and time.monotonic() - failed < RETRY):
            return None
        ready = self.ready(question.call, question.model)
        if ready and not (also_ready and self.results.limit):  # not kept, it would stand in for ever
            return None
        answer = self._first_views.answer(question, stands_in=True)
        if ready and answer is not None and answer.provenance.seconds < SLOW:
            return None
        if answer is not None:
            with self._counting:
                self._catching_up[question.model] += 1
                behind = self._behind[question.model]
            behind.submit(self._catch_up, question.model, live, time.monotonic() + PATIENCE)
        return answer

    def _catch_up(self, model: str, live: Callable[[], Any], until: float) -> None:
        here = False
        try:
            while not here:
                here = self._caught_up(live, until)
        except LectureError as error:
            here = not isinstance(error, ModelUnavailableError)
        finally:
            if not here:  # whoever asks next meets the error
                self._failed[model] = time.monotonic()
            with self._counting:
                self._catching_up[model] -= 1

    def _caught_up(self, live: Callable[[], Any], until: float) -> bool:
        """Whether the live answer is there; not while all places are taken, which is waited for until then."""
        try:
            live()
        except BusyError:
            if time.monotonic() > until or not threading.main_thread().is_alive():
                raise
            time.sleep(AGAIN)
            return False
        return True

    def or_recorded(self, question: Question, live: Callable[[], Any]) -> Any:
        """Compute, or return the recorded answer if all places are taken."""
        try:
            return live()
        except BusyError:
            answer = self.instead(question)
            if answer is None:
                raise
            return answer

    def instead(self, question: Question) -> Any:
        """The recorded answer for a visitor for whom there is no place; None where there is none."""
        return self._first_views.answer(question, stands_in=False) if self._first_views else None

    def noted(self, question: Question, answer: Any) -> Any:
        """Pass an answer on, and keep it where a recorder is set."""
        if self.recorder is not None:
            self.recorder[question] = answer
        return answer

    def noted_stream(self, question: Question, chunks: Iterator[GenerationChunk]) -> Iterator[GenerationChunk]:
        """Pass a stream on; at its end keep all of it where a recorder is set."""
        seen = []
        for chunk in chunks:
            seen.append(chunk)
            yield chunk
        self.noted(question, [chunk for chunk in seen if chunk.text or chunk.finished])


def remembered(call: Call, *, also_ready: bool = False) -> Call:
    """Let a method answer from `self.results` what it answered before; `session` makes no difference."""
    return _answering(
        call,
        lambda self, question: self.results.get(question.model, question),
        lambda self, question, live, session: self.results.answer(
            question.model, question, live, lambda: self.attend(session)
        ),
        also_ready=also_ready,
    )


def remembered_slow(call: Call) -> Call:
    """As `remembered`, for a call of seconds whose pages show each result with its origin; see `stand_in`."""
    return remembered(call, also_ready=True)


def recorded(call: Call) -> Call:
    """Let a method that costs nothing once its tokenizer is there answer from the recorded views until then."""
    return _answering(call, lambda *_: None, lambda _, __, live, ___: live())


def _answering(
    call: Any,
    kept: Callable[[Any, Question], Any],
    compute: Callable[[Any, Question, Callable[[], Any], str], Any],
    *,
    also_ready: bool = False,
) -> Any:
    @wraps(call)
    def answered(self: Remembering, *inputs: Any, model: str, session: str = "", **settings: Any) -> Any:
        asked = _hashable(inputs), tuple((name, _hashable(value)) for name, value in sorted(settings.items()))
        question = Question(call.__name__, model, asked)
        more = settings | ({"session": session} if session else {})

        def live() -> Any:
            return compute(self, question, lambda: call(self, *inputs, model=model, **more), session)

        def behind() -> Any:  # nobody's request: it must not take the place of the visitor's next one
            return compute(self, question, lambda: call(self, *inputs, model=model, **settings), "")

        answer = kept(self, question)
        if answer is None:
            answer = self.stand_in(question, behind, also_ready=also_ready)
        return answer if answer is not None else self.noted(question, self.or_recorded(question, live))

    return cast(Any, answered)


def _hashable(value: Any) -> Hashable:
    """An input as part of a question; where an earlier result came from makes no difference."""
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    return replace(value, provenance=Provenance()) if hasattr(value, "provenance") else value
