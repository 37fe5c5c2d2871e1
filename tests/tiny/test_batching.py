"""Requests of many sessions in one worker: joined by length, equal to single ones, each failing alone."""

import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from lecture_core import forward, masked_lm
from lecture_core.device import Device
from lecture_core.engine import batch_limits
from lecture_core.engine import worker as worker_module
from lecture_core.engine.batch_limits import BatchLimits
from lecture_core.engine.local import LocalEngine
from lecture_core.engine.waiting import Ticket
from lecture_core.engine.worker import GATHERING
from lecture_core.errors import InvalidInputError, ModelUnavailableError

WORDS = ["cat", "dog", "chef", "doctor", "banana", "river", "bank", "model", "meal", "mat"]
TEXTS = [f"the {w} sat on the [MASK] and it {'was very ' * i}good ." for i, w in enumerate(WORDS)]
PLAIN = [text.replace("[MASK]", "mat") for text in TEXTS]


@pytest.fixture
def engine(rows):
    return LocalEngine(result_bytes=0)


@pytest.fixture
def batches(monkeypatch):
    """The lengths of the texts in each forward pass."""
    seen, real = [], forward.logits_at

    def counted(requests, model):
        seen.append([len(request) for request in requests])
        return real(requests, model)

    monkeypatch.setattr(forward, "logits_at", counted)
    return seen


@pytest.fixture
def held(engine):
    """The model's thread, kept busy until `release` is called, so that requests pile up behind it."""
    engine.fill_mask("the [MASK]", model="tiny-mlm")
    return Held(engine, "tiny-mlm")


class Held:
    def __init__(self, engine, model):
        self.worker, self.event, begun = engine._pool._workers[model], threading.Event(), threading.Event()

        def hold(_):
            begun.set()
            self.event.wait(10)

        threading.Thread(target=self.worker.run, args=[hold, Ticket()], kwargs={"deadline": 20}).start()
        assert begun.wait(10)

    def release_after(self, waiting):
        until = time.monotonic() + 5
        while self.worker.waiting <= waiting and time.monotonic() < until:
            time.sleep(0.001)
        self.event.set()


def all_at_once(held, call, inputs):
    with ThreadPoolExecutor(len(inputs)) as threads:
        futures = [threads.submit(call, each) for each in inputs]
        held.release_after(len(inputs))
        return futures


def test_batched_fill_mask_equals_single(engine, held, batches):
    def call(text):
        return engine.fill_mask(text, model="tiny-mlm", top_k=20)

    together = [future.result() for future in all_at_once(held, call, TEXTS)]
    assert [len(batch) for batch in batches] == [len(TEXTS)]
    model = held.worker.model
    for text, result in zip(TEXTS, together, strict=True):
        from lecture_core.masked_lm import fill_masks

        alone = fill_masks(text, model, top_k=20)
        assert result.tokens == alone.tokens
        assert [c.token for c in result.masks[0].candidates] == [c.token for c in alone.masks[0].candidates]
        expected = [c.probability for c in alone.masks[0].candidates]
        assert [c.probability for c in result.masks[0].candidates] == pytest.approx(expected, abs=1e-5)


def test_fill_mask_and_the_generator_of_electra_share_a_batch(engine, held, batches):
    def call(text):
        if "[MASK]" in text:
            return engine.fill_mask(text, model="tiny-mlm")
        return engine.corrupt(text, model="tiny-mlm", seed=1, mask_probability=0.3)

    mixed = [future.result() for future in all_at_once(held, call, TEXTS[:3] + PLAIN[:3])]
    assert len(batches) == 1
    for text, result in zip(PLAIN[:3], mixed[3:], strict=True):
        assert call(text).corrupted_ids == result.corrupted_ids


def test_batched_detection_equals_single(engine, batches):
    def call(text):
        return engine.detect_replacements(text, model="tiny-discriminator").tokens

    alone = [call(text) for text in PLAIN]
    batches.clear()
    together = [f.result() for f in all_at_once(Held(engine, "tiny-discriminator"), call, PLAIN)]
    assert len(batches) == 1
    for one, other in zip(alone, together, strict=True):
        assert [t.token for t in one] == [t.token for t in other]
        assert [t.probability for t in one] == pytest.approx([t.probability for t in other], abs=1e-5)


