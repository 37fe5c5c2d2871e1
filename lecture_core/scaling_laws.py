"""Scaling laws: how the loss of a language model falls with parameters and tokens, and how to split a compute budget.

Lecture: Scaling laws; Chinchilla. Sources: Hoffmann et al. 2022 (arXiv:2203.15556), Besiroglu et al. 2024
(arXiv:2404.10102). Knows no page and no figure. The constants are in `law`, the search behind `fit` in `scaling_fit`.
"""

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lecture_core import scaling_fit
from lecture_core.errors import InvalidInputError
from lecture_core.law import CHINCHILLA_FLOPS, EPOCH, HOFFMANN_PRINTED, HOFFMANN_UNROUNDED, Law
from lecture_core.scaling_input import above_zero, columns, finite_result, same_lengths

__all__ = [
    "CHINCHILLA_FLOPS", "EPOCH", "FEWEST_RUNS", "FEWEST_VALUES", "HOFFMANN_PRINTED", "HOFFMANN_UNROUNDED",
    "ComputeOptimal", "Fit", "IsoFlop", "Law", "Numbers", "bootstrap", "compute_optimal", "fit", "frontier",
    "isoflop_curve", "overtraining_cost", "predict_loss", "training_flops",
]  # fmt: skip

Numbers: TypeAlias = float | NDArray[np.float64]
"""A float where floats came in, else an array of float64."""
FEWEST_RUNS, FEWEST_VALUES = 6, 3
"""What a fit of five constants takes: that many runs, and that many different sizes and numbers of tokens."""


def training_flops(parameters: ArrayLike, tokens: ArrayLike) -> Numbers:
    """Return the compute of a training run in FLOPs, 6 N D: two a multiply-add forward, four backward.

    Source: Kaplan et al. 2020, section 2.1 (arXiv:2001.08361).
    """
    n, d = _counts(parameters, tokens)
    with np.errstate(over="ignore"):
        return _plain(finite_result(6 * n * d, "6ND"))


def overtraining_cost(
    parameters: ArrayLike, tokens: ArrayLike, served: ArrayLike, *, training: float = 1.0, serving: float = 1.0
) -> tuple[Numbers, Numbers]:
    """Return what a model costs in training, 6 N D, and in serving, 2 N a token; in FLOPs where a FLOP costs 1.

    Args:
        parameters: N.
        tokens: D of the training; infinite where no training is long enough.
        served: tokens read and written after the training, 0 or more.
        training: price of a FLOP in training.
        serving: price of a FLOP in serving.

    Source: Sardana et al. 2024, section 2 (arXiv:2401.00448).
    """
    n, d, later = (np.asarray(values, dtype=np.float64) for values in (parameters, tokens, served))
    return _plain(6 * n * d * training), _plain(2 * n * later * serving)


def predict_loss(parameters: ArrayLike, tokens: ArrayLike, law: Law) -> Numbers:
    """Return the loss in nats per token of a model of N parameters trained on D tokens.

    Args:
        parameters: N, a count or an array of counts.
        tokens: D, likewise; arrays of shapes that fit each other, such as (P, 1) and (Q,), give a grid (P, Q).
        law: the five constants.

    Raises:
        InvalidInputError: a count that is not finite and above zero, or lengths that do not fit.

    Source: Hoffmann et al. 2022, equation 2.
    """
    n, d = _counts(parameters, tokens)
    with np.errstate(over="ignore", under="ignore"):
        return _plain(finite_result(law.E + law.A * n**-law.alpha + law.B * d**-law.beta, "the loss"))


@dataclass(frozen=True)
class ComputeOptimal:
    """The split of a compute budget with the lowest loss: parameters N, tokens D, loss in nats per token."""

    parameters: float
    tokens: float
    loss: float

    @property
    def tokens_per_parameter(self) -> float:
        """D / N."""
        return self.tokens / self.parameters


