"""The frame of a page: a guess is asked for, may be skipped, and is compared with what came."""

from streamlit.testing.v1 import AppTest


def _page():
    from lecture_core.ui import page

    page.header("masked_lm")
    page.predict("masked_lm", "Which word?", ["hospital", "bank"])
    page.reveal("masked_lm", "**Hospital**"[2:-2], "Doctors work there.")
    page.notice("One thing.", "Another.")
    page.footer("masked_lm", code="print(1)", deeper=[("BertViz", "https://github.com/jessevig/bertviz")])


def test_a_skipped_guess_reveals_nothing():
    at = AppTest.from_function(_page).run()
    assert not at.exception
    assert not at.success
    assert not at.info


def test_a_right_guess_is_said_to_be_right():
    at = AppTest.from_function(_page).run()
    at.pills(key="masked_lm_guess").select("hospital").run()
    assert "you were right" in at.success[0].value


def test_a_wrong_guess_stands_beside_the_answer():
    at = AppTest.from_function(_page).run()
    at.pills(key="masked_lm_guess").select("bank").run()
    assert "bank" in at.info[0].value
    assert "Hospital" in at.info[0].value


def test_header_code_and_links_are_shown():
    at = AppTest.from_function(_page).run()
    assert at.title[0].value == "Masked language model"
    assert at.code[0].value == "print(1)"
    assert any("[BertViz](https://github.com/jessevig/bertviz)" in m.value for m in at.markdown)
