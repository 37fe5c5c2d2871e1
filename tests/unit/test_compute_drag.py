"""What the browser draws while a model is dragged: the numbers that Python gives it."""

import json

import pytest

from lecture_core.compute_drag import drag_data, reach, read_place, window, written
from lecture_core.errors import InvalidInputError
from lecture_core.scaling_laws import EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law, compute_optimal, predict_loss
from lecture_core.scaling_models import load_models

MODELS = load_models()
LAWS = (EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law(0.01, 5000, 1, 0.05, 1.0), Law(4, 1, 5000, 1.0, 0.05))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_optimum_published_place_and_reach_lie_on_one_budget_inside_the_chart(model, law):
    data = drag_data(model, law, MODELS)
    json.dumps(data, allow_nan=False)
    assert data["flops"] == 6 * model.active_parameters * model.tokens
    assert data["best"] == pytest.approx(compute_optimal(data["flops"], law).parameters)
    low, high = data["reach"]
    assert low < min(data["best"], data["published"])
    assert high > max(data["best"], data["published"])
    assert data["place"] == data["published"] == model.active_parameters
    low_n, high_n, low_d, high_d = data["window"]
    for n in (low, high):
        assert low_n * (1 - 1e-9) <= n <= high_n * (1 + 1e-9)
        assert low_d * (1 - 1e-9) <= data["flops"] / 6 / n <= high_d * (1 + 1e-9)
    constants = Law(**data["law"])
    assert predict_loss(7e10, 1.4e12, constants) == predict_loss(7e10, 1.4e12, law)


def test_every_other_model_is_drawn_and_a_mixture_counts_with_its_active_parameters():
    mixture = next(model for model in MODELS if model.is_mixture)
    data = drag_data(mixture, EPOCH, MODELS)
    assert {other[2] for other in data["others"]} == {m.name for m in MODELS} - {mixture.name}
    assert data["published"] == mixture.active_parameters
    assert "active" in data["model"]


def test_a_place_is_read_as_it_is_written():
    gpt3 = next(model for model in MODELS if model.name == "GPT-3 175B")
    low, high = reach(gpt3, EPOCH, MODELS)
    for n in (low * 1.001, 5.31234e10, high * 0.999):
        assert read_place(written(n), gpt3, EPOCH, MODELS) == pytest.approx(n, rel=5e-4)
        assert drag_data(gpt3, EPOCH, MODELS, n)["place"] == n
    assert (written(5.3e10), written(1.458e9), written(2.5e12)) == ("5.3e10", "1.458e9", "2.5e12")
    assert window(gpt3, EPOCH, MODELS)[0] < low
    assert drag_data(gpt3, EPOCH, MODELS, high * 2)["place"] == gpt3.parameters


@pytest.mark.parametrize("raw", ["", "nan", "inf", "-1", "0", "seventy", "1e400", "1e3", "<script>", "9" * 5000])
def test_a_place_off_the_line_is_refused(raw):
    with pytest.raises(InvalidInputError) as refused:
        read_place(raw, MODELS[0], EPOCH, MODELS)
    assert len(str(refused.value)) < 250
