from dataclasses import replace

import pytest

from lecture_core.few_shot import KS
from lecture_core.measurement import Outcome, tally
from lecture_core.provenance import Provenance
from lecture_core.recorded_runs import RecordedRate, RunError, counted, load_run, rates, save_run
from lecture_core.tasks import Item, list_tasks, load_task

RATE = RecordedRate("sums", "4", 7, 50, 4, 0, "small", "abcd", "cpu", "Q4_1", "2026-11-22", "python -m x")


def test_what_was_saved_is_read_again(tmp_path):
    saved = (RATE, replace(RATE, condition="8", right=9))
    save_run("run", saved, folder=tmp_path)
    assert load_run("run", folder=tmp_path) == saved


def test_rates_are_those_of_task_model_seed_and_exemplars(tmp_path):
    others = [replace(RATE, **change) for change in ({"task": "o"}, {"model": "o"}, {"seed": 1}, {"exemplars": 2})]
    save_run("run", [RATE, *others], folder=tmp_path)
    assert rates("run", task="sums", model="small", seed=0, exemplars=4, folder=tmp_path) == {"4": RATE}


def test_a_run_not_recorded_has_no_rates(tmp_path):
    assert load_run("nothing", folder=tmp_path) == ()


@pytest.mark.parametrize("change", [("7,50", "70,50"), ("7,50", "x,50"), ("right", "wrong")])
def test_a_bad_row_is_refused_with_its_place(tmp_path, change):
    path = save_run("run", [RATE], folder=tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(RunError, match=r"run\.csv, row 2"):
        load_run("run", folder=tmp_path)


def test_what_is_measured_now_comes_before_what_was_recorded():
    outcome = Outcome(Item("q", "a"), "p", "a", None, True, Provenance("small", seconds=3.0))
    counts, made = counted({"1": next(tally([outcome], 5))}, {"4": RATE})
    assert counts == {"1": (1, 1)}
    assert (made.kind, made.seconds) == ("live", 0.0)
    counts, made = counted({}, {"4": RATE})
    assert counts == {"4": (7, 50)}
    assert made.kind == "recorded"
    assert "2026-11-22" in made.caption()


def test_shipped_few_shot_rates_cover_every_task_and_k():
    shipped = load_run("few_shot_accuracy")
    tasks = {task: len(load_task(task).exemplars) for task in list_tasks("few_shot")}
    expected = {(task, str(k)) for task, most in tasks.items() for k in KS if k <= most}
    assert {(r.task, r.condition) for r in shipped} == expected
    assert all(r.n >= 50 and r.revision and r.date for r in shipped)


def test_shipped_chain_of_thought_rates_cover_every_method():
    shipped = load_run("chain_of_thought_accuracy")
    assert {r.condition for r in shipped} == {"direct", "reasoning", "step_by_step"}
    assert all(r.n >= 30 and r.revision and r.date for r in shipped)
