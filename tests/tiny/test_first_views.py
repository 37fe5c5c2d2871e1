"""Recorded answers: equal to the live ones, shown only until those come or when all places are taken."""

import threading
import time
from dataclasses import fields, is_dataclass

import pytest

from lecture_core.engine import first_views, remembering, worker
from lecture_core.engine import pool as pool_module
from lecture_core.engine.admission import Admission
from lecture_core.engine.first_views import FirstViews, save
from lecture_core.engine.local import LocalEngine
from lecture_core.errors import BusyError, InvalidInputError, ModelUnavailableError
from tests.tiny.conftest import until

TEXT = "the cat sat on the mat"


def asked(engine):
    corruption = engine.corrupt(TEXT, model="tiny-mlm", seed=3)
    chunks = list(engine.generate(TEXT, model="tiny-lm", max_new_tokens=6, stop=["river"], session="s"))
    return [
        engine.tokenise(TEXT, model="tiny-mlm"),
        engine.masking_recipe(TEXT, model="tiny-mlm", seed=2),
        engine.fill_mask("the [MASK] sat", model="tiny-mlm", top_k=4, candidates=("cat", "nothing")),
        corruption,
        engine.detect_replacements(corruption, model="tiny-discriminator"),
        engine.token_logprobs(TEXT, model="tiny-lm"),
        engine.score(TEXT, [" a", " the mat"], model="tiny-lm"),
        engine.score_prompts((TEXT, "the dog"), (" a", " the mat"), model="tiny-lm"),
        engine.next_token(TEXT, model="tiny-lm", session="s"),
        "".join(chunk.text for chunk in chunks),
        chunks[-1].provenance,
    ]


@pytest.fixture
def kept(rows, tmp_path):
    engine = LocalEngine()
    engine.recorder = {}
    live = asked(engine)
    path = tmp_path / "views.json.gz"
    assert save(engine.recorder, date="2026-01-31", path=path) == (10, 0)
    return live, path


def without_origin(result):
    """A result as plain values, provenance left out at every depth."""
    if is_dataclass(result):
        return {f.name: without_origin(getattr(result, f.name)) for f in fields(result) if f.name != "provenance"}
    return [without_origin(one) for one in result] if isinstance(result, list | tuple) else result


def provenances(results):
    return [getattr(result, "provenance", None) for result in results[:-2]] + [results[-1]]


def test_recorded_answers_equal_the_live_ones_and_say_so(kept, rows, monkeypatch):
    live, path = kept
    engine = LocalEngine(first_views=FirstViews(path))
    monkeypatch.setattr(engine, "_catch_up", lambda model, live: None)
    found = asked(engine)
    for before, now in zip(live[:-2], found[:-2], strict=True):
        assert without_origin(before) == without_origin(now)
    assert found[-2] == live[-2]
    made = [one for one in provenances(found) if one is not None]
    assert {one.kind for one in made} == {"recorded"}
    assert all(one.stands_in and "2026-01-31" in one.source for one in made)
    assert not engine.status().loaded


def test_the_live_result_comes_behind_and_is_shown_from_then_on(kept, rows):
    _, path = kept
    engine = LocalEngine(first_views=FirstViews(path))
    first = engine.fill_mask("the [MASK] sat", model="tiny-mlm", top_k=4, candidates=("cat", "nothing"))
    assert first.provenance.kind == "recorded"
    wait_until_caught_up(engine)
    then = engine.fill_mask("the [MASK] sat", model="tiny-mlm", top_k=4, candidates=("cat", "nothing"))
    assert (then.provenance.kind, then.provenance.stands_in) == ("live", False)
    assert then.masks == first.masks


def test_a_slow_answer_is_shown_from_the_record_though_its_model_is_there(kept, rows, monkeypatch):
    _, path = kept
    engine, another, none_kept = (LocalEngine(first_views=FirstViews(path), result_bytes=b) for b in (10**6, 10**6, 0))

    def ask(engine):
        return engine.token_logprobs(TEXT, model="tiny-lm").provenance

    for one in (engine, another, none_kept):
        one._run("tiny-lm", (), lambda _: None)
    assert ask(engine).kind == "live"  # it took next to nothing when it was recorded
    monkeypatch.setattr(remembering, "SLOW", 0.0)
    assert (ask(another).kind, ask(another).stands_in) == ("recorded", True)
    wait_until_caught_up(another)
    assert ask(another).kind == "live"
    assert ask(none_kept).kind == "live"  # or it would be recorded for ever
    assert another.next_token(TEXT, model="tiny-lm").provenance.kind == "live"


def test_other_questions_and_mistakes_are_not_answered_from_the_file(kept, rows):
    _, path = kept
    engine = LocalEngine(first_views=FirstViews(path))
    assert engine.fill_mask("the [MASK] ran", model="tiny-mlm", top_k=4).provenance.kind == "live"
    with pytest.raises(InvalidInputError):
        engine.fill_mask("no mask", model="tiny-mlm")


