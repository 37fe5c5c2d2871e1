import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.engine import get_engine
from lecture_core.exemplars import CONDITIONS
from lecture_core.in_context import write
from lecture_core.tasks import load_task

PAGE = str(Path(__file__).parents[2] / "pages/prompting/in_context_learning.py")
STEM = "in_context_learning"
pytestmark = pytest.mark.bundled


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=240)
    at.query_params.update({f"{STEM}_{name}": value for name, value in query.items()})
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def test_true_answers_become_more_probable_and_no_weight_changes():
    get_engine().next_token("a", model="smollm2-135m-instruct")  # weights not in memory have no checksum before
    at = opened(k="8", orders="1")
    assert not at.exception
    assert not at.error
    assert "equal" in words(at)
    gain = next(m.value for m in at.markdown if "geometric means" in m.value)
    first, last = (float(value) for value in re.findall(r"\*\*([\d.]+) %\*\*", gain))
    assert last > 2 * first


def test_the_curve_with_wrong_answers_waits_for_the_guess():
    at = opened(k="8", orders="1")
    assert "waits for your guess" in words(at)
    at.pills(key=f"{STEM}_guess").select("It rises, but less").run()
    assert not at.exception
    assert "waits for your guess" not in words(at)
    assert "You guessed **It rises, but less**" in " ".join(box.value for box in (*at.success, *at.info))


def test_one_click_shows_the_curve_without_a_guess():
    at = opened(k="4", orders="1")
    at.button(key=f"{STEM}_show").click().run()
    assert "waits for your guess" not in words(at)
    assert at.query_params[f"{STEM}_shown"] == "1"


def test_a_link_restores_task_and_conditions():
    at = opened(task=load_task("sentiment").title, k="4", orders="1", conditions=CONDITIONS["letters"].title)
    assert not at.exception
    assert at.selectbox(key=f"{STEM}_task").value == "sentiment"
    assert at.slider(key=f"{STEM}_k").value == 4
    assert at.pills(key=f"{STEM}_conditions").value == ["letters"]
    assert "geometric means" not in words(at)


def test_any_prompt_can_be_looked_into(monkeypatch):
    from lecture_core.ui import results

    strips = []
    monkeypatch.setattr(results, "token_strip", lambda key, tokens, **_: strips.append([t.text for t in tokens]))
    at = opened(k="4", orders="2", guess="1", shown="1")
    first = strips[-1]
    at.selectbox(key=f"{STEM}_draw").select("2").run()
    second = strips[-1]
    at.selectbox(key=f"{STEM}_looked_at").select("shuffled").run()
    assert not at.exception
    assert len({tuple(shown) for shown in (first, second, strips[-1])}) == 3


@pytest.mark.parametrize(("name", "contexts"), [("date_format", (512,)), ("word_in_context", (512, 1024))])
def test_the_context_meter_counts_real_examples_and_marks_what_it_goes_on_from(name, contexts):
    task = load_task(name)
    at = opened(task=task.title, k="4", orders="1")
    (meter,) = [frame.value for frame in at.dataframe if "Examples that fit" in frame.value.columns]
    shown = dict(zip(meter["Context"], meter["Examples that fit"], strict=True))
    for context in contexts:
        fits = int(shown[f"{context:,} tokens"])
        texts = [write(task, k, seed=1).text for k in (fits, fits + 1)]
        taken = [len(get_engine().tokenise(text, model="smollm2-135m-instruct").ids) for text in texts]
        assert taken[0] <= context < taken[1]
    assert shown["8,192 tokens"].startswith("≈ ")
    assert "the mean length of the task's 132" in words(at)
