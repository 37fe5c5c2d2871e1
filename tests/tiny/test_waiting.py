"""Whoever waits hears how many come first; places are given out in order; who leaves gives the place up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lecture_core import pseudo_likelihood
from lecture_core.engine import pool as pool_module
from lecture_core.engine import waiting
from lecture_core.engine import worker as worker_module
from lecture_core.engine.admission import Admission
from lecture_core.engine.batch_limits import BatchLimits
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.waiting import Pace, Slots, Ticket, asking_first, goes_first
from lecture_core.errors import BusyError, DeadlineError, StoppedError
from tests.tiny.conftest import until


@pytest.fixture
def heard(monkeypatch):
    told = []
    monkeypatch.setattr(waiting, "_report", [lambda now: told.append((threading.current_thread().name, now))])
    return told


def held(worker):
    """Keep a model's thread busy until the returned event is set."""
    release, begun = threading.Event(), threading.Event()

    def hold(_):
        begun.set()
        release.wait(10)

    threading.Thread(target=worker.run, args=[hold, Ticket()], kwargs={"deadline": 20}).start()
    assert begun.wait(5)
    return release


@pytest.fixture
def busy(rows):
    """An engine whose only model is held until `release` is set."""
    engine = LocalEngine(result_bytes=0)
    engine.fill_mask("the [MASK]", model="tiny-mlm")
    release = held(engine._pool._workers["tiny-mlm"])
    yield engine, release
    release.set()


def asking(engine, name, results):
    def ask():
        try:
            results[name] = engine.fill_mask(f"the {name} [MASK]", model="tiny-mlm")
        except BaseException as error:
            results[name] = error

    thread = threading.Thread(target=ask, name=name)
    thread.start()
    return thread


def test_a_request_hears_how_many_come_first_and_is_answered(busy, heard):
    engine, release = busy
    results = {}
    threads = []
    for number, name in enumerate(["cat", "dog"], start=1):
        threads.append(asking(engine, name, results))
        while engine.status().waiting < number + 0 or engine._pool._workers["tiny-mlm"].waiting < number + 1:
            time.sleep(0.01)
    until = time.monotonic() + 5
    while not {"cat", "dog"} <= {name for name, _ in heard} and time.monotonic() < until:
        time.sleep(0.02)
    assert {name: now.before for name, now in heard if name in ("cat", "dog")} == {"cat": 1, "dog": 2}
    assert all(now.seconds > 0 and not now.loading for name, now in heard if now.before)
    release.set()
    for thread in threads:
        thread.join(5)
    assert all(result.masks for result in results.values())


def test_a_visitor_who_leaves_while_waiting_gives_the_place_up(busy, monkeypatch):
    class Left(Exception):
        pass

    def leave(_):
        if threading.current_thread().name == "cat":
            raise Left

    engine, release = busy
    monkeypatch.setattr(waiting, "_report", [leave])
    results = {}
    thread = asking(engine, "cat", results)
    thread.join(2)
    assert isinstance(results["cat"], Left)
    assert engine.status().waiting == 0
    assert engine._pool._workers["tiny-mlm"].waiting == 1  # the one that holds the model
    release.set()


def test_streams_take_their_places_in_the_order_of_asking():
    slots, order, threads, tickets = Slots(1), [], [], [Ticket() for _ in range(4)]
    gate = threading.Event()

    def run(number):
        with slots.take(tickets[number]) as taken:
            order.append((number, taken))
            gate.wait(5)

    for number in range(4):
        threads.append(threading.Thread(target=run, args=[number]))
        threads[-1].start()
        until = time.monotonic() + 5
        while not (number == 0 and order) and tickets[number].waiting is None and time.monotonic() < until:
            time.sleep(0.005)
    assert [ticket.waiting and ticket.waiting.before for ticket in tickets] == [None, 1, 2, 3]
    tickets[2].set()
    threads[2].join(2)
    assert order == [(0, True), (2, False)]
    gate.set()
    for thread in threads:
        thread.join(5)
    assert order == [(0, True), (2, False), (1, True), (3, True)]
    assert [ticket.waiting for ticket in tickets] == [None] * 4


def test_the_end_of_a_stream_wakes_nobody_but_the_next(monkeypatch):
    slots, looks, tickets = Slots(1), [], [Ticket() for _ in range(20)]
    monkeypatch.setattr(waiting, "LOOK", 60)
    expected = slots._expected
    monkeypatch.setattr(slots, "_expected", lambda place: looks.append(place) or expected(place))

    def run(ticket):
        with slots.take(ticket):
            pass

    with slots.take(Ticket()):
        threads = [threading.Thread(target=run, args=[ticket]) for ticket in tickets]
        for thread in threads:
            thread.start()
        until(lambda: len(looks) == len(tickets))
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)
    assert len(looks) <= 2 * len(tickets)  # one when it came, at most one more when it was its turn


