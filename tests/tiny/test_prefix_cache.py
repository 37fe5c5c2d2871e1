"""A prefix shared by successive prompts is read once, within its bound, and changes no number."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig

from lecture_core import generation, loading, prefix_cache, scoring, token_logprobs
from lecture_core.device import Device
from lecture_core.prefix_cache import PrefixCache
from tests.tiny.models import SIZES, VOCABULARY, tokenizer

EXEMPLARS = "the cat sat on the mat : good . the dog ran out of the river : bad . "
QUESTIONS = ["the chef cooked a meal :", "the doctor went to the hospital :", "it was very good :", "a banana :"]
LABELS = [" good", " bad", " very good and well"]
COMMON = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 64, "pad_token_id": 0}
CONFIGS = {
    "llama": LlamaConfig(**COMMON, **SIZES, num_key_value_heads=1),
    "gpt2": GPT2Config(vocab_size=len(VOCABULARY), n_positions=64, n_embd=16, n_layer=2, n_head=2),
    "mistral": MistralConfig(**COMMON, **SIZES, num_key_value_heads=1, sliding_window=8),
}


def score_prompts(prompts, labels, model):
    return scoring.score_together([scoring.score_request(prompts, labels, model.words)], model)[0]


def score(prompt, labels, model):
    return score_prompts([prompt], labels, model).prompts[0]


@pytest.fixture
def load_family(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "BUNDLED", tmp_path)

    def load(family):
        torch.manual_seed(2)
        model = AutoModelForCausalLM.from_config(CONFIGS[family])
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        model.save_pretrained(tmp_path / family)
        tokenizer(frame=False, limit=64).save_pretrained(tmp_path / family)
        return loading.load(replace(rows["tiny-lm"], id=family, title=family, source=f"bundled:{family}"))

    return load


@pytest.fixture
def tokens_read(monkeypatch):
    """How many tokens each forward pass was given, over all rows."""
    read = []

    def watch(model):
        forward = model.network.forward

        def counted(*args, **kwargs):
            read.append(kwargs["input_ids"].numel())
            return forward(*args, **kwargs)

        monkeypatch.setattr(model.network, "forward", counted)
        return read

    return watch


@pytest.mark.parametrize("family", CONFIGS)
def test_scores_with_the_cache_equal_those_without(family, load_family):
    model = load_family(family)
    plain = replace(model, prefixes=PrefixCache(limit=0))
    prompts = [EXEMPLARS + question for question in QUESTIONS] + [QUESTIONS[0], EXEMPLARS + QUESTIONS[0]]
    for prompt in prompts:
        ours, expected = (score(prompt, LABELS, m) for m in (model, plain))
        for one, other in zip(ours.completions, expected.completions, strict=True):
            assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
        ours, expected = (token_logprobs.next_token(prompt, m, top_k=len(VOCABULARY)) for m in (model, plain))
        assert [c.token for c in ours.candidates] == [c.token for c in expected.candidates]
        assert ours.entropy == pytest.approx(expected.entropy, abs=1e-4)
    assert plain.prefixes.held == 0


def test_shared_exemplars_are_read_once(load_family, tokens_read):
    model = load_family("llama")
    read = tokens_read(model)
    exemplars = len(model.words.encode(EXEMPLARS)[0])
    for question in QUESTIONS:
        token_logprobs.next_token(EXEMPLARS + question, model)
    questions = [len(model.words.encode(question)[0]) for question in QUESTIONS]
    assert read[0] == exemplars + questions[0]
    assert all(n <= question for n, question in zip(read[1:], questions[1:], strict=True))


def test_the_same_prompt_again_is_one_token(load_family, tokens_read):
    model = load_family("llama")
    read = tokens_read(model)
    for _ in range(2):
        score(EXEMPLARS, [" good", " bad"], model)
    assert read[1:] == [1]


def test_a_sweep_over_questions_holds_one_prompt(load_family):
    model = load_family("llama")
    for question in QUESTIONS * 2:
        token_logprobs.next_token(EXEMPLARS + question, model)
    assert len(model.prefixes._prompts) == 1


def test_memory_stays_within_its_bound_and_the_oldest_prompt_goes(load_family):
    model = load_family("llama")
    words = VOCABULARY[6:26]
    token_logprobs.next_token(" ".join(words), model)
    size = model.prefixes.held
    bounded = replace(model, prefixes=PrefixCache(limit=3 * size))
    for shift in range(6):
        token_logprobs.next_token(" ".join(words[shift:] + words[:shift]), bounded)
        assert 0 < bounded.prefixes.held <= 3 * size
    firsts = [model.words.readable(prompt.ids[0]) for prompt in bounded.prefixes._prompts]
    assert firsts == [words[shift] for shift in (3, 4, 5)]


def test_one_prompt_may_be_larger_than_several_together(load_family):
    model = replace(load_family("llama"), prefixes=PrefixCache(limit=10))
    token_logprobs.next_token(QUESTIONS[0], model)
    token_logprobs.next_token(EXEMPLARS, model)
    assert len(model.prefixes._prompts) == 1
    assert model.prefixes.take(model.words.encode(EXEMPLARS)[0])[1]


def test_a_prompt_larger_than_the_bound_is_not_kept(load_family):
    model = replace(load_family("llama"), prefixes=PrefixCache(limit=10, limit_of_one=10))
    token_logprobs.next_token(EXEMPLARS, model)
    assert model.prefixes.held == 0


def test_a_card_keeps_more_than_a_cpu_and_its_share_at_most(monkeypatch):
    on_a_cpu = PrefixCache()
    monkeypatch.setattr(prefix_cache.devices, "choose", lambda: Device("cuda", "bfloat16", "a card"))
    monkeypatch.setattr(prefix_cache.devices, "memory_bytes", lambda: 80_000_000_000)
    on_a_card = PrefixCache()
    assert on_a_cpu.limit < on_a_card.limit == 800_000_000
    assert on_a_cpu.limit_of_one < on_a_card.limit_of_one == 1_600_000_000
    assert PrefixCache(limit=0).limit_of_one == 0


@pytest.mark.parametrize("family", CONFIGS)
def test_generating_knows_what_an_earlier_prompt_has_read_and_writes_the_same(load_family, tokens_read, family):
    model = load_family(family)
    for prompt in [EXEMPLARS + question for question in QUESTIONS]:
        ids = model.row(model.words.encode(prompt)[0])
        expected = model.network.generate(ids, max_new_tokens=6, do_sample=False)[0, ids.shape[1] :]
        assert written(prompt, model) == model.words.tokenizer.decode(expected, skip_special_tokens=True)
    read = tokens_read(model)
    written(EXEMPLARS + QUESTIONS[0], model)
    long = len(model.words.encode(EXEMPLARS)[0])
    assert (sum(read) < long) == (family != "mistral")


def written(prompt, model):
    pieces = []
    generation.stream_with_transformers(
        model, prompt, generation.Sampling(6), lambda text, tokens, logprobs: pieces.append(text)
    )
    return "".join(pieces)


def test_a_sliding_window_is_not_kept(load_family):
    model = load_family("mistral")
    token_logprobs.next_token(EXEMPLARS, model)
    assert model.prefixes.held == 0


def test_completions_do_not_change_the_kept_prompt(load_family):
    model = load_family("llama")
    score(EXEMPLARS, LABELS, model)
    (prompt,) = model.prefixes._prompts
    assert prompt.cache.get_seq_length() == len(prompt.ids)
    assert prompt.cache.layers[0].keys.shape[0] == 1


@pytest.mark.parametrize("family", CONFIGS)
def test_prompts_scored_together_equal_prompts_scored_alone(family, load_family):
    model = load_family(family)
    prompts = [EXEMPLARS + question for question in QUESTIONS] + [QUESTIONS[0], EXEMPLARS.strip()]
    for chosen in (prompts, prompts[:4], [QUESTIONS[1], QUESTIONS[1] + " the"]):
        together = score_prompts(chosen, LABELS, model)
        for prompt, scores in zip(chosen, together.prompts, strict=True):
            model.prefixes.clear()
            alone = score(prompt, LABELS, model)
            for one, other in zip(scores.completions, alone.completions, strict=True):
                assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
                assert [t.token for t in one.tokens] == [t.token for t in other.tokens]


def test_prompts_scored_together_fit_the_bound_on_a_batch(load_family, tokens_read, monkeypatch):
    model = load_family("llama")
    prompts = [EXEMPLARS + question for question in QUESTIONS]
    expected = score_prompts(prompts, LABELS, model)
    monkeypatch.setattr(scoring, "TREE_TOKENS", 10)
    model.prefixes.clear()
    read = tokens_read(model)
    found = score_prompts(prompts, LABELS, model)
    assert len(read) > 3
    assert all(n <= 10 for n in read[1:])
    for one, other in zip(expected.prompts, found.prompts, strict=True):
        assert [c.logprob for c in one.completions] == pytest.approx([c.logprob for c in other.completions], abs=1e-4)


@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_a_long_prompt_is_read_once_for_all_its_labels(family, load_family, tokens_read, monkeypatch):
    monkeypatch.setattr(scoring, "TREE_TOKENS", 10)
    model = load_family(family)
    labels = [f" {word}" for word in VOCABULARY[6:12]]
    prompts = [EXEMPLARS + question for question in QUESTIONS]
    size = sum(len(model.words.encode(prompt)[0]) for prompt in prompts)
    read = tokens_read(model)
    score_prompts(prompts, labels, model)
    assert sum(read) <= size


def test_a_short_prompt_does_not_join_long_ones(load_family):
    words = load_family("llama").words
    sweep, other, short, brief = (
        scoring.score_request(prompts, LABELS, words)
        for prompts in ([EXEMPLARS * 2 + q for q in QUESTIONS], [EXEMPLARS * 2 + "a"], QUESTIONS[:1], ["good"])
    )
    assert sweep.joins([other])
    assert short.joins([brief])
    assert not short.joins([sweep])
    assert not sweep.joins([short])


@pytest.mark.parametrize("family", CONFIGS)
def test_a_text_that_grows_is_read_on_and_ranked_as_if_read_anew(family, load_family, tokens_read):
    model = load_family(family)
    read = tokens_read(model)
    counts = []
    for text in (EXEMPLARS, EXEMPLARS + QUESTIONS[0], EXEMPLARS + QUESTIONS[1], EXEMPLARS, QUESTIONS[2]):
        plain = token_logprobs.token_logprobs(text, model, top_k=3)
        before = len(read)
        found = token_logprobs.token_logprobs_of_long(text, model, top_k=3)
        counts.append(sum(read[before:]))
        assert [t.token for t in found.tokens] == [t.token for t in plain.tokens]
        assert [t.rank for t in found.tokens] == [t.rank for t in plain.tokens]
        expected = [t.logprob for t in plain.tokens]
        assert [t.logprob for t in found.tokens] == pytest.approx(expected, abs=1e-4)
        assert found.mean_nats == pytest.approx(plain.mean_nats, abs=1e-4)
    shared, others = 19, [6, 6, 0]  # tokens that no earlier text had; the last shared one is read again
    grown = [shared, *(1 + other for other in others), 5]
    assert counts == (grown if family != "mistral" else [19, 25, 26, 19, 5])  # a sliding window cannot be cut back


def test_what_was_noted_of_a_text_is_not_taken_for_another_number_of_alternatives(load_family):
    model = load_family("llama")
    for top_k in (1, 4):
        found = token_logprobs.token_logprobs_of_long(EXEMPLARS, model, top_k=top_k)
        assert {len(token.alternatives) for token in found.tokens[1:]} == {top_k}


def test_a_large_model_on_a_cpu_reads_in_parts_that_can_be_stopped(load_family, tokens_read):
    model = load_family("llama")
    read, plain = tokens_read(model), token_logprobs.token_logprobs(EXEMPLARS, model)
    large = replace(model, spec=replace(model.spec, parameters=20_000_000_000), prefixes=PrefixCache())
    del read[:]
    assert large.part(512) == 5
    found = token_logprobs.token_logprobs_of_long(EXEMPLARS, large)
    score(EXEMPLARS, LABELS, large)
    assert max(read) <= 6
    assert found.mean_nats == pytest.approx(plain.mean_nats, abs=1e-4)
    assert token_logprobs.read_alone(large.words, 100, "cpu") is False  # the tokenizer's row says how large it is
