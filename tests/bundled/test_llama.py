"""llama.cpp in its process: a reader who leaves, a refused request and a hang cost no slot."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lecture_core import catalog
from lecture_core.engine import llama
from lecture_core.engine.llama import SLOTS, LlamaProcess
from lecture_core.engine.waiting import Ticket
from lecture_core.errors import InvalidInputError, ModelUnavailableError, StoppedError
from lecture_core.generation import Sampling
from lecture_core.loading import gguf_path

pytestmark = pytest.mark.bundled
LONG = " ".join(f"word{i}" for i in range(480))  # about 1,800 tokens: seconds of reading


@pytest.fixture
def process():
    started = LlamaProcess(gguf_path(catalog.get("smollm2-135m-instruct")), 8192)
    yield started
    started.close()


def nothing(*_):
    return False


def test_who_leaves_while_the_prompt_is_read_frees_the_slot(process):
    read, began = [], time.monotonic()
    reason = process.stream(LONG, Sampling(4), lambda *_: read.append(1) or False, lambda: True)
    left = time.monotonic() - began
    assert reason == "cancelled"
    assert not read  # before the first token
    began = time.monotonic()
    process.stream(LONG, Sampling(1), nothing)
    assert left < (time.monotonic() - began) / 2


def test_a_request_that_llama_refuses_is_a_sentence_and_costs_no_slot(process):
    for _ in range(SLOTS + 1):
        with pytest.raises(InvalidInputError, match="Change the prompt"):
            process.stream("Hello", Sampling(2, stop=("\ud800",)), nothing)
    assert process.stream("Hello", Sampling(2), nothing) in ("length", "stop")


def test_a_hung_process_is_ended_and_says_so(process, monkeypatch):
    monkeypatch.setattr(llama, "STALLED", 0.5)
    os.kill(process._process.pid, signal.SIGSTOP)
    with pytest.raises(ModelUnavailableError, match="starts anew"):
        process.stream("Hello", Sampling(2), nothing)
    process._process.wait(timeout=10)
    assert not process.alive


def test_idle_processes_are_let_go_and_start_again_while_a_busy_one_stays():
    pool, spec = llama.LlamaPool(), catalog.get("smollm2-135m-instruct")
    tried = []

    def emit(*_):
        tried.append(pool.let_go())
        return False

    first = pool.run(spec, "Hello", Sampling(3), emit, Ticket())[0]
    assert tried  # while it wrote
    assert first == "length"
    assert pool.held_gb == pytest.approx(llama.needed_gb(spec))
    pool.let_go()
    assert not pool.held_gb
    assert not pool.status()
    assert not pool.ready(spec)
    assert pool.run(spec, "Hello", Sampling(3), nothing, Ticket())[0] == "length"
    pool.let_go()


def test_who_leaves_while_others_prompts_are_read_gives_the_slot_up_at_once():
    pool, spec = llama.LlamaPool(), catalog.get("smollm2-135m-instruct")
    tickets = [Ticket() for _ in range(SLOTS)]
    with ThreadPoolExecutor(SLOTS) as threads:
        runs = [
            threads.submit(pool.run, spec, f"{number} {LONG}", Sampling(1), nothing, ticket)
            for number, ticket in enumerate(tickets)
        ]
        time.sleep(1)
        tickets[-1].set()
        began = time.monotonic()
        assert runs[-1].result(5)[0] == "cancelled"
        assert time.monotonic() - began < 1
        assert not runs[0].done() or not runs[1].done()  # they are still being read
        for ticket in tickets:
            ticket.set()
        assert {run.result(5)[0] for run in runs[1:]} == {"cancelled"}
    pool.let_go()


def test_a_process_that_hangs_at_its_start_is_ended_and_holds_no_slot(monkeypatch):
    start, spec = subprocess.Popen, catalog.get("smollm2-135m-instruct")
    monkeypatch.setattr(llama, "STARTED", 0.3)
    pool = llama.LlamaPool()
    with monkeypatch.context() as patch:
        patch.setattr(llama.subprocess, "Popen", lambda _, **options: start(["sleep", "30"], **options))
        with pytest.raises(ModelUnavailableError):
            pool.run(spec, "Hello", Sampling(1), nothing, Ticket())
    assert not pool.held_gb
    monkeypatch.setattr(llama, "STARTED", 60)
    assert pool.run(spec, "Hello", Sampling(1), nothing, Ticket())[0] == "length"
    pool.let_go()


def test_who_leaves_while_the_process_starts_does_not_wait_for_it(monkeypatch):
    start, spec = subprocess.Popen, catalog.get("smollm2-135m-instruct")
    pool, ticket = llama.LlamaPool(), Ticket()
    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as threads:
        patch.setattr(llama, "STARTED", 3)
        patch.setattr(llama.subprocess, "Popen", lambda _, **options: start(["sleep", "30"], **options))
        leaving = threads.submit(pool.run, spec, "Hello", Sampling(1), nothing, ticket)
        staying = threads.submit(pool.run, spec, "Hello", Sampling(1), nothing, Ticket())
        while spec.id not in pool._processes:
            time.sleep(0.01)
        time.sleep(0.5)  # both wait for it now
        ticket.set()
        with pytest.raises(StoppedError):
            leaving.result(timeout=1)
        pool.let_go()  # leaves a process alone that starts
        assert not staying.done()
        with pytest.raises(ModelUnavailableError):
            staying.result(timeout=10)
    assert not pool.held_gb


@pytest.mark.parametrize("logprobs", [True, False])
def test_tokens_are_counted_whether_or_not_their_probabilities_are_asked_for(process, logprobs):
    told = []
    sampling = Sampling(20, temperature=1.0, seed=3, logprobs=logprobs)
    process.stream("Repeat: 😀😀😀 你好", sampling, lambda text, tokens, known: told.append((tokens, known)) and False)
    assert sum(tokens for tokens, _ in told) == 20
    assert any(known for _, known in told) == logprobs
