"""Token ids become the same text piece by piece as all at once, and old ones are not decoded again."""

import random
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from lecture_core.generation import DECODED, Sampling, Written

TEXT = "The café's naïve owner said: “日本語 is 3 × harder than Ελληνικά” 🦄👩‍🚀, don't you think? " * 3


def trained(kind):
    if kind == "bytes":
        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    else:
        backend = Tokenizer(models.Unigram())
        backend.pre_tokenizer, backend.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=90, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False
        )
    backend.train_from_iterator([TEXT], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend)


def written(tokenizer, ids):
    """The pieces that a stream of these ids emits, and the longest list that was decoded for one of them."""
    pieces, longest = [], []
    decode = tokenizer.decode
    counted = SimpleNamespace(decode=lambda ids, **how: longest.append(len(ids)) or decode(ids, **how))
    model = SimpleNamespace(
        words=SimpleNamespace(tokenizer=counted),
        network=SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=-1)),
    )
    text = Written(model, Sampling(max_new_tokens=1000), lambda piece, tokens, logprobs: pieces.append(piece))
    for token in ids:
        text.push(token, ())
    text.flush()
    return pieces, max(longest)


@pytest.mark.parametrize("kind", ["bytes", "words"])
def test_pieces_join_to_the_text_of_all_tokens(kind):
    tokenizer = trained(kind)
    ids = tokenizer(TEXT)["input_ids"]
    assert len(ids) > 3 * DECODED
    pieces, _ = written(tokenizer, ids)
    assert "".join(pieces) == tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_ids_in_no_sensible_order_join_too(seed):
    tokenizer, rng = trained("bytes"), random.Random(seed)
    ids = [rng.randrange(len(tokenizer)) for _ in range(4 * DECODED)]
    pieces, _ = written(tokenizer, ids)
    assert "".join(pieces) == tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def test_a_long_text_is_not_decoded_anew_at_each_token():
    tokenizer = trained("bytes")
    ids = tokenizer(TEXT)["input_ids"] * 4
    _, longest = written(tokenizer, ids)
    assert longest <= 2 * DECODED < len(ids)
