"""One thing at a time with the weights of a model: the steps of its streams' batch, or a pass of its owner."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch

from lecture_core import forward
from lecture_core.engine import continuous
from lecture_core.engine.waiting import Ticket
from lecture_core.generation import Sampling
from tests.tiny.test_continuous import PROMPTS, generator, written


@contextmanager
def long_passes(engine, seconds=1.0):
    """Let each pass of the owner's thread last, once it has begun; yields what is set then."""
    begun = threading.Event()

    def slow(*_):
        if threading.current_thread().name.startswith("model-"):
            begun.set()
            time.sleep(seconds)

    head = engine._pool._workers["tiny-lm"].model.network.lm_head
    handle = head.register_forward_pre_hook(slow)
    yield begun
    handle.remove()


@pytest.fixture
def ready(batching):
    """An engine whose streams may begin a batch and have not."""
    batching.next_token(PROMPTS[0], model="tiny-lm")
    batching._pool._workers["tiny-lm"].generator(Ticket(), deadline=9)
    return batching


def test_no_batch_begins_inside_a_pass_of_the_same_weights(ready):
    whole = written(ready, PROMPTS[0])
    generator(ready).close()
    generator(ready)._closed = False
    with long_passes(ready) as begun, ThreadPoolExecutor(1) as threads:
        tokens = threads.submit(ready.token_logprobs, " ".join(PROMPTS[:2]), model="tiny-lm")
        assert begun.wait(5)
        assert generator(ready)._batch is None
        assert written(ready, PROMPTS[0]) == whole
        assert len(tokens.result(5).tokens) > len(PROMPTS[0].split())


def test_who_waits_for_a_batch_during_a_long_pass_leaves_within_a_second(ready):
    with long_passes(ready, 3) as begun, ThreadPoolExecutor(2) as threads:
        threads.submit(ready.next_token, PROMPTS[1], model="tiny-lm")
        assert begun.wait(5)
        ticket = Ticket()
        left = threads.submit(generator(ready).stream, PROMPTS[0], Sampling(4), lambda *_: False, ticket)
        time.sleep(0.3)
        ticket.set()
        assert left.result(1) == "cancelled"
        assert generator(ready)._batch is None
        started = time.monotonic()
        generator(ready).close()
        assert time.monotonic() - started < 1


def test_a_pass_waits_for_the_last_step_of_a_batch_that_was_ended(batching, monkeypatch):
    monkeypatch.setattr(continuous, "FREED", 5)
    written(batching, PROMPTS[0])
    batch = generator(batching)._batch
    step, inside = batch.manager._generation_step, threading.Event()

    def long_step():
        step()
        inside.set()
        time.sleep(0.5)
        inside.clear()

    monkeypatch.setattr(batch.manager, "_generation_step", long_step)
    chunks = batching.generate(PROMPTS[1], model="tiny-lm", max_new_tokens=8)
    next(chunks)
    assert inside.wait(5)
    batch.end()
    with generator(batching).paused():
        assert not inside.is_set()
    chunks.close()


def test_the_head_of_another_threads_pass_reads_all_positions(batching):
    batching.next_token(PROMPTS[0], model="tiny-lm")
    network = batching._pool._workers["tiny-lm"].model.network
    ids = torch.tensor([[6, 7]])
    with forward._head_reads([0], [40], network), ThreadPoolExecutor(1) as threads:
        read = threads.submit(torch.no_grad()(network), input_ids=ids)
        assert read.result(5).logits.shape[1] == 2


def test_streams_outlive_a_pass_that_is_longer_than_a_loop_may_stand_still(ready, monkeypatch):
    whole = written(ready, PROMPTS[0])
    monkeypatch.setattr(continuous, "STALLED", 0.5)
    batch = generator(ready)._batch
    with long_passes(ready, 2) as begun, ThreadPoolExecutor(1) as threads:
        score = threads.submit(ready.next_token, PROMPTS[1], model="tiny-lm")
        assert begun.wait(5)
        assert written(ready, PROMPTS[0]) == whole
        assert score.result(5).candidates
    assert generator(ready)._batch is batch
