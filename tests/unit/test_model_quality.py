"""Recorded measures are read as written, what is absent stays absent, published numbers are those of the tables."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from lecture_core import catalog
from lecture_core.calibration import reliability
from lecture_core.figures import model_quality as figures
from lecture_core.loading import Availability
from lecture_core.model_cards import ModelCard, card
from lecture_core.model_quality import LearningCurve, RateGroup, evaluation, held_out_table, learning_curve
from lecture_core.originals import original
from lecture_core.run_tables import FOLDER, RunError
from lecture_core.statistics import measured
from lecture_core.tables import load_table

OURS = [spec.id for spec in catalog.models() if spec.origin == "bundled"]
RATE = measured([True, True, False, False])
MADE = {"model": "small", "revision": "abcd", "corpus": "text.xz", "command": "python -m x", "held_out_tokens": 9}


def write(folder, figures, model="small"):
    (folder / f"evaluation_{model}.json").write_text(json.dumps(figures))
    return evaluation(model, folder=folder)


def model(role, model_id="small"):
    spec = replace(catalog.get(OURS[0]), id=model_id, role=role, parameters=1_000_000)
    return ModelCard(spec, Availability("bundled", True, ""))


def test_what_was_not_measured_is_absent(tmp_path):
    assert evaluation("small", folder=tmp_path) is None
    assert learning_curve(model("masked_lm"), folder=tmp_path) is None
    bare = write(tmp_path, MADE)
    assert (bare.groups, bare.reliability, bare.test) == ((), {}, "")
    assert held_out_table(bare).empty


def test_a_masked_lm_brings_figures_by_kind_of_text_and_the_cloze_set(tmp_path):
    rates = {"rank1": asdict(RATE), "top5": asdict(RATE), "forced_choice": asdict(RATE), "skipped": 0}
    cloze = {"overall": rates, "by_category": {"word_sense": rates}, "missed": []}
    kinds = {"sentences": {"loss": 3.5, "top1": 0.4, "top5": 0.6}, "blocks": {"loss": 3.25, "top1": 0.5, "top5": 0.7}}
    found = write(tmp_path, MADE | kinds | {"cloze": cloze})
    table = held_out_table(found)
    assert table.loc["top-1 accuracy"].to_dict() == {"single sentences": 0.4, "packed blocks": 0.5}
    assert [group.name for group in found.groups] == ["all sentences", "word sense"]
    assert found.groups[0].rates["right within 5"] == RATE
    assert "python -m x" in found.provenance.caption()
    assert found.provenance.kind == "recorded"


def test_a_discriminator_brings_its_reliability(tmp_path):
    curve = reliability(np.array([0.1, 0.9, 0.95]), np.array([False, True, True]))
    one = {"auc": 0.9, "loss": 0.2, "tokens": 3, "reliability": [asdict(b) for b in curve]}
    found = write(tmp_path, MADE | {"sentences": one, "blocks": one})
    assert found.reliability == {"sentences": curve, "blocks": curve}
    figure = figures.reliability_curve(found.reliability, colour="#AA4499")
    assert [len(trace.x) for trace in figure.data] == [2, 2, 2]  # the diagonal; bins without predictions are left out
    assert list(figure.data[1].y) == [0.0, 1.0]


def test_a_text_to_text_model_brings_exact_match_by_task(tmp_path):
    found = write(tmp_path, MADE | {"span_loss": 2.5, "exact_match": {"date": asdict(RATE), "reverse": asdict(RATE)}})
    assert [(g.name, g.rates["exact match"].right) for g in found.groups] == [("date", 2), ("reverse", 2)]
    assert held_out_table(found).loc["span corruption loss (nats)", "all text"] == 2.5


@pytest.mark.parametrize(
    "wrong", [{"model": "small"}, {**MADE, "cloze": {}}, {**MADE, "sentences": {"loss": "x"}}, [1]]
)
def test_a_broken_file_is_refused_by_name(tmp_path, wrong):
    with pytest.raises(RunError, match=r"evaluation_small\.json"):
        write(tmp_path, wrong)


def test_a_run_belongs_to_the_models_whose_id_starts_with_its_name(tmp_path):
    head = "step,tokens,loss,held_out_auc,held_out_replaced_share,held_out_loss,held_out_generator_loss\n"
    (tmp_path / "training_pair.csv").write_text(f"{head}1,10,1,0.5,0.1,0.3,4\n2,20,1,0.6,0.1,0.2,3\n")
    (tmp_path / "training_pair-b_variant.csv").write_text(f"{head}1,10,1,0.9,0.1,0.9,9\n")
    judge = learning_curve(model("rtd_discriminator", "pair-b"), folder=tmp_path)
    assert judge == LearningCurve("training_pair", (10, 20), (0.3, 0.2), {"AUC": (0.5, 0.6)})
    assert learning_curve(model("rtd_generator", "pair-a"), folder=tmp_path).loss == (4.0, 3.0)
    assert learning_curve(model("masked_lm", "other"), folder=tmp_path) is None


@pytest.mark.parametrize("rows", ["", "1,x,3\n", "1,10,high\n"])
def test_a_broken_run_is_refused_by_name(tmp_path, rows):
    (tmp_path / "training_small.csv").write_text("step,tokens,held_out_loss\n" + rows)
    with pytest.raises(RunError, match=r"training_small\.csv"):
        learning_curve(model("masked_lm"), folder=tmp_path)


@pytest.mark.parametrize("model_id", OURS)
def test_each_of_our_models_has_a_curve_that_gets_better(model_id):
    curve = learning_curve(card(model_id))
    assert curve.loss[-1] < curve.loss[0]
    assert list(curve.tokens) == sorted(set(curve.tokens))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("evaluation_*.json")), ids=lambda path: path.stem)
def test_every_recorded_evaluation_can_be_read(path):
    found = evaluation(path.stem.removeprefix("evaluation_"))
    assert found.model in {spec.id for spec in catalog.models()}
    assert found.groups or found.held_out


def test_published_numbers_are_those_of_the_tables():
    curve = LearningCurve("run", (2_000_000,), (3.0,), {})
    bert = original(model("masked_lm"), curve)
    shown = {score.label: score.value for score in bert.scores}
    glue = load_table("glue").frame.set_index("system")
    assert shown["GLUE test, average"] == f"{glue.loc['BERT-base', 'average']:.1f}"
    assert (shown["parameters"], shown["tokens of text"]) == ("110M", "3.3B")
    assert "1M parameters" in bert.why
    assert "2M tokens" in bert.why
    assert "1.2e13" in original(model("rtd_discriminator"), curve).why
    assert original(model("seq2seq"), curve).scores[0].value == "60M"
    assert original(model("causal_lm"), curve) is None
    assert original(ModelCard(catalog.get("bert-base-uncased"), Availability("missing", False, "x")), curve) is None


def test_labels_of_many_rates_do_not_touch_and_stay_inside():
    rates = {f"task{i}": (0.1, 0.9 + i / 200) for i in range(10)}
    figure = figures.rates_over_tokens(LearningCurve("run", (1, 2), (1.0, 0.5), rates), colour="#009E73")
    low, high = figure.layout.yaxis.range
    places = sorted(label.y for label in figure.layout.annotations)
    a_label = 17 / (figure.layout.height - 90) * (high - low)
    assert len(places) == 10
    assert min(np.diff(places)) > a_label
    assert low < places[0]
    assert places[-1] < high


def test_rates_are_drawn_with_their_intervals_and_those_without_trials_are_not():
    groups = [RateGroup("a", {"exact match": RATE}), RateGroup("b", {"exact match": measured([])})]
    points = figures.rates_with_intervals(groups, colour="#009E73", title="t").data[0]
    assert list(points.x) == [0.5]
    assert points.x[0] + points.error_x.array[0] == pytest.approx(RATE.high)
    assert points.x[0] - points.error_x.arrayminus[0] == pytest.approx(RATE.low)
