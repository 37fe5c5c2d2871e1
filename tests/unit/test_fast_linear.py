import copy

import pytest
import torch
from transformers.pytorch_utils import Conv1D

from lecture_core import fast_linear

ROWS = [1, 2, 64, 100, 513]


@pytest.fixture
def faster(monkeypatch):
    monkeypatch.setattr(fast_linear, "one_dnn_is_faster", lambda: True)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("layer", [torch.nn.Linear(24, 40), torch.nn.Linear(24, 9000, bias=False), Conv1D(40, 24)])
def test_the_product_is_the_same_up_to_rounding(faster, layer, rows):
    torch.manual_seed(0)
    x = torch.randn(2, rows, 24) if rows > 1 else torch.randn(1, 24)
    model = torch.nn.Sequential(copy.deepcopy(layer))
    with torch.inference_mode():
        expected = layer(x)
        fast_linear.hasten(model)
        assert type(model[0]) in fast_linear.FASTER.values()
        assert torch.allclose(model(x), expected, atol=1e-5)


def test_rows_are_filled_up_to_few_numbers(faster, monkeypatch):
    seen, real = set(), torch.ops.mkldnn._linear_pointwise
    counted = lambda x, *rest: (seen.add(len(x)), real(x, *rest))[1]  # noqa: E731
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", counted)
    model = torch.nn.Sequential(torch.nn.Linear(24, 40))
    fast_linear.hasten(model)
    with torch.inference_mode():
        for rows in range(1, 1025):
            model(torch.zeros(rows, 24))
    assert len(seen) == 15
    assert min(seen) == fast_linear.MANY


def test_nothing_at_all_is_mapped_to_nothing(faster):
    model = torch.nn.Sequential(torch.nn.Linear(24, 40))
    fast_linear.hasten(model)
    with torch.inference_mode():
        assert model(torch.zeros(0, 24)).shape == (0, 40)


def test_gradients_flow_as_usual(faster):
    model = torch.nn.Sequential(torch.nn.Linear(24, 40))
    fast_linear.hasten(model)
    model(torch.randn(3, 24)).sum().backward()
    assert model[0].weight.grad.abs().sum() > 0


def test_other_types_of_numbers_stay_with_torch(faster):
    model = torch.nn.Sequential(torch.nn.Linear(24, 40).to(torch.bfloat16))
    fast_linear.hasten(model)
    assert type(model[0]) is torch.nn.Linear


def test_where_it_is_not_faster_nothing_changes(monkeypatch):
    monkeypatch.setattr(fast_linear, "one_dnn_is_faster", lambda: False)
    model = torch.nn.Sequential(torch.nn.Linear(24, 40))
    fast_linear.hasten(model)
    assert type(model[0]) is torch.nn.Linear


def test_the_measurement_gives_an_answer_here():
    assert fast_linear.one_dnn_is_faster() in (True, False)
