import pytest

from lecture_core.figures.prompting import Measured, accuracy_over_k, chain_of_thought_by_scale
from lecture_core.statistics import wilson
from lecture_core.tables import load_table

FRAME = load_table("wei2022_cot_by_scale").frame


def test_every_point_carries_its_interval_and_counts():
    points = [Measured(0, 5, 50), Measured(8, 45, 50)]
    (trace,) = accuracy_over_k(points, ks=(0, 1, 8)).data
    assert list(trace.y) == pytest.approx([10, 90])
    for i, point in enumerate(points):
        low, high = wilson(point.right, point.n)
        assert trace.y[i] + trace.error_y.array[i] == pytest.approx(100 * high)
        assert trace.y[i] - trace.error_y.arrayminus[i] == pytest.approx(100 * low)
    assert list(trace.text) == ["5/50", "45/50"]


def test_nothing_measured_draws_the_empty_axes():
    figure = accuracy_over_k([Measured(0, 0, 0)], ks=(0, 1), chance=0.5)
    assert not figure.data
    assert figure.layout.xaxis.categoryarray == ("0", "1")


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
