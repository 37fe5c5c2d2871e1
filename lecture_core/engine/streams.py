"""Streams of generated text: a thread fills a queue, the page's iterator empties it, closing it frees the model."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lecture_core.engine.admission import Admission
from lecture_core.engine.results import GenerationChunk
from lecture_core.engine.waiting import Ticket, report
from lecture_core.errors import DeadlineError
from lecture_core.generation import Emit
from lecture_core.provenance import Provenance

HEARTBEAT = 0.25  # seconds without text after which an empty chunk is yielded, so that Stop stays alive

EVERY = 0.1  # seconds between two chunks with text: more often than ten times a second nobody reads
Run = Callable[[Emit, Ticket], tuple[str, Provenance]]
"""Fills the stream from its own thread; returns the reason it ended and where it ran."""


@dataclass
class _Piece:
    text: str
    tokens: int
    logprobs: tuple[float, ...]


End = BaseException | tuple[str, Provenance]
Item = _Piece | End


def stream(run: Run, admission: Admission, session: str, *, deadline: float) -> Iterator[GenerationChunk]:
    """Yield chunks until `run` ends, at most ten a second; closing the iterator, or a newer request, cancels it.

    Raises:
        BusyError: the engine is full.
        DeadlineError: nothing came for `deadline` seconds.
    """
    pieces: queue.Queue[Item] = queue.Queue()
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


def _read(pieces: "queue.Queue[Item]", ticket: Ticket, started: float, deadline: float) -> Iterator[GenerationChunk]:
    tokens, silent_since, told = 0, started, 0.0
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
        piece, end = _gathered(item, pieces, told + EVERY)
        silent_since = told = time.perf_counter()
        if piece is not None:
            tokens += piece.tokens
            yield GenerationChunk(piece.text, piece.logprobs, tokens=tokens)
        if isinstance(end, BaseException):
            raise end
        if end is not None:
            reason, origin = end
            final = replace(origin, seconds=time.perf_counter() - started)
            yield GenerationChunk("", finished=True, reason=reason, tokens=tokens, provenance=final)
            return


def _gathered(item: Item, pieces: "queue.Queue[Item]", until: float) -> tuple[_Piece | None, End | None]:
    """Join the pieces that come until a moment, or until the end; the end comes with them."""
    if not isinstance(item, _Piece):
        return None, item
    piece = item
    while (left := until - time.perf_counter()) > 0:
        try:
            item = pieces.get(timeout=left)
        except queue.Empty:
            break
        if not isinstance(item, _Piece):
            return piece, item
        piece = _Piece(piece.text + item.text, piece.tokens + item.tokens, piece.logprobs + item.logprobs)
    return piece, None
