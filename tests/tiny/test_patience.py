"""One patience a request from its start, whatever it waits for; who waits hears what is true."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lecture_core import catalog, token_logprobs
from lecture_core.engine import local, waiting
from lecture_core.engine import worker as worker_module
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.result_cache import ResultCache
from lecture_core.engine.waiting import Slots, Ticket, Waiting
from lecture_core.errors import BusyError, DeadlineError, InvalidInputError, StoppedError
from tests.tiny.conftest import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def heard(monkeypatch):
    told = []
    monkeypatch.setattr(waiting, "_report", [told.append])
    return told


@pytest.fixture
def worker(rows):
    engine = LocalEngine(result_bytes=0)
    engine.next_token("the cat", model="tiny-lm")
    return engine._pool._workers["tiny-lm"]


def old(seconds):
    """A ticket made so long ago."""
    ticket = Ticket()
    ticket.began -= seconds
    return ticket


def test_what_a_request_waited_before_counts_for_its_answer_too(worker):
    go_on, started = threading.Event(), time.monotonic()
    with pytest.raises(DeadlineError, match="within 10 s"):
        worker.run(lambda _: go_on.wait(5), old(9.7), deadline=10)
    assert time.monotonic() - started < 2
    go_on.set()


def test_what_a_request_waited_before_counts_for_room_in_memory_too(rows, monkeypatch):
    everything = {**catalog._rows(), **{name: replace(row, memory_gb=1.0) for name, row in rows.items()}}
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    monkeypatch.setenv("LECTURE_MEMORY_GB", "1.5")
    pool, started = LocalEngine()._pool, time.monotonic()
    with (
        pool.use(catalog.get("tiny-mlm"), Ticket()),
        pytest.raises(BusyError, match="memory"),
        pool.use(catalog.get("tiny-lm"), old(local.DEADLINE)),
    ):
        pass
    assert time.monotonic() - started < 2


def test_who_waits_for_memory_hears_that(rows, monkeypatch, heard):
    everything = {**catalog._rows(), **{name: replace(row, memory_gb=1.0) for name, row in rows.items()}}
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    monkeypatch.setenv("LECTURE_MEMORY_GB", "1.5")
    engine = LocalEngine(result_bytes=0)
    with ThreadPoolExecutor(1) as threads:
        with engine._pool.use(catalog.get("tiny-mlm"), Ticket()):
            asked = threads.submit(engine.next_token, "the cat", model="tiny-lm")
            until(lambda: heard)
        assert asked.result(5).candidates
    assert heard[0] == Waiting(0, 0.0, memory=True)


def test_who_shares_a_question_hears_how_its_first_asker_waits(heard):
    cache, go_on, told = ResultCache(), threading.Event(), Waiting(3, 4.5)
    begun = threading.Event()

    def compute():
        waiting.report(told)
        begun.set()
        go_on.wait(5)
        raise StoppedError("left")

    with ThreadPoolExecutor(2) as threads:
        threads.submit(cache.answer, "m", "q", compute)
        assert begun.wait(5)
        other = threads.submit(cache.answer, "m", "q", lambda: pytest.fail("computed"), _stopping(go_on, 2))
        until(lambda: len(heard) > 1)
        assert heard == [told] * len(heard)
        with pytest.raises(StoppedError):
            other.result(5)


def _stopping(go_on, looks):
    """Attend so that the wait is stopped after some looks."""

    class After(threading.Event):
        seen = 0

        def is_set(self):
            self.seen += 1
            if self.seen > looks:
                go_on.set()
            return self.seen > looks

    @contextmanager
    def attend():
        yield After()

    return attend


def test_the_expected_wait_of_a_stream_is_until_a_place_is_free(monkeypatch):
    slots, now = Slots(2), 1000.0
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now)
    slots._pace.seconds = 10.0
    slots._started = [now - 7, now - 4]  # they end in 3 and in 6 seconds, the next two 10 later
    assert [slots._expected(place) for place in range(4)] == [
        Waiting(1, 3.0),
        Waiting(2, 6.0),
        Waiting(3, 13.0),
        Waiting(4, 16.0),
    ]
    slots._started = [now - 60, now - 4]  # longer than usual: it may end at any moment
    assert slots._expected(0) == Waiting(1, 0.0)


def test_a_request_is_refused_before_torch_is_imported():
    script = """
