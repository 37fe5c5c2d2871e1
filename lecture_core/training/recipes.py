"""The recipes by name: what starts from what, and where the result goes."""

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertForMaskedLM, T5ForConditionalGeneration

from lecture_core.errors import InvalidInputError, ModelUnavailableError
from lecture_core.recipe_variants import RECORDED as VARIANT_RUNS
from lecture_core.run_tables import FOLDER
from lecture_core.scaling_runs import RECORDED, SWEEP
from lecture_core.training import corpus as corpora
from lecture_core.training import curves, decoder_grid, decoder_text, live_run, variants
from lecture_core.training.checkpoints import minilm_folder, save
from lecture_core.training.loop import Schedule, choose_device, train
from lecture_core.training.masked_lm import MaskedLM, new_head
from lecture_core.training.replaced_token_detection import ReplacedTokenDetection, from_masked_lm
from lecture_core.training.shapes_export import export
from lecture_core.training.shapes_vlm import SceneSource, ShapesVLM
from lecture_core.training.shapes_vlm import new_model as new_shapes_model
from lecture_core.training.shapes_vlm import new_tokenizer as new_shapes_tokenizer
from lecture_core.training.text_tasks import gather
from lecture_core.training.text_to_text import SLOWER, Encoder, TextToText, TextToTextSource, new_model, train_tokenizer

BUNDLED = Path(__file__).parents[2] / "assets" / "models"
LARGER = 8  # batches on a GPU; text_to_text counts its phases in steps, so its batches stay
ENOUGH_SENTENCES = 1000  # for a vocabulary


def _corpora(options: argparse.Namespace, tokenizer: object) -> tuple[corpora.Mixture, corpora.TokenisedCorpus]:
    """The training splits mixed by --share, and the held-out split of the first corpus, which measures."""
    shares = options.share or [1.0] * len(options.corpus)
    if len(shares) != len(options.corpus) or min(shares) < 0 or not sum(shares):
        raise InvalidInputError(
            expected=f"{len(options.corpus)} shares, one a corpus, none below 0",
            got=" ".join(map(str, shares)),
            remedy="give --share as many numbers as --corpus has files",
        )
    cache = options.state / "tokens"
    parts = [corpora.tokenise(path, tokenizer, held_out=False, cache=cache) for path in options.corpus]
    held_out = corpora.tokenise(options.corpus[0], tokenizer, held_out=True, cache=cache)
    print(f"{sum(p.tokens for p in parts):,} training tokens, {held_out.tokens:,} held out")
    return corpora.Mixture(tuple(parts), tuple(shares)), held_out


def _on_device(schedule: Schedule) -> Schedule:
    """Batches `LARGER` times as large on a GPU, which a small batch would leave idle."""
    return schedule.larger(LARGER) if choose_device()[0].type == "cuda" else schedule


def _record(options: argparse.Namespace, state: Path, name: str) -> None:
    """Write the learning curve beside the other recorded runs, or into `--out`; it goes on from one in `--start`."""
    run = f"training_{name}.csv"
    curves.record(state / "log.csv", (options.out or FOLDER) / run, earlier=options.start and options.start / run)


def masked_lm(options: argparse.Namespace) -> None:
    """Train `minilm-mlm`: MiniLM's encoder with a new masked-LM head."""
    start = options.start or minilm_folder()
    tokenizer = AutoTokenizer.from_pretrained(start)
    train_split, held_out = _corpora(options, tokenizer)
    torch.manual_seed(options.seed)
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
    schedule, state = _on_device(Schedule(int(options.tokens), seed=options.seed)), options.state / "masked_lm"
    train(objective, train_split, held_out, schedule, state, hours=options.hours)
    save(model, tokenizer, options.out or BUNDLED / "minilm-mlm")
    _record(options, state, "minilm-mlm")


def masked_lm_variants(options: argparse.Namespace) -> None:
    """Train the variants of the masked-LM recipe; the finished ones are in `--out`, a CSV."""
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    train_split, held_out = _corpora(options, tokenizer)
    material = variants.Material(train_split, held_out, tokenizer, options.corpus[0])
    state, out = options.state / "variants", options.out or VARIANT_RUNS
    for run in variants.make(variants.VARIANTS, int(options.tokens), material, state, out):
        print(
            f"{run.variant}, seed {run.seed}: top-1 {run.sentences_top1:.3f} on sentences, {run.blocks_top1:.3f} on "
            f"blocks; cloze {run.cloze_rank1} at rank 1, {run.cloze_top5} in the first five of {run.cloze_n}",
            flush=True,
        )


