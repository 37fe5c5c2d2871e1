"""A small decoder trained while a visitor watches: the recipe of `decoder_grid` on a bundled excerpt of its text.

The excerpt (assets/scaling) is 0.6M training tokens and the very blocks on which the recorded runs are measured, both
from Simple English Wikipedia (CC BY-SA 3.0). One run at a time in a process; the next visitor is told to wait.
"""

import lzma
import tempfile
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from lecture_core.errors import BusyError, ModelUnavailableError
from lecture_core.scaling_runs import ScalingRun
from lecture_core.training import decoder_grid
from lecture_core.training.decoder_grid import CausalLM, Plan
from lecture_core.training.decoder_text import HELD_OUT_BLOCKS, TOKENIZER, Blocks, bytes_per_token
from lecture_core.training.loop import TrainingRun

TRAINING, HELD_OUT = (TOKENIZER.with_name(f"excerpt_{name}.npy.xz") for name in ("training", "held_out"))
EVERY_ARTICLE = 20
_LOOKS = 0.8  # seconds between two reports
_ONE = threading.Lock()


@dataclass(frozen=True)
class HeldOut:
    """Blocks chosen before, (B, 257): what `Blocks.spread` gave when the recorded runs were measured."""

    blocks: np.ndarray

    def spread(self, count: int) -> np.ndarray:
        """Return the first `count` blocks."""
        return self.blocks[:count].astype(np.int64)


@dataclass(frozen=True)
class Watched:
    """How far a live run is.

    Attributes:
        done: share of the steps, in [0, 1].
        loss: of training, smoothed, in nats per token.
        run: the finished run; None before.
    """

    done: float
    loss: float
    run: ScalingRun | None = None


def write_excerpt(training: Blocks, held_out: Blocks) -> None:
    """Write the bundled excerpt: every twentieth article that trains, and the blocks that measure."""
    starts = np.flatnonzero(training.ids == 0)
    articles = np.split(training.ids, starts[1:])[::EVERY_ARTICLE]
    for path, array in ((TRAINING, np.concatenate(articles)), (HELD_OUT, held_out.spread(HELD_OUT_BLOCKS))):
        with lzma.open(path, "wb", preset=9) as file:
            np.save(file, array.astype(np.uint16), allow_pickle=False)


@cache
def _excerpt() -> tuple[Blocks, HeldOut, np.ndarray]:
    if not (TRAINING.is_file() and HELD_OUT.is_file() and TOKENIZER.is_file()):
        raise ModelUnavailableError(
            "The text to train on is missing. Run: python -m lecture_core.training scaling_excerpt --corpus FILE"
        )
    arrays = []
    for path in (TRAINING, HELD_OUT):
        with lzma.open(path) as file:
            arrays.append(np.load(file, allow_pickle=False))
    return Blocks(arrays[0]), HeldOut(arrays[1]), bytes_per_token(Tokenizer.from_file(str(TOKENIZER)))


def watch(size: int, tokens: int, seed: int) -> Generator[tuple[str, Watched], None, None]:
    """Train one decoder and yield how far it is; the last value holds the finished run.

    Args:
        size: index in `decoder_grid.SIZES`.
        tokens: to train on; one pass over the excerpt is 0.6M.
        seed: of the weights and of the order of the text.

    Raises:
        BusyError: another visitor's run is on.
        ModelUnavailableError: the excerpt is missing.
    """
    if not _ONE.acquire(blocking=False):
        raise BusyError("Someone else is training a model here now. Try again in a minute.")
    try:
        shape = decoder_grid.SIZES[size]
        plan = Plan(shape, tokens, decoder_grid.learning_rate(shape.width), seed)
        with tempfile.TemporaryDirectory() as folder:
            yield from _train(plan, Path(folder))
    finally:
        _ONE.release()


def _train(plan: Plan, folder: Path) -> Generator[tuple[str, Watched], None, None]:
    training, held_out, token_bytes = _excerpt()
    objective = CausalLM(decoder_grid.new_model(plan.size, plan.seed), token_bytes, plan.rate)
    run = TrainingRun(objective, training, plan.schedule, folder)
    started = looked = time.monotonic()
    while run.done < plan.schedule.steps:
        run.step()
        if time.monotonic() - looked > _LOOKS:
            looked = time.monotonic()
            yield "run", Watched(run.done / plan.schedule.steps, run.averages["loss"])
    made = decoder_grid.measured(plan, objective, held_out, time.monotonic() - started)
    yield "run", Watched(1.0, run.averages["loss"], replace(made, revision="live"))
