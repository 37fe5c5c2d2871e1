"""Kept results: the same numbers without the model, bounded, and shown as such."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForMaskedLM

from lecture_core import forward
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.result_cache import ResultCache, size_of
from lecture_core.errors import BusyError, DeadlineError, InvalidInputError, ModelUnavailableError, StoppedError
from lecture_core.provenance import Provenance
from tests.tiny.conftest import until
from tests.tiny.models import tokenizer

CALLS = {
    "fill_mask": lambda e, s="": e.fill_mask("the [MASK] sat", model="tiny-mlm", candidates=["cat"], session=s),
    "masked_logprobs": lambda e, s="": e.masked_logprobs("the cat sat", model="tiny-mlm", positions=[1], session=s),
    "corrupt": lambda e, s="": e.corrupt("the cat sat on the mat", model="tiny-generator", seed=3, session=s),
    "detect": lambda e, s="": e.detect_replacements("the cat sat", model="tiny-discriminator", session=s),
    "token_logprobs": lambda e, s="": e.token_logprobs("the cat sat", model="tiny-lm", session=s),
    "score": lambda e, s="": e.score("the cat", ["sat", "ran"], model="tiny-lm", session=s),
    "next_token": lambda e, s="": e.next_token("the cat", model="tiny-lm", session=s),
    "text_to_text": lambda e, s="": e.text_to_text("The cat sat.", model="tiny-t5", max_new_tokens=3, session=s),
    "target_logprobs": lambda e, s="": e.target_logprobs("The cat", "sat", model="tiny-t5", session=s),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_pure_call_is_computed_once_for_all_sessions(engine, call, monkeypatch):
    first = call(engine, "one")
    assert not first.provenance.cached
    monkeypatch.setattr(engine, "_pool", None)  # no model from here on
    again = call(engine, "another")
    assert again == first
    assert again.provenance.cached
    assert again.provenance.seconds == first.provenance.seconds > 0


def test_another_setting_input_or_model_is_another_question(engine):
    engine.fill_mask("the [MASK] sat", model="tiny-mlm", top_k=3)
    for text, options in [
        ("the [MASK] ran", {"model": "tiny-mlm", "top_k": 3}),
        ("the [MASK] sat", {"model": "tiny-mlm", "top_k": 4}),
        ("the [MASK] sat", {"model": "tiny-generator", "top_k": 3}),
    ]:
        assert not engine.fill_mask(text, **options).provenance.cached


def test_a_detection_of_a_kept_corruption_is_kept_too(engine):
    for expected in (False, True):
        corruption = engine.corrupt("the cat sat on the mat", model="tiny-generator")
        found = engine.detect_replacements(corruption, model="tiny-discriminator")
        assert (corruption.provenance.cached, found.provenance.cached) == (expected, expected)


def test_new_weights_give_new_results(engine, rows, tmp_path, monkeypatch):
    from lecture_core import loading

    old = CALLS["fill_mask"](engine)
    other = AutoModelForMaskedLM.from_pretrained(loading.BUNDLED / "tiny-mlm")
    torch.nn.init.normal_(other.get_input_embeddings().weight)
    other.save_pretrained(tmp_path / "tiny-mlm")
    tokenizer(frame=True, limit=64).save_pretrained(tmp_path / "tiny-mlm")
    monkeypatch.setattr(loading, "BUNDLED", tmp_path)
    engine._pool._workers.pop("tiny-mlm").close()
    other = engine.fill_mask("the [MASK] ran", model="tiny-mlm")
    assert other.provenance.revision != old.provenance.revision
    new = CALLS["fill_mask"](engine)
    assert not new.provenance.cached
    assert new.masks != old.masks


def test_a_refusal_is_not_kept(engine):
    for _ in range(2):
        with pytest.raises(InvalidInputError):
            engine.fill_mask("no mask", model="tiny-mlm")
    assert engine.results.held == 0


def test_a_class_that_asks_the_same_at_once_gets_one_computation_and_no_refusal(engine, monkeypatch):
    computed, real = [], forward.logits_at

    def slow(requests, model):
        computed.append(len(requests))
        time.sleep(0.2)
        return real(requests, model)

    monkeypatch.setattr(forward, "logits_at", slow)
    students = 3 * engine._admission.limit
    with ThreadPoolExecutor(students) as threads:
        results = list(threads.map(lambda s: CALLS["fill_mask"](engine, str(s)), range(students)))
    assert computed == [1]
    assert sum(not result.provenance.cached for result in results) == 1


def test_a_failure_is_not_shared_with_those_who_wait_for_it():
    cache, begun, go_on = ResultCache(), Event(), Event()
    good = SimpleNamespace(provenance=Provenance("m", "r"))

    def fail():
        begun.set()
        go_on.wait(5)
        raise BusyError("full")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(cache.answer, "m", "q", fail)
        assert begun.wait(5)
        second = threads.submit(cache.answer, "m", "q", lambda: good)
        go_on.set()
    assert isinstance(first.exception(), BusyError)
    assert second.result() is good


@pytest.mark.parametrize("error", [DeadlineError("late"), ModelUnavailableError("no memory")])
def test_what_would_fail_for_all_who_ask_the_same_is_tried_once(error):
    cache, begun, go_on, tried = ResultCache(), Event(), Event(), []

    def fail():
        tried.append(1)
        begun.set()
        go_on.wait(5)
        raise error

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(cache.answer, "m", "q", fail)]
        assert begun.wait(5)
        asked += [threads.submit(cache.answer, "m", "q", fail) for _ in range(7)]
        time.sleep(0.2)
        go_on.set()
        assert {(type(one.exception(5)), str(one.exception())) for one in asked} == {(type(error), str(error))}
    assert len(tried) == 1


def test_the_least_recently_used_results_make_room(engine):
    result = CALLS["fill_mask"](engine)
    size = size_of(result) + size_of("a")
    cache = ResultCache(limit=3 * size)
    for key in "abc":
        cache.put("m", key, result)
    assert cache.get("m", "a") is not None
    cache.put("m", "d", result)
    assert [key for key in "abcd" if cache.get("m", key) is not None] == ["a", "c", "d"]
    assert cache.held <= cache.limit


def test_a_result_larger_than_the_bound_is_not_kept(engine):
    result = CALLS["fill_mask"](engine)
    cache = ResultCache(limit=100)
    assert cache.put("m", "a", result) is result
    assert cache.get("m", "a") is None
    assert cache.held == 0


def test_the_size_grows_with_the_content(engine):
    result = CALLS["fill_mask"](engine)
    longer = replace(result, masks=result.masks * 10)
    assert size_of(longer) > 5 * size_of(result)


def test_an_engine_can_compute_everything_anew(rows):
    engine = LocalEngine(result_bytes=0)
    assert not any(CALLS["fill_mask"](engine).provenance.cached for _ in range(2))


def test_the_caption_says_what_was_computed_before(engine):
    first, again = CALLS["fill_mask"](engine).provenance, CALLS["fill_mask"](engine).provenance
    assert "cached" not in first.caption()
    assert again.caption() == f"{first.caption()} · computed before (cached)"


def test_who_shares_a_question_does_not_suffer_from_its_first_asker_being_stopped(rows):
    cache, computed, begun, stop = ResultCache(), [], Event(), Event()
    made = LocalEngine(result_bytes=0).fill_mask("the [MASK]", model="tiny-mlm")

    def stopped():
        begun.set()
        stop.wait(5)
        raise StoppedError("stopped")

    def compute():
        computed.append(1)
        time.sleep(0.05)
        return made

    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(cache.answer, "m", "q", stopped)
        begun.wait(5)
        others = [threads.submit(cache.answer, "m", "q", compute) for _ in range(8)]
        time.sleep(0.1)
        stop.set()
        assert [other.result(5).masks for other in others] == [made.masks] * 8
        with pytest.raises(StoppedError):
            first.result()
    assert len(computed) == 1


@pytest.mark.parametrize("how", ["cancelled", "replaced"])
def test_who_waits_for_somebody_else_s_equal_question_can_stop(engine, monkeypatch, how):
    asked, go_on, real = Event(), Event(), engine._forward

    def slow(*inputs):
        asked.set()
        go_on.wait(10)
        return real(*inputs)

    monkeypatch.setattr(engine, "_forward", slow)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(CALLS["fill_mask"], engine, "one")
        assert asked.wait(5)
        other = threads.submit(CALLS["fill_mask"], engine, "another")
        until(lambda: "another" in engine._admission._running)
        if how == "cancelled":
            engine.cancel("another")
        else:
            monkeypatch.setattr(engine, "_forward", real)
            engine.fill_mask("the cat [MASK]", model="tiny-mlm", session="another")
        with pytest.raises(StoppedError):
            other.result(2)
        assert not first.done()
        go_on.set()
        assert first.result(5).masks
    assert not engine._admission._running
