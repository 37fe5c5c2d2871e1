"""A grid of small decoders for our own scaling law: seven sizes times five token budgets, one recipe for all.

Lecture: Scaling laws. Sources: Kaplan et al. 2020 (arXiv:2001.08361), Hoffmann et al. 2022 (arXiv:2203.15556); the
shared level stretch: Hu et al. 2024 (MiniCPM, arXiv:2404.06395), Hägele et al. 2024 (arXiv:2405.18392).

The learning rate is level until the last 30 % of a run, and batches depend on (seed, step) alone. So the level stretch
of a longer run begins with that of every shorter one of the same size, step by step and bit by bit: each size has one
trunk, and every budget is a branch that leaves it where its own decay begins. A branch equals the run made alone.
"""

import hashlib
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from lecture_core import scaling_runs
from lecture_core.scaling_runs import ScalingRun
from lecture_core.training.decoder_text import CONTEXT, HELD_OUT_BLOCKS, VOCABULARY, Blocks, bytes_per_token
from lecture_core.training.loop import Schedule, choose_device, train

BASE = Schedule(total_tokens=0, batch_tokens=4 * CONTEXT, warmup_steps=60, decay=0.3, sentence_share=0.0)
BUDGETS = tuple(steps * 1024 for steps in (512, 832, 1280, 2048, 4096))
"""Tokens of training: 0.52M, 0.85M, 1.3M, 2.1M, 4.2M. Shorter runs hardly tell the sizes apart."""


@dataclass(frozen=True)
class Size:
    """Shape of a decoder: hidden size, blocks, heads."""

    width: int
    layers: int
    heads: int


SIZES = (
    Size(48, 2, 3),
    Size(96, 2, 3),
    Size(96, 4, 3),
    Size(128, 4, 4),
    Size(192, 5, 6),
    Size(256, 7, 8),
    Size(320, 8, 10),
)
"""0.055M, 0.22M, 0.44M, 0.78M, 2.2M, 5.5M and 9.8M parameters without the embedding."""
SWEEP_SIZES = (SIZES[0], SIZES[3], SIZES[5])
EMBEDDING_RATE = 2e-2
SWEEP_RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3)
SWEEP_TOKENS = BUDGETS[0]


def learning_rate(width: int) -> float:
    """Return the level learning rate of the body for a hidden size: in inverse proportion to it.

    The sweep in `assets/runs/scaling_sweep.csv` (0.52M tokens, rates from 5e-4 to 8e-3) has its lowest losses at 4e-3
    for width 48, 2e-3 for width 128 and 1e-3 for width 256.

    Source of the form: Yang et al. 2022 (arXiv:2203.03466), Table 3, Adam on hidden weights.
    """
    return 0.2 / width


def new_model(size: Size, seed: int = 0) -> LlamaForCausalLM:
    """Return a Llama-style decoder (rotary positions, RMSNorm, SwiGLU), weights drawn from `seed`."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=size.width,
        intermediate_size=8 * size.width // 3 // 16 * 16,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        use_cache=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config)


class HeldOutText(Protocol):
    """Text that measures: blocks of 257 ids."""

    def spread(self, count: int) -> np.ndarray:
        """Return `count` blocks, always the same, (count, 257)."""


class CausalLM:
    """The recipe's objective for the training loop: predict every next token.

    Args:
        token_bytes: bytes of text in each token, (V,).
    """

    def __init__(self, model: LlamaForCausalLM, token_bytes: np.ndarray, rate: float) -> None:
        self.model, self.rate = model, rate
        self.token_bytes = torch.from_numpy(token_bytes)
        self.modules = torch.nn.ModuleDict({"model": model})

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The body learns at the rate; the output layer at twice that, the embedding at one rate for every width.

        At one rate for all, these short runs stay for half their length at the loss of counting tokens: 4.53 nats after
        0.26M tokens at width 96 with one matrix for both, 4.16 with two, 3.92 with rates of their own.
        """
        head, embedding = self.model.lm_head.weight, self.model.model.embed_tokens.weight
        body = [p for p in self.model.parameters() if p is not head and p is not embedding]
        return [
            {"params": body, "lr": self.rate},
            {"params": [head], "lr": 2 * self.rate},
            {"params": [embedding], "lr": EMBEDDING_RATE},
        ]

    def loss(self, batch: np.ndarray, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Mean cross-entropy of the next token in nats; nothing is drawn."""
        return self._cross_entropy(batch, "mean"), {}

    def _cross_entropy(self, batch: np.ndarray, reduction: str) -> torch.Tensor:
        ids = torch.from_numpy(batch).to(self.model.device)
        logits = self.model(input_ids=ids[:, :-1]).logits.float()  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction=reduction)

    @torch.inference_mode()
    def evaluate(self, held_out: HeldOutText, *, blocks: int = 8) -> dict[str, float]:
        """Held-out loss in nats per token and per byte, on `blocks` blocks spread over the held-out articles."""
        chosen = held_out.spread(blocks)
        total = sum(
            self._cross_entropy(part, "sum").item() for part in np.array_split(chosen, max(1, len(chosen) // 8))
        )
        targets = chosen[:, 1:]
        return {"loss": total / targets.size, "loss_per_byte": total / int(self.token_bytes[targets].sum())}


@dataclass(frozen=True)
class Plan:
    """One run to make."""

    size: Size
    tokens: int
    rate: float
    seed: int = 0

    @property
    def schedule(self) -> Schedule:
        """The schedule of this run made alone."""
        return replace(BASE, total_tokens=self.tokens, seed=self.seed)

    @property
    def trunk(self) -> Schedule:
        """The level stretch: what the run shares with every longer one."""
        level = int(self.schedule.steps * (1 - BASE.decay))
        return replace(self.schedule, total_tokens=level * BASE.batch_tokens, decay=0.0)

    @property
    def name(self) -> str:
        """Name of the trunk's folder."""
        return f"{self.size.width}x{self.size.layers}-lr{self.rate:.3g}-seed{self.seed}"


def grid(seed: int = 0) -> list[Plan]:
    """Return all runs, the cheapest first, so that the grid can be cut off at any time."""
    plans = [Plan(size, tokens, learning_rate(size.width), seed) for size in SIZES for tokens in BUDGETS]
    return sorted(plans, key=lambda plan: plan.size.width**2 * plan.size.layers * plan.tokens)


def sweep(seed: int = 0) -> list[Plan]:
    """Return the runs from which the rule for the learning rate was read."""
    return [Plan(size, SWEEP_TOKENS, rate, seed) for size in SWEEP_SIZES for rate in SWEEP_RATES]


@dataclass(frozen=True)
class Material:
    """What all runs of a grid share."""

    train: Blocks
    held_out: Blocks
    tokenizer: Tokenizer

    @property
    def revision(self) -> str:
        """Hash of vocabulary, held-out text and schedule: runs of one revision can be compared."""
        parts = (self.tokenizer.to_str(), self.held_out.ids.tobytes(), len(self.train), BASE)
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part if isinstance(part, bytes) else str(part).encode())
        return digest.hexdigest()[:8]


