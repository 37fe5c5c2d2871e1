"""Variants of the recipe: each trained from its own start, recorded once, gone on with after a stop."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from lecture_core import recipe_variants
from lecture_core.errors import InvalidInputError
from lecture_core.training import variants
from lecture_core.training.corpus import Mixture, tokenise
from lecture_core.training.loop import Schedule
from lecture_core.training.variants import Material, Variant, make, new_model
from tests.tiny import models

SENTENCES = ("The cat sat on the mat.", "The dog ran to the hospital.", "The chef cooked a meal.")
TOKENS = 3 * 512


@pytest.fixture
def material(tmp_path, monkeypatch):
    start = tmp_path / "start"
    models.write_encoder(start, "masked_lm")
    monkeypatch.setattr(variants, "minilm_folder", lambda: start)
    monkeypatch.setattr(variants, "BATCHES", 1)
    monkeypatch.setattr(variants, "Schedule", lambda tokens, **more: Schedule(tokens, batch_tokens=512, **more))
    rng = np.random.default_rng(0)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n\n".join(f"Title {i}\n" + " ".join(rng.choice(SENTENCES, 12)) for i in range(600)))
    tokenizer = AutoTokenizer.from_pretrained(start)
    train, held_out = (tokenise(corpus, tokenizer, held_out=side, cache=tmp_path / "c") for side in (False, True))
    return Material(Mixture((train,), (1.0,)), held_out, tokenizer, corpus)


def test_every_variant_is_recorded_once_with_its_settings(material, tmp_path):
    asked = [Variant("recipe"), Variant("40 % masked", mask_rate=0.4)]
    out = tmp_path / "variants.csv"
    made = list(make(asked, TOKENS, material, tmp_path / "state", out))
    again = list(make(asked, TOKENS, material, tmp_path / "state", out))
    assert [run.variant for run in made] == ["recipe", "40 % masked"]
    assert again == []
    recorded = recipe_variants.load(out)
    assert [(run.mask_rate, run.tokens, run.seed) for run in recorded] == [(0.2, TOKENS, 0), (0.4, TOKENS, 0)]
    assert all(run.blocks_loss > 0 and run.seconds > 0 for run in recorded)
    assert not list((tmp_path / "state").iterdir())
    with pytest.raises(InvalidInputError, match="1,536"):
        next(make(asked, 2 * TOKENS, material, tmp_path / "state", out))


def test_a_seed_gives_the_same_figures(material, tmp_path):
    figures = [next(make([Variant("recipe")], TOKENS, material, tmp_path / n, tmp_path / f"{n}.csv")) for n in "ab"]
    assert replace(figures[0], seconds=1.0) == replace(figures[1], seconds=1.0)


def test_each_start_is_what_its_name_says(material):
    encoder, head, nothing = (
        new_model(Variant("x", start=s, seed=5), material) for s in ("encoder", "new head", "nothing")
    )
    dense = encoder.cls.predictions.transform.dense.weight
    assert torch.equal(dense, torch.eye(len(dense)))
    assert not torch.equal(head.cls.predictions.transform.dense.weight, dense)
    words = [m.bert.embeddings.word_embeddings.weight for m in (encoder, head, nothing)]
    assert torch.equal(words[0], words[1])
    assert not torch.equal(words[0], words[2])
    assert all(m.config.hidden_dropout_prob == 0 for m in (encoder, head, nothing))
