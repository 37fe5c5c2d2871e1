"""The grid of small decoders: exact branches, exact resuming, one row a run."""

import lzma
from dataclasses import replace

import numpy as np
import pytest
import torch

from lecture_core import scaling_runs
from lecture_core.errors import BusyError, InvalidInputError
from lecture_core.training import __main__ as command
from lecture_core.training import decoder_grid, decoder_text, live_run
from lecture_core.training.decoder_grid import Material, Plan, Size, make
from lecture_core.training.decoder_text import CONTEXT, Blocks
from lecture_core.training.loop import train

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "while",
    "dogs",
    "ran",
    "to",
    "the",
    "river",
    "and",
    "some",
    "birds",
    "sang",
    "in",
    "trees",
]
SIZE = Size(16, 1, 1)


@pytest.fixture(scope="module")
def corpus_file(tmp_path_factory):
    rng = np.random.default_rng(0)
    articles = [f"Title {i}\n" + " ".join(rng.choice(WORDS, 200)) + "." for i in range(2400)]
    path = tmp_path_factory.mktemp("corpus") / "small.txt.xz"
    path.write_bytes(lzma.compress("\n\n".join(articles).encode()))
    return path


@pytest.fixture(scope="module")
def material(corpus_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("decoder")
    tokenizer = decoder_text.load_tokenizer(folder / "tokenizer.json", corpus_file)
    splits = [decoder_text.read_blocks(corpus_file, tokenizer, held_out=side, cache=folder) for side in (False, True)]
    return Material(*splits, tokenizer)


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch):
    monkeypatch.setattr(decoder_grid, "BASE", replace(decoder_grid.BASE, batch_tokens=2 * CONTEXT, warmup_steps=2))


def plan(steps):
    return Plan(SIZE, steps * 2 * CONTEXT, 4e-3)


def test_a_branch_equals_the_run_made_alone(material, tmp_path):
    short, long = make([plan(10), plan(20)], material, tmp_path / "shared", tmp_path / "shared.csv")
    (alone,) = make([plan(20)], material, tmp_path / "alone", tmp_path / "alone.csv")
    assert long.loss_per_token == alone.loss_per_token
    assert long.loss_per_token < short.loss_per_token


def test_a_branch_has_the_weights_of_the_plain_loop(material, tmp_path):
    list(make([plan(10)], material, tmp_path / "grid", tmp_path / "runs.csv"))
    branched = decoder_grid._train(plan(20), material, plan(20).trunk, tmp_path / "grid" / plan(20).name)
    whole = decoder_grid.CausalLM(decoder_grid.new_model(SIZE), np.ones(512), 4e-3)
    steps = plan(20).trunk.steps
    train(whole, material.train, material.held_out, plan(20).schedule, tmp_path / "plain", stop_after=steps)
    for a, b in zip(branched.modules.parameters(), whole.modules.parameters(), strict=True):
        assert torch.equal(a, b)


def test_stopping_anywhere_and_going_on_gives_the_same_run(material, tmp_path, monkeypatch):
    (whole,) = make([plan(20)], material, tmp_path / "whole", tmp_path / "whole.csv")

    def stopped(*arguments):
        train(*arguments, stop_after=6)
        raise KeyboardInterrupt

    for _ in range(3):  # twice in the trunk of 14 steps, then at its end
        monkeypatch.setattr(decoder_grid, "train", stopped)
        with pytest.raises(KeyboardInterrupt):
            list(make([plan(20)], material, tmp_path / "parts", tmp_path / "parts.csv"))
    monkeypatch.setattr(decoder_grid, "train", train)
    (resumed,) = make([plan(20)], material, tmp_path / "parts", tmp_path / "parts.csv")
    assert resumed.loss_per_token == whole.loss_per_token


def test_finished_runs_are_not_made_again_and_the_trunk_may_have_gone_on(material, tmp_path):
    out = tmp_path / "runs.csv"
    first = list(make([plan(20)], material, tmp_path / "state", out))
    assert list(make([plan(20)], material, tmp_path / "state", out)) == []
    (shorter,) = make([plan(10)], material, tmp_path / "state", out)
    (alone,) = make([plan(10)], material, tmp_path / "alone", tmp_path / "alone.csv")
    assert shorter.loss_per_token == alone.loss_per_token
    assert len(scaling_runs.load(out)) == 2
    assert first[0].flops == 6 * first[0].parameters * first[0].tokens


