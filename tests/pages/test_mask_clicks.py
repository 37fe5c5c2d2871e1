"""What a click on the strip of the masked LM does, and what the address and the code drawer keep of it."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest
from transformers import AutoTokenizer

from lecture_core import catalog, loading
from lecture_core.engine import get_engine
from lecture_core.ui import results
from tests.tiny.models import write_encoder

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/masked_lm.py")
BUNDLED = Path(__file__).parents[2] / "assets" / "models"
DOCTOR = "She went to the [MASK] to see the doctor."
pytestmark = pytest.mark.bundled


@pytest.fixture
def strips(monkeypatch):
    """What is drawn in each strip, and its `on_click`."""
    drawn, real = {}, results.token_strip

    def kept(key, tokens, **settings):
        drawn[key] = [token.text for token in tokens], settings.get("on_click")
        real(key, tokens, **settings)

    monkeypatch.setattr(results, "token_strip", kept)
    return drawn


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"masked_lm_{name}": value for name, value in query.items()})
    return at.run()


def click(at, strips, token, nth=0):
    """Click a chip: its callback writes into the state of this session before the next run."""
    tokens, on_click = strips["masked_lm_strip"]
    index = [i for i, text in enumerate(tokens) if text == token][nth]
    with patch("streamlit.session_state", at.session_state):
        on_click(index)
    return at.run()


def text(at):
    return at.text_area(key="masked_lm_text").value


def masks(at):
    return next(m.value for m in at.markdown if m.value.startswith("**Mask"))


def test_a_second_click_puts_the_hidden_word_back(strips):
    at = opened(text=DOCTOR)
    click(at, strips, "doctor")
    assert text(at) == "She went to the [MASK] to see the [MASK]."
    assert masks(at).startswith("**Mask 1 of 2**")
    click(at, strips, "[MASK]", 1)
    assert masks(at).startswith("**Mask 2 of 2**")
    click(at, strips, "[MASK]", 1)
    assert text(at) == DOCTOR


def test_the_lecture_s_answer_comes_back_also_after_another_word_was_hidden(strips):
    at = opened(mask="4")
    click(at, strips, "computers")
    assert masks(at).startswith("**Mask 4 of 6**")
    click(at, strips, "[MASK]", 3)
    assert text(at).endswith("the interactions between [MASK] and human [MASK] ...")
    click(at, strips, "[MASK]", 3)
    assert text(at).endswith("the interactions between computers and human [MASK] ...")


def test_a_mask_of_an_unknown_word_takes_the_first_choice(strips):
    at = opened(text="The ____ barked at the mailman.")
    click(at, strips, "[MASK]")
    assert text(at).startswith("The ")
    assert text(at).endswith(" barked at the mailman.")
    assert "MASK" not in text(at)
    assert len(at.error) == 1
    click(at, strips, "mailman" if "mailman" in strips["masked_lm_strip"][0] else "at")
    assert not at.error
    assert masks(at) == "**Mask 1 of 1**"


def test_the_address_keeps_the_selected_mask_and_the_view(strips):
    at = opened(mask="3", view="Surprise of every token")
    assert not at.exception
    assert masks(at).startswith("**Mask 3 of 5**")
    assert at.text_input(key="masked_lm_whole")
    assert not at.slider
    click(at, strips, "[MASK]", 1)
    assert at.query_params["masked_lm_mask"] == "2"
    click(at, strips, "[MASK]", 0)
    assert "masked_lm_mask" not in at.query_params


def test_a_link_restores_the_hidden_words_and_the_selected_mask(strips):
    first = opened(mask="4")
    click(first, strips, "computers")
    query = {name.removeprefix("masked_lm_"): value for name, value in first.query_params.items()}
    assert query["hidden"] == "processing interdisciplinary intelligence between computers language"
    again = opened(**query | {"text": text(first)})
    assert text(again) == text(first)
    assert masks(again).startswith("**Mask 4 of 6**")
    assert "computers" in strips["masked_lm_recipe"][0], "the recipe reads the complete sentence"
    click(again, strips, "[MASK]", 4)
    click(again, strips, "[MASK]", 4)
    assert text(again).endswith("the interactions [MASK] computers and human [MASK] ...")


def test_words_behind_masks_that_are_gone_leave_the_address(strips):
    at = opened(text=DOCTOR)
    click(at, strips, "doctor")
    assert at.query_params["masked_lm_hidden"] == "[MASK] doctor"
    at.text_area(key="masked_lm_text").set_value("The [MASK] barked at the [MASK].").run()
    assert "masked_lm_hidden" not in at.query_params


@pytest.mark.parametrize("hidden", ["", "one", "a b c d e f", "x" * 6000, "[MASK] [MASK] [MASK] [MASK] [MASK]", "\x07"])
def test_strange_hidden_words_in_the_address_do_no_harm(hidden):
    at = opened(hidden=hidden)
    assert not at.exception
    assert not at.error
    assert masks(at).startswith("**Mask 1 of 5** · the lecture's answer: processing")
    assert "masked_lm_hidden" not in at.query_params


@pytest.mark.parametrize("mask", ["99", "0", "-1", "x", "9" * 6000, "\u00b2"])
def test_a_strange_mask_in_the_address_does_no_harm(mask):
    assert not opened(mask=mask).exception


@pytest.fixture
def other_mask(tmp_path, monkeypatch):
    """A model that writes its mask as <mask>."""
    for model in BUNDLED.iterdir():
        (tmp_path / model.name).symlink_to(model)
    folder = tmp_path / "tiny-other"
    write_encoder(folder, "masked_lm")
    for file in folder.glob("*.json"):
        file.write_text(file.read_text().replace("[MASK]", "<mask>"))
    row = replace(
        catalog.get("minilm-mlm"), id="tiny-other", title="other", source="bundled:tiny-other", context_length=64
    )
    rows = catalog._rows() | {row.id: row}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    monkeypatch.setattr(loading, "BUNDLED", tmp_path)
    return folder


@pytest.mark.parametrize("written", ["the [MASK] sat", "the ____ sat", "the <mask> sat"])
def test_the_code_has_the_mask_of_the_model(other_mask, strips, written):
    at = opened(model="tiny-other", text=written)
    assert not at.exception
    assert "'the <mask> sat'" in at.code[-1].value
    tokenizer = AutoTokenizer.from_pretrained(other_mask)
    assert tokenizer.mask_token_id in tokenizer("the <mask> sat").input_ids
    click(at, strips, "sat")
    assert text(at) == "the [MASK] [MASK]"
    assert "'the <mask> <mask>'" in at.code[-1].value


def test_filling_in_order_works_with_another_mask(other_mask):
    at = opened(model="tiny-other", text="the [MASK] sat on ___", in_order="true")
    assert not at.exception
    assert not at.error
    shown = next(c.value for c in at.code if c.value.startswith("All at once"))
    assert "mask" not in shown.lower()


def test_the_code_goes_with_the_text_inside_the_fragment():
    at = opened()
    at.text_area(key="masked_lm_text").set_value(DOCTOR).run()
    assert DOCTOR in at.code[-1].value
    at.text_area(key="masked_lm_text").set_value("no mask").run()
    assert at.code[-1].value == "# The code comes with a result."


def test_the_recipe_reads_the_lecture_s_sentence_complete(strips):
    at = opened(share="0.4", seed="7")
    assert "masked_lm_recipe" in strips
    whole = text(at)
    for word in ("processing", "interdisciplinary", "intelligence", "between", "language"):
        whole = whole.replace("[MASK]", word, 1)
    assert len(strips["masked_lm_recipe"][0]) == len(get_engine().tokenise(whole, model="minilm-mlm").tokens)
    assert any(c.value == "minilm-mlm · CPU · seed 7" for c in at.caption)
    shares = next(frame.value for frame in at.dataframe if "Hidden" in frame.value)
    assert list(shares["Hidden"]) == ["15 %", "40 %", "80 %"]
    assert shares["Tokens that teach"].is_monotonic_increasing


@pytest.mark.parametrize("written", ["[MASK]", "word " * 780 + "___", "", "no mask at all"])
def test_one_mistake_gets_one_sentence(written):
    at = opened()
    at.text_area(key="masked_lm_text").set_value(written).run()
    assert not at.exception
    assert len(at.error) == (0 if written == "[MASK]" else 1)


def test_another_model_stands_beside_with_the_visitor_s_words():
    at = opened(text=DOCTOR, asked="antidisestablishmentarianism", beside="minilm-electra-generator")
    assert not at.exception
    assert sum("is not one token of this model" in c.value for c in at.caption) == 2
    assert any(c.value.startswith("minilm-electra-generator · rev") for c in at.caption)
    assert len(at.columns) >= 6
