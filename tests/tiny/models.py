"""Real transformers classes with two layers, written to a folder and loaded through the production path."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import BPE, WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5ForConditionalGeneration,
    VisionEncoderDecoderModel,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

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


def write_causal(folder: Path, *, seed: int = 0) -> None:
    """Write a tiny causal LM; another seed gives other weights."""
    torch.manual_seed(seed)
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


CHAT_SIGNS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
]
CHAT_TEXT = "User: What colour is the star in this picture? Assistant: The star is red. There are two blue circles. "
CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""As SmolVLM's own: the picture's places stand in the visitor's turn."""


def write_vision_chat(folder: Path) -> None:
    """Write a tiny Idefics3, the class of SmolVLM, with the files of its processor; a picture takes 16 places."""
    torch.manual_seed(0)
    backend = Tokenizer(BPE())
    backend.pre_tokenizer, backend.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=320, special_tokens=CHAT_SIGNS, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator([CHAT_TEXT] * 20, trainer)
    words = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        unk_token="<|endoftext|>",
        pad_token="<|im_start|>",
        additional_special_tokens=CHAT_SIGNS[3:],
    )
    start, end = (words.convert_tokens_to_ids(sign) for sign in CHAT_SIGNS[1:3])
    config = Idefics3Config(
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        vision_config={**SIZES, "image_size": 64, "patch_size": 8},
        text_config={
            "model_type": "llama",
            "vocab_size": len(words),
            "max_position_embeddings": 256,
            "num_key_value_heads": 1,
            "bos_token_id": start,
            "pad_token_id": start,
            "eos_token_id": end,
            **SIZES,
        },
    )
    config.vision_config.initializer_range = config.text_config.initializer_range = 0.3  # so that the picture matters
    model = Idefics3ForConditionalGeneration(config)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = end, start
    model.save_pretrained(folder)
    pictures = Idefics3ImageProcessorPil(size={"longest_edge": 128}, max_image_size={"longest_edge": 64})
    words.save_pretrained(folder)
    pictures.save_pretrained(folder)
    settings = folder / "preprocessor_config.json"  # the files and names of SmolVLM's repository
    kept = json.loads(settings.read_text()) | {"image_processor_type": "Idefics3ImageProcessor"}
    settings.write_text(json.dumps(kept | {"processor_class": "Idefics3Processor"}))
    (folder / "processor_config.json").write_text('{"image_seq_len": 16, "processor_class": "Idefics3Processor"}')
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": CHAT_TEMPLATE}))