def test_the_expected_wait_follows_what_was_measured():
    pace = Pace()
    assert pace.waiting(3).seconds == 0
    for _ in range(30):
        pace.measured(2.0, requests=4)
    assert pace.waiting(3).seconds == pytest.approx(1.5)


def test_who_waits_for_a_model_to_load_hears_it_and_can_leave(rows, monkeypatch):
    class Left(Exception):
        pass

    def leave(now):
        assert now.loading
        raise Left

    gate, real = threading.Event(), worker_module.load
    monkeypatch.setattr(worker_module, "load", lambda *inputs: gate.wait(10) and real(*inputs))
    monkeypatch.setattr(waiting, "_report", [leave])
    engine, results = LocalEngine(result_bytes=0), {}
    asking(engine, "cat", results).join(5)
    assert isinstance(results["cat"], Left)
    assert engine.status().waiting == 0
    gate.set()


def test_who_waits_for_a_tokenizer_hears_it_and_streams_that_are_closed_leave_no_thread(rows, monkeypatch, heard):
    gate, real = threading.Event(), pool_module.load_tokenizer
    monkeypatch.setattr(pool_module, "load_tokenizer", lambda *inputs: gate.wait(10) and real(*inputs))
    engine = LocalEngine(result_bytes=0)
    for _ in range(5):
        chunks = engine.generate("the cat", model="tiny-lm", max_new_tokens=4)
        next(chunks)
        until(lambda: heard)
        chunks.close()

    def writing():
        return [thread for thread in threading.enumerate() if thread.name == "generate"]

    until(lambda: not writing())
    assert not writing()
    assert heard[0][1].loading
    gate.set()
    assert engine.next_token("the cat", model="tiny-lm").candidates


def test_a_tokenizer_that_does_not_come_is_told_in_time(rows, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(pool_module, "load_tokenizer", lambda spec: gate.wait(10))
    engine = LocalEngine(result_bytes=0)
    monkeypatch.setattr(engine._pool, "_patience", 0.5)
    with pytest.raises(DeadlineError, match="was not there within"):
        engine.tokenise("the cat", model="tiny-lm")
    gate.set()


def test_a_closed_stream_on_transformers_gives_its_place_up_while_queued(rows):
    engine = LocalEngine()
    engine.next_token("the cat", model="tiny-lm")
    worker = engine._pool._workers["tiny-lm"]
    release = held(worker)
    chunks = engine.generate("the cat", model="tiny-lm", max_new_tokens=4)
    next(chunks)
    assert worker.waiting == 2
    chunks.close()
    until = time.monotonic() + 2
    while worker.waiting > 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.waiting == 1
    release.set()


def test_when_the_first_asker_leaves_another_takes_over_and_the_rest_share(rows):
    engine, gate, begun, computed = LocalEngine(), threading.Event(), threading.Event(), []

    class Left(BaseException):
        pass

    def first():
        begun.set()
        gate.wait(5)
        raise Left

    def later():
        computed.append(1)
        return engine.next_token("the cat", model="tiny-lm")

    def leaving():
        with pytest.raises(Left):
            engine.results.answer("tiny-lm", "question", first)

    threads = [threading.Thread(target=leaving)]
    threads[0].start()
    assert begun.wait(5)
    answers = []
    for _ in range(6):
        ask = lambda: answers.append(engine.results.answer("tiny-lm", "question", later))  # noqa: E731
        threads.append(threading.Thread(target=ask))
        threads[-1].start()
    time.sleep(0.1)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(answers) == 6
    assert len(computed) == 1


@pytest.fixture
def instructor(monkeypatch):
    """Threads whose name begins with `instructor` go first."""
    is_instructor = [lambda: threading.current_thread().name.startswith("instructor")]
    monkeypatch.setattr(waiting, "_goes_first", is_instructor)


def test_the_instructor_goes_before_students_who_wait_but_not_before_who_runs(busy, instructor, monkeypatch):
    engine, release = busy
    worker, order, results = engine._pool._workers["tiny-mlm"], [], {}
    monkeypatch.setattr(worker, "_limits", BatchLimits(1, 512))  # one request a forward pass
    threads = []
    for number, name in enumerate(["cat", "dog", "instructor", "instructor 2"], start=1):
        threads.append(asking(engine, name, results))
        while worker.waiting < number + 1:
            time.sleep(0.005)
    order = [job.first for job in worker._jobs]
    release.set()
    for thread in threads:
        thread.join(5)
    assert order == [True, True, False, False]
    assert all(not isinstance(result, BaseException) for result in results.values())


def test_the_instructor_takes_the_next_free_place_of_a_stream():
    slots, order, threads, gate = Slots(1), [], [], threading.Event()
    tickets = [Ticket(), Ticket(), Ticket(first=True)]

    def run(number):
        with slots.take(tickets[number]):
            order.append(number)
            gate.wait(5)

    for number in range(3):
        threads.append(threading.Thread(target=run, args=[number]))
        threads[-1].start()
        until = time.monotonic() + 5
        while not (number == 0 and order) and tickets[number].waiting is None and time.monotonic() < until:
            time.sleep(0.005)
    gate.set()
    for thread in threads:
        thread.join(5)
    assert order == [0, 2, 1]


def test_a_newer_request_of_a_session_takes_the_place_of_one_that_waits(busy):
    engine, release = busy
    with ThreadPoolExecutor(2) as threads:
        older = threads.submit(engine.fill_mask, "the cat [MASK]", model="tiny-mlm", session="s")
        waits(engine, 1)
        newer = threads.submit(engine.fill_mask, "the dog [MASK]", model="tiny-mlm", session="s")
        with pytest.raises(StoppedError, match="newer"):
            older.result(2)
        release.set()
        assert newer.result(5).masks


def test_a_single_result_can_be_cancelled_while_it_waits(busy):
    engine, release = busy
    with ThreadPoolExecutor(2) as threads:
        mine = threads.submit(engine.fill_mask, "the cat [MASK]", model="tiny-mlm", session="mine")
        other = threads.submit(engine.fill_mask, "the dog [MASK]", model="tiny-mlm", session="other")
        waits(engine, 2)
        started = time.perf_counter()
        engine.cancel("mine")
        with pytest.raises(StoppedError):
            mine.result(2)
        assert time.perf_counter() - started < 1
        release.set()
        assert other.result(5).masks


def waits(engine, number):
    until = time.monotonic() + 5
    while engine._pool._workers["tiny-mlm"].waiting < 1 + number and time.monotonic() < until:
        time.sleep(0.005)


def test_a_thread_that_works_for_the_instructor_goes_first():
    seen = []

    def work():
        with asking_first(True):
            seen.append(goes_first())
        seen.append(goes_first())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, False]
    assert not goes_first()