@dataclass(frozen=True)
class IsoFlop:
    """All ways to spend one compute budget, from small models on many tokens to large models on few; arrays (P,).

    Attributes:
        flops: the budget C; `tokens` are C / 6N.
        best: the split with the lowest loss, in closed form.
    """

    flops: float
    parameters: NDArray[np.float64]
    tokens: NDArray[np.float64]
    loss: NDArray[np.float64]
    best: ComputeOptimal


def compute_optimal(flops: float, law: Law) -> ComputeOptimal:
    """Return the parameters and tokens with the lowest loss among all with 6 N D = `flops`.

    Where the derivative along the budget vanishes, alpha A / N^alpha = beta B / D^beta: both terms promise the same
    from a little more compute. Solved for N with D = C / 6N.

    Args:
        flops: compute budget C.
        law: the five constants.

    Raises:
        InvalidInputError: a budget that is not finite and above zero, or an optimum too large to be a number.

    Source: Hoffmann et al. 2022, equation 4.
    """
    n, d, loss = (values.item() for values in frontier(float(above_zero(flops, "compute in FLOPs")), law))
    return ComputeOptimal(n, d, loss)


def frontier(flops: ArrayLike, law: Law) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return parameters, tokens and loss of the best split of each budget, arrays of its shape.

    Source and `Raises`: as `compute_optimal`.
    """
    log_compute = np.log(above_zero(flops, "compute in FLOPs")) - math.log(6)
    log_g = math.log(law.alpha) + math.log(law.A) - math.log(law.beta) - math.log(law.B)
    log_n = (log_g + log_compute * law.beta) / (law.alpha + law.beta)
    with np.errstate(over="ignore", under="ignore"):
        n, d = np.exp(log_n), np.exp(log_compute - log_n)
    if not (np.isfinite([n, d]).all() and (n > 0).all() and (d > 0).all()):
        raise InvalidInputError(
            expected="constants whose best split can be computed",
            got=f"a best split of 10^{np.max(log_n) / math.log(10):.0f} parameters",
            remedy="choose exponents alpha and beta further from 0",
        )
    return n, d, np.asarray(predict_loss(n, d, law))


def isoflop_curve(flops: float, law: Law, *, decades: float = 3.0, points: int = 121) -> IsoFlop:
    """Return the loss over all splits of one budget, around the best one.

    Args:
        flops: compute budget C.
        law: the five constants.
        decades: width of the curve in powers of ten of N, half on each side of the optimum; above zero.
        points: P; odd numbers include the optimum itself.

    Source: Hoffmann et al. 2022, section 3.2 (the curves) and equation 2 (the loss).
    """
    best = compute_optimal(flops, law)
    half = float(above_zero(decades, "the width in decades")) / 2
    steps = np.linspace(-half, half, int(above_zero(points, "the number of points")))
    n = best.parameters * 10**steps
    d = best.tokens * 10**-steps
    return IsoFlop(float(flops), n, d, np.asarray(predict_loss(n, d, law)), best)


@dataclass(frozen=True)
class Fit:
    """A law found from runs.

    Attributes:
        law: the constants with the lowest sum of Huber losses.
        standard_errors: of each constant by name, from bootstrap samples; empty when none were asked for.
        starts: starts from which the search descended.
        agreeing: starts that ended at the same lowest objective.
        converged: whether the best descent ended at a flat point.
        objective: sum of Huber losses at the end.
        covariance: of log E, log A, log B, alpha and beta over the bootstrap samples, (5, 5); zeros without samples.
    """

    law: Law
    standard_errors: dict[str, float]
    starts: int
    agreeing: int
    converged: bool
    objective: float
    covariance: NDArray[np.float64] = field(compare=False, repr=False)

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the ends of a constant's interval: E, A and B vary by a factor, the exponents by a difference."""
        place, value = list(self.law.constants()).index(name), self.law.constants()[name]
        width = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(self.covariance[place, place])
        if name in ("alpha", "beta"):
            return value - width, value + width
        return value * math.exp(-width), value * math.exp(width)


