"""Variants of the masked-LM recipe, each trained as long and judged on the same sentences: which choices matter.

Each changes one thing of the recipe of `minilm-mlm`. What is recorded is read by `lecture_core.recipe_variants`.
"""

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForMaskedLM

from lecture_core import recipe_variants
from lecture_core.errors import InvalidInputError
from lecture_core.recipe_variants import MODEL, VariantRun
from lecture_core.training.checkpoints import minilm_folder, save
from lecture_core.training.corpus import Mixture, TokenisedCorpus
from lecture_core.training.evaluate import BATCHES, Request, evaluate
from lecture_core.training.loop import Schedule, choose_device, train
from lecture_core.training.masked_lm import MaskedLM, new_head

NO_DROPOUT: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


@dataclass(frozen=True)
class Variant:
    """A recipe that differs from ours in one setting; the fields are those of `VariantRun`."""

    name: str
    mask_rate: float = 0.2
    body_rate: float = 5e-4
    sentence_share: float = 0.5
    start: str = "encoder"
    seed: int = 0


VARIANTS = (
    Variant("recipe"),
    Variant("packed blocks only", sentence_share=0.0),
    Variant("sentences only", sentence_share=1.0),
    Variant("40 % masked", mask_rate=0.4),
    Variant("15 % masked, as BERT", mask_rate=0.15),
    Variant("encoder at a fifth of the rate", body_rate=1e-4),
    Variant("head from random numbers", start="new head"),
    Variant("all from random numbers", start="nothing"),
    Variant("recipe", seed=1),
)
"""The recipe first and once more with another seed: how much chance alone changes."""


@dataclass(frozen=True)
class Material:
    """What all variants share: text to learn from and to measure on, and where it came from."""

    train: Mixture
    held_out: TokenisedCorpus
    tokenizer: Any
    corpus: Path


def new_model(variant: Variant, material: Material) -> BertForMaskedLM:
    """Return the network that a variant starts from; the same seed gives the same weights."""
    torch.manual_seed(variant.seed)
    start = minilm_folder()
    if variant.start == "nothing":
        return BertForMaskedLM(BertConfig.from_pretrained(start, attn_implementation="eager", **NO_DROPOUT))
    model = BertForMaskedLM.from_pretrained(start, dtype=torch.float32, attn_implementation="eager", **NO_DROPOUT)
    if variant.start == "encoder":
        counts = material.train.unigram_counts(model.config.vocab_size)
        new_head(model, torch.from_numpy(counts).float())
    return model


def make(variants: Iterable[Variant], tokens: int, material: Material, state: Path, out: Path) -> Iterator[VariantRun]:
    """Make the runs that `out` does not hold yet; append each to it and yield it. A stopped one goes on.

    Raises:
        InvalidInputError: `out` holds runs of another length, which cannot be compared.
    """
    length = Schedule(tokens).steps * Schedule(tokens).batch_tokens
    for run in recipe_variants.load(out):
        if run.tokens != length:
            raise InvalidInputError(
                expected=f"runs of {length:,} tokens in {out.name}",
                got=f"{run.tokens:,}",
                remedy="give the same --tokens, or --out another file",
            )
    made = {(run.variant, run.seed) for run in recipe_variants.load(out)}
    for variant in variants:
        if (variant.name, variant.seed) not in made:
            folder = state / f"{variant.name.replace(' ', '-')}-{variant.seed}"
            run = _run(variant, tokens, material, folder)
            recipe_variants.append(run, out)
            shutil.rmtree(folder)
            yield run


def _run(variant: Variant, tokens: int, material: Material, folder: Path) -> VariantRun:
    started = time.monotonic()
    model = new_model(variant, material)
    objective = MaskedLM(model, material.tokenizer, mask_rate=variant.mask_rate, body_rate=variant.body_rate)
    schedule = Schedule(tokens, seed=variant.seed, sentence_share=variant.sentence_share)
    train(objective, material.train, material.held_out, schedule, folder)
    save(model, material.tokenizer, folder / MODEL)
    figures = evaluate(MODEL, Request(material.corpus, BATCHES, folder / "tokens", folder))
    cloze = figures["cloze"]["overall"]
    device, dtype = choose_device()
    return VariantRun(
        variant=variant.name,
        mask_rate=variant.mask_rate,
        body_rate=variant.body_rate,
        sentence_share=variant.sentence_share,
        start=variant.start,
        seed=variant.seed,
        tokens=schedule.steps * schedule.batch_tokens,
        sentences_loss=figures["sentences"]["loss"],
        sentences_top1=figures["sentences"]["top1"],
        blocks_loss=figures["blocks"]["loss"],
        blocks_top1=figures["blocks"]["top1"],
        cloze_rank1=cloze["rank1"]["right"],
        cloze_top5=cloze["top5"]["right"],
        cloze_n=cloze["top5"]["n"],
        seconds=time.monotonic() - started,
        date=datetime.now(UTC).date().isoformat(),
        device=f"{device.type} {str(dtype).removeprefix('torch.')}",
    )
