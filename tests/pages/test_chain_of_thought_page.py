from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

PAGE = str(Path(__file__).parents[2] / "pages/prompting/chain_of_thought.py")
pytestmark = pytest.mark.bundled


@pytest.fixture(scope="module")
def default():
    return AppTest.from_file(PAGE, default_timeout=180).run()


def boxes(at):
    return [element.proto.body for element in at.get("html") if "<pre" in element.proto.body]


def test_default_view_answers_three_ways_and_judges_each(default):
    assert not default.exception
    assert not default.error
    assert len(boxes(default)) == 3
    assert all("✓ right" in box or "✗ wrong" in box for box in boxes(default))
    assert "Therefore, the answer (arabic numerals) is" in boxes(default)[2]


def test_a_rerun_asks_no_model_again(default):
    before = boxes(default)
    default.run()
    assert boxes(default) == before


def test_prompts_are_shown_exactly(default):
    prompts = [code.value for code in default.code]
    assert any(p.endswith("A: Let's think step by step.") for p in prompts)
    assert any(p.endswith("A: The answer is") for p in prompts)


def test_published_chart_follows_its_choices(default):
    default.selectbox(key="chain_of_thought_family").select("LaMDA").run()
    assert not default.exception
    assert "LaMDA on GSM8K" in default.get("plotly_chart")[0].proto.spec


def test_an_own_question_has_no_verdict_until_an_answer_is_typed():
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params["chain_of_thought_question"] = "Ida has 2 cats and 3 dogs. How many pets does she have?"
    at.query_params["chain_of_thought_k"] = "1"
    at.run()
    assert not at.exception
    assert not any("✓" in box or "✗" in box for box in boxes(at))
    at.text_input(key="chain_of_thought_truth").set_value("5").run()
    assert all("✓ right" in box or "✗ wrong" in box for box in boxes(at))


@pytest.mark.parametrize("question", ["   ", "a\x07b"])
def test_unusable_questions_get_one_sentence(question):
    at = AppTest.from_file(PAGE, default_timeout=180).run()
    at.text_area(key="chain_of_thought_question").set_value(question).run()
    assert not at.exception
    assert len(at.error) == 1


def test_rates_of_an_earlier_version_are_left_out_and_it_is_said(monkeypatch):
    monkeypatch.setattr("lecture_core.recorded_runs.fingerprint_now", lambda rate: "changed")
    at = AppTest.from_file(PAGE, default_timeout=180).run()
    assert not at.exception
    assert "Recorded with an earlier version of the task" in " ".join(caption.value for caption in at.caption)


def test_a_question_without_room_is_told_once():
    at = AppTest.from_file(PAGE, default_timeout=120)
    at.query_params["chain_of_thought_question"] = "a " * 3950
    at.run()
    assert len(at.error) == 1
    assert "tokens" in at.error[0].value
