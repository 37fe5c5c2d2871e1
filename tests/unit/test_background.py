import itertools
import threading
import time

import pytest

from lecture_core.background import BackgroundRun
from lecture_core.engine.waiting import goes_first
from lecture_core.errors import BusyError
from lecture_core.ui import behind


def test_newest_value_of_each_name_is_kept():
    run = BackgroundRun("in", lambda: (pair for pair in [("a", 1), ("b", 1), ("a", 2)]))
    assert run.wait(5)
    assert run.latest == {"a": 2, "b": 1}
    assert not run.cancelled


def test_cancel_keeps_what_came_and_closes_the_iterator():
    closed, freed = threading.Event(), threading.Event()

    def steps():
        try:
            for n in itertools.count():
                time.sleep(0.005)
                yield "a", n
        finally:
            closed.set()

    run = BackgroundRun("in", steps, on_cancel=freed.set)
    while not run.latest:
        time.sleep(0.005)
    run.cancel()
    assert run.wait(5)
    assert closed.is_set()
    assert freed.is_set()
    assert run.latest["a"] >= 0


def test_a_run_nobody_looks_at_ends():
    run = BackgroundRun("in", lambda: (("a", time.sleep(0.01)) for _ in itertools.count()), lease=0.05)
    assert run.wait(5)


def test_a_lecture_error_comes_to_whoever_looks_and_values_stay():
    def steps():
        yield "a", 1
        raise BusyError("full")

    run = BackgroundRun("in", steps)
    run.wait(5)
    with pytest.raises(BusyError, match="full"):
        _ = run.latest
    assert run.kept == {"a": 1}


def test_a_run_whose_tab_was_closed_is_cancelled():
    here, freed = threading.Event(), threading.Event()
    here.set()
    run = BackgroundRun(
        "in",
        lambda: (("a", time.sleep(0.01)) for _ in itertools.count()),
        on_cancel=freed.set,
        still_here=here.is_set,
    )
    assert not run.wait(0.8)
    here.clear()
    assert run.wait(1)
    assert freed.is_set()
    assert run.cancelled
    assert run.lost


def test_a_run_that_ended_early_says_why(monkeypatch):
    said, here = [], threading.Event()
    monkeypatch.setattr(behind.st, "caption", said.append)
    for still_here in (lambda: True, here.is_set):
        run = BackgroundRun("in", lambda: (("a", time.sleep(0.01)) for _ in itertools.count()), still_here=still_here)
        if still_here():
            run.cancel()
        assert run.wait(2)
        behind.ended(run, "after 3 of 20 questions; what was asked stays")
    assert said[0] == "Cancelled after 3 of 20 questions; what was asked stays."
    assert said[1].startswith("The connection to this page broke off, so the run was ended after 3 of 20")


def test_a_run_behind_a_page_goes_first_with_its_visitor_and_ends_with_the_tab(monkeypatch):
    is_open = threading.Event()
    is_open.set()
    monkeypatch.setattr(behind, "goes_first", lambda: True)
    monkeypatch.setattr(behind, "session_id", lambda: "tab")
    monkeypatch.setattr(behind, "is_open", lambda session: session == "tab" and is_open.is_set())

    def steps():
        while True:
            time.sleep(0.01)
            yield "first", goes_first()

    run = behind.start("in", steps)
    assert not run.wait(0.7)
    assert run.latest == {"first": True}
    is_open.clear()
    assert run.wait(1)
