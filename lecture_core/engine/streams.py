"""Streams of generated text: a thread fills a queue, the page's iterator empties it, closing it frees the model."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lecture_core.engine.admission import Admission
from lecture_core.engine.results import GenerationChunk
from lecture_core.engine.waiting import Ticket, report
from lecture_core.errors import DeadlineError
from lecture_core.generation import Emit
from lecture_core.provenance import Provenance

HEARTBEAT = 0.25  # seconds without text after which an empty chunk is yielded, so that Stop stays alive

Run = Callable[[Emit, Ticket], tuple[str, Provenance]]
"""Fills the stream from its own thread; returns the reason it ended and where it ran."""


@dataclass
class _Piece:
    text: str
    tokens: int
    logprobs: tuple[float, ...]


def stream(run: Run, admission: Admission, session: str, *, deadline: float) -> Iterator[GenerationChunk]:
    """Yield chunks until `run` ends; closing the iterator, or a newer stream of the session, cancels it.

    Raises:
        BusyError: the engine is full.
        DeadlineError: nothing came for `deadline` seconds.
    """
    pieces: queue.Queue[_Piece | BaseException | tuple[str, Provenance]] = queue.Queue()
    with admission.admit(session) as ticket:
        started = time.perf_counter()

        def emit(text: str, tokens: int, logprobs: tuple[float, ...]) -> bool:
            pieces.put(_Piece(text, tokens, logprobs))
            return ticket.is_set()

        def fill() -> None:
            try:
                pieces.put(run(emit, ticket))
            except BaseException as exc:  # carried to the reader's thread, which raises it
                pieces.put(exc)

        threading.Thread(target=fill, name="generate", daemon=True).start()
        try:
            yield from _read(pieces, ticket, started, deadline)
        finally:
            ticket.set()


def _read(pieces: queue.Queue, ticket: Ticket, started: float, deadline: float) -> Iterator[GenerationChunk]:
    tokens, silent_since = 0, time.perf_counter()
    while True:
        try:
            item = pieces.get(timeout=HEARTBEAT)
        except queue.Empty:
            if time.perf_counter() - silent_since > deadline:
                raise DeadlineError(
                    f"No text came for {deadline:.0f} s. Try again, or choose a smaller model."
                ) from None
            if (waiting := ticket.waiting) is not None:
                report(waiting)
            yield GenerationChunk("", tokens=tokens)
            continue
        silent_since = time.perf_counter()
        if isinstance(item, _Piece):
            tokens += item.tokens
            yield GenerationChunk(item.text, item.logprobs, tokens=tokens)
        elif isinstance(item, BaseException):
            raise item
        else:
            reason, origin = item
            seconds = time.perf_counter() - started
            final = Provenance(origin.model, origin.revision, origin.device, origin.dtype, origin.seed, seconds)
            yield GenerationChunk("", finished=True, reason=reason, tokens=tokens, provenance=final)
            return
