"""shapes-vlm: a vision encoder and a text decoder that answer questions about pictures of coloured shapes.

A ViT (Dosovitskiy et al. 2021, arXiv:2010.11929) of three layers reads the picture as sixteen patches; a GPT-2 of
three layers with cross-attention reads the question and writes the answer word by word. Pictures, questions and answers
are drawn for every step by `lecture_core.scenes` and `lecture_core.scene_questions`: there is no data set. It first
learns to describe whole pictures, where every patch is named, and then to answer questions.
"""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch.nn import functional as F
from transformers import (
    GPT2Config,
    PreTrainedTokenizerFast,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)
from transformers.modeling_outputs import BaseModelOutput

from lecture_core.scene_questions import QUESTIONS, Question, all_questions, ask, vocabulary
from lecture_core.scenes import BACKGROUND, CELL_PIXELS, PIXELS, Scene, random_scene, render
from lecture_core.statistics import MeasuredRate, measured

CONTEXT = 64  # tokens of question and answer
TOKENS_A_QUESTION = 16  # padding included
QUESTIONS_A_SCENE = 8  # the picture is encoded once for all of them
TOKENS_A_DESCRIPTION = 32  # about; one a scene
HARD = {"side": 4, "unusual": 3, "count": 2}  # kinds learned last, drawn so many times as often as the others
DESCRIBING_STEPS = 1500  # steps of pre-training, on descriptions alone; without them "where" is not learned in 8,000
DESCRIBING_EVERY = 4  # from then on, every fourth step
HIDDEN, LAYERS, HEADS = 128, 3, 4
IGNORED = -100
IMAGE_MEAN, IMAGE_STD = BACKGROUND / 255, 0.5  # an empty cell is zero everywhere
POSITION_STD = 0.5  # as large as a patch; with the usual 0.02 the model learns what is there and hardly where


def new_tokenizer() -> PreTrainedTokenizerFast:
    """A vocabulary of whole words: those of the questions and answers, and one token for all others."""
    words = ["<pad>", "<s>", "</s>", "<unk>", *vocabulary()]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]"), "removed", invert=True)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=CONTEXT,
    )


