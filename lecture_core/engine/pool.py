"""Which models are in memory: loaded at first use, least recently used ones let go under a budget."""

import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

from lecture_core import device as devices
from lecture_core.catalog import ModelSpec
from lecture_core.engine.status import LoadedStatus
from lecture_core.engine.waiting import Ticket, Waiting, report
from lecture_core.engine.worker import Worker
from lecture_core.errors import BusyError, DeadlineError, InvalidInputError, ModelUnavailableError, StoppedError
from lecture_core.loaded_tokenizer import LoadedTokenizer
from lecture_core.loading import load_tokenizer

T = TypeVar("T")
CPU_BUDGET_GB = 8.0
LOOK = 0.2  # seconds between two looks for room, besides those when a request ends
GPU_SHARE = 0.8  # of the card's memory; the rest is for activations


def memory_budget() -> float:
    """Return the gigabytes that models may take together (`LECTURE_MEMORY_GB`).

    Raises:
        InvalidInputError: the variable is not a number above 0.
    """
    asked = os.environ.get("LECTURE_MEMORY_GB")
    if asked is None:
        if devices.choose().name == "cpu":
            return CPU_BUDGET_GB
        import torch

        return GPU_SHARE * torch.cuda.get_device_properties(0).total_memory / 1e9
    try:
        budget = float(asked)
    except ValueError:
        budget = 0.0
    if not budget > 0:
        raise InvalidInputError(
            expected="LECTURE_MEMORY_GB above 0", got=repr(asked[:20]), remedy="set it to the gigabytes to use"
        )
    return budget


class Beside(Protocol):
    """Models outside the pool, under the same budget."""

    @property
    def in_use(self) -> bool:
        """Whether somebody uses one of them."""

    @property
    def held_gb(self) -> float:
        """Gigabytes that they take now."""

    def has(self, spec: ModelSpec) -> bool:
        """Whether a model counts among them."""

    def reserve(self, spec: ModelSpec) -> None:
        """Count a model among them from now on."""

    def let_go(self) -> None:
        """Give up what nobody uses at the moment."""


