import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.tasks import load_task
from lecture_core.ui import few_shot_questions

PAGE = str(Path(__file__).parents[2] / "pages/prompting/few_shot.py")
pytestmark = pytest.mark.bundled


@pytest.fixture(scope="module")
def default():
    return AppTest.from_file(PAGE, default_timeout=180).run()


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=180)
    at.query_params.update({f"few_shot_{name}": value for name, value in query.items()})
    return at.run()


def html(at):
    return " ".join(element.proto.body for element in at.get("html"))


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def test_default_view_completes_the_slide(default):
    assert not default.exception
    assert any(code.value.endswith("Input: 2005-07-23\nOutput:") for code in default.code)
    assert "!07!23!2005!</mark>" in html(default)
    assert "✓ right" in html(default)


def test_the_answer_without_exemplars_waits_for_the_guess():
    at = opened()
    assert html(at).count("<pre") == 1
    at.pills(key="few_shot_guess").select("No").run()
    assert html(at).count("<pre") == 2
    assert "You guessed **No**" in " ".join(box.value for box in (*at.success, *at.info))
    at.slider(key="few_shot_k").set_value(4).run()
    assert html(at).count("<pre") == 1
    assert at.pills(key="few_shot_guess").value is None


def test_the_chart_does_not_answer_the_guess_before_it_is_made():
    at = opened()
    spec = at.get("plotly_chart")[0].proto.spec
    assert "k = 1:" in spec
    assert "k = 0:" not in spec
    at.pills(key="few_shot_guess").select("No").run()
    assert "k = 0:" in at.get("plotly_chart")[0].proto.spec


def test_how_an_answer_is_counted_is_said_for_labels_and_for_text(default):
    assert "writes greedily" in words(default)
    at = opened(task=load_task("sentiment").title)
    assert "highest log-probability" in words(at)


def test_one_click_shows_every_answer_from_now_on_and_the_link_keeps_it():
    at = opened()
    at.button(key="few_shot_show").click().run()
    assert html(at).count("<pre") == 2
    at.slider(key="few_shot_k").set_value(4).run()
    assert html(at).count("<pre") == 2
    assert at.query_params["few_shot_shown"] == "1"
    assert html(opened(shown="1")).count("<pre") == 2


@pytest.mark.parametrize(("task", "k"), [("date_format", "32"), ("drop_reading", "3"), ("sentiment", "16")])
def test_a_long_prompt_is_folded_and_its_question_seen(task, k):
    at = opened(task=load_task(task).title, k=k)
    assert not at.exception
    question = load_task(task).example.question
    (end,) = [code.value for code in at.code if question in code.value and "torch" not in code.value]
    assert end.rstrip().endswith(":")
    assert any("between" in expander.label for expander in at.expander)


def test_rates_of_an_earlier_version_of_the_task_are_not_shown(monkeypatch):
    monkeypatch.setattr("lecture_core.recorded_runs.fingerprint_now", lambda rate: "changed")
    at = opened()
    assert "Recorded with an earlier version of the task" in words(at)
    assert "Not measured with these settings yet." in words(at)


def test_weights_are_the_same_before_and_after(default):
    checksums = re.search(r"before `(\w+)`, after `(\w+)`: equal", words(default))
    assert checksums.group(1) == checksums.group(2)


def test_number_of_exemplars_changes_the_exact_prompt():
    at = opened(k="5")
    prompt = next(code.value for code in at.code if code.value.startswith("Input:"))
    assert prompt.count("Output: !") == 5
    assert at.slider(key="few_shot_k").value == 5


def test_zero_exemplars_show_one_answer():
    at = opened(k="0")
    assert not at.exception
    assert "**Zero-shot**" in [m.value for m in at.markdown]
    assert html(at).count("<pre") == 1


def test_another_task_brings_its_own_questions():
    at = opened()
    at.selectbox(key="few_shot_item").select_index(3).run()
    at.selectbox(key="few_shot_task").select("word_in_context").run()
    assert not at.exception
    assert any("question: Is the word" in code.value for code in at.code)


def test_labels_are_ranked():
    at = opened(task=load_task("sentiment").title)
    assert not at.exception
    assert not at.error
    assert any(label in html(at) for label in ("positive</mark>", "negative</mark>"))


def test_the_form_of_the_prompt_comes_from_the_link():
    at = opened(k="4", separator="\n###\n", order="reversed", answers="letters", seed="0")
    assert not at.exception
    prompt = next(code.value for code in at.code if "###" in code.value)
    dates = re.findall(r"Input: (\S+)", prompt)
    assert dates[:4] == [e.question for e in reversed(load_task("date_format").exemplars[:4])]
    assert not re.search(r"Output: !\d", prompt)


def test_labels_can_be_written():
    at = opened(task=load_task("sentiment").title, scoring="written")
    assert not at.exception
    assert "log_probability" not in " ".join(code.value for code in at.code)


def test_gpt3_stands_beside_arithmetic():
    at = opened(task=load_task("sum_2_digits").title)
    assert not at.exception
    assert "Table 3.9" in words(at) + html(at)


def test_an_own_task_learns_from_its_other_lines():
    at = opened(task="Your own task", k="5")
    assert not at.exception
    assert any(code.value.count("Output:") == 6 for code in at.code)
    at.text_area(key="few_shot_lines").set_value("un => one\ndeux => two\ntrois => three").run()
    assert not at.exception
    assert at.slider(key="few_shot_k").max == 2


