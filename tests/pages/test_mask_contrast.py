from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/masked_lm.py")
pytestmark = pytest.mark.bundled


def draw_pair():
    from lecture_core.ui import mask_contrast

    mask_contrast.pair("masked_lm", "minilm-mlm")


def draw_surprise():
    from lecture_core.ui import mask_contrast

    mask_contrast.surprise("masked_lm", "The cat sat on the moon and drank its milk.", "minilm-mlm")


def draw_order():
    from lecture_core.engine import get_engine
    from lecture_core.ui import mask_filling

    result = get_engine().fill_mask("The [MASK] sat on the [MASK].", model="minilm-mlm")
    mask_filling.one_after_another("masked_lm", result, "minilm-mlm")


def draw_sub_word():
    from dataclasses import replace
    from types import SimpleNamespace

    import streamlit as st

    from lecture_core.engine import get_engine
    from lecture_core.ui import mask_filling

    real = get_engine()
    plural = real.tokenise("xqs", model="minilm-mlm").ids[-2]  # ##s
    result = real.fill_mask("The cat [MASK] sat on the [MASK].", model="minilm-mlm")
    mat = real.tokenise("mat", model="minilm-mlm").ids[1]

    def chosen(mask, token, token_id):
        return replace(mask, candidates=(replace(mask.candidates[0], token=token, token_id=token_id),))

    first, second = chosen(result.masks[0], "s", plural), chosen(result.masks[1], "mat", mat)

    def fill_mask(text, **_):
        return replace(result, masks=(first, second) if text.count("[MASK]") == 2 else (second,))

    mask_filling.get_engine = lambda: SimpleNamespace(tokenise=real.tokenise, fill_mask=fill_mask)
    try:
        st.session_state["masked_lm_in_order"] = True
        mask_filling.one_after_another("masked_lm", fill_mask(result.text), "minilm-mlm")
    finally:
        mask_filling.get_engine = get_engine


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def test_two_jobs_differ_in_their_pronouns():
    at = AppTest.from_function(draw_pair, default_timeout=120).run()
    at.pills(key="masked_lm_pair").set_value("Two jobs").run()
    assert not at.exception
    assert at.text_input(key="masked_lm_first").value == "The nurse said that [MASK] was tired."
    assert "she" in next(m.value for m in at.markdown if m.value.startswith("**More in the first"))
    assert "stereotypes" in words(at)


@pytest.mark.parametrize(
    "text", ["[MASK] " + "word " * 100, "", "no mask", "[MASK] [MASK]", "\x07 [MASK]", "<script>[MASK]</script>"]
)
def test_a_sentence_without_its_one_mask_is_named(text):
    at = AppTest.from_function(draw_pair, default_timeout=120).run()
    at.text_input(key="masked_lm_first").set_value(text).run()
    assert not at.exception
    assert len(at.error) == (0 if text.startswith("<") else 1)


def test_surprise_adds_up_and_says_what_it_is_not():
    at = AppTest.from_function(draw_surprise, default_timeout=120).run()
    assert not at.exception
    assert "no probability of the sentence" in words(at)


def test_filling_left_to_right_shows_both_ways():
    at = AppTest.from_function(draw_order, default_timeout=120).run()
    assert not at.dataframe
    at.toggle(key="masked_lm_in_order").set_value(True).run()
    assert list(at.dataframe[0].value.columns) == ["Mask", "All at once", "Left to right"]
    assert len(at.dataframe[0].value) == 2
    assert any(c.value.startswith("minilm-mlm · rev") for c in at.caption)


def test_another_model_answers_at_the_same_mask():
    at = AppTest.from_file(PAGE, default_timeout=120)
    at.query_params["masked_lm_beside"] = "minilm-electra-generator"
    at.run()
    assert not at.exception
    assert not at.error
    assert "**minilm-electra-generator**" in [m.value for m in at.markdown]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\N{GRINNING FACE}", "Expected at least one word that this model knows"),
        ("[MASK] [MASK]", "Expected a text without masks"),
        ("", "Expected some text"),
        ("word " * 100, "Expected at most 400 characters; got 500"),
    ],
)
def test_a_text_without_words_to_score_gets_a_clear_sentence(text, expected):
    at = AppTest.from_function(draw_surprise, default_timeout=120).run()
    at.text_input(key="masked_lm_whole").set_value(text).run()
    assert not at.exception
    assert [expected in error.value for error in at.error] == [True]


def test_unknown_tokens_are_counted_and_left_out():
    at = AppTest.from_function(draw_surprise, default_timeout=120).run()
    assert "unknown" not in words(at)
    at.text_input(key="masked_lm_whole").set_value("The \N{GRINNING FACE} cat \N{PILE OF POO} sat.").run()
    assert not at.error
    assert "2 tokens are unknown to this model and left out." in words(at)


def test_a_sub_word_joins_the_word_before_it():
    at = AppTest.from_function(draw_sub_word, default_timeout=120).run()
    assert at.code[0].value == "All at once: The cats sat on the mat.\n\nLeft to right: The cats sat on the mat."
