import threading
import time

import pytest

from lecture_core.continuations import Writing
from lecture_core.drawing_studio import Order, Studio
from lecture_core.engine.results import GenerationChunk, Message
from lecture_core.errors import BusyError
from lecture_core.provenance import Provenance


class Gated:
    """An engine whose streams go on only while the gate is open; it notes who writes and how many at a time."""

    def __init__(self, *, fails=None):
        self.gate, self.lock = threading.Event(), threading.Lock()
        self.started, self.closed, self.cancelled = [], [], []
        self.now = self.most = 0
        self.fails = fails

    def generate(self, prompt, *, model, max_new_tokens, temperature, top_p, seed, logprobs, session):
        with self.lock:
            self.started.append(seed)
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield GenerationChunk("<svg ")
            while not self.gate.is_set():
                time.sleep(0.005)
                yield GenerationChunk("")  # as an engine's heartbeat
            if self.fails:
                raise self.fails
            yield GenerationChunk(f"{seed}>", finished=True, reason="stop", provenance=Provenance(model, seed=seed))
        finally:
            with self.lock:
                self.now -= 1
                self.closed.append(seed)


def order(seed=0, thing="unicorn"):
    return Order((Message("user", f"Draw a {thing}"),), Writing("a-model", 0.7, 0.95, 320), seed)


def until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_the_same_order_is_written_once_for_all_and_kept():
    studio, engine = Studio(), Gated()
    for visitor in ("one", "two", "one"):
        assert not studio.look(order(), visitor, engine=engine).over
    until(lambda: studio.look(order(), "one", engine=engine).characters == 5)
    engine.gate.set()
    assert studio.wait(5)
    seen, new = (studio.look(order(), visitor, engine=engine) for visitor in ("one", "late"))
    assert engine.started == [0]
    assert seen.sample.text == new.sample.text == "<svg 0>"
    assert not seen.kept
    assert new.kept
    assert new.sample.provenance.caption().endswith("computed before (cached)")


def test_another_seed_prompt_or_setting_is_another_order():
    studio, engine = Studio(), Gated()
    engine.gate.set()
    hotter = Order(order().prompt, Writing("a-model", 0.9, 0.95, 320), 0)
    for one in (order(0), order(1), order(0, "horse"), hotter):
        studio.look(one, "me", engine=engine)
    assert studio.wait(5)
    assert len(engine.started) == 4


def test_two_are_written_at_a_time_and_the_others_know_how_many_come_first():
    studio, engine = Studio(at_once=2), Gated()
    for seed in range(5):
        studio.look(order(seed), "me", engine=engine)
    until(lambda: len(engine.started) == 2)
    assert [studio.look(order(seed), "me", engine=engine).before for seed in range(5)] == [0, 0, 1, 2, 3]
    engine.gate.set()
    assert studio.wait(5)
    assert engine.most == 2
    assert sorted(engine.started) == list(range(5))


def test_the_instructors_order_goes_before_others_that_wait():
    studio, engine = Studio(at_once=1), Gated()
    for seed in range(3):
        studio.look(order(seed), "me", engine=engine)
    studio.look(order(9), "instructor", engine=engine, first=True)
    engine.gate.set()
    assert studio.wait(5)
    assert engine.started == [0, 9, 1, 2]


def test_who_leaves_ends_what_nobody_else_looks_at():
    studio, engine = Studio(at_once=1), Gated()
    orders = [order(0), order(1)]
    for visitor in ("one", "two"):
        studio.look(orders[0], visitor, engine=engine)
    studio.look(orders[1], "one", engine=engine)
    until(lambda: engine.started == [0])
    studio.leave(orders, "one")
    time.sleep(0.05)
    assert engine.closed == []  # the other one still looks
    studio.leave(orders, "two")
    until(lambda: engine.closed == [0])
    assert studio.wait(5)
    assert engine.started == [0]  # what waited was never begun


def test_an_order_without_looks_is_dropped():
    studio, engine = Studio(lease=0.05), Gated()
    studio.look(order(), "me", engine=engine)
    until(lambda: engine.closed == [0])
    assert studio.wait(5)
    engine.gate.set()
    assert not studio.look(order(), "me", engine=engine).over  # begun anew


def test_what_only_closed_tabs_asked_for_is_not_written_on():
    studio, engine, here = Studio(at_once=1), Gated(), [True]
    for seed in (0, 1):
        studio.look(order(seed), "me", engine=engine, still_here=lambda: here[0])
    until(lambda: engine.started == [0])
    here[0] = False
    until(lambda: engine.closed == [0])
    assert studio.wait(5)
    assert engine.started == [0]  # what waited was never begun


def test_a_failure_is_told_to_who_met_it_and_not_to_the_next():
    studio = Studio()
    failing, working = Gated(fails=BusyError("Too many wait.")), Gated()
    failing.gate.set()
    working.gate.set()
    studio.look(order(), "me", engine=failing)
    assert studio.wait(5)
    assert studio.look(order(), "me", engine=failing).error == "Too many wait."
    studio.look(order(), "you", engine=working)
    assert studio.wait(5)
    assert studio.look(order(), "you", engine=working).sample.text == "<svg 0>"


def test_a_bug_surfaces():
    studio, engine = Studio(), Gated(fails=ZeroDivisionError())
    engine.gate.set()
    studio.look(order(), "me", engine=engine)
    assert studio.wait(5)
    with pytest.raises(ZeroDivisionError):
        studio.look(order(), "me", engine=engine)


def test_kept_texts_and_waiting_orders_are_bounded():
    studio, engine = Studio(at_once=1, kept=3, waiting=2), Gated()
    looks = [studio.look(order(seed), "me", engine=engine) for seed in range(9)]
    assert not any(look.over for look in looks)
    assert len(studio._jobs) == 3
    assert studio.look(order(8), "me", engine=engine).before == 2
    engine.gate.set()
    for seed in range(9):
        studio.look(order(seed), "me", engine=engine)
        assert studio.wait(5)
    assert len(studio._kept) == 3
    assert studio._jobs == {}
    assert studio.look(order(8), "new", engine=engine).kept
