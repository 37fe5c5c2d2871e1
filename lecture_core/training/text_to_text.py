"""t5-nano: a small T5 trained on a mixture of text-to-text tasks and span corruption.

Source: Raffel et al. 2020 (arXiv:1910.10683): encoder-decoder, relative position bias, sentinels, every task as text
with a prefix. Ours is 8.4M parameters, with a byte-pair vocabulary of 4,096 pieces trained on the same text. It mixes
tasks and spans from the start, as in the paper's section 3.5.3: a model this small that reads spans first learns to
ignore its input, and copies nothing for a long time after.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from lecture_core.span_corruption import corrupt, draw_spans
from lecture_core.training.corpus import TokenisedCorpus
from lecture_core.training.text_tasks import TASKS, Material, Pair, draw, held_out_pairs

VOCABULARY = 4096
SENTINELS = tuple(f"<extra_id_{i}>" for i in range(32))
TASKS_ALONE = 1200  # steps of tasks without spans, in which copying is learned
RULED_TASKS, SENTENCE_TASKS = ("grammar", "fault"), ("grammar_corpus", "sentiment")
SHORT_TASKS = tuple(task for task in TASKS if task not in RULED_TASKS + SENTENCE_TASKS)
TOKENS_A_PAIR = {SHORT_TASKS: 26, RULED_TASKS: 28, SENTENCE_TASKS: 36}  # padding included; each in batches of its own
LETTER_TASKS = ("reverse", "sort", "unscramble", "plural")
LETTERS = rf"(?<=\A(?:{'|'.join(LETTER_TASKS)}): ?[A-Za-z]{{0,40}})[A-Za-z]"  # a word after such a prefix
PIECES_UNTIL = 4_710  # step up to which half of the letter tasks' inputs come in pieces; later all come in letters
LETTER_WEIGHT = 2  # how much oftener a letter task is drawn from then on
IGNORED = -100  # label of padding, as in transformers


@dataclass(frozen=True)
class Shares:
    """How the steps after pre-training are divided.

    Attributes:
        fill: share that still corrupts spans, half of them with the prefix "fill: ".
        tasks: of the other steps, the shares of the groups of `TOKENS_A_PAIR`.
    """

    fill: float
    tasks: tuple[float, float, float]


FROM_NOTHING, CONTINUED = Shares(0.3, (0.8, 0.1, 0.1)), Shares(0.15, (0.35, 0.5, 0.15))
RATE, EMBEDDING_RATE = 5e-4, 3e-3
SLOWER = 0.6  # times these rates for a model that goes on, so that it keeps what it can do


def train_tokenizer(sentences: Iterator[str]) -> PreTrainedTokenizerFast:
    """Train the vocabulary: byte pairs over words that keep their leading space, every digit a token of its own.

    After the prefix of a letter task every letter is a token of its own too: a model of pieces does not see letters.
    """
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LETTERS), "isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="first"),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Digits(True),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<pad>", "</s>", "<unk>"],
        limit_alphabet=160,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'\"()-▁"),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=[AddedToken(s, lstrip=True, normalized=False) for s in SENTINELS],
        model_max_length=512,
    )


def new_model(tokenizer: Any) -> T5ForConditionalGeneration:
    """A T5 of four encoder and four decoder layers, hidden size 256, with fresh weights."""
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=256,
        d_kv=32,
        num_heads=8,
        d_ff=1024,
        num_layers=4,
        num_decoder_layers=4,
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config.decoder_start_token_id = tokenizer.pad_token_id
    return T5ForConditionalGeneration(config)


@dataclass(frozen=True)
class PairBatch:
    """Token ids of inputs (B, S), 0 where padded, and labels (B, T), -100 where padded; int64."""

    input_ids: np.ndarray
    labels: np.ndarray


class Encoder:
    """Turns pairs and running text into token ids."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.vocabulary = tokenizer.get_vocab()
        self.sentinels = [self.vocabulary[s] for s in SENTINELS]
        self.eos = tokenizer.eos_token_id

    def spelled(self, text: str) -> list[int]:
        """The text letter by letter."""
        return [self.vocabulary[letter] for letter in text]

    def text(self, text: str) -> list[int]:
        """The text in the vocabulary's pieces."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def pair(self, pair: Pair, *, in_pieces: bool = False) -> tuple[list[int], list[int]]:
        """Input and target ids of a pair, each with its end token; `in_pieces` keeps a word's letters together."""
        prefix, _, word = pair.input.partition(": ")
        inputs = [*self.text(prefix + ":"), *self.text(word)] if in_pieces else self.text(pair.input)
        target = self.spelled(pair.target) if pair.spelled else self.text(pair.target)
        return [*inputs, self.eos], [*target, self.eos]

    def spans(self, ids: Sequence[int], generator: np.random.Generator, prefix: str) -> tuple[list[int], list[int]]:
        """Running text as input and target of span corruption."""
        spans = draw_spans(len(ids), generator)[: len(SENTINELS) - 1]
        corrupted = corrupt(list(ids), spans, self.sentinels)
        start = self.text(prefix) if prefix else []
        return [*start, *corrupted.inputs, self.eos], [*corrupted.targets, self.eos]


def pad(pairs: Sequence[tuple[list[int], list[int]]]) -> PairBatch:
    """Stack id lists of unequal length."""
    inputs = np.zeros((len(pairs), max(len(i) for i, _ in pairs)), dtype=np.int64)
    labels = np.full((len(pairs), max(len(t) for _, t in pairs)), IGNORED, dtype=np.int64)
    for row, (source, target) in enumerate(pairs):
        inputs[row, : len(source)], labels[row, : len(target)] = source, target
    return PairBatch(inputs, labels)


