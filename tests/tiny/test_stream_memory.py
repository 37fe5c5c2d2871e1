"""The streams of a model take memory out of the same budget as the models."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lecture_core import catalog
from lecture_core.engine import stream_memory
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.pool import _held
from lecture_core.engine.waiting import Ticket
from lecture_core.errors import BusyError, ModelUnavailableError
from tests.tiny.test_continuous import PROMPTS, generator, written

TEXT = "the [MASK] sat"


@pytest.fixture
def with_budget(batching, rows, monkeypatch):
    """An engine with a budget in bytes, whose models need next to nothing before they are loaded."""
    everything = {**catalog._rows(), **{name: replace(row, memory_gb=1e-6) for name, row in rows.items()}}
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    made = []

    def build(size):
        monkeypatch.setenv("LECTURE_MEMORY_GB", str(size / 1e9))
        made.append(LocalEngine(result_bytes=0))
        return made[-1]

    yield build
    for engine in made:
        for worker in engine._pool._workers.values():
            worker.close()


@pytest.fixture
def sizes(batching):
    """Bytes of the encoder, of the decoder, and what the decoder's streams need at least."""
    batching.fill_mask(TEXT, model="tiny-mlm")
    written(batching, PROMPTS[0])
    encoder, decoder = (batching._pool._workers[name] for name in ("tiny-mlm", "tiny-lm"))
    return encoder.model.memory_bytes, decoder.model.memory_bytes, decoder.streams._memory.least


def test_what_streams_take_counts_as_memory_of_the_model(batching):
    written(batching, PROMPTS[0])
    worker = batching._pool._workers["tiny-lm"]
    inputs = worker.streams._batch.manager.batch_processor.inputs_and_outputs
    taken = [inputs.cache.cache_tensor, inputs.read_index_storage, *inputs.attention_mask.values()]
    assert sum(tensor.nbytes for tensor in taken) < worker.lent
    assert _held(worker) * 1e9 == worker.model.memory_bytes + worker.lent + worker.model.prefixes.held


def test_a_cache_takes_what_is_left_of_the_budget(with_budget, sizes):
    _, decoder, least = sizes
    engine = with_budget(decoder + least + 50_000)
    assert written(engine, PROMPTS[0])[2]
    lent = engine._pool._workers["tiny-lm"].lent
    assert least <= lent <= least + 50_000
    cache = generator(engine)._batch.manager.batch_processor.cache
    assert cache.num_blocks == generator(engine)._memory.blocks(lent)


def test_idle_models_are_let_go_for_a_cache(with_budget, sizes):
    encoder, decoder, least = sizes
    engine = with_budget(decoder + least + encoder // 2)
    engine.fill_mask(TEXT, model="tiny-mlm")
    assert written(engine, PROMPTS[0])[2]
    assert list(engine._pool._workers) == ["tiny-lm"]


def test_who_finds_no_room_for_a_cache_waits_for_the_models_in_use_and_may_stop(with_budget, sizes):
    encoder, decoder, least = sizes
    engine = with_budget(decoder + least + encoder // 2)
    engine.fill_mask(TEXT, model="tiny-mlm")
    with ThreadPoolExecutor(2) as threads:
        with engine._pool.use(catalog.get("tiny-mlm"), Ticket()):
            waits = threads.submit(written, engine, PROMPTS[0])
            stopped = engine.generate(PROMPTS[1], model="tiny-lm", session="s")
            leaves = threads.submit(list, stopped)
            time.sleep(0.5)
            assert not waits.done()
            engine.cancel("s")
            assert leaves.result(1)[-1].reason == "cancelled"
            engine._pool._patience = 0.0
            with pytest.raises(BusyError, match="memory"):
                written(engine, PROMPTS[2])
            engine._pool._patience = 9.0
        assert waits.result(5)[2]


def test_streams_that_can_never_fit_are_refused(with_budget, sizes):
    _, decoder, least = sizes
    engine = with_budget(decoder + least - 1000)
    with pytest.raises(ModelUnavailableError, match="LECTURE_MEMORY_GB allows"):
        written(engine, PROMPTS[0])


def test_a_batch_that_finds_no_room_says_so_and_the_next_counts_anew(batching, monkeypatch):
    whole = written(batching, PROMPTS[0])
    generator(batching)._batch.end()
    with monkeypatch.context() as patch:
        patch.setattr(stream_memory.StreamMemory, "blocks", lambda *_: 10**9)
        with pytest.raises(ModelUnavailableError, match="ran out of memory") as told:
            written(batching, PROMPTS[1])
    assert "anew" not in str(told.value)
    assert written(batching, PROMPTS[0]) == whole


def test_a_cache_on_a_card_takes_a_share_of_what_is_free_and_one_whole_context_at_least(monkeypatch):
    memory = stream_memory.StreamMemory(fixed=1000, block=320, whole=640, many=64_000)
    for free, most in ((10**9, 1000 + 2000 * 320), (100_000, 30_000), (10, memory.least)):
        monkeypatch.setattr(stream_memory.devices, "free_bytes", lambda free=free: free)
        assert memory.most == most
    assert memory.blocks(memory.least) == 20