def replaced_token_detection(options: argparse.Namespace) -> None:
    """Train `minilm-electra-generator` and `minilm-electra-discriminator` together, from the bundled masked LM."""
    start = options.start or BUNDLED / "minilm-mlm"
    if not (start / "model.safetensors").is_file():
        raise ModelUnavailableError(
            f"No masked LM in {start} to start from. Run: python -m lecture_core.training masked_lm"
        )
    tokenizer = AutoTokenizer.from_pretrained(start)
    train_split, held_out = _corpora(options, tokenizer)
    torch.manual_seed(options.seed)  # the discriminator's head is new
    generator, discriminator = from_masked_lm(BertForMaskedLM.from_pretrained(start, dtype=torch.float32))
    objective = ReplacedTokenDetection(generator, discriminator, tokenizer, mask_rate=options.mask_rate)
    schedule = Schedule(
        int(options.tokens), batch_tokens=2048, seed=options.seed, sentence_share=0.6, evaluate_every=500
    )
    state = options.state / "replaced_token_detection"
    train(objective, train_split, held_out, _on_device(schedule), state, hours=options.hours)
    out = options.out or BUNDLED
    save(generator, tokenizer, out / "minilm-electra-generator")
    save(discriminator, tokenizer, out / "minilm-electra-discriminator")
    _record(options, state, "minilm-electra")


def text_to_text(options: argparse.Namespace) -> None:
    """Train `t5-nano` from nothing: its vocabulary, span corruption, the tasks; or go on from `--start`."""
    folder = options.state / "text_to_text"
    path = options.corpus[0]
    sentences = [s for article in corpora.read_articles(path) if not article.held_out for s in article.sentences()]
    if len(sentences) < ENOUGH_SENTENCES:
        raise InvalidInputError(
            expected=f"a corpus of at least {ENOUGH_SENTENCES} sentences",
            got=str(len(sentences)),
            remedy="give more text",
        )
    if options.start is None and not (folder / "tokenizer.json").is_file():
        train_tokenizer(iter(sentences[::4])).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(options.start or folder)
    encoder, material = Encoder(tokenizer), gather(sentences)
    schedule = Schedule(int(options.tokens), seed=options.seed, sentence_share=0.7, evaluate_every=200)
    splits = [
        TextToTextSource(
            corpora.tokenise(path, tokenizer, held_out=held_out, cache=folder / "tokens"),
            encoder,
            material,
            options.pretraining_steps,
            continued=options.start is not None,
        )
        for held_out in (False, True)
    ]
    torch.manual_seed(options.seed)
    model = new_model(tokenizer)
    if options.start is not None:
        model = T5ForConditionalGeneration.from_pretrained(options.start, dtype=torch.float32)
    print(f"{model.num_parameters():,} parameters, {len(material.words):,} words, {len(material.nouns):,} nouns")
    objective = TextToText(model, encoder, rate=1.0 if options.start is None else SLOWER)
    train(objective, splits[0], splits[1], schedule, folder, hours=options.hours)
    save(model, tokenizer, options.out or BUNDLED / "t5-nano")
    _record(options, folder, "t5-nano")


def shapes_vlm(options: argparse.Namespace) -> None:
    """Train `shapes-vlm` from nothing on scenes drawn for every step; written only if it reaches the bar."""
    tokenizer = new_shapes_tokenizer()
    torch.manual_seed(options.seed)
    objective = ShapesVLM(new_shapes_model(tokenizer))
    print(f"{objective.model.num_parameters():,} parameters, {len(tokenizer)} words")
    training, held_out = (SceneSource(tokenizer, held_out=side) for side in (False, True))
    schedule = Schedule(int(options.tokens), batch_tokens=2048, seed=options.seed, warmup_steps=100)
    state = options.state / "shapes"
    schedule = train(objective, training, held_out, schedule, state, hours=options.hours)
    command = f"python -m lecture_core.training shapes_vlm --tokens {schedule.total_tokens} --seed {options.seed}"
    export(objective, held_out, options.out or BUNDLED / "shapes-vlm", command=command)
    _record(options, state, "shapes-vlm")


def scaling_runs(options: argparse.Namespace) -> None:
    """Make the runs of our own scaling law, cheapest first; the finished ones are in `--out`, a CSV."""
    _decoder_runs(options, decoder_grid.grid(options.seed), options.out or RECORDED)


def scaling_sweep(options: argparse.Namespace) -> None:
    """Try learning rates at three sizes: where the rule in `decoder_grid.learning_rate` comes from."""
    _decoder_runs(options, decoder_grid.sweep(options.seed), options.out or SWEEP)


def scaling_excerpt(options: argparse.Namespace) -> None:
    """Write the excerpt of the text that is bundled, on which a visitor trains a run of their own."""
    material = _material(options)
    live_run.write_excerpt(material.train, material.held_out)


def _material(options: argparse.Namespace) -> decoder_grid.Material:
    path, cache = options.corpus[0], options.state / "tokens"
    tokenizer = decoder_text.load_tokenizer(decoder_text.TOKENIZER, path)
    trained, held_out = (
        decoder_text.read_blocks(path, tokenizer, held_out=side, cache=cache) for side in (False, True)
    )
    print(f"{len(trained.ids):,} training tokens, {len(held_out.ids):,} held out")
    return decoder_grid.Material(trained, held_out, tokenizer)


def _decoder_runs(options: argparse.Namespace, plans: list[decoder_grid.Plan], out: Path) -> None:
    print(f"{len(plans)} runs in all")
    for run in decoder_grid.make(plans, _material(options), options.state, out):
        print(
            f"N {run.parameters:,}  D {run.tokens:,}  lr {run.learning_rate:.4g}  loss {run.loss_per_token:.4f} nats "
            f"per token, {run.loss_per_byte:.4f} per byte, {run.seconds:.0f} s",
            flush=True,
        )
