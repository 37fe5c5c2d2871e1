"""The page on next tokens: the default teaches without a click, sliders ask no model, every view bears any text."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.engine import get_engine
from lecture_core.surprise import surprise

PAGE = str(Path(__file__).parents[2] / "pages/prompting/next_token.py")
STEM = "next_token"
pytestmark = pytest.mark.bundled


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error, *at.info))


def written(at):
    return at.session_state[f"{STEM}_written"]


def test_the_default_view_shows_the_distribution():
    at = opened()
    assert not at.exception
    assert not at.error
    assert "**Nothing is cut.** 200 tokens are stored" in words(at)
    assert "equally likely tokens" in words(at)
    assert at.button(key=f"{STEM}_undo").disabled


def test_sliders_are_answered_from_stored_logits(monkeypatch):
    at = opened()
    calls = []
    monkeypatch.setattr(type(get_engine()), "next_token", lambda *a, **k: calls.append(a))
    at.select_slider(key=f"{STEM}_top_k").set_value(3).run()
    at.select_slider(key=f"{STEM}_temperature").set_value(0.5).run()
    assert "**3 tokens stay.**" in words(at)
    at.select_slider(key=f"{STEM}_top_k").set_value(1).run()
    assert "**1 token stays.**" in words(at)
    assert not at.exception
    assert calls == []


def test_a_text_grows_token_by_token_and_undo_takes_the_last_back():
    at = opened()
    at.button(key=f"{STEM}_first").click().run()
    assert written(at) == " eyes"
    assert at.query_params[f"{STEM}_written"] == " eyes"
    at.button(key=f"{STEM}_sample").click().run()
    drawn = written(at)
    assert drawn.startswith(" eyes")
    assert len(drawn) > len(" eyes")
    assert "Probability of the whole path" in words(at)
    at.button(key=f"{STEM}_undo").click().run()
    assert written(at) == " eyes"
    at.button(key=f"{STEM}_sample").click().run()
    assert written(at) == drawn
    at.button(key=f"{STEM}_anew").click().run()
    assert written(at) == ""
    assert not at.exception


def test_without_another_model_none_is_offered():
    at = opened()
    assert f"{STEM}_beside" not in [box.key for box in at.selectbox]


@pytest.mark.parametrize("view", ["Next token", "Surprise", "Let it write"])
def test_another_model_stands_beside_the_first_once_it_is_chosen(tiny_causals, view):
    text = "the cat sat on the"
    asked = {"model": "tiny-small", "text": text, "passage": text, "length": "20"}
    at = opened(view=view, **asked)
    assert not at.exception
    assert "tiny-large ·" not in words(at)
    at.selectbox(key=f"{STEM}_beside").set_value("tiny-large").run()
    assert not at.exception
    assert not at.error
    captions = [c.value for c in at.caption]
    assert sum(c.startswith("tiny-small ·") for c in captions) == 1
    assert sum(c.startswith("tiny-large ·") for c in captions) == 1
    linked = opened(view=view, beside="tiny-large", **asked)
    assert sum(c.value.startswith("tiny-large ·") for c in linked.caption) == 1


def test_two_models_measure_their_own_bits(tiny_causals):
    at = opened(view="Surprise", model="tiny-small", beside="tiny-large", passage="the cat sat on the mat")
    bits = [m.value for m in at.metric if m.label == "In all"]
    for model, shown in zip(("tiny-small", "tiny-large"), bits, strict=True):
        found = get_engine().token_logprobs("the cat sat on the mat", model=model)
        assert shown == f"{surprise(found).total:.1f} bits"
    assert bits[0] != bits[1]


def test_two_models_write_from_the_same_seeds(tiny_causals):
    at = opened(
        view="Let it write", model="tiny-small", beside="tiny-large", text="the cat", length="20", write_seed="5"
    )
    samples = at.session_state[f"{STEM}_samples_race"].outcomes
    assert list(samples) == [f"{model} {seed}" for model in ("tiny-small", "tiny-large") for seed in (5, 6, 7)]
    assert {name.split()[0]: sample.provenance.model for name, sample in samples.items()} == {
        "tiny-small": "tiny-small",
        "tiny-large": "tiny-large",
    }
    assert samples["tiny-small 5"].text != samples["tiny-large 5"].text


def test_a_link_restores_text_path_settings_and_view():
    at = opened(text="The capital of France is", written=" Paris", temperature="0.5", top_k="5", view="Tree")
    assert at.text_area(key=f"{STEM}_text").value == "The capital of France is"
    assert written(at) == " Paris"
    assert "After “The capital of France is Paris”" in words(at)
    assert "10 forward passes" in words(at)
    assert not at.exception
    code = at.code[-1].value
    assert repr("The capital of France is Paris") in code


def test_the_code_follows_the_sliders():
    at = opened()
    at.select_slider(key=f"{STEM}_top_k").set_value(3).run()
    at.select_slider(key=f"{STEM}_temperature").set_value(2.0).run()
    assert "probabilities[3:] = 0" in at.code[-1].value
    assert "(logits / 2.0)" in at.code[-1].value


def test_another_prompt_starts_a_new_path():
    at = opened(written=" eyes")
    assert "Your path" in words(at)
    at.text_area(key=f"{STEM}_text").set_value("Once upon a").run()
    assert written(at) == ""
    assert not at.exception


def test_a_passage_is_measured_in_bits():
    at = opened(view="Surprise")
    assert [m.label for m in at.metric] == ["In all", "A token", "Perplexity"]
    assert "Most surprising: **" in words(at)
    at.text_area(key=f"{STEM}_passage").set_value("Hello").run()
    assert len(at.error) == 1
    assert "two tokens" in at.error[0].value
    assert not at.exception


def test_three_samples_are_written_side_by_side():
    at = opened(view="Let it write", length="20")
    assert not at.exception
    assert not at.error
    samples = at.session_state[f"{STEM}_samples_race"].outcomes
    assert list(samples) == [f"smollm2-135m-instruct {seed}" for seed in range(3)]
    assert len({sample.text for sample in samples.values()}) == 3


def test_the_generations_stand_with_their_source():
    at = opened(view="GPT to GPT-3")
    assert not at.exception
    assert "**GPT-3: eight sizes**" in words(at)
    assert "Radford et al. 2018" in words(at)


@pytest.mark.parametrize("view", ["Next token", "Tree"])
def test_what_is_too_long_is_said_and_stays_in_the_box(view):
    at = opened(view=view)
    at.text_area(key=f"{STEM}_text").set_value("word " * 500).run()
    assert not at.exception
    assert "at most 2,000 characters; got 2,500" in at.error[0].value
    assert at.text_area(key=f"{STEM}_text").value == "word " * 500


@pytest.mark.parametrize("view", ["Next token", "Tree", "Let it write"])
@pytest.mark.parametrize("text", ["", "   ", "\x07"])
def test_what_cannot_be_read_is_a_sentence_and_the_page_goes_on(text, view):
    at = opened(view=view)
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    assert not at.exception
    assert len(at.error) == 1
    assert at.expander[-1].label == "Code that reproduces this"


@pytest.mark.parametrize("view", ["Next token", "Tree"])
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "![i](http://x/y.png)", "שלום", "I like 😀", "a "])
def test_strange_text_is_shown_as_text(text, view):
    at = opened(view=view)
    at.text_area(key=f"{STEM}_text").set_value(text).run()
    assert not at.exception
    assert not at.error
    assert "<script>" not in words(at)
    assert "![i]" not in words(at)
    at = opened(view="Surprise", passage=text)
    assert not at.exception


def test_a_branch_of_the_tree_is_appended_and_the_tree_grows_on():
    at = opened(view="Tree", levels="2")
    at.selectbox(key=f"{STEM}_branch_0").select_index(1).run()
    at.button(key=f"{STEM}_take").click().run()
    assert not at.exception
    taken = written(at)
    assert taken.startswith(" ")
    assert f"After “The students opened their{taken}”" in words(at)
    assert repr(f"The students opened their{taken}") in at.code[-1].value
    at.button(key=f"{STEM}_anew").click().run()
    assert written(at) == ""


def test_the_guess_is_about_a_temperature_that_is_not_on_the_screen():
    at = opened()
    at.pills(key=f"{STEM}_guess").select("more than twice").run()
    assert not at.exception
    assert "You guessed **more than twice**, and you were right." in at.success[0].value
