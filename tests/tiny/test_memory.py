"""Models in memory: loaded once, let go by last use, never beyond the budget."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from lecture_core import catalog
from lecture_core.engine import pool as pool_module
from lecture_core.engine import worker as worker_module
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.pool import memory_budget
from lecture_core.engine.waiting import Ticket
from lecture_core.errors import BusyError, InvalidInputError, ModelUnavailableError, StoppedError
from tests.tiny.models import VOCABULARY

TEXT = "the [MASK] sat"


@pytest.fixture
def engine_with(rows, monkeypatch):
    """An engine with a budget, on models that all say they need 1 GB, and that do once they are loaded."""
    everything = {**catalog._rows(), **{name: replace(row, memory_gb=1.0) for name, row in rows.items()}}
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    real = worker_module.load
    monkeypatch.setattr(worker_module, "load", lambda *a: replace(real(*a), memory_bytes=1_000_000_000))

    def build(gigabytes):
        monkeypatch.setenv("LECTURE_MEMORY_GB", str(gigabytes))
        return LocalEngine(result_bytes=0)

    return build


@pytest.fixture
def loads(monkeypatch):
    seen, real = [], worker_module.load

    def slow(spec, words):
        seen.append(spec.id)
        time.sleep(0.05)
        return real(spec, words)

    monkeypatch.setattr(worker_module, "load", slow)
    return seen


def loaded(engine):
    return [status.model for status in engine.status().loaded]


def use(engine, name):
    if name == "tiny-discriminator":
        return engine.detect_replacements("the cat sat", model=name)
    return engine.next_token("the cat", model=name) if name == "tiny-lm" else engine.fill_mask(TEXT, model=name)


def test_two_sessions_asking_at_once_load_a_model_once(engine, loads):
    with ThreadPoolExecutor(8) as threads:
        texts = [f"the {word} [MASK] sat" for word in VOCABULARY[6:14]]
        futures = [threads.submit(engine.fill_mask, text, model="tiny-mlm") for text in texts]
    assert all(future.result().masks for future in futures)
    assert loads == ["tiny-mlm"]


def test_the_least_recently_used_model_is_let_go(engine_with):
    engine = engine_with(2.5)
    for name in ("tiny-mlm", "tiny-lm", "tiny-mlm", "tiny-discriminator"):
        use(engine, name)
    assert loaded(engine) == ["tiny-mlm", "tiny-discriminator"]
    use(engine, "tiny-lm")
    assert loaded(engine) == ["tiny-discriminator", "tiny-lm"]


def test_under_load_from_many_sessions_the_budget_holds(engine_with, monkeypatch):
    engine = engine_with(2.5)
    most = []
    real = worker_module.load

    def counted(*args):
        with engine._pool._changed:
            most.append(len(engine._pool._workers))
        return real(*args)

    monkeypatch.setattr(worker_module, "load", counted)
    names = ["tiny-mlm", "tiny-lm", "tiny-discriminator", "tiny-generator"] * 6
    with ThreadPoolExecutor(12) as threads:
        assert len(list(threads.map(lambda name: use(engine, name), names))) == len(names)
    assert len(most) >= 4
    assert max(most) <= 2


def test_a_model_in_use_is_not_let_go_and_the_next_waits_for_it(engine_with):
    engine = engine_with(1.5)
    use(engine, "tiny-mlm")
    begun, go_on = threading.Event(), threading.Event()

    def hold(_):
        begun.set()
        go_on.wait(10)

    with ThreadPoolExecutor(2) as threads:
        with engine._pool.use(catalog.get("tiny-mlm"), Ticket()) as worker:
            threads.submit(worker.run, hold, Ticket(), deadline=20)
            assert begun.wait(5)
            other = threads.submit(use, engine, "tiny-lm")
            time.sleep(0.1)
            assert not other.done()
            assert loaded(engine) == ["tiny-mlm"]
            go_on.set()
        assert other.result(10).candidates
    assert loaded(engine) == ["tiny-lm"]


def test_who_is_stopped_waits_for_room_no_longer(engine_with):
    engine = engine_with(1.5)
    with ThreadPoolExecutor(1) as threads, engine._pool.use(catalog.get("tiny-mlm"), Ticket()):
        other = threads.submit(engine.next_token, "the cat", model="tiny-lm", session="s")
        while not engine.status().waiting:
            time.sleep(0.01)
        engine.cancel("s")
        with pytest.raises(StoppedError):
            other.result(2)


class Beside:
    """What runs outside the pool: so many gigabytes, until it is let go."""

    def __init__(self, held_gb, *, in_use=False):
        self.held_gb, self.in_use, self.counted = held_gb, in_use, []

    def has(self, spec):
        return spec.id in self.counted

    def reserve(self, spec):
        self.counted.append(spec.id)
        self.held_gb += 1.2

    def let_go(self):
        self.held_gb = self.held_gb if self.in_use else 0.0


def test_models_outside_the_pool_count_and_go_last(engine_with):
    engine = engine_with(2.5)
    use(engine, "tiny-mlm")
    engine._pool._beside = beside = Beside(0.6)
    use(engine, "tiny-lm")
    assert loaded(engine) == ["tiny-lm"]
    assert beside.held_gb
    beside.held_gb = 1.6
    use(engine, "tiny-mlm")
    assert loaded(engine) == ["tiny-mlm"]
    assert not beside.held_gb


def test_who_needs_the_room_of_a_busy_model_outside_waits_and_is_told(engine_with, monkeypatch):
    engine = engine_with(2.5)
    engine._pool._beside = Beside(1.6, in_use=True)
    engine._pool._patience = 0.3
    with pytest.raises(BusyError):
        use(engine, "tiny-mlm")


def test_a_model_outside_the_pool_makes_idle_ones_go_and_waits_for_busy_ones(engine_with):
    engine = engine_with(2.5)
    spec = catalog.get("tiny-lm")
    for name in ("tiny-mlm", "tiny-lm"):
        use(engine, name)
    engine._pool._beside = beside = Beside(0.0)
    engine._pool.make_room(spec, 1.2, Ticket())
    assert loaded(engine) == ["tiny-lm"]
    engine._pool.make_room(spec, 1.2, Ticket())  # counted once
    assert loaded(engine) == ["tiny-lm"]
    with pytest.raises(ModelUnavailableError, match=r"needs 3\.0 GB; LECTURE_MEMORY_GB allows 2\.5"):
        engine._pool.make_room(spec, 3.0, Ticket())
    assert beside.counted == ["tiny-lm"]
    engine._pool._beside = Beside(0.0)
    engine._pool._patience = 0.3
    with engine._pool.use(spec, Ticket()), pytest.raises(BusyError):
        engine._pool.make_room(spec, 2.0, Ticket())


def test_a_tokenizer_that_takes_long_keeps_no_other_model_waiting(engine, monkeypatch):
    real, go_on = pool_module.load_tokenizer, threading.Event()

    def load_tokenizer(spec):
        if spec.id == "tiny-lm":
            go_on.wait(10)
        return real(spec)

    monkeypatch.setattr(pool_module, "load_tokenizer", load_tokenizer)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(engine.tokenise, "the cat", model="tiny-lm")
        assert engine.tokenise("the cat", model="tiny-mlm").ids
        assert not slow.done()
        go_on.set()
        assert slow.result(5).ids


def test_a_tokenizer_that_failed_is_loaded_again(engine, monkeypatch):
    real = pool_module.load_tokenizer

    def refuse(_):
        raise ModelUnavailableError("not yet")

    monkeypatch.setattr(pool_module, "load_tokenizer", refuse)
    with pytest.raises(ModelUnavailableError, match="not yet"):
        engine.tokenise("the cat", model="tiny-lm")
    monkeypatch.setattr(pool_module, "load_tokenizer", real)
    assert engine.tokenise("the cat", model="tiny-lm").ids


def test_waiting_for_room_ends(engine_with):
    engine = engine_with(1.5)
    engine._pool._patience = 0.3
    with engine._pool.use(catalog.get("tiny-mlm"), Ticket()), pytest.raises(BusyError, match="memory"):
        use(engine, "tiny-lm")
    assert use(engine, "tiny-lm").candidates


def test_a_model_larger_than_the_budget_is_refused_and_nothing_is_let_go(engine_with):
    engine = engine_with(0.5)
    with pytest.raises(ModelUnavailableError, match=r"needs 1\.0 GB; LECTURE_MEMORY_GB allows 0\.5"):
        use(engine, "tiny-mlm")


def test_a_model_that_fails_to_load_leaves_the_others_and_may_be_tried_again(engine, monkeypatch):
    use(engine, "tiny-lm")
    real = worker_module.load

    def too_big(spec, words):
        raise ModelUnavailableError(f"{spec.title} needs more than is free here.")

    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "load", too_big)
        with pytest.raises(ModelUnavailableError):
            use(engine, "tiny-mlm")
    assert worker_module.load is real
    assert loaded(engine) == ["tiny-lm"]
    assert use(engine, "tiny-mlm").masks


def test_out_of_memory_while_loading_names_the_model(engine, monkeypatch):
    def no_memory(*_, **__):
        raise torch.OutOfMemoryError("no memory left")

    monkeypatch.setattr(torch.nn.Module, "to", no_memory)
    with pytest.raises(ModelUnavailableError, match="tiny-mlm needs"):
        use(engine, "tiny-mlm")


@pytest.mark.parametrize("value", ["", "much", "0", "-3", "nan"])
def test_a_budget_that_is_no_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("LECTURE_MEMORY_GB", value)
    with pytest.raises(InvalidInputError, match="LECTURE_MEMORY_GB"):
        memory_budget()


def test_the_budget_is_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("LECTURE_MEMORY_GB", "3.5")
    assert memory_budget() == 3.5