def test_a_full_room_has_places_left_for_the_instructor(instructor):
    admission = Admission(1)
    found = {}

    def enter(name):
        try:
            with admission.admit():
                found[name] = admission.waiting
        except BusyError as error:
            found[name] = error

    with admission.admit():
        for name in ("student", "instructor"):
            thread = threading.Thread(target=enter, args=[name], name=name)
            thread.start()
            thread.join(5)
    assert isinstance(found["student"], BusyError)
    assert found["instructor"] == 2


def test_the_instructor_does_not_wait_at_the_place_of_a_student_who_asked_the_same(rows, instructor, monkeypatch):
    engine, asked, go_on = LocalEngine(), threading.Event(), threading.Event()
    real = engine._forward

    def slow(*inputs):
        if not threading.current_thread().name.startswith("instructor"):
            asked.set()
            go_on.wait(10)
        return real(*inputs)

    monkeypatch.setattr(engine, "_forward", slow)
    results = {}
    student = asking(engine, "cat", results)
    assert asked.wait(5)

    def ask():
        results["t"] = engine.fill_mask("the cat [MASK]", model="tiny-mlm")

    teacher = threading.Thread(target=ask, name="instructor", daemon=True)
    teacher.start()
    teacher.join(5)
    assert results["t"].masks
    assert "cat" not in results
    go_on.set()
    student.join(5)
    assert results["cat"].masks == results["t"].masks


@pytest.mark.parametrize("how", ["cancelled", "left"])
def test_a_long_result_is_stopped_between_two_forward_passes(rows, monkeypatch, how):
    engine, text = LocalEngine(result_bytes=0), " ".join(["the cat sat on the mat"] * 4)
    engine.masked_logprobs("the cat", model="tiny-mlm", in_turn=True)
    passes, left = [], threading.Event()
    monkeypatch.setattr(pseudo_likelihood, "PASS_TOKENS", 1)  # a pass a token
    network = engine._pool._workers["tiny-mlm"].model.network

    def slowly(*_):
        passes.append(1)
        time.sleep(0.4)

    network.register_forward_pre_hook(slowly)

    def told(_):
        if left.is_set():
            raise InterruptedError

    monkeypatch.setattr(waiting, "_report", [told])
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(engine.masked_logprobs, text, model="tiny-mlm", in_turn=True, session="s")
        while len(passes) < 2:
            time.sleep(0.01)
        engine.cancel("s") if how == "cancelled" else left.set()
        with pytest.raises(StoppedError if how == "cancelled" else InterruptedError):
            asked.result(3)
    begun = len(passes)
    time.sleep(1.2)
    assert len(passes) <= begun + 2 < 20
    left.clear()
    assert engine.masked_logprobs("the dog", model="tiny-mlm", in_turn=True).tokens
