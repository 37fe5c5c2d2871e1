"""The head on masked positions only, padded batches: the same numbers as transformers' own pipeline."""

from dataclasses import replace

import pytest
import torch
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
from lecture_core.forward import logits_at
from lecture_core.masked_lm import fill_masks, fill_masks_request
from lecture_core.replaced_token_detection import detect_request
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
    requests = [detect_request(ids, starts, None, model.words) for ids, starts in encoded]
    for (ids, _), logits in zip(encoded, logits_at(requests, model), strict=True):
        with torch.inference_mode():
            torch.testing.assert_close(logits, model.network(input_ids=torch.tensor([ids])).logits[0])
