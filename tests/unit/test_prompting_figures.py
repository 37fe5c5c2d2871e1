import pytest

from lecture_core.figures.few_shot import accuracy_over_k, shots_by_size
from lecture_core.figures.prompting import Measured, chain_of_thought_by_scale
from lecture_core.statistics import wilson
from lecture_core.tables import load_table

FRAME = load_table("wei2022_cot_by_scale").frame


def test_every_point_carries_its_interval_and_counts():
    points = [Measured(0, 5, 50), Measured(8, 45, 50)]
    (trace,) = accuracy_over_k({"m": points}, ks=(0, 1, 8)).data
    assert list(trace.y) == pytest.approx([10, 90])
    for i, point in enumerate(points):
        low, high = wilson(point.right, point.n)
        assert trace.y[i] + trace.error_y.array[i] == pytest.approx(100 * high)
        assert trace.y[i] - trace.error_y.arrayminus[i] == pytest.approx(100 * low)
    assert list(trace.text) == ["5/50", "45/50"]


def test_nothing_measured_draws_the_empty_axes():
    figure = accuracy_over_k({"m": [Measured(0, 0, 0)]}, ks=(0, 1), lines={"blind": 0.5})
    assert not figure.data
    assert figure.layout.xaxis.categoryarray == ("0", "1")


def test_several_models_differ_in_more_than_colour_and_carry_their_names():
    one, two = accuracy_over_k({"a": [Measured(0, 5, 50)], "b": [Measured(0, 9, 50)]}, ks=(0, 1)).data
    assert one.marker.symbol != two.marker.symbol
    assert (one.text[-1], two.text[-1]) == ("5/50 a", "9/50 b")


@pytest.mark.parametrize(("task", "metric"), [("BoolQ", "accuracy"), ("SQuAD 2.0", "F1"), ("ANLI R1", "accuracy")])
def test_gpt3_by_size_draws_the_three_settings_of_the_table(task, metric):
    frame = load_table("gpt3_by_size").frame
    traces = shots_by_size(frame, task=task, metric=metric).data
    assert [trace.text[-1] for trace in traces] == ["zero-shot", "one-shot", "few-shot"]
    row = frame[(frame["task"] == task) & (frame["metric"] == metric) & (frame["setting"] == "few-shot")].iloc[0]
    assert traces[2].y[-1] == row["gpt3_175b"]


def test_published_scores_are_those_of_the_table_by_size():
    standard, cot = chain_of_thought_by_scale(FRAME, task="GSM8K", model="PaLM", measured={}).data
    assert list(standard.y) == [4.9, 9.6, 17.9]
    assert list(cot.y) == [4.1, 29.9, 56.9]
    assert list(cot.x) == sorted(cot.x)


@pytest.mark.parametrize("model", ["PaLM", "GPT", "LaMDA"])
@pytest.mark.parametrize("task", ["GSM8K", "SVAMP", "ASDiv", "AQuA", "MAWPS"])
def test_every_choice_of_the_page_has_scores(model, task):
    for trace in chain_of_thought_by_scale(FRAME, task=task, model=model, measured={}).data:
        assert len(trace.x) >= 3


def test_our_model_stands_at_its_size_with_its_interval():
    ours = {"standard": Measured(1.35e8, 1, 30, "small"), "cot": Measured(1.35e8, 2, 30, "small")}
    traces = chain_of_thought_by_scale(FRAME, task="GSM8K", model="PaLM", measured=ours).data[2:]
    assert all(1e8 < trace.x[0] < 1.8e8 for trace in traces)
    assert "2 of 30 right" in traces[1].hovertext[0]