import sys
from contextlib import ExitStack
from lecture_core.engine.local import LocalEngine
from lecture_core.errors import BusyError
engine = LocalEngine()
heavy = {"torch", "transformers"} & set(sys.modules)
with ExitStack() as full:
    for _ in range(engine._admission.limit):
        full.enter_context(engine._admission.admit())
    for ask in (
        lambda: engine.fill_mask("the [MASK] sat", model="minilm-mlm"),
        lambda: engine.token_logprobs("the cat " * 900, model="smollm2-135m-instruct"),
        lambda: engine.score("the cat", ["sat"], model="smollm2-135m-instruct"),
        lambda: engine.text_to_text("The cat sat.", model="t5-nano"),
    ):
        try:
            ask()
        except BusyError:
            continue
        raise SystemExit("it was not refused")
print({"torch", "transformers"} & set(sys.modules) - heavy, heavy)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set() set()", done.stderr


def test_a_text_too_long_for_a_batch_is_read_alone_and_in_parts_with_the_same_numbers(rows, monkeypatch):
    engine = LocalEngine(result_bytes=0)
    text = " ".join(["the cat sat"] * 8)
    batched = engine.token_logprobs(text, model="tiny-lm")
    monkeypatch.setattr(token_logprobs, "LONG", 5)
    monkeypatch.setattr(token_logprobs, "FULL", 5)
    alone = engine.token_logprobs(text, model="tiny-lm")
    assert [token.token for token in alone.tokens] == [token.token for token in batched.tokens]
    ours = [token.logprob for token in alone.tokens]
    assert ours[1:] == pytest.approx([token.logprob for token in batched.tokens][1:], abs=1e-4)


def test_a_stop_text_that_no_tokenizer_takes_is_refused_at_once(rows):
    with pytest.raises(InvalidInputError):
        LocalEngine().generate("the cat", model="tiny-lm", stop=("\ud800",))


def test_a_stop_while_a_model_loads_returns_at_once_and_the_model_is_there_later(rows, monkeypatch):
    gate, begun, real = threading.Event(), threading.Event(), worker_module.load

    def slow(*inputs):
        begun.set()
        gate.wait(10)
        return real(*inputs)

    monkeypatch.setattr(worker_module, "load", slow)
    engine = LocalEngine(result_bytes=0)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(engine.next_token, "the cat", model="tiny-lm", session="s")
        assert begun.wait(5)
        engine.cancel("s")
        with pytest.raises(StoppedError):
            asked.result(2)
        gate.set()
    assert engine.next_token("the cat", model="tiny-lm").candidates


def test_idle_models_stay_where_letting_them_go_is_not_enough(rows, monkeypatch):
    sizes = {"tiny-mlm": 1.0, "tiny-generator": 1.0, "tiny-lm": 2.5}
    everything = {**catalog._rows(), **{name: replace(rows[name], memory_gb=size) for name, size in sizes.items()}}
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    real = worker_module.load
    monkeypatch.setattr(worker_module, "load", lambda *a: replace(real(*a), memory_bytes=1_000_000_000))
    monkeypatch.setenv("LECTURE_MEMORY_GB", "3")
    engine = LocalEngine(result_bytes=0)
    pool = engine._pool
    for name in ("tiny-mlm", "tiny-generator"):
        engine.fill_mask("the [MASK]", model=name)
    pool._patience = 0.3
    with pool.use(catalog.get("tiny-mlm"), Ticket()):
        with pytest.raises(BusyError):
            engine.next_token("the cat", model="tiny-lm")
        assert pool.has_model(catalog.get("tiny-generator"))
