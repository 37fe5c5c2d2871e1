"""The instructor's key opens the lane, leaves the address bar, and is worth nothing where the operator set none."""

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.ui import instructor


def script():
    import streamlit as st

    from lecture_core.engine import waiting
    from lecture_core.ui import instructor

    instructor.install()
    instructor.badge()
    st.write("first" if waiting.goes_first() else "in line")


@pytest.fixture(autouse=True)
def nobody_after_the_test(monkeypatch):
    from lecture_core.engine import waiting

    monkeypatch.setattr(waiting, "_goes_first", [waiting._nobody])


def opened(monkeypatch, server_key, given):
    if server_key is None:
        monkeypatch.delenv("LECTURE_INSTRUCTOR_KEY", raising=False)
    else:
        monkeypatch.setenv("LECTURE_INSTRUCTOR_KEY", server_key)
    at = AppTest.from_function(script)
    if given is not None:
        at.query_params["instructor"] = given
    at.run()
    assert not at.exception
    assert "instructor" not in at.query_params
    return at


def test_the_right_key_opens_the_lane_and_stays_open(monkeypatch):
    at = opened(monkeypatch, "a key", "a key")
    assert at.markdown[0].value == "first"
    assert "go first" in at.caption[0].value
    assert at.run().markdown[0].value == "first"


@pytest.mark.parametrize(
    ("server_key", "given"), [("a key", "another"), ("a key", "ключ"), (None, ""), ("", ""), (None, "x")]
)
def test_no_other_key_does(monkeypatch, server_key, given):
    at = opened(monkeypatch, server_key, given)
    assert at.markdown[0].value == "in line"
    assert "not the one" in at.caption[0].value


def test_students_see_nothing_of_it(monkeypatch):
    at = opened(monkeypatch, "a key", None)
    assert at.markdown[0].value == "in line"
    assert not at.caption


def test_threads_without_a_visitor_wait_in_line():
    assert not instructor._goes_first()
