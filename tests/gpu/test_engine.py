"""The engine on a GPU, with the shipped models."""

import pytest

from lecture_core import catalog
from lecture_core.engine.local import LocalEngine
from tests import device_checks as checks

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")]

ENCODER, DECODER = "minilm-mlm", "smollm2-135m-instruct"
TEXTS = [
    "She went to the [MASK] to see the doctor.",
    "The capital of France is [MASK].",
    "He [MASK].",
    "The old man sat by the [MASK] and looked at the boats on the water.",
    "In winter it is [MASK] in the north of the country, and the days are short.",
]
PROMPT = "Once upon a time, in a small village by the sea, there lived"
LONG = " ".join([PROMPT] * 5)


@pytest.fixture(scope="module")
def engine(on_the_gpu):
    made = LocalEngine(result_bytes=0)
    yield made
    for worker in made._pool._workers.values():
        worker.close()


def test_the_gpu_ranks_as_the_cpu(monkeypatch):
    checks.the_device_ranks_as_the_cpu(catalog.get(ENCODER), TEXTS, monkeypatch, within=0.05)


def test_batched_answers_equal_single_ones(engine):
    checks.batched_answers_equal_single_ones(engine, ENCODER, TEXTS, within=0.05)


def test_a_stop_frees_a_stream_within_a_second(engine):
    checks.a_stop_frees_a_stream_within_a_second(engine, DECODER, PROMPT)


def test_an_equal_beginning_is_read_once(engine, monkeypatch):
    checks.an_equal_beginning_is_read_once(engine, DECODER, LONG, monkeypatch)


def test_running_out_of_memory_fails_one_request_only(engine):
    checks.running_out_of_memory_fails_one_request_only(engine, ENCODER, TEXTS[0])


def test_streams_go_on_while_passes_run(engine):
    checks.streams_go_on_while_passes_run(engine, DECODER, ENCODER, PROMPT, TEXTS[0])


def test_a_batch_that_breaks_down_is_replaced(engine, monkeypatch):
    checks.a_batch_that_breaks_down_is_replaced(engine, DECODER, PROMPT, monkeypatch)


def test_what_streams_take_stays_within_what_was_lent(engine):
    checks.written(engine, PROMPT, DECODER)
    worker = engine._pool._workers[DECODER]
    inputs = checks.batch_of(engine, DECODER).manager.batch_processor.inputs_and_outputs
    taken = [inputs.cache.cache_tensor, inputs.read_index_storage, *inputs.attention_mask.values()]
    assert sum(tensor.nbytes for tensor in taken) < worker.lent


def test_the_sum_of_what_is_held_stays_within_the_budget(engine):
    checks.written(engine, PROMPT, DECODER)
    assert engine._pool._held_gb() <= engine._pool._budget
    assert torch.cuda.memory_allocated() / 1e9 <= engine._pool._budget
