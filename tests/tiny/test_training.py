import lzma
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer, BertForMaskedLM

from lecture_core.errors import InvalidInputError, LectureError
from lecture_core.training import __main__ as command
from lecture_core.training import checkpoints, curves, loop, recipes
from lecture_core.training.corpus import Article, Mixture, read_articles, tokenise
from lecture_core.training.loop import Schedule, train
from lecture_core.training.masked_lm import MaskedLM, corrupt
from lecture_core.training.replaced_token_detection import (
    ReplacedTokenDetection,
    area_under_curve,
    from_masked_lm,
    sample,
)
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
    articles = [f"Title {i}\n" + " ".join(rng.choice(SENTENCES, 12)) for i in range(600)]
    path = tmp_path_factory.mktemp("corpus") / "small.txt.xz"
    path.write_bytes(lzma.compress("\n\n".join(articles).encode()))
    return path


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    models.write_encoder(folder, "masked_lm")
    return folder


@pytest.fixture(scope="module")
def splits(corpus_file, start, tmp_path_factory):
    cache = tmp_path_factory.mktemp("tokens")
    tokenizer = AutoTokenizer.from_pretrained(start)
    return tuple(tokenise(corpus_file, tokenizer, held_out=side, cache=cache) for side in (False, True))


def objective(start):
    model = BertForMaskedLM.from_pretrained(
        start, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    return MaskedLM(model, AutoTokenizer.from_pretrained(start))


SCHEDULE = Schedule(total_tokens=30 * 512, batch_tokens=512, evaluate_every=10)


def run(start, splits, state, **options):
    lines = []
    trained = objective(start)
    train(trained, *splits, SCHEDULE, state, report=lines.append, **options)
    log = (state / "log.csv").read_text().splitlines()
    return trained, log


def test_training_lowers_the_held_out_loss(start, splits, tmp_path):
    _, log = run(start, splits, tmp_path)
    column = log[0].split(",").index("held_out_loss")
    losses = [float(row.split(",")[column]) for row in log[1:]]
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_curve(start, splits, tmp_path):
    assert run(start, splits, tmp_path / "a")[1] == run(start, splits, tmp_path / "b")[1]


def test_resuming_equals_not_stopping(start, splits, tmp_path):
    whole, curve = run(start, splits, tmp_path / "whole")
    run(start, splits, tmp_path / "parts", stop_after=13)
    resumed, log = run(start, splits, tmp_path / "parts")
    assert log == curve
    for (name, a), (_, b) in zip(whole.modules.named_parameters(), resumed.modules.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_a_longer_run_begins_as_the_shorter_one(start, splits, tmp_path):
    short, long = Schedule(40 * 512, batch_tokens=512), Schedule(80 * 512, batch_tokens=512)
    level = int(40 * (1 - short.decay))
    assert [short.factor(s) for s in range(level)] == [long.factor(s) for s in range(level)]
    assert long.factor(79) < 0.05


def test_hours_become_a_number_of_tokens_that_repeats_the_run(start, splits, tmp_path):
    lines = []
    train(objective(start), *splits, SCHEDULE, tmp_path / "timed", hours=1e-4, report=lines.append)
    total = int(lines[0].split("--tokens ")[1].split()[0])
    again = Schedule(total, batch_tokens=512, evaluate_every=10)
    train(objective(start), *splits, again, tmp_path / "again", report=lambda _: None)
    assert (tmp_path / "timed" / "log.csv").read_text() == (tmp_path / "again" / "log.csv").read_text()


def test_a_stopped_run_given_the_same_hours_keeps_its_end(start, splits, tmp_path):
    def timed(**options):
        return train(objective(start), *splits, SCHEDULE, tmp_path / "timed", report=lambda _: None, **options)

    first = timed(hours=5e-4, stop_after=3)
    assert timed(hours=5e-4) == first
    train(objective(start), *splits, first, tmp_path / "whole", report=lambda _: None)
    assert (tmp_path / "timed" / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()
    assert timed(hours=1e-3, stop_after=1).total_tokens > first.total_tokens


def test_an_interrupt_ends_the_step_and_keeps_it(start, splits, tmp_path, monkeypatch):
    whole, _ = run(start, splits, tmp_path / "whole")
    original = loop.TrainingRun.step

    def step_then_interrupt(self):
        original(self)
        if self.done == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(loop.TrainingRun, "step", step_then_interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(start, splits, tmp_path / "parts")
    monkeypatch.setattr(loop.TrainingRun, "step", original)
    resumed, _ = run(start, splits, tmp_path / "parts")
    for a, b in zip(whole.modules.parameters(), resumed.modules.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_full_disk_leaves_the_last_checkpoint_whole(start, splits, tmp_path, monkeypatch):
    run(start, splits, tmp_path, stop_after=10)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(LectureError, match=r"No space left.*last checkpoint is kept"):
        run(start, splits, tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))


def test_a_checkpoint_of_another_recipe_is_refused(start, splits, tmp_path):
    run(start, splits, tmp_path, stop_after=10)
    pair = ReplacedTokenDetection(
        *from_masked_lm(BertForMaskedLM.from_pretrained(start)), AutoTokenizer.from_pretrained(start)
    )
    with pytest.raises(LectureError, match="another recipe"):
        train(pair, *splits, SCHEDULE, tmp_path, report=lambda _: None)


def test_a_checkpoint_of_another_seed_is_refused(start, splits, tmp_path):
    run(start, splits, tmp_path, stop_after=10)
    with pytest.raises(LectureError, match="begun with --seed 0"):
        train(objective(start), *splits, replace(SCHEDULE, seed=1), tmp_path, report=lambda _: None)


def test_a_checkpoint_of_other_batches_is_refused(start, splits, tmp_path):
    train(objective(start), *splits, SCHEDULE, tmp_path, stop_after=3)
    with pytest.raises(LectureError, match="batches of 512"):
        train(objective(start), *splits, SCHEDULE.larger(8), tmp_path)


def test_a_gpu_takes_larger_batches(monkeypatch):
    assert recipes._on_device(SCHEDULE) == SCHEDULE
    monkeypatch.setattr(recipes, "choose_device", lambda: (torch.device("cuda"), torch.bfloat16))
    assert recipes._on_device(SCHEDULE).batch_tokens == recipes.LARGER * 512


def test_half_a_checkpoint_is_a_sentence(start, splits, tmp_path):
    run(start, splits, tmp_path, stop_after=10)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LectureError, match=r"cannot be read.*another folder"):
        run(start, splits, tmp_path)


def test_rows_after_the_last_checkpoint_are_written_once(start, splits, tmp_path):
    _, curve = run(start, splits, tmp_path / "whole")
    _, log = run(start, splits, tmp_path / "parts", stop_after=13)
    (tmp_path / "parts" / "log.csv").write_text("\n".join([*log, log[-1].replace("10,", "20,", 1)]) + "\n")
    assert run(start, splits, tmp_path / "parts")[1] == curve


@pytest.mark.parametrize(
    ("option", "value"), [("--tokens", "nan"), ("--tokens", "-5"), ("--mask-rate", "2"), ("--hours", "inf")]
)
def test_settings_out_of_range_train_nothing(option, value, corpus_file, tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["masked_lm", "--corpus", str(corpus_file), "--state", str(tmp_path / "state"), option, value])
    assert f"{option}: expected" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("recipe", "option", "value"),
    [
        ("masked_lm_variants", "--seed", "1"),
        ("masked_lm", "--pretraining-steps", "5"),
        ("text_to_text", "--mask-rate", "0.4"),
        ("scaling_runs", "--tokens", "1e6"),
    ],
)
def test_an_option_that_a_recipe_would_ignore_is_refused(recipe, option, value, corpus_file, capsys):
    with pytest.raises(SystemExit):
        command.main([recipe, "--corpus", str(corpus_file), option, value])
    assert f"{option} has no meaning for {recipe}" in capsys.readouterr().err


def test_a_recipe_of_one_text_refuses_two(corpus_file, capsys):
    with pytest.raises(SystemExit):
        command.main(["text_to_text", "--corpus", str(corpus_file), str(corpus_file)])
    assert "reads one file; got 2" in capsys.readouterr().err


def test_a_start_without_a_model_is_named(corpus_file, tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["text_to_text", "--corpus", str(corpus_file), "--start", str(tmp_path)])
    assert "has no config.json" in capsys.readouterr().err


def test_blocks_are_full_and_separate_articles(splits):
    corpus = splits[0]
    batch = corpus.batch(0, 0, tokens=4096, block=128, sentence_share=0.0)
    assert batch.attention_mask.mean() > 0.98
    inner = batch.input_ids[:, 1:-1]
    assert (inner == corpus.last_id).any()


def test_a_mixture_draws_each_corpus_in_its_share(splits):
    empty = replace(splits[0], ids=np.full_like(splits[0].ids, 7))
    mixture = Mixture((splits[0], empty), (0.8, 0.2))
    drawn = [(mixture.batch(0, s, tokens=256).input_ids[:, 1] == 7).all() for s in range(300)]
    assert np.mean(drawn) == pytest.approx(0.2, abs=0.07)


def test_one_article_in_a_hundred_is_held_out_by_its_title():
    share = sum(Article(f"Article {i}", ()).held_out for i in range(20_000)) / 20_000
    assert share == pytest.approx(0.01, abs=0.003)


def test_batches_depend_on_seed_and_step_alone_and_stay_within_the_budget(splits):
    for step in range(20):
        batch = splits[0].batch(3, step, tokens=512)
        assert np.array_equal(batch.input_ids, splits[0].batch(3, step, tokens=512).input_ids)
        assert batch.input_ids.size <= 2 * 512
        assert ((batch.input_ids == splits[0].pad_id) == (batch.attention_mask == 0)).all()


def test_bert_corruption_keeps_its_shares_and_never_touches_special_tokens():
    ids = torch.randint(10, 40, (200, 50))
    allowed = torch.ones_like(ids, dtype=torch.bool)
    allowed[:, 0] = False
    generator = torch.Generator().manual_seed(0)
    corrupted, chosen = corrupt(ids, allowed, mask_id=4, vocabulary=40, rate=0.15, generator=generator)
    assert not chosen[:, 0].any()
    assert (corrupted[~chosen] == ids[~chosen]).all()
    assert chosen[allowed].float().mean().item() == pytest.approx(0.15, abs=0.01)
    assert (corrupted[chosen] == 4).float().mean().item() == pytest.approx(0.8, abs=0.03)


def test_samples_follow_the_distribution():
    logits = torch.tensor([0.7, 0.2, 0.1]).log().expand(20_000, 3)
    drawn = sample(logits, torch.Generator().manual_seed(0))
    assert torch.bincount(drawn, minlength=3) / 20_000 == pytest.approx([0.7, 0.2, 0.1], abs=0.02)


def test_area_under_curve_of_known_rankings():
    truth = torch.tensor([False, False, True, True])
    assert area_under_curve(torch.tensor([0.1, 0.2, 0.3, 0.4]), truth) == 1
    assert area_under_curve(torch.tensor([0.4, 0.3, 0.2, 0.1]), truth) == 0
    assert area_under_curve(torch.tensor([0.5, 0.5, 0.5, 0.5]), truth) == 0.5


def test_electra_starts_as_the_masked_lm_it_came_from(start):
    model = BertForMaskedLM.from_pretrained(start).eval()
    generator, discriminator = from_masked_lm(model, generator_layers=2)
    ids = torch.tensor([[2, 10, 11, 4, 3]])
    with torch.inference_mode():
        assert torch.allclose(generator.eval()(ids).logits, model(ids).logits, atol=1e-5)
        assert torch.allclose(discriminator.eval().electra(ids)[0], model.bert(ids)[0], atol=1e-5)


@pytest.mark.parametrize("recipe", ["masked_lm", "replaced_token_detection"])
def test_the_command_writes_float16_checkpoints_that_load(recipe, start, corpus_file, tmp_path, monkeypatch):
    monkeypatch.setattr(
        recipes, "Schedule", lambda total, **options: Schedule(2 * 512, **options | {"batch_tokens": 512})
    )
    arguments = [
        recipe,
        "--corpus",
        str(corpus_file),
        "--start",
        str(start),
        "--state",
        str(tmp_path / "state"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert command.main(arguments) == 0
    torch.rand(3)  # whatever else draws numbers changes no run
    again = [one.replace(str(tmp_path / "state"), str(tmp_path / "again")) for one in arguments]
    assert command.main(again) == 0
    logs = [(tmp_path / name / recipe / "log.csv").read_text() for name in ("state", "again")]
    assert logs[0] == logs[1]
    recorded = next((tmp_path / "out").glob("training_*.csv")).read_text()
    assert recorded.startswith(logs[0])
    if recipe == "masked_lm":
        model = AutoModelForMaskedLM.from_pretrained(tmp_path / "out", dtype="auto")
    else:
        model = AutoModelForPreTraining.from_pretrained(tmp_path / "out" / "minilm-electra-discriminator", dtype="auto")
    assert model.dtype == torch.float16


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no file"),
        (b"", "at least 50 sentences"),
        (b"\xff\xfe broken \xff", "UTF-8"),
        (b"Title\nOne sentence.", "at least 50"),
        ("\n\n".join(f"Title {i}\nYes. No. It is." for i in range(99)).encode(), "6 to 64 tokens"),
    ],
)
def test_a_bad_corpus_is_named(content, message, start, tmp_path):
    path = tmp_path / "corpus.txt"
    if content is not None:
        path.write_bytes(content)
    tokenizer = AutoTokenizer.from_pretrained(start)
    with pytest.raises(InvalidInputError, match=message):
        tokenise(path, tokenizer, held_out=False, cache=tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*.npz"))


def test_tokens_kept_from_a_run_that_was_killed_are_made_again(corpus_file, start, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(start)
    whole = tokenise(corpus_file, tokenizer, held_out=True, cache=tmp_path)
    kept = next(tmp_path.glob("*.npz"))
    kept.write_bytes(kept.read_bytes()[:200])
    again = tokenise(corpus_file, tokenizer, held_out=True, cache=tmp_path)
    assert np.array_equal(whole.ids, again.ids)
    assert np.array_equal(whole.ids, tokenise(corpus_file, tokenizer, held_out=True, cache=tmp_path).ids)


def test_another_text_of_the_same_name_and_size_is_tokenised_anew(start, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(start)
    path, found = tmp_path / "corpus.txt", []
    for word in ("cat", "dog"):
        path.write_text("\n\n".join(f"Title {i}\nThe {word} sat on the mat and it was good." for i in range(99)))
        found.append(tokenise(path, tokenizer, held_out=False, cache=tmp_path / "cache").ids)
    assert not np.array_equal(*found)


def test_larger_batches_see_the_same_tokens():
    small = Schedule(total_tokens=4096 * 800, evaluate_every=250)
    large = small.larger(4)
    assert (large.steps, large.batch_tokens, large.evaluate_every) == (200, 4 * 4096, 62)
    assert large.factor(100) == pytest.approx(2 * small.factor(400))


def test_a_run_that_goes_on_from_a_model_continues_its_curve(tmp_path):
    log, recorded = tmp_path / "log.csv", tmp_path / "runs" / "training_x.csv"
    log.write_text("step,tokens,loss\n10,100,5\n20,200,4\n")
    curves.record(log, recorded, earlier=tmp_path / "none.csv")
    assert recorded.read_text() == log.read_text()
    earlier = tmp_path / "earlier.csv"
    earlier.write_text(recorded.read_text())
    log.write_text("step,tokens,loss,fault\n10,100,3,0.5\n")
    for _ in range(2):  # the same command again writes the same
        curves.record(log, recorded, earlier=earlier)
        assert recorded.read_text().splitlines() == [
            "step,tokens,loss,fault", "10,100,5,", "20,200,4,", "30,300,3,0.5"
        ]  # fmt: skip
    curves.record(log, recorded)
    assert recorded.read_text() == log.read_text()


def test_a_finished_model_replaces_nothing_while_it_cannot_be_written(start, tmp_path, monkeypatch):
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(start), AutoTokenizer.from_pretrained(start)
    checkpoints.save(model, tokenizer, tmp_path / "model")
    before = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}

    def full(*_, **__):
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(type(model), "save_pretrained", full)
    with pytest.raises(LectureError, match="Make room"):
        checkpoints.save(model, tokenizer, tmp_path / "model")
    assert {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_cut_off_archive_is_named(tmp_path):
    path = tmp_path / "corpus.txt.xz"
    path.write_bytes(lzma.compress(b"Title\nText. " * 500)[:60])
    with pytest.raises(InvalidInputError, match=r"whole \.xz"):
        list(read_articles(path))