def test_batched_next_tokens_and_surprises_of_a_causal_model_equal_single_ones(engine, batches):
    def call(text):
        if text in PLAIN[5:]:
            return engine.token_logprobs(text, model="tiny-lm").tokens
        return engine.next_token(text, model="tiny-lm").candidates

    alone = [call(text) for text in PLAIN]
    batches.clear()
    together = [f.result() for f in all_at_once(Held(engine, "tiny-lm"), call, PLAIN)]
    assert [len(batch) for batch in batches] == [len(PLAIN)]
    for one, other in zip(alone, together, strict=True):
        values = [[t.logprob if hasattr(t, "logprob") else t.logit for t in tokens] for tokens in (one, other)]
        assert [t.token for t in one] == [t.token for t in other]
        assert values[0] == pytest.approx(values[1], abs=1e-4)


def test_hidden_tokens_share_a_batch_with_filled_masks(engine, held, batches):
    def call(text):
        if "[MASK]" in text:
            return engine.fill_mask(text, model="tiny-mlm")
        return engine.masked_logprobs(text, model="tiny-mlm", positions=[2])

    mixed = [future.result() for future in all_at_once(held, call, TEXTS[:2] + PLAIN[:2])]
    assert len(batches) == 1
    assert mixed[2].mean_nats == pytest.approx(call(PLAIN[0]).mean_nats, abs=1e-5)


def test_wanted_logits_of_a_batch_stay_within_their_budget(engine, batches):
    engine.next_token("the cat", model="tiny-lm")
    held = Held(engine, "tiny-lm")
    held.worker._limits = BatchLimits(2048, 40)
    batches.clear()
    futures = all_at_once(held, lambda text: engine.token_logprobs(text, model="tiny-lm"), PLAIN)
    assert all(future.result().tokens for future in futures)
    assert all(len(batch) == 1 or sum(batch) <= 40 for batch in batches)
    assert 1 < len(batches) < len(PLAIN)


def test_a_long_text_does_not_pad_short_ones(engine, held, batches):
    texts = ["the [MASK] sat", "the cat [MASK] on the mat", "the [MASK] " + "was very " * 25]
    all_at_once(held, lambda text: engine.fill_mask(text, model="tiny-mlm"), texts)
    assert sorted(map(sorted, batches)) == [[5, 8], [54]]


def test_a_batch_stays_within_its_budget_padding_counted(engine, held, batches):
    held.worker._limits = BatchLimits(60, 512)
    futures = all_at_once(held, lambda text: engine.fill_mask(text, model="tiny-mlm"), TEXTS)
    assert len([future.result() for future in futures]) == len(TEXTS)
    assert all(max(batch) * len(batch) <= 60 for batch in batches)
    assert len(batches) < len(TEXTS)


def test_on_a_card_a_pass_takes_what_is_free_now(engine, held, monkeypatch):
    looks = []

    def free_bytes():
        looks.append(1)
        return 100_000

    monkeypatch.setattr(worker_module.devices, "choose", lambda: Device("cuda", "bfloat16", "a card"))
    monkeypatch.setattr(worker_module.devices, "free_bytes", free_bytes)
    held.release_after(0)
    for text in TEXTS[:3]:
        engine.fill_mask(text, model="tiny-mlm")
    assert len(looks) == 1
    assert held.worker._limits == batch_limits.within(100_000, held.worker.model.network.config, Device("cpu", "", ""))
    monkeypatch.setattr(worker_module, "MEASURED", 0.0)
    engine.fill_mask(TEXTS[3], model="tiny-mlm")
    assert len(looks) == 2


def test_a_bad_input_fails_alone(engine, held, batches):
    def call(text):
        return engine.fill_mask(text, model="tiny-mlm")

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(call, text) for text in [*TEXTS[:3], "no mask here"]]
        held.release_after(3)
    assert isinstance(futures[3].exception(), InvalidInputError)
    assert all(future.result().masks for future in futures[:3])


