"""Recorded training runs of small decoders: `assets/runs/scaling_runs.csv`, one finished run a row.

Lecture: Scaling laws. Written by `python -m lecture_core.training scaling_runs`; shown with the badge "recorded".
Knows no model and no page.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lecture_core.provenance import Provenance
from lecture_core.run_tables import FOLDER, append_row, read_rows

RECORDED = FOLDER / "scaling_runs.csv"
COMMAND = "python -m lecture_core.training scaling_runs --corpus FILE"
SWEEP = FOLDER / "scaling_sweep.csv"
"""Runs of three sizes at five learning rates, in the same form."""
SWEEP_COMMAND = "python -m lecture_core.training scaling_sweep --corpus FILE"
ENOUGH_TO_FIT = 8
"""Runs needed before five constants are fitted to them."""
HELD_OUT_SHARE = 0.2
"""Share of the recorded runs, the largest by compute, that is kept back for the forecast."""


FEWEST_TOKENS = 1_200_000
"""Runs of fewer tokens (1,200 steps) are too short for the law's form, and are not fitted unless the visitor asks.

Chosen without the runs held out: of the runs shown, the six costliest were kept back, a law was fitted to the others
of at least 0, 0.6M or 1.2M tokens, and the four long ones of the six were forecast. The laws miss them by up to 2.3,
1.7 and 1.4 %; a test computes this again.
"""


@dataclass(frozen=True)
class ScalingRun:
    """One decoder trained once.

    Attributes:
        parameters: N, without the embedding and the output layer.
        parameters_total: with both.
        tokens: D, seen in training.
        flops: 6 N D.
        loss_per_token: on held-out articles, in nats per token.
        loss_per_byte: the same loss, in nats per byte of text.
        learning_rate: of the level stretch.
        seconds: computed for this row alone; the level stretch that it shares with a shorter run is counted there.
        date: day of the run, as 2026-11-23.
        device: `cpu bfloat16`: where, and the type of the matrix products.
        revision: hash of vocabulary, text and schedule; runs of one revision can be compared.
    """

    parameters: int
    parameters_total: int
    tokens: int
    flops: float
    loss_per_token: float
    loss_per_byte: float
    learning_rate: float
    seed: int
    seconds: float
    date: str
    device: str
    revision: str

    def __post_init__(self) -> None:
        """Refuse impossible figures."""
        if not min(self.parameters, self.tokens, self.flops, self.loss_per_token, self.loss_per_byte) > 0:
            raise ValueError("expected sizes and losses above 0")


def load(path: Path = RECORDED) -> tuple[ScalingRun, ...]:
    """Return the recorded runs, cheapest first; none where none was recorded yet.

    Raises:
        RunError: a row breaks the format; names file and row.
    """
    return _read(path)


def sweep() -> tuple[ScalingRun, ...]:
    """Return the recorded sweep of learning rates, cheapest size first; raises as `load`."""
    return _read(SWEEP)


def _read(path: Path) -> tuple[ScalingRun, ...]:
    return tuple(sorted(read_rows(path, ScalingRun), key=lambda run: (run.flops, run.parameters)))


def append(run: ScalingRun, path: Path = RECORDED) -> None:
    """Add a finished run to the file, in one write; raises as `run_tables.append_row`."""
    append_row(asdict(run), path)


def by_length(runs: Sequence[ScalingRun]) -> tuple[tuple[ScalingRun, ...], tuple[ScalingRun, ...]]:
    """Return the runs that are long enough for the law, and those of fewer than `FEWEST_TOKENS`."""
    kept = tuple(run for run in runs if run.tokens >= FEWEST_TOKENS)
    return kept, tuple(run for run in runs if run.tokens < FEWEST_TOKENS)


def split(runs: Sequence[ScalingRun]) -> tuple[tuple[ScalingRun, ...], tuple[ScalingRun, ...]]:
    """Return the runs shown and the runs held out: the largest by compute, at least one where there are enough."""
    by_compute = sorted(runs, key=lambda run: (run.flops, run.parameters))
    held_out = min(max(1, round(HELD_OUT_SHARE * len(runs))), max(0, len(runs) - ENOUGH_TO_FIT))
    cut = len(by_compute) - held_out
    return tuple(by_compute[:cut]), tuple(by_compute[cut:])


def reach(shown: Sequence[ScalingRun], held_out: Sequence[ScalingRun]) -> float:
    """Return how many times the compute of the costliest run shown the costliest run held out has."""
    return max(run.flops for run in held_out) / max(run.flops for run in shown)


def provenance(runs: Sequence[ScalingRun], command: str = COMMAND) -> Provenance:
    """Where recorded runs come from, for the caption under them."""
    dates = sorted({run.date for run in runs})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    source = f"{len(runs)} runs on {', '.join(sorted({run.device for run in runs}))} · recorded {when} by {command}"
    return Provenance(revision=runs[-1].revision, seed=runs[-1].seed, kind="recorded", source=source)
