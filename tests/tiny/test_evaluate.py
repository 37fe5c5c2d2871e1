import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from transformers import ElectraConfig, ElectraForMaskedLM

from lecture_core import catalog, loading
from lecture_core.cloze import load_cloze
from lecture_core.training import evaluate as command
from lecture_core.training.corpus import tokenise
from lecture_core.training.masked_lm import MaskedLM
from tests.tiny import models

SENTENCES = (
    "The cat sat on the mat.",
    "The dog ran to the hospital.",
    "She went to see the doctor.",
    "The chef cooked a meal.",
)


@pytest.fixture(scope="module")
def corpus_file(tmp_path_factory):
    rng = np.random.default_rng(0)
    articles = [f"Title {i}\n" + " ".join(rng.choice(SENTENCES, 12)) for i in range(900)]
    path = tmp_path_factory.mktemp("corpus") / "small.txt"
    path.write_text("\n\n".join(articles))
    return path


@pytest.fixture
def measure(rows, tmp_path, capsys):
    """Run the command; returns its exit status, the JSON of its last line and what it complained about."""

    def run(*arguments):
        status = command.main([*map(str, arguments), "--state", str(tmp_path)])
        output = capsys.readouterr()
        lines = output.out.splitlines()
        return status, json.loads(lines[-1]) if lines else None, output.err

    return run


def test_without_a_corpus_only_the_cloze_set_is_measured(measure):
    status, figures, _ = measure("tiny-mlm")
    known = [item for item in load_cloze().items if item.answer.lower() in models.VOCABULARY]
    overall = figures["cloze"]["overall"]
    assert status == 0
    assert (figures["model"], figures["role"], figures["corpus"]) == ("tiny-mlm", "masked_lm", None)
    assert "sentences" not in figures
    assert 0 < len(known) < 150
    assert (overall["rank1"]["n"], overall["skipped"]) == (len(known), 150 - len(known))
    assert sum(rates["top5"]["n"] for rates in figures["cloze"]["by_category"].values()) == len(known)
    assert len(figures["cloze"]["missed"]) == len(known) - overall["top5"]["right"]


def test_held_out_figures_are_those_of_the_objective(measure, corpus_file, tmp_path):
    _, figures, _ = measure("tiny-mlm", "--corpus", corpus_file, "--batches", 2)
    model = loading.load(catalog.get("tiny-mlm"))
    held_out = tokenise(corpus_file, model.words.tokenizer, held_out=True, cache=tmp_path)
    objective = MaskedLM(model.network, model.words.tokenizer)
    for kind, share in (("sentences", 1.0), ("blocks", 0.0)):
        masked, recipe = (
            objective.evaluate(held_out, batches=2, sentence_share=share, recipe=recipe) for recipe in (False, True)
        )
        assert figures[kind] == pytest.approx(masked | {"recipe_top1": recipe["top1"]}, rel=1e-5)
    assert figures["sentences"]["loss"] != figures["blocks"]["loss"]
    assert (figures["corpus"], figures["held_out_tokens"]) == ("small.txt", held_out.tokens)
    assert figures["command"].endswith("evaluate tiny-mlm --corpus small.txt --batches 2")
    assert figures["revision"] == model.revision
    assert figures["cloze"] == measure("tiny-mlm")[1]["cloze"]


def test_a_discriminator_is_measured_against_its_generator(measure, corpus_file):
    status, figures, _ = measure("tiny-discriminator", "--corpus", corpus_file, "--batches", 2)
    assert (status, figures["generator"]) == (0, "tiny-generator")
    for kind in ("sentences", "blocks"):
        one = figures[kind]
        assert 0 < one["auc"] < 1
        assert sum(b["n"] for b in one["reliability"]) == one["tokens"] > 1000
        observed = sum(b["n"] * b["observed"] for b in one["reliability"] if b["n"]) / one["tokens"]
        assert observed == pytest.approx(one["replaced_share"], abs=1e-6)
        assert all(b["low"] <= b["predicted"] <= b["high"] for b in one["reliability"] if b["n"])
        assert 0 <= one["expected_calibration_error"] <= 1