def make(plans: Iterable[Plan], material: Material, state: Path, out: Path) -> Iterator[ScalingRun]:
    """Make the runs that `out` does not hold yet; append each to it and yield it."""
    made = {(run.parameters, run.tokens, f"{run.learning_rate:.4g}", run.seed) for run in scaling_runs.load(out)}
    for plan in plans:
        key = (
            _non_embedding(new_model(plan.size)),
            plan.schedule.steps * BASE.batch_tokens,
            f"{plan.rate:.4g}",
            plan.seed,
        )
        if key not in made:
            run = run_branch(plan, material, state)
            scaling_runs.append(run, out)
            shutil.rmtree(_branch_folder(plan, state))
            yield run


def run_branch(plan: Plan, material: Material, state: Path) -> ScalingRun:
    """Train the trunk as far as this run needs it, leave it, let the rate fall, measure; resumes both parts."""
    started = time.monotonic()
    trunk, branch = state / plan.name, _branch_folder(plan, state)
    if not (branch / "checkpoint.safetensors").is_file():
        if _steps_done(trunk) > plan.trunk.steps:
            shutil.rmtree(trunk)  # it has gone on without this run: begin again
        _train(plan, material, plan.trunk, trunk)
        shutil.copytree(trunk, branch, dirs_exist_ok=True)
    objective = _train(plan, material, plan.schedule, branch)
    made = measured(plan, objective, material.held_out, time.monotonic() - started)
    return replace(made, revision=material.revision)


def _branch_folder(plan: Plan, state: Path) -> Path:
    return state / f"{plan.name}-{plan.tokens}"


def _train(plan: Plan, material: Material, schedule: Schedule, state: Path) -> CausalLM:
    objective = CausalLM(new_model(plan.size, plan.seed), bytes_per_token(material.tokenizer), plan.rate)
    train(objective, material.train, material.held_out, schedule, state)
    return objective


def _steps_done(state: Path) -> int:
    path = state / "checkpoint.safetensors"
    if not path.is_file():
        return 0
    with safe_open(path, "pt") as file:
        return int(file.metadata()["step"])


def _non_embedding(model: LlamaForCausalLM) -> int:
    return int(model.num_parameters() - model.model.embed_tokens.weight.numel() - model.lm_head.weight.numel())


def measured(plan: Plan, objective: CausalLM, held_out: HeldOutText, seconds: float) -> ScalingRun:
    """Return the row of a finished run, measured on all the held-out blocks; its revision is still empty."""
    losses = objective.evaluate(held_out, blocks=HELD_OUT_BLOCKS)
    parameters, tokens = _non_embedding(objective.model), plan.schedule.steps * BASE.batch_tokens
    device, dtype = choose_device()
    return ScalingRun(
        parameters=parameters,
        parameters_total=objective.model.num_parameters(),
        tokens=tokens,
        flops=6.0 * parameters * tokens,
        loss_per_token=losses["loss"],
        loss_per_byte=losses["loss_per_byte"],
        learning_rate=plan.rate,
        seed=plan.seed,
        seconds=seconds,
        date=datetime.now(UTC).date().isoformat(),
        device=f"{device.type} {str(dtype).removeprefix('torch.')}",
        revision="",
    )
