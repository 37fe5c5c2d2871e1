"""One training loop for every recipe: AdamW, warm-up, linear decay, clipping, checkpoints, a CSV log.

It knows nothing of objectives: a recipe gives it a loss. Every step draws its batch and its noise from (seed, step), so
a run that stops and resumes is the run that never stopped.
"""

import csv
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lecture_core.training.corpus import TokenBatch, TokenisedCorpus


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        total_tokens: tokens to see, padding counted.
        batch_tokens: tokens in a step.
        warmup: share of the steps over which the learning rate rises linearly; then it falls linearly to zero.
        clip: largest norm of the gradient.
        sentence_share: share of the steps that see single sentences instead of packed blocks.
        evaluate_every: steps between two measurements on held-out text.
    """

    total_tokens: int
    batch_tokens: int = 4096
    warmup: float = 0.03
    clip: float = 1.0
    seed: int = 0
    sentence_share: float = 0.5
    evaluate_every: int = 250

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return max(1, self.total_tokens // self.batch_tokens)

    def factor(self, step: int) -> float:
        """Multiplier of the learning rate at `step`, in [0, 1]."""
        warm = max(1, int(self.warmup * self.steps))
        return min((step + 1) / warm, max(0.0, (self.steps - step) / max(1, self.steps - warm)))


class Objective(Protocol):
    """What a recipe gives to the loop."""

    modules: torch.nn.ModuleDict

    def parameter_groups(self) -> list[dict[str, Any]]:
        """AdamW groups, each with its own `lr`."""

    def loss(
        self, batch: TokenBatch, generator: torch.Generator, progress: float
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of a batch and figures to log; `progress` in [0, 1] is the share of the training done."""

    def evaluate(self, held_out: TokenisedCorpus) -> dict[str, float]:
        """Figures on held-out text."""


def choose_device() -> tuple[torch.device, torch.dtype]:
    """Return the device and the dtype of the matrix products: bfloat16 where the hardware multiplies in it."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16
    fast = torch.backends.cpu.get_cpu_capability().startswith("AVX512") and torch.cpu._is_amx_tile_supported()
    return torch.device("cpu"), torch.bfloat16 if fast else torch.float32


def train(
    objective: Objective,
    corpus: TokenisedCorpus,
    held_out: TokenisedCorpus,
    schedule: Schedule,
    state: Path,
    *,
    stop_after: int | None = None,
    report: Callable[[str], None] = print,
) -> None:
    """Train until the schedule ends, resuming from `state` if a checkpoint lies there.

    Args:
        state: folder of checkpoint, schedule and `log.csv`.
        stop_after: stop after this many steps of this call, as an interrupt would; for tests.
    """
    device, dtype = choose_device()
    objective.modules.to(device).train()
    optimizer = torch.optim.AdamW(
        objective.parameter_groups(), betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, fused=True
    )
    base_rates = [group["lr"] for group in optimizer.param_groups]
    state.mkdir(parents=True, exist_ok=True)
    first = _resume(objective, optimizer, state)
    started, window = time.monotonic(), time.monotonic()
    averages: dict[str, float] = {}
    for step in range(first, schedule.steps):
        for group, rate in zip(optimizer.param_groups, base_rates, strict=True):
            group["lr"] = rate * schedule.factor(step)
        batch = corpus.batch(schedule.seed, step, tokens=schedule.batch_tokens, sentence_share=schedule.sentence_share)
        generator = torch.Generator().manual_seed((schedule.seed << 32) + step)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            loss, figures = objective.loss(batch, generator, step / schedule.steps)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(objective.modules.parameters(), schedule.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        for name, value in {"loss": loss.item(), **figures}.items():
            averages[name] = value if name not in averages else 0.98 * averages[name] + 0.02 * value
        done = step + 1
        if done % 50 == 0:
            speed = 50 * schedule.batch_tokens / (time.monotonic() - window)
            window = time.monotonic()
            left = (schedule.steps - done) * schedule.batch_tokens / speed / 60
            shown = "  ".join(f"{k} {v:.3f}" for k, v in averages.items())
            report(f"step {done}/{schedule.steps}  {shown}  {speed:,.0f} tokens/s  {left:.0f} min left")
        if done % schedule.evaluate_every == 0 or done == schedule.steps:
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32), torch.inference_mode():
                measured = objective.evaluate(held_out)
            report("held out  " + "  ".join(f"{k} {v:.4f}" for k, v in measured.items()))
            row = {
                "step": done,
                "tokens": done * schedule.batch_tokens,
                "seconds": round(time.monotonic() - started, 1),
            }
            _log(state / "log.csv", row | averages | {f"held_out_{k}": v for k, v in measured.items()})
            _checkpoint(objective, optimizer, state, done, schedule)
            window = time.monotonic()
        if stop_after is not None and done - first >= stop_after:
            _checkpoint(objective, optimizer, state, done, schedule)
            return


def _log(path: Path, row: dict[str, float]) -> None:
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow({k: f"{v:.5g}" if isinstance(v, float) and not math.isinf(v) else v for k, v in row.items()})


def _checkpoint(
    objective: Objective, optimizer: torch.optim.Optimizer, state: Path, done: int, schedule: Schedule
) -> None:
    names = {id(p): n for n, p in objective.modules.named_parameters()}
    tensors = {f"model.{n}": p.detach().clone() for n, p in objective.modules.named_parameters()}
    for parameter, slots in optimizer.state.items():
        tensors |= {
            f"adam.{k}.{names[id(parameter)]}": v.clone() for k, v in slots.items() if isinstance(v, torch.Tensor)
        }
    save_atomically(
        tensors, state / "checkpoint.safetensors", {"step": str(done), "schedule": json.dumps(asdict(schedule))}
    )


def save_atomically(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write a safetensors file beside `path`, then rename: a full disk or a kill leaves the old file whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(tensors, partial, metadata)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _resume(objective: Objective, optimizer: torch.optim.Optimizer, state: Path) -> int:
    path = state / "checkpoint.safetensors"
    if not path.is_file():
        return 0
    with safe_open(path, "pt") as file:
        keys = set(file.keys())
        for name, parameter in objective.modules.named_parameters():
            parameter.data.copy_(file.get_tensor(f"model.{name}"))
            slots = ("step", "exp_avg", "exp_avg_sq")
            optimizer.state[parameter] = {
                k: file.get_tensor(f"adam.{k}.{name}").to("cpu" if k == "step" else parameter.device)
                for k in slots
                if f"adam.{k}.{name}" in keys
            }
        return int(file.metadata()["step"])
