"""Masks with the tokenizers of the other families: RoBERTa's bytes with <mask>, ALBERT's pieces that begin with ▁."""

from dataclasses import replace

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer, UnigramTrainer
from transformers import AlbertConfig, AutoModelForMaskedLM, PreTrainedTokenizerFast, RobertaConfig, pipeline

from lecture_core import catalog, loading
from lecture_core.masked_lm import fill_masks
from lecture_core.text_input import hide
from tests.tiny.models import SIZES

CORPUS = ["The cats sat on the mat, and the dogs ran to the hospital.", "She cooked a banana in the kitchen."] * 30
SENTENCES = ["The cats sat on the {}.", "{} dogs ran to the {} , kitchenhospital!", "She{} cooked", "שלום {} 🙂"]


def _tokenizer(backend, mask, **signs):
    sign = AddedToken(mask, lstrip=True, special=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", mask_token=sign, **signs
    )


def _bytes():
    backend = Tokenizer(BPE())
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    signs = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=360, special_tokens=signs, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return _tokenizer(backend, "<mask>", bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>")


def _pieces():
    backend = Tokenizer(Unigram())
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    signs = ["<pad>", "<unk>", "[CLS]", "[SEP]"]
    backend.train_from_iterator(
        CORPUS, UnigramTrainer(vocab_size=90, special_tokens=signs, unk_token="<unk>", show_progress=False)
    )
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return _tokenizer(backend, "[MASK]", cls_token="[CLS]", sep_token="[SEP]")


FAMILIES = {
    "roberta": (_bytes, lambda size: RobertaConfig(vocab_size=size, **SIZES, max_position_embeddings=130)),
    "albert": (_pieces, lambda size: AlbertConfig(vocab_size=size, **SIZES, embedding_size=8)),
}


@pytest.fixture(params=FAMILIES)
def family(request, tmp_path, monkeypatch):
    make, config = FAMILIES[request.param]
    tokenizer = make()
    torch.manual_seed(2)
    model = AutoModelForMaskedLM.from_config(config(len(tokenizer)))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    model.save_pretrained(tmp_path / request.param)
    tokenizer.save_pretrained(tmp_path / request.param)
    monkeypatch.setattr(loading, "BUNDLED", tmp_path)
    row = replace(catalog.get("minilm-mlm"), id=request.param, source=f"bundled:{request.param}", context_length=64)
    return tmp_path / request.param, loading.load(row)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_fill_mask_equals_the_pipeline_with_the_family_s_own_tokenizer(family, sentence):
    folder, model = family
    peer = pipeline("fill-mask", model=str(folder), top_k=len(model.words.tokenizer))
    theirs = peer(sentence.replace("{}", model.words.mask_token))
    theirs = theirs if isinstance(theirs[0], list) else [theirs]
    ours = fill_masks(sentence.replace("{}", "___"), model, top_k=100).masks
    assert len(ours) == len(theirs) == sentence.count("{}")
    for mask, candidates in zip(ours, theirs, strict=True):
        expected = {c["token"]: c["score"] for c in candidates}
        found = {c.token_id: c.probability for c in mask.candidates}
        assert found == pytest.approx({i: expected[i] for i in found}, abs=1e-5)


def test_sub_words_are_joined_and_read_without_marks(family):
    words = family[1].words
    ids, starts = words.encode("the cats sat")
    shown = "".join(
        (" " if begins else "") + words.readable(i)
        for i, begins in zip(ids, starts, strict=True)
        if i not in words.special_ids
    )
    assert shown.split() == ["the", "cats", "sat"]


def test_a_hidden_token_becomes_one_mask_and_its_neighbours_stay(family):
    words = family[1].words
    text = "The cats sat on the mat."
    ids, spans = words.encode(text)[0], words.spans(text)
    for place, span in enumerate(spans):
        if span[0] == span[1]:
            continue
        again, _ = words.encode(hide(text, span).replace("[MASK]", words.mask_token))
        assert again.count(words.tokenizer.mask_token_id) == 1
        where = again.index(words.tokenizer.mask_token_id)
        assert words.tokenizer.decode(again[:where]).split() == words.tokenizer.decode(ids[:place]).split()