def test_running_out_of_memory_in_a_batch_fails_only_the_request_that_does_it(engine, held, monkeypatch):
    real, sizes = forward.logits_at, []

    def small_memory(requests, model):
        sizes.append(len(requests))
        if len(requests) > 1 or len(requests[0]) > 20:
            raise torch.OutOfMemoryError("no memory left")
        return real(requests, model)

    monkeypatch.setattr(forward, "logits_at", small_memory)
    futures = all_at_once(held, lambda text: engine.fill_mask(text, model="tiny-mlm"), [TEXTS[0], TEXTS[1], TEXTS[-1]])
    assert sizes == [3, 1, 1, 1]
    assert futures[0].result().masks
    assert futures[1].result().masks
    with pytest.raises(ModelUnavailableError, match="memory"):
        futures[2].result()
    assert engine.fill_mask(TEXTS[0], model="tiny-mlm").masks
    assert engine.status().waiting == 0


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("no memory left"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes."),
        RuntimeError("unable to mmap 91002312 bytes from file: Cannot allocate memory (12)"),
        MemoryError(),
    ],
)
def test_running_out_of_memory_fails_that_request_only(engine, monkeypatch, error):
    engine.next_token("the cat", model="tiny-lm")
    network = engine._pool._workers["tiny-lm"].model.network

    def forward(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(network, "forward", forward)
        with pytest.raises(ModelUnavailableError, match="ran out of memory"):
            engine.next_token("the dog sat", model="tiny-lm")
    assert engine.next_token("the dog sat", model="tiny-lm").candidates


def test_what_a_failed_batch_held_is_let_go_before_each_is_tried_alone(engine, held, monkeypatch):
    real, kept, alive = forward.logits_at, [], []

    class Activations:
        pass

    def full(requests, model):
        if len(requests) > 1:
            activations = Activations()
            kept.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        alive.append(kept[0]() is not None)
        return real(requests, model)

    monkeypatch.setattr(forward, "logits_at", full)
    futures = all_at_once(held, lambda text: engine.fill_mask(text, model="tiny-mlm"), TEXTS[:3])
    assert all(future.result().masks for future in futures)
    assert alive == [False] * 3


def test_a_bug_in_a_batch_reaches_each_caller_once_and_the_worker_goes_on(engine, held, monkeypatch):
    def broken(requests, model):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(forward, "logits_at", broken)
        futures = all_at_once(held, lambda text: engine.fill_mask(text, model="tiny-mlm"), TEXTS[:3])
    assert [type(future.exception()) for future in futures] == [ZeroDivisionError] * 3
    assert engine.fill_mask(TEXTS[4], model="tiny-mlm").masks


def test_alone_nobody_waits_for_others(engine, monkeypatch):
    engine.fill_mask(TEXTS[0], model="tiny-mlm")
    monkeypatch.setattr(worker_module, "GATHERING", 5.0)
    started = time.perf_counter()
    engine.fill_mask(TEXTS[1], model="tiny-mlm")
    assert time.perf_counter() - started < 2


def test_a_batch_waits_a_few_milliseconds_for_a_text_that_is_being_tokenised(engine, held, batches, monkeypatch):
    assert GATHERING <= 0.005
    monkeypatch.setattr(worker_module, "GATHERING", 5.0)
    ready = threading.Event()
    spans = held.worker.words.__class__.encode

    def slow(self, text, **options):
        if "banana" in text:
            ready.wait(5)
        return spans(self, text, **options)

    monkeypatch.setattr(held.worker.words.__class__, "encode", slow)
    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(engine.fill_mask, TEXTS[4], model="tiny-mlm")
        soon = threads.submit(engine.fill_mask, TEXTS[0], model="tiny-mlm")
        held.release_after(1)
        time.sleep(0.05)
        assert not batches
        ready.set()
        late.result()
        soon.result()
    assert [len(batch) for batch in batches] == [2]


def test_who_comes_while_a_batch_gathers_joins_it(engine, held, batches, monkeypatch):
    monkeypatch.setattr(worker_module, "GATHERING", 5.0)
    monkeypatch.setattr(worker_module, "QUIET", 0.3)
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(engine.fill_mask, text, model="tiny-mlm") for text in TEXTS[:2]]
        held.release_after(2)
        time.sleep(0.1)
        asked.append(threads.submit(engine.fill_mask, TEXTS[2], model="tiny-mlm"))
        assert all(future.result().masks for future in asked)
    assert [len(batch) for batch in batches] == [3]


