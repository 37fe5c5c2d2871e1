"""A visitor's mistake is shown letter by letter; everything else surfaces."""

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.ui.errors import escape_markdown

HOSTILE = [
    "![x](https://evil.example/a.png)",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "`code` **bold** _it_ ~~no~~ $x^2$ :smile: :red[x] :material/home:",
    "www.evil.example and a@b.example",
    "a | b",
    "# title",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_escaping_leaves_no_bare_markup(text):
    escaped = escape_markdown(text)
    for sign in "`*_[]<>$~|#":
        assert sign not in escaped.replace(f"\\{sign}", "")
    assert "://" not in escaped
    assert ":smile" not in escaped
    assert "www." not in escaped


@pytest.mark.parametrize("text", HOSTILE)
def test_escaping_keeps_every_letter(text):
    shown = escape_markdown(text).replace("\u2060", "").replace("\\", "")
    assert shown == text


@pytest.mark.parametrize("text", ["- item", "1. item", "+ item", "\n\n    code", "===="])
def test_escaping_starts_no_block(text):
    assert escape_markdown(text)[0] in "\\1c"
    assert "\n" not in escape_markdown(text)
    assert not escape_markdown(text).startswith("1.")


def _page():
    import streamlit as st

    from lecture_core.errors import InvalidInputError
    from lecture_core.ui.errors import user_errors

    what = st.session_state.get("what")
    with user_errors():
        if what == "lecture":
            raise InvalidInputError(expected="a mask", got="none", remedy="add one")
        if what == "bug":
            raise KeyError("a bug")
        if what == "stop":
            st.stop()
        st.text("result")
    st.text("rest of the page")


def _run(what):
    at = AppTest.from_function(_page)
    at.session_state["what"] = what
    return at.run()


def test_a_lecture_error_is_shown_and_the_page_goes_on():
    at = _run("lecture")
    assert [e.value for e in at.error] == ["Expected a mask; got none. Add one."]
    assert [t.value for t in at.text] == ["rest of the page"]


def test_a_bug_surfaces():
    at = _run("bug")
    assert len(at.exception) == 1
    assert not at.error


def test_streamlits_own_control_flow_passes_through():
    at = _run("stop")
    assert not at.exception
    assert not at.error
    assert not at.text


def test_a_number_at_the_start_is_no_list_and_shows_no_backslash():
    assert escape_markdown("0.15") == "0\\.15"  # Markdown shows a backslash before a digit, none before a dot
    assert escape_markdown("2) second") == "2\\) second"
