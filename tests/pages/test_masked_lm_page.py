import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.tables import load_table

PAGE = str(Path(__file__).parents[2] / "pages/pretraining/masked_lm.py")
pytestmark = pytest.mark.bundled


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"masked_lm_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error, *at.code))


@pytest.fixture(scope="module")
def default():
    return opened()


def test_the_default_view_compares_with_the_lecture(default):
    assert not default.exception
    assert not default.error
    assert "Mask 1 of 5" in words(default)
    assert "the lecture's answer: processing" in words(default)
    assert "minilm-mlm · rev" in words(default)


def test_a_link_restores_text_words_temperature_and_seed():
    text = "She went to the [MASK] to see the doctor."
    at = opened(text=text, asked="hospital", temperature="2.0", seed="5")
    assert not at.exception
    assert at.text_area(key="masked_lm_text").value == text
    assert at.select_slider(key="masked_lm_temperature").value == 2.0
    assert at.number_input(key="masked_lm_seed").value == 5
    assert text in words(at)
    assert "logits[position] / 2.0" in words(at)


@pytest.mark.parametrize(
    "text",
    [
        "no mask at all",
        "[MASK] " * 40,
        "<script>alert(1)</script>",
        "![x](http://example.org/x.png)",
        "a\x07b [MASK]",
        "word " * 780 + "___",
    ],
)
def test_bad_text_gets_a_sentence_and_stays(text):
    at = opened()
    at.text_area(key="masked_lm_text").set_value(text).run()
    assert not at.exception
    assert len(at.error) >= 1
    assert "Expected" in at.error[0].value
    assert at.text_area(key="masked_lm_text").value == text
    at.text_area(key="masked_lm_text").set_value("The [MASK] sat.").run()
    assert not at.error
    assert "Mask 1 of 1" in words(at)


def test_a_word_that_is_not_one_token_is_named():
    at = opened(asked="antidisestablishmentarianism")
    assert "is not one token of this model" in words(at)


def test_another_temperature_does_not_run_the_model_again():
    at = opened()
    before = [c.value for c in at.caption if "rev" in c.value]
    at.select_slider(key="masked_lm_temperature").set_value(0.5).run()
    assert [c.value for c in at.caption if "rev" in c.value] == before


def test_unknown_words_are_named():
    at = AppTest.from_file(PAGE, default_timeout=120)
    at.query_params["masked_lm_text"] = "I like [MASK] 🦄 and 🦖."
    at.run()
    assert any("does not know 🦄, 🦖" in c.value for c in at.caption)


def test_a_guess_belongs_to_its_text():
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    at.pills(key="masked_lm_guess").set_value("language").run()
    assert any("You guessed" in box.value for box in [*at.info, *at.success])
    at.text_area(key="masked_lm_text").set_value("The [MASK] was green.").run()
    assert at.pills(key="masked_lm_guess").value is None
    assert at.pills(key="masked_lm_guess").options == ["more than 50 %", "10 to 50 %", "less than 10 %"]


def test_the_verdict_is_about_the_probability_that_the_bars_show():
    at = opened(text="The [MASK] was green.")
    at.pills(key="masked_lm_guess").set_value("more than 50 %").run()

    def share():
        box = [*at.info, *at.success][0].value
        return float(re.search(r"”\s*([\d.]+) %", box)[1]), box

    (before, plain), _ = share(), at.select_slider(key="masked_lm_temperature").set_value(0.5).run()
    after, cold = share()
    assert after > before
    assert "temperature" not in plain
    assert "at temperature 0.5" in cold


def test_the_recipe_follows_the_text():
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    at.text_area(key="masked_lm_text").set_value("The [MASK] was green.").run()
    assert any(c.value.startswith("1 of 4 tokens carry loss") for c in at.caption)


def test_the_short_names_of_the_lecture_s_table_stand_for_its_rows():
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    shown = next(frame.value for frame in at.dataframe if "MNLI-m↑" in " ".join(map(str, frame.value)))
    published = load_table("roberta").frame
    for short, setting, model in zip(shown.iloc[:, 0], published["setting"], published["model"], strict=True):
        assert short.removeprefix("+ ") in {setting, model, setting.replace("pretrain ", ""), "more data"}
        assert short.startswith("+") == (setting != "Books + Wiki")
