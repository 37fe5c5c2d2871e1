"""The few-shot page with two models: measured side by side, smallest first, told apart in chart, table and file."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core.engine import get_engine
from lecture_core.few_shot import KS, Asking, measure
from lecture_core.own_task import read_own_task
from lecture_core.ui import few_shot_questions

PAGE = str(Path(__file__).parents[2] / "pages/prompting/few_shot.py")
LABELLED = "the cat => good\nthe dog => bad\nthe chef => good\nthe banana => bad"
WRITTEN = "cat => mat\ndog => river\nchef => meal"


def opened(**query):
    at = AppTest.from_file(PAGE, default_timeout=60)
    asked = {"model": "tiny-small", "task": "Your own task", "ladder": "tiny-large", "shown": "1"} | query
    at.query_params.update({f"few_shot_{name}": value for name, value in asked.items()})
    return at.run()


def measured(at):
    at.button(key="few_shot_measure").click().run()
    for _ in range(120):
        if not at.session_state["few_shot_run"].running:
            break
        time.sleep(0.2)
    return at.run()


def words(at):
    return " ".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def table(at):
    (found,) = [frame.value for frame in at.dataframe if "Truth" in frame.value.columns]
    return found


@pytest.mark.parametrize("lines", [LABELLED, WRITTEN])
def test_each_model_is_measured_at_every_k_with_its_own_answers(tiny_causals, lines):
    at = measured(opened(lines=lines))
    assert not at.exception
    assert not at.error
    task = read_own_task(lines)
    kept = at.session_state["few_shot_run"].kept
    ks = [k for k in KS if k < len(task.items)]
    assert list(kept) == [f"{model} {k}" for model in ("tiny-small", "tiny-large") for k in ks]
    for name, progress in kept.items():
        model, k = name.split()
        *_, alone = measure(get_engine(), task, int(k), Asking(model), items=task.items)
        assert [o.completion for o in progress.outcomes] == [o.completion for o in alone.outcomes]
        assert {o.provenance.model for o in progress.outcomes} == {model}
    assert list(table(at).columns)[2:] == [f"k = {k}, {m}" for m in ("tiny-small", "tiny-large") for k in ks]


def test_both_models_stand_in_the_chart_under_their_names(tiny_causals):
    at = measured(opened(lines=LABELLED))
    spec = at.get("plotly_chart")[0].proto.spec
    for model in ("tiny-small", "tiny-large"):
        assert f"{model}, k = 2:" in spec
    captions = [c.value for c in at.caption]
    for model in ("tiny-small", "tiny-large"):
        assert any(c.startswith(f"{model} ·") for c in captions), model


def test_a_click_opens_the_answer_of_the_model_that_gave_it(tiny_causals, monkeypatch):
    drawn = few_shot_questions._table
    for model in ("tiny-small", "tiny-large"):
        cell = (1, f"k = 2, {model}")
        monkeypatch.setattr(few_shot_questions, "_table", lambda *given, cell=cell: [*drawn(*given), cell])
        at = measured(opened(lines=LABELLED))
        assert not at.exception
        assert f"**Prompt, k = 2, {model}**" in words(at)
        assert any(c.value.startswith(f"{model} ·") for c in at.caption)


def test_a_model_that_reads_less_is_measured_as_far_as_it_reads(tiny_causals):
    lines = "\n".join(f"{word} => mat {word}" for word in ("cat", "dog", "chef", "meal", "river", "bank", "money"))
    at = measured(opened(lines=lines))
    assert not at.exception
    reached = {int(name.split()[1]) for name in at.session_state["few_shot_run"].kept}
    assert 0 in reached
    assert max(reached) < 6


def test_a_link_with_the_ladder_opens_it_and_the_chosen_model_is_not_offered_twice(tiny_causals):
    at = opened(lines=LABELLED)
    box = at.multiselect(key="few_shot_ladder")
    assert box.options == ["tiny-large"]
    assert box.value == ["tiny-large"]
    assert "at each of 3 k with 2 models (24 in all)" in at.button(key="few_shot_measure").label
    at.selectbox(key="few_shot_model").select("tiny-large").run()
    assert not at.exception
    assert at.multiselect(key="few_shot_ladder").options == ["tiny-small"]
    assert "at each of 3 k (12 in all)" in at.button(key="few_shot_measure").label