def fit(
    parameters: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    *,
    delta: float = 1e-3,
    starts: int = 24,
    resamples: int = 200,
    seed: int = 0,
) -> Fit:
    """Find the constants that describe training runs: Huber loss on the log residual, descents from a grid of starts.

    All 4,500 starts of the paper are evaluated; the search descends from the best of them. Runs that show no floor get
    an E of next to nothing, about 1e-15 of their smallest loss.

    Args:
        parameters: N of each run, (R,), at least six runs with three sizes.
        tokens: D of each run, (R,), with three different values.
        loss: final loss of each run in nats per token, (R,).
        delta: residuals of log loss below it count squared, above it linearly.
        starts: descents, 1 to 4,500.
        resamples: bootstrap samples for standard errors and covariance, 2 or more; 0 for none.
        seed: of the bootstrap.

    Raises:
        InvalidInputError: a value that is not finite and above zero, different lengths, too few or too similar runs.

    Source: Hoffmann et al. 2022, Approach 3, equation 3 (delta = 1e-3).
    """
    above_zero([delta, starts], "delta and the number of starts")
    runs = _runs(parameters, tokens, loss)
    found = scaling_fit.search(runs, delta, starts)
    law = _law(found.theta[0])
    errors: dict[str, float] = {}
    covariance = np.zeros((5, 5))
    if resamples > 1:
        constants = bootstrap(parameters, tokens, loss, law, delta=delta, resamples=resamples, seed=seed)
        with np.errstate(all="ignore"):
            errors = dict(zip(law.constants(), np.std(constants, axis=0, ddof=1).tolist(), strict=True))
            covariance = np.cov(np.concatenate([np.log(constants[:, :3]), constants[:, 3:]], axis=1), rowvar=False)
    lowest = found.values[0]
    agreeing = int((found.values <= lowest * (1 + 1e-6) + 1e-12).sum())
    return Fit(law, errors, len(found.values), agreeing, bool(found.converged[0]), float(lowest), covariance)


def bootstrap(
    parameters: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    law: Law,
    *,
    delta: float = 1e-3,
    resamples: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the constants of laws fitted to runs drawn again with replacement, (resamples, 5), in the order of `Law`.

    Args:
        law: fit of the runs themselves; each descent begins there.
        resamples: 1 or more.

    Raises:
        InvalidInputError: as `fit`.

    Source: Besiroglu et al. 2024, section 3 (4,000 samples).
    """
    above_zero([delta, resamples], "delta and the number of samples")
    theta = np.array([math.log(law.A), math.log(law.B), math.log(law.E), law.alpha, law.beta])
    runs = _runs(parameters, tokens, loss)
    return _constants(scaling_fit.bootstrap(theta, runs, delta, resamples=int(resamples), seed=seed))


def _runs(parameters: ArrayLike, tokens: ArrayLike, loss: ArrayLike) -> scaling_fit.Runs:
    different = {"parameters": (parameters, FEWEST_VALUES), "tokens": (tokens, FEWEST_VALUES), "losses": (loss, 1)}
    n, d, observed = columns(different, at_least=FEWEST_RUNS)
    return scaling_fit.Runs(np.log(n), np.log(d), np.log(observed), np.ones(len(n)))


def _law(theta: NDArray[np.float64]) -> Law:
    constants = _constants(theta[None])[0]
    if not (np.isfinite(constants).all() and (constants > 0).all()):
        raise InvalidInputError(
            expected="runs that determine all five constants",
            got="runs that fit without one of them",
            remedy="add runs that differ more in parameters and in tokens",
        )
    return Law(*constants.tolist())


def _constants(thetas: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, e, alpha, beta = thetas.T
    with np.errstate(over="ignore", under="ignore"):
        return np.stack([np.exp(e), np.exp(a), np.exp(b), alpha, beta], axis=-1)  # in the order of Law


def _counts(parameters: ArrayLike, tokens: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = above_zero(parameters, "the number of parameters")
    d = above_zero(tokens, "the number of tokens")
    same_lengths(parameters=n, tokens=d)
    return n, d


def _plain(values: NDArray[np.float64]) -> Numbers:
    return float(values) if np.ndim(values) == 0 else values
