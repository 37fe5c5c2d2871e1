"""Streams that share a batch, as on a GPU; the same code runs here on the CPU with tiny models."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from lecture_core.engine import continuous
from lecture_core.errors import ContextLengthError, ModelUnavailableError
from lecture_core.generation import Sampling
from lecture_core.seeded_sampling import _uniform, gumbel, processors, settings
from tests.tiny import models

PROMPTS = [
    f"the {a} sat on the {b}" for a in ("cat", "dog", "doctor", "chef") for b in ("mat", "bank", "meal", "river")
]


def written(engine, prompt, **settings):
    chunks = list(engine.generate(prompt, model="tiny-lm", **{"max_new_tokens": 12} | settings))
    return "".join(c.text for c in chunks), chunks[-1].reason, chunks[-1].tokens


def together(engine, asked):
    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(lambda one: written(engine, one[0], **one[1]), asked))


def generator(engine):
    return engine._pool._workers["tiny-lm"].streams


def test_sixteen_at_once_write_what_each_writes_alone_with_plain_generate(batching, monkeypatch):
    shared = together(batching, [(prompt, {}) for prompt in PROMPTS])
    assert generator(batching) is not None
    monkeypatch.setattr(continuous, "serves", lambda: False)
    assert shared == [written(batching, prompt) for prompt in PROMPTS]


def test_log_probabilities_are_those_of_plain_generate(batching, monkeypatch):
    def logprobs():
        return [x for c in batching.generate(PROMPTS[0], model="tiny-lm", max_new_tokens=6) for x in c.logprobs]

    shared = logprobs()
    monkeypatch.setattr(continuous, "serves", lambda: False)
    assert shared == pytest.approx(logprobs(), abs=1e-4)


def test_a_sample_depends_on_its_own_seed_whoever_stands_beside_it(batching):
    sampled = {"temperature": 1.5, "top_p": 0.9}
    alone = [written(batching, PROMPTS[0], seed=seed, **sampled) for seed in range(4)]
    among = together(batching, [(PROMPTS[0], {"seed": s, **sampled}) for s in range(4)] + [(p, {}) for p in PROMPTS])
    assert alone == among[:4]
    assert len(set(alone)) > 1


@pytest.mark.parametrize("seed", range(4))
def test_a_sample_is_that_of_plain_generate(batching, monkeypatch, seed):
    sampled = {"temperature": 1.5, "top_p": 0.9, "seed": seed}
    shared = written(batching, PROMPTS[0], **sampled)
    monkeypatch.setattr(continuous, "serves", lambda: False)
    assert written(batching, PROMPTS[0], **sampled) == shared


def test_samples_follow_the_distribution():
    probabilities = torch.tensor([0.5, 0.25, 0.125, 0.1, 0.02, 0.005])
    keys = torch.randint(-(2**31), 2**31, (40_000, 1), generator=torch.Generator().manual_seed(0))
    drawn = (probabilities.log() + gumbel(keys, 6)).argmax(-1).bincount(minlength=6) / len(keys)
    spread = (probabilities * (1 - probabilities) / len(keys)).sqrt()
    assert ((drawn - probabilities).abs() < 4 * spread).all()


def asking(*samplings):
    """Requests as transformers hands them to a processor."""
    states = (
        SimpleNamespace(logit_processor_kwargs=settings(s), initial_tokens=[1], generated_tokens=[]) for s in samplings
    )
    return [SimpleNamespace(state=state, has_new_token=True) for state in states]


GREEDY, DRAWN, CUT = Sampling(), Sampling(temperature=0.8, seed=1), Sampling(temperature=0.8, top_p=0.5, seed=1)


@pytest.mark.parametrize(("beside", "sorts"), [([], 0), ([DRAWN], 0), ([CUT], 1)])
def test_a_step_pays_for_what_its_requests_ask_and_greedy_scores_stay_exact(beside, sorts, monkeypatch):
    calls, sort = [], torch.sort
    monkeypatch.setattr(torch, "sort", lambda *a, **k: calls.append(1) or sort(*a, **k))
    mine, scores = processors(), torch.randn(1 + len(beside), 40, generator=torch.Generator().manual_seed(0))
    stored = mine.prepare_tensor_args(asking(*beside, GREEDY), torch.empty((3, 8), dtype=torch.int32))
    found = mine(None, scores, stored)
    assert len(calls) == sorts
    assert torch.equal(found[-1], scores[-1])
    assert (found is scores) == (not beside)


@pytest.mark.parametrize("sampling", [DRAWN, CUT])
def test_what_is_skipped_for_others_changes_nobodys_scores(sampling):
    scores = torch.randn(2, 40, generator=torch.Generator().manual_seed(0))
    alone, beside = processors(), processors()
    storage = torch.empty((3, 8), dtype=torch.int32)
    one = alone(None, scores[:1], alone.prepare_tensor_args(asking(sampling), storage.clone()))
    both = beside(None, scores, beside.prepare_tensor_args(asking(sampling, CUT), storage.clone()))
    assert torch.equal(one[0], both[0])


def test_noise_is_finite_for_every_word_of_32_bits():
    words = torch.tensor([0, 1, 511, 512, 2**31, 2**32 - 513, 2**32 - 2, 2**32 - 1])
    uniform = _uniform(words)
    assert uniform.dtype == torch.float32
    assert uniform.min() > 0
    assert uniform.max() < 1
    assert (-torch.log(-torch.log(uniform))).isfinite().all()


def test_who_asks_while_the_loop_stands_still_is_served_by_the_next(batching, monkeypatch):
    whole = written(batching, PROMPTS[0])
    free = threading.Event()
    manager = generator(batching)._batch.manager
    step = manager._generation_step
    monkeypatch.setattr(manager, "_generation_step", lambda: (free.wait(), step()))
    monkeypatch.setattr(continuous, "STALLED", 0.5)
    chunks = batching.generate(PROMPTS[1], model="tiny-lm", max_new_tokens=8)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(list, chunks)
        time.sleep(0.2)
        assert batching.score("the cat sat on the", ["mat"], model="tiny-lm").completions  # waits for a pause
        with pytest.raises(ModelUnavailableError):
            first.result(5)
    assert written(batching, PROMPTS[0]) == whole
    free.set()


def test_a_stop_text_ends_the_stream(batching):
    whole = written(batching, PROMPTS[0])[0]
    word = whole.split()[3]
    text, reason, _ = written(batching, PROMPTS[0], stop=[word])
    assert (text, reason) == (whole[: whole.index(word)], "stop")


def test_a_closed_stream_leaves_the_batch_within_a_second(batching):
    written(batching, PROMPTS[0])
    chunks = batching.generate("the cat", model="tiny-lm", max_new_tokens=60)
    next(chunks)
    chunks.close()
    scheduler = generator(batching)._batch.manager.batch_processor.scheduler
    until = time.monotonic() + 1
    while (scheduler.active_requests or scheduler.waiting_requests) and time.monotonic() < until:
        time.sleep(0.02)
    assert not scheduler.active_requests
    assert not scheduler.waiting_requests


def test_a_prompt_that_cannot_fit_is_refused_and_holds_up_nobody(batching):
    with pytest.raises(ContextLengthError, match="64"):
        written(batching, "the " * 64)
    assert written(batching, PROMPTS[0])[1] in ("length", "stop")


def test_a_loop_that_died_fails_its_streams_and_is_replaced(batching, monkeypatch):
    whole = written(batching, PROMPTS[0])
    first = generator(batching)._batch

    def broken():
        raise RuntimeError("the card fell off")

    monkeypatch.setattr(first.manager, "_generation_step", broken)
    with pytest.raises(ModelUnavailableError, match="starts anew"):
        written(batching, PROMPTS[1])
    assert written(batching, PROMPTS[0]) == whole
    assert generator(batching)._batch is not first


def breaks_after(batch, monkeypatch, steps, error):
    """Let a batch do so many more steps, then fail with the error."""
    step, left = batch.manager._generation_step, iter(range(steps))

    def breaking():
        if next(left, None) is None:
            raise error
        step()

    monkeypatch.setattr(batch.manager, "_generation_step", breaking)


@pytest.mark.parametrize("settings", [{}, {"temperature": 1.5, "top_p": 0.9, "seed": 3}])
def test_who_got_a_token_from_a_batch_that_broke_goes_on_in_the_next(batching, monkeypatch, settings):
    asked = [(prompt, settings) for prompt in PROMPTS[:4]]
    whole = [written(batching, prompt, **settings) for prompt, _ in asked]
    first = generator(batching)._batch
    breaks_after(first, monkeypatch, 8, RuntimeError("CUDA out of memory."))
    assert together(batching, asked) == whole
    assert generator(batching)._batch is not first


def test_who_got_no_token_from_a_batch_that_ran_out_of_memory_is_told_so(batching, monkeypatch):
    written(batching, PROMPTS[0])
    breaks_after(generator(batching)._batch, monkeypatch, 0, RuntimeError("CUDA out of memory."))
    with pytest.raises(ModelUnavailableError, match="Shorten the text"):
        written(batching, PROMPTS[1])
    assert written(batching, PROMPTS[0])[1] in ("length", "stop")


def test_a_closed_generator_starts_no_new_batch(batching):
    chunks = batching.generate("the cat", model="tiny-lm", max_new_tokens=60)
    next(chunks)
    streams = generator(batching)
    streams.close()
    with pytest.raises(ModelUnavailableError):
        list(chunks)
    assert streams._batch is None


def test_a_loop_that_stands_still_is_replaced(batching, monkeypatch):
    whole = written(batching, PROMPTS[0])
    free = threading.Event()
    manager = generator(batching)._batch.manager
    step = manager._generation_step
    monkeypatch.setattr(manager, "_generation_step", lambda: (free.wait(), step()))
    monkeypatch.setattr(continuous, "STALLED", 0.3)
    with pytest.raises(ModelUnavailableError):
        written(batching, PROMPTS[1])
    assert written(batching, PROMPTS[0]) == whole
    free.set()


def test_a_forward_pass_of_the_same_weights_between_two_steps_changes_neither(batching):
    score = batching.score("the cat sat on the", ["mat", "dog"], model="tiny-lm").completions
    whole = written(batching, "the cat", max_new_tokens=40)
    chunks = batching.generate("the cat", model="tiny-lm", max_new_tokens=40)
    text = next(chunks).text
    again = batching.score("the cat sat on the", ["mat", "dog", "river"], model="tiny-lm").completions
    assert [c.logprob for c in again[:2]] == pytest.approx([c.logprob for c in score], abs=1e-5)
    assert text + "".join(c.text for c in chunks) == whole[0]


def test_gpt2_with_learned_positions_writes_the_same_in_a_batch(batching, tiny_folder, monkeypatch):
    folder = tiny_folder / "tiny-lm"
    kept = {f.name: f.read_bytes() for f in folder.iterdir()}
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(models.VOCABULARY),
        n_positions=64,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=5,
        eos_token_id=5,
    )
    try:
        GPT2LMHeadModel(config).save_pretrained(folder)
        shared = together(batching, [(prompt, {}) for prompt in PROMPTS])
        monkeypatch.setattr(continuous, "serves", lambda: False)
        assert shared == [written(batching, prompt) for prompt in PROMPTS]
    finally:
        for name, content in kept.items():
            (folder / name).write_bytes(content)