class TextToTextSource:
    """Batches of the mixture: spans alone until `pretraining_steps`, then tasks alone, then both.

    Args:
        continued: whether the model has learned the tasks before: both from the first step on, words in letters.
    """

    def __init__(
        self,
        corpus: TokenisedCorpus,
        encoder: Encoder,
        material: Material,
        pretraining_steps: int,
        *,
        continued: bool = False,
    ) -> None:
        self.corpus, self.encoder, self.material = corpus, encoder, material
        self.pretraining_steps, self.continued = pretraining_steps, continued
        self.shares = CONTINUED if continued else FROM_NOTHING

    def batch(self, seed: int, step: int, *, tokens: int = 4096, sentence_share: float = 0.7) -> PairBatch:
        """Draw the batch of one step; `tokens` counts inputs and targets, padding included."""
        rng = random.Random(f"{seed}-{step}")
        tasks_alone = not self.continued and self.pretraining_steps <= step < self.pretraining_steps + TASKS_ALONE
        if tasks_alone or (step >= self.pretraining_steps and rng.random() >= self.shares.fill):
            return self._tasks(rng, tokens, step)
        prefix = "fill:" if step >= self.pretraining_steps and rng.random() < 0.5 else ""
        return self.spans(seed, step, tokens, sentence_share, prefix)

    def spans(self, seed: int, step: int, tokens: int, sentence_share: float, prefix: str = "") -> PairBatch:
        """Draw a batch of span corruption."""
        text = self.corpus.batch(seed, step, tokens=int(tokens / 1.2), sentence_share=sentence_share)
        generator = np.random.default_rng((seed, step, 2))
        real = (text.attention_mask == 1) & (text.input_ids != self.encoder.eos)
        rows = [ids[kept].tolist() for ids, kept in zip(text.input_ids, real, strict=True)]
        return pad([self.encoder.spans(row, generator, prefix) for row in rows])

    def _tasks(self, rng: random.Random, tokens: int, step: int) -> PairBatch:
        (tasks,) = rng.choices(list(TOKENS_A_PAIR), self.shares.tasks)
        mixed = step < PIECES_UNTIL and not self.continued
        weights = None if mixed else [LETTER_WEIGHT if task in LETTER_TASKS else 1 for task in tasks]
        drawn = (
            draw(task, rng, self.material, held_out=False)
            for task in rng.choices(tasks, weights, k=max(1, tokens // TOKENS_A_PAIR[tasks]))
        )
        return pad([self.encoder.pair(p, in_pieces=mixed and p.spelled and rng.random() >= 0.5) for p in drawn])


class TextToText:
    """The recipe's objective for the training loop: cross-entropy of the target tokens, in nats.

    Args:
        rate: times the learning rates of a model that starts from nothing.
    """

    def __init__(
        self,
        model: T5ForConditionalGeneration,
        encoder: Encoder,
        *,
        rate: float = 1.0,
    ) -> None:
        self.model, self.encoder = model, encoder
        self.learning_rate, self.embedding_rate = rate * RATE, rate * EMBEDDING_RATE
        self.modules = torch.nn.ModuleDict({"model": model})

    def parameter_groups(self) -> list[dict[str, Any]]:
        """T5's embeddings start at size 1, far above all else, so Adam's steps must be larger there to matter."""
        embeddings = self.model.shared.weight
        others = [p for p in self.model.parameters() if p is not embeddings]
        return [
            {"params": [embeddings], "lr": self.embedding_rate},
            {"params": others, "lr": self.learning_rate},
        ]

    def logits(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of every target position given the true tokens before it (B, T, V), and labels (B, T)."""
        device = self.model.device
        inputs, labels = torch.from_numpy(batch.input_ids).to(device), torch.from_numpy(batch.labels).to(device)
        mask = inputs.ne(self.encoder.tokenizer.pad_token_id).long()
        return self.model(input_ids=inputs, attention_mask=mask, labels=labels).logits, labels

    def loss(self, batch: PairBatch, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Mean cross-entropy over the target tokens."""
        logits, labels = self.logits(batch)
        real = labels != IGNORED
        return F.cross_entropy(logits[real].float(), labels[real]), {}

    def evaluate(self, held_out: TextToTextSource) -> dict[str, float]:
        """Held-out loss of span corruption (nats) and exact match a task on unseen inputs.

        Greedy decoding writes the target exactly if and only if every target token is the best one after the true
        tokens before it, so one forward pass measures exact match.
        """
        self.model.eval()
        found = {task: self.verdicts(pairs) for task, pairs in held_out_by_task(held_out.material).items()}
        loss = self.span_loss(held_out)
        self.model.train()
        return {"span_loss": loss} | {task: sum(right) / len(right) for task, right in found.items()}

    def span_loss(self, held_out: TextToTextSource, *, batches: int = 8) -> float:
        """Mean cross-entropy (nats a target token) of span corruption on held-out text, sentences and blocks."""
        losses = []
        for step in range(batches):
            logits, labels = self.logits(held_out.spans(1234, step, 4096, float(step % 2)))
            real = labels != IGNORED
            losses.append(float(F.cross_entropy(logits[real].float(), labels[real])))
        return sum(losses) / batches

    def verdicts(self, pairs: Sequence[Pair]) -> list[bool]:
        """Whether greedy decoding writes each pair's target exactly."""
        logits, labels = self.logits(pad([self.encoder.pair(pair) for pair in pairs]))
        right = (logits.argmax(-1) == labels) | (labels == IGNORED)
        return [bool(one) for one in right.all(-1)]


def held_out_by_task(material: Material, count: int = 200) -> dict[str, list[Pair]]:
    """The measuring pairs, by task."""
    by_task: dict[str, list[Pair]] = {task: [] for task in TASKS}
    for pair in held_out_pairs(material, count=count):
        by_task[pair.task].append(pair)
    return by_task
