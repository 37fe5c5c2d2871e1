"""The default view of every page stands without loading a model: what was recorded is shown, and says so."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import lecture_core.engine
from lecture_core.engine import llama, pool, worker
from lecture_core.engine.first_views import FirstViews
from lecture_core.engine.local import LocalEngine
from lecture_core.errors import ModelUnavailableError
from lecture_core.outline import PAGES

SCRIPT = str(Path(__file__).parents[2] / "streamlit_app.py")
NO_RECORDED = {"home", "tables", "models", "chinchilla", "scaling_bench", "open_weight_models"}
WITH_MODELS = [page for page in PAGES if page.stem not in NO_RECORDED]
pytestmark = pytest.mark.bundled


@pytest.fixture
def nothing_loads(monkeypatch):
    def refuse(*_, **__):
        raise ModelUnavailableError("Nothing can be loaded in this test.")

    monkeypatch.setattr(worker, "load", refuse)
    monkeypatch.setattr(pool, "load_tokenizer", refuse)
    monkeypatch.setattr(llama, "LlamaProcess", refuse)
    engine = LocalEngine(first_views=FirstViews())
    monkeypatch.setattr(engine, "_catch_up", lambda *_: None)  # the live results do not come
    monkeypatch.setattr(lecture_core.engine, "_engine", lambda name: engine)
    return engine


@pytest.mark.parametrize("page", WITH_MODELS, ids=lambda page: page.stem)
def test_the_default_view_needs_no_model(page, nothing_loads):
    at = AppTest.from_file(SCRIPT, default_timeout=60)
    at.run()
    at.switch_page(page.path).run()
    assert not at.exception
    assert not at.error
    assert any("ui.first" in caption.value for caption in at.caption)
    assert not nothing_loads.status().loaded
