"""Every model of the catalog has a card; sizes are computed, states are found, and ours say what they are made of."""

import re
from dataclasses import replace

import pytest
import yaml

from lecture_core import catalog, loading
from lecture_core.loading import CLASSES, Availability
from lecture_core.model_cards import OVERVIEW, ROLES, STATES, ModelCard, card, cards, loading_code, overview, select
from lecture_core.model_quality import learning_curve

OURS = [spec.id for spec in catalog.models() if spec.origin == "bundled"]
HERE, MISSING = Availability("cached", True, ""), Availability("missing", False, "python -m x")


@pytest.fixture
def bundled(tmp_path, monkeypatch):
    """A bundled model of three parameters; returns its card and its folder."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    (folder / "config.json").write_text('{"hidden_size": 8, "num_layers": 2, "vocab_size": 9, "activation": "relu"}')
    monkeypatch.setattr(loading, "BUNDLED", tmp_path)
    spec = replace(catalog.get(OURS[0]), id="small", source="bundled:small", parameters=3)
    return ModelCard(spec, loading.availability(spec)), folder


def test_every_role_of_the_catalog_is_described():
    assert set(ROLES) == set(catalog.ROLES)
    assert set(STATES) == {"bundled", "installed", "cached", "missing"}


def test_memory_is_four_or_two_bytes_a_parameter():
    for one in cards():
        assert one.float32_bytes == 4 * one.spec.parameters == 2 * one.half_bytes


def test_disk_counts_every_file_of_the_folder(bundled):
    one, folder = bundled
    assert one.disk_bytes == sum(path.stat().st_size for path in folder.iterdir()) > 100


def test_a_model_that_is_not_here_has_no_size_on_disk_and_names_its_command():
    one = ModelCard(catalog.get("bert-base-uncased"), MISSING)
    assert (one.disk_bytes, one.state, one.shape) == (None, "can be pulled", {})
    assert one.url == "https://huggingface.co/google-bert/bert-base-uncased"


def test_a_bundled_model_whose_weights_are_gone_is_missing(bundled):
    one, folder = bundled
    assert one.state == "bundled"
    (folder / "model.safetensors").unlink()
    gone = ModelCard(one.spec, loading.availability(one.spec))
    assert (gone.state, gone.disk_bytes, gone.revision) == ("can be pulled", None, "")
    assert gone.availability.command


def test_the_shape_is_read_from_the_configuration_under_any_of_its_names(bundled):
    assert bundled[0].shape == {"layers": 2, "hidden size": 8, "vocabulary": 9}


def test_the_text_leaves_out_title_and_front_matter(bundled):
    one, folder = bundled
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\n# small\n\nIt is small.\n\n## Training\n\nBriefly.\n")
    one = ModelCard(one.spec, HERE)
    assert one.text.startswith("It is small.")
    assert one.section("Training") == "Briefly."
    assert one.section("Data and licence") == ""
    assert one.training_commands == ()


@pytest.mark.parametrize("model", OURS)
def test_each_bundled_model_names_licence_data_training_and_weakness(model):
    one = card(model)
    front = yaml.safe_load((loading.BUNDLED / one.spec.location / "README.md").read_text().split("---\n")[1])
    assert front["license"].casefold() == one.spec.license.casefold()
    assert ("CC BY-SA" in one.section("Data and licence")) == (one.spec.role != "vision_language")
    assert one.section("What it is bad at")
    assert all(command.startswith("python -m lecture_core.training ") for command in one.training_commands)
    assert one.shape["vocabulary"] > 0
    assert one.state == "bundled"


@pytest.mark.parametrize("model", OURS)
def test_the_training_commands_cover_all_tokens_of_the_learning_curve(model):
    one = card(model)
    given = sum(float(re.search(r"--tokens (\S+)", command)[1]) for command in one.training_commands)
    assert given == pytest.approx(learning_curve(one).tokens[-1], rel=0.02)


def test_filters_by_role_and_state():
    one, two = ModelCard(catalog.get("gpt2"), HERE), ModelCard(catalog.get("t5-small"), MISSING)
    assert select((one, two)) == (one, two)
    assert select((one, two), role="seq2seq") == (two,)
    assert select((one, two), state="here") == (one,)
    assert select((one, two), state="missing") == (two,)
    assert select((one, two), role="seq2seq", state="cached") == ()


def test_the_overview_has_a_row_a_model_and_reads_back_from_csv():
    found = cards()
    table = overview(found)
    assert table.frame["id"].tolist() == [c.spec.id for c in found]
    assert list(table.frame.columns) == [column.name for column in OVERVIEW.columns]
    assert table.frame["float32_mb"].tolist() == [c.spec.parameters * 4 / 1e6 for c in found]
    assert table.frame["disk_mb"].isna().tolist() == [not c.availability.usable for c in found]
    assert not table.best.to_numpy().any()
    assert overview(()).frame.empty


@pytest.mark.parametrize("spec", catalog.models(), ids=lambda spec: spec.id)
def test_the_code_is_python_that_loads_the_model_with_the_class_of_its_role(spec):
    code = loading_code(spec)
    compile(code, spec.id, "exec")
    assert f"import {CLASSES[spec.role]}," in code
    assert spec.location.rpartition("/")[2] in code
