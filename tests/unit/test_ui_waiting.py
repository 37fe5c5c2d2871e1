import threading

from streamlit.testing.v1 import AppTest

from lecture_core.engine.waiting import Waiting
from lecture_core.ui import waiting


def test_the_sentence_says_how_many_and_how_long():
    assert waiting.words(Waiting(1, 0.2)) == "One request comes before yours; about 1 s."
    assert waiting.words(Waiting(12, 7.6)) == "12 requests come before yours; about 8 s."
    assert waiting.words(Waiting(2, 0.0)) == "2 requests come before yours."


def page(seconds):
    def script(seconds):
        from lecture_core.engine.waiting import Waiting
        from lecture_core.ui import waiting

        waiting.show(Waiting(4, seconds))
        waiting.show(Waiting(3, seconds))

    return AppTest.from_function(script, args=(seconds,)).run()


def test_a_long_wait_is_shown_once_at_a_time():
    at = page(6.0)
    assert not at.exception
    assert [toast.value for toast in at.toast] == ["4 requests come before yours; about 6 s."]


def test_a_wait_of_unknown_length_is_shown_without_one():
    assert [toast.value for toast in page(0.0).toast] == ["4 requests come before yours."]


def test_a_short_wait_is_not_shown():
    assert not page(0.4).toast


def test_a_thread_without_a_visitor_draws_nothing():
    thread = threading.Thread(target=waiting.show, args=[Waiting(3, 9.0)])
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_a_wait_of_a_fragment_does_not_touch_the_toast_of_the_whole_page():
    def script():
        import streamlit as st

        from lecture_core.engine.waiting import Waiting
        from lecture_core.ui import waiting

        @st.fragment
        def part():
            if st.button("again"):
                waiting.show(Waiting(2, 6.0))

        waiting._EVERY = 0
        waiting.show(Waiting(4, 8.0))
        part()

    at = AppTest.from_function(script).run()
    at.button[0].click().run()
    assert not at.exception
