"""Tiny models in front of the catalog's, so that their pages run without a download.

A T5, a vision-language model, and two causal LMs.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from lecture_core import catalog, loading
from tests.tiny.models import write_causal, write_seq2seq, write_vision_language

BUNDLED = Path(__file__).parents[2] / "assets" / "models"


@pytest.fixture(scope="session")
def models_with_t5(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for model in BUNDLED.iterdir():
        (folder / model.name).symlink_to(model)
    write_seq2seq(folder / "tiny-t5")
    return folder


@pytest.fixture
def tiny_t5(models_with_t5, monkeypatch):
    row = replace(catalog.get("minilm-mlm"), id="tiny-t5", title="tiny T5", role="seq2seq", source="bundled:tiny-t5")
    rows = {"tiny-t5": row} | catalog._rows()
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    monkeypatch.setattr(loading, "BUNDLED", models_with_t5)


@pytest.fixture(scope="session")
def folder_with_vlm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vision")
    write_vision_language(folder / "tiny-vlm")
    return folder


@pytest.fixture
def tiny_vlm(folder_with_vlm, monkeypatch):
    row = replace(
        catalog.get("minilm-mlm"),
        id="tiny-vlm",
        title="tiny VLM",
        role="vision_language",
        source="bundled:tiny-vlm",
        context_length=32,
    )
    rows = {"tiny-vlm": row} | {i: r for i, r in catalog._rows().items() if r.origin != "bundled"}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    monkeypatch.setattr(loading, "BUNDLED", folder_with_vlm)


@pytest.fixture(scope="session")
def folder_with_causals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    for seed, name in enumerate(("tiny-small", "tiny-large")):
        write_causal(folder / name, seed=seed)
    return folder


@pytest.fixture
def tiny_causals(folder_with_causals, monkeypatch):
    """Two causal LMs of the same words and other weights, the only ones that are here; both read 64 tokens."""
    known = catalog.get("smollm2-135m-instruct")
    rows = {
        name: replace(
            known, id=name, title=name, source=f"bundled:{name}", parameters=parameters, context_length=64, packs=()
        )
        for name, parameters in (("tiny-large", 20_000), ("tiny-small", 10_000))
    }
    rows |= {i: row for i, row in catalog._rows().items() if row.role != "causal_lm"}
    monkeypatch.setattr(catalog, "_rows", lambda: rows)
    monkeypatch.setattr(loading, "BUNDLED", folder_with_causals)
