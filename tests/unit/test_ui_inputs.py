"""Inputs keep what a visitor wrote and come back from the address."""

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core import catalog


def _text_page():
    import streamlit as st

    from lecture_core.ui import inputs

    presets = {"Doctor": "She went to the [MASK].", "Empty": ""}
    st.text(inputs.text("lab", "text", "Text", "default text", presets=presets, max_chars=60))


@pytest.fixture
def app():
    return AppTest.from_function(_text_page).run()


def test_default_text_and_no_example_chosen(app):
    assert app.text[0].value == "default text"
    assert app.pills(key="lab_text_example").value is None


def test_an_example_fills_the_text(app):
    app.pills(key="lab_text_example").select("Doctor").run()
    assert app.text[0].value == "She went to the [MASK]."
    assert app.text_area(key="lab_text").value == "She went to the [MASK]."


def test_what_was_typed_comes_back_after_an_example(app):
    app.text_area(key="lab_text").set_value("my own words").run()
    app.pills(key="lab_text_example").select("Doctor").run()
    assert app.text[0].value == "She went to the [MASK]."
    app.pills(key="lab_text_example").select("Your text").run()
    assert app.text[0].value == "my own words"
    assert not app.exception


def test_typing_and_choosing_at_once_loses_nothing(app):
    app.text_area(key="lab_text").set_value("typed just now")
    app.pills(key="lab_text_example").select("Doctor").run()
    app.pills(key="lab_text_example").select("Your text").run()
    assert app.text[0].value == "typed just now"


def test_the_chosen_example_is_marked_until_the_text_changes(app):
    app.pills(key="lab_text_example").select("Doctor").run()
    assert app.pills(key="lab_text_example").value == "Doctor"
    app.text_area(key="lab_text").set_value("changed").run()
    assert app.pills(key="lab_text_example").value == "Your text"


def test_an_emptied_text_is_an_empty_string(app):
    app.text_area(key="lab_text").set_value("").run()
    assert app.text[0].value == ""
    assert not app.exception


def test_text_comes_from_the_address():
    app = AppTest.from_function(_text_page)
    app.query_params["lab_text"] = "<b>from</b> the link"
    app.run()
    assert app.text[0].value == "<b>from</b> the link"


def test_text_from_the_address_is_cut_at_the_limit():
    app = AppTest.from_function(_text_page)
    app.query_params["lab_text"] = "x" * 100
    app.run()
    assert len(app.text[0].value) <= 60
    assert not app.exception


def _model_page():
    import streamlit as st

    from lecture_core.ui import inputs

    st.text(inputs.model("lab", "masked_lm"))
    st.text(str(inputs.seed("lab", 7)))


def _available(monkeypatch, ids):
    from lecture_core.loading import Availability
    from lecture_core.ui import inputs

    def found(spec):
        return Availability("cached", True, "") if spec.id in ids else Availability("missing", False, f"pull {spec.id}")

    monkeypatch.setattr(inputs, "availability", found)


def test_only_usable_models_can_be_chosen(monkeypatch):
    _available(monkeypatch, {"minilm-mlm", "roberta-base"})
    app = AppTest.from_function(_model_page).run()
    assert app.selectbox(key="lab_model").options == ["minilm-mlm", "roberta-base"]
    assert app.text[0].value == "minilm-mlm"
    assert any("`pull bert-base-uncased`" in text.value for text in app.markdown)


def test_model_and_seed_come_from_the_address(monkeypatch):
    _available(monkeypatch, {"minilm-mlm", "roberta-base"})
    app = AppTest.from_function(_model_page)
    app.query_params["lab_model"] = "roberta-base"
    app.query_params["lab_seed"] = "11"
    app.run()
    assert [text.value for text in app.text] == ["roberta-base", "11"]
    assert not app.warning


def test_a_link_to_a_missing_model_names_the_command(monkeypatch):
    _available(monkeypatch, {"minilm-mlm"})
    app = AppTest.from_function(_model_page)
    app.query_params["lab_model"] = "roberta-base"
    app.run()
    assert app.text[0].value == "minilm-mlm"
    assert "pull roberta-base" in app.warning[0].value


def test_an_unknown_model_in_the_address_is_ignored(monkeypatch):
    _available(monkeypatch, {"minilm-mlm"})
    app = AppTest.from_function(_model_page)
    app.query_params["lab_model"] = "<script>"
    app.run()
    assert app.text[0].value == "minilm-mlm"
    assert not app.warning
    assert not app.exception


def test_with_no_usable_model_the_first_one_is_named(monkeypatch):
    _available(monkeypatch, set())
    app = AppTest.from_function(_model_page).run()
    assert app.text[0].value == catalog.models("masked_lm")[0].id
    assert not app.exception
