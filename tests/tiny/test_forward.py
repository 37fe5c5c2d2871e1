"""The head on masked positions only, padded batches: the same numbers as transformers' own pipeline."""

from dataclasses import fields, is_dataclass, replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import (
    AlbertConfig,
    AutoModelForMaskedLM,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    RobertaConfig,
    pipeline,
)

from lecture_core import catalog, loading
from lecture_core.distribution import OwnTokens
from lecture_core.forward import answer, logits_at
from lecture_core.masked_lm import fill_masks, fill_masks_request, vocabulary_request
from lecture_core.pseudo_likelihood import masked_logprobs_request
from lecture_core.replaced_token_detection import corrupt_request, detect_request
from lecture_core.token_logprobs import next_token_request, token_logprobs_request
from tests.tiny.models import SIZES, VOCABULARY, tokenizer

SENTENCES = [
    "the [MASK] sat on the mat .",
    "she went to the [MASK] .",
    "a [MASK]",
    "the chef cooked the [MASK] , and it was very [MASK] in the river bank .",
]
COMMON = {"vocab_size": len(VOCABULARY), "pad_token_id": 0}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
CONFIGS = {
    "bert": BertConfig(**COMMON, **SIZES),
    "roberta": RobertaConfig(**COMMON, **SIZES, max_position_embeddings=130),
    "albert": AlbertConfig(**COMMON, **SIZES, embedding_size=8),
    "distilbert": DistilBertConfig(**COMMON, **DISTIL),
    "electra": ElectraConfig(**COMMON, **SIZES, embedding_size=8),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("families")
    for name, config in CONFIGS.items():
        torch.manual_seed(1)
        model = AutoModelForMaskedLM.from_config(config)
        for parameter in model.parameters():  # far from uniform, or every model would agree with every other
            torch.nn.init.normal_(parameter, std=0.4)
        model.save_pretrained(root / name)
        tokenizer(frame=True, limit=64).save_pretrained(root / name)
    return root


@pytest.fixture
def load_family(folder, monkeypatch):
    monkeypatch.setattr(loading, "BUNDLED", folder)
    template = replace(catalog.get("minilm-mlm"), context_length=64)
    return lambda name: loading.load(replace(template, id=name, title=name, source=f"bundled:{name}"))


@pytest.mark.parametrize("family", CONFIGS)
def test_fill_mask_equals_the_pipeline_in_every_family(family, load_family, folder):
    peer, model = pipeline("fill-mask", model=str(folder / family), top_k=len(VOCABULARY)), load_family(family)
    for sentence in SENTENCES:
        theirs = peer(sentence)
        theirs = theirs if isinstance(theirs[0], list) else [theirs]
        ours = fill_masks(sentence, model, top_k=len(VOCABULARY)).masks
        assert len(ours) == len(theirs)
        for mask, candidates in zip(ours, theirs, strict=True):
            assert [c.token_id for c in mask.candidates] == [c["token"] for c in candidates]
            expected = [c["score"] for c in candidates]
            assert [c.probability for c in mask.candidates] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("family", CONFIGS)
def test_batched_fill_mask_equals_single_in_every_family(family, load_family):
    model = load_family(family)
    requests = [fill_masks_request(sentence, model.words, top_k=20) for sentence in SENTENCES]
    for request, logits in zip(requests, logits_at(requests, model), strict=True):
        batched, single = request.finish(logits, model), request.finish(logits_at([request], model)[0], model)
        for mask, alone in zip(batched.masks, single.masks, strict=True):
            assert [c.token for c in mask.candidates] == [c.token for c in alone.candidates]
            expected = [c.probability for c in alone.candidates]
            assert [c.probability for c in mask.candidates] == pytest.approx(expected, abs=1e-5)


def test_the_head_computes_the_asked_positions_only(load_family):
    model = load_family("bert")
    seen = []
    model.network.get_output_embeddings().register_forward_hook(lambda _m, _i, output: seen.append(output.shape))
    logits_at([fill_masks_request(sentence, model.words) for sentence in SENTENCES], model)
    assert [list(shape) for shape in seen] == [[1, 5, len(VOCABULARY)]]


def test_a_forward_pass_leaves_the_model_as_it_was(load_family):
    model = load_family("bert")
    ids = torch.tensor([model.words.encode(SENTENCES[0])[0]])
    before = model.network(input_ids=ids).logits
    logits_at([fill_masks_request(SENTENCES[0], model.words)], model)
    assert model.network(input_ids=ids).logits.shape == before.shape == (1, ids.shape[1], len(VOCABULARY))


def test_batched_detection_equals_the_whole_network(rows):
    model = loading.load(rows["tiny-discriminator"])
    encoded = [model.words.encode(text.replace("[MASK]", "banana")) for text in SENTENCES]
    requests = [replace(detect_request(ids, starts, None, model.words), digest=None) for ids, starts in encoded]
    for (ids, _), logits in zip(encoded, logits_at(requests, model), strict=True):
        with torch.inference_mode():
            torch.testing.assert_close(logits, model.network(input_ids=torch.tensor([ids])).logits[0])


class NoTorch(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise AssertionError(f"{func} on a thread that asks: each such thread brings a team of its own")


ASKED = {
    "fill_mask": ("tiny-mlm", lambda text, words: fill_masks_request(text, words, asked=["cat"])),
    "vocabulary": ("tiny-mlm", lambda text, words: vocabulary_request(text, words)),
    "masked_logprobs": ("tiny-mlm", lambda text, words: masked_logprobs_request(plain(text), words)),
    "corrupt": ("tiny-generator", lambda text, words: corrupt_request(plain(text), words, seed=3)),
    "detect": ("tiny-discriminator", lambda text, words: detect_request(*words.encode(plain(text)), None, words)),
    "next_token": ("tiny-lm", lambda text, words: next_token_request(plain(text), words)),
    "token_logprobs": ("tiny-lm", lambda text, words: token_logprobs_request(plain(text), words)),
}


def plain(text):
    return text.replace("[MASK]", "cat")


@pytest.mark.parametrize("call", ASKED)
def test_who_asks_makes_the_result_without_torch_and_the_same_in_any_batch(call, rows):
    name, request_of = ASKED[call]
    model = loading.load(rows[name])
    requests = [request_of(text, model.words) for text in SENTENCES[:3]]
    together = logits_at(requests, model)
    with NoTorch():
        results = [request.finish(rows, model) for request, rows in zip(requests, together, strict=True)]
    for request, result in zip(requests, results, strict=True):
        assert numbers(result) == pytest.approx(numbers(answer(request, model)), abs=1e-5)
    assert len({str(result) for result in results}) == len(results)


def numbers(result):
    """All numbers of a result, in order."""
    if isinstance(result, float | int):
        return [float(result)]
    if is_dataclass(result):
        result = [getattr(result, field.name) for field in fields(result)]
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, list | tuple) else ()
    return [number for part in parts for number in numbers(part)]


def test_own_tokens_of_several_texts_have_the_log_probability_and_rank_of_their_own_row():
    logits = torch.randn(70, 50, generator=torch.Generator().manual_seed(0))
    tokens = [row * 7 % 50 for row in range(70)]
    for row, token, own in zip(logits, tokens, OwnTokens(3)(logits, tokens), strict=True):
        order = row.argsort(descending=True).tolist()
        assert own.logprob == pytest.approx(float(row.log_softmax(-1)[token]), abs=1e-5)
        assert own.rank == order.index(token) + 1
        assert [i for i, _, _ in own.best] == order[:3]
        assert [p for _, _, p in own.best] == pytest.approx(row.softmax(-1)[order[:3]].tolist(), abs=1e-6)
    assert OwnTokens(0)(logits, tokens)[0].best == []
    assert OwnTokens(3)(logits[:0], []) == []


def test_a_bfloat16_models_logits_become_float32_where_they_are_used(rows):
    model = loading.load(rows["tiny-mlm"])
    model.network.to(torch.bfloat16)
    request = fill_masks_request(SENTENCES[0], model.words)
    (logits,) = logits_at([replace(request, digest=None)], model)
    assert logits.dtype == torch.float32
    shares = logits.softmax(-1).sort(descending=True).values[0, :10].tolist()
    assert [c.probability for c in answer(request, model).masks[0].candidates] == pytest.approx(shares, abs=1e-6)
