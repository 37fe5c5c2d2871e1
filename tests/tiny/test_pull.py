"""`catalog pull` against a Hub on this machine, in a process of its own with an empty cache."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lecture_core import loading
from tests.tiny import models
from tests.tiny.hub_server import COMMIT, serving

ROOT = Path(__file__).parents[2]
FILL = """
from lecture_core.engine import get_engine
print(len(get_engine().fill_mask("the [MASK] sat", model="bert-base-uncased", top_k=3).masks[0].candidates))
"""


@pytest.fixture
def machine(tmp_path):
    def run(*arguments, endpoint="http://127.0.0.1:9", offline="0"):
        environment = os.environ | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(tmp_path / "hub"),
            "LECTURE_CACHE": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": offline,
            "HF_HUB_DISABLE_XET": "1",
        }
        return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)

    run.lock = tmp_path / "cache" / "catalog.lock.json"
    run.hub = tmp_path / "hub"
    return run


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    models.write_encoder(folder, "masked_lm")
    return folder


def test_a_pulled_model_is_locked_verified_and_loads_offline(machine, repository):
    with serving("google-bert/bert-base-uncased", repository) as (endpoint, asked):
        pulled = machine("-m", "lecture_core.catalog", "pull", "bert-base-uncased", endpoint=endpoint)
        assert pulled.returncode == 0, pulled.stderr
        assert asked
    record = json.loads(machine.lock.read_text())["bert-base-uncased"]
    assert record["commit"] == COMMIT
    assert list(record["files"]) == ["model.safetensors"]
    assert "as recorded" in machine("-m", "lecture_core.catalog", "verify", "bert-base-uncased").stdout
    assert machine("-c", FILL, offline="1").stdout.strip() == "3"
    listed = machine("-m", "lecture_core.catalog", "list").stdout
    assert next(row for row in listed.splitlines() if row.startswith("bert-base-uncased")).endswith("cached")


def test_a_changed_file_is_reported(machine, repository):
    with serving("google-bert/bert-base-uncased", repository) as (endpoint, _):
        machine("-m", "lecture_core.catalog", "pull", "bert-base-uncased", endpoint=endpoint)
    weights = next(machine.hub.rglob("model.safetensors")).resolve()
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    checked = machine("-m", "lecture_core.catalog", "verify", "bert-base-uncased")
    assert checked.returncode == 1
    assert "DAMAGED" in checked.stdout


def test_a_damaged_file_without_record_is_reported(machine, repository):
    with serving("google-bert/bert-base-uncased", repository) as (endpoint, _):
        machine("-m", "lecture_core.catalog", "pull", "bert-base-uncased", endpoint=endpoint)
    machine.lock.unlink()
    config = next(machine.hub.rglob("tokenizer.json")).resolve()
    config.chmod(0o644)
    config.write_bytes(config.read_bytes()[:100])
    checked = machine("-m", "lecture_core.catalog", "verify", "bert-base-uncased")
    assert (checked.returncode, "DAMAGED" in checked.stdout) == (1, True)


def test_weights_in_another_format_are_not_called_ready(machine, repository):
    (repository / "model.safetensors").rename(repository / "pytorch_model.bin")
    with serving("google-bert/bert-base-uncased", repository) as (endpoint, _):
        pulled = machine("-m", "lecture_core.catalog", "pull", "bert-base-uncased", endpoint=endpoint)
    assert pulled.returncode == 1
    assert "safetensors" in pulled.stderr
    assert "ready" not in pulled.stdout


def test_half_of_the_shards_is_not_a_model(tmp_path):
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1-of-2.safetensors").write_bytes(b"")
    assert not loading.whole(tmp_path)
    (tmp_path / "model-2-of-2.safetensors").write_bytes(b"")
    assert loading.whole(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("[]")
    assert not loading.whole(tmp_path)


def test_without_a_network_the_answer_comes_soon_and_names_the_remedy(machine):
    started = time.perf_counter()
    listed = machine("-m", "lecture_core.catalog", "list")
    used = machine("-c", FILL)
    assert time.perf_counter() - started < 60  # from_pretrained alone retries for 46 s
    assert "pull bert-base-uncased" in listed.stdout
    assert "catalog pull bert-base-uncased" in used.stderr


def test_an_unknown_name_is_refused_with_a_suggestion(machine):
    refused = machine("-m", "lecture_core.catalog", "pull", "bert-base-uncase")
    assert refused.returncode == 2
    assert "bert-base-uncased" in refused.stderr
