"""Real transformers classes with two layers, written to a folder and loaded through the production path."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5ForConditionalGeneration,
    VisionEncoderDecoderModel,
)

WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "sat",
    "ran",
    "on",
    "mat",
    "hospital",
    "doctor",
    "she",
    "went",
    "to",
    "see",
    "chef",
    "cooked",
    "meal",
    "banana",
    "##s",
    "##ing",
    ".",
    ",",
    "?",
    "!",
    ":",
    "=",
    "1",
    "2",
    "3",
    "language",
    "model",
    "reads",
    "text",
    "very",
    "well",
    "in",
    "out",
    "of",
    "and",
    "it",
    "was",
    "good",
    "bad",
    "river",
    "bank",
    "money",
]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "</s>", *WORDS]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def tokenizer(*, frame: bool, limit: int) -> PreTrainedTokenizerFast:
    """A word-piece tokenizer; `frame` adds [CLS] and [SEP]."""
    backend = Tokenizer(WordPiece({w: i for i, w in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer, backend.decoder = (
        BertNormalizer(),
        BertPreTokenizer(),
        WordPieceDecoder(),
    )
    if frame:
        backend.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]",
            special_tokens=[("[CLS]", VOCABULARY.index("[CLS]")), ("[SEP]", VOCABULARY.index("[SEP]"))],
        )
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]"}
    names |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"} if frame else {"eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=limit, **names)


def write_encoder(folder: Path, kind: str) -> None:
    """Write a tiny masked LM (`masked_lm`), generator (`rtd_generator`) or discriminator (`rtd_discriminator`)."""
    torch.manual_seed(0)
    common = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 128, **SIZES}
    if kind == "masked_lm":
        model = BertForMaskedLM(BertConfig(**common))
    else:
        family = ElectraForMaskedLM if kind == "rtd_generator" else ElectraForPreTraining
        model = family(ElectraConfig(embedding_size=16, **common))
    model.save_pretrained(folder)
    tokenizer(frame=True, limit=64).save_pretrained(folder)


def write_causal(folder: Path) -> None:
    """Write a tiny causal LM."""
    torch.manual_seed(0)
    end = VOCABULARY.index("</s>")
    config = LlamaConfig(
        vocab_size=len(VOCABULARY),
        max_position_embeddings=64,
        num_key_value_heads=1,
        eos_token_id=end,
        bos_token_id=None,
        pad_token_id=0,
        **SIZES,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer(frame=False, limit=64).save_pretrained(folder)


SEQ2SEQ_TEXT = "Thank you for inviting me to your party last week. She went to the hospital. The cat sat on the mat. "


def write_seq2seq(folder: Path) -> None:
    """Write a tiny T5 with sentinels, its tokenizer trained on two sentences."""
    from lecture_core.training.text_to_text import new_model, train_tokenizer

    torch.manual_seed(0)
    words = train_tokenizer(iter([SEQ2SEQ_TEXT] * 50))
    config = new_model(words).config
    config.d_model, config.d_kv, config.num_heads, config.d_ff = 16, 8, 2, 32
    config.num_layers = config.num_decoder_layers = 2
    T5ForConditionalGeneration(config).save_pretrained(folder)
    words.save_pretrained(folder)


def write_vision_language(folder: Path) -> None:
    """Write a tiny vision encoder and text decoder with the vocabulary of the scenes, and its picture settings."""
    from lecture_core.training.shapes_export import write
    from lecture_core.training.shapes_vlm import new_model, new_tokenizer

    torch.manual_seed(0)
    words = new_tokenizer()
    config = new_model(words).config
    config.encoder.num_hidden_layers = config.decoder.n_layer = 1
    write(VisionEncoderDecoderModel(config), words, folder)