def test_what_is_written_is_what_is_printed(measure, tmp_path):
    _, figures, _ = measure("tiny-mlm", "--out", tmp_path / "evaluation.json")
    assert json.loads((tmp_path / "evaluation.json").read_text()) == figures
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.json"]


def test_a_place_that_cannot_be_written_is_named(measure, tmp_path):
    status, figures, error = measure("tiny-mlm", "--out", tmp_path / "nowhere" / "evaluation.json")
    assert (status, figures["model"]) == (2, "tiny-mlm")
    assert "give --out another path" in error.lower()


def test_another_folder_is_measured_instead_of_the_bundled_one(measure, tiny_folder, tmp_path):
    shutil.copytree(tiny_folder / "tiny-mlm", tmp_path / "tiny-mlm")
    model = loading.load(catalog.get("tiny-mlm")).network
    model.cls.predictions.bias.data += 1.0
    model.save_pretrained(tmp_path / "tiny-mlm")
    _, bundled, _ = measure("tiny-mlm")
    _, figures, _ = measure("tiny-mlm", "--folder", tmp_path)
    assert figures["revision"] != bundled["revision"]
    assert "--folder" in figures["command"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny-lm"], "masked_lm, rtd_discriminator"),
        (["tiny-mlmm"], "tiny-mlm"),
        (["bert-large-uncased"], "catalog pull bert-large-uncased"),
        (["tiny-discriminator"], "give --corpus"),
        (["tiny-mlm", "--corpus", "nowhere.txt"], "no file"),
        (["tiny-mlm", "--folder", "nowhere"], "--folder"),
    ],
)
def test_what_cannot_be_measured_gets_a_sentence(measure, arguments, message):
    status, figures, error = measure(*arguments)
    assert (status, figures) == (2, None)
    assert message.lower() in error.lower()


@pytest.fixture
def other_vocabulary(rows, tiny_folder, monkeypatch):
    """A masked LM that is not built like BERT and writes its mask as <mask>."""
    tokenizer = models.tokenizer(frame=True, limit=64)
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    config = ElectraConfig(vocab_size=len(tokenizer), embedding_size=16, max_position_embeddings=128, **models.SIZES)
    ElectraForMaskedLM(config).save_pretrained(tiny_folder / "tiny-other")
    tokenizer.save_pretrained(tiny_folder / "tiny-other")
    row = replace(rows["tiny-mlm"], id="tiny-other", source="bundled:tiny-other")
    everything = catalog._rows() | {row.id: row}
    monkeypatch.setattr(catalog, "_rows", lambda: everything)
    return row.id


def test_the_cloze_set_takes_every_masked_lm_and_the_corpus_only_a_bert(measure, other_vocabulary, corpus_file):
    status, figures, _ = measure(other_vocabulary)
    assert status == 0
    assert figures["cloze"]["overall"]["rank1"]["n"] > 0
    status, _, error = measure(other_vocabulary, "--corpus", corpus_file)
    assert status == 2
    assert "leave out --corpus" in error.lower()


def test_predictions_are_the_engines_and_a_piece_of_a_word_keeps_its_mark(engine):
    model = loading.load(catalog.get("tiny-mlm"))
    text = "she went to the [MASK] ."
    prediction = command.predictor(model)(text, ("hospital", "hospitals"))
    mask = engine.fill_mask(text, model="tiny-mlm", top_k=5, candidates=["hospital"]).masks[0]
    assert set(prediction.logprobs) == {"hospital"}
    assert np.exp(prediction.logprobs["hospital"]) == pytest.approx(mask.asked[0].probability, rel=1e-5)
    model.network.cls.predictions.bias.data[models.VOCABULARY.index("##ing")] = 99.0
    assert command.predictor(model)(text, ()).top[0] == "##ing"
