"""One training loop for every recipe: AdamW, warm-up, a level stretch, decay, clipping, checkpoints, a CSV log.

It knows nothing of objectives: a recipe gives it a loss. Every step draws its batch and its noise from (seed, step), so
a run that stops and resumes is the run that never stopped. The learning rate stays level until the last part of the
run (the trapezoid of Hu et al. 2024, MiniCPM, arXiv:2404.06395), so a run can also be made longer before it decays.
"""

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from tqdm.auto import tqdm

from lecture_core.errors import LectureError
from lecture_core.training import curves
from lecture_core.training.checkpoints import save_atomically


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        total_tokens: tokens to see, padding counted.
        batch_tokens: tokens in a step.
        warmup_steps: steps over which the learning rate rises linearly.
        decay: share of the steps at the end over which it falls linearly to zero.
        clip: largest norm of the gradient.
        sentence_share: share of the steps that see single sentences instead of packed blocks.
        evaluate_every: steps between two measurements on held-out text.
        rate: multiplier of the recipe's learning rates.
    """

    total_tokens: int
    batch_tokens: int = 4096
    warmup_steps: int = 60
    decay: float = 0.35
    clip: float = 1.0
    seed: int = 0
    sentence_share: float = 0.5
    evaluate_every: int = 250
    rate: float = 1.0

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return max(1, self.total_tokens // self.batch_tokens)

    def factor(self, step: int) -> float:
        """Multiplier of the learning rates at `step`, in [0, `rate`]."""
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.rate * max(0.0, min(1.0, (step + 1) / self.warmup_steps, left))

    def larger(self, times: int) -> "Schedule":
        """The same tokens in batches so many times as large; Adam's rates grow with the root (Malladi et al. 2022)."""
        return replace(
            self,
            batch_tokens=times * self.batch_tokens,
            warmup_steps=max(1, self.warmup_steps // times),
            evaluate_every=max(1, self.evaluate_every // times),
            rate=self.rate * math.sqrt(times),
        )


class Source(Protocol):
    """Where batches come from: a pure function of (seed, step)."""

    def batch(self, seed: int, step: int, *, tokens: int, sentence_share: float) -> Any:
        """Draw the batch of one step."""


class Objective(Protocol):
    """What a recipe gives to the loop."""

    modules: torch.nn.ModuleDict

    def parameter_groups(self) -> list[dict[str, Any]]:
        """AdamW groups, each with its own `lr`."""

    def loss(self, batch: Any, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of a batch and figures to log."""

    def evaluate(self, held_out: Any) -> dict[str, float]:
        """Figures on held-out text."""


def choose_device() -> tuple[torch.device, torch.dtype]:
    """Return the device and the dtype of the matrix products: bfloat16 where the hardware multiplies in it."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16
    fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.device("cpu"), torch.bfloat16 if fast else torch.float32


def train(
    objective: Objective,
    source: Source,
    held_out: Source,
    schedule: Schedule,
    state: Path,
    *,
    hours: float | None = None,
    stop_after: int | None = None,
    report: Callable[[str], None] = tqdm.write,
) -> Schedule:
    """Train until the schedule ends, resuming from `state` if a checkpoint lies there; returns that schedule.

    Args:
        state: folder of the checkpoint and `log.csv`.
        hours: train so much longer instead of to `schedule.total_tokens`: a few steps are timed first. A run that was
            stopped and is given the same hours keeps the end that was set then.
        stop_after: stop after this many steps of this call, as an interrupt would; for tests.

    Raises:
        LectureError: the checkpoint does not fit the recipe, or cannot be written; the last one is kept.
        KeyboardInterrupt: stopped from outside, after the step in progress and a checkpoint.
    """
    run = TrainingRun(objective, source, schedule, state)
    if hours is not None:
        schedule = run.schedule = run.schedule_for(hours)
        report(f"{schedule.total_tokens:,} tokens in all; --tokens {schedule.total_tokens} repeats this run exactly")
    last = schedule.steps if stop_after is None else min(schedule.steps, run.done + stop_after)
    progress = tqdm(total=schedule.steps, initial=run.done, unit="step", smoothing=0.05, disable=None)
    with progress as bar, _stop_signals() as stopped:
        while run.done < last and not stopped.is_set():
            run.step()
            bar.update()
            bar.set_postfix_str(run.summary(), refresh=False)
            if run.done % 50 == 0 and bar.disable:
                report(f"step {run.done}/{schedule.steps}  {run.summary()}")
            if run.done % schedule.evaluate_every == 0 or run.done == schedule.steps:
                measured = run.measure(held_out)
                report("held out  " + "  ".join(f"{k} {v:.4f}" for k, v in measured.items()))
    if run.done < schedule.steps:
        run.checkpoint()
    if stopped.is_set():
        raise KeyboardInterrupt
    return schedule


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Turn Ctrl-C and a polite kill into an event, so that a step in progress ends and is kept."""
    stopped = threading.Event()
    handled = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in handled}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class TrainingRun:
    """The state of one training run: parameters, optimiser, steps done."""

    def __init__(self, objective: Objective, source: Source, schedule: Schedule, state: Path) -> None:
        self.objective, self.source, self.schedule, self.state = objective, source, schedule, state
        self.device, self.dtype = choose_device()
        self.parameters = list(objective.modules.to(self.device).train().parameters())
        self.optimizer = torch.optim.AdamW(
            objective.parameter_groups(), betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, fused=True
        )
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        state.mkdir(parents=True, exist_ok=True)
        self.averages: dict[str, float] = {}
        self.timed: tuple[float, int] | None = None
        self.done = self._resume()

    def _forward_backward(self, step: int) -> dict[str, float]:
        schedule = self.schedule
        batch = self.source.batch(
            schedule.seed, step, tokens=schedule.batch_tokens, sentence_share=schedule.sentence_share
        )
        generator = torch.Generator().manual_seed((schedule.seed << 32) + step)
        with self._autocast():
            loss, figures = self.objective.loss(batch, generator)
        loss.backward()
        return {"loss": loss.item(), **figures}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def step(self) -> None:
        """One optimiser step; its batch, noise and learning rate depend on its number alone."""
        started = time.monotonic()
        for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = rate * self.schedule.factor(self.done)
        figures = self._forward_backward(self.done)
        torch.nn.utils.clip_grad_norm_(self.parameters, self.schedule.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)
        self.done += 1
        figures["speed"] = self.schedule.batch_tokens / (time.monotonic() - started)
        for name, value in figures.items():
            self.averages[name] = 0.98 * self.averages.get(name, value) + 0.02 * value

    def schedule_for(self, hours: float) -> Schedule:
        """The schedule that ends about `hours` from now, by the time of eight steps that change nothing."""
        if self.timed is not None and self.timed[0] == hours:
            return replace(self.schedule, total_tokens=self.timed[1])
        self._forward_backward(self.done)
        started = time.monotonic()
        for step in range(self.done, self.done + 8):
            self._forward_backward(step)
        steps = int(hours * 3600 / ((time.monotonic() - started) / 8))
        self.optimizer.zero_grad(set_to_none=False)
        self.timed = hours, (self.done + max(1, steps)) * self.schedule.batch_tokens
        return replace(self.schedule, total_tokens=self.timed[1])

    def measure(self, held_out: Source) -> dict[str, float]:
        """Figures on held-out text; written to the log, with a checkpoint."""
        with self._autocast(), torch.inference_mode():
            measured = self.objective.evaluate(held_out)
        row = {"step": self.done, "tokens": self.done * self.schedule.batch_tokens}
        losses = {k: v for k, v in self.averages.items() if k != "speed"}
        curves.log(self.state / "log.csv", row | losses | {f"held_out_{k}": v for k, v in measured.items()})
        self.checkpoint()
        return measured

    def summary(self) -> str:
        """Running averages, speed and time left, as one line."""
        shown = "  ".join(f"{k} {v:.3f}" for k, v in self.averages.items() if k != "speed")
        left = (self.schedule.total_tokens - self.done * self.schedule.batch_tokens) / self.averages["speed"] / 60
        return f"{shown}  {self.averages['speed']:,.0f} tokens/s  {left:.0f} min left"

    def checkpoint(self) -> None:
        """Write parameters, optimiser and step, or leave the last checkpoint as it was."""
        made = {"step": self.done, "schedule": asdict(self.schedule), "averages": self.averages, "timed": self.timed}
        metadata = {name: json.dumps(value) for name, value in made.items()}
        save_atomically(_tensors(self.objective, self.optimizer), self.state / "checkpoint.safetensors", metadata)

    def _resume(self) -> int:
        """Load the checkpoint if there is one; return the steps done. Raises LectureError where it does not fit."""
        path = self.state / "checkpoint.safetensors"
        if not path.is_file():
            return 0
        try:
            with safe_open(path, "pt") as file:
                made = {name: json.loads(value) for name, value in file.metadata().items()}
                _check(path, file, self.objective, made["schedule"], self.schedule)
                _restore(file, self.objective, self.optimizer)
        except (SafetensorError, KeyError, json.JSONDecodeError) as exc:
            raise LectureError(f"{path} cannot be read: {exc}. Delete it, or give --state another folder.") from exc
        self.averages, self.timed = made.get("averages", {}), made.get("timed")
        curves.forget_after(made["step"], self.state / "log.csv")
        return int(made["step"])


def _tensors(objective: Objective, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    names = {id(p): n for n, p in objective.modules.named_parameters()}
    tensors = {f"model.{n}": p.detach().clone() for n, p in objective.modules.named_parameters()}
    for parameter, slots in optimizer.state.items():
        tensors |= {
            f"adam.{k}.{names[id(parameter)]}": v.clone() for k, v in slots.items() if isinstance(v, torch.Tensor)
        }
    return tensors


def _check(path: Path, file: Any, objective: Objective, begun: dict[str, Any], now: Schedule) -> None:
    keys = set(file.keys())
    for name, parameter in objective.modules.named_parameters():
        if f"model.{name}" not in keys or file.get_slice(f"model.{name}").get_shape() != list(parameter.shape):
            raise LectureError(f"{path} belongs to another recipe. Give --state another folder.")
    if begun["seed"] != now.seed:
        raise LectureError(f"{path} was begun with --seed {begun['seed']}. Give that seed, or --state another folder.")
    if begun["batch_tokens"] != now.batch_tokens:
        raise LectureError(
            f"{path} was begun with batches of {begun['batch_tokens']:,} tokens; here they have {now.batch_tokens:,}. "
            "Go on where it was begun (a GPU takes larger batches), or give --state another folder."
        )


def _restore(file: Any, objective: Objective, optimizer: torch.optim.Optimizer) -> None:
    keys = set(file.keys())
    for name, parameter in objective.modules.named_parameters():
        parameter.data.copy_(file.get_tensor(f"model.{name}"))
        slots = ("step", "exp_avg", "exp_avg_sq")
        optimizer.state[parameter] = {
            k: file.get_tensor(f"adam.{k}.{name}").to("cpu" if k == "step" else parameter.device)
            for k in slots
            if f"adam.{k}.{name}" in keys
        }
