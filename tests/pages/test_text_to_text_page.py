from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core import catalog

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/text_to_text.py")
STEM = "text_to_text"
pytestmark = [pytest.mark.bundled, pytest.mark.usefixtures("tiny_t5")]


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error, *at.code))


def test_the_default_view_answers_and_fills_spans():
    at = opened()
    assert not at.exception
    assert not at.error
    assert "The model writes" in words(at)
    assert "She went to the <extra_id_0> to see the doctor <extra_id_1> given some medicine." in words(at)
    assert list(at.dataframe[0].value["Sentinel"]) == ["<extra_id_0>", "<extra_id_1>"]


def test_a_link_restores_the_text():
    assert opened(text="plural: cat").text_area(key=f"{STEM}_text").value == "plural: cat"


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


def test_sizes_are_computed_from_the_shapes():
    at = opened()
    frame = at.dataframe[1].value
    assert frame["Size"].iloc[0] == "60.5M"
    assert frame["float32"].iloc[-1] == "45.23 GB"
    assert frame["bfloat16"].iloc[0] == "0.12 GB"
    assert "our allowance, not a measurement" in words(at)


def test_spans_with_nothing_hidden_are_named_before_the_model_is_asked():
    at = opened(spans="She went to the hospital.")
    assert "Expected at least one hidden word" in words(at)
    assert "Step 1" in words(at)
    assert "Step 3" not in words(at)


def test_the_steps_are_numbered():
    shown = words(opened())
    assert shown.index("Step 1") < shown.index("Step 2") < shown.index("Step 3")


def test_long_spans_are_answered_and_not_dropped():
    at = opened()
    at.text_area(key=f"{STEM}_spans").set_value("w" * 601).run()
    assert "Expected at most 600 characters; got 601" in words(at)


def test_the_slide_s_tasks_are_offered_for_a_model_beside_ours():
    alone = opened(model="t5-nano").pills(key=f"{STEM}_text_example").options
    assert "Plural" in alone
    assert "Translate" not in alone
    both = opened(model="t5-nano", beside="tiny-t5").pills(key=f"{STEM}_text_example").options
    assert {"Plural", "Translate", "Acceptable?", "Similar?", "Summarize"} <= set(both)


def test_without_a_model_the_page_names_the_command_and_shows_the_strings(monkeypatch):
    rows = {i: spec for i, spec in catalog._rows().items() if i != "tiny-t5"}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    at = opened()
    assert not at.exception
    assert "catalog pull" in words(at)
    assert "She went to the <extra_id_0> to see the doctor <extra_id_1> given some medicine." in words(at)