def test_a_full_engine_answers_with_what_was_recorded(kept, rows):
    live, path = kept
    engine = LocalEngine(first_views=FirstViews(path), result_bytes=0)
    for model in ("tiny-mlm", "tiny-lm"):
        engine._run(model, (), lambda _: None)
    engine._admission = Admission(1)
    with engine._admission.admit():
        started = time.perf_counter()
        made = engine.next_token(TEXT, model="tiny-lm").provenance
        assert (made.kind, made.stands_in) == ("recorded", False)  # nothing is under way that could replace it
        chunks = list(engine.generate(TEXT, model="tiny-lm", max_new_tokens=6, stop=["river"]))
        assert "".join(chunk.text for chunk in chunks) == live[-2]
        with pytest.raises(BusyError):
            engine.next_token("the dog", model="tiny-lm")
        assert time.perf_counter() - started < 0.2
    assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "live"


def test_a_stream_that_finds_no_memory_is_answered_with_what_was_recorded(kept, rows, monkeypatch):
    live, path = kept
    engine = LocalEngine(first_views=FirstViews(path), result_bytes=0)
    engine._run("tiny-lm", (), lambda _: None)

    def full(*_):
        time.sleep(0.6)  # a heartbeat and another: Stop stays alive meanwhile
        raise BusyError("The models in use fill this machine's memory.")

    monkeypatch.setattr(engine._pool, "_reserve", full)
    chunks = list(engine.generate(TEXT, model="tiny-lm", max_new_tokens=6, stop=["river"]))
    assert "".join(chunk.text for chunk in chunks) == live[-2]
    with pytest.raises(BusyError):
        list(engine.generate("the dog", model="tiny-lm"))


def test_a_slow_model_does_not_hold_up_the_live_result_of_another(kept, rows, monkeypatch):
    _, path = kept
    engine, gate = LocalEngine(first_views=FirstViews(path)), threading.Event()
    real = pool_module.load_tokenizer
    monkeypatch.setattr(
        pool_module, "load_tokenizer", lambda spec: (spec.id == "tiny-lm" and gate.wait(20)) or real(spec)
    )
    engine.next_token(TEXT, model="tiny-lm")
    engine.fill_mask("the [MASK] sat", model="tiny-mlm", top_k=4, candidates=("cat", "nothing"))
    until(lambda: engine.status().catching_up == ("tiny-lm",), 20)
    assert engine.status().catching_up == ("tiny-lm",)
    gate.set()
    wait_until_caught_up(engine)


def test_without_a_file_everything_is_live(rows, tmp_path):
    engine = LocalEngine(first_views=FirstViews(tmp_path / "none.json.gz"))
    assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "live"


def test_an_answer_too_large_is_left_out(rows, tmp_path, monkeypatch):
    engine = LocalEngine()
    engine.recorder = {}
    engine.next_token(TEXT, model="tiny-lm")
    monkeypatch.setattr(first_views, "LARGEST", 10)
    assert save(engine.recorder, date="2026-01-31", path=tmp_path / "views.json.gz") == (0, 1)


def wait_until_caught_up(engine):
    until = time.monotonic() + 20
    while engine.status().catching_up and time.monotonic() < until:
        time.sleep(0.01)
    assert not engine.status().catching_up


def test_a_full_machine_behind_is_not_the_visitors_business(kept, rows, monkeypatch):
    _, path = kept
    engine = LocalEngine(first_views=FirstViews(path))
    engine._admission = Admission(1)
    monkeypatch.setattr(remembering, "AGAIN", 0.05)
    with engine._admission.admit():
        assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "recorded"
        time.sleep(0.3)
        assert engine.status().catching_up == (
            "tiny-lm",
        )  # it waits for a place: a page that looked again now would find nothing
    wait_until_caught_up(engine)
    assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "live"


def test_a_machine_full_for_long_is_given_up(kept, rows, monkeypatch):
    _, path = kept
    engine = LocalEngine(first_views=FirstViews(path))
    engine._admission = Admission(0)
    monkeypatch.setattr(remembering, "PATIENCE", 0.0)
    for _ in range(2):
        assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "recorded"
        wait_until_caught_up(engine)


def test_a_model_that_cannot_be_had_is_said_and_not_asked_for_again_and_again(kept, rows, monkeypatch):
    def refuse(*_):
        raise ModelUnavailableError("Run: pull.")

    _, path = kept
    monkeypatch.setattr(worker, "load", refuse)
    engine = LocalEngine(first_views=FirstViews(path))
    assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "recorded"
    wait_until_caught_up(engine)
    with pytest.raises(ModelUnavailableError, match="pull"):
        engine.next_token(TEXT, model="tiny-lm")
    monkeypatch.setattr(remembering, "RETRY", 0.0)  # later: perhaps it was pulled in the meantime
    assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "recorded"
    wait_until_caught_up(engine)


def test_a_failure_that_is_no_sentence_surfaces_with_whoever_asks_next(kept, rows, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    _, path = kept
    monkeypatch.setattr(worker, "load", broken)
    engine = LocalEngine(first_views=FirstViews(path))
    assert engine.next_token(TEXT, model="tiny-lm").provenance.kind == "recorded"
    wait_until_caught_up(engine)
    with pytest.raises(ZeroDivisionError):
        engine.next_token(TEXT, model="tiny-lm")


def test_a_kept_live_result_comes_before_a_recorded_one(kept, rows):
    _, path = kept
    engine = LocalEngine(first_views=FirstViews(path))
    engine.next_token(TEXT, model="tiny-lm")
    wait_until_caught_up(engine)
    engine._pool._workers.clear()  # as if another model had taken the room
    made = engine.next_token(TEXT, model="tiny-lm").provenance
    assert (made.kind, made.cached) == ("live", True)