def new_model(tokenizer: Any) -> VisionEncoderDecoderModel:
    """ViT and GPT-2 of three layers, hidden size 128, with fresh weights: 1.1M parameters."""
    encoder = ViTConfig(
        image_size=PIXELS,
        patch_size=CELL_PIXELS,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=2 * HIDDEN,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    decoder = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=CONTEXT,
        n_embd=HIDDEN,
        n_layer=LAYERS,
        n_head=HEADS,
        n_inner=2 * HIDDEN,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        add_cross_attention=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id = tokenizer.bos_token_id
    config.pad_token_id, config.eos_token_id = tokenizer.pad_token_id, tokenizer.eos_token_id
    model = VisionEncoderDecoderModel(config)
    torch.nn.init.normal_(model.get_parameter("encoder.embeddings.position_embeddings"), std=POSITION_STD)
    return model


@dataclass(frozen=True)
class SceneBatch:
    """Pictures (N, 64, 64, 3) uint8; `picture` (B,) says which one each question is about; ids and labels (B, T)."""

    pictures: np.ndarray
    picture: np.ndarray
    input_ids: np.ndarray
    labels: np.ndarray


def encode(asked: list[tuple[Scene, list[Question]]], tokenizer: Any) -> SceneBatch:
    """Turn scenes and their questions into arrays; the loss counts the answer and the end token only."""
    questions = [(i, q) for i, (_, listed) in enumerate(asked) for q in listed]
    pairs = [
        (tokenizer(q.text)["input_ids"], tokenizer(q.answer, add_special_tokens=False)["input_ids"])
        for _, q in questions
    ]
    width = max(len(q) + len(a) for q, a in pairs)
    ids = np.full((len(pairs), width), tokenizer.pad_token_id, dtype=np.int64)
    labels = np.full_like(ids, IGNORED)
    for row, (question, answer) in enumerate(pairs):
        ids[row, : len(question) + len(answer)] = [*question, *answer]
        start = len(question) - 1
        labels[row, start : start + len(answer) + 1] = [*answer, tokenizer.eos_token_id]
    pictures = np.stack([render(scene) for scene, _ in asked])
    return SceneBatch(pictures, np.array([i for i, _ in questions]), ids, labels)


class SceneSource:
    """Fresh scenes and questions for every step, from the training side or the measuring side of the hash."""

    def __init__(self, tokenizer: Any, *, held_out: bool) -> None:
        self.tokenizer, self.held_out = tokenizer, held_out

    def scene(self, rng: random.Random) -> Scene:
        """Draw a scene of this side."""
        while True:
            scene = random_scene(rng)
            if scene.held_out == self.held_out:
                return scene

    def batch(self, seed: int, step: int, *, tokens: int = 2048, sentence_share: float = 0.0) -> SceneBatch:
        """Draw the batch of one step: descriptions, or `tokens` / 16 questions, eight about each picture."""
        rng = random.Random(f"{seed}-{step}")
        if step < DESCRIBING_STEPS or step % DESCRIBING_EVERY == 0:
            scenes = [self.scene(rng) for _ in range(max(1, tokens // TOKENS_A_DESCRIPTION))]
            return encode([(scene, all_questions(scene, "everything")) for scene in scenes], self.tokenizer)
        scenes = [self.scene(rng) for _ in range(max(1, tokens // TOKENS_A_QUESTION // QUESTIONS_A_SCENE))]
        asked = [(scene, [ask(scene, rng, often=HARD) for _ in range(QUESTIONS_A_SCENE)]) for scene in scenes]
        return encode(asked, self.tokenizer)

    def by_kind(self, kind: str, count: int, *, seed: int = 0) -> SceneBatch:
        """Draw `count` scenes with one question of a kind each."""
        rng = random.Random(f"{seed}-{kind}")
        asked: list[tuple[Scene, list[Question]]] = []
        while len(asked) < count:
            scene = self.scene(rng)
            if questions := all_questions(scene, kind):
                asked.append((scene, [rng.choice(questions)]))
        return encode(asked, self.tokenizer)


class ShapesVLM:
    """The recipe's objective for the training loop: cross-entropy of the answer's words, in nats."""

    def __init__(self, model: VisionEncoderDecoderModel, *, learning_rate: float = 1e-3) -> None:
        self.model, self.learning_rate = model, learning_rate
        self.modules = torch.nn.ModuleDict({"model": model})

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One learning rate for all."""
        return [{"params": list(self.model.parameters()), "lr": self.learning_rate}]

    def logits(self, batch: SceneBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits given the question and the true words before each (B, T, V), and labels (B, T).

        Always in float32: at this size bfloat16 takes 2.5 times as long on a CPU, the conversions cost more than
        the products save.
        """
        device = self.model.device
        pixels = torch.from_numpy(batch.pictures).to(device).permute(0, 3, 1, 2).float() / 255
        pixels = (pixels - IMAGE_MEAN) / IMAGE_STD
        with torch.autocast(device.type, enabled=False):
            seen = self.model.encoder(pixel_values=pixels).last_hidden_state
            outputs = self.model(
                encoder_outputs=BaseModelOutput(last_hidden_state=seen[torch.from_numpy(batch.picture).to(device)]),
                decoder_input_ids=torch.from_numpy(batch.input_ids).to(device),
                use_cache=False,
            )
        return outputs.logits, torch.from_numpy(batch.labels).to(device)

    def loss(self, batch: SceneBatch, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Mean cross-entropy over the words of the answers."""
        logits, labels = self.logits(batch)
        real = labels != IGNORED
        return F.cross_entropy(logits[real].float(), labels[real]), {}

    def evaluate(self, held_out: SceneSource) -> dict[str, float]:
        """Exact match by kind of question, on scenes never trained on."""
        found = exact_match(self, held_out, count=128)
        return {kind: rate.right / rate.n for kind, rate in found.items()}


def exact_match(objective: ShapesVLM, held_out: SceneSource, *, count: int) -> dict[str, MeasuredRate]:
    """Share of answers that greedy decoding writes exactly, by kind; one forward pass a kind.

    Greedy decoding writes the answer exactly if and only if every word is the best one after the true words before it.
    """
    objective.model.eval()
    found = {}
    for kind in QUESTIONS:
        logits, labels = objective.logits(held_out.by_kind(kind, count))
        right = (logits.argmax(-1) == labels) | (labels == IGNORED)
        found[kind] = measured(right.all(-1).tolist())
    objective.model.train()
    return found
