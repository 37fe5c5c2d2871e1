from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/text_to_text.py")
STEM = "text_to_text"
pytestmark = pytest.mark.bundled


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error, *at.code))


def test_the_default_view_writes_a_plural_and_fills_spans():
    at = opened()
    assert not at.exception
    assert not at.error
    assert "knives" in [code.value for code in at.code]
    assert "She went to the <extra_id_0> to see the doctor <extra_id_1> given some medicine." in words(at)
    assert list(at.dataframe[0].value["Sentinel"]) == ["<extra_id_0>", "<extra_id_1>"]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("date: 2014-06-01", "June 1, 2014"),
        ("digits: four hundred twelve", "412"),
        ("reverse: window", "wodniw"),
    ],
)
def test_a_link_restores_the_task(text, output):
    assert output in [code.value for code in opened(text=text).code]


def test_only_the_prefix_says_which_task_is_meant():
    outputs = {opened(text=f"{prefix}: window").code[0].value for prefix in ("plural", "reverse", "sort")}
    assert len(outputs) == 3


@pytest.mark.parametrize("text", ["", "\x07", "word " * 600])
def test_what_cannot_be_read_is_a_sentence_and_the_page_goes_on(text):
    at = opened()
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    assert not at.exception
    assert len(at.error) == 1
    assert at.expander[-1].label == "Code that reproduces this"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "![i](http://x/y.png)", "😀", "plural:", "שלום"])
def test_strange_text_gives_an_output(text):
    at = opened()
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    assert not at.exception
    assert not at.error


def test_sizes_are_computed_from_the_parameters():
    frame = opened().dataframe[1].value
    assert frame["float32"].iloc[-1] == "44.00 GB"
    assert frame["bfloat16"].iloc[0] == "0.12 GB"
