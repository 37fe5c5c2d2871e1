from dataclasses import replace

import pytest

from lecture_core.few_shot import KS
from lecture_core.measurement import Outcome, tally
from lecture_core.prompting import fingerprint
from lecture_core.provenance import Provenance
from lecture_core.record import stamped
from lecture_core.recorded_runs import RecordedRate, counted, fingerprint_now, load_run, outdated, rates, save_run
from lecture_core.run_tables import RunError, append_row
from lecture_core.tasks import Item, list_tasks, load_task

TASK = "date_format"
RATE = stamped(RecordedRate(TASK, "4", 7, 50, 4, 0, "small", "abcd", "cpu", "Q4_1", "2026-11-22", "python -m x"))
SHIPPED = ("few_shot_accuracy", "chain_of_thought_accuracy")


def test_what_was_saved_is_read_again(tmp_path):
    saved = (RATE, replace(RATE, condition="8", right=9))
    save_run("run", saved, folder=tmp_path)
    assert load_run("run", folder=tmp_path) == saved


def test_rates_are_those_of_task_model_seed_and_exemplars(tmp_path):
    others = [replace(RATE, **change) for change in ({"task": "o"}, {"model": "o"}, {"seed": 1}, {"exemplars": 2})]
    save_run("run", [RATE, *others], folder=tmp_path)
    assert rates("run", task=TASK, model="small", seed=0, exemplars=4, folder=tmp_path) == {"4": RATE}
    assert not outdated("run", task=TASK, model="small", seed=0, folder=tmp_path)


@pytest.mark.parametrize("old", ["", "0123456789abcdef"])
def test_a_rate_of_an_earlier_version_of_the_task_is_not_shown(tmp_path, old):
    save_run("run", [RATE, replace(RATE, condition="8", fingerprint=old)], folder=tmp_path)
    assert set(rates("run", task=TASK, model="small", seed=0, folder=tmp_path)) == {"4"}
    assert outdated("run", task=TASK, model="small", seed=0, folder=tmp_path)


def test_a_file_from_before_fingerprints_is_read_and_holds_nothing_current(tmp_path):
    path = save_run("run", [replace(RATE, fingerprint="")], folder=tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines), encoding="utf-8")
    assert [rate.is_current for rate in load_run("run", folder=tmp_path)] == [False]


def test_a_rate_of_a_task_that_is_gone_is_not_current():
    assert not replace(RATE, task="sums", fingerprint="0123").is_current


def test_the_fingerprint_changes_with_prompt_answer_and_judging():
    task = load_task(TASK)
    prints = {
        fingerprint(task, ["p"], ["a"]),
        fingerprint(task, ["q"], ["a"]),
        fingerprint(task, ["p"], ["b"]),
        fingerprint(replace(task, stop=("x",)), ["p"], ["a"]),
        fingerprint(replace(task, labels=("a", "b")), ["p"], ["a"]),
    }
    assert len(prints) == 5
    conditions = [replace(RATE, condition=k, seed=seed, n=n) for k in "12" for seed in (0, 1) for n in (49, 50)]
    assert len({fingerprint_now(rate) for rate in conditions}) == 8


def test_stamping_keeps_a_fingerprint_that_is_there():
    assert stamped(replace(RATE, fingerprint="old")).fingerprint == "old"
    assert stamped(replace(RATE, fingerprint="")) == RATE


@pytest.mark.parametrize("run", SHIPPED)
def test_shipped_rates_were_measured_on_the_present_tasks(run):
    """After a task or its prompt changed: `python -m lecture_core.record few_shot` (or `chain_of_thought`)."""
    assert [rate for rate in load_run(run) if not rate.is_current] == []


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


def test_shipped_few_shot_rates_cover_every_k_of_the_tasks_that_were_recorded():
    shipped = load_run("few_shot_accuracy")
    recorded = {rate.task for rate in shipped}
    assert len(recorded) >= 14
    assert recorded <= set(list_tasks("few_shot"))  # a new task is one file; it is recorded later
    tasks = {task: len(load_task(task).exemplars) for task in recorded}
    expected = {(task, str(k)) for task, most in tasks.items() for k in KS if k <= most}
    assert {(r.task, r.condition) for r in shipped} == expected
    assert all(r.n >= 50 and r.revision and r.date for r in shipped)


def test_shipped_chain_of_thought_rates_cover_every_method():
    shipped = load_run("chain_of_thought_accuracy")
    assert {r.condition for r in shipped} == {"direct", "reasoning", "step_by_step"}
    assert all(r.n >= 30 and r.revision and r.date for r in shipped)


def test_a_row_begins_a_line_of_its_own_even_after_an_editor(tmp_path):
    path = tmp_path / "runs.csv"
    for number, cut in ((1, True), (2, False), (3, False)):
        append_row({"run": number, "loss": 0.5}, path)
        if cut:
            path.write_text(path.read_text().rstrip("\n"))
    assert path.read_text() == "run,loss\n1,0.5\n2,0.5\n3,0.5\n"
