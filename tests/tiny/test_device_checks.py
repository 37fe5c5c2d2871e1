"""The checks of the GPU's tests, on the CPU with tiny models."""

import pytest

from lecture_core import device as devices
from lecture_core.device import Device
from lecture_core.engine.local import LocalEngine
from tests import device_checks as checks

TEXTS = [
    f"the {word} sat on the [MASK] ." for word in ("cat", "dog", "chef", "doctor", "river", "bank", "meal", "model")
]
PROMPT = "the cat sat on the mat and the dog ran to the river"
LONG = " ".join([PROMPT] * 3)


@pytest.fixture
def batching(batching):
    """Without kept results."""
    engine = LocalEngine(result_bytes=0)
    yield engine
    for worker in engine._pool._workers.values():
        worker.close()


def test_bfloat16_ranks_as_float32(rows, monkeypatch):
    monkeypatch.setattr(devices, "choose", lambda: Device("cpu", "bfloat16", "as on a GPU"))
    checks.the_device_ranks_as_the_cpu(rows["tiny-mlm"], TEXTS, monkeypatch, within=0.02)


def test_batched_answers_equal_single_ones(batching):
    checks.batched_answers_equal_single_ones(batching, "tiny-mlm", TEXTS, within=1e-5)


def test_a_stop_frees_a_stream_within_a_second(batching):
    checks.a_stop_frees_a_stream_within_a_second(batching, "tiny-lm", "the cat")


def test_an_equal_beginning_is_read_once(batching, monkeypatch):
    checks.an_equal_beginning_is_read_once(batching, "tiny-lm", LONG, monkeypatch)


def test_running_out_of_memory_fails_one_request_only(batching):
    checks.running_out_of_memory_fails_one_request_only(batching, "tiny-mlm", TEXTS[0])


def test_streams_go_on_while_passes_run(batching):
    checks.streams_go_on_while_passes_run(batching, "tiny-lm", "tiny-mlm", PROMPT, TEXTS[0])


def test_a_batch_that_breaks_down_is_replaced(batching, monkeypatch):
    checks.a_batch_that_breaks_down_is_replaced(batching, "tiny-lm", PROMPT, monkeypatch)