def test_a_result_that_cannot_be_made_of_its_logits_fails_alone(engine, held, batches, monkeypatch):
    real = masked_lm.provenance_of
    broken = [ZeroDivisionError()]

    def once(model):
        if broken:
            raise broken.pop()
        return real(model)

    monkeypatch.setattr(masked_lm, "provenance_of", once)
    futures = all_at_once(held, lambda text: engine.fill_mask(text, model="tiny-mlm"), TEXTS[:3])
    assert sorted(type(future.exception()).__name__ for future in futures) == ["NoneType"] * 2 + ["ZeroDivisionError"]
    assert len(batches) == 1


def test_many_threads_may_tokenise_at_once(engine):
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(lambda text: engine.fill_mask(text, model="tiny-mlm"), TEXTS * 8))
    assert len(results) == 8 * len(TEXTS)


EXEMPLARS = "the cat sat on the mat : good . the dog ran out of the river : bad . the chef cooked a meal : good . "
ASKED = [f"{EXEMPLARS}the {word} was very well :" for word in WORDS]
LABELS = [" good", " very bad"]


@pytest.fixture
def readings(monkeypatch):
    """How many requests each reading of prompts had."""
    from lecture_core import scoring

    seen, real = [], scoring.score_together

    def counted(requests, model):
        seen.append(len(requests))
        return real(requests, model)

    monkeypatch.setattr(scoring, "score_together", counted)
    return seen


@pytest.fixture
def held_lm(engine):
    engine.next_token("the cat", model="tiny-lm")
    return Held(engine, "tiny-lm")


def summed(scores):
    return [completion.logprob for completion in scores.completions]


def test_questions_of_many_sessions_after_the_same_exemplars_are_read_together(engine, held_lm, readings):
    futures = all_at_once(held_lm, lambda text: engine.score(text, LABELS, model="tiny-lm"), ASKED)
    together = [summed(future.result()) for future in futures]
    assert readings == [len(ASKED)]
    alone = [summed(engine.score(text, LABELS, model="tiny-lm")) for text in ASKED]
    assert [x for row in together for x in row] == pytest.approx([x for row in alone for x in row], abs=1e-4)


def test_other_labels_or_other_exemplars_are_read_apart(engine, held_lm, readings):
    far = "a banana and a river and a bank and a model reads text very well in and out of it and the money was good . "
    asked = [(ASKED[0], LABELS), (ASKED[1], [" bad", " good"]), (2 * far + "the cat :", LABELS), (ASKED[2], LABELS)]
    futures = all_at_once(held_lm, lambda one: engine.score(*one, model="tiny-lm"), asked)
    found = [summed(future.result()) for future in futures]
    assert sorted(readings) == [1, 1, 2]
    alone = [summed(engine.score(*one, model="tiny-lm")) for one in asked]
    assert [x for row in found for x in row] == pytest.approx([x for row in alone for x in row], abs=1e-4)


def test_a_request_for_scores_that_fails_fails_alone(engine, held_lm, monkeypatch):
    from lecture_core import scoring

    real = scoring.score_together

    def breaks(requests, model):
        if any("banana" in model.words.tokenizer.decode(start) for r in requests for start in r.starts):
            raise RuntimeError("broken")
        return real(requests, model)

    monkeypatch.setattr(scoring, "score_together", breaks)
    futures = all_at_once(held_lm, lambda text: engine.score(text, LABELS, model="tiny-lm"), ASKED)
    failed = [text for text, future in zip(ASKED, futures, strict=True) if future.exception()]
    assert failed == [ASKED[WORDS.index("banana")]]


def test_a_sweep_joins_another_students_question(engine, held_lm, readings):
    calls = [
        lambda: engine.score_prompts(ASKED[:4], LABELS, model="tiny-lm"),
        lambda: engine.score(ASKED[5], LABELS, model="tiny-lm"),
    ]
    sweep, one = (f.result() for f in all_at_once(held_lm, lambda call: call(), calls))
    assert readings == [2]
    assert len(sweep.prompts) == 4
    assert summed(one) == pytest.approx(summed(engine.score(ASKED[5], LABELS, model="tiny-lm")), abs=1e-4)