class WorkerPool:
    """The workers of one engine; thread-safe.

    Args:
        budget_gb: what the models in memory may take together.
        patience: seconds to wait for room while all models are in use, counted from when the ticket was made.
        beside: what runs outside this pool and takes of the same budget.
    """

    def __init__(self, budget_gb: float, *, patience: float, beside: Beside) -> None:
        self._budget, self._patience, self._beside = budget_gb, patience, beside
        self._workers: dict[str, Worker] = {}  # least recently used first
        self._users: dict[str, int] = {}
        self._words: dict[str, Future[LoadedTokenizer]] = {}
        self._changed = threading.Condition()
        self._importing = threading.Lock()

    def words(self, spec: ModelSpec, ticket: Ticket | None = None) -> LoadedTokenizer:
        """Return a model's tokenizer, loaded once; who asks for another model's does not wait for it.

        Raises:
            StoppedError: the ticket was set before it was there; the first load converts the weights of some models.
            DeadlineError: it was not there in time.
        """
        mine: Future[LoadedTokenizer] = Future()
        with self._changed:
            words = self._words.setdefault(spec.id, mine)
        if words is mine:
            threading.Thread(target=self._load_words, args=[spec, mine], name=f"words-{spec.id}", daemon=True).start()
        return self._awaited(words, spec, ticket or Ticket())

    def _load_words(self, spec: ModelSpec, words: "Future[LoadedTokenizer]") -> None:
        try:
            with self._importing:
                importlib.import_module("transformers")  # two threads that import it at once get half of it
            words.set_result(load_tokenizer(spec))
        except BaseException as exc:  # carried to those who wait
            del self._words[spec.id]  # the next request tries again
            words.set_exception(exc)

    def _awaited(self, words: "Future[LoadedTokenizer]", spec: ModelSpec, ticket: Ticket) -> LoadedTokenizer:
        while wait([words], LOOK).not_done:
            if time.monotonic() > ticket.began + self._patience:
                raise DeadlineError(f"{spec.title} was not there within {self._patience:.0f} s. Try again in a minute.")
            if ticket.is_set():
                raise StoppedError("Stopped while the model was loaded: a newer request took its place.")
            ticket.waiting = Waiting(0, 0.0, loading=True)
            report(ticket.waiting)  # ends the wait of a visitor who has left
        ticket.waiting = None
        return words.result()

    def has_words(self, spec: ModelSpec) -> bool:
        """Whether the tokenizer is in memory."""
        words = self._words.get(spec.id)
        return words is not None and words.done()

    def has_model(self, spec: ModelSpec) -> bool:
        """Whether the weights are in memory."""
        worker = self._workers.get(spec.id)
        return worker is not None and worker.model is not None

    @contextmanager
    def use(self, spec: ModelSpec, ticket: Ticket) -> Iterator[Worker]:
        """Hold a model's worker; it is not let go while the body runs.

        Raises:
            StoppedError: the ticket was set while it waited for room.
            ModelUnavailableError: the weights are missing, or the model is larger than the whole budget.
            BusyError: the other models fill the budget and stay in use.
        """
        worker = self._reserve(spec, self.words(spec, ticket), ticket)
        try:
            yield worker
        finally:
            with self._changed:
                self._users[spec.id] -= 1
                self._changed.notify_all()

    def status(self) -> list[LoadedStatus]:
        """The models in memory, least recently used first."""
        with self._changed:
            workers = [(w.spec.id, w.model, w.waiting) for w in self._workers.values()]
        return [LoadedStatus(name, model.memory_bytes, waiting) for name, model, waiting in workers if model]

    def make_room(self, spec: ModelSpec, needed: float, ticket: Ticket) -> None:
        """Wait until so many gigabytes are free for a model that is about to run beside this pool, and count it.

        Raises:
            StoppedError: the ticket was set before.
            ModelUnavailableError: that is more than the whole budget.
            BusyError: the other models fill the budget and stay in use.
        """
        self._check(spec, needed)

        def counted() -> bool:
            if not self._beside.has(spec) and self._has_room(needed):
                self._beside.reserve(spec)
            return self._beside.has(spec)

        self._until(counted, ticket)

    def lend(self, spec: ModelSpec, least: int, most: int, ticket: Ticket) -> int:
        """Count bytes as those of the streams of a model in use, in place of what was counted before, and return them.

        Args:
            least: what they need; idle models are let go for it.
            most: what they take if it is free.

        Returns:
            0 where other models in use leave less than `least` at the moment.

        Raises:
            ModelUnavailableError: model and streams together are more than the whole budget.
            BusyError: the other models fill the budget and stay in use.
        """
        with self._changed:
            worker = self._workers[spec.id]
            worker.lent = 0
            self._check(spec, _held(worker) + least / 1e9)
            if self._has_room(least / 1e9):
                worker.lent = max(least, min(most, int((self._budget - self._held_gb()) * 1e9)))
                return worker.lent
        self._give_up(ticket)
        return 0

    def _check(self, spec: ModelSpec, needed: float) -> None:
        if needed > self._budget:
            raise ModelUnavailableError(
                f"{spec.title} needs {needed:.1f} GB; LECTURE_MEMORY_GB allows {self._budget:.1f}. "
                "Choose a smaller model, or set it higher."
            )

    def _reserve(self, spec: ModelSpec, words: LoadedTokenizer, ticket: Ticket) -> Worker:
        self._check(spec, _needed(spec))

        def reserved() -> Worker | None:
            if spec.id not in self._workers and not self._has_room(_needed(spec)):
                return None
            worker = self._workers.pop(spec.id, None) or Worker(spec, words, partial(self.lend, spec))
            self._workers[spec.id] = worker
            self._users[spec.id] = self._users.get(spec.id, 0) + 1
            return worker

        return self._until(reserved, ticket)

    def _until(self, attempt: Callable[[], T | None], ticket: Ticket) -> T:
        while True:
            with self._changed:
                if found := attempt():
                    return found
                self._changed.wait(LOOK)
            self._give_up(ticket)
            if ticket.is_set():
                raise StoppedError("Stopped while it waited for memory: a newer request took its place.")
            ticket.waiting = Waiting(0, 0.0, memory=True)
            report(ticket.waiting)  # ends the wait of a visitor who has left

    def _give_up(self, ticket: Ticket) -> None:
        if time.monotonic() > ticket.began + self._patience:
            raise BusyError("The models in use fill this machine's memory. Try again in a few seconds.")

    def _held_gb(self) -> float:
        return self._beside.held_gb + sum(map(_held, self._workers.values()))

    def _has_room(self, needed: float) -> bool:
        """Let idle models go, the least recently used first, those beside last, until `needed` gigabytes are free."""

        def fits() -> bool:
            return needed + self._held_gb() <= self._budget

        in_use = sum(_held(worker) for name, worker in self._workers.items() if self._users[name] or worker.waiting)
        if needed + in_use > self._budget - (self._beside.held_gb if self._beside.in_use else 0):
            return False  # letting the idle ones go would not be enough: they stay
        for name, worker in list(self._workers.items()):
            if fits():
                return True
            if not self._users[name] and not worker.waiting:
                self._workers.pop(name).close()
        if not fits():
            self._beside.let_go()
        return fits()


def _needed(spec: ModelSpec) -> float:
    """Gigabytes of a model's weights in the dtype of this device."""
    return spec.memory_gb / (2 if devices.choose().dtype == "bfloat16" else 1)


def _held(worker: Worker) -> float:
    model = worker.model
    if model is None:
        return _needed(worker.spec)
    return (model.memory_bytes + model.prefixes.held + worker.lent) / 1e9
