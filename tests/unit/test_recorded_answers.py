"""What was answered in a recorded run is opened as if it were measured now."""

from dataclasses import replace

import pytest

from lecture_core import record
from lecture_core.few_shot import Asking, measure
from lecture_core.prompting import build_prompt
from lecture_core.record import few_shot_rates, keep
from lecture_core.recorded_answers import answers_id, load_answers, opened
from lecture_core.recorded_runs import load_run
from lecture_core.run_tables import RunError
from lecture_core.tasks import load_task
from tests.unit.scripted_engine import ScriptedEngine

RUN = "few_shot_accuracy"


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    def of(task, engine):
        monkeypatch.setattr(record, "get_engine", lambda: engine)
        keep("few_shot", few_shot_rates(load_task(task), "small"), folder=tmp_path)
        return load_run(RUN, folder=tmp_path)

    return of, tmp_path


def test_a_recorded_question_has_the_prompt_output_and_verdict_that_were_measured(recorded):
    of, folder = recorded
    engine = ScriptedEngine(context_length=60, reply=lambda prompt: f" !{len(prompt)}!\nmore")
    for rate in of("date_format", engine):
        task = load_task("date_format")
        live = [*measure(engine, task, int(rate.condition), Asking("small"), items=task.items[: rate.n])][-1]
        again = opened(RUN, rate, folder=folder)
        assert [one.prompt for one in again.outcomes] == [one.prompt for one in live.outcomes]
        assert [one.completion for one in again.outcomes] == [one.completion for one in live.outcomes]
        assert [one.extracted for one in again.outcomes] == [one.extracted for one in live.outcomes]
        assert (again.right, again.n) == (rate.right, rate.n) == (live.right, live.n)
        assert again.outcome.provenance.kind == "recorded"


def test_recorded_labels_keep_their_log_probabilities(recorded):
    of, folder = recorded
    engine = ScriptedEngine(
        context_length=80,
        preference=lambda prompt, label: -1.5 if ("good" in prompt) == (label == " positive") else -0.25,
    )
    rates = of("sentiment", engine)
    assert rates
    for rate in rates:
        again = opened(RUN, rate, folder=folder)
        assert {one.label_logprobs for one in again.outcomes} <= {(-1.5, -0.25), (-0.25, -1.5)}
        assert again.right == rate.right


def test_measuring_one_task_again_keeps_the_others(recorded):
    of, folder = recorded
    of("date_format", ScriptedEngine(context_length=60, reply=lambda _: "x"))
    first = load_answers(RUN, folder=folder)
    of("unscramble", ScriptedEngine(context_length=60, reply=lambda _: "y"))
    rates = of("date_format", ScriptedEngine(context_length=60, reply=lambda _: "z"))
    assert {rate.task for rate in rates} == {"date_format", "unscramble"}
    assert len({(rate.task, rate.condition) for rate in rates}) == len(rates)
    kept = load_answers(RUN, folder=folder)
    assert set(first) < set(kept)
    assert {kept[answers_id(rate)][0].strip() for rate in rates} == {"y", "z"}


def test_answers_to_an_earlier_version_of_the_task_are_not_opened(recorded):
    of, folder = recorded
    rate = of("date_format", ScriptedEngine(context_length=60, reply=lambda _: "x"))[0]
    assert opened(RUN, rate, folder=folder)
    assert opened(RUN, replace(rate, fingerprint="other"), folder=folder) is None
    assert opened(RUN, replace(rate, n=rate.n - 1), folder=folder) is None
    assert opened("nothing", rate, folder=folder) is None


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / f"{RUN}.answers.json.gz").write_bytes(b"no")
    with pytest.raises(RunError, match=r"few_shot_accuracy\.answers\.json\.gz"):
        load_answers(RUN, folder=tmp_path)


def test_an_unknown_task_is_refused_before_anything_is_measured(capsys):
    with pytest.raises(SystemExit):
        record.main(["few_shot", "--tasks", "poems"])
    assert "got poems" in capsys.readouterr().err


@pytest.mark.parametrize("rate", load_run(RUN), ids=lambda rate: f"{rate.task}-{rate.condition}")
def test_every_shipped_rate_can_be_opened_and_counts_the_same(rate):
    """After tasks or judging changed: `python -m lecture_core.record few_shot`."""
    found = opened(RUN, rate)
    assert found is not None
    assert (found.right, found.n) == (rate.right, rate.n)
    task = load_task(rate.task)
    assert found.outcomes[0].prompt == build_prompt(task, task.items[0], int(rate.condition))
    assert all(bool(one.label_logprobs) == bool(task.labels) for one in found.outcomes)