def test_the_grid_goes_from_cheap_to_dear_and_is_large_enough():
    plans = decoder_grid.grid()
    assert len(plans) >= 30
    assert len({p.size for p in plans}) >= 6
    assert len({p.tokens for p in plans}) >= 5
    by_size = {size: [p.tokens for p in plans if p.size == size] for size in decoder_grid.SIZES}
    assert all(tokens == sorted(tokens) for tokens in by_size.values())


def test_no_text_is_unknown_and_bytes_add_up(material):
    text = "Łódź, 東京 and 🦄\nnew line\t0"
    encoded = material.tokenizer.encode(text)
    assert material.tokenizer.decode(encoded.ids) == text
    assert decoder_text.bytes_per_token(material.tokenizer)[encoded.ids].sum() == len(text.encode())


def test_a_pass_over_the_text_repeats_no_block():
    blocks = Blocks(np.arange(40 * CONTEXT + 1, dtype=np.uint16))
    firsts = np.concatenate([blocks.batch(3, step, tokens=4 * CONTEXT)[:, 0] for step in range(10)])
    assert len(np.unique(firsts)) == 40
    assert not np.array_equal(blocks.batch(3, 0, tokens=1024), blocks.batch(4, 0, tokens=1024))


def test_a_small_corpus_is_named(tmp_path, material):
    path = tmp_path / "tiny.txt"
    path.write_text("Title\nToo short.")
    with pytest.raises(InvalidInputError, match="larger file"):
        decoder_text.read_blocks(path, material.tokenizer, held_out=False, cache=tmp_path)


def test_the_command_writes_a_row_a_run(corpus_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(decoder_grid, "SIZES", (SIZE,))
    monkeypatch.setattr(decoder_grid, "BUDGETS", (4 * 2 * CONTEXT, 8 * 2 * CONTEXT))
    monkeypatch.setattr(decoder_text, "TOKENIZER", tmp_path / "tokenizer.json")
    out = tmp_path / "runs.csv"
    arguments = ["scaling_runs", "--corpus", str(corpus_file), "--state", str(tmp_path / "state"), "--out", str(out)]
    assert command.main(arguments) == 0
    assert [run.tokens for run in scaling_runs.load(out)] == [4 * 2 * CONTEXT, 8 * 2 * CONTEXT]
    assert "nats per token" in capsys.readouterr().out


def finished(size, tokens, seed):
    *_, (_, last) = live_run.watch(size, tokens, seed)
    assert last.done == 1
    return last.run


def test_a_live_run_is_the_recipe_of_the_grid_and_repeats(material, tmp_path, monkeypatch):
    monkeypatch.setattr(decoder_grid, "SIZES", (SIZE,))
    monkeypatch.setattr(live_run, "_excerpt", lambda: (material.train, material.held_out, np.ones(512, dtype=int)))
    steps = 10
    first, second = (finished(0, steps * 2 * CONTEXT, 0) for _ in range(2))
    (alone,) = make([Plan(SIZE, steps * 2 * CONTEXT, first.learning_rate)], material, tmp_path, tmp_path / "runs.csv")
    assert first.loss_per_token == second.loss_per_token == pytest.approx(alone.loss_per_token, abs=1e-5)
    assert finished(0, steps * 2 * CONTEXT, 1).loss_per_token != first.loss_per_token


def test_one_live_run_at_a_time_and_a_cancelled_one_makes_room(material, monkeypatch):
    monkeypatch.setattr(decoder_grid, "SIZES", (SIZE,))
    monkeypatch.setattr(live_run, "_LOOKS", 0.0)
    monkeypatch.setattr(live_run, "_excerpt", lambda: (material.train, material.held_out, np.ones(512, dtype=int)))
    running = live_run.watch(0, 40 * CONTEXT, 0)
    next(running)
    with pytest.raises(BusyError, match="Try again"):
        next(live_run.watch(0, 40 * CONTEXT, 0))
    running.close()
    next(live_run.watch(0, 40 * CONTEXT, 0))


def test_the_bundled_excerpt_is_read_and_measures_on_256_blocks():
    training, held_out, token_bytes = live_run._excerpt()
    assert len(training) * CONTEXT >= 524_288
    assert held_out.spread(256).shape == (256, CONTEXT + 1)
    assert len(token_bytes) == 512
    assert live_run.TRAINING.stat().st_size + live_run.HELD_OUT.stat().st_size < 1_000_000
