"""A local engine whose catalog has six tiny models."""

import time
from dataclasses import replace

import pytest

from lecture_core import catalog, loading
from lecture_core.engine import continuous
from lecture_core.engine.local import LocalEngine
from tests.tiny import models

ROWS = {
    "tiny-mlm": "masked_lm",
    "tiny-generator": "rtd_generator",
    "tiny-discriminator": "rtd_discriminator",
    "tiny-lm": "causal_lm",
    "tiny-t5": "seq2seq",
    "tiny-vlm": "vision_language",
}


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models.write_encoder(folder / "tiny-mlm", "masked_lm")
    models.write_encoder(folder / "tiny-generator", "rtd_generator")
    models.write_encoder(folder / "tiny-discriminator", "rtd_discriminator")
    models.write_causal(folder / "tiny-lm")
    models.write_seq2seq(folder / "tiny-t5")
    models.write_vision_language(folder / "tiny-vlm")
    return folder


@pytest.fixture
def rows(tiny_folder, monkeypatch):
    template = catalog.get("minilm-mlm")
    tiny = {
        i: replace(template, id=i, title=i, role=r, source=f"bundled:{i}", context_length=64) for i, r in ROWS.items()
    }
    everything = catalog._rows() | tiny
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    monkeypatch.setattr(loading, "BUNDLED", tiny_folder)
    return tiny


@pytest.fixture
def engine(rows):
    return LocalEngine()


@pytest.fixture
def batching(engine, monkeypatch):
    monkeypatch.setattr(continuous, "serves", lambda: True)
    monkeypatch.setattr(continuous, "FREED", 0.2)
    yield engine
    for worker in engine._pool._workers.values():
        worker.close()


def until(condition, seconds=5):
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
