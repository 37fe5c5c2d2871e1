"""Training runs as plain numbers, and what a law says of them: its forecast, its error, how sure its constants are.

Lecture: Scaling laws ("fit based on data"). Source: Hoffmann et al. 2022, Approach 3. Losses in nats per token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lecture_core.scaling_laws import (
    FEWEST_RUNS,
    FEWEST_VALUES,
    Fit,
    Law,
    bootstrap,
    compute_optimal,
    fit,
    predict_loss,
)
from lecture_core.scaling_runs import ScalingRun

Array = NDArray[np.float64]
RESAMPLES, CHUNK = 1000, 50
MOST_FITTED = 2_000
"""Runs of a visitor's table that are fitted; a larger table is thinned."""
DELTA = 1e-3
"""Huber loss: residuals of log loss below it count squared. Source: Hoffmann et al. 2022."""


@dataclass(frozen=True)
class Points:
    """Runs as three columns of one length: parameters N, tokens D, loss in nats per token."""

    parameters: tuple[float, ...]
    tokens: tuple[float, ...]
    loss: tuple[float, ...]

    def __len__(self) -> int:
        """Number of runs."""
        return len(self.loss)

    @property
    def flops(self) -> Array:
        """Compute of each run, 6 N D, (R,)."""
        return 6 * np.array(self.parameters) * np.array(self.tokens)

    @classmethod
    def of(cls, runs: Sequence[ScalingRun]) -> "Points":
        """Return recorded runs as columns."""
        columns = zip(*((float(r.parameters), float(r.tokens), r.loss_per_token) for r in runs), strict=True)
        return cls(*columns) if runs else cls((), (), ())


def thinned(points: Points, most: int = MOST_FITTED) -> Points:
    """Return at most so many of the runs, evenly picked by compute, the cheapest and the costliest among them."""
    if len(points) <= most:
        return points
    by_compute = np.argsort(points.flops, kind="stable")
    chosen = by_compute[np.linspace(0, len(points) - 1, most).round().astype(int)].tolist()
    return Points(*(tuple(column[i] for i in chosen) for column in (points.parameters, points.tokens, points.loss)))


def predicted(law: Law, points: Points) -> Array:
    """Return the loss that a law gives to each run, in nats per token, (R,)."""
    return np.atleast_1d(np.asarray(predict_loss(points.parameters, points.tokens, law)))


def percent_off(law: Law, points: Points) -> Array:
    """Return how far a law lies from each measured loss, in percent of it; above 0 where it says too much, (R,)."""
    return 100 * (predicted(law, points) / np.array(points.loss) - 1)


def lacking(points: Points) -> str:
    """Return one sentence on what these runs lack for a fit; empty where they are enough."""
    if len(points) < FEWEST_RUNS:
        return f"A fit needs at least {FEWEST_RUNS} runs; add {FEWEST_RUNS - len(points)} or more."
    for name, values in (("parameters", points.parameters), ("tokens", points.tokens)):
        if (different := len(set(values))) < FEWEST_VALUES:
            return (
                f"A fit needs runs with at least {FEWEST_VALUES} different numbers of {name}; these have {different}."
            )
    return ""


@lru_cache(maxsize=64)
def fitted(points: Points) -> Fit:
    """Return the fit of runs: Huber loss on the log residual, 24 descents from the paper's grid of starts.

    Raises:
        InvalidInputError: fewer than six runs, or runs too similar to fix five constants.
    """
    return fit(points.parameters, points.tokens, points.loss, delta=DELTA, resamples=0)


def resampled(points: Points, law: Law, *, seed: int = 0, resamples: int = RESAMPLES) -> Iterator[Array]:
    """Yield the constants of bootstrap samples in chunks, (50, 5) in the order of `Law`: a bar can move between them.

    Args:
        law: the fit of all runs, where each descent begins.
        seed: of the draws.
        resamples: in all.
    """
    for first in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - first)
        columns = (points.parameters, points.tokens, points.loss)
        yield bootstrap(*columns, law, delta=DELTA, resamples=size, seed=seed * resamples + first)


@dataclass(frozen=True)
class Interval:
    """A value and the middle 95 % of its bootstrap samples."""

    low: float
    value: float
    high: float


def intervals(law: Law, samples: Array, flops: float) -> dict[str, Interval]:
    """Return constants, exponents of the best split and tokens per parameter at a budget, each with its interval.

    `a` and `b` say how the best size and the best number of tokens grow: N ~ C^a, D ~ C^b. Samples in which an exponent
    is not above zero have no best split and are left out of the last three.

    Args:
        samples: constants, (S, 5) in the order of `Law`.
        flops: the budget C.

    Source: Hoffmann et al. 2022, equation 4.
    """
    values = np.array(list(law.constants().values()))
    result = {name: _interval(v, samples[:, i]) for i, (name, v) in enumerate(law.constants().items())}
    usable = samples[np.isfinite(samples).all(axis=1) & (samples > 0).all(axis=1)]
    a = usable[:, 4] / (usable[:, 3] + usable[:, 4])
    share = float(values[4] / (values[3] + values[4]))
    result["a"] = _interval(share, a)
    result["b"] = _interval(1 - share, 1 - a)
    ratio = compute_optimal(flops, law).tokens_per_parameter
    result["tokens per parameter"] = _interval(ratio, _ratios(usable, flops))
    return result


def _ratios(samples: Array, flops: float) -> Array:
    _, a, b, alpha, beta = samples.T
    log_n = (np.log(alpha * a) - np.log(beta * b) + beta * np.log(flops / 6)) / (alpha + beta)
    return np.exp(np.log(flops / 6) - 2 * log_n)


def _interval(value: float, samples: Array) -> Interval:
    if not len(samples):
        return Interval(float("nan"), float(value), float("nan"))
    low, high = np.percentile(samples, [2.5, 97.5], method="nearest")  # a sample may be infinite
    return Interval(float(low), float(value), float(high))
