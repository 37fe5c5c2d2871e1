"""What must hold on every device: called with tiny models on the CPU, with the shipped ones on a GPU."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from lecture_core import device as devices
from lecture_core import loading
from lecture_core.engine.stream_memory import PAGE_TOKENS
from lecture_core.errors import ModelUnavailableError
from lecture_core.masked_lm import fill_masks

CPU = devices.Device("cpu", "float32", "to compare with")


def written(engine, prompt, model, **settings):
    """All chunks of a stream."""
    return list(engine.generate(prompt, model=model, **{"max_new_tokens": 24} | settings))


def batch_of(engine, model):
    """The batch that the streams of a model share."""
    return engine._pool._workers[model].streams._batch


def the_device_ranks_as_the_cpu(spec, texts, monkeypatch, *, within):
    here = loading.load(spec)
    with monkeypatch.context() as patch:
        patch.setattr(devices, "choose", lambda: CPU)
        there = loading.load(spec)
    assert here.device != there.device
    for text in texts:
        expected = fill_masks(text, there, top_k=5).masks[0].candidates
        found = {c.token: c for c in fill_masks(text, here, top_k=100).masks[0].candidates}
        assert found[expected[0].token].rank == 1
        for candidate in expected:
            assert found[candidate.token].probability == pytest.approx(candidate.probability, abs=within)


def batched_answers_equal_single_ones(engine, model, texts, *, within):
    def ask(text):
        return engine.fill_mask(text, model=model, top_k=3).masks[0].candidates

    single = [ask(text) for text in texts]
    with ThreadPoolExecutor(len(texts)) as pool:
        together = list(pool.map(ask, texts))
    for one, other in zip(single, together, strict=True):
        near(other, one, within=within)


def near(candidates, expected, *, within):
    """Equal numbers may differ in the last bits while several streams of a card are busy."""
    assert candidates[0].token == expected[0].token
    assert [c.probability for c in candidates] == pytest.approx([c.probability for c in expected], abs=within)


def a_stop_frees_a_stream_within_a_second(engine, model, prompt):
    written(engine, prompt, model, max_new_tokens=2)
    chunks = engine.generate(prompt, model=model, max_new_tokens=50)
    next(chunks)
    scheduler = batch_of(engine, model).manager.batch_processor.scheduler
    assert scheduler.active_requests
    chunks.close()
    until = time.monotonic() + 1
    while (scheduler.active_requests or scheduler.waiting_requests) and time.monotonic() < until:
        time.sleep(0.02)
    assert not scheduler.active_requests
    assert not scheduler.waiting_requests


def an_equal_beginning_is_read_once(engine, model, prompt, monkeypatch):
    assert len(engine.tokenise(prompt, model=model).ids) > PAGE_TOKENS
    written(engine, prompt, model, max_new_tokens=2)
    cache, known = batch_of(engine, model).manager.batch_processor.cache, []
    real = cache.search_prefix_match

    def searched(*asked):
        known.append(real(*asked))
        return known[-1]

    monkeypatch.setattr(cache, "search_prefix_match", searched)
    written(engine, prompt, model, max_new_tokens=2)
    assert known
    assert known[-1] >= PAGE_TOKENS
    assert known[-1] % PAGE_TOKENS == 0


def running_out_of_memory_fails_one_request_only(engine, model, text):
    before = engine.fill_mask(text, model=model).masks[0].candidates

    def full(*_):
        handle.remove()
        raise torch.OutOfMemoryError("CUDA out of memory.")

    handle = engine._pool._workers[model].model.network.register_forward_pre_hook(full)
    with pytest.raises(ModelUnavailableError, match="ran out of memory"):
        engine.fill_mask(text, model=model)
    near(engine.fill_mask(text, model=model).masks[0].candidates, before, within=0.01)


def streams_go_on_while_passes_run(engine, decoder, encoder, prompt, text):
    alone = engine.fill_mask(text, model=encoder).masks[0].candidates
    chunks = engine.generate(prompt, model=decoder, max_new_tokens=40)
    next(chunks)
    for _ in range(5):
        near(engine.fill_mask(text, model=encoder).masks[0].candidates, alone, within=0.01)
        assert engine.token_logprobs(prompt, model=decoder).tokens  # of the streams' own model
    last = list(chunks)[-1]
    assert last.reason == "stop" or last.tokens == 40


def a_batch_that_breaks_down_is_replaced(engine, model, prompt, monkeypatch):
    assert written(engine, prompt, model)[-1].tokens > 6
    first = batch_of(engine, model)
    step, left = first.manager._generation_step, iter(range(6))

    def breaking():
        if next(left, None) is None:
            raise RuntimeError("the card fell off")
        step()

    monkeypatch.setattr(first.manager, "_generation_step", breaking)
    again = written(engine, prompt, model)[-1]
    assert again.finished
    assert again.reason in ("stop", "length")
    assert batch_of(engine, model) is not first
