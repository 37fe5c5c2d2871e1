"""Rounds of drawings that several visitors share: kept texts, the link, Stop, the vote, and the instructor's view."""

import re
import threading

import pytest

from lecture_core.drawing_studio import Studio
from lecture_core.errors import BusyError
from lecture_core.ui import blind_vote, unicorn
from lecture_core.vote_store import VoteStore
from tests.pages.test_multimodal_page import DRAWN, STEM, ballot, draw, drawn_by, finished, no_model, opened, words

__all__ = ["drawn_by", "no_model"]
pytestmark = pytest.mark.usefixtures("no_model")


def button(at, name):
    return next((one for one in at.button if one.key == f"{STEM}_{name}"), None)


def as_visitor(monkeypatch, name):
    monkeypatch.setattr(unicorn, "session_id", lambda: name)
    monkeypatch.setattr(blind_vote, "browser_id", lambda: name)


def test_a_second_visitor_gets_the_same_texts_at_once_with_a_badge(drawn_by, monkeypatch):
    as_visitor(monkeypatch, "one")
    at, engine = drawn_by(lambda _: DRAWN, "gpt2")
    draw(at)
    assert "Kept: written for an earlier request" not in words(at)
    as_visitor(monkeypatch, "two")
    second = opened()
    second.button(key=f"{STEM}_draw").click().run()
    assert ballot(second).options == ["A", "B", "C", "None of them"]
    assert "Kept: written for an earlier request" in words(second)
    assert len(engine.prompts) == 3
    second.button(key=f"{STEM}_peek").click().run()
    assert words(second).count("computed before (cached)") == 3


def test_a_link_brings_the_round_back(drawn_by):
    at, engine = drawn_by(lambda _: DRAWN, "gpt2", thing="horse")
    draw(at)
    assert at.query_params[f"{STEM}_drawn"] == "1"
    again = opened(thing="horse", drawn="1")
    assert ballot(again).options == ["A", "B", "C", "None of them"]
    assert len(engine.prompts) == 3


def test_an_apple_is_asked_for_and_judged_as_an_apple(drawn_by):
    at, engine = drawn_by(lambda _: DRAWN, "gpt2", thing="apple")
    draw(at)
    assert "Which is most like an apple?" in words(at)
    assert "drawing of an apple" in engine.prompts[0][-1].content


def test_another_thing_is_another_round_and_leaves_the_link(drawn_by):
    at, engine = drawn_by(lambda _: DRAWN, "gpt2")
    draw(at)
    at.text_input(key=f"{STEM}_thing").set_value("cat").run()
    assert f"{STEM}_drawn" not in at.query_params
    assert len(engine.prompts) == 3


def test_the_page_stands_while_models_write_and_stop_frees_them(drawn_by, monkeypatch):
    gate = threading.Event()

    def slowly(_):
        gate.wait(20)
        return DRAWN

    at, _ = drawn_by(slowly, "gpt2")
    at.button(key=f"{STEM}_draw").click().run(timeout=5)
    assert "writes: 0 characters" in words(at)
    assert "waits: 1 text comes first" in words(at)  # two at a time
    at.text_area(key=f"{STEM}_svg").set_value(DRAWN).run(timeout=5)
    assert "Shapes drawn: 1" in words(at)
    button(at, "stop").click().run(timeout=5)
    assert button(at, "stop") is None
    assert f"{STEM}_drawn" not in at.query_params
    gate.set()
    finished(at)
    assert not any(key.startswith(f"{STEM}_vote_") for key in (one.key or "" for one in at.segmented_control))


def test_the_instructor_sees_how_the_class_votes_before_the_names(drawn_by, monkeypatch):
    as_visitor(monkeypatch, "student")
    at, _ = drawn_by(lambda _: DRAWN, "gpt2")
    draw(at)
    assert "Votes so far" not in words(at)
    ballot(at).set_value("B").run()
    at.button(key=f"{STEM}_cast").click().run()
    as_visitor(monkeypatch, "teacher")
    monkeypatch.setattr(blind_vote, "goes_first", lambda: True)
    teacher = opened(drawn="1")
    line = next(m.value for m in teacher.markdown if "Votes so far" in m.value)
    assert re.search(r"A: \*\*0\*\* · B: \*\*1\*\* · C: \*\*0\*\* · None of them: \*\*0\*\*. Total 1", line)
    assert "Who drew what" not in words(teacher)
    assert "seed 1" not in words(teacher)


def test_a_restart_loses_no_vote(drawn_by, monkeypatch, tmp_path):
    as_visitor(monkeypatch, "one")
    at, _ = drawn_by(lambda _: DRAWN, "gpt2")
    monkeypatch.setattr(blind_vote, "TALLY", VoteStore(tmp_path / "votes.sqlite3"))
    draw(at)
    ballot(at).set_value("A").run()
    at.button(key=f"{STEM}_cast").click().run()
    assert "1 vote on exactly these drawings, kept on this server." in words(at)
    monkeypatch.setattr(blind_vote, "TALLY", VoteStore(tmp_path / "votes.sqlite3"))
    monkeypatch.setattr(unicorn, "STUDIO", Studio())
    after = finished(opened(drawn="1"))
    assert "1 vote on exactly these drawings" in words(after)


def test_a_vote_that_cannot_be_counted_is_a_sentence(drawn_by, monkeypatch):
    at, _ = drawn_by(lambda _: DRAWN, "gpt2")
    draw(at)
    ballot(at).set_value("A").run()

    def busy(*_):
        raise BusyError("The file of votes cannot be used now. Try again in a few seconds.")

    monkeypatch.setattr(blind_vote.TALLY, "vote", busy)
    at.button(key=f"{STEM}_cast").click().run()
    assert not at.exception
    assert "cannot be used now" in words(at)
    assert "Who drew what" not in words(at)
