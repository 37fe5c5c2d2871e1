from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/three_objectives.py")
STEM = "three_objectives"
pytestmark = [pytest.mark.bundled, pytest.mark.usefixtures("tiny_t5")]


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error, *at.code))


def test_the_default_view_shows_three_inputs_and_targets():
    at = opened()
    assert not at.exception
    assert not at.error
    shown = words(at)
    assert "Thank you [MASK] [MASK] me to your party [MASK] week." in shown
    assert "Thank you <extra_id_0> me to your party <extra_id_1> week." in shown
    assert "<extra_id_0> for inviting <extra_id_1> last <extra_id_2>" in shown
    assert shown.count("positions carry loss") == 3
    assert "10 of 10 positions carry loss" in shown
    assert "3 of 11 positions carry loss" in shown  # [CLS] and [SEP] are left out
    assert "of the target, sentinels and end with it); it holds" in shown
    assert "does not know" not in shown


def test_a_link_restores_the_sentence():
    at = opened(text="The [cat] sat.")
    assert at.text_area(key=f"{STEM}_text").value == "The [cat] sat."
    assert "The [MASK] sat." in words(at)


def test_with_nothing_hidden_the_decoder_still_learns():
    at = opened(text="The cat sat on the mat.")
    assert not at.exception
    assert len(at.error) == 2
    assert words(at).count("positions carry loss") == 1


@pytest.mark.parametrize("text", ["", "a [b", "a [MASK] b", "word " * 70, "\x07"])
def test_what_cannot_be_read_is_a_sentence_and_the_page_goes_on(text):
    at = opened()
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    assert not at.exception
    assert len(at.error) == 1
    assert at.expander[-1].label == "Code that reproduces this"


def test_a_long_paste_is_answered_and_not_dropped():
    at = opened()
    assert at.text_area(key=f"{STEM}_text").max_chars in (None, 0)
    at.text_area(key=f"{STEM}_text").set_value("w" * 700).run()
    assert "Expected at most 600 characters; got 700" in words(at)


@pytest.mark.parametrize("text", ["The [cat sat on] the mat [and] looked at [the dog].", "[The cat sat on the mat]"])
def test_the_reveal_is_counted_from_the_three_panels(text):
    at = opened(text=text)
    at.pills(key=f"{STEM}_guess").set_value("masked LM").run()
    counted = [int(m.value[2:].split()[0]) for m in at.markdown if "positions carry loss" in m.value]
    said = at.info[0].value
    assert "masked LM {}, autoregressive {}, T5 {}".format(*counted) in said
    assert ("a tie" in said) == (counted.count(max(counted)) > 1)


def test_words_outside_the_vocabulary_are_named():
    shown = words(opened(text="The cat likes [数据]."))
    assert "This vocabulary does not know" in shown


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> [x]", "![i](http://x/y.png) [z]", "שלום [עולם]", "[😀] cat"]
)
def test_strange_text_is_shown_as_text(text):
    at = opened()
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    assert not at.exception
    assert "<script>" not in " ".join(m.value for m in at.markdown)