@pytest.mark.parametrize("lines", ["", "a => b", "a\nb => c", "a => b\na => c", "=> \n=>"])
def test_unreadable_lines_get_a_sentence_and_stay(lines):
    at = opened(task="Your own task")
    at.text_area(key="few_shot_lines").set_value(lines).run()
    assert not at.exception
    assert len(at.error) == 1
    assert "Expected" in at.error[0].value
    assert at.text_area(key="few_shot_lines").value == lines


def test_too_many_lines_are_said_and_nothing_is_lost():
    at = opened(task="Your own task", k="5")
    lines = "".join(f"{i} km => {i}000 m\n" for i in range(600))
    at.text_area(key="few_shot_lines").set_value(lines).run()
    assert not at.exception
    assert "at most 8,000 characters in all; got 11,180 on 600 lines" in at.error[0].value
    assert at.text_area(key="few_shot_lines").value == lines


def test_every_measured_question_can_be_opened_and_downloaded():
    at = opened(task="Your own task", lines="1 => a\n2 => b\n3 => c", shown="1")
    at.button(key="few_shot_measure").click().run()
    for _ in range(120):
        if not at.session_state["few_shot_run"].running:
            break
        time.sleep(0.5)
    at.run()
    assert not at.exception
    (table,) = [frame for frame in at.dataframe if "Truth" in frame.value.columns]
    assert list(table.value["Truth"]) == ["a", "b", "c"]
    assert [c for c in table.value.columns if c.startswith("k =")] == ["k = 0", "k = 1", "k = 2"]


def test_outputs_that_are_all_the_same_are_pointed_out():
    assert "All your outputs are the same" in words(opened(task="Your own task", lines="1 => a\n2 => a\n3 => a"))


@pytest.mark.parametrize(
    "question",
    ["<script>alert(1)</script>", "![x](http://example.com/x.png)", "😀" * 20, "مرحبا بالعالم", "**bold** _it_ $x$"],
)
def test_an_own_question_is_shown_as_text(question):
    at = opened(item="Your own", own_date_format=question)
    assert not at.exception
    assert not at.error
    assert any(f"Input: {question}\nOutput:" in code.value for code in at.code)
    assert "<script" not in html(at)
    assert not any(question in markdown.value for markdown in at.markdown)


@pytest.mark.parametrize("question", ["   ", "a\x07b", "😀" * 4000])
def test_unusable_questions_get_a_sentence_and_the_page_stays(question):
    at = opened(item="Your own", own_date_format="x")
    at.text_area(key="few_shot_own_date_format").set_value(question).run()
    assert not at.exception
    assert len(at.error) == 1
    assert "Expected" in at.error[0].value
    assert at.button(key="few_shot_measure").label.startswith("Measure")


def test_measuring_counts_and_cancel_keeps_the_count(default):
    at = default
    at.button(key="few_shot_measure").click().run()
    for _ in range(120):
        if counted(at):
            break
        time.sleep(0.5)
        at.run()
    assert counted(at)
    at.button(key="few_shot_cancel").click().run()
    assert not at.exception
    assert counted(at)
    assert at.button(key="few_shot_measure").label.startswith("Measure")


def counted(at):
    return "few_shot_run" in at.session_state and bool(at.session_state["few_shot_run"].kept)


def pick(monkeypatch, cell):
    """Let a click on this cell of the table of questions be there from the start."""
    table = few_shot_questions._table
    monkeypatch.setattr(few_shot_questions, "_table", lambda *given: [*table(*given), cell])


@pytest.mark.parametrize(("task", "mark"), [("date_format", "!</mark>"), ("sentiment", "tive</mark>")])
def test_a_recorded_question_is_opened_like_one_measured_now(monkeypatch, task, mark):
    pick(monkeypatch, (1, "k = 4"))
    at = opened(task=load_task(task).title)
    assert not at.exception
    assert "**Every recorded question**" in words(at)
    (table,) = [frame.value for frame in at.dataframe if "Truth" in frame.value.columns]
    assert list(table["Truth"][:2]) == [item.answer for item in load_task(task).items[:2]]
    assert "**Prompt, k = 4**" in words(at)
    asked = load_task(task).prompt.replace("{question}", load_task(task).items[1].question)
    assert any(code.value.endswith(asked) for code in at.code)
    assert mark in html(at)
    assert "recorded 20" in words(at)


def test_recorded_answers_without_exemplars_wait_for_the_guess_too():
    at = opened()
    columns = [list(frame.value.columns) for frame in at.dataframe if "Truth" in frame.value.columns]
    assert "k = 1" in columns[0]
    assert "k = 0" not in columns[0]
    at.pills(key="few_shot_guess").select("No").run()
    columns = [list(frame.value.columns) for frame in at.dataframe if "Truth" in frame.value.columns]
    assert "k = 0" in columns[0]


@pytest.mark.parametrize("change", [{"seed": "3"}, {"order": "reversed"}])
def test_settings_that_were_not_recorded_open_nothing(change):
    at = opened(**change)
    assert not at.exception
    assert "recorded question" not in words(at)
    assert "Measure it here, and every question can be opened below" in words(at)
